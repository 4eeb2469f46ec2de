"""Both directions of the sync, the gate before them, and the plans that send many messages through again."""

import random
from functools import partial
from typing import TYPE_CHECKING

from mappers.matching import RULES
from mappers.survivorship import SURVIVORSHIP
from shared.connectors.dataverse.ledger import Allowance
from shared.core.change import Direction
from shared.core.failure import Backoff
from shared.core.gate import Gate
from shared.core.lane import LaneWorker
from shared.core.matching import Noticing
from shared.core.owner_lookup import OwnerLookup
from shared.core.patience import Patience, waits_of
from shared.core.record_owner import OnUnmatched, OwnerPolicy
from shared.core.turns import LoopBudget
from shared.core.unit import RecordUnits
from shared.inbound.absorbing import Absorbing
from shared.inbound.assigning import Assigning
from shared.inbound.by_import import ByImport
from shared.inbound.flow import Inbound
from shared.inbound.settling import Settling
from shared.inbound.splitting import Splitting
from shared.outbound.flow import Outbound
from shared.outbound.posting import Posting
from shared.recovery.plans.driver import PlanDriver
from shared.recovery.plans.foresight import Foresight
from shared.recovery.plans.proof import ReadBack
from shared.recovery.plans.prophet import Granted, Prophet
from shared.recovery.plans.sides import Sides
from shared.recovery.teams import Teams, routes_of
from shared.settings import Settings
from shared.wiring.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.connectors.sqlstore import Store
    from shared.core.lookups import Lookups
    from shared.core.ports import Applier


def gate(world: World) -> Gate:
    """The one gate, with the lanes and both directions behind it."""
    settings, store, sides, telemetry = world.settings, world.store, world.sides, world.telemetry
    worker = LaneWorker(
        lanes=store.lanes,
        appliers=_appliers(settings, store, sides),
        parse=sides.parse,
        bus=world.bus,
        clock=world.clock,
        telemetry=telemetry,
        backoff=Backoff(settings.first_delay, settings.longest_delay, random.random),
    )
    patience = Patience(waits_of(settings.settle_windows), waits_of(settings.gap_waits))
    return Gate(
        store.inbox, store.crosswalk, sides.systems, sides.parse, worker, telemetry, store.seal, patience
    )


def _appliers(settings: Settings, store: "Store", sides: Sides) -> "Mapping[Direction, Applier]":
    """Both flows, on real sides or on imagined ones."""
    lookups = sides.lookups()
    inbound = _inbound(settings, store, sides, lookups)
    outbound = _outbound(settings, store, sides, lookups)
    return {
        Direction.INBOUND: Noticing(inbound, RULES, sides.systems),
        Direction.OUTBOUND: Noticing(outbound, RULES, sides.systems),
    }


def _inbound(settings: Settings, store: "Store", sides: Sides, lookups: "Mapping[str, Lookups]") -> Inbound:
    by_import = ByImport(lookups, store.pending, places) if (places := takers(settings)) else None
    return Inbound(
        sides.systems,
        lookups,
        sides.rows,
        sides.shadows,
        Assigning(owner_lookup(settings, sides)),
        sides.records,
        store.owners,
        _budget(settings),
        Settling(store.conflicts, sides.rows, sides.records, lookups, by_import),
        by_import,
        Absorbing(sides.rows, sides.shadows, sides.crosswalk, sides.lanes, sides.records),
        SURVIVORSHIP,
        Splitting(
            store.cases,
            store.sayings,
            sides.rows,
            sides.crosswalk,
            sides.lanes,
            sides.records,
            sides.systems,
        ),
        _units(settings, sides, lookups),
        sides.lists,
    )


def _outbound(settings: Settings, store: "Store", sides: Sides, lookups: "Mapping[str, Lookups]") -> Outbound:
    return Outbound(
        sides.systems,
        lookups,
        sides.records,
        sides.tables,
        sides.rows,
        sides.crosswalk,
        sides.shadows,
        sides.lanes,
        store.owners,
        _budget(settings),
        _posting(settings, store, sides),
        store.cases,
        _units(settings, sides, lookups),
        SURVIVORSHIP,
    )


def takers(settings: Settings) -> frozenset[str]:
    """The systems with a place for imports."""
    return frozenset(name for name, said in settings.systems.items() if said.import_url)


def read_only(settings: Settings, sides: Sides) -> frozenset[str]:
    """The systems to which nothing is written: no REST interface, and no place for imports."""
    return frozenset(sides.systems) - sides.records.keys() - takers(settings)


def _units(settings: Settings, sides: Sides, lookups: "Mapping[str, Lookups]") -> RecordUnits:
    """Which business unit records belong to; asked for where something is laid down by unit."""
    by_unit = Teams(routes_of(settings.ticket_teams)).by_unit
    return RecordUnits(sides.units, owner_lookup(settings, sides), lookups, sides.shadows, always=by_unit)


def _posting(settings: Settings, store: "Store", sides: Sides) -> Posting | None:
    """What hands changes over by import, where any system has a place for imports."""
    if not (places := takers(settings)):
        return None
    return Posting(sides.lookups(), places, store.pending, sides.rows, sides.shadows, _budget(settings))


def owner_lookup(settings: Settings, sides: Sides) -> OwnerLookup:
    """How owners are found, with what is laid down for those who are not."""
    waits = {place: OnUnmatched(word) for place, word in routes_of(settings.owners.policies).items()}
    policy = OwnerPolicy(waits, routes_of(settings.owners.fallbacks))
    return OwnerLookup(sides.people, sides.aliases, policy)


def _budget(settings: Settings) -> LoopBudget:
    return LoopBudget(settings.loop_budget, settings.loop_window)


def plan_driver(world: World) -> PlanDriver:
    """What drives replay plans, and foresees them on imagined sides."""
    settings, store, sides = world.settings, world.store, world.sides
    granted = Granted(settings.dataverse_requests * Allowance().share)
    foresight = Foresight(sides, partial(_appliers, settings, store))
    return PlanDriver(
        plans=store.plans,
        items=store.plan_items,
        reports=store.plan_reports,
        prophet=Prophet(store.plan_items, store.plan_reports, foresight, world.rows, sides.clock, granted),
        read_back=ReadBack(sides),
        repairs=store.operations.repair,
        bus=world.bus,
        jobs=store.jobs,
        clock=sides.clock,
        telemetry=world.telemetry,
        owner=world.owner,
    )
