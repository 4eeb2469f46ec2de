"""The open failures: what did not go through and has not gone through since."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.sqltypes import ONE, word
from shared.connectors.sqlstore.tables import lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import faults_of
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

_OPEN = (
    sa.select(
        lane_item,
        messages.c.message_id,
        messages.c.original_id,
        messages.c.source,
        messages.c.entity,
        messages.c.source_id,
        messages.c.outcome,
        _FOLLOWERS.label("followers"),
    )
    .join(messages, messages.c.number == lane_item.c.number)
    .where(lane_item.c.is_failing == ONE)
    .order_by(lane_item.c.last_failed_at.desc(), lane_item.c.number.desc())
)


@dataclass(frozen=True, slots=True)
class Failures:
    """Reads open failures."""

    database: Database

    async def newest(self, limit: int, *, offset: int = 0, group: str | None = None) -> Sequence[Report]:
        """Open failures, newest first; of one group if named.

        `state` is the lane item's state, or `rejected` for one that left its lane with a fault.
        """
        statement = _OPEN if group is None else _OPEN.where(lane_item.c.group_key == group)
        page = statement.limit(limit).offset(offset)
        rows = await self.database.read(lambda c: c.execute(page).all())
        return [_report(row) for row in rows]

    async def refused(self, limit: int) -> Sequence[Report]:
        """Messages refused at the gate, newest first, with every fault; they have no lane to hold."""
        statement = (
            sa.select(messages)
            .outerjoin(lane_item, lane_item.c.number == messages.c.number)
            .where(messages.c.outcome == word("rejected"), lane_item.c.number.is_(None))
            .order_by(messages.c.number.desc())
            .limit(limit)
        )
        rows = await self.database.read(lambda c: c.execute(statement).all())
        return [
            {
                "number": row.number,
                "message_id": shown.message_id(row),
                "subject": shown.subject(row),
                "received_at": shown.at(row.received_at),
                "sender": row.sender,
                "faults": shown.faults(faults_of(row.faults)),
            }
            for row in rows
        ]


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
        "attempts": row.attempts,
        "first_failed_at": shown.at(row.first_failed_at),
        "last_failed_at": shown.at(row.last_failed_at),
        "next_retry_at": shown.at(row.due_at),
        "group": row.group_key,
        "followers": row.followers,
    }
