"""Both ways to Legrand on real parts: its desk, its folders, the state. Dataverse alone is a twin."""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from local.crm.sheets.desk import start
from local.crm.systems import SHEETS
from mappers.dataverse import TABLES
from mappers.legrand import LEGRAND
from mappers.legrand.export import EXPORT
from mappers.legrand.imports import IMPORTS
from mappers.matching import RULES
from mappers.survivorship import SURVIVORSHIP
from shared.connectors.files.imports import ImportFolder
from shared.connectors.files.place import DropFolders
from shared.connectors.memory.bus import MemoryBus
from shared.connectors.memory.clock import SettableClock
from shared.connectors.memory.dataverse import MemoryDirectory, MemoryRows
from shared.connectors.memory.lists import MemoryLists
from shared.connectors.memory.people import MemoryPeople
from shared.connectors.memory.telemetry import MemoryTelemetry
from shared.connectors.sqlstore import Store, open_store
from shared.connectors.sqlstore.tables import conflict
from shared.connectors.sqlstore.values import value_of
from shared.core import envelope
from shared.core.change import Change, Direction, Drain, Message
from shared.core.failure import Backoff
from shared.core.gate import Gate
from shared.core.identity import RecordKey
from shared.core.lane import LaneWorker
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Kind, Value
from shared.core.mapping.references import RowRef
from shared.core.mapping.rows import encode
from shared.core.matching import Noticing
from shared.core.owner_lookup import OwnerLookup
from shared.core.ports import LegacyRecords
from shared.core.system import LegacySystem
from shared.core.turns import LoopBudget
from shared.inbound.absorbing import Absorbing
from shared.inbound.assigning import Assigning
from shared.inbound.by_import import ByImport
from shared.inbound.drops.reading import Drops
from shared.inbound.flow import Inbound
from shared.inbound.settling import Settling
from shared.inbound.splitting import Splitting
from shared.outbound.flow import Outbound
from shared.outbound.imports.handing import Handing
from shared.outbound.posting import Posting

BEGIN = datetime(2026, 1, 31, 10, 11, 12, tzinfo=UTC)
SETTLE = timedelta(seconds=30)
COLLECT = timedelta(minutes=30)
LOST_AFTER = timedelta(hours=6)
US = "tandem"


@dataclass
class People:
    """What people do in Dataverse and see there, and what became of it."""

    clock: SettableClock
    rows: MemoryRows
    store: Store
    gate: Gate
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 100_000)))

    async def fate(self, message_id: str) -> str:
        """What became of a message."""
        found = await self.store.operations.messages.find(message_id)
        assert found is not None
        return str(found["outcome"] or found["status"])

    async def save(self, table: str, row: UUID, **values: Value) -> str:
        """A person saves a row in Dataverse, whose flow tells of it; returns the id of its message."""
        self.clock.advance(timedelta(minutes=1))
        self.rows.put(table, row, values)
        return await self.tell(table, row)

    async def tell(self, table: str, row: UUID, operation: str = "Update") -> str:
        """The flow tells of a row as it is."""
        return await (await self.tell_later(table, row, operation))()

    async def tell_later(
        self, table: str, row: UUID, operation: str = "Update"
    ) -> Callable[[], Awaitable[str]]:
        """What the flow tells of a row as it is, to be received later; then the id of its message."""
        kept = await self.rows.read(TABLES[table], row)
        data = _told(table, kept.values) if kept else {}
        body = {
            "schemaVersion": "1.0",
            "source": "dataverse",
            "table": table,
            "recordId": str(row),
            "operation": operation if kept else "Delete",
            "changedOn": (kept.modified_at if kept else self.clock.now()).isoformat(),
            "rowVersion": kept.version.strip('W/"') if kept else "0",
            "data": {TABLES[table].primary_key: str(row), **data},
        }
        number = next(self.numbers)
        message = Message(f"m-{number}", "outbound", str(row), encode(body), position=number)

        async def received() -> str:
            await self.gate.receive(message)
            return message.id

        return received

    async def row_of(self, key: str) -> UUID:
        """The row a Legrand record is."""
        parsed = RecordKey.parse(key)
        assert parsed is not None
        found = await self.store.crosswalk.row_of(parsed)
        assert found is not None, key
        return found

    async def values(self, table: str, row: UUID) -> Mapping[str, Value]:
        """A row's values."""
        kept = await self.rows.read(TABLES[table], row)
        assert kept is not None
        return kept.values

    async def conflicts(self) -> list[dict[str, Any]]:
        """The conflicts that were kept."""
        columns = (conflict.c.column_name, conflict.c.inbound, conflict.c.outbound, conflict.c.winner)
        with self.store.engine.connect() as connection:
            rows = connection.execute(sa.select(*columns).order_by(conflict.c.id)).all()
        return [
            {
                "column": row.column_name,
                "inbound": value_of(row.inbound),
                "outbound": value_of(row.outbound),
                "winner": row.winner,
            }
            for row in rows
        ]


