"""What every part of the app is wired over: the state, the far sides, and who this process is."""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from mappers import systems as systems_of
from mappers.dataverse import TABLES
from shared.connectors.credentials.azure import AzureCredentials
from shared.connectors.dataverse.directory import DataverseDirectory
from shared.connectors.dataverse.gathered import GatheredRows
from shared.connectors.dataverse.ledger import Allowance, Ledger
from shared.connectors.dataverse.lists import DataverseLists
from shared.connectors.dataverse.metadata import DataverseMetadata
from shared.connectors.dataverse.mode import Modes
from shared.connectors.dataverse.notes import NoteRows
from shared.connectors.dataverse.people import DataversePeople
from shared.connectors.dataverse.rows import API, REQUEST_ID
from shared.connectors.dataverse.tracking import DataverseChanges
from shared.connectors.dataverse.units import DataverseUnits
from shared.connectors.legacy.files import DropFiles, EitherFiles, RestFiles, SystemFiles
from shared.connectors.legacy.rest import RestRecords
from shared.connectors.servicebus.bus import Address, ServiceBus
from shared.connectors.sqlstore import open_store
from shared.connectors.telemetry import Backend, telemetry_for
from shared.connectors.vault.secrets import Vault
from shared.connectors.web.client import WebClient
from shared.connectors.web.pause import Pause
from shared.connectors.web.shared_pause import SharedPause
from shared.core import envelope
from shared.core.change import Change, Direction, Drain, Message
from shared.core.named_records import NamedRecords
from shared.inbound.one_sided import OneSided
from shared.recovery.plans.sides import Sides
from shared.settings import InvalidSettings, Settings

if TYPE_CHECKING:
    from shared.connectors.credentials.secret import Secret
    from shared.connectors.sqlstore import Store
    from shared.core.mapping.files import Files
    from shared.core.ports import Clock, Telemetry
    from shared.core.system import LegacySystem


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """The current instant."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class World:
    """What every part of the app is wired over: the state, the far sides, and who this process is."""

    settings: Settings
    clock: SystemClock
    credentials: AzureCredentials
    store: "Store"
    telemetry: Backend
    bus: ServiceBus
    clients: Mapping[str, WebClient]
    changes: DataverseChanges
    metadata: DataverseMetadata
    rows: GatheredRows
    sides: Sides
    people: DataversePeople
    owner: str


def world_of(settings: Settings, opened: ExitStack) -> World:
    """The world of these settings; what must be closed again is given to `opened`."""
    clock = SystemClock()
    credentials = AzureCredentials(clock)
    owner = f"{os.uname().nodename}-{uuid4().hex[:8]}"
    credential = credentials.credential() if settings.sql_url.startswith("mssql") else None
    store = open_store(settings.sql_url, clock, credential=credential, owner=owner, lease=settings.lane_lease)
    opened.callback(store.close)
    telemetry = telemetry_for(settings.telemetry_backend, settings.insights_connection)
    opened.callback(telemetry.close)
    queues = {Direction.INBOUND: settings.inbound_queue, Direction.OUTBOUND: settings.outbound_queue}
    pause = partial(_pause, store=store, clock=clock, telemetry=telemetry)
    systems = systems_of(settings.activity_profile)
    clients = _clients(settings, systems, Vault(settings.key_vault_url, credentials, clock), pause)
    dataverse = _dataverse(settings, credentials, pause("Dataverse"))
    ledger = Ledger(Allowance(settings.dataverse_requests, settings.dataverse_seconds.total_seconds()))
    people = DataversePeople(dataverse, clock)
    sides, rows = _sides(settings, systems, store, people, dataverse, ledger, clients)
    return World(
        settings=settings,
        clock=clock,
        credentials=credentials,
        store=store,
        telemetry=telemetry,
        bus=ServiceBus(
            queues, _address(settings, credentials), clock, ca_file=settings.ca_file, seal=store.seal
        ),
        clients=clients,
        changes=DataverseChanges(dataverse, ledger=ledger),
        metadata=DataverseMetadata(dataverse),
        rows=rows,
        sides=sides,
        people=people,
        owner=owner,
    )


def _pause(far_side: str, store: "Store", clock: "Clock", telemetry: "Telemetry") -> Pause:
    """The pause of our one identity at a far side, shared by every instance that works on this state."""
    return Pause(shared=SharedPause(store.pauses, far_side, clock, telemetry))


def _clients(
    settings: Settings,
    systems: "Iterable[LegacySystem]",
    vault: Vault,
    pause: "Callable[[str], Pause]",
) -> dict[str, WebClient]:
    """One client for each system with a REST interface: what asks its feed to slow down slows its records."""
    clients: dict[str, WebClient] = {}
    for system in systems:
        if system.rest is not None:
            said = settings.systems[system.name]
            key = vault.secret(said.key_secret)
            clients[system.name] = client(system.title, said.url, settings, key, pause(system.title))
    return clients


def _dataverse(settings: Settings, credentials: AzureCredentials, pause: Pause) -> WebClient:
    """The one client for Dataverse: its limits are the identity's, so a pause holds for every caller."""
    return WebClient(
        "Dataverse",
        f"{settings.dataverse_url}/{API}",
        credentials.token(settings.dataverse_scope),
        pause=pause,
        ca_file=settings.ca_file,
        request_id_header=REQUEST_ID,
    )


