"""Pending writes on SQL: posted and concluded in the transaction of the verdict that does so.

`fields`, `was`, `agrees` and `held` hold customers' values; they are emptied once a write is over.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.sqltypes import Document, Instant, Key, Number, word
from shared.connectors.sqlstore.tables import METADATA
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import dumps, tagged, untagged
from shared.core.pending import Acknowledged, Answer, Asked, PendingWrite, Posted
from shared.core.ports import Report
from shared.core.shadow import Moment
from shared.core.verdict import LaneItem, Verdict

_NAMESPACE = UUID("5f0c6b0e-4d0e-5c43-9d5b-7a2d00000002")

QUEUED, SENT, ANSWERED, OVER = "queued", "sent", "answered", "over"
"""Where a write stands: not yet in a workbook, in one, acknowledged, agreed on or given up."""

_IS_UNDER_WAY = sa.text("state <> 'over'")

import_file = sa.Table(
    "import_file",
    METADATA,
    sa.Column("number", Number, sa.Identity(), primary_key=True),
    sa.Column("system", Key(64), nullable=False),
    sa.Column("entity", Key(128), nullable=False),
    sa.Column("name", Key(256), nullable=False),
    sa.Column("state", Key(16), nullable=False),
    sa.Column("size", Number, nullable=False),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("written_at", Instant),
    sa.Column("acknowledged_at", Instant),
    # How often it was written: once more where it was lost on the way.
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("note", Document, nullable=False),
    sa.UniqueConstraint("system", "name"),
    sqlite_autoincrement=True,
)

pending_write = sa.Table(
    "pending_write",
    METADATA,
    sa.Column("number", Number, sa.Identity(), primary_key=True),
    # What names the row in every workbook that holds it, so that it is done once.
    sa.Column("reference", sa.Uuid),
    sa.Column("system", Key(64), nullable=False),
    sa.Column("entity", Key(128), nullable=False),
    sa.Column("record", sa.Uuid, nullable=False),
    sa.Column("item", Number, sa.ForeignKey("message.number"), nullable=False),
    sa.Column("asked", Key(16), nullable=False),
    sa.Column("legacy_id", Key(128)),
    sa.Column("state", Key(16), nullable=False),
    sa.Column("fields", Document),
    sa.Column("was", Document),
    sa.Column("agrees", Document),
    sa.Column("moment_at", Instant, nullable=False),
    sa.Column("moment_version", Number, nullable=False),
    sa.Column("queued_at", Instant, nullable=False),
    sa.Column("file", Number, sa.ForeignKey("import_file.number")),
    # How many workbooks have held it: once more where an acknowledgement left it out.
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("answer", Key(16)),
    sa.Column("answered_at", Instant),
    sa.Column("answered_id", Key(128)),
    sa.Column("held", Document),
    sa.Column("held_since", Instant),
    sa.Column("code", Key(64)),
    sa.Column("field", Document),
    sa.Column("over_at", Instant),
    sa.Index(
        "uq_pending_write_record",
        "record",
        unique=True,
        mssql_where=_IS_UNDER_WAY,
        sqlite_where=_IS_UNDER_WAY,
    ),
    sa.Index(None, "system", "state", "entity"),
    sa.Index(None, "file"),
    sqlite_autoincrement=True,
)

UNDER_WAY = pending_write.c.state != word("over")

_OF = sa.select(pending_write).where(pending_write.c.record == sa.bindparam("the_record"), UNDER_WAY)

# An answer not committed yet must be waited for, not overlooked: its own release has not seen our dependency.
_IS_ANSWERED = (
    sa.select(pending_write.c.state)
    .with_hint(pending_write, "WITH (READCOMMITTEDLOCK)", "mssql")
    .where(pending_write.c.record == sa.bindparam("the_record"), UNDER_WAY)
)

_SHOWN = (
    sa.select(pending_write, import_file.c.name, import_file.c.written_at)
    .outerjoin(import_file, import_file.c.number == pending_write.c.file)
    .where(pending_write.c.record == sa.bindparam("the_record"), UNDER_WAY)
)

_POST = sa.insert(pending_write)
_NAME = sa.update(pending_write).where(pending_write.c.number == sa.bindparam("the_number"))
_END = sa.update(pending_write).where(pending_write.c.number == sa.bindparam("the_number"), UNDER_WAY)
_END_OF = sa.update(pending_write).where(pending_write.c.record == sa.bindparam("the_record"), UNDER_WAY)

EMPTIED: dict[str, Any] = {"fields": None, "was": None, "agrees": None, "held": None}
"""The columns that hold customers' values, without them."""


