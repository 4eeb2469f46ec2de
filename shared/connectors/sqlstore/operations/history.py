"""The record time machine: every message of a record, what was decided and why, and where it stands now."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore import baselines, pending
from shared.connectors.sqlstore.baselines import line_of
from shared.connectors.sqlstore.heads import OPEN, ORDER
from shared.connectors.sqlstore.messages import stored_id
from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.operations.audit import Deed, note
from shared.connectors.sqlstore.operations.messages import WITH_ITEM, report
from shared.connectors.sqlstore.tables import conflict, crosswalk, journal, lane, lane_item, shadow, ticket
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import changes_of, shadow_of, value_of
from shared.core.gap import HEALED
from shared.core.history import Line, rebuild
from shared.core.identity import DATAVERSE, RecordKey, guid, normalised_id
from shared.core.ports import Clock, Report

_LONGEST = 500
"""How many of a record's newest messages and journal lines are told."""

_KEYS = (
    sa.select(crosswalk)
    .where(crosswalk.c.row_id == sa.bindparam("the_row"))
    .order_by(crosswalk.c.system, crosswalk.c.entity, crosswalk.c.legacy_id)
)


@dataclass(frozen=True, slots=True)
class History:
    """Reads the history of records."""

    database: Database
    clock: Clock

    async def of(self, any_id: str) -> Sequence[Report]:
        """The history of every record that `any_id` may mean.

        A row's GUID, `system:entity:id`, a bare legacy id (which two systems may use), or a message id.
        """

        def work(connection: sa.Connection) -> Sequence[Report]:
            return [_history(connection, record) for record in _records(connection, any_id.strip())]

        return await self.database.read(work)

    async def as_of(self, any_id: str, at: datetime) -> Sequence[Report]:
        """What was believed at an instant of every record that `any_id` may mean.

        From the journal alone: the agreed columns with their origin. `known_since` tells how far back the
        journal of the record is whole; of an earlier instant nothing can be told, and `believed` is None.
        """

        def work(connection: sa.Connection) -> Sequence[Report]:
            return [_as_of(connection, record, at) for record in _records(connection, any_id.strip())]

        return await self.database.read(work)

    async def seen_by(self, actor: str, *any_ids: str) -> None:
        """Write down which records' values somebody saw unmasked."""
        deeds = [Deed(actor, "read record", "record", shown.subject_key(any_id)) for any_id in any_ids]
        now = self.clock.now()

        def work(connection: sa.Connection) -> None:
            for deed in deeds:
                note(connection, deed, now)

        await self.database.write(work)


def lines_of(connection: sa.Connection, record: UUID) -> list[Line]:
    """The whole journal of a record, in the order in which it was decided."""
    statement = (
        sa.select(journal, messages.c.operation, messages.c.message_id, messages.c.original_id)
        .join(messages, messages.c.number == journal.c.number)
        .where(journal.c.record == record)
        .order_by(journal.c.id)
    )
    return [line_of(row) for row in connection.execute(statement)]


def _as_of(connection: sa.Connection, record: UUID, at: datetime) -> Report:
    base = baselines.load(connection, record)
    told: dict[str, Any] = {
        "record": str(record),
        "as_of": shown.at(at),
        "crosswalk": _crosswalk(connection, record),
        "known_since": shown.at(base.since),
        "believed": None,
    }
    if base.since is not None and at < base.since:
        return told
    known = rebuild(lines_of(connection, record), base, at)
    told["believed"] = {
        "deleted_at": shown.at(known.deleted_at),
        "newest_decision": shown.at(known.since),
        "columns": {
            name: {
                "value": shown.plain(belief.value),
                "origin": belief.origin,
                "changed_at": shown.at(belief.changed_at),
                "decided_at": shown.at(belief.at),
                "message_id": belief.message_id,
                "map_version": belief.map_version,
            }
            for name, belief in sorted(known.columns.items())
        },
    }
    return told


def _records(connection: sa.Connection, text: str) -> Sequence[UUID]:
    row_id = guid(text)
    if row_id is not None and _is_known(connection, row_id):
        return [row_id]
    key = RecordKey.parse(text)
    if key is not None and key.system == DATAVERSE:
        row_id = guid(key.id)
        return [] if row_id is None else [row_id]
    if key is not None:
        entries = sa.and_(
            crosswalk.c.system == key.system,
            crosswalk.c.entity == key.entity,
            crosswalk.c.legacy_id == normalised_id(key.id),
        )
    else:
        entries = crosswalk.c.legacy_id == normalised_id(text)
    found = connection.execute(sa.select(crosswalk.c.row_id).where(entries)).scalars().all()
    named = (
        sa.select(messages.c.record)
        .where(messages.c.message_id == stored_id(text), messages.c.record.is_not(None))
        .order_by(messages.c.number)
    )
    return list(dict.fromkeys([*found, *connection.execute(named).scalars()]))


def _is_known(connection: sa.Connection, record: UUID) -> bool:
    places = (
        sa.select(lane.c.record).where(lane.c.record == record),
        sa.select(crosswalk.c.row_id).where(crosswalk.c.row_id == record),
        sa.select(shadow.c.record).where(shadow.c.record == record),
    )
    return any(connection.execute(place).first() is not None for place in places)


