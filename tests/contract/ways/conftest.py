"""The ways in and out of each system, behind the same few words: what people do, and then see."""

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from local.crm.rest import start as start_crm
from local.crm.systems import SYSTEMS
from mappers.allegory import ALLEGORY
from mappers.exports import EXPORTS
from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.files.place import DropFolders
from shared.connectors.legacy.feed import RestFeed
from shared.connectors.legacy.rest import RestRecords
from shared.connectors.memory.bus import MemoryBus
from shared.connectors.memory.clock import SettableClock
from shared.connectors.memory.dataverse import MemoryRows
from shared.connectors.memory.telemetry import MemoryTelemetry
from shared.connectors.sqlstore import open_store
from shared.connectors.web.client import WebClient
from shared.core.change import Direction
from shared.core.rest import ChangeFeed
from shared.inbound.drops.reading import Drops
from shared.inbound.feed import Feed
from tests.integration.files.office import BEGIN, SETTLE, Office, People, gate_for, office_at

KEY = "the-integrations-key"


class Ways(Protocol):
    """A system with its way in and its way out, and the people on both sides."""

    system: str

    @property
    def people(self) -> People:
        """The people on Dataverse's side."""
        ...

    async def save(self, record: str, *, name: str = "", city: str = "", phone: str = "") -> None:
        """A person saves a company there; blanks are left as they are."""
        ...

    async def remove(self, record: str) -> None:
        """A person deletes it there."""
        ...

    async def held(self) -> Mapping[str, tuple[str, str, str]]:
        """Every company there: name, city, phone."""
        ...

    async def comes_in(self) -> list[str]:
        """What people did there is read; the outcomes of what was told."""
        ...

    async def goes_out(self) -> None:
        """What waits for the system reaches it, and its answers come back."""
        ...

    async def refuse(self) -> None:
        """The next thing that reaches the system is refused."""
        ...

    def drop_half(self) -> None:
        """The next export is half written, where the way in is an export."""
        ...


@dataclass
class LegrandWays:
    """Export drops in, import workbooks out."""

    office: Office
    system: str = "legrand"
    count: int = 0
    quirks: tuple[str, ...] = ()
    half: bool = False

    @property
    def people(self) -> People:
        return self.office

    async def save(self, record: str, *, name: str = "", city: str = "", phone: str = "") -> None:
        said = {"Company Name": name, "City": city, "Phone": phone}
        fields = {column: value for column, value in said.items() if value}
        path = f"/admin/records/companies/{record}"
        there = self.office.desk.get(path).status_code == 200
        self.office.clock.advance(timedelta(minutes=1))
        (self.office.desk.patch if there else self.office.desk.put)(path, json=fields).raise_for_status()

    async def remove(self, record: str) -> None:
        self.office.desk.delete(f"/admin/records/companies/{record}").raise_for_status()

    async def held(self) -> Mapping[str, tuple[str, str, str]]:
        return {
            one["Company ID"]: (one["Company Name"], one["City"], one["Phone"])
            for one in self.office.records("companies")
        }

    async def comes_in(self) -> list[str]:
        self.count += 1
        wanted = {"quirks": ["half_written"]} if self.half else {}
        self.half = False
        return await self.office.drop(f"drop-{self.count}", **wanted)

    async def goes_out(self) -> None:
        await self.office.exchange(*self.quirks)
        self.quirks = ()

    async def refuse(self) -> None:
        self.quirks = ("refuses",)

    def drop_half(self) -> None:
        self.half = True