@dataclass
class Office(People):
    """Everything between a person in Dataverse and a person in Legrand, and short words for what they do."""

    desk: httpx.Client = field(kw_only=True)
    bus: MemoryBus = field(kw_only=True)
    drops: Drops = field(kw_only=True)
    handing: Handing = field(kw_only=True)
    telemetry: MemoryTelemetry = field(kw_only=True)
    folder: Path = field(kw_only=True)

    @property
    def imports(self) -> Path:
        """Where workbooks are put."""
        return self.folder / "imports"

    def files(self) -> list[str]:
        """The files in the place of imports."""
        return sorted(path.name for path in self.imports.iterdir()) if self.imports.exists() else []

    def put(self, module: str, record_id: str, **fields: str) -> None:
        """A person saves a record in Legrand; underscores stand for blanks."""
        said = {name.replace("_", " "): value for name, value in fields.items()}
        self.desk.put(f"/admin/records/{module}/{record_id}", json=said).raise_for_status()

    def edit(self, module: str, record_id: str, fields: Mapping[str, str]) -> None:
        """A person changes a record in Legrand."""
        self.clock.advance(timedelta(minutes=1))
        self.desk.patch(f"/admin/records/{module}/{record_id}", json=dict(fields)).raise_for_status()

    def record(self, module: str, record_id: str) -> dict[str, str]:
        """A record in Legrand."""
        answer = self.desk.get(f"/admin/records/{module}/{record_id}").raise_for_status()
        return dict(answer.json())

    def records(self, module: str) -> list[dict[str, str]]:
        """All records of a module."""
        return list(self.desk.get(f"/admin/records/{module}").raise_for_status().json()["records"])

    def run_import(self, *quirks: str) -> dict[str, Any]:
        """A person in Legrand runs the imports that wait."""
        self.clock.advance(timedelta(minutes=1))
        answer = self.desk.post("/admin/import", json={"quirks": list(quirks)}).raise_for_status()
        return dict(answer.json()["files"])

    async def drop(self, name: str, **wanted: Any) -> list[str]:
        """A person exports, and the drop is read; returns the outcomes of what differs."""
        self.clock.advance(timedelta(hours=1))
        self.desk.post("/admin/export", json={"folder": name, **wanted}).raise_for_status()
        before = len(self.bus.sent)
        await self.drops.run()
        self.clock.advance(SETTLE)
        await self.drops.run()
        told = [sent.message for sent in self.bus.sent[before:]]
        for message in told:
            await self.gate.receive(message)
        return [await self.fate(message.id) for message in told]

    async def hand_over(self, after: timedelta = COLLECT) -> int:
        """The timer hands over once writes were collected long enough; the lanes it wakes are worked."""
        self.clock.advance(after)
        before = len(self.bus.sent)
        written = await self.handing.run()
        for sent in self.bus.sent[before:]:
            await self.gate.receive(sent.message)
        return written

    async def retry(self) -> None:
        """The timer works the lanes that nobody was told to work."""
        self.clock.advance(timedelta(minutes=1))
        for record in await self.store.lanes.due(100):
            await self.gate.worker.drain(record)

    async def exchange(self, *quirks: str) -> dict[str, Any]:
        """A whole round: handed over, imported, acknowledged."""
        await self.hand_over()
        done = self.run_import(*quirks)
        await self.hand_over(timedelta(minutes=5))
        return done

    def cells(self, name: str) -> list[Any]:
        """Every cell of a workbook."""
        book = CalamineWorkbook.from_path(self.imports / name)
        return [cell for row in book.get_sheet_by_index(0).to_python() for cell in row]

    def sizes(self) -> list[tuple[str, int]]:
        """Every workbook that was handed over, with how many rows it has."""
        names = [name for name in self.files() if not name.endswith(".ack.xlsx")]
        books = [(name, CalamineWorkbook.from_path(self.imports / name)) for name in names]
        return [(name, len(book.get_sheet_by_index(0).to_python()) - 1) for name, book in books]

    async def pending(self) -> list[dict[str, Any]]:
        """The pending writes as operators are told of them."""
        return list((await self.store.imports.report())["pending"])


