"""Which records a row is, and in which system a new row gets its record (ADR 0043)."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from shared.core.codes import Code
from shared.core.crosswalk import Crosswalk
from shared.core.customers import Cases
from shared.core.errors import ParentElsewhere, Transient
from shared.core.identity import RecordKey
from shared.core.pending import PendingWrites
from shared.core.system import LegacySystem
from shared.outbound.target import Target


@dataclass(frozen=True, slots=True)
class Placing:
    """Finds the targets of a row's changes.

    `writes` are what is on its way into systems by import, `cases` the records that are to get rows.
    """

    systems: Mapping[str, LegacySystem]
    crosswalk: Crosswalk
    writes: PendingWrites | None = None
    cases: Cases | None = None

    def holding(self, key: RecordKey) -> Target | None:
        """A record as a target; None where its system has no map for it."""
        entry = self.systems[key.system].map_of(key.entity)
        return None if entry is None else Target(self.systems[key.system], entry, key)

    async def targets(self, table: str, record: UUID) -> list[Target]:
        """The records that are the row, those that take writes first; for a new row, where it is to be made.

        A record that another system holds is not created a second time in one that does not have it; nor is
        one whose row we wrote without learning so: the row's own message may be worked before the retry; nor
        one that is on its way into a system. Raises LookupError where no map sends the table out, Transient
        while a record is taken out of another row for this one.
        """
        claims = await self.crosswalk.claims_on(record)
        held = [target for key in claims if (target := self.holding(key)) is not None]
        if takers := [target for target in held if target.entry.outbound]:
            # Who takes files alone comes last: the others need not wait for its acknowledgement.
            return sorted(takers, key=lambda target: target.system.by_import)
        if held:
            return held[:1]
        takers = self._takers(table)
        if not takers:
            raise LookupError(f"no map sends {table} out")
        if self.cases is not None and len(self.systems) > 1 and await self.cases.is_coming_to(record):
            raise Transient(Code.RECORD_BUSY, "a record is being given this row for itself")
        posted = await self.writes.of(record) if self.writes is not None and len(takers) > 1 else None
        return [one for one in takers if posted is not None and one.system.name == posted.write.system] or [
            takers[0]
        ]

    def beside(self, target: Target, missing: ParentElsewhere) -> list[Target]:
        """Where else a new row may be made: in the systems that do have what it hangs from."""
        if target.key is not None:
            return []
        return [one for one in self._takers(target.entry.table.name) if one.system.name in missing.holders]

    def _takers(self, table: str) -> list[Target]:
        maps = [(system, system.map_to(table)) for system in self.systems.values()]
        return [Target(system, entry, None) for system, entry in maps if entry is not None and entry.outbound]
