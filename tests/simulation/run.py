"""One run of the whole sync under one seed: the real core on the real store, between the two systems."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from mappers.allegory import ALLEGORY
from shared.connectors.memory.bus import MemoryBus
from shared.connectors.memory.dataverse import MemoryDirectory, MemoryRows
from shared.connectors.memory.legacy import MemoryRecords
from shared.connectors.sqlstore import open_store
from shared.connectors.sqlstore.suspects import gap, gap_run
from shared.connectors.sqlstore.tables import lane_item
from shared.core.change import Direction
from shared.core.codes import Code
from shared.core.verdict import ItemState
from tests.simulation.app import SKEW, App
from tests.simulation.crew import Crew
from tests.simulation.governance import Governance
from tests.simulation.people import BLANKS, SECOND, SPAN, People
from tests.simulation.queues import Queues
from tests.simulation.replays import Replays
from tests.simulation.scheduler import LoopClock, SeededLoop
from tests.simulation.sides import OWNER, US, Allegory, Dataverse
from tests.simulation.story import Story
from tests.simulation.weather import BY_THEMSELVES, LEASE, ORDINARY, FarSide, Fault, UnsteadySql, Weather
from tests.simulation.world import Plan, RestlessError, World

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
    Fault.SLOW: 0.05,
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
    Fault.WAIT: 1.0,
    Fault.MERGE: 0.3,
    Fault.SHARED: 1.0,
    Fault.PLANS: 1.0,
}
"""How often a fault strikes at most, where it can."""

MUCH = 0.3
"""How often a far side refuses where people replay by plan."""

CALM_SECONDS = 4 * 3600.0
"""How long the sync may take to come to rest once nothing goes wrong any more."""

FURTHEST = timedelta(seconds=420)
"""How far ahead of ours the legacy system's clock runs at most."""

MANY_WRITES = 500
"""More than any run needs: what writes so often will not come to rest."""


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
    """The world as it is before anybody does anything."""
    draws: dict[Fault, tuple[bool, float]] = {
        fault: (chance.random() < 0.45, chance.random()) for fault in Fault if fault in ORDINARY
    }
    # Without a draw: a seed without them tells the story it told before there were any.
    draws |= dict.fromkeys(BY_THEMSELVES, (True, 1.0))
    rates = {
        fault: min(1.0, RATES[fault] * (3.0 if fault in plan.storm else 0.3 + 0.7 * share))
        for fault, (on, share) in draws.items()
        if fault in plan.storm or (on and fault in plan.faults)
    }
    if Fault.PLANS in rates:
        rates[Fault.REFUSED] = MUCH
    weather = Weather(chance, rates)
    story = Story(loop)
    story.tell("the weather: " + (", ".join(str(fault.value) for fault in rates) or "fair"))
    clock = LoopClock(loop)
    skew = timedelta(seconds=chance.uniform(-90, 90)) if Fault.SKEW in rates else timedelta()
    if Fault.FUTURE in rates and chance.random() < 0.3:
        skew = timedelta(seconds=chance.uniform(SKEW.total_seconds() + 1, FURTHEST.total_seconds()))
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
    records = MemoryRecords(ALLEGORY, theirs, ourselves=US)
    allegory = Allegory(records, line, queues, chance, story, sends, feeds, BLANKS)
    second = None
    if Fault.SHARED in rates:
        others = MemoryRecords(SECOND, theirs, ourselves=US)
        second = Allegory(
            others, line, queues, chance, story, sends=False, feeds=True, blanks=BLANKS, system=SECOND.name
        )
    people = People(allegory, dataverse, weather, chance, second)
    world = World(plan, story, store, people, dataverse, allegory, queues, weather, line, second)
    app = App(world, clock, MemoryDirectory(twin), chance)
    return Stage(world, loop, app, chance, Replays(world, app.plan_desk(), chance))


