"""Plans from end to end on a state in memory: what is foreseen, what is done, what is told."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from mappers.dataverse import TABLES
from shared.core.change import Direction
from shared.core.identity import DATAVERSE
from shared.core.plan import PlanOvertaken, Policy
from shared.core.shadow import Shadow
from shared.recovery.plans.desk import NotPossible
from shared.recovery.plans.proof import Proof, ReadBack
from tests.unit.plans.conftest import Died, row_of


def fates(report: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {part: dict(report[part]["fates"]) for part in ("heads", "followers")}


async def failing(world: Any, count: int, *, start: int = 0, **data: Any) -> list[str]:
    """So many records whose first message fails, each with a follower that would not."""
    ids = []
    for number in range(start, start + count):
        ids.append(await world.company(f"C-{number}", name=f"Bad {number}", **data))
        ids.append(await world.company(f"C-{number}", 1, city=f"Town {number}"))
    return ids


async def test_a_plan_applies_what_failed_and_what_waited_behind_it_in_order(world: Any) -> None:
    await failing(world, 40)
    world.rows.picky = False

    plan = await world.plan()
    report = await world.run(plan["plan"])

    assert plan["state"] == "ready"
    assert (plan["heads"]["selected"], plan["followers"]["selected"], plan["records"]) == (40, 40, 40)
    assert fates(report) == {"heads": {"applied": 40}, "followers": {"applied": 40}}
    assert (report["state"], report["adds_up"], report["read_back"]) == ("finished", True, {"equal": 5})
    assert all(world.name_of(f"C-{n}") == f"Bad {n}" for n in range(40))
    assert len(world.rows.written) == 80, "each message was written once"


async def test_what_is_foreseen_is_what_happens_and_is_told_without_a_write(world: Any) -> None:
    await failing(world, 12)
    world.rows.picky = False

    plan = await world.plan()

    assert world.rows.written == []
    assert world.bus.sent == []
    foreseen = plan["foreseen"]
    assert foreseen["says"] == {"heads": {"applied": 12}, "followers": {"applied": 12}}
    assert foreseen["writes"] == {"dataverse account": 24}
    assert foreseen["conflicts"]["records"] == foreseen["fails"]["messages"] == 0
    assert foreseen["cost"]["requests"] == 24
    await world.run(plan["plan"])
    assert len(world.rows.written) == sum(foreseen["writes"].values())


async def test_a_second_run_and_a_second_plan_write_nothing(world: Any) -> None:
    await failing(world, 6)
    world.rows.picky = False
    first, second = await world.plan(), await world.plan()
    await world.run(first["plan"])
    written = list(world.rows.written)

    with pytest.raises(NotPossible, match=f"plan {first['plan']} is finished: it cannot run"):
        await world.desk.act(first["plan"], "run", "ann")
    report = await world.run(second["plan"])
    third = await world.plan()

    assert fates(report) == {"heads": {"elsewhere": 6}, "followers": {"elsewhere": 6}}
    assert world.rows.written == written
    assert third["heads"]["selected"] == 0


async def test_later_failures_are_not_in_the_plan_and_are_told(world: Any) -> None:
    await failing(world, 3)
    plan = await world.plan()
    await failing(world, 2, start=10)
    late = await world.company("C-0", 5, city="Later")
    world.rows.picky = False

    report = await world.run(plan["plan"])

    assert fates(report)["heads"] == {"applied": 3}
    assert report["later"]["failures"] == 2
    assert report["later"]["messages"] == 1
    assert world.name_of("C-999") is None
    found = await world.store.operations.messages.find(late)
    assert found["outcome"] == "applied", "what came later follows its record by itself"


async def test_it_stops_at_the_canary_when_the_cause_is_still_there(world: Any) -> None:
    await failing(world, 30)

    plan = await world.plan()
    report = await world.run(plan["plan"])

    assert (report["state"], report["reason"]) == ("stopped", "10 of 10 messages failed, which is over 1 %")
    assert fates(report) == {"heads": {"held": 5}, "followers": {"held": 5}}
    assert report["heads"]["waiting"] == 25
    assert report["adds_up"]
    assert world.rows.written == []


async def test_what_a_person_replays_while_it_is_stopped_is_not_the_plans(world: Any) -> None:
    ids = await failing(world, 10)
    plan = await world.plan()
    await world.run(plan["plan"])
    world.rows.picky = False
    for message in ids[::2]:
        found = await world.store.operations.messages.find(message)
        if found["state"] == "held" and found["attempts"] > 1:
            await world.replay.message(message, "ann")
    await world.pump()

    await world.desk.act(plan["plan"], "resume", "ben")
    await world.drive()
    report = await world.report(plan["plan"])

    assert report["state"] == "finished"
    assert fates(report) == {
        "heads": {"applied": 5, "elsewhere": 5},
        "followers": {"applied": 5, "elsewhere": 5},
    }


async def test_resumed_it_sends_again_what_was_held(world: Any) -> None:
    await failing(world, 10)
    plan = (await world.plan())["plan"]
    stopped = await world.run(plan)
    world.rows.picky = False

    await world.desk.act(plan, "resume", "ben")
    await world.drive()

    report = await world.report(plan)
    assert fates(stopped)["heads"] == {"held": 5}
    assert (report["state"], report["adds_up"]) == ("finished", True)
    assert fates(report) == {"heads": {"applied": 10}, "followers": {"applied": 10}}


async def test_resumed_it_sends_what_failed_behind_a_head_that_went_through(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.company("C-1", name="Bad")
    await world.company("C-1", 1, name="Never")
    world.rows.picky = False
    plan = (await world.plan())["plan"]
    stopped = await world.run(plan)
    monkeypatch.setattr(type(world.rows), "_judge", lambda *_: None)

    await world.desk.act(plan, "resume", "ben")
    await world.drive()

    report = await world.report(plan)
    assert fates(stopped) == {"heads": {"applied": 1}, "followers": {"held": 1}}
    assert (report["state"], report["adds_up"]) == ("finished", True)
    assert fates(report) == {"heads": {"applied": 2}, "followers": {}}
    assert world.name_of("C-1") == "Never"


async def test_a_record_of_which_nothing_went_through_is_not_read_back(world: Any) -> None:
    await world.company("C-1", name="Good")
    await world.company("C-1", 1, name="Bad")
    world.rows.remove("account", row_of("C-1"))
    world.rows.picky = False

    report = await world.run((await world.plan())["plan"], canary=1, stop_percent=100.0)

    assert (report["state"], report["read_back"]) == ("finished", {"unwritten": 1})
    assert report["listed"]["held"][0]["reason"].startswith("target.gone")


async def test_read_back_each_side_holds_its_own_value_while_a_person_is_to_decide(world: Any) -> None:
    await world.company("C-1", name="Good", phone="1")
    row, table = row_of("C-1"), TABLES["account"]
    world.rows.put("account", row, {"telephone1": "2"})
    agreed = await world.store.shadows.load(row)
    held = (await world.rows.read(table, row)).version
    disputed = replace(agreed.marks["telephone1"], disputed={"allegory": "1", DATAVERSE: "2"})
    shadow = replace(
        agreed,
        marks={**agreed.marks, "telephone1": disputed},
        versions={**agreed.versions, DATAVERSE: held},
    )
    change = world.driver.prophet.foresight.change_of(
        (await world.store.plan_items.of_record(await _plan_of(world, "C-1"), row)).kept[0]
    )

    async def proof(agreed: Shadow) -> Proof:
        return await ReadBack(replace(world.sides, shadows=Agreed(agreed))).of(row, [change])

    assert await proof(shadow) is Proof.EQUAL
    assert await proof(replace(shadow, marks=agreed.marks)) is Proof.DIFFERS


@dataclass(frozen=True)
class Agreed:
    """`Shadows` of one record."""

    shadow: Shadow

    async def load(self, _record: UUID) -> Shadow:
        return self.shadow


async def _plan_of(world: Any, record: str) -> int:
    """A plan with one message of a record in it."""
    await world.company(record, 1, name="Bad")
    return int((await world.plan())["plan"])


async def test_what_still_fails_is_held_with_its_followers_and_a_reason(world: Any) -> None:
    await failing(world, 200)
    await world.company("C-bad", name="Never")
    behind = await world.company("C-bad", 1, city="Town")
    world.rows.picky = False

    plan = await world.plan()
    report = await world.run(plan["plan"], stop_percent=2.0)

    assert report["state"] == "finished"
    assert fates(report) == {"heads": {"applied": 200, "held": 1}, "followers": {"applied": 200, "held": 1}}
    held = {each["message_id"]: each["reason"] for each in report["listed"]["held"]}
    assert held[behind].startswith("waits behind m-")
    assert [reason for message, reason in held.items() if message != behind] == [
        "target.refused: name: not taken"
    ]


async def test_parents_go_before_their_children(world: Any) -> None:
    await world.company("C-1", name="Good")
    await world.company("C-2", name="Good", parent_company_id="C-1", city="Bad")
    await world.company("C-3", name="Good", parent_company_id="C-1", city="Bad")
    await world.company("C-1", 1, name="Bad")
    world.rows.picky = False

    plan = await world.plan()
    written = len(world.rows.written)
    report = await world.run(plan["plan"], canary=0)

    assert plan["foreseen"]["levels"] == [1, 2]
    assert fates(report)["heads"] == {"applied": 3}
    assert world.rows.written[written][0] == row_of("C-1")


async def test_children_that_wait_for_a_parent_go_on_when_the_plan_has_brought_it(world: Any) -> None:
    await world.company("C-1", name="Bad")
    child = await world.contact("K-1", "C-1")
    world.rows.picky = False

    report = await world.run((await world.plan())["plan"])

    assert fates(report)["heads"] == {"applied": 1}
    found = await world.store.operations.messages.find(child)
    assert found["outcome"] == "applied"


async def test_a_message_that_a_later_one_covers_is_left_out(world: Any) -> None:
    for number in range(6):
        await world.company(f"C-{number}", name=f"Bad {number}")
        await world.company(f"C-{number}", 1, name="One", city="A")
        await world.company(f"C-{number}", 2, name="Two", city="B")
    world.rows.picky = False

    plan = await world.plan()
    report = await world.run(plan["plan"])

    assert plan["foreseen"]["superseded"] == 6
    assert plan["foreseen"]["writes"] == {"dataverse account": 12}
    assert fates(report) == {"heads": {"applied": 6}, "followers": {"applied": 6, "superseded": 6}}
    assert len(world.rows.written) == 12
    assert all(world.name_of(f"C-{n}") == "Two" for n in range(6))
    assert report["listed"]["superseded"][0]["reason"] == "superseded by m-3, which says all of it"


async def test_a_covered_message_takes_its_place_again_where_the_later_one_fails(world: Any) -> None:
    await world.company("C-1", name="Bad")
    await world.company("C-1", 1, name="One", city="A")
    last = await world.company("C-1", 2, name="Never", city="B")
    world.rows.picky = False

    plan = await world.plan()
    report = await world.run(plan["plan"], stop_percent=100.0)

    assert plan["foreseen"]["superseded"] == 1
    assert fates(report) == {"heads": {"applied": 1}, "followers": {"applied": 1, "held": 1}}
    assert world.name_of("C-1") == "One", "as if nothing had been left out"
    assert report["listed"]["held"][0]["message_id"] == last
    assert report["adds_up"]


async def test_what_was_finished_elsewhere_is_not_told_as_superseded(world: Any) -> None:
    head = await world.company("C-1", name="Bad")
    await world.company("C-1", 1, name="One", city="A")
    await world.company("C-1", 2, name="Two", city="B")
    world.rows.picky = False
    plan = await world.plan()
    await world.replay.message(head, "ann")
    await world.pump()

    report = await world.run(plan["plan"])

    assert plan["foreseen"]["superseded"] == 1
    assert fates(report) == {"heads": {"elsewhere": 1}, "followers": {"elsewhere": 2}}


async def test_a_merge_is_never_needless(world: Any) -> None:
    await world.company("C-1", name="Good")
    await world.company("C-2", name="Good")
    await world.company("C-2", 1, name="Bad")
    merge = await world.company("C-1", 2, merged_into="C-2")
    await world.company("C-2", 3, name="Late")
    world.rows.picky = False

    plan = await world.plan()
    report = await world.run(plan["plan"])

    assert plan["foreseen"]["superseded"] == 0
    assert fates(report) == {"heads": {"applied": 1}, "followers": {"applied": 2}}
    found = await world.store.operations.messages.find(merge)
    assert found["reason"] == "merged into C-2: its row is merged, too"


async def test_what_a_merge_ended_is_not_told_as_skipped_by_a_person(world: Any) -> None:
    await world.company("C-1", name="Bad")
    await world.company("C-2", name="Good")
    await world.company("C-2", 1, name="Bad")
    await world.company("C-1", 2, merged_into="C-2")
    world.rows.picky = False

    report = await world.run((await world.plan(records=("allegory:company:C-2",)))["plan"])

    assert fates(report) == {"heads": {"applied": 1}, "followers": {"superseded": 1}}


async def test_a_newer_edit_on_the_other_side_is_foreseen_as_the_conflict_it_will_be(world: Any) -> None:
    await world.company("C-1", name="First")
    await world.company("C-1", 1, name="Bad")
    world.rows.picky = False
    (row,) = world.rows.of("account")
    world.clock.advance(timedelta(minutes=1))
    world.rows.put("account", row, {"name": "A person's"})
    written = len(world.rows.written)

    plan = await world.plan()

    assert plan["foreseen"]["conflicts"]["records"] == 1
    (record,) = plan["foreseen"]["conflicts"]["listed"]
    assert record["messages"][0]["columns"] == [{"column": "name", "winner": "dataverse", "rule": "newest"}]
    assert len(world.rows.written) == written
    report = await world.run(plan["plan"])
    assert fates(report)["heads"] == {"conflict": 1}
    assert world.name_of("C-1") == "A person's"


@pytest.mark.parametrize("step", range(1, 24, 3))
async def test_a_killed_worker_costs_nothing(world: Any, step: int) -> None:
    await failing(world, 40)
    world.rows.picky = False
    plan = await world.plan()
    await world.desk.act(plan["plan"], "run", "ann", policy=Policy(rate=40))
    world.dies_after = step
    try:
        await world.drive()
    except Died:
        world.clock.advance(timedelta(seconds=20))
    await world.drive()

    report = await world.report(plan["plan"])
    assert fates(report) == {"heads": {"applied": 40}, "followers": {"applied": 40}}
    assert len(world.rows.written) == 80


async def test_an_overtaken_driver_writes_nothing_more(world: Any) -> None:
    await failing(world, 2)
    plan = await world.plan()
    await world.desk.act(plan["plan"], "run", "ann")
    old = await world.store.plans.take(plan["plan"])
    await world.store.plans.take(plan["plan"])
    (first, *_) = await world.store.plan_items.records(plan["plan"], None, 5)

    with pytest.raises(PlanOvertaken):
        await world.store.plan_items.send(old, 0, 1, [first], prove=False)
    with pytest.raises(PlanOvertaken):
        await world.store.plans.halt(old, "too late")
    assert await world.store.plan_items.standings(plan["plan"]) == []


async def test_pause_resume_and_cancel(world: Any) -> None:
    await failing(world, 80)
    world.rows.picky = False
    plan = (await world.plan())["plan"]
    await world.desk.act(plan, "run", "ann", policy=Policy(canary=2, rate=1))
    await world.driver.run()

    paused = await world.desk.act(plan, "pause", "ben", reason="lunch")
    before = len(world.rows.written)
    await world.drive()
    assert (paused["state"], paused["reason"], paused["changed_by"]) == ("paused", "lunch", "ben")
    assert len(world.rows.written) == before
    await world.desk.act(plan, "resume", "ben")
    await world.driver.run()
    assert len(world.rows.written) > before
    await world.desk.act(plan, "cancel", "ben")
    await world.drive()

    report = await world.report(plan)
    assert (report["state"], report["adds_up"]) == ("cancelled", True)
    assert report["heads"]["fates"]["applied"] + report["heads"]["fates"]["unreached"] == 80
    with pytest.raises(NotPossible, match="is cancelled: it cannot resume"):
        await world.desk.act(plan, "resume", "ben")


async def test_one_plan_runs_at_a_time(world: Any) -> None:
    await failing(world, 4)
    first, second = await world.plan(), await world.plan()
    await world.desk.act(first["plan"], "run", "ann")

    with pytest.raises(NotPossible, match=f"plan {first['plan']} is running"):
        await world.desk.act(second["plan"], "run", "ann")


async def test_a_lost_wake_is_nobodys_problem(world: Any) -> None:
    await failing(world, 3)
    world.rows.picky = False
    plan = (await world.plan())["plan"]
    await world.desk.act(plan, "run", "ann")
    world.taken = 10**9  # nothing that is sent arrives
    await world.driver.run()
    due: list[UUID] = list(await world.store.lanes.due(100))
    assert len(due) == 3
    world.taken = len(world.bus.sent)
    for record in due:
        await world.bus.wake(Direction.INBOUND, record, world.clock.now())
    await world.drive()

    assert fates(await world.report(plan))["heads"] == {"applied": 3}


async def test_a_selection_takes_what_fits_all_of_it(world: Any) -> None:
    await world.company("C-1", name="Bad")
    await world.company("C-2", name="Good", city="Bad")
    groups = {each["field"]: each["group"] for each in await world.store.operations.groups.open()}

    by_group = await world.plan(groups=(groups["name"],))
    by_record = await world.plan(records=("allegory:company:C-2",))
    nothing = await world.plan(groups=(groups["name"],), records=("C-2",))
    since = await world.plan(since=world.clock.now() + timedelta(hours=1))
    entity = await world.plan(entities=("company",), systems=("allegory",))

    assert [p["heads"]["selected"] for p in (by_group, by_record, nothing, since, entity)] == [1, 1, 0, 0, 2]


async def test_every_action_is_written_down_with_the_person(world: Any) -> None:
    await failing(world, 1)
    world.rows.picky = False
    plan = (await world.plan())["plan"]
    await world.desk.act(plan, "run", "ben")
    await world.drive()

    with world.store.engine.connect() as connection:
        lines = connection.execute(sa.text("SELECT actor, action, entity FROM audit_event ORDER BY id")).all()
    assert [tuple(line) for line in lines] == [
        ("ann", "replay plan", "replay_plan"),
        ("ben", "replay run", "replay_plan"),
        (f"plan {plan} (ben)", "replay", "message"),
        (f"plan {plan} (ben)", "replay finished", "replay_plan"),
    ]