@dataclass
class AllegoryWays:
    """REST out; in by the change feed, or by export drops."""

    people: People
    desk: httpx.AsyncClient
    feed: Feed
    drops: Drops | None
    folder: Path
    bus: MemoryBus
    clock: SettableClock
    system: str = "allegory"
    count: int = 0
    half: bool = False
    seen: dict[str, str] = field(default_factory=dict)

    async def save(self, record: str, *, name: str = "", city: str = "", phone: str = "") -> None:
        self.clock.advance(timedelta(minutes=1))
        said = {"name": name, "city": city, "phone": phone}
        fields = {column: value for column, value in said.items() if value}
        there = (await self.desk.get(f"/companies/{record}")).status_code == 200
        call = self.desk.patch if there else self.desk.put
        (await call(f"/companies/{record}", json=fields)).raise_for_status()

    async def remove(self, record: str) -> None:
        self.clock.advance(timedelta(minutes=1))
        (await self.desk.delete(f"/companies/{record}")).raise_for_status()

    async def held(self) -> Mapping[str, tuple[str, str, str]]:
        records = (await self.desk.get("/companies")).raise_for_status().json()["records"]
        return {
            one["company_id"]: (one["name"], one.get("city") or "", one.get("phone") or "") for one in records
        }

    async def comes_in(self) -> list[str]:
        before = len(self.bus.sent)
        if self.drops is None:
            await self.feed.run()
        else:
            await self._dropped(self.drops)
        told = [sent.message for sent in self.bus.sent[before:]]
        for message in told:
            await self.people.gate.receive(message)
        return [await self.people.fate(message.id) for message in told]

    async def _dropped(self, drops: Drops) -> None:
        self.clock.advance(timedelta(hours=1))
        self.count += 1
        folder = f"drop-{self.count}"
        (await self.desk.post("/admin/export", json={"folder": folder})).raise_for_status()
        if self.half:
            (self.folder / folder / "export_manifest.json").unlink()
            self.half = False
        await drops.run()
        self.clock.advance(SETTLE)
        await drops.run()

    async def goes_out(self) -> None:
        """Allegory is written to at once."""

    async def refuse(self) -> None:
        fault = {"kind": "status", "status": 422}
        for method in ("PATCH", "POST"):
            (await self.desk.post("/admin/faults", json=fault | {"method": method})).raise_for_status()

    def drop_half(self) -> None:
        self.half = True


@asynccontextmanager
async def allegory(folder: Path, *, by_drops: bool) -> AsyncIterator[AllegoryWays]:
    clock = SettableClock(BEGIN)
    key = folder / "key"
    key.write_text(KEY)
    with ExitStack() as opened:
        crm = opened.enter_context(
            start_crm(SYSTEMS["allegory"], api_key_file=key, drop_url=str(folder / "drops"), now=clock.now)
        )
        store = open_store(f"sqlite:///{folder / 'tandem.db'}", clock, owner="one")
        opened.callback(store.close)
        client = WebClient("Allegory", crm.url, FixedSecret(KEY))
        rows, telemetry = MemoryRows(clock), MemoryTelemetry()
        bus = MemoryBus({direction: direction.value for direction in Direction}, clock, seal=store.seal)
        records = {ALLEGORY.name: RestRecords(ALLEGORY, client)}
        gate = gate_for((ALLEGORY,), store, rows, bus, clock, telemetry, records)
        common = (store.cursors, store.jobs, bus, gate)
        feed = Feed(
            ALLEGORY, RestFeed(ChangeFeed(), client), *common, telemetry, queue="inbound", owner="one"
        )
        export = EXPORTS[ALLEGORY.name]
        drops = Drops(
            ALLEGORY,
            export,
            DropFolders(str(folder / "drops"), export),
            store.snapshots,
            *common,
            clock,
            telemetry,
            queue="inbound",
            owner="one",
            settle=SETTLE,
        )
        async with httpx.AsyncClient(base_url=crm.url) as desk:
            people = People(clock, rows, store, gate)
            way = drops if by_drops else None
            yield AllegoryWays(people, desk, feed, way, folder / "drops", bus, clock)
        await client.aclose()


@pytest.fixture(params=["allegory by REST", "allegory by drops and REST", "legrand by drops and imports"])
async def ways(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ways]:
    if request.param.startswith("legrand"):
        with office_at(tmp_path) as office:
            yield LegrandWays(office)
    else:
        async with allegory(tmp_path, by_drops="drops" in request.param) as made:
            yield made


@pytest.fixture(params=["allegory by drops and REST", "legrand by drops and imports"])
async def dropping(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ways]:
    if request.param.startswith("legrand"):
        with office_at(tmp_path) as office:
            yield LegrandWays(office)
    else:
        async with allegory(tmp_path, by_drops=True) as made:
            yield made
