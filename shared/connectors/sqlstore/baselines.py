"""What purged journal lines said, summed up per record, so that the rest of its journal still adds up.

A line goes when its message is older than METADATA_DAYS; a column that nobody changed since would then be
missing from every rebuilt state. So its last value is kept here, in the transaction that purges the line.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.sqltypes import Document, Instant
from shared.connectors.sqlstore.tables import METADATA, journal
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.values import changes_of, dumps, tagged, untagged
from shared.core.change import Operation
from shared.core.history import NOTHING, Belief, Believed, Line, rebuild
from shared.core.outcome import Outcome

baseline = sa.Table(
    "baseline",
    METADATA,
    sa.Column("record", sa.Uuid, primary_key=True),
    sa.Column("document", Document, nullable=False),
    sa.Column("deleted_at", Instant),
    # The newest decision that was folded in: of an earlier instant nothing can be told.
    sa.Column("since", Instant, nullable=False),
)

_LOAD = sa.select(baseline).where(baseline.c.record == sa.bindparam("the_record"))
_KEEP = sa.update(baseline).where(baseline.c.record == sa.bindparam("the_record"))


def load(connection: sa.Connection, record: UUID) -> Believed:
    """What purged lines said of a record; nothing when none was purged."""
    row = connection.execute(_LOAD, {"the_record": record}).one_or_none()
    if row is None:
        return NOTHING
    document = json.loads(row.document)
    columns = {name: _belief(told) for name, told in document["columns"].items()}
    return Believed(columns, row.deleted_at, row.since, document["blank"])


def fold(connection: sa.Connection, numbers: Sequence[int]) -> None:
    """Take the journal lines of these messages into their records' baselines; the lines may go then."""
    statement = (
        sa.select(journal, messages.c.operation, messages.c.message_id, messages.c.original_id)
        .join(messages, messages.c.number == journal.c.number)
        .where(journal.c.number.in_(numbers))
        .order_by(journal.c.id)
    )
    lines: dict[UUID, list[Line]] = {}
    for row in connection.execute(statement):
        lines.setdefault(row.record, []).append(line_of(row))
    for record, found in lines.items():
        known = rebuild(found, load(connection, record))
        columns = {"document": _text(known), "deleted_at": known.deleted_at, "since": known.since}
        if connection.execute(_KEEP, columns | {"the_record": record}).rowcount == 0:
            connection.execute(sa.insert(baseline), columns | {"record": record})


def line_of(row: sa.Row[*tuple[Any, ...]]) -> Line:
    """The journal line of a row that was joined with its message."""
    return Line(
        id=row.id,
        at=row.at,
        origin=row.origin or "",
        outcome=Outcome(row.outcome),
        operation=Operation(row.operation),
        changed_at=row.changed_at,
        changes=changes_of(row.changes),
        message_id=row.original_id if row.original_id is not None else row.message_id,
        map_version=row.map_version,
    )


def _text(known: Believed) -> str:
    columns = {
        name: {
            "value": tagged(belief.value),
            "origin": belief.origin,
            "changed_at": None if belief.changed_at is None else belief.changed_at.isoformat(),
            "at": belief.at.isoformat(),
            "line": belief.line,
            "map_version": belief.map_version,
        }
        for name, belief in known.columns.items()
    }
    return dumps({"columns": columns, "blank": dict(known.blank)})


def _belief(told: dict[str, Any]) -> Belief:
    changed_at = told["changed_at"]
    return Belief(
        value=untagged(told["value"]),
        origin=told["origin"],
        changed_at=None if changed_at is None else datetime.fromisoformat(changed_at),
        at=datetime.fromisoformat(told["at"]),
        line=told["line"],
        map_version=told["map_version"],
    )
