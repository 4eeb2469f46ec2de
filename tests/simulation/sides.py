"""The two systems: the memory twins behind unsteady lines, and what each tells of every change in it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from random import Random
from typing import Any
from uuid import UUID

from mappers.allegory import ALLEGORY
from mappers.dataverse import TABLES
from mappers.dataverse.filters import Filter, outbound_filters
from shared.connectors.memory.dataverse import MemoryRows
from shared.connectors.memory.legacy import MemoryRecords
from shared.core.change import Json, Message, Operation
from shared.core.feed import FeedPage, LegacyChange, LegacyPage
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.mapping.columns import Kind, Table, Value
from shared.core.mapping.references import RowRef
from shared.core.ports import Clock, LegacyRecord, Row
from shared.core.row_changes import RowPage
from tests.simulation.queues import Queues
from tests.simulation.story import Story
from tests.simulation.weather import FarSide, Fault

FILTERS: Mapping[str, Filter] = {found.table.name: found for found in outbound_filters((ALLEGORY,))}
US, PERSON = "tandem", "somebody"
"""Who writes, as either side tells it."""
OWNER = UUID("00000000-0000-0000-0000-00000000000a")


@dataclass(slots=True)
class Dataverse:
    """`Rows` and `RowChanges`; a flow tells of every change of a column that crosses, ours included."""

    twin: MemoryRows
    line: FarSide
    clock: Clock
    queues: Queues
    chance: Random
    story: Story
    writers: dict[UUID, str] = field(default_factory=dict)
    writes: Counter[UUID] = field(default_factory=Counter)
    moved: int = 0

    async def read(self, table: Table, row_id: UUID) -> Row | None:
        return await self.line.read(lambda: self.twin.read(table, row_id))

    async def read_many(self, table: Table, row_ids: Sequence[UUID]) -> Mapping[UUID, Row | None]:
        return await self.line.read(lambda: self.twin.read_many(table, row_ids))

    async def create(self, table: Table, row_id: UUID, values: Mapping[str, Value]) -> Row:
        async def do() -> Row:
            row = await self.twin.create(table, row_id, {"ownerid": RowRef("systemuser", OWNER), **values})
            self._written("creates", table.name, row_id, values, row.version)
            self.tell(table.name, row_id, "Create", set(values))
            return row

        return await self.line.write(row_id, do)

    async def update(self, table: Table, row_id: UUID, values: Mapping[str, Value], version: str) -> Row:
        async def do() -> Row:
            row = await self.twin.update(table, row_id, values, version)
            self._written("updates", table.name, row_id, values, row.version)
            self.tell(table.name, row_id, "Update", set(values))
            return row

        return await self.line.write(row_id, do)

    async def delete(self, table: Table, row_id: UUID, version: str) -> None:
        async def do() -> None:
            there = row_id in self.twin.of(table.name)
            await self.twin.delete(table, row_id, version)
            if there:
                self._written("deletes", table.name, row_id, {}, version)
                self.tell(table.name, row_id, "Delete", set())

        await self.line.write(row_id, do)

    async def merge(self, table: Table, heir: UUID, loser: UUID) -> None:
        async def do() -> None:
            before = dict(self.twin._rows)
            await self.twin.merge(table, heir, loser)
            self._tell_merge(table.name, heir, loser, before, US)

        await self.line.write(loser, do)

    def unite(self, table: str, heir: UUID, loser: UUID) -> None:
        """A person merges one row into another."""
        before = dict(self.twin._rows)
        self.twin.unite(table, heir, loser)
        self._tell_merge(table, heir, loser, before, PERSON)

    def _tell_merge(
        self, table: str, heir: UUID, loser: UUID, before: Mapping[tuple[str, UUID], object], by: str
    ) -> None:
        """Every row that changed by a merge is told of, the loser last."""
        changed = [place for place, kept in self.twin._rows.items() if before.get(place) is not kept]
        if not changed:
            return
        self.writes[loser] += by == US
        self.moved += len(changed)
        self.story.tell(f"{by} merges {table} {_id(loser)} into {_id(heir)}", loser)
        for name, row_id in sorted(changed, key=lambda place: place == (table, loser)):
            self.writers[row_id] = by
            self.tell(name, row_id, "Update", set(FILTERS[name].attributes))

    async def changes(self, table: Table, since: str) -> RowPage:
        return await self.line.read(lambda: self.twin.changes(table, since))

    def version(self, table: str, row_id: UUID) -> int:
        """The row version: a number that grows."""
        return self.twin._rows[table, row_id].number

    def put(self, table: str, row_id: UUID, values: Mapping[str, Value]) -> None:
        """A person saves a row."""
        self.writers[row_id] = PERSON
        new = row_id not in self.twin.of(table)
        owner: Mapping[str, Value] = {"ownerid": RowRef("systemuser", OWNER)} if new else {}
        self.twin.put(table, row_id, {**owner, **values})
        said = ", ".join(f"{name}={_short(value)}" for name, value in values.items())
        version = self.version(table, row_id)
        self.story.tell(f"a person saves {table} {_id(row_id)}: {said} (version {version})", row_id)
        self.tell(table, row_id, "Create" if new else "Update", set(values))

    def remove(self, table: str, row_id: UUID) -> None:
        """A person deletes a row."""
        self.writers[row_id] = PERSON
        self.twin.remove(table, row_id)
        self.story.tell(f"a person deletes {table} {_id(row_id)}", row_id)
        self.tell(table, row_id, "Delete", set())

    def tell(self, table: str, row_id: UUID, what: str, columns: set[str]) -> None:
        """The flow of a table fires, or not, or its message is lost."""
        found = FILTERS[table]
        if what == "Update" and not columns & set(found.attributes):
            return
        if self.line.weather.strikes(Fault.LOSS):
            self.story.tell(f"the flow's message about {table} {_id(row_id)} is lost", row_id)
            return
        self.queues.send(self._message(found, row_id, what))

    def _message(self, found: Filter, row_id: UUID, what: str) -> Message:
        table = found.table
        body: dict[str, Json] = {
            "schemaVersion": "1.0",
            "source": "dataverse",
            "table": table.name,
            "recordId": str(row_id),
            "operation": what,
            "changedOn": _written_time(self.clock),
            "rowVersion": "0",
            "initiatedBy": self.writers.get(row_id),
            "data": {table.primary_key: str(row_id)},
        }
        if what != "Delete":
            kept = self.twin._rows[table.name, row_id]
            body["changedOn"] = kept.modified_at.strftime("%Y-%m-%dT%H:%M:%SZ")
            body["rowVersion"] = str(kept.number)
            body["data"] = {table.primary_key: str(row_id), **_columns(found, kept.values)}
        message_id = f"f{self.chance.getrandbits(32):08x}"
        version = body["rowVersion"]
        self.story.tell(
            f"{message_id}: a flow tells of {table.name} {_id(row_id)} version {version} ({what})", row_id
        )
        return Message(
            id=message_id,
            queue="outbound",
            session_id=str(row_id),
            body=json.dumps(body).encode(),
            properties={"contentType": "application/json"},
        )

    def _written(
        self, what: str, table: str, row_id: UUID, values: Mapping[str, Value], version: str
    ) -> None:
        self.writes[row_id] += 1
        self.writers[row_id] = US
        said = ", ".join(f"{name}={_short(value)}" for name, value in values.items() if name != "ownerid")
        self.story.tell(f"Tandem {what} {table} {_id(row_id)}: {said} ({version})", row_id)


@dataclass(slots=True)
class Allegory:
    """`LegacyRecords`, `LegacyFeed` and `LegacySnapshot`; a sender may tell of changes, too, or in the feed's
    place. A record made here holds `blanks` where nothing is said.
    """

    twin: MemoryRecords
    line: FarSide
    queues: Queues
    chance: Random
    story: Story
    sends: bool
    feeds: bool
    blanks: Mapping[str, Mapping[str, Json]]
    system: str = ALLEGORY.name
    writes: Counter[UUID] = field(default_factory=Counter)
    moved: int = 0
    sent: int = 0

    async def read(self, entity: str, record_id: str) -> LegacyRecord | None:
        return await self.line.read(lambda: self.twin.read(entity, record_id))

    async def create(self, entity: str, fields: Mapping[str, Json], idempotency_key: str) -> LegacyRecord:
        async def do() -> LegacyRecord:
            before = len(self.twin.of(entity))
            record = await self.twin.create(entity, {**self.blanks[entity], **fields}, idempotency_key)
            if len(self.twin.of(entity)) > before:
                self._written("creates", entity, record)
                self._tell(entity, record.id, record, fields, by_us=True)
            return record

        return await self.line.write(UUID(str(fields["cf_dataverse_id"])), do)

    async def update(
        self, entity: str, record_id: str, fields: Mapping[str, Json], version: str
    ) -> LegacyRecord:
        async def do() -> LegacyRecord:
            record = await self.twin.update(entity, record_id, fields, version)
            self._written("updates", entity, record)
            self._tell(entity, record_id, record, fields, by_us=True)
            return record

        return await self.line.write(self._lane_of(entity, record_id), do)

    async def delete(self, entity: str, record_id: str, version: str) -> None:
        about = self.row_of(entity, record_id)

        async def do() -> None:
            there = await self.twin.read(entity, record_id)
            await self.twin.delete(entity, record_id, version)
            if there:
                if there.version != version:
                    self.line.overlaps.append(f"{about}: {record_id} was deleted though people edited it")
                self.writes[about] += 1
                self.story.tell(f"Tandem deletes {entity} {record_id}", about)
                self._tell(entity, record_id, None, {}, by_us=True)

        await self.line.write(self._lane_of(entity, record_id), do)

    async def merge(self, entity: str, heir: str, loser: str) -> None:
        async def do() -> None:
            before = dict(self.twin._records)
            await self.twin.merge(entity, heir, loser)
            self._tell_merge(entity, heir, loser, before, by_us=True)

        await self.line.write(self._lane_of(entity, loser), do)

    def unite(self, entity: str, heir: str, loser: str) -> None:
        """A person merges one record into another."""
        before = dict(self.twin._records)
        self.twin.unite(entity, heir, loser)
        self._tell_merge(entity, heir, loser, before, by_us=False)

    def _tell_merge(
        self, entity: str, heir: str, loser: str, before: Mapping[Any, LegacyRecord], *, by_us: bool
    ) -> None:
        now = self.twin._records
        changed = {place: record for place, record in now.items() if before.get(place) is not record}
        if len(before) == len(now):
            return
        self.writes[self.row_of(entity, loser)] += by_us
        self.moved += len(changed)
        who = "Tandem" if by_us else "a person"
        self.story.tell(f"{who} merges {entity} {loser} into {heir}", self.row_of(entity, loser))
        if not by_us:
            self.merged.add(self.row_of(entity, loser))
        self._tell(entity, loser, None, {}, by_us=by_us, heir=heir)
        for place, record in changed.items():
            self._tell(place.entity, place.id, record, record.fields, by_us=by_us)

    async def page(self, entity: str, position: str, limit: int) -> LegacyPage:
        return await self.line.read(lambda: self.twin.page(entity, position, limit))

    async def changes(self, since: str, limit: int) -> FeedPage:
        if not self.feeds:
            return FeedPage((), since)
        return await self.line.read(lambda: self.twin.changes(since, limit))

    def cursors(self) -> list[str]:
        """The ids of what the feed tells, if there is one."""
        return [f"{self.system}-feed-{change.cursor}" for change in self.twin._log] if self.feeds else []

    def heirs(self) -> list[tuple[UUID, UUID]]:
        """The row of each record that was merged, and that of its heir."""
        merged = self.twin._merged.items()
        return [
            (self.row_of(place.entity, place.id), self.row_of(place.entity, heir)) for place, heir in merged
        ]

    def row_of(self, entity: str, record_id: str) -> UUID:
        """The row a record is, or will be."""
        told = self._rows.get((entity, record_id))
        return told or chosen_row_id(RecordKey(self.system, entity, record_id))

    def _lane_of(self, entity: str, record_id: str) -> UUID:
        """What nobody else may write meanwhile; one of Borealis, which may leave its row, counts alone."""
        return UUID(int=self.row_of(entity, record_id).int ^ (self.system != ALLEGORY.name))

    def put(self, entity: str, record_id: str, fields: Mapping[str, Json]) -> None:
        """A person saves a record."""
        known = self.twin.of(entity).get(record_id, {})
        record = self.twin.put(entity, record_id, {**known, **fields})
        said = ", ".join(f"{name}={value}" for name, value in fields.items())
        self.story.tell(f"a person saves {entity} {record_id}: {said}", self.row_of(entity, record_id))
        self._tell(entity, record_id, record, fields, by_us=False)

    def remove(self, entity: str, record_id: str) -> None:
        """A person deletes a record."""
        self.twin.remove(entity, record_id)
        self.story.tell(f"a person deletes {entity} {record_id}", self.row_of(entity, record_id))
        self._tell(entity, record_id, None, {}, by_us=False)

    def _tell(
        self,
        entity: str,
        record_id: str,
        record: LegacyRecord | None,
        changed: Mapping[str, Json],
        *,
        by_us: bool,
        heir: str = "",
    ) -> None:
        at = record.changed_at if record else self.twin._clock.now()
        if record and record.fields.get("cf_dataverse_id"):
            self._rows[entity, record_id] = UUID(str(record.fields["cf_dataverse_id"]))
        operation = Operation.UPSERT if record else Operation.ABSORB if heir else Operation.DELETE
        if self.sends and not (by_us and self.chance.random() < 0.5):
            told = _data(record, changed, self.chance)
            self._send(LegacyChange("", entity, record_id, operation, at, told, heir=heir))

    def _send(self, change: LegacyChange) -> None:
        self.sent += 1
        body: dict[str, Json] = {
            "schemaVersion": "1.0",
            "source": self.system,
            "entity": change.entity,
            "sourceKey": change.id,
            "operation": "merge" if change.heir else change.operation.value,
            "changedOn": change.changed_at.astimezone(UTC).isoformat(),
        }
        if change.heir:
            body["mergedInto"] = change.heir
        if change.operation is Operation.UPSERT:
            body["data"] = dict(change.record)
        message_id = f"s{self.sent}"
        about = self.row_of(change.entity, change.id)
        told = ", ".join(change.record) or "its end"
        self.story.tell(f"{message_id}: a sender tells of {change.entity} {change.id}: {told}", about)
        self.queues.send(
            Message(
                id=message_id,
                queue="inbound",
                session_id=f"{self.system}:{change.entity}:{change.id}",
                body=json.dumps(body).encode(),
            )
        )

    def _written(self, what: str, entity: str, record: LegacyRecord) -> None:
        told = record.fields.get("cf_dataverse_id")
        about = UUID(str(told)) if told else self.row_of(entity, record.id)
        self.writes[about] += 1
        said = ", ".join(f"{name}={value}" for name, value in record.fields.items() if value)
        self.story.tell(f"Tandem {what} {entity} {record.id}: {said} ({record.version})", about)

    merged: set[UUID] = field(default_factory=set)
    _rows: dict[tuple[str, str], UUID] = field(default_factory=dict)


def _data(record: LegacyRecord | None, changed: Mapping[str, Json], chance: Random) -> Mapping[str, Json]:
    """All of a record, or what changed in it and which row it says it is."""
    if record is None:
        return {}
    if chance.random() < 0.3:
        return record.fields
    told = {*changed, "updated_at", "cf_dataverse_id"}
    return {name: value for name, value in record.fields.items() if name in told}


def _columns(found: Filter, values: Mapping[str, Value]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name in found.attributes:
        value = values.get(name)
        if TABLES[found.table.name].columns[name].kind is Kind.LOOKUP:
            told[f"_{name}_value"] = str(value.id) if isinstance(value, RowRef) else None
            told[f"_{name}_type"] = TABLES[value.table].entity_set if isinstance(value, RowRef) else None
        else:
            told[name] = value
    return told


def _written_time(clock: Clock) -> str:
    return clock.now().isoformat()


def _short(value: Value) -> str:
    return f"{value.table} {_id(value.id)}" if isinstance(value, RowRef) else str(value)


def _id(row_id: UUID) -> str:
    return str(row_id)[:8]
