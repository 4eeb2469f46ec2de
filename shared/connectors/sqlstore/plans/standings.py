"""Where the messages of a plan stand in their lanes, and what stands in their way."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.plans.tables import replay_item
from shared.connectors.sqlstore.tables import journal, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.core.outcome import Outcome
from shared.core.plan_items import Fate, Planned, Standing
from shared.core.verdict import ItemState

ORDER = (lane_item.c.changed_at, lane_item.c.version, lane_item.c.position, lane_item.c.number)
"""The order within a lane."""

NEWEST_LINE = (
    sa.select(sa.func.max(journal.c.id)).where(journal.c.number == replay_item.c.number).scalar_subquery()
)
"""The newest line of the journal about a message of a plan."""

_PIECE = 500
"""Records that one statement names; SQL Server takes 2,100 parameters."""

_IN_ORDER = [ItemState.WAITING, ItemState.RETRYING, ItemState.PARKED, ItemState.HELD]
_LINE = journal.alias("line")

_RANKED = (
    sa.select(
        lane_item.c.number,
        lane_item.c.record,
        lane_item.c.state,
        sa.func.row_number().over(partition_by=lane_item.c.record, order_by=ORDER).label("rank"),
    )
    .where(
        lane_item.c.record.in_(sa.bindparam("the_records", expanding=True)), lane_item.c.state.in_(_IN_ORDER)
    )
    .subquery("ranked")
)

_STUCK = (
    sa.select(_RANKED.c.number, _RANKED.c.record, messages.c.message_id, messages.c.original_id)
    .join(messages, messages.c.number == _RANKED.c.number)
    .where(_RANKED.c.rank == 1, _RANKED.c.state != ItemState.WAITING)
)

_STANDINGS = (
    sa.select(
        replay_item.c.number,
        replay_item.c.is_head,
        replay_item.c.level,
        replay_item.c.covered_by,
        replay_item.c.seen,
        replay_item.c.sent_at,
        messages.c.message_id,
        messages.c.original_id,
        messages.c.outcome,
        messages.c.reason,
        lane_item.c.record,
        lane_item.c.state,
        lane_item.c.is_failing,
        _LINE.c.id.label("newest"),
        _LINE.c.fence,
        _LINE.c.record.label("told_of"),
    )
    .select_from(
        replay_item.join(messages, messages.c.number == replay_item.c.number)
        .join(lane_item, lane_item.c.number == replay_item.c.number)
        .outerjoin(_LINE, _LINE.c.id == NEWEST_LINE)
    )
    .where(replay_item.c.plan == sa.bindparam("the_plan"))
    .order_by(lane_item.c.record, *ORDER)
)


def standings(connection: sa.Connection, plan: int, *, held: bool) -> Sequence[Standing]:
    """The messages that were sent, or those that ended held, lane by lane in each lane's order."""
    chosen = replay_item.c.fate == Fate.HELD if held else replay_item.c.state == "sent"
    rows = connection.execute(_STANDINGS.where(chosen), {"the_plan": plan}).all()
    ahead = stuck_heads(connection, {row.record for row in rows})
    return [_standing(row, ahead) for row in rows]


def _standing(row: sa.Row[*tuple[Any, ...]], ahead: Mapping[UUID, tuple[int, str]]) -> Standing:
    stuck = ahead.get(row.record)
    planned = Planned(
        number=row.number,
        message_id=shown.message_id(row),
        record=row.record,
        is_head=row.is_head,
        level=row.level,
        covered_by=row.covered_by,
        seen=row.seen or 0,
        sent_at=row.sent_at,
    )
    return Standing(
        planned=planned,
        state=ItemState(row.state),
        is_failing=row.is_failing,
        outcome=Outcome(row.outcome) if row.outcome else None,
        reason=row.reason or "",
        newest=row.newest or 0,
        # A merge or an un-merge tells the other row's history of a message, too, under no fence either.
        by_person=row.fence == 0 and row.told_of == row.record,
        stuck=stuck[0] if stuck is not None and stuck[0] != row.number else None,
        ahead=stuck[1] if stuck is not None and stuck[0] != row.number else None,
    )


def stuck_heads(connection: sa.Connection, records: Collection[UUID]) -> dict[UUID, tuple[int, str]]:
    """The head of each lane that cannot go on by itself: its number and its message's id."""
    found: dict[UUID, tuple[int, str]] = {}
    ordered = sorted(records)
    for start in range(0, len(ordered), _PIECE):
        for row in connection.execute(_STUCK, {"the_records": ordered[start : start + _PIECE]}):
            found[row.record] = (row.number, shown.message_id(row))
    return found
