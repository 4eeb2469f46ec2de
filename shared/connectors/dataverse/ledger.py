"""What one identity has asked of Dataverse lately, so that it never asks for more than it is granted."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.core.priority import Priority, current_priority

_SLICES = 300
# What each priority leaves of the windows to those before it, so that live traffic always finds room.
_LEFT = {Priority.LIVE: 0.0, Priority.REPLAY: 0.1, Priority.LOAD: 0.2}
# Less than a clock can tell apart.
_NOTHING = 1e-6


@dataclass(frozen=True, slots=True)
class Allowance:
    """The service protection limits of one identity on one server, and how much of them is used.

    Requests and seconds of execution per window of `window` seconds. `share` of them is used at most; below
    `calm` of that nobody waits. Whether a batch counts as one request is known from practice only: with
    `batch_is_one` False each of its operations counts.
    """

    requests: float = 6000
    seconds: float = 1200
    window: float = 300
    share: float = 0.97
    calm: float = 0.5
    batch_is_one: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """A request under way: when it began and how long it was expected to take.

    A bulk request is one request for its limit, and its rows take far less time each than operations do.
    """

    operations: int
    bulk: bool
    began: float
    expected: float


class Ledger:
    """Paces requests to the share of the windows that is used.

    While little is used, nobody waits. Beyond that, requests are spread so that the window is full when its
    oldest entries leave it and not before: traffic becomes slower, it does not stop for minutes. Seconds are
    those between sending and answer, so the network's share is counted too, which errs on the safe side. For
    one thread: the event loops of several threads would need a ledger each.
    """

    def __init__(
        self,
        allowance: Allowance | None = None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._allowance = allowance = allowance or Allowance()
        self._monotonic = monotonic
        self._sleep = sleep
        self._requests = _Window(allowance.requests * allowance.share, allowance.window)
        self._seconds = _Window(allowance.seconds * allowance.share, allowance.window)
        self._under_way = 0.0
        self._usual = {False: 0.0, True: 0.0}
        self._last = float("-inf")

    @property
    def is_calm(self) -> bool:
        """Whether so little is used that nobody waits and nothing needs to be saved."""
        now, calm = self._monotonic(), self._allowance.calm
        return (
            self._requests.used(now) < calm * self._requests.limit
            and self._seconds.used(now) + self._under_way < calm * self._seconds.limit
        )

    def delay(self, operations: int = 1, priority: Priority = Priority.LIVE, *, bulk: bool = False) -> float:
        """Seconds until a request of so many operations or rows may begin; zero when it may now.

        Replays use at most nine tenths of what live traffic may use, loads eight.
        """
        if self.is_calm:
            return 0.0
        now, left = self._monotonic(), _LEFT[priority]
        apart = max(
            self._requests.apart(now, self._counted(operations, bulk=bulk), left * self._requests.limit),
            self._seconds.apart(
                now, self._usual[bulk] * operations, self._under_way + left * self._seconds.limit
            ),
        )
        wait = self._last + apart - now if apart < float("inf") else self._slice
        return wait if wait > _NOTHING else 0.0

    async def turn(self, operations: int = 1, *, bulk: bool = False) -> None:
        """Return when a request of the work at hand may be sent."""
        priority = current_priority()
        while (seconds := self.delay(operations, priority, bulk=bulk)) > 0:
            await self._sleep(seconds)

    def begin(self, operations: int = 1, *, bulk: bool = False) -> Entry:
        """Write down a request that is sent now."""
        now = self._monotonic()
        entry = Entry(operations, bulk, now, self._usual[bulk] * operations)
        self._requests.add(now, self._counted(operations, bulk=bulk))
        self._under_way += entry.expected
        self._last = now
        return entry

    def end(self, entry: Entry) -> None:
        """Write down that a request was answered, or that its answer was lost."""
        now = self._monotonic()
        took = now - entry.began
        self._under_way = max(0.0, self._under_way - entry.expected)
        self._seconds.add(now, took)
        # Of the last ten or so: long enough for jitter, short enough for a service that grows slow.
        usual = self._usual[entry.bulk]
        self._usual[entry.bulk] += (took / entry.operations - usual) / (10 if usual else 1)

    @property
    def _slice(self) -> float:
        return self._allowance.window / _SLICES

    def _counted(self, operations: int, *, bulk: bool) -> int:
        return 1 if bulk or self._allowance.batch_is_one else operations


class _Window:
    """Amounts of the last so many seconds, in slices: one leaves when the whole of its slice is too old."""

    def __init__(self, limit: float, length: float) -> None:
        self.limit = limit
        self._width = length / _SLICES
        self._slices: deque[tuple[int, float]] = deque()
        self._used = 0.0

    def used(self, now: float) -> float:
        """What is in the window."""
        oldest = int(now // self._width) - _SLICES
        while self._slices and self._slices[0][0] < oldest:
            self._used -= self._slices.popleft()[1]
        if not self._slices:
            self._used = 0.0
        return self._used

    def add(self, now: float, amount: float) -> None:
        """Count an amount now."""
        self.used(now)
        number = int(now // self._width)
        if self._slices and self._slices[-1][0] == number:
            number, before = self._slices.pop()
            self._slices.append((number, before + amount))
        else:
            self._slices.append((number, amount))
        self._used += amount

    def apart(self, now: float, amount: float, under_way: float) -> float:
        """How far apart requests of this amount may follow each other from now on; infinity when none may.

        The fastest steady pace at which the window, as its old amounts leave it, never holds too much.
        """
        left = self.limit - self.used(now) - under_way
        if left < amount:
            return float("inf")
        pace = float("inf")
        for number, old in self._slices:
            leaves = max(_NOTHING, (number + _SLICES + 1) * self._width - now)
            pace = min(pace, left / leaves)
            left += old
        return amount / pace if pace < float("inf") else 0.0
