"""What a worker may rely on in the lanes."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.connectors.sqlstore.tables import journal
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.outcome import Outcome
from shared.core.ports import LeaseLost
from shared.core.verdict import ItemState, Settled

if TYPE_CHECKING:
    from tests.contract.store.conftest import World


async def test_a_lane_has_one_holder_until_its_lease_runs_out(world: "World") -> None:
    await world.admit()
    first = await world.store.lanes.acquire(world.record)
    assert first is not None

    assert await world.store.lanes.acquire(world.record) is None
    world.clock.advance(seconds=121)
    second = await world.store.lanes.acquire(world.record)

    assert second is not None
    assert second.lease.fence == first.lease.fence + 1


async def test_an_overtaken_worker_writes_nothing(world: "World") -> None:
    await world.admit()
    lease, item = await world.take()
    world.clock.advance(seconds=121)
    await world.take()
    before = world.dump()

    with pytest.raises(LeaseLost):
        await world.store.lanes.settle(lease, item, world.verdict())
    await world.store.lanes.release(lease)

    assert world.dump() == before


async def test_settling_an_item_keeps_the_lease_alive(world: "World") -> None:
    await world.admit("m-1", minute=1)
    await world.admit("m-2", minute=2)
    lease, item = await world.take()
    world.clock.advance(seconds=100)
    await world.store.lanes.settle(lease, item, world.verdict())
    world.clock.advance(seconds=100)

    assert await world.store.lanes.acquire(world.record) is None


async def test_a_sign_of_life_keeps_the_lease_alive(world: "World") -> None:
    await world.admit()
    lease, item = await world.take()
    for _ in range(3):
        world.clock.advance(seconds=100)
        await world.store.lanes.keep(lease)

    assert await world.store.lanes.acquire(world.record) is None
    assert await world.store.lanes.settle(lease, item, world.verdict()) == Settled()


async def test_a_sign_of_life_brings_back_no_lease_that_is_over(world: "World") -> None:
    await world.admit()
    given_back, item = await world.take()
    await world.store.lanes.release(given_back)
    before = world.dump()

    with pytest.raises(LeaseLost):
        await world.store.lanes.keep(given_back)
    assert world.dump() == before

    overtaken, _ = await world.take()
    world.clock.advance(seconds=121)
    lease, item = await world.take()
    with pytest.raises(LeaseLost):
        await world.store.lanes.keep(overtaken)
    assert await world.store.lanes.settle(lease, item, world.verdict()) == Settled()


async def test_a_record_never_seen_has_no_lane(world: "World") -> None:
    assert await world.store.lanes.acquire(world.record) is None


async def test_messages_are_worked_in_the_order_in_which_things_happened(world: "World") -> None:
    await world.admit("third", minute=3)
    await world.admit("first", minute=1)
    await world.admit("tie, later position", minute=2, position=9)
    await world.admit("tie, earlier position", minute=2, position=4)
    worked = []
    for _ in range(4):
        _, item = await world.take()
        worked.append(item.message.id)
        world.clock.advance(seconds=121)
        await world.decide(world.verdict())

    assert worked == ["first", "tie, earlier position", "tie, later position", "third"]


async def test_a_version_orders_changes_of_one_time(world: "World") -> None:
    for name, version in (("newer", 2), ("older", 1)):
        message = world.message(name, position=10 - version)
        change = replace(world.change(message), version=version)
        await world.store.inbox.admit(message, change, world.record)

    _, item = await world.take()

    assert item.message.id == "older"


async def test_a_lane_is_given_back_with_its_last_verdict_and_not_before(world: "World") -> None:
    await world.admit()
    lease, item = await world.take()
    await world.admit("m-2", minute=1)

    settled = await world.store.lanes.settle(lease, item, world.verdict())

    assert settled.next is not None
    assert settled.next.message.id == "m-2"
    assert await world.store.lanes.acquire(world.record) is None
    assert await world.store.lanes.settle(lease, settled.next, world.verdict()) == Settled()
    await world.admit("m-3", minute=2)
    assert (await world.take())[0].fence == lease.fence + 1


async def test_a_lane_whose_item_was_taken_away_is_given_back(world: "World") -> None:
    await world.admit()
    await world.admit("m-2", minute=1)
    lease, _ = await world.take()

    await world.store.lanes.release(lease)

    assert (await world.take())[1].message.id == "m-1"


async def test_a_retry_is_workable_at_its_time_and_not_before(world: "World") -> None:
    await world.admit()
    lease, item = await world.take()

    assert await world.store.lanes.settle(lease, item, world.failed(timedelta(minutes=5))) == Settled()

    assert await world.store.lanes.acquire(world.record) is None
    assert await world.store.lanes.due(10) == []
    world.clock.advance(minutes=5)
    assert await world.store.lanes.due(10) == [world.record]
    _, again = await world.take()
    assert (again.state, again.attempts, again.due_at) == (ItemState.RETRYING, 1, world.clock.now())


async def test_a_held_message_holds_its_followers_and_nobody_else(world: "World") -> None:
    other = RecordKey("allegory", "company", "C-2")
    await world.admit("m-1")
    await world.admit("m-2", minute=1)
    await world.admit("m-3", key=other)
    await world.decide(world.failed())
    world.clock.advance(hours=1)

    assert await world.store.lanes.acquire(world.record) is None
    assert await world.store.lanes.due(10) == [chosen_row_id(other)]


async def test_a_message_that_happened_before_a_held_one_goes_first(world: "World") -> None:
    await world.admit("m-2", minute=2)
    await world.decide(world.failed())
    await world.admit("m-1", minute=1)
    world.clock.advance(seconds=11)

    _, item = await world.take()

    assert (item.message.id, item.state) == ("m-1", ItemState.WAITING)


async def test_a_lost_wake_is_found_after_a_grace(world: "World") -> None:
    await world.admit()

    assert await world.store.lanes.due(10) == []
    world.clock.advance(seconds=11)
    assert await world.store.lanes.due(10) == [world.record]
    lease = await world.store.lanes.acquire(world.record)
    assert lease is not None
    assert await world.store.lanes.due(10) == []
    world.clock.advance(seconds=121)
    assert await world.store.lanes.due(10) == [world.record]


async def test_due_names_at_most_what_was_asked_for(world: "World") -> None:
    keys = [RecordKey("allegory", "company", f"C-{n}") for n in range(5)]
    for key in keys:
        await world.admit(key.id, key=key)
    world.clock.advance(seconds=11)

    assert await world.store.lanes.due(3) == [chosen_row_id(key) for key in keys[:3]]


async def test_what_a_person_skipped_meanwhile_is_not_applied_over(world: "World") -> None:
    await world.admit()
    lease, item = await world.take()
    await world.store.operations.repair.skip("m-1", "sent by mistake", "bea")

    with pytest.raises(LeaseLost):
        await world.store.lanes.settle(lease, item, world.verdict())

    assert [line["outcome"] for line in world.rows(journal)] == [Outcome.SUPERSEDED]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.PARKED, Outcome.HELD])
async def test_a_verdict_without_its_cause_is_refused(world: "World", outcome: Outcome) -> None:
    await world.admit()
    lease, item = await world.take()

    with pytest.raises(ValueError, match="lacks what it failed on or waits for"):
        await world.store.lanes.settle(lease, item, world.verdict(outcome))