@dataclass(frozen=True, slots=True)
class Stage:
    """A world, and the order in which things happen to it."""

    world: World
    loop: SeededLoop
    app: App
    chance: Random
    replays: Replays

    async def perform(self) -> None:
        """People work, then nothing goes wrong any more, then everything must come to rest."""
        world = self.world
        world.weather.on = False
        await self.app.detector("a").run()
        world.weather.on = True
        crew = Crew(world, self.app, self.chance)
        crew.start()
        rule = Governance(world, self.app.settle, self.app.customers, self.chance)
        await rule.lay_down()
        create_task = self.loop.create_task
        around = [
            create_task(crew.crash(), name="chaos"),
            create_task(rule.move_phases(SPAN), name="phases"),
            create_task(rule.settle_now_and_then(), name="settlements"),
        ]
        if Fault.PLANS in world.weather.rates:
            around.append(create_task(self.replays.plan_now_and_then(), name="plans"))
        if world.second is not None:
            apart = rule.take_apart_now_and_then(world.second)
            around.append(create_task(apart, name="customers"))
        await world.people.work(world.plan.acts)
        await asyncio.sleep(self.chance.random() * SPAN)
        world.weather.clear()
        world.story.tell("from now on all is well")
        await asyncio.gather(*around)
        try:
            await self._come_to_rest(rule)
        except RestlessError as error:
            world.troubles.append(str(error))
        await crew.stop()

    async def _come_to_rest(self, rule: Governance) -> None:
        """Everything goes on by itself for as long as it can; then people do their part."""
        await asyncio.sleep(100)
        await self._rest()
        if Fault.PLANS in self.world.weather.rates:
            await self.replays.end_all()
        await self._replay_all()
        while await rule.settle_everything():
            await self._rest()
            await self._replay_all()

    async def _replay_all(self) -> None:
        """A person sends what is held once more, until that changes nothing."""
        held = frozenset[str]()
        while True:
            await self._no_gaps()
            before, held = held, await self._replay()
            await self._rest()
            if held == before:
                break
        if Fault.PLANS in self.world.weather.rates:
            await self.replays.replay_once_more(self._rest)

    async def _rest(self) -> None:
        """Wait until nothing moves any more."""
        quiet = 0
        until = self.loop.time() + CALM_SECONDS
        while quiet < 3:
            await asyncio.sleep(10)
            quiet = quiet + 1 if self.world.queues.idle and not self._found(_WORKABLE) else 0
            if self.loop.time() > until or self.world.writes > MANY_WRITES:
                raise RestlessError("the sync does not come to rest")

    async def _no_gaps(self) -> None:
        """Wait until the gap detector has looked at everything once more, and told what it had to."""
        until = self.loop.time() + CALM_SECONDS
        told = None
        while told != (told := self._found(_HEALED)):
            looked_at_all = sa.select(sa.func.min(gap_run.c.ended_at) > self.app.clock.now())
            while self._found(_SUSPECTED) or not self._found(looked_at_all):
                await asyncio.sleep(10)
                if self.loop.time() > until:
                    raise RestlessError("the gap detector does not come to rest")
            await self._rest()

    def _found(self, statement: sa.Select[Any]) -> int:
        with self.world.store.engine.connect() as connection:
            return int(connection.execute(statement.limit(1)).scalar() or 0)

    async def _replay(self) -> frozenset[str]:
        """A person sends everything that is held once more; which messages that were."""
        failures = (await self.world.store.operations.failures.page(1000)).entries
        held = [failure["message_id"] for failure in failures if failure["state"] in {"held", "aside"}]
        if any(failure["state"] == "aside" for failure in failures):
            # By then what claims to be from the future no longer does.
            await asyncio.sleep((FURTHEST - SKEW).total_seconds())
        if Fault.PLANS in self.world.weather.rates:
            await self.replays.replay_everything()
            return frozenset(held)
        replay = self.app.replay()
        for message_id in held:
            self.world.story.tell(f"a person replays {message_id}")
            await replay.message(message_id, "ann")
        return frozenset(held)


_OTHER, _ANY = lane_item.alias(), lane_item.alias()
_HELD = sa.exists().where(_ANY.c.state.in_([ItemState.HELD, ItemState.ASIDE]))
_WORKABLE = sa.select(lane_item.c.number).where(
    lane_item.c.state.in_([ItemState.WAITING, ItemState.RETRYING]),
    ~sa.exists().where(
        _OTHER.c.record == lane_item.c.record,
        sa.or_(
            _OTHER.c.state.in_([ItemState.HELD, ItemState.PARKED]),
            # A merge waits for the other record's lane, and that one for a person.
            sa.and_(_OTHER.c.state == ItemState.RETRYING, _OTHER.c.code == Code.RECORD_BUSY, _HELD),
        ),
    ),
)
"""What can go on by itself, now or later."""

_SUSPECTED = sa.select(sa.func.count()).where(gap.c.healed_at.is_(None))
_HEALED = sa.select(sa.func.count()).where(gap.c.healed_at.is_not(None))
"""What the gap detector will tell once its grace is over, and what it has told."""
