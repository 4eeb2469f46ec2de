"""The far sides and the agreed state as they would be: read for real, written in memory alone.

The flows that decide about a message run on these exactly as they run on the real ones, so a prediction is
made by the very code that will act. Nothing here can write to a far side: no such call is ever passed on.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from shared.core.change import Change, Json
from shared.core.crosswalk import Crosswalk, Entry
from shared.core.errors import Gone, MovedOn
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Table, Value, placeholder_id
from shared.core.mapping.references import DirectoryRef, RowRef
from shared.core.mapping.satellites import Membership
from shared.core.plan_items import Known
from shared.core.ports import (
    Clock,
    Directory,
    LegacyRecord,
    LegacyRecords,
    Row,
    Rows,
    Shadows,
)
from shared.core.shadow import Shadow
from shared.core.verdict import Collision, Lease
from shared.recovery.plans.outline import Outline

_NUMBER = re.compile(r"\d+")


@dataclass(slots=True)
class ImaginedRows:
    """`Rows` on a memory of what was read; `writes` counts what would be written, by table.

    `found` is what was read for real, `known` what would be there by now.
    """

    real: Rows
    clock: Clock
    writes: dict[str, int] = field(default_factory=dict)
    reads: int = 0
    found: dict[tuple[str, UUID], Row | None] = field(default_factory=dict)
    known: dict[tuple[str, UUID], Row | None] = field(default_factory=dict)

    async def read(self, table: Table, row_id: UUID) -> Row | None:
        """The row as it would be."""
        place = (table.name, row_id)
        if place not in self.known:
            self.reads += 1
            if place not in self.found:
                self.found[place] = await self.real.read(table, row_id)
            self.known[place] = self.found[place]
        return self.known[place]

    async def create(self, table: Table, row_id: UUID, values: Mapping[str, Value]) -> Row:
        """See `Rows.create`."""
        if await self.read(table, row_id) is not None:
            raise MovedOn("a row with this id is already there")
        blank = dict.fromkeys((name for name, column in table.columns.items() if not column.create_only))
        return self._write(table, row_id, Row({**blank, **values}, 'W/"1"', self.clock.now()))

    async def update(self, table: Table, row_id: UUID, values: Mapping[str, Value], version: str) -> Row:
        """See `Rows.update`."""
        held = await self._at(table, row_id, version)
        number = _NUMBER.search(held.version)
        after = f'W/"{int(number[0]) + 1 if number else 1}"'
        return self._write(table, row_id, Row({**held.values, **values}, after, self.clock.now()))

    async def delete(self, table: Table, row_id: UUID, version: str) -> None:
        """See `Rows.delete`."""
        if await self.read(table, row_id) is not None:
            await self._at(table, row_id, version)
            self._write(table, row_id, None)

    async def merge(self, table: Table, heir: UUID, loser: UUID) -> None:
        """See `Rows.merge`; what hangs from the loser is not imagined."""
        for row_id in (heir, loser):
            if await self.read(table, row_id) is None:
                raise Gone("the row does not exist")
        self._write(table, loser, self.known[table.name, loser])

    async def _at(self, table: Table, row_id: UUID, version: str) -> Row:
        held = await self.read(table, row_id)
        if held is None:
            raise Gone("the row does not exist")
        if held.version != version:
            raise MovedOn("the row is at another version")
        return held

    def _write(self, table: Table, row_id: UUID, row: Row | None) -> Row:
        self.writes[table.name] = self.writes.get(table.name, 0) + 1
        self.known[table.name, row_id] = row
        return row or Row({}, "", self.clock.now())


@dataclass(slots=True)
class ImaginedLists:
    """`MarketingLists` of which nothing is asked: `writes` counts what may be written, by table."""

    writes: dict[str, int]

    async def join(self, place: Membership) -> None:
        """See `MarketingLists.join`."""
        self._count(place)

    async def leave(self, place: Membership) -> None:
        """See `MarketingLists.leave`."""
        self._count(place)

    def _count(self, place: Membership) -> None:
        del place
        self.writes["listmember"] = self.writes.get("listmember", 0) + 1


@dataclass(slots=True)
class ImaginedRecords:
    """`LegacyRecords` of one system on a memory of what was read."""

    real: LegacyRecords
    clock: Clock
    writes: dict[str, int] = field(default_factory=dict)
    reads: int = 0
    found: dict[tuple[str, str], LegacyRecord | None] = field(default_factory=dict)
    known: dict[tuple[str, str], LegacyRecord | None] = field(default_factory=dict)

    async def read(self, entity: str, record_id: str) -> LegacyRecord | None:
        """The record as it would be."""
        place = (entity, record_id)
        if place not in self.known:
            self.reads += 1
            if place not in self.found:
                self.found[place] = await self.real.read(entity, record_id)
            self.known[place] = self.found[place]
        return self.known[place]

    async def create(self, entity: str, fields: Mapping[str, Json], idempotency_key: str) -> LegacyRecord:
        """See `LegacyRecords.create`; the id it will get is not known yet."""
        made = LegacyRecord(f"new:{idempotency_key}", dict(fields), '"new"', self.clock.now())
        return self._write(entity, made.id, made)

    async def update(
        self, entity: str, record_id: str, fields: Mapping[str, Json], version: str
    ) -> LegacyRecord:
        """See `LegacyRecords.update`."""
        held = await self.read(entity, record_id)
        if held is None:
            raise Gone("the record no longer exists")
        if held.version != version:
            raise MovedOn("the record is at another version")
        now = self.clock.now()
        after = replace(held, fields={**held.fields, **fields}, version=f"{held.version}+", changed_at=now)
        return self._write(entity, record_id, after)

    async def delete(self, entity: str, record_id: str, version: str) -> None:
        """See `LegacyRecords.delete`."""
        held = await self.read(entity, record_id)
        if held is None:
            return
        if held.version != version:
            raise MovedOn("the record is at another version")
        self.writes[entity] = self.writes.get(entity, 0) + 1
        self.known[entity, record_id] = None

    async def merge(self, entity: str, heir: str, loser: str) -> None:
        """See `LegacyRecords.merge`; what names the loser is not imagined."""
        if await self.read(entity, heir) is None:
            raise Gone("the record no longer exists")
        self.writes[entity] = self.writes.get(entity, 0) + 1
        self.known[entity, loser] = None

    def _write(self, entity: str, record_id: str, record: LegacyRecord) -> LegacyRecord:
        self.writes[entity] = self.writes.get(entity, 0) + 1
        self.known[entity, record_id] = record
        return record


@dataclass(slots=True)
class ImaginedShadows:
    """`Shadows` that remember what would be agreed, and keep no conflict."""

    real: Shadows
    known: Known
    agreed: dict[UUID, Shadow] = field(default_factory=dict)

    async def load(self, record: UUID) -> Shadow:
        """The record's shadow as it would be."""
        found = self.agreed.get(record) or self.known.agreed.get(record)
        return found if found is not None else await self.real.load(record)

    async def overrule(
        self, change: Change, record: UUID, collisions: Sequence[Collision], phases: Mapping[str, str]
    ) -> None:
        """Nothing is overruled in a prediction."""


