"""One run of the whole sync under one seed: the real core on the real store, between the two systems."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from mappers.allegory import ALLEGORY
from mappers.dataverse import TABLES
from shared.connectors.memory.bus import MemoryBus
from shared.connectors.memory.dataverse import MemoryDirectory, MemoryRows
from shared.connectors.memory.legacy import MemoryRecords
from shared.connectors.memory.people import MemoryPeople
from shared.connectors.sqlstore import Store, open_store
from shared.core import envelope
from shared.core.change import Change, Direction, Drain, Message
from shared.core.errors import SyncError
from shared.core.failure import Backoff
from shared.core.gate import Gate
from shared.core.lane import LaneWorker
from shared.core.legacy import going_out
from shared.core.lookups import Lookups
from shared.core.owner_lookup import OwnerLookup
from shared.core.ports import StoreUnavailable
from shared.core.turns import LoopBudget
from shared.inbound.absorbing import Absorbing
from shared.inbound.assigning import Assigning
from shared.inbound.feed import Feed
from shared.inbound.flow import Inbound
from shared.inbound.settling import Settling
from shared.outbound.flow import Outbound
from shared.recovery.gaps.cycle import GapDetector
from shared.recovery.gaps.records import RecordGaps
from shared.recovery.gaps.rows import RowGaps
from shared.recovery.replay import Replay
from shared.recovery.retry import Retry
from shared.recovery.settle import Settle
from tests.simulation.governance import Governance
from tests.simulation.people import SPAN, People
from tests.simulation.queues import Queues
from tests.simulation.scheduler import LoopClock, SeededLoop
from tests.simulation.sides import OWNER, US, Allegory, Dataverse
from tests.simulation.story import Story, ToldTelemetry
from tests.simulation.weather import LEASE, FarSide, Fault, UnsteadySql, Weather

RATES: dict[Fault, float] = {
    Fault.REORDER: 0.4,
    Fault.DUPLICATE: 0.2,
    Fault.DELAY: 0.1,
    Fault.LOSS: 0.2,
    Fault.LOCK_LOST: 0.2,
    Fault.THROTTLED: 0.1,
    Fault.UNAVAILABLE: 0.1,
    Fault.LOST_ANSWER: 0.15,
    Fault.LATE_WRITE: 0.08,
    Fault.REFUSED: 0.05,
    Fault.CRASH: 1.0,
    Fault.STALL: 0.004,
    Fault.NO_SQL: 0.02,
    Fault.SQL_ANSWER: 0.02,
    Fault.SKEW: 1.0,
    Fault.ORPHAN: 0.4,
    Fault.DELETE: 0.8,
    Fault.DELTA: 0.6,
    Fault.NO_WAKE: 0.3,
    Fault.RING: 0.3,
    Fault.FUTURE: 1.0,
    Fault.PERSON: 1.0,
    Fault.PHASE: 1.0,
    Fault.MERGE: 0.3,
}
"""How often a fault strikes at most, where it can."""

GRACE = timedelta(seconds=90)
"""How long a message may be on its way before the gap detector tells what it would have told."""

GAP_SECONDS = 60.0
"""How often the gap detector looks."""

CALM_SECONDS = 4 * 3600.0
"""How long the sync may take to come to rest once nothing goes wrong any more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of; the seed decides everything else.

    Of `faults` the seed picks some, each at a rate of its own; those in `storm` strike three times as often
    as they do at most.
    """

    seed: int
    faults: frozenset[Fault] = frozenset(Fault)
    storm: frozenset[Fault] = frozenset()
    acts: int = 16
    workers: int = 3


@dataclass(slots=True)
class World:
    """Everything a run has, once it is over: for whoever judges it."""

    plan: Plan
    story: Story
    store: Store
    people: People
    dataverse: Dataverse
    allegory: Allegory
    queues: Queues
    weather: Weather
    line: FarSide
    crashes: int = 0
    settlements: int = 0
    troubles: list[str] = field(default_factory=list)


def play(plan: Plan, judge: Callable[[World], list[str]]) -> tuple[World, list[str]]:
    """Run a plan to its end; the world, and what `judge` has against it."""
    chance = Random(plan.seed)  # noqa: S311  # a repeatable run is the point
    loop = SeededLoop(chance)
    stage = loop.run_until_complete(_build(plan, loop, chance))
    try:
        loop.run_until_complete(stage.perform())
        found = [*stage.world.troubles, *loop.unhandled, *judge(stage.world)]
    finally:
        stage.world.store.close()
    return stage.world, found


async def _build(plan: Plan, loop: SeededLoop, chance: Random) -> "Stage":
    """The parts, wired as `shared.wiring` does it, with the twins in the connectors' places."""
    draws: dict[Fault, tuple[bool, float]] = {
        fault: (chance.random() < 0.45, chance.random()) for fault in Fault if fault is not Fault.MERGE
    }
    # Drawn apart, so that runs without merges are what they were before there were any.
    apart = Random(f"merges of {plan.seed}")  # noqa: S311  # as above
    draws[Fault.MERGE] = (apart.random() < 0.35, apart.random())
    rates = {
        fault: min(1.0, RATES[fault] * (3.0 if fault in plan.storm else 0.3 + 0.7 * share))
        for fault, (on, share) in draws.items()
        if fault in plan.storm or (on and fault in plan.faults)
    }
    weather = Weather(chance, rates)
    story = Story(loop)
    story.tell("the weather: " + (", ".join(str(fault.value) for fault in rates) or "fair"))
    clock = LoopClock(loop)
    skew = timedelta(seconds=chance.uniform(-90, 90)) if Fault.SKEW in rates else timedelta()
    if Fault.FUTURE in rates and chance.random() < 0.3:
        skew = timedelta(seconds=chance.uniform(301, 420))
    theirs = LoopClock(loop, skew, distinct=timedelta(milliseconds=1))
    store = open_store("sqlite://", clock, executor=UnsteadySql(weather), owner="w", lease=LEASE)
    bus = MemoryBus(
        {direction: direction.value for direction in Direction},
        clock,
        new_id=lambda: UUID(int=chance.getrandbits(128)),
        seal=store.seal,
    )
    queues = Queues(loop, weather, story, bus)
    line = FarSide(weather, story.tell)
    twin = MemoryRows(clock)
    twin.put("systemuser", OWNER, {"internalemailaddress": "app@tandem.example"})
    dataverse = Dataverse(twin, line, clock, queues, chance, story)
    sends = Fault.DELTA in rates
    feeds = not sends or chance.random() < 0.5
    allegory = Allegory(MemoryRecords(ALLEGORY, theirs), line, queues, chance, story, sends, feeds)
    people = People(allegory, dataverse, weather, chance)
    world = World(plan, story, store, people, dataverse, allegory, queues, weather, line)
    return Stage(world, loop, clock, MemoryDirectory(twin), chance)


