"""What must be true of replay plans once a run is at rest: each is over and accounts for its messages."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from shared.connectors.sqlstore.plans.tables import replay_item, replay_plan
from shared.connectors.sqlstore.tables import lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.core.plan import PlanState
from shared.core.plan_items import Fate
from shared.core.verdict import ItemState
from tests.simulation.world import World

_THROUGH = {Fate.APPLIED, Fate.MERGED, Fate.ECHO, Fate.STALE, Fate.CONFLICT, Fate.SUPERSEDED}
"""What a message stays, once it is that."""

_ITEMS = (
    sa.select(
        replay_item,
        replay_plan.c.state.label("plan_state"),
        lane_item.c.state.label("place"),
        lane_item.c.plan.label("claimed_by"),
        messages.c.outcome,
        messages.c.message_id,
    )
    .join(replay_plan, replay_plan.c.number == replay_item.c.plan)
    .join(lane_item, lane_item.c.number == replay_item.c.number)
    .join(messages, messages.c.number == replay_item.c.number)
    .order_by(replay_item.c.plan, replay_item.c.number)
)


def accounted(world: World) -> Iterator[str]:
    """Every broken promise about plans; nothing where nobody makes any."""
    with world.store.engine.connect() as connection:
        plans = connection.execute(sa.select(replay_plan)).all()
        items = connection.execute(_ITEMS).all()
    for plan in plans:
        if not PlanState(plan.state).is_over or plan.ended_at is None:
            yield f"plan {plan.number} is left {plan.state}: {plan.reason}"
    ended = {end.row for end in world.people.ends} | world.allegory.merged
    for item in items:
        told = f"{item.record}: {item.message_id} of plan {item.plan}"
        yield from (f"{told} {wrong}" for wrong in _wrong(item))
        if item.proof == "differs" and item.record not in ended:
            yield f"{told} is not what was agreed, read back"


def _wrong(item: Any) -> Iterator[str]:
    """What is wrong with what became of one message of a plan."""
    if item.state != "done" or item.fate is None:
        yield f"has no fate: it is {item.state}"
        return
    fate = Fate(item.fate)
    if item.claimed_by is not None:
        yield f"is still claimed by plan {item.claimed_by}"
    if fate in _THROUGH and (item.place != ItemState.DONE or item.outcome != fate):
        yield f"is told as {fate}, and is {item.place}: {item.outcome}"
    if fate is Fate.ELSEWHERE and item.place != ItemState.DONE:
        yield f"is told as finished elsewhere, and is {item.place}"
    if fate is Fate.UNREACHED and item.plan_state != PlanState.CANCELLED:
        yield "was not reached, and the plan was not cancelled"
    if fate is Fate.SKIPPED:
        yield "is told as skipped by a person: nobody does"
    if fate in {Fate.HELD, Fate.REJECTED} and not item.reason:
        yield f"is {fate} for no reason"
