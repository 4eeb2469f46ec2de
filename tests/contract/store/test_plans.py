"""Plans as the state keeps them: frozen, fenced, one at a time, every message once."""

from datetime import timedelta
from typing import Any

import pytest

from shared.connectors.sqlstore.plans.tables import replay_item
from shared.core.codes import Code
from shared.core.identity import RecordKey
from shared.core.plan import PlanOvertaken, PlanState, Policy, Selection
from shared.core.plan_items import Ending, Fate, Foreseen, endings

KEYS = [RecordKey("allegory", "company", f"C-{n}") for n in range(4)]


async def held(world: Any, key: RecordKey, *, followers: int = 1) -> None:
    """A record whose first message fails, with others behind it."""
    await world.admit(f"{key.id}-head", key=key)
    await world.decide(world.failed(), key)
    for number in range(followers):
        await world.admit(f"{key.id}-{number}", key=key, minute=number + 1)


async def ready(world: Any) -> Any:
    plan = await world.store.plans.create(Selection(everything=True), "ann")
    plan = await world.store.plans.take(plan.number)
    items = world.store.plan_items
    for record in await items.records(plan.number, None, 100):
        lane = await items.of_record(plan.number, record)
        await items.foresee(plan, [Foreseen(kept.number, "applied") for kept in lane.kept], {})
    await world.store.plan_reports.ready(plan, {})
    return plan


async def test_a_plan_holds_the_failures_and_what_is_behind_them_and_nothing_later(world: Any) -> None:
    await held(world, KEYS[0], followers=2)
    await world.admit("fine", key=KEYS[1])
    plan = await world.store.plans.create(Selection(everything=True), "ann")
    await held(world, KEYS[2])
    await world.admit("late", key=KEYS[0], minute=9)

    (record,) = await world.store.plan_items.records(plan.number, None, 100)
    lane = await world.store.plan_items.of_record(plan.number, record)

    assert [(kept.message.id, kept.is_head) for kept in lane.kept] == [
        ("C-0-head", True),
        ("C-0-0", False),
        ("C-0-1", False),
    ]
    assert lane.has_strangers
    world.clock.advance(seconds=1)
    later = await world.store.plan_reports.later(plan)
    assert later["failures"] == 1


async def test_what_is_before_the_chosen_failure_is_not_in_the_plan_and_is_told(world: Any) -> None:
    await world.admit("second", minute=5)
    await world.decide(world.failed(code=Code.VALUE_TOO_LONG, field="name"))
    groups = await world.store.operations.groups.open()
    await world.admit("first", minute=1)
    await world.decide(world.failed(code=Code.VALUE_REQUIRED, field="city"))

    plan = await world.store.plans.create(Selection(groups=(groups[0]["group"],)), "ann")

    lane = await world.store.plan_items.of_record(plan.number, world.record)
    assert [kept.message.id for kept in lane.kept] == ["second"]
    assert lane.ahead == "first"


async def test_only_the_newest_driver_writes(world: Any) -> None:
    await held(world, KEYS[0])
    plan = await ready(world)
    await world.store.plans.move(plan.number, "run", "ann", policy=Policy())
    old = await world.store.plans.take(plan.number)
    other = world.another()
    new = await other.plans.take(plan.number)
    (record,) = await world.store.plan_items.records(plan.number, None, 100)
    before = world.dump()

    for late in (
        world.store.plan_items.send(old, 0, 1, [record], prove=False),
        world.store.plan_items.conclude(old, [Ending(1, Fate.HELD, "late")]),
        world.store.plan_items.prove(old, record, "equal"),
        world.store.plan_items.put_back(old, [1]),
        world.store.plans.halt(old, "late"),
        world.store.plans.finish(old),
    ):
        with pytest.raises(PlanOvertaken):
            await late
    assert world.dump() == before
    await other.plan_items.send(new, 0, 1, [record], prove=False)
    assert len(await world.store.plan_items.standings(plan.number)) == 2
    other.close()


async def test_a_person_halts_a_plan_under_its_driver(world: Any) -> None:
    await held(world, KEYS[0])
    plan = await ready(world)
    await world.store.plans.move(plan.number, "run", "ann", policy=Policy())
    driving = await world.store.plans.take(plan.number)

    paused = await world.store.plans.move(plan.number, "pause", "ben", reason="lunch")

    assert (paused.state, paused.changed_by) == (PlanState.PAUSED, "ben")
    with pytest.raises(PlanOvertaken):
        await world.store.plan_items.send(driving, 0, 1, [], prove=False)
    assert await world.store.plans.take(plan.number) is None, "nothing of it is on its way"


async def test_what_a_message_came_to_is_told_by_a_newer_line_of_the_journal(world: Any) -> None:
    await held(world, KEYS[0])
    plan = await ready(world)
    await world.store.plans.move(plan.number, "run", "ann", policy=Policy())
    plan = await world.store.plans.take(plan.number)
    (record,) = await world.store.plan_items.records(plan.number, None, 100)
    await world.store.plan_items.send(plan, 0, 1, [record], prove=False)

    (head, follower) = await world.store.plan_items.standings(plan.number)
    assert (head.is_unsent, follower.is_unsent, head.is_decided) == (True, False, False)
    assert endings([follower], world.clock.now()) == [
        Ending(follower.planned.number, Fate.HELD, "waits behind C-0-head")
    ]
    await world.store.operations.repair.replay("C-0-head", "plan 1 (ann)", number=head.planned.number)
    (head, _) = await world.store.plan_items.standings(plan.number)
    assert (head.is_unsent, head.is_decided) == (False, False)
    await world.decide(world.failed(), KEYS[0])
    standings = await world.store.plan_items.standings(plan.number)

    assert [(ending.fate, ending.reason) for ending in endings(standings, world.clock.now())] == [
        (Fate.HELD, "because failed"),
        (Fate.HELD, "waits behind C-0-head"),
    ]


async def test_a_cancelled_plan_leaves_what_it_has_not_reached_as_it_is(world: Any) -> None:
    for key in KEYS:
        await held(world, key)
    plan = await ready(world)
    await world.store.plans.move(plan.number, "run", "ann", policy=Policy())
    lanes = world.dump()["lane_item"]

    await world.store.plans.move(plan.number, "cancel", "ben")

    assert world.dump()["lane_item"] == lanes
    assert {row["fate"] for row in world.rows(replay_item)} == {"unreached"}
    assert await world.store.plans.move(plan.number, "run", "ben") is None


async def test_live_lag_counts_what_is_neither_in_the_plan_nor_behind_a_failure(world: Any) -> None:
    await held(world, KEYS[0])
    plan = await ready(world)
    await held(world, KEYS[1])
    await world.admit("live", key=KEYS[2])
    world.clock.advance(seconds=3)
    await world.decide(world.verdict(), KEYS[2])
    await world.admit("waits", key=KEYS[3])
    world.clock.advance(seconds=4)

    assert sorted(await world.store.plan_reports.live_lags(plan)) == [3.0, 4.0]
    world.clock.advance(seconds=timedelta(minutes=2).total_seconds())
    assert await world.store.plan_reports.live_lags(plan) == [124.0]
