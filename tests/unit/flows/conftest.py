"""Both flows on a state in memory, between twins of the two systems; messages are handed over one by one."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from mappers.dataverse import TABLES
from mappers.dataverse.personal import PERSONAL
from mappers.matching import RULES
from mappers.survivorship import SURVIVORSHIP
from shared.connectors.memory.bus import MemoryBus
from shared.connectors.memory.clock import SettableClock
from shared.connectors.memory.dataverse import MemoryDirectory, MemoryRows
from shared.connectors.memory.legacy import MemoryRecords
from shared.connectors.memory.lists import MemoryLists
from shared.connectors.memory.people import MemoryPeople
from shared.connectors.memory.telemetry import MemoryTelemetry
from shared.connectors.memory.units import MemoryUnits
from shared.connectors.sqlstore import Store, inline, open_store
from shared.core import envelope
from shared.core.change import Direction, Json, Message
from shared.core.failure import Backoff
from shared.core.gate import Gate
from shared.core.identity import RecordKey
from shared.core.lane import LaneWorker
from shared.core.legacy import going_out
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Kind
from shared.core.mapping.references import RowRef
from shared.core.matching import Noticing
from shared.core.named_records import NamedRecords
from shared.core.outcome import Outcome
from shared.core.owner_lookup import OwnerLookup
from shared.core.record_owner import OwnerPolicy
from shared.core.system import LegacySystem
from shared.core.turns import LoopBudget
from shared.core.unit import RecordUnits
from shared.inbound.absorbing import Absorbing
from shared.inbound.assigning import Assigning
from shared.inbound.flow import Inbound
from shared.inbound.settling import Settling
from shared.inbound.splitting import Splitting
from shared.outbound.flow import Outbound
from shared.recovery.customers import Customers
from shared.recovery.settle import Settle
from tests.unit.flows.fence import fenced

US = "tandem"
LAID_DOWN = OwnerPolicy()
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
ROW = UUID("00000000-0000-4000-8000-000000000001")


@dataclass
class Desk:
    """The app's core with its surroundings, and short words for what happens there."""

    clock: SettableClock
    rows: MemoryRows
    records: MemoryRecords
    store: Store
    gate: Gate
    settle: Settle
    bus: MemoryBus
    customers: Customers
    lists: MemoryLists
    others: Mapping[str, MemoryRecords] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 100_000)))

    async def row_changed(
        self,
        row: UUID = ROW,
        *,
        operation: str = "Update",
        at: datetime | None = None,
        actor: str | None = None,
        version: str | None = None,
        table: str = "account",
        **data: Json,
    ) -> Outcome | None:
        """A flow tells of an account, or of another table's row; returns what became of the message."""
        body = {
            "schemaVersion": "1.0",
            "source": "dataverse",
            "table": table,
            "recordId": str(row),
            "operation": operation,
            "changedOn": (at or self.clock.now()).isoformat(),
            "rowVersion": version or str(next(self.numbers)),
            "initiatedBy": actor,
            "data": {f"{table}id": str(row), **data},
        }
        return await self._receive("outbound", str(row), body)

    async def record_changed(
        self,
        record: str,
        data: Mapping[str, Json] | None,
        *,
        at: datetime | None = None,
        actor: str | None = None,
        heir: str | None = None,
        system: str = "allegory",
        row: UUID | None = None,
    ) -> Outcome | None:
        """Allegory tells of a company, of its end, or of its heir; returns what became of the message."""
        body: dict[str, Any] = {
            "schemaVersion": "1.0",
            "source": system,
            "entity": "company",
            "sourceKey": record,
            "operation": "merge" if heir else "upsert" if data else "delete",
            "changedOn": (at or self.clock.now()).isoformat(),
            "changedBy": actor,
        }
        if data:
            body["data"] = dict(data)
        if heir:
            body["mergedInto"] = heir
        if row:
            body["dataverseId"] = str(row)
        return await self._receive("inbound", str(row) if row else f"{system}:company:{record}", body)

    async def _receive(self, queue: str, session: str, body: Mapping[str, Any]) -> Outcome | None:
        number = next(self.numbers)
        message = Message(f"m-{number}", queue, session, json.dumps(body).encode(), position=number)
        await self.gate.receive(message)
        found = await self.store.operations.messages.find(message.id)
        assert found is not None
        return Outcome(found["outcome"]) if found["outcome"] else None

    async def company(self, record_id: str = "C-1", **fields: Json) -> UUID:
        """A company that both systems hold; returns its row."""
        record = self.records.put("company", record_id, {"name": "Nordwind", **fields})
        assert await self.record_changed(record_id, record.fields) is Outcome.APPLIED
        row = await self.store.crosswalk.row_of(RecordKey("allegory", "company", record_id))
        assert row is not None
        return row

    async def edit_record(self, **fields: Json) -> Outcome | None:
        """A person saves the company in Allegory, which tells of it."""
        self.clock.advance(timedelta(seconds=1))
        return await self.record_changed("C-1", self.save_record(**fields))

    def save_record(self, **fields: Json) -> Mapping[str, Json]:
        """A person saves the company in Allegory, which has yet to tell."""
        held = self.records.of("company")["C-1"]
        return self.records.put("company", "C-1", {**held, **fields}).fields

    async def edit_row(self, row: UUID, actor: str | None = None, **values: str | None) -> Outcome | None:
        """A person saves the row in Dataverse, whose flow tells of it."""
        self.clock.advance(timedelta(seconds=1))
        self.rows.put("account", row, values)
        return await self.tell_row(row, actor)

    async def tell_row(
        self, row: UUID, actor: str | None = None, operation: str = "Update"
    ) -> Outcome | None:
        """The flow tells of the row as it is."""
        kept = await self.rows.read(TABLES["account"], row)
        assert kept is not None
        told: dict[str, Any] = {}
        for name in (*going_out(COMPANY), "fax", "masterid"):
            value = kept.values.get(name)
            is_lookup = TABLES["account"].columns[name].kind is Kind.LOOKUP
            told[f"_{name}_value" if is_lookup else name] = (
                str(value.id) if isinstance(value, RowRef) else value
            )
        told["statecode"] = kept.values.get("statecode") or 0
        body = {
            "schemaVersion": "1.0",
            "source": "dataverse",
            "table": "account",
            "recordId": str(row),
            "operation": operation,
            "changedOn": kept.modified_at.isoformat(),
            "rowVersion": kept.version.strip('W/"'),
            "initiatedBy": actor,
            "data": {"accountid": str(row), **told},
        }
        return await self._receive("outbound", str(row), body)

    async def delivered(self) -> None:
        """What the app itself put on a queue arrives."""
        for sent in self.bus.sent:
            await self.gate.receive(sent.message)
        self.bus.sent.clear()

    async def later(self, seconds: float, record: UUID = ROW) -> None:
        """Time goes by, and the lane is woken."""
        self.clock.advance(timedelta(seconds=seconds))
        await self.gate.worker.drain(record)