def _told(table: str, values: Mapping[str, Value]) -> dict[str, Any]:
    """A row's values as a flow's body writes them."""
    told: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, RowRef):
            told[f"_{name}_value"] = str(value.id)
            told[f"_{name}_type"] = value.table
        elif value is None and TABLES[table].columns[name].kind is Kind.LOOKUP:
            told[f"_{name}_value"] = None
        elif isinstance(value, datetime):
            told[name] = value.strftime("%Y-%m-%dT%H:%M:%SZ")
        elif isinstance(value, date):
            told[name] = value.isoformat()
        else:
            told[name] = value
    return told


@contextmanager
def office_at(
    folder: Path,
    before: Office | None = None,
    *,
    clock: SettableClock | None = None,
    others: Sequence[LegacySystem] = (),
    records: Mapping[str, LegacyRecords] | None = None,
    takes_imports: bool = True,
) -> Iterator[Office]:
    """An office whose files and state lie in a folder; with the one `before` it is a process started anew."""
    clock = before.clock if before else clock or SettableClock(BEGIN)
    store = open_store(f"sqlite:///{folder / 'tandem.db'}", clock, owner="one")
    drops, imports = str(folder / "drops"), str(folder / "imports")
    server = start(SHEETS["legrand"], drops, now=clock.now, store=folder / "legrand.db", import_url=imports)
    with server, httpx.Client(base_url=server.url, timeout=60) as desk:
        rows, telemetry = before.rows if before else MemoryRows(clock), MemoryTelemetry()
        bus = MemoryBus({direction: direction.value for direction in Direction}, clock, seal=store.seal)
        gate = gate_for(
            (*others, LEGRAND), store, rows, bus, clock, telemetry, records or {}, takes_imports=takes_imports
        )
        common = (store.jobs, bus)
        reading = Drops(
            LEGRAND,
            EXPORT,
            DropFolders(drops, EXPORT),
            store.snapshots,
            store.cursors,
            *common,
            gate,
            clock,
            telemetry,
            queue="inbound",
            owner="one",
            settle=SETTLE,
        )
        handing = Handing(
            IMPORTS,
            ImportFolder(imports),
            store.imports,
            *common,
            clock,
            telemetry,
            owner="one",
            collect=COLLECT,
            lost_after=LOST_AFTER,
        )
        made = Office(
            clock,
            rows,
            store,
            gate,
            desk=desk,
            bus=bus,
            drops=reading,
            handing=handing,
            telemetry=telemetry,
            folder=folder,
        )
        yield replace(made, numbers=before.numbers) if before else made
    store.close()


def gate_for(
    legacy: Sequence[LegacySystem],
    store: Store,
    rows: MemoryRows,
    bus: MemoryBus,
    clock: SettableClock,
    telemetry: MemoryTelemetry,
    records: Mapping[str, LegacyRecords],
    *,
    takes_imports: bool = True,
) -> Gate:
    """Both flows between Dataverse's twin and these systems, as the wiring puts them together."""
    systems = {system.name: system for system in legacy}
    directory = MemoryDirectory(rows)
    lookups = {name: Lookups(system, TABLES, store.crosswalk, directory) for name, system in systems.items()}
    budget = LoopBudget()
    places = frozenset({"legrand"})
    posting = Posting(lookups, places, store.pending, rows, store.shadows, budget) if takes_imports else None
    by_import = ByImport(lookups, store.pending, places) if takes_imports else None
    settling = Settling(store.conflicts, rows, records, lookups, by_import)
    parse = partial(_parse, clock)
    assigning = Assigning(OwnerLookup(MemoryPeople(rows)))
    inbound = Inbound(
        systems,
        lookups,
        rows,
        store.shadows,
        assigning,
        records,
        store.owners,
        budget,
        settling,
        by_import,
        Absorbing(rows, store.shadows, store.crosswalk, store.lanes, records),
        SURVIVORSHIP,
        Splitting(store.cases, store.sayings, rows, store.crosswalk, store.lanes, records, systems),
        lists=MemoryLists(rows),
    )
    outbound = Outbound(
        systems,
        lookups,
        records,
        TABLES,
        rows,
        store.crosswalk,
        store.shadows,
        store.lanes,
        store.owners,
        budget,
        posting,
        store.cases,
        survivorship=SURVIVORSHIP,
    )
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
    return Gate(store.inbox, store.crosswalk, systems, parse, worker, telemetry, store.seal)


def _parse(clock: SettableClock, message: Message) -> Change | Drain:
    read = envelope.read(message, clock.now(), timedelta(minutes=5), frozenset({US}))
    assert json.loads(message.body)
    return read
