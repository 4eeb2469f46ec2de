"""Plans on a state in memory, between twins of the two systems; time goes on only when somebody waits."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.dataverse import TABLES
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
from shared.core.codes import Code
from shared.core.errors import Refused
from shared.core.failure import Backoff
from shared.core.gate import Gate
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.lane import LaneWorker
from shared.core.mapping.columns import Table, Value
from shared.core.owner_lookup import NoAliases, OwnerLookup
from shared.core.plan import Policy, Selection
from shared.core.ports import Applier, Row
from shared.core.priority import Priority, current_priority
from shared.inbound.absorbing import Absorbing
from shared.inbound.assigning import Assigning
from shared.inbound.flow import Inbound
from shared.outbound.flow import Outbound
from shared.recovery.plans.desk import PlanDesk
from shared.recovery.plans.driver import PlanDriver
from shared.recovery.plans.foresight import Foresight
from shared.recovery.plans.proof import ReadBack
from shared.recovery.plans.prophet import Granted, Prophet
from shared.recovery.plans.sides import Sides
from shared.recovery.replay import Replay

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


class PickyRows(MemoryRows):
    """A Dataverse whose administrator shortened the name and took a city off the list, and counts writes."""

    def __init__(self, clock: SettableClock) -> None:
        super().__init__(clock)
        self.picky = True
        self.written: list[tuple[UUID, str]] = []
        self.priorities: list[Priority] = []

    async def create(self, table: Table, row_id: UUID, values: Mapping[str, Value]) -> Row:
        self._judge(values)
        row = await super().create(table, row_id, values)
        self.written.append((row_id, str(values.get("name"))))
        self.priorities.append(current_priority())
        return row

    async def update(self, table: Table, row_id: UUID, values: Mapping[str, Value], version: str) -> Row:
        self._judge(values)
        row = await super().update(table, row_id, values, version)
        self.written.append((row_id, str(values.get("name"))))
        self.priorities.append(current_priority())
        return row

    def _judge(self, values: Mapping[str, Value]) -> None:
        for column in ("name", "address1_city"):
            value = values.get(column)
            if isinstance(value, str) and (
                value.startswith("Never") or (self.picky and value.startswith("Bad"))
            ):
                raise Refused("not taken", answer=f"0x{column}", code=Code.TARGET_REFUSED, field=column)


class Died(BaseException):
    """The worker was killed here."""


@dataclass
class World:
    """The whole app in one thread, with short words for what happens there."""

    clock: SettableClock
    rows: PickyRows
    records: MemoryRecords
    store: Store
    gate: Gate
    bus: MemoryBus
    sides: Sides
    desk: PlanDesk
    driver: PlanDriver
    replay: Replay
    taken: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 100_000)))
    dies_after: int | None = None

    async def company(self, record: str, at: int = 0, *, merged_into: str = "", **data: Json) -> str:
        """Allegory tells of a company, or that it was merged into another; returns the message's id."""
        number = next(self.numbers)
        body: dict[str, Any] = {
            "schemaVersion": "1.0",
            "source": "allegory",
            "entity": "company",
            "sourceKey": record,
            "operation": "upsert",
            "changedOn": (START + timedelta(seconds=at - 3600)).isoformat(),
            "data": {"company_id": record, **data},
        }
        if merged_into:
            body |= {"operation": "merge", "mergedInto": merged_into}
            del body["data"]
        return await self._receive(
            Message(
                f"m-{number}",
                "inbound",
                f"allegory:company:{record}",
                json.dumps(body).encode(),
                position=number,
            )
        )

    async def contact(self, record: str, company: str, **data: Json) -> str:
        """Allegory tells of a contact of a company."""
        number = next(self.numbers)
        body: dict[str, Any] = {
            "schemaVersion": "1.0",
            "source": "allegory",
            "entity": "contact",
            "sourceKey": record,
            "operation": "upsert",
            "changedOn": (START - timedelta(seconds=3600)).isoformat(),
            "data": {"contact_id": record, "primary_company_id": company, "last_name": record, **data},
        }
        return await self._receive(
            Message(
                f"m-{number}",
                "inbound",
                f"allegory:contact:{record}",
                json.dumps(body).encode(),
                position=number,
            )
        )

    async def _receive(self, message: Message) -> str:
        await self.gate.receive(message)
        self.clock.advance(timedelta(milliseconds=10))
        return message.id

    async def pump(self) -> None:
        """Deliver what is on the queues."""
        while True:
            due = [sent for sent in self.bus.sent[self.taken :] if sent.at <= self.clock.now()]
            if not due:
                return
            self.taken += len(due)
            for sent in due:
                await self.gate.receive(sent.message)

    async def sleep(self, seconds: float) -> None:
        """Waiting is when everybody else works; or when the worker is killed."""
        if self.dies_after is not None:
            self.dies_after -= 1
            if self.dies_after <= 0:
                self.dies_after = None
                raise Died
        self.clock.advance(timedelta(seconds=seconds))
        await self.pump()

    async def plan(self, **selection: Any) -> dict[str, Any]:
        """A plan, foreseen."""
        made = await self.desk.create(Selection(**(selection or {"everything": True})), "ann")
        await self.drive()
        told = await self.desk.show(made["plan"])
        assert told is not None
        return dict(told)

    async def run(self, plan: int, **policy: Any) -> dict[str, Any]:
        """Run a plan until it stands still."""
        await self.desk.act(plan, "run", "ann", policy=Policy(**policy) if policy else None)
        await self.drive()
        return await self.report(plan)

    async def drive(self) -> None:
        """Timers fire until no plan has work."""
        while await self.store.plans.at_work():
            await self.driver.run()

    async def report(self, plan: int) -> dict[str, Any]:
        told = await self.desk.report(plan)
        assert told is not None
        return dict(told)

    def name_of(self, record: str) -> Value:
        return self.rows.of("account").get(row_of(record), {}).get("name")


