"""The only place where capabilities meet connectors and maps; built once per process, on first use.

Imports of connectors stay inside the builders, so that a start pays for nothing that it does not use.
"""

import os
import random
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING
from uuid import uuid4

from mappers import SYSTEMS
from mappers.allegory import ALLEGORY
from mappers.dataverse import TABLES
from mappers.dataverse.personal import PERSONAL
from shared.connectors.callers import Callers
from shared.connectors.credentials.azure import AzureCredentials
from shared.connectors.dataverse.directory import DataverseDirectory
from shared.connectors.dataverse.gathered import GatheredRows
from shared.connectors.dataverse.ledger import Allowance, Ledger
from shared.connectors.dataverse.mode import Modes
from shared.connectors.dataverse.rows import API, REQUEST_ID
from shared.connectors.dataverse.tracking import DataverseChanges
from shared.connectors.legacy.feed import RestFeed
from shared.connectors.legacy.rest import RestRecords
from shared.connectors.legacy.snapshot import RestSnapshot
from shared.connectors.servicebus.bus import Address, ServiceBus
from shared.connectors.sqlstore import open_store
from shared.connectors.telemetry import telemetry_for
from shared.connectors.tickets.desk import HttpTicketDesk
from shared.connectors.vault.secrets import Vault
from shared.connectors.web.client import WebClient
from shared.core import envelope
from shared.core.change import Change, Direction, Drain, Message
from shared.core.failure import Backoff
from shared.core.gate import Gate
from shared.core.lane import LaneWorker
from shared.core.patience import Patience, waits_of
from shared.core.turns import LoopBudget
from shared.inbound.feed import Feed
from shared.inbound.flow import Inbound
from shared.inbound.intake import Intake
from shared.inbound.one_sided import OneSided
from shared.inbound.settling import Settling
from shared.outbound.flow import Outbound
from shared.recovery.alert import Alerts
from shared.recovery.answers import Answers
from shared.recovery.gaps.cycle import GapDetector
from shared.recovery.gaps.records import RecordGaps
from shared.recovery.gaps.rows import RowGaps
from shared.recovery.overdue import Overdue
from shared.recovery.phases import Phases
from shared.recovery.plans.desk import PlanDesk
from shared.recovery.plans.driver import PlanDriver
from shared.recovery.plans.foresight import Foresight
from shared.recovery.plans.proof import ReadBack
from shared.recovery.plans.prophet import Granted, Prophet
from shared.recovery.plans.sides import Sides
from shared.recovery.repairs import Repairs
from shared.recovery.replay import Replay
from shared.recovery.retention import Retention
from shared.recovery.retry import Retry
from shared.recovery.settle import Settle
from shared.recovery.teams import Teams, routes_of
from shared.settings import InvalidSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.connectors.credentials.secret import Secret
    from shared.connectors.sqlstore import Store
    from shared.core.ports import Applier, Bus, Clock, Telemetry
    from shared.recovery.gaps.cycle import Look


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """The current instant."""
        return datetime.now(UTC)


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
    phases: Phases
    retry: Retry
    alerts: Alerts
    overdue: Overdue
    allegory_feed: Feed
    gaps: GapDetector
    retention: Retention


@cache
def app() -> App:
    """The app of this process, wired from its environment; raises InvalidSettings or StoreMisconfigured."""
    return build(Settings.from_env())


def build(settings: Settings) -> App:
    """An app wired from settings.

    A build that fails gives back what it opened: the next message builds again, and must not find the threads
    of every attempt before it.
    """
    with ExitStack() as opened:
        built = _build(settings, opened)
        opened.pop_all()
        return built


