"""What waits too long for another record is told of, and goes on all the same when it comes."""

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.connectors.memory.telemetry import MemoryTelemetry, Told
from shared.connectors.sqlstore.tables import journal, lane_item
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.outcome import Outcome
from shared.core.verdict import ItemState
from shared.recovery.overdue import Overdue

if TYPE_CHECKING:
    from tests.contract.store.conftest import World

PARENT = RecordKey("allegory", "company", "P-1")
DAY = timedelta(hours=24)


async def test_a_day_of_waiting_is_a_failure_that_stays_parked(world: "World") -> None:
    await world.admit()
    await world.decide(world.verdict(Outcome.PARKED, waits_for=PARENT))
    world.clock.advance(hours=24)
    assert await world.store.waits.overdue(DAY, 10) == 0
    world.clock.advance(seconds=1)

    assert [await world.store.waits.overdue(DAY, 10) for _ in range(2)] == [1, 0]

    (failure,) = (await world.store.operations.failures.page(10)).entries
    assert (failure["code"], failure["state"], failure["kind"]) == (
        "dependency.never_came",
        "parked",
        "NeverCame",
    )
    (group,) = await world.store.operations.groups.untold()
    assert (group["open"], group["parked"], group["held"]) == (1, 1, 0)
    counts = await world.store.operations.counts.take()
    assert (counts["open"], counts["unexplained"]) == ({"parked": 1}, 0)
    assert [line["outcome"] for line in world.rows(journal)] == ["parked", "failed"]


async def test_an_alarm_is_told_to_machines_too_and_once(world: "World") -> None:
    await world.admit()
    await world.decide(world.verdict(Outcome.PARKED, waits_for=PARENT))
    world.clock.advance(hours=25)
    telemetry = MemoryTelemetry()
    overdue = Overdue(world.store.waits, telemetry, DAY)

    assert [await overdue.run() for _ in range(2)] == [1, 0]

    assert telemetry.told == [Told("tandem.never_came", {"lanes": "1"}, error=True)]


async def test_it_goes_on_when_what_it_waits_for_comes_after_all(world: "World") -> None:
    await world.admit()
    await world.decide(world.verdict(Outcome.PARKED, waits_for=PARENT))
    world.clock.advance(hours=25)
    await world.store.waits.overdue(DAY, 10)
    await world.admit("parent", key=PARENT)

    released = await world.decide(world.verdict(pairs=((PARENT, chosen_row_id(PARENT)),)), PARENT)

    assert released == [world.record]
    _, item = await world.take()
    assert item.state is ItemState.WAITING
    world.clock.advance(seconds=121)
    await world.decide(world.verdict())
    assert await world.store.operations.groups.open() == []
    assert {row["is_failing"] for row in world.rows(lane_item)} == {False}
