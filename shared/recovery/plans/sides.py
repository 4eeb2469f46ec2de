"""Everything a flow decides with, in one hand: what is real is swapped for what is imagined, and back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from shared.core.absorption import Seizing
from shared.core.change import Change, Direction
from shared.core.crosswalk import Crosswalk
from shared.core.envelope import Parse
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Table, Unresolved
from shared.core.mapping.rows import read_row
from shared.core.owner_lookup import Aliases, People
from shared.core.plan_items import Known
from shared.core.ports import (
    Applier,
    Clock,
    Directory,
    LegacyRecords,
    MarketingLists,
    Row,
    Rows,
    Shadows,
)
from shared.core.system import LegacySystem
from shared.core.unit import Units
from shared.recovery.plans.imagined import (
    ImaginedCrosswalk,
    ImaginedDirectory,
    ImaginedLanes,
    ImaginedLists,
    ImaginedRecords,
    ImaginedRows,
    ImaginedShadows,
)
from shared.recovery.plans.outline import Outline


@dataclass(frozen=True, slots=True)
class Sides:
    """The far sides and the agreed state, real or imagined."""

    systems: Mapping[str, LegacySystem]
    tables: Mapping[str, Table]
    rows: Rows
    records: Mapping[str, LegacyRecords]
    shadows: Shadows
    crosswalk: Crosswalk
    directory: Directory
    people: People
    units: Units
    aliases: Aliases
    parse: Parse
    clock: Clock
    lanes: Seizing
    lists: MarketingLists

    def lookups(self) -> dict[str, Lookups]:
        """The lookups of every system."""
        return {
            name: Lookups(system, self.tables, self.crosswalk, self.directory, self.aliases)
            for name, system in self.systems.items()
        }

    def columns(self, change: Change) -> Mapping[str, Unresolved]:
        """What a change says, in columns; raises InvalidMessage for a value that is not of its column."""
        if change.direction is Direction.OUTBOUND:
            return read_row(self.tables[change.subject.entity], change.data)
        entry = self.systems[change.subject.system].map_of(change.subject.entity)
        return entry.to_columns(change.data).values if entry else {}

    def table(self, change: Change) -> Table | None:
        """The table of the row a change is about."""
        if change.direction is Direction.OUTBOUND:
            return self.tables[change.subject.entity]
        entry = self.systems[change.subject.system].map_of(change.subject.entity)
        return entry.table if entry else None


Appliers: TypeAlias = Callable[[Sides], Mapping[Direction, Applier]]
"""The flows, on the sides they are given."""


@dataclass(frozen=True, slots=True)
class ReadAhead:
    """What was read of many records at once: `rows` by table and id, None where there is no row."""

    rows: Mapping[tuple[str, UUID], Row | None] = field(default_factory=dict)
    known: Known = field(default_factory=Known)


@dataclass(frozen=True, slots=True)
class Imagination:
    """The sides as they would be, for one record."""

    sides: Sides
    rows: ImaginedRows
    records: Mapping[str, ImaginedRecords]
    shadows: ImaginedShadows
    crosswalk: ImaginedCrosswalk

    @classmethod
    def of(cls, real: Sides, planned: Outline, ahead: ReadAhead) -> "Imagination":
        """Everything as it is now, as far as it was read ahead; the rest is read when it is needed."""
        rows = ImaginedRows(real.rows, real.clock, found=dict(ahead.rows))
        records = {name: ImaginedRecords(each, real.clock) for name, each in real.records.items()}
        shadows = ImaginedShadows(real.shadows, ahead.known)
        crosswalk = ImaginedCrosswalk(real.crosswalk, planned, ahead.known)
        sides = Sides(
            systems=real.systems,
            tables=real.tables,
            rows=rows,
            records=records,
            shadows=shadows,
            crosswalk=crosswalk,
            directory=ImaginedDirectory(real.directory),
            people=real.people,
            units=real.units,
            aliases=real.aliases,
            parse=real.parse,
            clock=real.clock,
            lanes=ImaginedLanes(),
            lists=ImaginedLists(rows.writes),
        )
        return cls(sides, rows, records, shadows, crosswalk)

    def afresh(self, real: Sides) -> "Imagination":
        """Everything as it is now once more, without reading again what was read for this one."""
        fresh = Imagination.of(real, self.crosswalk.planned, ReadAhead(self.rows.found, self.crosswalk.known))
        for name, each in fresh.records.items():
            each.found.update(self.records[name].found)
        return fresh

    def writes(self) -> dict[str, int]:
        """What would be written, by table and entity."""
        told = {f"dataverse {table}": size for table, size in self.rows.writes.items()}
        for name, records in self.records.items():
            told |= {f"{name} {entity}": size for entity, size in records.writes.items()}
        return told