def row_of(record: str) -> UUID:
    return chosen_row_id(RecordKey("allegory", "company", record))


def appliers(sides: Sides) -> Mapping[Direction, Applier]:
    lookups = sides.lookups()
    return {
        Direction.INBOUND: Inbound(
            sides.systems,
            lookups,
            sides.rows,
            sides.shadows,
            Assigning(OwnerLookup(sides.people)),
            absorbing=Absorbing(sides.rows, sides.shadows, sides.crosswalk, sides.lanes, sides.records),
        ),
        Direction.OUTBOUND: Outbound(
            sides.systems,
            lookups,
            sides.records,
            sides.tables,
            sides.rows,
            sides.crosswalk,
            sides.shadows,
            sides.lanes,
        ),
    }


@pytest.fixture
def world() -> Iterator[World]:
    clock = SettableClock(START)
    rows, records = PickyRows(clock), MemoryRecords(ALLEGORY, clock)
    store = open_store("sqlite://", clock, executor=inline, owner="w")
    parse = partial(_parse, clock)
    telemetry = MemoryTelemetry()
    bus = MemoryBus({direction: direction.value for direction in Direction}, clock, seal=store.seal)
    sides = Sides(
        systems={ALLEGORY.name: ALLEGORY},
        tables=TABLES,
        rows=rows,
        records={ALLEGORY.name: records},
        shadows=store.shadows,
        crosswalk=store.crosswalk,
        directory=MemoryDirectory(rows),
        people=MemoryPeople(rows),
        units=MemoryUnits(rows),
        aliases=NoAliases(),
        parse=parse,
        clock=clock,
        lanes=store.lanes,
        lists=MemoryLists(rows),
    )
    backoff = Backoff(timedelta(seconds=1), timedelta(seconds=1), lambda: 0.0)
    worker = LaneWorker(store.lanes, appliers(sides), parse, bus, clock, telemetry, backoff)
    gate = Gate(store.inbox, store.crosswalk, sides.systems, parse, worker, telemetry, store.seal)
    foresight = Foresight(sides, appliers)
    world: World

    async def sleep(seconds: float) -> None:
        await world.sleep(seconds)

    driver = PlanDriver(
        plans=store.plans,
        items=store.plan_items,
        reports=store.plan_reports,
        prophet=Prophet(store.plan_items, store.plan_reports, foresight, rows, clock, Granted(6000)),
        read_back=ReadBack(sides),
        repairs=store.operations.repair,
        bus=bus,
        jobs=store.jobs,
        clock=clock,
        telemetry=telemetry,
        owner="w",
        sleep=sleep,
    )
    desk = PlanDesk(store.plans, store.plan_reports)
    replay = Replay(store.operations.repair, gate, bus, clock)
    world = World(clock, rows, records, store, gate, bus, sides, desk, driver, replay)
    yield world
    store.close()


def _parse(clock: SettableClock, message: Message) -> Any:
    return envelope.read(message, clock.now(), timedelta(minutes=5))
