"""What the gate and the lookups may rely on in the crosswalk."""

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from shared.connectors.sqlstore.tables import dependency, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.outcome import Outcome
from shared.core.ports import LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from tests.contract.store.conftest import World

NAMED = UUID("00000000-0000-0000-0000-0000000000aa")
MISMATCH = (Fault("/dataverseId", Code.IDENTITY_MISMATCH, "the row this record is paired with"),)


async def test_a_record_keeps_the_row_it_was_promised(world: "World") -> None:
    crosswalk = world.store.crosswalk

    assert await crosswalk.claim(world.key, None, world.record) == world.record
    assert await crosswalk.claim(world.key, None, UUID(int=9)) == world.record
    assert await crosswalk.claim(world.key, world.record, UUID(int=9)) == world.record


async def test_a_promised_row_is_nobodys_row_until_it_is_paired(world: "World") -> None:
    crosswalk = world.store.crosswalk
    await crosswalk.claim(world.key, None, world.record)
    before = (await crosswalk.row_of(world.key), await crosswalk.records_of(world.record))
    assert await crosswalk.claims_on(world.record) == [world.key], "who it was promised to is known"
    await world.admit()
    await world.decide(world.verdict(pairs=((world.key, world.record),)))

    assert before == (None, [])
    assert await crosswalk.row_of(world.key) == world.record
    assert await crosswalk.records_of(world.record) == [world.key]
    assert await crosswalk.claims_on(world.record) == [world.key]


async def test_records_of_two_systems_may_share_a_row(world: "World") -> None:
    other = RecordKey("legrand", "company", "L-1")
    await world.admit()
    await world.decide(world.verdict(pairs=((other, world.record), (world.key, world.record))))

    assert await world.store.crosswalk.records_of(world.record) == [world.key, other]


async def test_a_paired_record_is_not_moved_to_another_row(world: "World") -> None:
    await world.admit()
    await world.decide(world.verdict(pairs=((world.key, world.record),)))

    with pytest.raises(InvalidMessage) as refusal:
        await world.store.crosswalk.claim(world.key, NAMED, world.record)

    assert refusal.value.faults == MISMATCH


async def test_a_promised_row_gives_way_to_a_named_one_and_the_lane_moves(world: "World") -> None:
    parent = RecordKey("allegory", "company", "P-1")
    crosswalk = world.store.crosswalk
    await crosswalk.claim(world.key, None, world.record)
    await world.admit("m-1")
    await world.admit("m-2", minute=1)
    await world.decide(world.verdict(Outcome.PARKED, waits_for=parent))

    assert await crosswalk.claim(world.key, NAMED, world.record) == NAMED

    assert await crosswalk.claim(world.key, None, world.record) == NAMED
    for table in (messages, lane_item, dependency):
        assert {row["record"] for row in world.rows(table)} == {NAMED}
    assert await world.store.lanes.acquire(NAMED) is None
    await world.store.operations.repair.replay("m-1", "bea")
    turn = await world.store.lanes.acquire(NAMED)
    assert turn is not None
    assert (turn.item.message.id, turn.item.record) == ("m-1", NAMED)
    assert await world.store.lanes.acquire(world.record) is None


async def test_a_hand_over_leaves_other_records_of_the_row_alone(world: "World") -> None:
    other = RecordKey("legrand", "company", "L-1")
    crosswalk = world.store.crosswalk
    await crosswalk.claim(world.key, None, world.record)
    await crosswalk.claim(other, world.record, UUID(int=9))
    await world.admit("mine")
    message = world.message("other")
    await world.store.inbox.admit(message, world.change(message, other), world.record)

    await crosswalk.claim(world.key, NAMED, world.record)

    assert {row["message_id"]: row["record"] for row in world.rows(messages)} == {
        "mine": NAMED,
        "other": world.record,
    }


async def test_a_hand_over_waits_for_the_worker_who_may_be_creating_the_promised_row(world: "World") -> None:
    await world.store.crosswalk.claim(world.key, None, world.record)
    await world.admit()
    lease, item = await world.take()

    async def meanwhile(_seconds: float) -> None:
        await world.store.lanes.settle(lease, item, world.verdict(pairs=((world.key, world.record),)))

    other = world.another(sleep=meanwhile)
    with pytest.raises(InvalidMessage) as refusal:
        await other.crosswalk.claim(world.key, NAMED, world.record)

    assert refusal.value.faults == MISMATCH
    other.close()


async def test_a_hand_over_that_waits_too_long_asks_for_redelivery(world: "World") -> None:
    async def at_once(_seconds: float) -> None:
        return

    store = world.another(sleep=at_once)
    await store.crosswalk.claim(world.key, None, world.record)
    await world.admit()
    await world.take()

    with pytest.raises(StoreUnavailable):
        await store.crosswalk.claim(world.key, NAMED, world.record)
    store.close()


async def test_a_worker_whose_lane_moved_away_writes_nothing(world: "World") -> None:
    await world.store.crosswalk.claim(world.key, None, world.record)
    await world.admit()
    lease, item = await world.take()
    world.clock.advance(seconds=121)
    await world.store.crosswalk.claim(world.key, NAMED, world.record)
    before = world.dump()

    with pytest.raises(LeaseLost):
        await world.store.lanes.settle(lease, item, world.verdict())

    assert world.dump() == before


async def test_simultaneous_claims_agree(world: "World") -> None:
    claims = (world.store.crosswalk.claim(world.key, None, UUID(int=n)) for n in range(1, 9))

    assert len(set(await asyncio.gather(*claims))) == 1


async def test_keys_differ_by_letter_case(world: "World") -> None:
    upper, lower = RecordKey("allegory", "company", "ABC"), RecordKey("allegory", "company", "abc")
    crosswalk = world.store.crosswalk

    assert await crosswalk.claim(upper, None, chosen_row_id(upper)) != await crosswalk.claim(
        lower, None, chosen_row_id(lower)
    )


async def test_a_job_runs_in_one_place(world: "World") -> None:
    jobs = world.store.jobs

    assert await jobs.lease("sweep", "a", 60)
    assert not await jobs.lease("sweep", "b", 60)
    assert await jobs.lease("sweep", "a", 60)
    assert await jobs.lease("alert", "b", 60)
    world.clock.advance(seconds=61)
    assert await jobs.lease("sweep", "b", 60)
    assert not await jobs.lease("sweep", "a", 60)
