"""The open failures: what did not go through and has not gone through since, in its lane or at the gate.

They are told newest message first: how late one failed last changes with every try, and nobody could go on
behind an entry that has moved.
"""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.sqltypes import ONE, word
from shared.connectors.sqlstore.tables import lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import faults_of
from shared.core.page import Page
from shared.core.ports import Report

_FOLLOWER = lane_item.alias("follower")

_FOLLOWERS = (
    sa.select(sa.func.count())
    .select_from(_FOLLOWER)
    .where(
        _FOLLOWER.c.record == lane_item.c.record,
        _FOLLOWER.c.number != lane_item.c.number,
        _FOLLOWER.c.state != word("done"),
    )
    .scalar_subquery()
)

_OPEN = sa.select(
    lane_item,
    messages.c.message_id,
    messages.c.original_id,
    messages.c.source,
    messages.c.entity,
    messages.c.source_id,
    messages.c.outcome,
    _FOLLOWERS.label("followers"),
).join(messages, messages.c.number == lane_item.c.number)

# Nothing is added, but no database walks through all numbers in their order to find the few that fail.
_FAILING = sa.union_all(
    sa.select((lane_item.c.number + 0).label("number")).where(lane_item.c.is_failing == ONE),
    sa.select((messages.c.number + 0).label("number")).where(messages.c.refused_in.is_not(None)),
).subquery("failing")
"""What fails in a lane, and what was refused at the gate and nobody has seen to; that has no lane to hold."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Reads open failures."""

    database: Database

    async def page(self, limit: int, *, after: int = 0) -> Page:
        """So many of them, in their lanes and at the gate, behind message number `after`; 0 is the newest.

        `state` is the lane item's state, or `rejected` for one that left its lane with a fault; what the gate
        refused has none, and all its `faults`.
        """

        def work(connection: sa.Connection) -> Page:
            newest = _numbers(after).order_by(_FAILING.c.number.desc())
            chosen = list(connection.scalars(newest.limit(limit)))
            if not chosen:
                return Page([], 0)
            failing = connection.execute(
                _OPEN.where(lane_item.c.number.in_(chosen), lane_item.c.is_failing == ONE)
            )
            refused = connection.execute(
                sa.select(messages).where(messages.c.number.in_(chosen), messages.c.refused_in.is_not(None))
            )
            told = {row.number: _refusal(row) for row in refused} | {
                row.number: _report(row) for row in failing
            }
            left = sa.select(sa.func.count()).select_from(_numbers(chosen[-1]).subquery())
            return Page([told[number] for number in chosen], connection.scalar(left) or 0)

        return await self.database.read(work)


def _numbers(after: int) -> sa.Select[Any]:
    found = sa.select(_FAILING.c.number)
    return found.where(_FAILING.c.number < after) if after else found


def _refusal(row: sa.Row[*tuple[Any, ...]]) -> Report:
    return {
        "number": row.number,
        "message_id": shown.message_id(row),
        "subject": shown.subject(row),
        "state": None,
        "received_at": shown.at(row.received_at),
        "sender": row.sender,
        "faults": shown.faults(faults_of(row.faults)),
    }


def _report(row: sa.Row[*tuple[Any, ...]]) -> Report:
    return {
        "number": row.number,
        "message_id": shown.message_id(row),
        "record": str(row.record),
        "subject": shown.subject(row),
        "state": row.outcome if row.state == "done" else row.state,
        "kind": row.kind,
        **shown.explained(row.code),
        "answer": row.answer,
        "table": row.table_name,
        "field": row.field,
        "rule": row.rule,
        "request_id": row.request_id,
        "far_side": row.far_side,
        "attempts": row.attempts,
        "first_failed_at": shown.at(row.first_failed_at),
        "last_failed_at": shown.at(row.last_failed_at),
        "next_retry_at": shown.at(row.due_at),
        "group": row.group_key,
        "followers": row.followers,
    }
