"""What goes wrong in a run, how often, and when it stops."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import TypeVar
from uuid import UUID

from shared.core.errors import Refused, Throttled, Unavailable
from shared.core.ports import StoreUnavailable

T = TypeVar("T")


class Fault(StrEnum):
    """A kind of trouble."""

    REORDER = "messages overtake each other"
    DUPLICATE = "messages arrive twice"
    DELAY = "messages arrive late"
    LOSS = "flow messages are lost"
    LOCK_LOST = "a session's lock is lost"
    THROTTLED = "a far side throttles"
    UNAVAILABLE = "a far side is down"
    LOST_ANSWER = "an answer is lost after the write"
    LATE_WRITE = "a write that timed out happens later"
    SLOW = "a far side takes longer than a lease to answer"
    REFUSED = "a far side says no"
    CRASH = "workers die"
    STALL = "a worker stands still longer than its lease"
    NO_SQL = "the state is unavailable"
    SQL_ANSWER = "an answer of the state is lost after the commit"
    SKEW = "the legacy system's clock is wrong"
    ORPHAN = "parents arrive late"
    DELETE = "people delete"
    DELTA = "the legacy system tells only what changed"
    NO_WAKE = "wakes cannot be sent"
    RING = "companies belong to each other"
    FUTURE = "the legacy system's clock runs far ahead"
    PERSON = "some columns are a person's to decide"
    PHASE = "phases are set while people work"
    MERGE = "people merge two of what they have"
    WAIT = "changes wait a little for earlier ones"
    SHARED = "a second system has some of the same customers"
    PLANS = "much is refused, and people replay by plan"


BY_THEMSELVES = frozenset({Fault.SHARED, Fault.PLANS})
ORDINARY = frozenset(Fault) - BY_THEMSELVES
"""What may go wrong in any run; a second system and replay plans are asked for by themselves."""


LEASE = timedelta(seconds=60)

HAND: ContextVar[str] = ContextVar("hand", default="")
"""What runs in a process, with all that it sets going (see `Hand`); blank for everybody else."""


@dataclass(slots=True)
class Weather:
    """Chance and trouble of one run. `rates` of the faults that are on; all stop with `clear`.

    `cuts` counts what may leave a write behind that nobody heard of, `cut` names the rows that may have one,
    and `writing` tells which row each hand wrote last for the message it works on.
    """

    chance: Random
    rates: dict[Fault, float]
    on: bool = True
    cuts: int = 0
    cut: set[UUID] = field(default_factory=set)
    writing: dict[str, UUID] = field(default_factory=dict)
    stalled: set[str] = field(default_factory=set)
    _until: dict[str, float] = field(default_factory=dict)

    def strikes(self, fault: Fault) -> bool:
        """Whether it goes wrong now."""
        rate = self.rates.get(fault, 0.0)
        return self.on and rate > 0 and self.chance.random() < rate

    def clear(self) -> None:
        """From now on all is well."""
        self.on = False

    def cut_off(self, hand: str) -> None:
        """Something happens to a hand by which a write of it may be left that nobody heard of."""
        self.cuts += 1
        self.forget(hand)

    def forget(self, hand: str) -> None:
        """A hand remembers nothing any more of what it was at."""
        if hand in self.writing:
            self.cut.add(self.writing[hand])

    async def pass_time(self, longest: float = 0.2) -> None:
        """Some time goes by: usually little, sometimes more than a lease lasts."""
        now, hand = asyncio.get_running_loop().time(), HAND.get()
        if self._until.get(hand, now) > now:
            # Its signs of life stand still, too.
            await asyncio.sleep(self._until[hand] - now)
        elif hand and self.strikes(Fault.STALL):
            self.cut_off(hand)
            self.stalled.add(hand)
            self._until[hand] = now + LEASE.total_seconds() * (0.9 + self.chance.random())
            await asyncio.sleep(self._until[hand] - now)
        else:
            await asyncio.sleep(self.chance.random() ** 3 * longest)

    async def wait_long(self) -> None:
        """Time goes by at a far side, now and then more than a lease lasts; who waits gives signs of life."""
        await self.pass_time()
        if self.strikes(Fault.SLOW):
            await asyncio.sleep(LEASE.total_seconds() * (0.5 + self.chance.random()))


@dataclass(frozen=True, slots=True)
class UnsteadySql:
    """`Executor` that works at once, between two waits in which others act; it may fail before or after."""

    weather: Weather

    async def __call__(self, work: Callable[[], T]) -> T:
        await self.weather.pass_time(0.02)
        if self.weather.strikes(Fault.NO_SQL):
            self.weather.cut_off(HAND.get())
            raise StoreUnavailable("out of reach")
        result = work()
        if self.weather.strikes(Fault.SQL_ANSWER):
            self.weather.cut_off(HAND.get())
            raise StoreUnavailable("out of reach after the commit")
        await self.weather.pass_time(0.02)
        return result


@dataclass(slots=True)
class FarSide:
    """How a call to a far side goes. `tell` hears what went wrong; overlapping writes are noted."""

    weather: Weather
    tell: Callable[[str, object], None]
    busy: dict[UUID, list[str]] = field(default_factory=dict)
    overlaps: list[str] = field(default_factory=list)

    async def read(self, call: Callable[[], Awaitable[T]]) -> T:
        """A read, with what may go wrong before it."""
        await self.weather.wait_long()
        self._refuse(may_refuse=False)
        result = await call()
        await self.weather.pass_time()
        return result

    async def write(self, about: UUID, call: Callable[[], Awaitable[T]]) -> T:
        """A write, with what may go wrong before and after it."""
        me = HAND.get()
        others = self.busy.setdefault(about, [])
        # Whoever stood still lost its lease: two writers are what the fence and the versions are for.
        if me not in self.weather.stalled:
            self.overlaps += [
                f"{about}: {me} and {other} write at once"
                for other in others
                if other not in self.weather.stalled
            ]
        others.append(me)
        self.weather.writing[me] = about
        try:
            await self.weather.wait_long()
            self._refuse(may_refuse=True)
            if self.weather.strikes(Fault.LATE_WRITE):
                self._later(about, call)
                raise Unavailable("no answer in time")
            result = await call()
            await self.weather.pass_time()
            if self.weather.strikes(Fault.LOST_ANSWER):
                self.weather.cut_off(me)
                self.tell("the answer to this write is lost", about)
                raise Unavailable("no answer in time")
            return result
        finally:
            others.remove(me)

    def _refuse(self, *, may_refuse: bool) -> None:
        if self.weather.strikes(Fault.THROTTLED):
            pause = timedelta(seconds=self.weather.chance.randrange(1, 30))
            raise Throttled("too many requests", retry_after=pause)
        if self.weather.strikes(Fault.UNAVAILABLE):
            raise Unavailable("down")
        if may_refuse and self.weather.strikes(Fault.REFUSED):
            raise Refused("not today", answer="no")

    def _later(self, about: UUID, call: Callable[[], Awaitable[object]]) -> None:
        """The request is on its way, though nobody waits for it any more."""
        self.weather.cut_off(HAND.get())

        async def arrive() -> None:
            await asyncio.sleep(self.weather.chance.random() * 40)
            self.tell("a write that was given up arrives", about)
            try:
                await call()
            except Exception as error:  # noqa: BLE001  # nobody is there to hear it
                self.tell(f"it fails: {error}", about)

        task = asyncio.get_running_loop().create_task(arrive())
        self._pending.append(task)

    _pending: list[asyncio.Task[None]] = field(default_factory=list)
