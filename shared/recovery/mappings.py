"""The maps held against the organisation at hand: what could not be written there, told beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.core.mapping.columns import Table
from shared.core.mapping.fit import Metadata, misfits
from shared.core.ports import Report
from shared.core.system import LegacySystem


@dataclass(frozen=True, slots=True)
class MappingCheck:
    """Reads the metadata of every table the maps write, and compares."""

    systems: Mapping[str, LegacySystem]
    metadata: Metadata

    async def told(self) -> Report:
        """How many tables and columns were compared, and every misfit with the fields it concerns.

        Raises Throttled, Unavailable or Refused.
        """
        entries = [entry for system in self.systems.values() for entry in system.maps]
        tables: dict[str, Table] = {entry.table.name: entry.table for entry in entries}
        organisation = {name: await self.metadata.columns(table) for name, table in sorted(tables.items())}
        columns = {(entry.table.name, line.column.name) for entry in entries for line in entry.fields}
        return {
            "tables": len(tables),
            "columns": len(columns),
            "misfits": [
                {
                    "table": one.table,
                    "column": one.column,
                    "problem": one.problem,
                    "fields": list(one.fields),
                }
                for one in misfits(self.systems.values(), organisation)
            ],
        }
