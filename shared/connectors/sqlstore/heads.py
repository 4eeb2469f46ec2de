"""The head of a lane: the item that is its turn, and whether it could go on now."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.messages import COLUMNS, message_of
from shared.connectors.sqlstore.sqltypes import word
from shared.connectors.sqlstore.tables import lane_item, shadow
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.values import keys_of, shadow_of
from shared.core.shadow import Shadow
from shared.core.verdict import ItemState, LaneItem

OPEN = lane_item.c.state != word("done")
"""Whether an item still has work to do; written out, because an index is filtered by it."""

IN_ORDER = sa.and_(OPEN, lane_item.c.state != word("aside"))
"""Whether others may have to wait for an item: nobody waits for one that was set aside."""

ORDER = (lane_item.c.changed_at, lane_item.c.version, lane_item.c.position, lane_item.c.number)
"""The order within a lane: when it happened, then the source's version, then arrival."""

HEAD = (
    sa.select(
        lane_item.c.number,
        lane_item.c.state,
        lane_item.c.attempts,
        lane_item.c.due_at,
        lane_item.c.vouched_by,
        lane_item.c.plan,
        lane_item.c.waits_on,
        lane_item.c.without,
        lane_item.c.phases,
        shadow.c.document,
        shadow.c.deleted_at,
        *COLUMNS,
    )
    .select_from(
        lane_item.join(messages, messages.c.number == lane_item.c.number).outerjoin(
            shadow, shadow.c.record == lane_item.c.record
        )
    )
    .where(lane_item.c.record == sa.bindparam("the_record"), IN_ORDER)
    .order_by(*ORDER)
    .limit(1)
)


def workable(state: sa.ColumnElement[Any], due_at: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether a head could go on at `now`: a retry at its time, others unless they are to wait for one."""
    is_due = due_at <= sa.bindparam("now")
    return sa.or_(
        sa.and_(state == word("waiting"), sa.or_(due_at.is_(None), is_due)),
        sa.and_(state == word("retrying"), is_due),
    )


def next_in(connection: sa.Connection, record: UUID, now: datetime) -> LaneItem | None:
    """The head of a lane, if it could go on now.

    Ask after writing the lane's own row: whoever admits a message writes it, too, and is seen or waits.
    """
    row = connection.execute(HEAD, {"the_record": record}).one_or_none()
    if row is None:
        return None
    state = ItemState(row.state)
    if state not in {ItemState.WAITING, ItemState.RETRYING} or (row.due_at is not None and row.due_at > now):
        return None
    return LaneItem(
        number=row.number,
        record=record,
        message=message_of(row),
        state=state,
        attempts=row.attempts,
        due_at=row.due_at,
        vouched_by=row.vouched_by,
        plan=row.plan,
        without=keys_of(row.without),
        phases=json.loads(row.phases or "{}"),
        agreed=Shadow() if row.document is None else shadow_of(row.document, row.deleted_at),
        missed=row.waits_on if state is ItemState.WAITING and row.due_at is not None else None,
    )
