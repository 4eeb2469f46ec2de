"""What a record's own system has said of it, from the history alone: what an un-merge gives it back."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.sqltypes import word
from shared.connectors.sqlstore.tables import absorbed_row, conflict, crosswalk, journal, shadow
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import changes_of, keys_of, shadow_of, value_of
from shared.core.customers import Before
from shared.core.identity import DATAVERSE, RecordKey
from shared.core.mapping.columns import Value


@dataclass(frozen=True, slots=True)
class SqlSayings:
    """`Sayings` on SQL."""

    database: Database

    async def before(self, key: RecordKey, row: UUID) -> Before:
        """See `Sayings.before`."""
        return await self.database.read(lambda c: _before(c, key, row))


def _before(connection: sa.Connection, key: RecordKey, row: UUID) -> Before:
    merged = sa.select(absorbed_row).where(absorbed_row.c.heir == row).order_by(absorbed_row.c.at.desc())
    own: UUID | None = None
    values: dict[str, Value] = {}
    left: dict[str, Value] = {}
    for lost in connection.execute(merged).all():
        if key in keys_of(lost.records):
            own = lost.row_id
            kept = connection.execute(sa.select(shadow).where(shadow.c.record == own)).one_or_none()
            marks = shadow_of(kept.document, kept.deleted_at).marks if kept is not None else {}
            values = {name: mark.held_by(key.system) for name, mark in marks.items()}
            left = {name: mark.held_by(DATAVERSE) for name, mark in marks.items()}
            break
    values |= _said(connection, key, row)
    others = (
        sa.select(crosswalk.c.system)
        .where(
            crosswalk.c.row_id == row,
            crosswalk.c.state == word("paired"),
            sa.not_(
                sa.and_(
                    crosswalk.c.system == key.system,
                    crosswalk.c.entity == key.entity,
                    crosswalk.c.legacy_id == key.id,
                )
            ),
        )
        .limit(1)
    )
    shared = connection.execute(others).first() is not None
    return Before(own, values, shared, left)


def _said(connection: sa.Connection, key: RecordKey, row: UUID) -> Mapping[str, Value]:
    """What the record said while it was this row: what was agreed by it, and what lost, in that order."""
    lines = (
        sa.select(journal)
        .where(
            journal.c.record == row,
            journal.c.source == key.system,
            journal.c.entity == key.entity,
            journal.c.source_id == key.id,
        )
        .order_by(journal.c.id)
    )
    values: dict[str, Value] = {}
    for line in connection.execute(lines).all():
        lost = sa.select(conflict).where(conflict.c.number == line.number, conflict.c.record == row)
        values |= {name: change.after for name, change in changes_of(line.changes).items()}
        values |= {one.column_name: value_of(one.inbound) for one in connection.execute(lost).all()}
    return values
