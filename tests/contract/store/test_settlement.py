"""What one settled verdict leaves behind, and what it sets free."""

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from shared.connectors.sqlstore.tables import conflict, dependency, journal, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.core.codes import Code
from shared.core.errors import Fault
from shared.core.identity import RecordKey, chosen_row_id, row_key
from shared.core.mapping.references import RowRef
from shared.core.outcome import Outcome
from shared.core.shadow import Mark, Moment, Shadow
from shared.core.verdict import Collision, ColumnChange, Failing, ItemState

if TYPE_CHECKING:
    from tests.contract.store.conftest import World

PARENT = RecordKey("allegory", "company", "P-1")
PARENT_ROW = chosen_row_id(PARENT)


async def test_the_agreed_state_is_read_as_it_was_written(world: "World") -> None:
    now = world.clock.now()
    agreed = Shadow(
        marks={
            "name": Mark("Zoë", now, "allegory", {"allegory": Moment(now, 3)}),
            "revenue": Mark(Decimal("1.50"), now, "dataverse"),
            "parent": Mark(RowRef("account", PARENT_ROW), now, "allegory"),
            "since": Mark(date(2020, 2, 29), now, "allegory"),
            "gone": Mark(None, now, "dataverse"),
        },
        versions={"dataverse": 'W/"5"'},
        deleted_at=now,
    )
    await world.admit()
    assert await world.store.shadows.load(world.record) == Shadow()

    await world.decide(world.verdict(shadow=Shadow()))
    await world.admit("m-2")
    await world.decide(world.verdict(shadow=agreed))

    assert await world.store.shadows.load(world.record) == agreed


async def test_a_verdict_is_journalled_with_what_the_message_said(world: "World") -> None:
    receipt = await world.admit(minute=5)
    changes = {"revenue": ColumnChange(None, Decimal("1.50"))}
    await world.decide(world.verdict(Outcome.MERGED, changes=changes, map_version="7"))

    (line,) = world.rows(journal)
    assert json.loads(line.pop("changes")) == {
        "revenue": {"before": None, "after": {"t": "decimal", "v": "1.50"}}
    }
    assert line.pop("id") > 0
    assert line == {
        "number": receipt.number,
        "record": world.record,
        "at": world.clock.now(),
        "source": "allegory",
        "entity": "company",
        "source_id": "C-1",
        "outcome": "merged",
        "reason": "because merged",
        "map_version": "7",
        "changed_at": world.clock.now() + timedelta(minutes=5),
        "origin": "allegory",
        "actor": "ann",
        "correlation_id": "c-1",
        "fence": 1,
        "decided_in": None,
    }


async def test_the_value_that_lost_is_kept(world: "World") -> None:
    receipt = await world.admit()
    collision = Collision("name", "old", "theirs", None, "allegory", "newest wins")
    await world.decide(world.verdict(Outcome.CONFLICT, collisions=(collision,)))

    (kept,) = world.rows(conflict)
    assert kept.pop("id") > 0
    assert kept == {
        "number": receipt.number,
        "record": world.record,
        "at": world.clock.now(),
        "column_name": "name",
        "base": '"old"',
        "inbound": '"theirs"',
        "outbound": "null",
        "winner": "allegory",
        "rule": "newest wins",
    }


async def test_a_parked_message_goes_on_when_its_parent_is_paired(world: "World") -> None:
    child = RecordKey("allegory", "contact", "K-1")
    await world.admit("child", key=child)
    assert await world.decide(world.verdict(Outcome.PARKED, waits_for=PARENT), child) == []
    parked = await world.admit("child", key=child)
    await world.admit("parent", key=PARENT)

    released = await world.decide(world.verdict(pairs=((PARENT, PARENT_ROW),)), PARENT)

    assert parked.outcome is Outcome.PARKED
    assert released == [chosen_row_id(child)]
    assert world.rows(dependency) == []
    _, item = await world.take(child)
    assert item.state is ItemState.WAITING
    assert (await world.admit("child", key=child)).outcome is None


async def test_a_pair_frees_those_who_wait_for_the_row_too(world: "World") -> None:
    child = RecordKey("dataverse", "contact", str(UUID(int=5)))
    await world.admit("child", key=child)
    await world.decide(world.verdict(Outcome.PARKED, waits_for=row_key("account", PARENT_ROW)), child)
    await world.admit("parent", key=PARENT)

    assert await world.decide(world.verdict(pairs=((PARENT, PARENT_ROW),)), PARENT) == [chosen_row_id(child)]


async def test_whoever_parks_on_a_key_just_paired_goes_on_at_once(world: "World") -> None:
    child = RecordKey("allegory", "contact", "K-1")
    await world.admit("child", key=child)
    lease, item = await world.take(child)
    await world.admit("parent", key=PARENT)
    await world.decide(world.verdict(pairs=((PARENT, PARENT_ROW),)), PARENT)

    settled = await world.store.lanes.settle(lease, item, world.verdict(Outcome.PARKED, waits_for=PARENT))

    assert settled.released == (chosen_row_id(child),)
    assert settled.next is not None
    assert settled.next.number == item.number