def _history(connection: sa.Connection, record: UUID) -> Report:
    keys = connection.execute(_KEYS, {"the_row": record}).all()
    known = _messages(connection, record, keys)
    ids = {row.number: shown.message_id(row) for row in known}
    decisions = _decisions(connection, record, ids)
    tickets = _tickets(connection, {row.group_key for row in known if row.group_key})
    return {
        "record": str(record),
        "crosswalk": _crosswalk(connection, record),
        "shadow": _shadow(connection, record),
        "lane": _lane(connection, record),
        "messages": [
            {
                **report(connection, row),
                "ticket": tickets.get(row.group_key),
                "healed": row.message_id.startswith(HEALED),
                "decisions": [line for line in decisions if line["number"] == row.number],
            }
            for row in known
        ],
        "journal": decisions,
        "conflicts": _conflicts(connection, record),
    }


def _crosswalk(connection: sa.Connection, record: UUID) -> list[dict[str, Any]]:
    return [
        {
            "key": f"{row.system}:{row.entity}:{row.legacy_id}",
            "state": row.state,
            "reserved_at": shown.at(row.reserved_at),
            "paired_at": shown.at(row.paired_at),
        }
        for row in connection.execute(_KEYS, {"the_row": record})
    ]


def _messages(
    connection: sa.Connection, record: UUID, keys: Iterable[sa.Row[*tuple[Any, ...]]]
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """The record's messages in order of arrival, with those that were refused before they got a lane."""
    refused = [
        sa.and_(
            messages.c.source == row.system,
            messages.c.entity == row.entity,
            messages.c.source_id == row.legacy_id,
        )
        for row in keys
    ]
    # A message that was decided here and then went over to an heir, or told of that, is this record's, too.
    decided = sa.select(journal.c.number).where(journal.c.record == record)
    statement = (
        WITH_ITEM.where(sa.or_(messages.c.record == record, messages.c.number.in_(decided), *refused))
        .order_by(messages.c.number.desc())
        .limit(_LONGEST)
    )
    return connection.execute(statement).all()[::-1]


def _decisions(connection: sa.Connection, record: UUID, ids: dict[int, str]) -> list[dict[str, Any]]:
    """The journal lines of these messages, in the order in which they were decided.

    A merge has a line for each of its two records; only one of them is told here.
    """
    if not ids:
        return []
    is_told = sa.or_(journal.c.record == record, journal.c.fence > 0)
    statement = sa.select(journal).where(journal.c.number.in_(ids), is_told).order_by(journal.c.id.desc())
    rows = connection.execute(statement.limit(_LONGEST)).all()[::-1]
    return [
        {
            "number": row.number,
            "message_id": ids[row.number],
            "at": shown.at(row.at),
            "subject": f"{row.source}:{row.entity}:{row.source_id}",
            "origin": row.origin,
            "actor": row.actor,
            "changed_at": shown.at(row.changed_at),
            "outcome": row.outcome,
            "reason": row.reason,
            "changes": {
                column: {"before": shown.plain(change.before), "after": shown.plain(change.after)}
                for column, change in changes_of(row.changes).items()
                if not change.is_lost
            },
            "map_version": row.map_version,
            "correlation_id": row.correlation_id,
            "fence": row.fence,
            "decided_in": json.loads(row.decided_in or "{}"),
        }
        for row in rows
    ]


def _tickets(connection: sa.Connection, groups: Collection[str]) -> dict[str, str]:
    """The newest ticket of each of these groups."""
    if not groups:
        return {}
    statement = sa.select(ticket).where(ticket.c.fingerprint.in_(groups)).order_by(ticket.c.opened_at)
    return {row.fingerprint: row.id for row in connection.execute(statement)}


def _shadow(connection: sa.Connection, record: UUID) -> dict[str, Any] | None:
    row = connection.execute(sa.select(shadow).where(shadow.c.record == record)).one_or_none()
    if row is None:
        return None
    agreed = shadow_of(row.document, row.deleted_at)
    return {
        "columns": {
            name: {
                "value": shown.plain(mark.value),
                "changed_at": shown.at(mark.changed_at),
                "origin": mark.origin,
            }
            for name, mark in agreed.marks.items()
        },
        "versions": dict(agreed.versions),
        "deleted_at": shown.at(agreed.deleted_at),
        "saved_at": shown.at(row.saved_at),
    }


def _lane(connection: sa.Connection, record: UUID) -> dict[str, Any] | None:
    row = connection.execute(sa.select(lane).where(lane.c.record == record)).one_or_none()
    if row is None:
        return None
    waiting = connection.execute(
        sa.select(lane_item, messages.c.message_id, messages.c.original_id)
        .join(messages, messages.c.number == lane_item.c.number)
        .where(lane_item.c.record == record, OPEN)
        .order_by(*ORDER)
        .limit(_LONGEST)
    ).all()
    return {
        "fence": row.fence,
        "owner": row.owner,
        "lease_until": shown.at(row.lease_until),
        "pending": pending.shown_of(connection, record),
        "items": [
            {
                "number": item.number,
                "message_id": shown.message_id(item),
                "changed_at": shown.at(item.changed_at),
                "state": item.state,
                "attempts": item.attempts,
                "due_at": shown.at(item.due_at),
                "waits_on": item.waits_on,
                "group": item.group_key,
            }
            for item in waiting
        ],
    }


def _conflicts(connection: sa.Connection, record: UUID) -> list[dict[str, Any]]:
    rows = connection.execute(
        sa.select(conflict).where(conflict.c.record == record).order_by(conflict.c.id)
    ).all()
    return [
        {
            "number": row.number,
            "at": shown.at(row.at),
            "column": row.column_name,
            "base": shown.plain(value_of(row.base)),
            "inbound": shown.plain(value_of(row.inbound)),
            "outbound": shown.plain(value_of(row.outbound)),
            "winner": row.winner,
            "rule": row.rule,
        }
        for row in rows
    ]