def _sides(
    settings: Settings,
    declared: "Iterable[LegacySystem]",
    store: "Store",
    people: DataversePeople,
    dataverse: WebClient,
    ledger: Ledger,
    clients: Mapping[str, WebClient],
) -> tuple[Sides, GatheredRows]:
    clock = people.clock
    systems = {system.name: system for system in declared}
    one_sided = OneSided(store.owners, store.owners.phases, systems, clock)
    modes = Modes.said(settings.dataverse_bulk_tables, one_sided)
    rows = _rows(settings, dataverse, ledger, modes)
    files = SystemFiles(
        {name: _files(system, settings, clients.get(name)) for name, system in systems.items()}
    )
    sides = Sides(
        systems=systems,
        tables=TABLES,
        rows=NoteRows(rows, dataverse, files, clock, settings.attachment_limit),
        records={
            name: NamedRecords(name, RestRecords(systems[name], over)) for name, over in clients.items()
        },
        shadows=store.shadows,
        crosswalk=store.crosswalk,
        directory=DataverseDirectory(dataverse, rows, TABLES, clock),
        people=people,
        units=DataverseUnits(dataverse, clock),
        aliases=store.record_owners,
        parse=partial(_parse, clock, settings),
        clock=clock,
        lanes=store.lanes,
        lists=DataverseLists(rows),
    )
    return sides, rows


def _files(system: "LegacySystem", settings: Settings, over: WebClient | None) -> "Files":
    """The files of a system: in its drops, and those it serves."""
    dropped = DropFiles(settings.systems[system.name].drop_url)
    if over is None or not system.interface.files:
        return dropped
    return EitherFiles(RestFiles(system.interface.files, over), dropped)


def _rows(settings: Settings, dataverse: WebClient, ledger: Ledger, modes: Modes) -> GatheredRows:
    if not {*modes.bulk, *modes.guarded} <= TABLES.keys():
        raise InvalidSettings("DATAVERSE_BULK_TABLES names a table that no map writes")
    return GatheredRows(
        dataverse,
        ledger=ledger,
        batch_size=settings.dataverse_batch_size,
        in_flight=settings.dataverse_in_flight,
        modes=modes,
    )


def _parse(clock: "Clock", settings: Settings, message: Message) -> Change | Drain:
    return envelope.read(message, clock.now(), settings.clock_skew, settings.ourselves)


def client(
    who: str, url: str, settings: Settings, secret: "Secret | None", pause: Pause | None = None
) -> WebClient:
    """A client for one far side, trusting what the settings say; a pause of its own if none is given."""
    return WebClient(who, url, secret, pause=pause, ca_file=settings.ca_file)


def _address(settings: Settings, credentials: AzureCredentials) -> Address:
    if settings.service_bus_connection:
        return Address(connection_string=settings.service_bus_connection)
    return Address(namespace=settings.service_bus_namespace, credential=credentials.asynchronous())