async def test_a_pair_that_does_not_help_is_not_asked_for_in_a_circle(world: "World") -> None:
    child = RecordKey("dataverse", "contact", str(UUID(int=5)))
    await world.admit("parent", key=PARENT)
    await world.decide(world.verdict(pairs=((PARENT, PARENT_ROW),)), PARENT)
    await world.admit("child", key=child)
    wait = world.verdict(Outcome.PARKED, waits_for=row_key("account", PARENT_ROW))

    assert await world.decide(wait, child) == [chosen_row_id(child)]
    assert await world.decide(wait, child) == []

    assert await world.store.lanes.acquire(chosen_row_id(child)) is None
    world.clock.advance(seconds=60)
    _, item = await world.take(child)
    assert (item.state, item.due_at) == (ItemState.RETRYING, world.clock.now())


async def test_a_finished_message_is_not_touched_by_a_late_pair(world: "World") -> None:
    child = RecordKey("dataverse", "contact", str(UUID(int=5)))
    other = RecordKey("legrand", "company", "L-1")
    await world.admit("parent", key=PARENT)
    await world.decide(world.verdict(pairs=((PARENT, PARENT_ROW),)), PARENT)
    await world.admit("child", key=child)
    wait = world.verdict(Outcome.PARKED, waits_for=row_key("account", PARENT_ROW))
    await world.decide(wait, child)
    await world.decide(wait, child)
    world.clock.advance(minutes=1)
    await world.decide(world.verdict(Outcome.APPLIED), child)
    await world.admit("late", key=other)

    await world.decide(world.verdict(pairs=((other, PARENT_ROW),)), other)

    assert (await world.admit("child", key=child)).outcome is Outcome.APPLIED


async def test_a_pair_told_again_frees_nobody_twice(world: "World") -> None:
    pairs = ((PARENT, PARENT_ROW),)
    for name in ("one", "two"):
        await world.admit(name, key=PARENT)
        assert await world.decide(world.verdict(pairs=pairs), PARENT) == []

    assert await world.store.crosswalk.row_of(PARENT) == PARENT_ROW


async def test_a_failure_is_counted_in_its_group_until_it_goes_through(world: "World") -> None:
    groups = world.store.operations.groups
    await world.admit()
    await world.decide(world.failed(timedelta(minutes=1)))
    (retrying,) = await groups.open()
    world.clock.advance(minutes=1)
    await world.decide(world.failed())
    (held,) = await groups.open()
    await world.store.operations.repair.replay("m-1", "bea")
    (replayed,) = await groups.open()
    await world.decide(world.verdict())

    assert (retrying["open"], retrying["retrying"], retrying["held"]) == (1, 1, 0)
    assert (held["open"], held["retrying"], held["held"]) == (1, 0, 1)
    assert replayed["open"] == 1
    assert await groups.open() == []
    (item,) = world.rows(lane_item)
    assert (item["attempts"], item["last_failed_at"] - item["first_failed_at"]) == (2, timedelta(minutes=1))


async def test_a_message_rejected_in_its_lane_lets_the_lane_go_on(world: "World") -> None:
    fault = Fault("/owner", Code.VALUE_UNKNOWN_REFERENCE, "a user of Dataverse")
    failing = Failing(
        "InvalidMessage", fault.code, fault.expected, "company", field=fault.field, faults=(fault,)
    )
    await world.admit()
    await world.admit("m-2", minute=1)
    await world.decide(world.verdict(Outcome.REJECTED, failing=failing))

    _, item = await world.take()

    assert item.message.id == "m-2"
    rejected = await world.admit()
    assert (rejected.outcome, rejected.faults) == (Outcome.REJECTED, (fault,))
    (group,) = await world.store.operations.groups.open()
    assert (group["open"], group["rejected"]) == (1, 1)


@pytest.mark.parametrize("key", ["first", "settled"])
async def test_every_message_is_done_in_few_statements(world: "World", key: str) -> None:
    """The price of one change; a pair and a first message cost more once per record."""
    agreed = Shadow({"name": Mark("x", world.clock.now(), "allegory")})
    if key == "settled":
        await world.admit("m-0")
        await world.decide(world.verdict(shadow=agreed, pairs=((world.key, world.record),)))
    pairs = ((world.key, world.record),) if key == "first" else ()
    if key == "first":
        await world.store.crosswalk.claim(world.key, None, world.record)
    statements = world.statements()

    await world.admit("m-1")
    admitted = len(statements)
    await world.decide(world.verdict(shadow=agreed, pairs=pairs))

    # Admit: message, lane, item. Acquire: lane, head. Settle: lane, item, journal, message, shadow, the next
    # head. The test gives the lease back once more.
    expected = {"settled": (3, 12), "first": (4, 17)}
    assert (admitted, len(statements)) == expected[key], statements


async def test_the_outcome_is_kept_with_the_message(world: "World") -> None:
    await world.admit()
    await world.decide(world.verdict(Outcome.STALE))

    (row,) = world.rows(messages)
    assert (row["outcome"], row["reason"], row["finished_at"]) == (
        "stale",
        "because stale",
        world.clock.now(),
    )
