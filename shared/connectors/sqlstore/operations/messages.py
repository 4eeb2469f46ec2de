"""One message: where it is, what became of it, and what was wrong with it."""

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from shared.connectors.sqlstore.heads import IN_ORDER, ORDER
from shared.connectors.sqlstore.messages import COLUMNS, message_of, stored_id
from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.operations.audit import Deed, note
from shared.connectors.sqlstore.tables import lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import faults_of
from shared.core.change import Message
from shared.core.outcome import Outcome
from shared.core.ports import Clock, Report
from shared.core.verdict import ItemState

_ITEM = (
    lane_item.c.state,
    lane_item.c.attempts,
    lane_item.c.due_at,
    lane_item.c.waits_on,
    lane_item.c.first_failed_at,
    lane_item.c.last_failed_at,
    lane_item.c.code,
    lane_item.c.rule,
    lane_item.c.field,
    lane_item.c.answer,
    lane_item.c.request_id,
    lane_item.c.far_side,
    lane_item.c.group_key,
    lane_item.c.phases,
)

WITH_ITEM = sa.select(*(column for column in messages.c if column is not messages.c.body), *_ITEM).outerjoin(
    lane_item, lane_item.c.number == messages.c.number
)
"""Messages with their place in a lane, without their bodies."""


@dataclass(frozen=True, slots=True)
class Messages:
    """Reads single messages."""

    database: Database
    clock: Clock

    async def find(self, message_id: str, queue: str | None = None) -> Report | None:
        """The message of this id and what is known of it; None when it never arrived.

        `status` is its outcome, `received` while it waits for its turn, or `held` behind the message named by
        `behind`. Bodies that came later under the same id are listed by number in `other_bodies`.
        """

        def work(connection: sa.Connection) -> Report | None:
            statement = WITH_ITEM.where(messages.c.message_id == stored_id(message_id))
            if queue is not None:
                statement = statement.where(messages.c.queue == queue)
            rows = connection.execute(statement.order_by(messages.c.is_first.desc(), messages.c.number)).all()
            if not rows:
                return None
            others = [row.number for row in rows[1:] if row.queue == rows[0].queue]
            return {**report(connection, rows[0]), "other_bodies": others}

        return await self.database.read(work)

    async def payload(self, number: int, actor: str) -> Message | None:
        """A message as it arrived, body and all; who looked is written down."""

        def work(connection: sa.Connection) -> Message | None:
            row = connection.execute(sa.select(*COLUMNS).where(messages.c.number == number)).one_or_none()
            if row is None:
                return None
            note(connection, Deed(actor, "read payload", "message", str(number)), self.clock.now())
            return message_of(row)

        return await self.database.write(work)


def report(connection: sa.Connection, row: sa.Row[*tuple[Any, ...]]) -> dict[str, Any]:
    """What is told about a message of `WITH_ITEM`."""
    status, behind = _status(connection, row)
    return {
        "number": row.number,
        "message_id": shown.message_id(row),
        "queue": row.queue,
        "session_id": row.session_id,
        "position": row.position,
        "delivery_count": row.delivery_count,
        "sender": row.sender,
        "received_at": shown.at(row.received_at),
        "subject": shown.subject(row),
        "operation": row.operation,
        "changed_at": shown.at(row.changed_at),
        "actor": row.actor,
        "correlation_id": row.correlation_id,
        "properties": json.loads(row.properties or "{}"),
        "application_properties": json.loads(row.application_properties or "{}"),
        "record": shown.text(row.record),
        "status": status,
        "behind": behind,
        "state": row.state,
        "outcome": row.outcome,
        "reason": row.reason,
        "faults": shown.faults(faults_of(row.faults)),
        "finished_at": shown.at(row.finished_at),
        "attempts": row.attempts or 0,
        "next_retry_at": shown.at(row.due_at),
        "waits_on": row.waits_on,
        **shown.explained(row.code),
        "field": row.field,
        "rule": row.rule,
        "answer": row.answer,
        "request_id": row.request_id,
        "far_side": row.far_side,
        "group": row.group_key,
        "begun_in": json.loads(row.phases or "{}"),
    }


def _status(connection: sa.Connection, row: sa.Row[*tuple[Any, ...]]) -> tuple[str, str | None]:
    if row.state is None or row.state == ItemState.DONE:
        return row.outcome, None
    if row.state == ItemState.PARKED:
        return Outcome.PARKED, None
    if row.state in {ItemState.HELD, ItemState.RETRYING, ItemState.ASIDE}:
        return row.outcome or Outcome.FAILED, None
    head = connection.execute(
        sa.select(lane_item.c.number, lane_item.c.state, messages.c.message_id, messages.c.original_id)
        .join(messages, messages.c.number == lane_item.c.number)
        .where(lane_item.c.record == row.record, IN_ORDER)
        .order_by(*ORDER)
        .limit(1)
    ).one()
    if head.number == row.number or head.state == ItemState.WAITING:
        return "received", None
    return Outcome.HELD, shown.message_id(head)