def _build(settings: Settings, opened: ExitStack) -> App:
    clock = SystemClock()
    credentials = AzureCredentials(clock)
    owner = f"{os.uname().nodename}-{uuid4().hex[:8]}"
    credential = credentials.credential() if settings.sql_url.startswith("mssql") else None
    store = open_store(settings.sql_url, clock, credential=credential, owner=owner, lease=settings.lane_lease)
    opened.callback(store.close)
    telemetry = telemetry_for(settings.telemetry_backend, settings.insights_connection)
    opened.callback(telemetry.close)
    queues = {Direction.INBOUND: settings.inbound_queue, Direction.OUTBOUND: settings.outbound_queue}
    bus = ServiceBus(queues, _address(settings, credentials), clock, ca_file=settings.ca_file)
    allegory = _allegory(settings, credentials, clock)
    dataverse = _dataverse(settings, credentials)
    ledger = Ledger(Allowance(settings.dataverse_requests, settings.dataverse_seconds.total_seconds()))
    sides = _sides(settings, store, dataverse, ledger, allegory, clock)
    gate = _gate(settings, store, sides, bus, clock, telemetry)
    asked = store.operations
    answers = Answers(
        asked.messages,
        asked.failures,
        asked.groups,
        asked.history,
        asked.counts,
        queues,
        asked.standing,
        SYSTEMS,
        PERSONAL,
    )
    desk_token = credentials.token(settings.tickets_scope)
    desk = HttpTicketDesk(_client("the ticket desk", settings.tickets_url, settings, desk_token))
    return App(
        settings=settings,
        gate=gate,
        intake=Intake(gate, bus, settings.inbound_queue),
        callers=Callers(
            settings.auth_issuer, settings.auth_audience, settings.auth_jwks_url, clock, settings.ca_file
        ),
        operations=answers,
        replay=Replay(asked.repair, gate, bus, clock),
        plans=PlanDesk(store.plans, store.plan_reports),
        plan_driver=_plan_driver(settings, store, sides, bus, telemetry, owner),
        repairs=Repairs(asked.repair, gate, bus, clock),
        settle=Settle(store.conflicts, gate.systems, bus, clock, settings.inbound_queue),
        phases=Phases(store.owners, gate.systems),
        retry=Retry(store.lanes, bus, clock, telemetry),
        alerts=Alerts(
            asked.groups, desk, store.jobs, telemetry, owner, Teams(routes_of(settings.ticket_teams))
        ),
        overdue=Overdue(store.waits, telemetry, settings.park_alarm_after),
        allegory_feed=Feed(
            ALLEGORY,
            RestFeed(allegory),
            store.cursors,
            store.jobs,
            bus,
            gate,
            telemetry,
            queue=settings.inbound_queue,
            owner=owner,
        ),
        gaps=GapDetector(
            _gap_looks(settings, store, sides, DataverseChanges(dataverse, ledger=ledger), allegory),
            store.gaps,
            store.jobs,
            bus,
            gate,
            clock,
            telemetry,
            grace=settings.gap_grace,
            owner=owner,
        ),
        retention=Retention(
            store.retention,
            store.jobs,
            clock,
            telemetry,
            owner,
            bodies_for=settings.payload_days,
            messages_for=settings.metadata_days,
        ),
    )


def _allegory(settings: Settings, credentials: AzureCredentials, clock: "Clock") -> WebClient:
    """The one client for Allegory's records and its feed: what asks one of them to slow down slows both."""
    vault = Vault(settings.key_vault_url, credentials, clock)
    key = vault.secret(settings.allegory_key_secret)
    return _client("Allegory", settings.allegory_url, settings, key)


def _dataverse(settings: Settings, credentials: AzureCredentials) -> WebClient:
    """The one client for Dataverse: its limits are the identity's, so a pause holds for every caller."""
    return WebClient(
        "Dataverse",
        f"{settings.dataverse_url}/{API}",
        credentials.token(settings.dataverse_scope),
        ca_file=settings.ca_file,
        request_id_header=REQUEST_ID,
    )


def _gap_looks(
    settings: Settings, store: "Store", sides: Sides, changes: DataverseChanges, allegory: WebClient
) -> "list[Look]":
    """Every table that a map sends out, and every collection of Allegory."""
    snapshot = RestSnapshot(ALLEGORY, allegory)
    kept = (store.gaps, store.cursors, sides.clock)
    tables = {entry.table.name: entry for system in SYSTEMS for entry in system.maps if entry.outbound}
    rows = [
        RowGaps(entry, changes, sides.rows, sides.shadows, *kept, queue=settings.outbound_queue)
        for entry in tables.values()
    ]
    records = [
        RecordGaps(
            ALLEGORY,
            entry,
            snapshot,
            sides.records[ALLEGORY.name],
            sides.lookups()[ALLEGORY.name],
            sides.shadows,
            sides.crosswalk,
            *kept,
            queue=settings.inbound_queue,
        )
        for entry in ALLEGORY.maps
        if entry.entity in ALLEGORY.collections
    ]
    return [*rows, *records]