@pytest.fixture
def desk() -> Iterator[Desk]:
    with desk_with(ALLEGORY) as made:
        yield made


@contextmanager
def desk_with(allegory: LegacySystem, *more: LegacySystem, policy: OwnerPolicy = LAID_DOWN) -> Iterator[Desk]:
    """A desk whose legacy system has other maps, is perhaps not the only one, or has another policy."""
    clock = SettableClock(START)
    rows = MemoryRows(clock)
    lists = MemoryLists(rows)
    written = [allegory, *(system for system in more if system.collections)]
    held = {system.name: MemoryRecords(system, clock) for system in written}
    legacy = {name: NamedRecords(name, each) for name, each in held.items()}
    records = held[allegory.name]
    store = open_store("sqlite://", clock, executor=inline, owner="w")
    systems = {system.name: system for system in (allegory, *more)}
    lookups = {
        name: Lookups(system, TABLES, store.crosswalk, MemoryDirectory(rows), store.record_owners)
        for name, system in systems.items()
    }
    parse = partial(_parse, clock)
    telemetry = MemoryTelemetry()
    budget = LoopBudget(turns=6)
    settling = Settling(store.conflicts, rows, legacy, lookups)
    absorbing = Absorbing(rows, store.shadows, store.crosswalk, store.lanes, legacy)
    splitting = Splitting(store.cases, store.sayings, rows, store.crosswalk, store.lanes, legacy, systems)
    finding = OwnerLookup(MemoryPeople(rows), store.record_owners, policy)
    units = RecordUnits(MemoryUnits(rows), finding, lookups, store.shadows)
    inbound = Inbound(
        systems,
        lookups,
        rows,
        store.shadows,
        Assigning(finding),
        legacy,
        store.owners,
        budget,
        settling,
        absorbing=absorbing,
        survivorship=SURVIVORSHIP,
        splitting=splitting,
        units=units,
        lists=lists,
    )
    outbound = Outbound(
        systems,
        lookups,
        legacy,
        TABLES,
        rows,
        store.crosswalk,
        store.shadows,
        store.lanes,
        store.owners,
        budget,
        cases=store.cases,
        units=units,
        survivorship=SURVIVORSHIP,
    )
    bus = MemoryBus({direction: direction.value for direction in Direction}, clock, seal=store.seal)
    worker = LaneWorker(
        lanes=store.lanes,
        appliers={
            Direction.INBOUND: Noticing(inbound, RULES, systems),
            Direction.OUTBOUND: Noticing(outbound, RULES, systems),
        },
        parse=parse,
        bus=bus,
        clock=clock,
        telemetry=telemetry,
        backoff=Backoff(timedelta(seconds=1), timedelta(seconds=1), lambda: 0.0),
    )
    gate = Gate(store.inbox, store.crosswalk, systems, parse, worker, telemetry, store.seal)
    settle = Settle(store.conflicts, systems, bus, clock, "inbound", store.seal, uuid4)
    customers = Customers(
        store.cases,
        store.sayings,
        store.crosswalk,
        systems,
        RULES,
        PERSONAL,
        bus,
        clock,
        ("inbound", "outbound"),
        store.seal,
        uuid4,
    )
    with fenced(rows, *held.values()):
        yield Desk(clock, rows, records, store, gate, settle, bus, customers, lists, held)
    store.close()


def _parse(clock: SettableClock, message: Message) -> Any:
    return envelope.read(message, clock.now(), timedelta(minutes=5), frozenset({US}))