@dataclass(slots=True)
class ImaginedCrosswalk:
    """`Crosswalk` in which the records of the plan are paired: those before them will have been sent."""

    real: Crosswalk
    planned: Outline
    known: Known
    pairs: dict[RecordKey, UUID] = field(default_factory=dict)

    async def claim(self, key: RecordKey, row_id: UUID | None, chosen: UUID) -> UUID:
        """The row a record would get; nothing is reserved."""
        return await self.row_of(key) or row_id or chosen

    async def row_of(self, key: RecordKey) -> UUID | None:
        """The row a record is, or will be, paired with."""
        return self.pairs.get(key) or await self._paired(key) or self.planned.rows.get(key)

    async def records_of(self, row_id: UUID) -> Sequence[RecordKey]:
        """The records that are, or will be, paired with a row."""
        new = [key for key, row in self.pairs.items() if row == row_id]
        known = self.known.of_rows.get(row_id)
        found = [*(await self.real.records_of(row_id) if known is None else known), *new]
        return found or self.planned.records.get(row_id, [])

    async def claims_on(self, row_id: UUID) -> Sequence[RecordKey]:
        """The records paired with a row, and those it was promised to."""
        return await self.real.claims_on(row_id)

    async def entry(self, key: RecordKey) -> Entry | None:
        """See `Crosswalk.entry`; a record of the plan is paired."""
        row = await self.row_of(key)
        return await self.real.entry(key) if row is None else Entry(row, is_paired=True)

    async def heir_of(self, row_id: UUID) -> UUID | None:
        """See `Crosswalk.heir_of`."""
        return await self.real.heir_of(row_id)

    async def _paired(self, key: RecordKey) -> UUID | None:
        return self.known.of_keys[key] if key in self.known.of_keys else await self.real.row_of(key)


@dataclass(frozen=True, slots=True)
class ImaginedLanes:
    """Lanes that are always free to be seized: nobody works them in a prediction."""

    async def seize(self, record: UUID) -> Lease | None:
        """See `Lanes.seize`."""
        return Lease(record, "a prediction", 0, timedelta(days=1))

    async def confirm(self, lease: Lease) -> None:
        """Nobody takes it away."""

    async def keep(self, lease: Lease) -> None:
        """It does not run out."""

    async def release(self, lease: Lease) -> None:
        """There is nothing to give back."""


@dataclass(frozen=True, slots=True)
class ImaginedDirectory:
    """`Directory` that makes no placeholder."""

    real: Directory

    async def find(self, ref: DirectoryRef) -> UUID | None:
        """See `Directory.find`."""
        return await self.real.find(ref)

    async def matches(self, ref: DirectoryRef) -> Sequence[UUID]:
        """See `Directory.matches`."""
        return await self.real.matches(ref)

    async def value_of(self, row: RowRef, column: str) -> str | None:
        """See `Directory.value_of`."""
        return await self.real.value_of(row, column)

    async def placeholder(self, table: Table) -> UUID:
        """The row the placeholder is, or will be."""
        return placeholder_id(table.name)
