"""Who took part, resolved: from the addresses and records a map names to rows of Dataverse (A-09)."""

from dataclasses import dataclass
from typing import Any

from shared.core.crosswalk import Crosswalk
from shared.core.mapping.columns import Column, Value
from shared.core.mapping.parties import SOUGHT, Party, PartyRef
from shared.core.mapping.references import DirectoryRef, RowRef
from shared.core.ports import Directory
from shared.core.system import LegacySystem


@dataclass(frozen=True, slots=True)
class Attendance:
    """Resolves the parties of one legacy system's activities."""

    system: LegacySystem
    crosswalk: Crosswalk
    directory: Directory

    async def resolved(self, column: Column[Any], parties: tuple[Party | PartyRef, ...]) -> dict[str, Value]:
        """The parties with their rows; where an address alone is no party, those without a row are leftover.

        Nobody is waited for: an activity is worth having before everybody in it is known.
        """
        found = [party if isinstance(party, Party) else await self._party(party) for party in parties]
        if not column.leftover:
            return {column.name: tuple(found)}
        nobody = [str(party) for party in found if party.row is None]
        return {
            column.name: tuple(party for party in found if party.row is not None),
            column.leftover: "\n".join(nobody) or None,
        }

    async def _party(self, party: PartyRef) -> Party:
        """Who a party is: the record it names, else the one user, contact or lead with its address."""
        entry = self.system.map_of(party.record.entity) if party.record else None
        row_id = await self.crosswalk.row_of(party.record) if party.record and entry else None
        if entry is not None and row_id is not None:
            return Party(party.role, party.address, RowRef(entry.table.name, row_id))
        for table, name in _sought(party.address):
            rows = await self.directory.matches(DirectoryRef(table, name, party.address, required=False))
            if rows:
                row = RowRef(table, rows[0]) if len(rows) == 1 else None
                return Party(party.role, party.address, row)
        return Party(party.role, party.address)


def _sought(address: str) -> tuple[tuple[str, str], ...]:
    """Where to look for a party; a system that names its users by name alone means users by it."""
    if "@" in address:
        return SOUGHT
    is_number = not address or any(character.isdigit() for character in address)
    return () if is_number else (("systemuser", "fullname"),)
