"""A secret a client presents: kept while it is good, fetched again when it is old or was refused."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.core.errors import Transient
from shared.core.ports import Clock

_SPARE_THE_SOURCE = timedelta(seconds=30)


class Secret(Protocol):
    """A bearer token, an API key: whatever goes behind `Authorization: Bearer`."""

    async def current(self) -> str:
        """The value to present now."""
        ...

    async def renewed(self, refused: str) -> str:
        """The value to present instead of one the far side refused; fetched anew unless somebody just did."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """A fetched secret: good until `fresh_until`, then fetched again; still used until `usable_until` (None:
    without end) when that fails.
    """

    value: str = field(repr=False)
    fresh_until: datetime
    usable_until: datetime | None = None


class KeptSecret:
    """A secret from a blocking source.

    `fetch(renew)` runs on a thread of this object's own, one call at a time, so that many callers who meet
    an old or a refused value cause one fetch together; `renew` says that caches behind it must be passed by.
    It raises SyncErrors. An unreachable source does not take a usable value away.
    """

    def __init__(self, clock: Clock, fetch: Callable[[bool], Held]) -> None:
        self._clock = clock
        self._fetch = fetch
        self._held: Held | None = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="secret")

    async def current(self) -> str:
        """The kept value while fresh, else a fetched one."""
        held = self._held
        if held is not None and self._clock.now() < held.fresh_until:
            return held.value
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._obtain, None)

    async def renewed(self, refused: str) -> str:
        """A value fetched after `refused` was; raises when the source cannot be asked."""
        held = self._held
        if held is not None and held.value != refused:
            return held.value
        return await asyncio.get_running_loop().run_in_executor(self._worker, self._obtain, refused)

    def _obtain(self, refused: str | None) -> str:
        held, now = self._held, self._clock.now()
        if held is not None and held.value != refused and now < held.fresh_until:
            return held.value
        try:
            self._held = self._fetch(refused is not None)
        except Transient:
            usable = held is not None and (held.usable_until is None or now < held.usable_until)
            if held is None or not usable or refused is not None:
                raise
            self._held = replace(held, fresh_until=now + _SPARE_THE_SOURCE)
        return self._held.value

    def close(self) -> None:
        """End the thread."""
        self._worker.shutdown(wait=False)


@dataclass(frozen=True, slots=True)
class FixedSecret:
    """A secret that never changes."""

    value: str = field(repr=False)

    async def current(self) -> str:
        """The value."""
        return self.value

    async def renewed(self, refused: str) -> str:  # noqa: ARG002  # the port's parameter; there is nothing to renew
        """The value again."""
        return self.value
