"""Who goes first at the far sides while a plan runs, and what is kept of the request that failed."""

from datetime import timedelta
from typing import Any

from shared.core.errors import Refused, Unavailable
from shared.core.priority import Priority


async def test_what_a_plan_sends_and_what_follows_it_is_written_as_a_replay(world: Any) -> None:
    await world.company("C-1", name="Bad 1")
    await world.company("C-1", 1, city="Kiel")
    world.rows.picky = False
    plan = await world.plan()

    await world.run(plan["plan"])

    assert world.rows.priorities == [Priority.REPLAY, Priority.REPLAY]


async def test_what_arrives_while_a_plan_runs_is_live_traffic(world: Any) -> None:
    await world.company("C-1", name="Bad 1")
    world.rows.picky = False
    plan = await world.plan()
    await world.company("C-1", 1, city="Kiel")

    await world.run(plan["plan"])

    assert world.rows.priorities == [Priority.REPLAY, Priority.LIVE]


async def test_a_retry_of_the_timer_is_live_traffic_that_comes_late(world: Any) -> None:
    world.rows.trouble.next(Unavailable("down"))
    await world.company("C-1", name="Good")
    world.clock.advance(timedelta(seconds=5))

    await world.pump()

    assert world.name_of("C-1") == "Good"
    assert world.rows.priorities == [Priority.LIVE]


async def test_what_a_plan_left_held_is_nobodys_replay_any_more(world: Any) -> None:
    held = await world.company("C-1", name="Bad 1")
    plan = await world.plan()
    await world.run(plan["plan"], stop_percent=100.0)
    world.rows.picky = False

    await world.replay.message(held, "ann")
    await world.pump()

    assert world.name_of("C-1") == "Bad 1"
    assert world.rows.priorities == [Priority.LIVE]


async def test_the_far_sides_own_id_of_a_request_is_told_with_its_failure(world: Any) -> None:
    refused = Refused("not taken", answer="0x1")
    refused.request_id = "req-7"
    world.rows.trouble.next(refused)
    message = await world.company("C-1", name="Good")

    (failure,) = (await world.store.operations.failures.page(10)).entries
    told = await world.store.operations.messages.find(message)

    assert failure["request_id"] == told["request_id"] == "req-7"
