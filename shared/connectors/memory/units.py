"""`Units` without Dataverse."""

from uuid import UUID

from shared.connectors.memory.dataverse import MemoryRows
from shared.core.identity import guid
from shared.core.mapping.references import RowRef
from shared.core.record_owner import spelled
from shared.core.unit import Chain, Unit

_TABLE = "businessunit"


class MemoryUnits:
    """A twin of the business units, over a `MemoryRows`: `put` units, and users and teams in them, there."""

    def __init__(self, rows: MemoryRows) -> None:
        self._rows = rows

    async def of(self, owner: RowRef) -> Chain:
        """The unit of a user or team, and those above it."""
        unit = self._rows.of(owner.table).get(owner.id, {}).get("businessunitid")
        return self._chain(unit.id) if isinstance(unit, RowRef) else ()

    async def named(self, name: str) -> Chain:
        """The unit of a name, letter case aside, or of a GUID; empty unless there is exactly one."""
        found = [
            unit
            for unit, values in self._rows.of(_TABLE).items()
            if unit == guid(name) or spelled(str(values["name"])) == spelled(name)
        ]
        return self._chain(found[0]) if len(found) == 1 else ()

    def _chain(self, unit: UUID) -> Chain:
        rows = self._rows.of(_TABLE)
        found: list[Unit] = []
        while unit in rows:
            found.append(Unit(unit, str(rows[unit]["name"])))
            above = rows[unit].get("parentbusinessunitid")
            unit = above.id if isinstance(above, RowRef) else UUID(int=0)
        return tuple(found)
