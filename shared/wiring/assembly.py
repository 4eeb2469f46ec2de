"""The app: everything a trigger may call, put together."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from uuid import UUID, uuid4

import mappers
from mappers.dataverse.personal import PERSONAL
from mappers.matching import RULES
from shared.connectors.callers import Callers
from shared.connectors.sqlstore import StoreMisconfigured
from shared.core.change import Direction
from shared.core.gate import Gate
from shared.inbound.drops.reading import FileExchange
from shared.inbound.feed import Feed
from shared.inbound.intake import Intake
from shared.outbound.imports.handing import Handover
from shared.recovery.alert import Alerts
from shared.recovery.answers import Answers
from shared.recovery.customers import Customers
from shared.recovery.gaps.cycle import GapDetector
from shared.recovery.mappings import MappingCheck
from shared.recovery.overdue import Overdue
from shared.recovery.phases import Phases
from shared.recovery.plans.desk import PlanDesk
from shared.recovery.plans.driver import PlanDriver
from shared.recovery.record_owners import RecordOwners
from shared.recovery.repairs import Repairs
from shared.recovery.replay import Replay
from shared.recovery.retention import Retention
from shared.recovery.retry import Retry
from shared.recovery.settle import Settle
from shared.settings import InvalidSettings, Settings
from shared.wiring import errands, flows
from shared.wiring.world import World, world_of


@dataclass(frozen=True, slots=True)
class App:
    """Everything a trigger may call."""

    settings: Settings
    gate: Gate
    intake: Intake
    callers: Callers
    operations: Answers
    replay: Replay
    repairs: Repairs
    plans: PlanDesk
    plan_driver: PlanDriver
    settle: Settle
    customers: Customers
    phases: Phases
    retry: Retry
    alerts: Alerts
    overdue: Overdue
    record_owners: RecordOwners
    feeds: Mapping[str, Feed]
    file_exchange: FileExchange
    handover: Handover
    gaps: GapDetector
    mappings: MappingCheck
    retention: Retention
    new_id: Callable[[], UUID] = uuid4


@cache
def app() -> App:
    """The app of this process, wired from its environment.

    Raises InvalidSettings, whose text names each setting that is missing or wrong and never its value; and
    StoreUnavailable when the database does not answer.
    """
    try:
        return build(Settings.from_env(mappers.SYSTEMS))
    except StoreMisconfigured as error:
        raise InvalidSettings(f"SQL_URL: {error}") from error


def build(settings: Settings) -> App:
    """An app wired from settings.

    A build that fails gives back what it opened: the next message builds again, and must not find the threads
    of every attempt before it.
    """
    with ExitStack() as opened:
        built = assemble(settings, opened)
        opened.pop_all()
        return built


def assemble(settings: Settings, opened: ExitStack) -> App:
    """The app; what must be closed again is given to `opened`."""
    world = world_of(settings, opened)
    store, bus, clock = world.store, world.bus, world.clock
    gate = flows.gate(world)
    asked = store.operations
    return App(
        settings=settings,
        gate=gate,
        intake=Intake(gate, bus, settings.inbound_queue),
        callers=Callers(
            settings.tokens.issuer,
            settings.tokens.audience,
            settings.tokens.keys_url,
            clock,
            settings.ca_file,
        ),
        operations=_answers(world),
        replay=Replay(asked.repair, gate, bus, clock),
        plans=PlanDesk(store.plans, store.plan_reports),
        plan_driver=flows.plan_driver(world),
        repairs=Repairs(asked.repair, gate, bus, clock),
        settle=_settle(world),
        customers=_customers(world),
        phases=Phases(store.owners, gate.systems, world.sides.units),
        retry=Retry(store.lanes, bus, clock, world.telemetry),
        alerts=errands.alerts(world),
        overdue=Overdue(store.waits, world.telemetry, settings.park_alarm_after),
        record_owners=errands.record_owners(world, gate),
        feeds=errands.feeds(world, gate),
        file_exchange=errands.file_exchange(world, gate),
        handover=errands.handover(world),
        gaps=errands.gaps(world, gate),
        mappings=MappingCheck(gate.systems, world.metadata),
        retention=errands.retention(world),
    )


def _settle(world: World) -> Settle:
    settings, store = world.settings, world.store
    return Settle(
        store.conflicts,
        world.sides.systems,
        world.bus,
        world.clock,
        settings.inbound_queue,
        store.seal,
        uuid4,
        flows.read_only(settings, world.sides),
    )


def _customers(world: World) -> Customers:
    store, settings = world.store, world.settings
    return Customers(
        store.cases,
        store.sayings,
        store.crosswalk,
        world.sides.systems,
        RULES,
        PERSONAL,
        world.bus,
        world.clock,
        (settings.inbound_queue, settings.outbound_queue),
        store.seal,
        uuid4,
        settings.match_policy,
    )


def _answers(world: World) -> Answers:
    asked, settings = world.store.operations, world.settings
    queues = {Direction.INBOUND: settings.inbound_queue, Direction.OUTBOUND: settings.outbound_queue}
    return Answers(
        asked.messages,
        asked.failures,
        asked.groups,
        asked.history,
        asked.counts,
        queues,
        asked.standing,
        tuple(world.sides.systems.values()),
        PERSONAL,
        flows.read_only(settings, world.sides),
    )
