"""A record read back: whether the far side holds what was agreed, asked after the canary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.core.change import Change, Direction
from shared.core.identity import DATAVERSE
from shared.core.mapping.columns import Table, Unresolved, Value
from shared.core.mapping.spec import EntityMap, Flow
from shared.core.shadow import Shadow
from shared.recovery.plans.sides import Sides


class Proof(StrEnum):
    """What reading a record back has shown."""

    EQUAL = "equal"
    DIFFERS = "differs"
    NEWER = "newer"
    """Somebody has changed it there since; its own message will tell."""
    UNWRITTEN = "unwritten"
    """Nothing of it went through: there is nothing to read back."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Reads records back."""

    sides: Sides

    async def of(self, record: UUID, changes: Sequence[Change]) -> Proof:
        """Compare every far side that these changes of a record went to with what is agreed about it."""
        shadow = await self.sides.shadows.load(record)
        found: set[Proof] = set()
        if any(change.direction is Direction.INBOUND for change in changes):
            table = next((self.sides.table(c) for c in changes if c.direction is Direction.INBOUND), None)
            if table is not None:
                found.add(await self._row(table, record, shadow))
        if any(change.direction is Direction.OUTBOUND for change in changes):
            found |= await self._legacy(record, shadow)
        if await self.sides.shadows.load(record) != shadow:
            return Proof.NEWER
        return next((each for each in (Proof.DIFFERS, Proof.NEWER) if each in found), Proof.EQUAL)

    async def _row(self, table: Table, record: UUID, shadow: Shadow) -> Proof:
        row = await self.sides.rows.read(table, record)
        if row is None:
            return Proof.DIFFERS if shadow.marks else Proof.EQUAL
        compared = {name for name, column in table.columns.items() if not column.incidental}
        held = {name: value for name, value in row.values.items() if name in compared}
        is_equal = _agree(shadow, held, DATAVERSE)
        return _said(is_equal=is_equal, is_ours=shadow.versions.get(DATAVERSE) == row.version)

    async def _legacy(self, record: UUID, shadow: Shadow) -> set[Proof]:
        proofs: set[Proof] = set()
        for key in await self.sides.crosswalk.records_of(record):
            records, entry = self.sides.records.get(key.system), None
            if records is not None:
                entry = self.sides.systems[key.system].map_of(key.entity)
            if records is None or entry is None or not entry.outbound:
                continue
            found = await records.read(key.entity, key.id)
            if found is None:
                proofs.add(Proof.DIFFERS if shadow.marks else Proof.EQUAL)
                continue
            held = await self._columns(key.system, entry, entry.to_columns(found.fields).values)
            is_ours = shadow.versions.get(key.system) == found.version
            proofs.add(_said(is_equal=_agree(shadow, held, key.system), is_ours=is_ours))
        return proofs

    async def _columns(
        self, system: str, entry: EntityMap, values: Mapping[str, Unresolved]
    ) -> dict[str, Value]:
        """A record's columns that cross outwards; one whose value has no place in Dataverse is left out."""
        crossing = {line.column.name for line in entry.fields if line.flow is Flow.BOTH}
        said = {name: value for name, value in values.items() if name in crossing}
        return await self.sides.lookups()[system].known(entry, said)


def _agree(shadow: Shadow, held: Mapping[str, Value], system: str) -> bool:
    """Whether a side holds what it is taken to hold; while a person is to decide, the two differ."""
    marks = shadow.marks
    return all(marks[name].held_by(system) == value for name, value in held.items() if name in marks)


def _said(*, is_equal: bool, is_ours: bool) -> Proof:
    if is_equal:
        return Proof.EQUAL
    return Proof.DIFFERS if is_ours else Proof.NEWER
