"""What the other instances under one identity were asked for, and the way to tell them."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.core.pauses import FURTHEST, Pauses, left
from shared.core.ports import Clock, StoreUnavailable, Telemetry

_SECOND = timedelta(seconds=1)


class SharedPause:
    """One identity's pause as the store keeps it, seen from one process.

    The store is asked once a second at most, and only while somebody wants to send; whoever comes while it is
    being asked waits for that answer. A pause is written by who is refused, rounded up to a whole second, so
    that many refusals of one second write once.

    A store that cannot be used stops nobody: that is told to telemetry as an error, and the process goes by
    what it was asked for itself.
    """

    def __init__(
        self,
        pauses: Pauses,
        identity: str,
        clock: Clock,
        telemetry: Telemetry,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pauses = pauses
        self._identity = identity
        self._clock = clock
        self._telemetry = telemetry
        self._monotonic = monotonic
        self._look: asyncio.Task[timedelta] | None = None
        self._next_look = float("-inf")
        self._told: datetime | None = None

    async def left(self) -> timedelta:
        """What is left of the pause the store keeps; zero, too, when it was looked up within this second."""
        loop = asyncio.get_running_loop()
        if self._look is None or self._look.done() or self._look.get_loop() is not loop:
            if self._monotonic() < self._next_look:
                return timedelta()
            self._look = loop.create_task(self._kept())
        # Somebody who gives up must not take the answer from the others.
        return await asyncio.shield(self._look)

    async def tell(self, remaining: timedelta) -> None:
        """Let every instance pause for that long from now."""
        until = _rounded_up(self._clock.now() + remaining)
        if self._told is not None and timedelta() <= self._told - until <= FURTHEST:
            return
        before, self._told = self._told, until
        try:
            await self._pauses.extend(self._identity, until)
        except StoreUnavailable:
            self._told = before
            self._alone()

    async def _kept(self) -> timedelta:
        try:
            until = await self._pauses.until(self._identity)
        except StoreUnavailable:
            self._alone()
            return timedelta()
        finally:
            self._next_look = self._monotonic() + _SECOND.total_seconds()
        return left(until, self._clock.now())

    def _alone(self) -> None:
        self._telemetry.event("tandem.pause_not_shared", {"identity": self._identity}, error=True)


def _rounded_up(instant: datetime) -> datetime:
    whole = instant.replace(microsecond=0)
    return whole if whole == instant else whole + _SECOND