@dataclass(frozen=True, slots=True)
class SqlPendingWrites:
    """`PendingWrites` on SQL."""

    database: Database

    async def of(self, record: UUID) -> Posted | None:
        """See `PendingWrites.of`."""
        row = await self.database.read(lambda c: c.execute(_OF, {"the_record": record}).one_or_none())
        return None if row is None else posted_of(row)


def follow(connection: sa.Connection, item: LaneItem, verdict: Verdict, now: datetime) -> None:
    """Conclude the write that is over by a verdict, and put the one it asks for into the queue."""
    if verdict.concludes is not None:
        conclude(connection, verdict.concludes, now)
    if verdict.posts is not None:
        post(connection, item, verdict.posts, now)


def post(connection: sa.Connection, item: LaneItem, write: PendingWrite, now: datetime) -> None:
    """Put a write into the queue. IntegrityError while the record has one that is not over."""
    columns = {
        "system": write.system,
        "entity": write.entity,
        "record": write.record,
        "item": item.number,
        "asked": write.asked.value,
        "legacy_id": write.id,
        "state": QUEUED,
        "fields": dumps(dict(write.fields)),
        "was": dumps(dict(write.was)),
        "agrees": dumps({column: tagged(value) for column, value in write.values.items()}),
        "moment_at": write.moment.at,
        "moment_version": write.moment.version,
        "queued_at": now,
        "times": 0,
    }
    made = connection.execute(_POST, columns).inserted_primary_key
    number = int(made[0]) if made is not None else 0
    # Numbers begin anew in another database; the message's own id does not.
    reference = uuid.uuid5(_NAMESPACE, f"{number}:{item.message.id}:{write.record}")
    connection.execute(_NAME, {"the_number": number, "reference": reference})


def conclude(connection: sa.Connection, number: int, now: datetime) -> None:
    """A write is over: what it carried is forgotten."""
    connection.execute(_END, {"the_number": number, "state": OVER, "over_at": now, **EMPTIED})


def end_of(connection: sa.Connection, record: UUID, now: datetime) -> None:
    """Whatever a row asked for is over with the row: nothing more of it is handed over, or waited for."""
    connection.execute(_END_OF, {"the_record": record, "state": OVER, "over_at": now, **EMPTIED})


def is_waited_for(connection: sa.Connection, record: UUID) -> bool:
    """Whether a record has a write whose acknowledgement is still to come."""
    state = connection.execute(_IS_ANSWERED, {"the_record": record}).scalar_one_or_none()
    return state in {QUEUED, SENT}


def shown_of(connection: sa.Connection, record: UUID) -> Report | None:
    """A record's pending write as people are told of it: what was asked, and how far it has come."""
    row = connection.execute(_SHOWN, {"the_record": record}).one_or_none()
    if row is None:
        return None
    return {
        "system": row.system,
        "asked": row.asked,
        "state": row.state,
        "queued_at": row.queued_at.isoformat(),
        "file": row.name,
        "written_at": row.written_at.isoformat() if row.written_at else None,
        "answer": row.answer,
    }


def posted_of(row: "sa.Row[Any]") -> Posted:
    """A write as it was saved."""
    write = PendingWrite(
        row.system,
        row.entity,
        row.record,
        Asked(row.asked),
        row.legacy_id,
        json.loads(row.fields),
        json.loads(row.was),
        {column: untagged(form) for column, form in json.loads(row.agrees).items()},
        Moment(row.moment_at, row.moment_version),
    )
    if row.answer is None:
        return Posted(row.number, write)
    answered = Acknowledged(
        Answer(row.answer),
        row.answered_at,
        row.answered_id,
        json.loads(row.held) if row.held else {},
        row.held_since,
        row.code or "",
        row.field,
    )
    return Posted(row.number, write, answered)
