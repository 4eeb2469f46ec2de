"""Which messages a plan takes: the failing heads a selection means, and who waits behind them.

A plan is frozen in one transaction. What fails later is not part of it, and is counted for its report.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from shared.connectors.sqlstore.plans.tables import replay_item
from shared.connectors.sqlstore.sqltypes import ONE, word
from shared.connectors.sqlstore.tables import lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.core.identity import RecordKey, guid
from shared.core.plan import Selection

_OPEN = lane_item.c.state != word("done")

_COLUMNS = ["plan", "number", "record", "is_head", "group_key", "source", "entity", "state", "level"]


def heads_of(selection: Selection) -> sa.ColumnElement[bool]:
    """Whether a lane item is a failure the selection means."""
    asked: list[sa.ColumnElement[bool]] = [lane_item.c.is_failing == ONE]
    if selection.groups:
        asked.append(lane_item.c.group_key.in_(selection.groups))
    if selection.systems:
        asked.append(messages.c.source.in_(selection.systems))
    if selection.entities:
        asked.append(messages.c.entity.in_(selection.entities))
    if selection.since is not None:
        asked.append(lane_item.c.last_failed_at >= selection.since)
    if selection.until is not None:
        asked.append(lane_item.c.last_failed_at < selection.until)
    if selection.records:
        asked.append(sa.or_(*(_is_record(text) for text in selection.records)))
    return sa.and_(*asked)


def freeze(connection: sa.Connection, plan: int, selection: Selection) -> None:
    """Write down the messages of a new plan: its heads, and everything open behind the first of a lane."""
    connection.execute(
        sa.insert(replay_item).from_select(_COLUMNS, _chosen(plan, is_head=True).where(heads_of(selection)))
    )
    connection.execute(
        sa.insert(replay_item).from_select(
            _COLUMNS, _chosen(plan, is_head=False).where(_OPEN, ~_is_in(plan), _is_behind_one_of(plan))
        )
    )


def later_failures(plan: int, selection: Selection, frozen_at: datetime) -> sa.Select[Any]:
    """How many failures the selection means now that are not in the plan, by group."""
    return (
        sa.select(lane_item.c.group_key, sa.func.count().label("size"))
        .join(messages, messages.c.number == lane_item.c.number)
        .where(heads_of(selection), lane_item.c.last_failed_at >= frozen_at, ~_is_in(plan))
        .group_by(lane_item.c.group_key)
    )


def later_messages(plan: int, frozen_at: datetime) -> sa.Select[Any]:
    """How many messages of the plan's records arrived after it was frozen."""
    item = replay_item.alias("planned")
    return (
        sa.select(sa.func.count())
        .select_from(lane_item.join(messages, messages.c.number == lane_item.c.number))
        .where(
            messages.c.received_at > frozen_at,
            # Our own writes, told back to us, are nobody's messages.
            sa.or_(messages.c.outcome.is_(None), messages.c.outcome != word("echo")),
            sa.exists().where(item.c.plan == plan, item.c.record == lane_item.c.record),
            ~_is_in(plan),
        )
    )


def _chosen(plan: int, *, is_head: bool) -> sa.Select[Any]:
    return sa.select(
        sa.literal(plan, replay_item.c.plan.type),
        lane_item.c.number,
        lane_item.c.record,
        sa.literal(is_head, sa.Boolean),
        lane_item.c.group_key if is_head else sa.literal(None, replay_item.c.group_key.type),
        messages.c.source,
        messages.c.entity,
        sa.literal("waiting", replay_item.c.state.type),
        sa.literal(0, sa.Integer),
    ).join(messages, messages.c.number == lane_item.c.number)


def _is_in(plan: int) -> sa.ColumnElement[bool]:
    item = replay_item.alias("chosen")
    return sa.exists().where(item.c.plan == plan, item.c.number == lane_item.c.number)


def _is_behind_one_of(plan: int) -> sa.ColumnElement[bool]:
    """Whether a head of the plan comes before the item in its lane."""
    head, place = replay_item.alias("head"), lane_item.alias("place")
    earlier: sa.ColumnElement[bool] = place.c.number < lane_item.c.number
    for name in ("position", "version", "changed_at"):
        earlier = sa.or_(
            place.c[name] < lane_item.c[name], sa.and_(place.c[name] == lane_item.c[name], earlier)
        )
    return sa.exists().where(
        head.c.plan == plan,
        head.c.record == lane_item.c.record,
        place.c.number == head.c.number,
        earlier,
    )


def _is_record(text: str) -> sa.ColumnElement[bool]:
    key, row = RecordKey.parse(text), guid(text)
    if row is not None:
        return lane_item.c.record == row
    if key is not None:
        return sa.and_(
            messages.c.source == key.system, messages.c.entity == key.entity, messages.c.source_id == key.id
        )
    return messages.c.source_id == text
