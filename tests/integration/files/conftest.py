"""Legrand's desk, a folder its exports are dropped into, the state, and a queue that is looked at."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.crm.sheets.desk import start
from local.crm.systems import SHEETS
from mappers.legrand import LEGRAND
from mappers.legrand.export import EXPORT
from shared.connectors.files.place import DropFolders
from shared.connectors.memory.bus import MemoryBus
from shared.connectors.memory.clock import SettableClock
from shared.connectors.memory.telemetry import MemoryTelemetry
from shared.connectors.sqlstore import Store, open_store
from shared.core.change import Direction, Message
from shared.core.errors import Unavailable
from shared.inbound.drops.reading import Drops

SETTLE = timedelta(seconds=30)
COMPANY = {
    "Company Name": "Harbour Cycles",
    "Company Type": "Partner",
    "City": "Balmain",
    "Country": "Australia",
}
TICKET = {
    "Subject": "Brakes squeal",
    "Board": "Support",
    "Status": "Open",
    "Priority": "High",
    "Company ID": "CMP1",
    "Company": "Harbour Cycles",
    "Date Logged": "2026-01-30T09:00:00",
}


class Queue(MemoryBus):
    """A queue that can be out of reach after some more messages."""

    left: int | None = None

    async def post(self, message: Message) -> None:
        if self.left is not None:
            if self.left == 0:
                raise Unavailable("the queue is away")
            self.left -= 1
        await super().post(message)


class Whole:
    """A gate nobody comes to: every message of these tests fits on the queue."""

    async def receive(self, message: Message) -> None:
        raise AssertionError(message.id)


@dataclass
class House:
    """One reader of drops with everything around it."""

    desk: httpx.Client
    drops: Drops
    bus: Queue
    store: Store
    clock: SettableClock
    folder: Path

    def put(self, module: str, record_id: str, fields: dict[str, str]) -> None:
        """A person saves a record in Legrand."""
        self.desk.put(f"/admin/records/{module}/{record_id}", json=fields).raise_for_status()

    def drop(self, name: str, **wanted: Any) -> None:
        """A person exports."""
        self.clock.advance(timedelta(hours=1))
        self.desk.post("/admin/export", json={"folder": name, **wanted}).raise_for_status()

    async def look(self) -> list[dict[str, Any]]:
        """Two runs of the timer with the time between in which a drop settles; what they posted."""
        before = len(self.bus.sent)
        await self.drops.run()
        self.clock.advance(SETTLE)
        await self.drops.run()
        return [json.loads(sent.message.body) for sent in self.bus.sent[before:]]

    async def told(self) -> dict[str, Any]:
        """What an operator is told."""
        return dict(await self.store.snapshots.report())

    async def module(self, entity: str) -> dict[str, Any]:
        """What became of a module of the newest drop that was read."""
        drops = (await self.told())["drops"]
        modules = next(drop["modules"] for drop in drops if drop["modules"])
        return next(module for module in modules if module["entity"] == entity)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


def reader(folder: str, store: Store, bus: MemoryBus, clock: SettableClock, owner: str = "one") -> Drops:
    """A reader of Legrand's drops at a place."""
    return Drops(
        LEGRAND,
        EXPORT,
        DropFolders(folder, EXPORT),
        store.snapshots,
        store.cursors,
        store.jobs,
        bus,
        Whole(),  # type: ignore[arg-type]  # never reached
        clock,
        MemoryTelemetry(),
        queue="inbound",
        owner=owner,
        settle=SETTLE,
    )


@pytest.fixture
def store(tmp_path: Path, clock: SettableClock) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'tandem.db'}", clock)
    yield opened
    opened.close()


@pytest.fixture
def house(tmp_path: Path, store: Store, clock: SettableClock) -> Iterator[House]:
    folder = tmp_path / "drops"
    bus = Queue({Direction.INBOUND: "inbound", Direction.OUTBOUND: "outbound"}, clock)
    with (
        start(SHEETS["legrand"], str(folder), now=clock.now) as server,
        httpx.Client(base_url=server.url, timeout=60) as desk,
    ):
        yield House(desk, reader(str(folder), store, bus, clock), bus, store, clock, folder)
