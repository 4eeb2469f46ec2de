"""The state's own account of a run, read once it is over."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from mappers.allegory import ALLEGORY
from shared.connectors.sqlstore import tables
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.mapping.columns import Unresolved, Value, placeholder_id
from shared.core.mapping.references import DirectoryRef, PlaceholderRef, RecordRef, RowRef
from tests.simulation.sides import OWNER
from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Books:
    """Every pair, the lines of each table that tells what became of messages, and who is whose heir."""

    pairs: Mapping[RecordKey, UUID]
    journal: list[Any]
    conflicts: list[Any]
    items: list[Any]
    messages: list[Any]
    shadows: list[Any]
    claims: Mapping[RecordKey, UUID]
    heirs: Mapping[UUID, UUID]

    def heir(self, row: UUID) -> UUID:
        """The row that a row is by now, after merges; also one that its record was to be and never was."""
        taken = {chosen_row_id(key): row for key, row in self.claims.items()}
        # A row that others share stays theirs when the record leaves that it was made for; it may be merged
        # later.
        row = row if row in self.pairs.values() or row in self.heirs else taken.get(row, row)
        while row in self.heirs:
            row = self.heirs[row]
        return row

    def of_heir(self, value: Value) -> Value:
        """What points at a row that was merged away means its heir: it may be older than our knowing."""
        return replace(value, id=self.heir(value.id)) if isinstance(value, RowRef) else value

    def resolved(self, value: Unresolved) -> Value:
        """What a value of a legacy record is in Dataverse; a record without a row is told by its key."""
        if isinstance(value, RecordRef):
            # What names a record that was merged away means its heir.
            found = self.claims.get(value.key)
            entry = ALLEGORY.map_of(value.key.entity)
            return RowRef(entry.table.name, found) if found and entry else str(value.key)
        if isinstance(value, PlaceholderRef):
            return RowRef(value.table, placeholder_id(value.table))
        if isinstance(value, DirectoryRef):
            return RowRef(value.table, OWNER)
        if isinstance(value, tuple):
            raise TypeError("nobody works with activities here")
        return value


def books_of(world: World) -> Books:
    """Read them."""
    with world.store.engine.connect() as connection:

        def everything(table: sa.Table) -> list[Any]:
            return list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)).all())

        pairs = {
            RecordKey(row.system, row.entity, row.legacy_id): row.row_id
            for row in everything(tables.crosswalk)
            if row.state == "paired"
        }
        return Books(
            pairs,
            everything(tables.journal),
            everything(tables.conflict),
            everything(tables.lane_item),
            everything(tables.message),
            everything(tables.shadow),
            {
                RecordKey(row.system, row.entity, row.legacy_id): row.row_id
                for row in everything(tables.crosswalk)
            },
            {row.row_id: row.heir for row in everything(tables.absorbed_row)},
        )