@dataclass(slots=True)
class Stage:
    """The moving parts of a run."""

    world: World
    loop: SeededLoop
    clock: LoopClock
    directory: MemoryDirectory
    chance: Random
    gate: Gate = field(init=False)
    settle: Settle = field(init=False)

    def __post_init__(self) -> None:
        self.gate = self._gate()

    def _new_id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128))

    def _gate(self) -> Gate:
        world = self.world
        systems = {ALLEGORY.name: ALLEGORY}
        store = world.store
        lookups = {ALLEGORY.name: Lookups(ALLEGORY, TABLES, store.crosswalk, self.directory)}
        records = {ALLEGORY.name: world.allegory}
        budget = LoopBudget(ourselves=frozenset({US}))
        self.settle = Settle(
            store.conflicts, systems, world.queues, self.clock, "inbound", store.seal, self._new_id
        )
        telemetry = ToldTelemetry(world.story)
        parse = partial(_parse, self.clock)
        worker = LaneWorker(
            lanes=store.lanes,
            appliers={
                Direction.INBOUND: Inbound(
                    systems,
                    lookups,
                    world.dataverse,
                    store.shadows,
                    Assigning(OwnerLookup(MemoryPeople(world.dataverse.twin, OWNER))),
                    records,
                    store.owners,
                    budget,
                    settling=Settling(store.conflicts, world.dataverse, records, lookups),
                    absorbing=Absorbing(
                        world.dataverse, store.shadows, store.crosswalk, store.lanes, records
                    ),
                ),
                Direction.OUTBOUND: Outbound(
                    systems,
                    lookups,
                    records,
                    TABLES,
                    world.dataverse,
                    store.crosswalk,
                    store.shadows,
                    store.lanes,
                    store.owners,
                    budget,
                ),
            },
            parse=parse,
            bus=world.queues,
            clock=self.clock,
            telemetry=telemetry,
            backoff=Backoff(timedelta(seconds=2), timedelta(seconds=60), self.chance.random),
        )
        return Gate(store.inbox, store.crosswalk, systems, parse, worker, telemetry, store.seal)

    async def perform(self) -> None:
        """People work, then nothing goes wrong any more, then everything must come to rest."""
        world = self.world
        detector = self._gaps()
        world.weather.on = False
        await detector.run()
        world.weather.on = True
        crew = [self._hire(number) for number in range(world.plan.workers)]
        timers = [
            self.loop.create_task(self._every(15.0, self.settle.run), name="settling timer"),
            self.loop.create_task(self._every(15.0, self._retry().run), name="retry timer"),
            self.loop.create_task(self._every(5.0, self._feed().run), name="feed timer"),
            self.loop.create_task(self._every(GAP_SECONDS, detector.run), name="gap timer"),
            self.loop.create_task(self._sweep(), name="sweeper"),
        ]
        rule = Governance(world, self.settle, self.chance)
        await rule.lay_down()
        chaos = self.loop.create_task(self._crash(crew), name="chaos")
        flips = self.loop.create_task(rule.move_phases(SPAN), name="phases")
        verdicts = self.loop.create_task(rule.settle_now_and_then(), name="settlements")
        await world.people.work(world.plan.acts)
        await asyncio.sleep(self.chance.random() * SPAN)
        world.weather.clear()
        world.story.tell("from now on all is well")
        await asyncio.gather(chaos, flips, verdicts)
        await asyncio.sleep(100)
        await self._rest()
        await asyncio.sleep(2 * (GRACE.total_seconds() + GAP_SECONDS))
        await self._rest()
        for _ in range(2):
            if await self._replay():
                await self._rest()
        while await rule.settle_everything():
            await self._rest()
        for task in (*crew, *timers):
            task.cancel()
        await asyncio.gather(*crew, *timers, return_exceptions=True)

    def _hire(self, number: int) -> "asyncio.Task[None]":
        return self.loop.create_task(self._work(), name=f"worker {number}")

    async def _work(self) -> None:
        queues = self.world.queues
        name = getattr(asyncio.current_task(), "get_name", str)()
        while True:
            taken = await queues.take()
            self.world.weather.stalled.discard(name)
            try:
                await self.gate.receive(taken.message)
            except StoreUnavailable:
                queues.abandon(taken)
            except asyncio.CancelledError:
                queues.forsake(taken)
                raise
            except Exception as error:  # noqa: BLE001  # told by the judge
                self.world.troubles.append(f"{name} raised {error!r}")
                queues.complete(taken)
            else:
                queues.complete(taken)

    async def _sweep(self) -> None:
        """Put what the broker gave up on into its lane, as the dead letters' trigger does."""
        queues = self.world.queues
        while True:
            message = await queues.take_dead()
            try:
                await self.sweep(message)
            except StoreUnavailable:
                await asyncio.sleep(1)
            else:
                queues.dead.remove(message)

    async def sweep(self, message: Message) -> None:
        """Handle one dead letter."""
        await self.gate.receive(message)

    async def _crash(self, crew: list["asyncio.Task[None]"]) -> None:
        if Fault.CRASH not in self.world.weather.rates:
            return
        while self.world.weather.on:
            await asyncio.sleep(self.chance.random() * 30)
            number = self.chance.randrange(len(crew))
            crew[number].cancel()
            await asyncio.gather(crew[number], return_exceptions=True)
            self.world.crashes += 1
            self.world.story.tell(f"worker {number} dies")
            await asyncio.sleep(self.chance.random() * 20)
            crew[number] = self._hire(number)

    async def _every(self, seconds: float, job: Callable[[], Coroutine[Any, Any, int]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await job()
            except (StoreUnavailable, SyncError) as error:
                self.world.story.tell(f"a timer gives up: {error}")

    def _retry(self) -> Retry:
        return Retry(self.world.store.lanes, self.world.queues, self.clock, ToldTelemetry(self.world.story))

    def _gaps(self) -> GapDetector:
        """The detector; it has looked at both sides once before anybody works."""
        world, store = self.world, self.world.store
        lookups = Lookups(ALLEGORY, TABLES, store.crosswalk, self.directory)
        kept = (store.gaps, store.cursors, self.clock)
        rows = [
            RowGaps(
                entry,
                world.dataverse,
                world.dataverse,
                store.shadows,
                *kept,
                queue="outbound",
                takers={ALLEGORY.name: going_out(entry)},
            )
            for entry in ALLEGORY.maps
        ]
        records = [
            RecordGaps(
                ALLEGORY,
                entry,
                world.allegory,
                world.allegory,
                lookups,
                store.shadows,
                store.crosswalk,
                *kept,
                queue="inbound",
            )
            for entry in ALLEGORY.maps
        ]
        return GapDetector(
            looks=[*rows, *records],
            suspects=store.gaps,
            jobs=store.jobs,
            bus=world.queues,
            gate=self.gate,
            clock=self.clock,
            telemetry=ToldTelemetry(world.story),
            grace=GRACE,
            owner="w",
        )

    def _feed(self) -> Feed:
        world = self.world
        return Feed(
            system=ALLEGORY,
            source=world.allegory,
            cursors=world.store.cursors,
            jobs=world.store.jobs,
            bus=world.queues,
            gate=self.gate,
            telemetry=ToldTelemetry(world.story),
            queue="inbound",
            owner="w",
        )

    async def _rest(self) -> None:
        """Wait until nothing moves any more."""
        until = self.loop.time() + CALM_SECONDS
        quiet = 0
        while quiet < 3:
            await asyncio.sleep(10)
            idle = self.world.queues.idle and not self._workable()
            quiet = quiet + 1 if idle else 0
            if self.loop.time() > until:
                self.world.troubles.append("the sync does not come to rest")
                return

    def _workable(self) -> bool:
        with self.world.store.engine.connect() as connection:
            return connection.exec_driver_sql(_WORKABLE).first() is not None

    async def _replay(self) -> int:
        """A person sends everything that is held once more; how many messages that were."""
        replay = Replay(self.world.store.operations.repair, self.gate, self.world.queues, self.clock)
        failures = await self.world.store.operations.failures.newest(1000)
        held = [failure["message_id"] for failure in failures if failure["state"] in {"held", "aside"}]
        for message_id in held:
            self.world.story.tell(f"a person replays {message_id}")
            await replay.message(message_id, "ann")
        return len(held)


_WORKABLE = """SELECT 1 FROM lane_item AS first WHERE state IN ('waiting', 'retrying') AND NOT EXISTS (
    SELECT 1 FROM lane_item AS other WHERE other.record = first.record AND other.state IN ('held', 'parked')
) LIMIT 1"""


def _parse(clock: LoopClock, message: Message) -> Change | Drain:
    return envelope.read(message, clock.now(), timedelta(seconds=300))
