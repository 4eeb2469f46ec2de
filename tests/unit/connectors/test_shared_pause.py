"""A pause is the identity's: what one instance was asked for, the others hold, and none holds it for ever."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from shared.connectors.memory.clock import SettableClock
from shared.connectors.memory.pauses import MemoryPauses
from shared.connectors.memory.telemetry import MemoryTelemetry, Told
from shared.connectors.web.pause import Pause
from shared.connectors.web.shared_pause import SharedPause
from shared.core.errors import Throttled
from shared.core.pauses import FURTHEST, LONGEST
from shared.core.ports import StoreUnavailable

START = datetime(2026, 1, 31, 10, 11, 12, 400_000, tzinfo=UTC)


class Pauses(MemoryPauses):
    """Counts what it is asked, answers when it may, and is down when told so."""

    def __init__(self, clock: SettableClock) -> None:
        super().__init__(clock)
        self.looks = 0
        self.writes: list[datetime] = []
        self.is_down = False
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def until(self, identity: str) -> datetime | None:
        self.looks += 1
        self.is_asked.set()
        await self.may_answer.wait()
        if self.is_down:
            raise StoreUnavailable
        return await super().until(identity)

    async def extend(self, identity: str, until: datetime) -> None:
        self.writes.append(until)
        if self.is_down:
            raise StoreUnavailable
        await super().extend(identity, until)


@dataclass
class Instances:
    """Instances of the app under one identity, each with a clock of its own that may be wrong."""

    clock: SettableClock = field(default_factory=lambda: SettableClock(START))
    telemetry: MemoryTelemetry = field(default_factory=MemoryTelemetry)
    at: float = 1000.0
    clocks: list[SettableClock] = field(default_factory=list)
    pauses: Pauses = field(init=False)

    def __post_init__(self) -> None:
        self.pauses = Pauses(self.clock)
        self.clocks.append(self.clock)

    def another(self, ahead: timedelta = timedelta()) -> Pause:
        clock = SettableClock(self.clock.now() + ahead)
        self.clocks.append(clock)
        shared = SharedPause(self.pauses, "Dataverse", clock, self.telemetry, monotonic=self.monotonic)
        return Pause(shared=shared, monotonic=self.monotonic, sleep=self.sleep)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        for clock in self.clocks:
            clock.advance(timedelta(seconds=seconds))


@pytest.fixture
def instances() -> Instances:
    return Instances()


async def refused(pause: Pause) -> timedelta | None:
    with pytest.raises(Throttled, match=r"^Dataverse asked us to pause$") as throttled:
        await pause.wait("Dataverse")
    return throttled.value.retry_after


async def test_what_one_instance_is_asked_for_the_others_hold(instances: Instances) -> None:
    one, other = instances.another(), instances.another()
    await one.begin(timedelta(seconds=30))
    await instances.sleep(10)

    # Kept to the whole second after it: the others may wait a little longer, and never less.
    assert await refused(other) == timedelta(seconds=20.6)
    assert await refused(one) == timedelta(seconds=20.6)
    await instances.sleep(20.6)
    for pause in (one, other):
        await pause.wait("Dataverse")


@pytest.mark.parametrize("asked", [LONGEST, timedelta(days=1)])
@pytest.mark.parametrize("ahead", [timedelta(seconds=-5), timedelta(), timedelta(seconds=5)])
async def test_the_longest_pause_is_held_at_once_where_clocks_differ_a_little(
    instances: Instances, asked: timedelta, ahead: timedelta
) -> None:
    one, other = instances.another(ahead), instances.another()
    await one.begin(asked)

    held = await refused(other)

    assert held == min(LONGEST, LONGEST + ahead + timedelta(seconds=0.6))


async def test_a_short_pause_of_another_is_waited_through(instances: Instances) -> None:
    one, other = instances.another(), instances.another()
    await one.begin(timedelta(seconds=3))

    await other.wait("Dataverse")

    assert instances.at == pytest.approx(1003.6)


async def test_a_pause_that_another_prolongs_while_a_call_waits_is_kept(instances: Instances) -> None:
    one, other = instances.another(), instances.another()
    await one.begin(timedelta(seconds=3))

    async def sleep(seconds: float) -> None:
        await instances.sleep(seconds)
        await one.begin(timedelta(seconds=60))

    other._sleep = sleep

    assert await refused(other) == timedelta(seconds=60)


async def test_the_store_is_asked_once_a_second_and_only_for_who_sends(instances: Instances) -> None:
    pause = instances.another()
    for _ in range(20):
        await asyncio.gather(*(pause.wait("Dataverse") for _ in range(40)))
        await instances.sleep(0.1)
    assert instances.pauses.looks == 2

    await instances.sleep(3600)
    assert instances.pauses.looks == 2


async def test_whoever_comes_while_the_store_is_asked_waits_for_its_answer(instances: Instances) -> None:
    one, other = instances.another(), instances.another()
    await one.begin(timedelta(seconds=30))
    instances.pauses.may_answer.clear()
    calls = [asyncio.ensure_future(other.wait("Dataverse")) for _ in range(3)]
    await instances.pauses.is_asked.wait()

    calls[0].cancel()
    instances.pauses.may_answer.set()
    ended = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(end) for end in ended] == [asyncio.CancelledError, Throttled, Throttled]
    assert instances.pauses.looks == 1


async def test_many_refusals_of_one_second_are_written_once(instances: Instances) -> None:
    pause = instances.another()
    for _ in range(40):
        await pause.begin(timedelta(seconds=30))
    await pause.begin(timedelta(seconds=12))
    await pause.begin(timedelta(seconds=31))

    whole = START.replace(microsecond=0)
    assert instances.pauses.writes == [whole + timedelta(seconds=31), whole + timedelta(seconds=32)]


async def test_a_store_that_is_down_stops_nobody_and_is_told(instances: Instances) -> None:
    pause = instances.another()
    instances.pauses.is_down = True

    await pause.wait("Dataverse")
    await pause.begin(timedelta(seconds=30))

    assert await refused(pause) == timedelta(seconds=30)
    assert (
        instances.telemetry.told
        == [Told("tandem.pause_not_shared", {"identity": "Dataverse"}, error=True)] * 2
    )


async def test_what_could_not_be_told_is_told_with_the_next_refusal(instances: Instances) -> None:
    pause = instances.another()
    instances.pauses.is_down = True
    await pause.begin(timedelta(seconds=30))
    instances.pauses.is_down = False

    await pause.begin(timedelta(seconds=30))

    assert await instances.pauses.until("Dataverse") == START.replace(microsecond=0) + timedelta(seconds=31)


@pytest.mark.parametrize(
    "ahead", [timedelta(seconds=2), timedelta(minutes=2), timedelta(hours=1), timedelta(days=4000)]
)
async def test_a_clock_that_is_wrong_holds_nobody_longer_than_a_pause_can_be(
    instances: Instances, ahead: timedelta
) -> None:
    wrong, right = instances.another(ahead), instances.another()
    await wrong.begin(timedelta(minutes=3))

    stopped = timedelta()
    for _ in range(2 * 3600):
        try:
            await right.wait("Dataverse")
        except Throttled:
            stopped += timedelta(seconds=1)
        await instances.sleep(1)

    assert stopped <= FURTHEST


async def test_a_clock_that_is_behind_ends_a_pause_early_and_never_late(instances: Instances) -> None:
    behind, right = instances.another(timedelta(seconds=-20)), instances.another()
    await behind.begin(timedelta(seconds=30))

    assert await refused(right) == timedelta(seconds=10.6)
    # Who is refused meanwhile says so by its own clock.
    await right.begin(timedelta(seconds=30))
    assert await instances.pauses.until("Dataverse") == START.replace(microsecond=0) + timedelta(seconds=31)


async def test_the_next_pause_is_told_after_a_clock_was_put_back(instances: Instances) -> None:
    pause = instances.another(timedelta(days=1))
    await pause.begin(timedelta(seconds=30))
    for clock in instances.clocks:
        clock.set(START)

    await pause.begin(timedelta(seconds=30))

    assert await instances.pauses.until("Dataverse") == START.replace(microsecond=0) + timedelta(seconds=31)


def test_an_event_loop_does_not_wait_for_the_look_of_another(instances: Instances) -> None:
    pause, other = instances.another(), asyncio.new_event_loop()
    instances.pauses.may_answer.clear()
    waiting = other.create_task(pause.wait("Dataverse"))
    other.run_until_complete(instances.pauses.is_asked.wait())

    async def elsewhere() -> None:
        instances.pauses.may_answer = asyncio.Event()
        instances.pauses.may_answer.set()
        await pause.wait("Dataverse")

    asyncio.run(elsewhere())

    assert not waiting.done()
    for task in (begun := asyncio.all_tasks(other)):
        task.cancel()
    other.run_until_complete(asyncio.wait(begun))
    other.close()
