"""The app as a run has it: wired as `shared.wiring` does it, with the twins in the connectors' places."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from uuid import UUID

from mappers.allegory import ALLEGORY
from mappers.dataverse import TABLES
from mappers.dataverse.personal import PERSONAL
from mappers.matching import RULES
from shared.connectors.memory.dataverse import MemoryDirectory
from shared.connectors.memory.lists import MemoryLists
from shared.connectors.memory.people import MemoryPeople
from shared.connectors.memory.units import MemoryUnits
from shared.core import envelope
from shared.core.change import Change, Direction, Drain, Message
from shared.core.failure import Backoff
from shared.core.gate import Gate
from shared.core.lane import LaneWorker
from shared.core.legacy import going_out
from shared.core.owner_lookup import NoAliases, OwnerLookup
from shared.core.patience import Patience
from shared.core.ports import Applier
from shared.core.system import LegacySystem
from shared.inbound.absorbing import Absorbing
from shared.inbound.assigning import Assigning
from shared.inbound.feed import Feed
from shared.inbound.flow import Inbound
from shared.inbound.settling import Settling
from shared.inbound.splitting import Splitting
from shared.outbound.flow import Outbound
from shared.recovery.customers import Customers
from shared.recovery.gaps.cycle import GapDetector
from shared.recovery.gaps.records import RecordGaps
from shared.recovery.gaps.rows import RowGaps
from shared.recovery.plans.desk import PlanDesk
from shared.recovery.plans.driver import PlanDriver
from shared.recovery.plans.foresight import Foresight
from shared.recovery.plans.proof import ReadBack
from shared.recovery.plans.prophet import Granted, Prophet
from shared.recovery.plans.sides import Sides
from shared.recovery.replay import Replay
from shared.recovery.retry import Retry
from shared.recovery.settle import Settle
from tests.simulation.people import SECOND, TEXTS
from tests.simulation.scheduler import LoopClock
from tests.simulation.sides import OWNER, US
from tests.simulation.story import ToldTelemetry
from tests.simulation.weather import Fault
from tests.simulation.world import World

WATCHED = [entry for entry in ALLEGORY.maps if entry.entity in TEXTS]
"""The maps of what people work with: the gap detector would look for the others in vain, and long."""

GRACE = timedelta(seconds=90)
"""How long a message may be on its way before the gap detector tells what it would have told."""

_ENTITIES = [
    name for entry in WATCHED for name in (f"{ALLEGORY.name}/{entry.entity}", f"dataverse/{entry.table.name}")
]

SKEW = timedelta(seconds=300)
"""How far ahead of ours a clock may be."""


@dataclass(slots=True)
class App:
    """The app. What a process has for itself is made for its name."""

    world: World
    clock: LoopClock
    directory: MemoryDirectory
    chance: Random
    telemetry: ToldTelemetry = field(init=False)
    gate: Gate = field(init=False)
    settle: Settle = field(init=False)
    customers: Customers = field(init=False)
    systems: dict[str, LegacySystem] = field(init=False)
    sides: Sides = field(init=False)

    def __post_init__(self) -> None:
        store = self.world.store
        known = {each.name: each for each in (ALLEGORY, SECOND)}
        self.systems = systems = {name: known[name] for name in self.world.legacy}
        self.telemetry = ToldTelemetry(self.world.story)
        parse, rows = partial(_parse, self.clock), self.world.dataverse
        self.sides = Sides(
            systems,
            TABLES,
            rows,
            self.world.legacy,
            store.shadows,
            store.crosswalk,
            self.directory,
            MemoryPeople(rows.twin, OWNER),
            MemoryUnits(rows.twin),
            NoAliases(),
            parse,
            self.clock,
            store.lanes,
            MemoryLists(rows.twin),
        )
        self.customers = Customers(
            store.cases,
            store.sayings,
            store.crosswalk,
            systems,
            RULES,
            PERSONAL,
            self.world.queues,
            self.clock,
            ("inbound", "outbound"),
            store.seal,
            self._new_id,
        )
        self.settle = Settle(
            store.conflicts, systems, self.world.queues, self.clock, "inbound", store.seal, self._new_id
        )
        worker = LaneWorker(
            lanes=store.lanes,
            appliers=self._appliers(self.sides),
            parse=parse,
            bus=self.world.queues,
            clock=self.clock,
            telemetry=self.telemetry,
            backoff=Backoff(timedelta(seconds=2), timedelta(seconds=60), self.chance.random),
        )
        patience = Patience()
        if Fault.WAIT in self.world.weather.rates:
            patience = Patience(settle=dict.fromkeys(_ENTITIES, timedelta(seconds=3)))
        self.gate = Gate(
            store.inbox, store.crosswalk, systems, parse, worker, self.telemetry, store.seal, patience
        )

    def _new_id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128))

    def _appliers(self, sides: Sides) -> Mapping[Direction, Applier]:
        """Both flows, on real sides or on imagined ones."""
        store, lookups = self.world.store, sides.lookups()
        inbound = Inbound(
            self.systems,
            lookups,
            sides.rows,
            sides.shadows,
            Assigning(OwnerLookup(sides.people)),
            sides.records,
            store.owners,
            settling=Settling(store.conflicts, sides.rows, sides.records, lookups),
            absorbing=Absorbing(sides.rows, sides.shadows, sides.crosswalk, sides.lanes, sides.records),
            splitting=Splitting(
                store.cases,
                store.sayings,
                sides.rows,
                sides.crosswalk,
                sides.lanes,
                sides.records,
                self.systems,
            ),
        )
        outbound = Outbound(
            self.systems,
            lookups,
            sides.records,
            TABLES,
            sides.rows,
            sides.crosswalk,
            sides.shadows,
            sides.lanes,
            store.owners,
            cases=store.cases,
        )
        return {Direction.INBOUND: inbound, Direction.OUTBOUND: outbound}

    def retry(self) -> Retry:
        """What wakes lanes that are due."""
        return Retry(self.world.store.lanes, self.world.queues, self.clock, self.telemetry)

    def replay(self) -> Replay:
        """What sends a kept message on its way again."""
        return Replay(self.world.store.operations.repair, self.gate, self.world.queues, self.clock)

    def plan_desk(self) -> PlanDesk:
        """Where people make plans."""
        return PlanDesk(self.world.store.plans, self.world.store.plan_reports)

    def plan_driver(self, process: str) -> PlanDriver:
        """What drives plans."""
        store, rows = self.world.store, self.world.dataverse
        foresight = Foresight(self.sides, self._appliers)
        return PlanDriver(
            plans=store.plans,
            items=store.plan_items,
            reports=store.plan_reports,
            prophet=Prophet(store.plan_items, store.plan_reports, foresight, rows, self.clock, Granted(6000)),
            read_back=ReadBack(self.sides),
            repairs=store.operations.repair,
            bus=self.world.queues,
            jobs=store.jobs,
            clock=self.clock,
            telemetry=self.telemetry,
            owner=process,
        )

    def feed(self, process: str, system: str) -> Feed:
        """What reads a system's feed."""
        return Feed(
            system=self.systems[system],
            source=self.world.legacy[system],
            cursors=self.world.store.cursors,
            jobs=self.world.store.jobs,
            bus=self.world.queues,
            gate=self.gate,
            telemetry=self.telemetry,
            queue="inbound",
            owner=process,
        )

    def detector(self, process: str) -> GapDetector:
        """What looks for changes that no message told of."""
        world, store, lookups = self.world, self.world.store, self.sides.lookups()
        kept = (store.gaps, store.cursors, self.clock)
        rows = [
            RowGaps(
                entry,
                world.dataverse,
                world.dataverse,
                store.shadows,
                *kept,
                queue="outbound",
                takers=dict.fromkeys(self.systems, going_out(entry)),
            )
            for entry in WATCHED
        ]
        records = [
            RecordGaps(
                system,
                entry,
                world.legacy[name],
                world.legacy[name],
                lookups[name],
                store.shadows,
                store.crosswalk,
                *kept,
                queue="inbound",
            )
            for name, system in self.systems.items()
            for entry in WATCHED
        ]
        return GapDetector(
            looks=[*rows, *records],
            suspects=store.gaps,
            jobs=store.jobs,
            bus=world.queues,
            gate=self.gate,
            clock=self.clock,
            telemetry=self.telemetry,
            grace=GRACE,
            owner=process,
        )

    async def sweep(self, message: Message) -> None:
        """Put what the broker gave up on into its lane, as the dead letters' trigger does."""
        await self.gate.receive(message)


def _parse(clock: LoopClock, message: Message) -> Change | Drain:
    return envelope.read(message, clock.now(), SKEW, frozenset({US}))