def _sides(
    settings: Settings,
    store: "Store",
    dataverse: WebClient,
    ledger: Ledger,
    allegory: WebClient,
    clock: "Clock",
) -> Sides:
    systems = {system.name: system for system in SYSTEMS}
    one_sided = OneSided(store.owners, store.owners.phases, systems, clock)
    modes = Modes.said(settings.dataverse_bulk_tables, one_sided)
    rows = _rows(settings, dataverse, ledger, modes)
    return Sides(
        systems=systems,
        tables=TABLES,
        rows=rows,
        records={ALLEGORY.name: RestRecords(ALLEGORY, allegory)},
        shadows=store.shadows,
        crosswalk=store.crosswalk,
        directory=DataverseDirectory(dataverse, rows, TABLES, clock),
        parse=partial(_parse, clock, settings),
        clock=clock,
    )


def _appliers(settings: Settings, store: "Store", sides: Sides) -> "Mapping[Direction, Applier]":
    """Both flows, on real sides or on imagined ones."""
    lookups = sides.lookups()
    return {
        Direction.INBOUND: Inbound(
            sides.systems,
            lookups,
            sides.rows,
            sides.shadows,
            sides.records,
            store.owners,
            _budget(settings),
            Settling(store.conflicts, sides.rows, sides.records, lookups),
        ),
        Direction.OUTBOUND: Outbound(
            sides.systems,
            lookups,
            sides.records,
            sides.tables,
            sides.rows,
            sides.crosswalk,
            sides.shadows,
            store.owners,
            _budget(settings),
        ),
    }


def _gate(
    settings: Settings,
    store: "Store",
    sides: Sides,
    bus: "Bus",
    clock: "Clock",
    telemetry: "Telemetry",
) -> Gate:
    worker = LaneWorker(
        lanes=store.lanes,
        appliers=_appliers(settings, store, sides),
        parse=sides.parse,
        bus=bus,
        clock=clock,
        telemetry=telemetry,
        backoff=Backoff(settings.first_delay, settings.longest_delay, random.random),
    )
    patience = Patience(waits_of(settings.settle_windows), waits_of(settings.gap_waits))
    return Gate(store.inbox, store.crosswalk, sides.systems, sides.parse, worker, telemetry, patience)


def _plan_driver(
    settings: Settings, store: "Store", sides: Sides, bus: "Bus", telemetry: "Telemetry", owner: str
) -> PlanDriver:
    granted = Granted(settings.dataverse_requests * Allowance().share)
    foresight = Foresight(sides, partial(_appliers, settings, store))
    return PlanDriver(
        plans=store.plans,
        items=store.plan_items,
        reports=store.plan_reports,
        prophet=Prophet(store.plan_items, store.plan_reports, foresight, sides.clock, granted),
        read_back=ReadBack(sides),
        repairs=store.operations.repair,
        bus=bus,
        jobs=store.jobs,
        clock=sides.clock,
        telemetry=telemetry,
        owner=owner,
    )


def _budget(settings: Settings) -> LoopBudget:
    return LoopBudget(settings.loop_budget, settings.loop_window, settings.ourselves)


def _rows(settings: Settings, dataverse: WebClient, ledger: Ledger, modes: Modes) -> GatheredRows:
    if unknown := {*modes.bulk, *modes.guarded} - TABLES.keys():
        raise InvalidSettings(f"DATAVERSE_BULK_TABLES: there is no table {', '.join(sorted(unknown))}")
    return GatheredRows(
        dataverse,
        ledger=ledger,
        batch_size=settings.dataverse_batch_size,
        in_flight=settings.dataverse_in_flight,
        modes=modes,
    )


def _parse(clock: "Clock", settings: Settings, message: Message) -> Change | Drain:
    return envelope.read(message, clock.now(), settings.clock_skew)


def _client(who: str, url: str, settings: Settings, secret: "Secret | None") -> WebClient:
    return WebClient(who, url, secret, ca_file=settings.ca_file)


def _address(settings: Settings, credentials: AzureCredentials) -> Address:
    if settings.service_bus_connection:
        return Address(connection_string=settings.service_bus_connection)
    return Address(namespace=settings.service_bus_namespace, credential=credentials.asynchronous())
