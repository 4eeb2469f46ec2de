"""The pause after a 429: every call to that far side waits, not only the one that was told to."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from shared.connectors.web.shared_pause import SharedPause
from shared.core.errors import Throttled
from shared.core.pauses import LONGEST

_SECONDS = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")


class Pause:
    """The pause of one client, bounded twice.

    A call waits through at most `patience`: a longer wait would hold a lane and a session lock for nothing,
    so the call is refused with the time that remains. No pause is longer than `longest`, whatever the far
    side asks for.

    With `shared` it is the pause of everybody who works under the identity: what one instance was asked for,
    the others hold, too.
    """

    def __init__(
        self,
        *,
        shared: SharedPause | None = None,
        patience: timedelta = timedelta(seconds=5),
        longest: timedelta = LONGEST,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._shared = shared
        self._patience = patience.total_seconds()
        self._longest = longest
        self._monotonic = monotonic
        self._sleep = sleep
        self._until = 0.0

    async def begin(self, asked: timedelta) -> None:
        """Pause from now, and tell the others; a pause that already lasts longer stays."""
        self._hold(asked)
        if self._shared is not None:
            await self._shared.tell(self.remaining)

    @property
    def remaining(self) -> timedelta:
        """How long the pause lasts from now; zero when there is none."""
        return timedelta(seconds=max(0.0, self._until - self._monotonic()))

    async def wait(self, who: str) -> None:
        """Return when there is no pause; raises Throttled with what remains when that is too long to wait."""
        deadline = self._monotonic() + self._patience
        while (remaining := (await self._known()).total_seconds()) > 0:
            if self._until > deadline:
                raise Throttled(f"{who} asked us to pause", retry_after=timedelta(seconds=remaining))
            await self._sleep(remaining)

    async def _known(self) -> timedelta:
        if self._shared is not None and (asked := await self._shared.left()):
            self._hold(asked)
        return self.remaining

    def _hold(self, asked: timedelta) -> None:
        self._until = max(self._until, self._monotonic() + min(asked, self._longest).total_seconds())


def retry_after(header: str | None, now: datetime | None = None) -> timedelta | None:
    """What a Retry-After header asks for, in seconds or as an HTTP date; None when absent or unreadable."""
    if header is None:
        return None
    if _SECONDS.fullmatch(header.strip()):
        return timedelta(seconds=max(0.0, float(header)))
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(timedelta(0), at - (now or datetime.now(UTC)))
