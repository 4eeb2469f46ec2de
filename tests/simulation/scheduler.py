"""One thread, one seed, no waiting: an event loop that picks what is ready at random and jumps over time.

Whatever is ready may run next, so every order in which separate workers could meet is tried by some seed;
once nothing is ready, time jumps to the next timer. The same seed gives the same run.
"""

import asyncio
import contextvars
import heapq
from collections.abc import Callable, Coroutine, Generator
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any, TypeVar, cast

T = TypeVar("T")

START = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)
"""The instant at which every run begins."""


class SeededLoop:
    """As much of an event loop as the sync needs: callbacks, timers, futures and tasks."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._ready: list[asyncio.Handle] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._count = count()
        self._now = 0.0
        self._running = False
        self.unhandled: list[str] = []

    def time(self) -> float:
        return self._now

    def now(self) -> datetime:
        """The instant of this moment of the run."""
        return START + timedelta(seconds=self._now)

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self._as_loop, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self._as_loop, context)
        heapq.heappush(self._timers, (when, next(self._count), timer))
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer is left where it is, and does nothing when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self._as_loop)

    def create_task(
        self, coro: Generator[Any, None, T] | Coroutine[Any, Any, T], *, name: str | None = None
    ) -> asyncio.Task[T]:
        return asyncio.Task(coro, loop=self._as_loop, name=name)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.unhandled.append(f"{context.get('message')}: {context.get('exception')!r}")

    @property
    def _as_loop(self) -> asyncio.AbstractEventLoop:
        return cast("asyncio.AbstractEventLoop", self)

    def run_until_complete(self, future: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine; everything else that is scheduled runs meanwhile."""
        task = self.create_task(future)
        self._running = True
        asyncio._set_running_loop(self._as_loop)
        try:
            while not task.done():
                self._step()
        finally:
            asyncio._set_running_loop(None)
            self._running = False
        return task.result()

    def _step(self) -> None:
        if not self._ready and not self._timers:
            raise RuntimeError("nothing is ready and nothing is coming: the run hangs")
        if not self._ready:
            self._now = max(self._now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(self._timers)[2])
        at = self._chance.randrange(len(self._ready))
        self._ready[at], self._ready[-1] = self._ready[-1], self._ready[at]
        handle = self._ready.pop()
        if not handle.cancelled():
            handle._run()


class LoopClock:
    """`Clock` of a run, as far off as `skew` says; two readings are never the same where `distinct`."""

    def __init__(
        self, loop: SeededLoop, skew: timedelta = timedelta(), *, distinct: timedelta | None = None
    ) -> None:
        self._loop = loop
        self._skew = skew
        self._distinct = distinct
        self._last = START - timedelta(days=1)

    def now(self) -> datetime:
        now = self._loop.now() + self._skew
        if self._distinct is not None:
            now = max(now, self._last + self._distinct)
            self._last = now
        return now
