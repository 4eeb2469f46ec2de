"""Finished work beside the messages is forgotten: values with the bodies, the rest with the messages."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import sqlalchemy as sa

from shared.connectors.sqlstore.disputes import dispute
from shared.connectors.sqlstore.plans.tables import replay_item, replay_plan
from shared.connectors.sqlstore.suspects import gap
from shared.core.plan import Selection
from tests.contract.store.conftest import START

if TYPE_CHECKING:
    from tests.contract.store.conftest import World

LATER = START + timedelta(days=400)
"""After everything in these tests."""


def insert(world: "World", table: sa.Table, **values: Any) -> None:
    with world.store.engine.begin() as connection:
        connection.execute(sa.insert(table), values)


def conflict(world: "World", column: str, *, is_over: bool) -> None:
    insert(
        world,
        dispute,
        record=uuid4(),
        column_name=column,
        state="over" if is_over else "open",
        opened_at=START,
        changed_at=START,
        base='"+49 1"',
        inbound='"+49 2"',
        outbound='"+49 3"',
        value='"+49 2"' if is_over else None,
        decided_by="ann" if is_over else None,
        tries=0,
        over_at=START if is_over else None,
    )


def missing(world: "World", message_id: str, *, is_healed: bool) -> None:
    insert(
        world,
        gap,
        message_id=message_id,
        source="allegory",
        entity="company",
        source_id="C-1",
        operation="upsert",
        changed_at=START,
        known_at=START,
        version=0,
        noticed_at=START,
        healed_at=START if is_healed else None,
    )


async def test_what_a_settled_conflict_held_goes_with_the_bodies_and_an_open_one_stays(
    world: "World",
) -> None:
    conflict(world, "settled", is_over=True)
    conflict(world, "open", is_over=False)

    await world.store.retention.purge(bodies_before=LATER, messages_before=START)

    told = {
        row["column_name"]: (row["base"], row["inbound"], row["outbound"], row["value"], row["decided_by"])
        for row in world.rows(dispute)
    }
    assert told == {
        "settled": ("null", "null", "null", None, "ann"),
        "open": ('"+49 1"', '"+49 2"', '"+49 3"', None, None),
    }


async def test_settled_conflicts_and_healed_gaps_go_with_the_messages(world: "World") -> None:
    conflict(world, "settled", is_over=True)
    conflict(world, "open", is_over=False)
    missing(world, "healed-1", is_healed=True)
    missing(world, "healed-2", is_healed=False)

    await world.store.retention.purge(bodies_before=LATER, messages_before=LATER)

    assert [row["column_name"] for row in world.rows(dispute)] == ["open"]
    assert [row["message_id"] for row in world.rows(gap)] == ["healed-2"]


async def test_ended_plans_go_with_all_their_messages_and_one_under_way_stays(world: "World") -> None:
    await world.admit("held")
    await world.decide(world.failed())
    plans = world.store.plans
    ended, under_way = [await plans.create(Selection(everything=True), "ann") for _ in range(2)]
    await plans.move(ended.number, "cancel", "ann")
    taken = await plans.take(ended.number)
    assert taken is not None
    await plans.finish(taken)

    await world.store.retention.purge(bodies_before=LATER, messages_before=LATER)

    assert [row["number"] for row in world.rows(replay_plan)] == [under_way.number]
    assert {row["plan"] for row in world.rows(replay_item)} == {under_way.number}
