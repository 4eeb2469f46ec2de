"""Every setting of the app, its default, and what it is for.

`local.settings.sample.json` and `docs/reference/settings.md` are held equal to `SETTINGS` by tests. All
faults are reported at once, by name and rule, never with the value.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.settings.reader import Reader, Setting
from shared.settings.systems import SystemSettings, read, settings_of

if TYPE_CHECKING:
    from shared.core.system import LegacySystem

_SERVICE_BUS = "ServiceBusConnection"
_NAMESPACE = "ServiceBusConnection__fullyQualifiedNamespace"


SETTINGS: tuple[Setting, ...] = (
    Setting(
        _SERVICE_BUS,
        "Service Bus by connection string: the local broker and the official emulator only.",
        "Endpoint=sb://127.0.0.1:5672;SharedAccessKeyName=RootManageSharedAccessKey;"
        "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;",
        "",
    ),
    Setting(
        _NAMESPACE,
        "Service Bus by namespace and managed identity: how it runs in Azure (E-04).",
        "",
        "",
    ),
    Setting("INBOUND_QUEUE", "Session queue of changes into Dataverse.", "inbound", "inbound"),
    Setting("OUTBOUND_QUEUE", "Session queue of changes out of Dataverse.", "outbound", "outbound"),
    Setting(
        "RETRY_SCHEDULE",
        "When the timers look for due retries, lost wakes, decisions on their way and certain matches, for "
        "what never came, and for tickets to open, update or close (six-field NCRONTAB).",
        "*/5 * * * * *",
    ),
    Setting(
        "PLAN_SCHEDULE",
        "When the timer looks for replay plans that have work (six-field NCRONTAB).",
        "*/2 * * * * *",
        "*/5 * * * * *",
    ),
    Setting("RETRY_FIRST_DELAY_SECONDS", "Pause after a first transient failure; doubles.", "5", "5"),
    Setting("RETRY_LONGEST_DELAY_SECONDS", "The longest pause; after four, people are told.", "900", "900"),
    Setting(
        "CLOCK_SKEW_SECONDS", "How far a change may lie in the future before it is set aside.", "300", "300"
    ),
    Setting(
        "LOOP_BUDGET",
        "How often a record may go back and forth within LOOP_WINDOW_SECONDS before it is held (N-06).",
        "20",
        "20",
    ),
    Setting("LOOP_WINDOW_SECONDS", "The window of LOOP_BUDGET.", "600", "600"),
    Setting(
        "MATCH_POLICY",
        "Who decides that two rows are one customer: review (a person, always), or certain (a match that its "
        "rule calls certain, between two legacy systems, decides itself).",
        "review",
        "review",
    ),
    Setting(
        "OWN_NAMES",
        "Names our own writes are told of under, separated by commas: the application user's GUID in "
        "Dataverse, the integration's name in a legacy system.",
        "integration",
        "integration",
    ),
    Setting(
        "SETTLE_WINDOWS",
        "Seconds that every change of an entity waits for earlier ones: system/entity=2.",
        "",
        "",
    ),
    Setting(
        "GAP_WAITS",
        "Seconds that a change waits for a missing predecessor, where the source counts each record's "
        "changes by one (E-07): system/entity=30.",
        "",
        "",
    ),
    Setting(
        "PARK_ALARM_AFTER_HOURS",
        "How long a record may wait for another one before people are told (N-11).",
        "24",
        "24",
    ),
    Setting(
        "OWNER_SCHEDULE",
        "When the timer looks whether unmatched owners are users by now (six-field NCRONTAB).",
        "*/5 * * * * *",
        "0 * * * * *",
    ),
    Setting(
        "OWNER_POLICIES",
        "What new records of an unmatched owner do, wait or fallback, closest first: system/object=wait, "
        "*/object=fallback, system=wait, *=fallback. Where blank, contacts, leads, deals and opportunities "
        "wait (C-30).",
        "",
        "",
    ),
    Setting(
        "FALLBACK_OWNERS",
        "Who owns a record meanwhile, by a user's address or a team's name: system/object=x, */object=x, "
        "system=x, *=x; Tandem's own user where blank (P-06).",
        "",
        "",
    ),
    Setting("LANE_LEASE_SECONDS", "How long a worker that died may hold a lane.", "120", "120"),
    Setting(
        "GAP_SCHEDULE",
        "When both sides are compared with what was received (six-field NCRONTAB).",
        "0 */15 * * * *",
    ),
    Setting(
        "GAP_GRACE_SECONDS",
        "How long a message may be on its way before the gap detector tells what it would have told.",
        "900",
        "900",
    ),
    Setting("PURGE_SCHEDULE", "When old payloads and metadata are forgotten.", "0 0 3 * * *"),
    Setting("PAYLOAD_DAYS", "How long a finished message's body is kept.", "30", "30"),
    Setting("METADATA_DAYS", "How long a finished message's metadata and history are kept.", "400", "400"),
    Setting(
        "ACTIVITY_PROFILE",
        "What e-mails, calls and meetings become: native (email, phone call, appointment) or seed (tasks).",
        "native",
        "native",
    ),
    Setting(
        "ATTACHMENT_LIMIT",
        "Largest file in bytes that becomes a note; the organisation's own limit counts as well.",
        "26214400",
        "26214400",
    ),
    Setting("SQL_URL", "State: sqlite:///<file> or mssql+pyodbc://...", "sqlite:///.local/tandem.db"),
    Setting("DATAVERSE_URL", "Base URL of the Dataverse organisation.", "http://127.0.0.1:7080"),
    Setting("DATAVERSE_SCOPE", "Token scope; derived from DATAVERSE_URL when blank.", "", ""),
    Setting("DATAVERSE_BATCH_SIZE", "Most writes to Dataverse that travel together.", "10", "10"),
    Setting(
        "DATAVERSE_BULK_TABLES",
        "Tables written in bulk, without a guard: names between commas; one with a minus before it is never. "
        "Others go in bulk while ownership lets the legacy side alone write them.",
        "",
        "",
    ),
    Setting(
        "DATAVERSE_IN_FLIGHT",
        "Most requests with writes under way at once, until Dataverse itself says how many it wants.",
        "8",
        "8",
    ),
    Setting(
        "DATAVERSE_REQUESTS_PER_WINDOW",
        "Requests that Dataverse grants one identity in five minutes; 97 % of them are used.",
        "6000",
        "6000",
    ),
    Setting(
        "DATAVERSE_SECONDS_PER_WINDOW",
        "Seconds of execution that Dataverse grants one identity in five minutes; 97 % of them are used.",
        "1200",
        "1200",
    ),
    Setting(
        "KEY_VAULT_URL", "Key vault with the legacy systems' credentials (E-10).", "https://127.0.0.1:7443"
    ),
    Setting(
        "DROP_SCHEDULE",
        "When the timer looks for export drops (six-field NCRONTAB).",
        "*/5 * * * * *",
        "0 */5 * * * *",
    ),
    Setting(
        "DROP_SETTLE_SECONDS",
        "How long a drop must look the same before it is read.",
        "2",
        "60",
    ),
    Setting(
        "IMPORT_SCHEDULE",
        "When the timer looks for acknowledgements and pending writes (six-field NCRONTAB).",
        "*/5 * * * * *",
        "0 */5 * * * *",
    ),
    Setting(
        "IMPORT_COLLECT_SECONDS",
        "How long a pending write waits for others to share its workbook.",
        "2",
        "3600",
    ),
    Setting(
        "IMPORT_LOST_AFTER_SECONDS",
        "How long a workbook may be gone without an acknowledgement before it is written once more.",
        "20",
        "21600",
    ),
    Setting("TICKETS_URL", "Base URL of the ticket desk.", "http://127.0.0.1:7082"),
    Setting(
        "TICKET_TEAMS",
        "Teams of tickets, closest first: system/object=team, */object=team, system=team, *=team, each also "
        "with @unit behind it, or sender:name=team; <system>-support where blank. An edit that does not go "
        "out is its system's, not dataverse's (E-14).",
        "",
        "",
    ),
    Setting(
        "TICKETS_SCOPE", "Token scope of the ticket desk.", "api://tickets/.default", "api://tickets/.default"
    ),
    Setting("TELEMETRY_BACKEND", "opencensus, console or none.", "opencensus", "opencensus"),
    Setting(
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "Where telemetry goes; blank turns the exporter off.",
        "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=http://127.0.0.1:7083/",
        "",
    ),
    Setting(
        "AUTH_ISSUER", "Issuer of the tokens the HTTP door accepts.", "https://127.0.0.1:7444/tandem/v2.0"
    ),
    Setting("AUTH_AUDIENCE", "Audience those tokens must name.", "api://tandem", "api://tandem"),
    Setting("AUTH_JWKS_URL", "Where the issuer publishes its keys.", "https://127.0.0.1:7444/tandem/keys"),
)


def known(systems: "Iterable[LegacySystem]") -> tuple[Setting, ...]:
    """The app's own settings, then those of each legacy system."""
    return (*SETTINGS, *(setting for system in systems for setting in settings_of(system)))


@dataclass(frozen=True, slots=True)
class Exchange:
    """How files are exchanged with systems that take nothing else."""

    settle: timedelta
    collect: timedelta
    lost_after: timedelta

    @classmethod
    def read(cls, reader: Reader) -> "Exchange":
        """The settings about files; faults are the reader's to tell."""
        return cls(
            settle=reader.seconds("DROP_SETTLE_SECONDS"),
            collect=reader.seconds("IMPORT_COLLECT_SECONDS"),
            lost_after=reader.seconds("IMPORT_LOST_AFTER_SECONDS"),
        )


@dataclass(frozen=True, slots=True)
class Tokens:
    """Which tokens the HTTP doors accept."""

    issuer: str
    audience: str
    keys_url: str

    @classmethod
    def read(cls, reader: Reader) -> "Tokens":
        """The settings about tokens; faults are the reader's to tell."""
        return cls(
            issuer=reader.text("AUTH_ISSUER"),
            audience=reader.text("AUTH_AUDIENCE"),
            keys_url=reader.address("AUTH_JWKS_URL"),
        )


@dataclass(frozen=True, slots=True)
class OwnerSettings:
    """What is laid down for owners who are no user; see `shared.core.record_owner.OwnerPolicy`."""

    policies: str
    fallbacks: str

    @classmethod
    def read(cls, reader: Reader) -> "OwnerSettings":
        """As the environment has it."""
        return cls(reader.routes("OWNER_POLICIES", {"wait", "fallback"}), reader.routes("FALLBACK_OWNERS"))


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the app is told from outside."""

    service_bus_connection: str
    service_bus_namespace: str
    inbound_queue: str
    outbound_queue: str
    first_delay: timedelta
    longest_delay: timedelta
    clock_skew: timedelta
    lane_lease: timedelta
    settle_windows: str
    gap_waits: str
    park_alarm_after: timedelta
    owners: OwnerSettings
    loop_budget: int
    loop_window: timedelta
    match_policy: str
    ourselves: frozenset[str]
    gap_grace: timedelta
    activity_profile: str
    attachment_limit: int
    payload_days: timedelta
    metadata_days: timedelta
    sql_url: str
    dataverse_url: str
    dataverse_scope: str
    dataverse_batch_size: int
    dataverse_bulk_tables: str
    dataverse_in_flight: int
    dataverse_requests: int
    dataverse_seconds: timedelta
    key_vault_url: str
    systems: Mapping[str, SystemSettings]
    exchange: Exchange
    tickets_url: str
    tickets_scope: str
    ticket_teams: str
    telemetry_backend: str
    insights_connection: str
    tokens: Tokens
    ca_file: str | None

    @classmethod
    def from_env(
        cls, systems: "Collection[LegacySystem]", env: Mapping[str, str] | None = None
    ) -> "Settings":
        """The settings of this process with these legacy systems.

        Raises InvalidSettings with every fault at once.
        """
        said = os.environ if env is None else env
        reader = Reader(said, known(systems))
        dataverse = reader.address("DATAVERSE_URL").rstrip("/")
        reader.require_one(_SERVICE_BUS, _NAMESPACE)
        settings = cls(
            service_bus_connection=reader.service_bus(_SERVICE_BUS),
            service_bus_namespace=reader.text(_NAMESPACE),
            inbound_queue=reader.text("INBOUND_QUEUE"),
            outbound_queue=reader.text("OUTBOUND_QUEUE"),
            first_delay=reader.seconds("RETRY_FIRST_DELAY_SECONDS"),
            longest_delay=reader.seconds("RETRY_LONGEST_DELAY_SECONDS"),
            clock_skew=reader.seconds("CLOCK_SKEW_SECONDS"),
            lane_lease=reader.seconds("LANE_LEASE_SECONDS"),
            settle_windows=reader.waits("SETTLE_WINDOWS"),
            gap_waits=reader.waits("GAP_WAITS"),
            park_alarm_after=timedelta(hours=reader.number("PARK_ALARM_AFTER_HOURS")),
            owners=OwnerSettings.read(reader),
            loop_budget=reader.number("LOOP_BUDGET"),
            loop_window=reader.seconds("LOOP_WINDOW_SECONDS"),
            match_policy=reader.one_of("MATCH_POLICY", {"review", "certain"}),
            ourselves=reader.names("OWN_NAMES"),
            gap_grace=reader.seconds("GAP_GRACE_SECONDS"),
            activity_profile=reader.one_of("ACTIVITY_PROFILE", {"native", "seed"}),
            attachment_limit=reader.number("ATTACHMENT_LIMIT"),
            payload_days=reader.days("PAYLOAD_DAYS"),
            metadata_days=reader.days("METADATA_DAYS"),
            sql_url=reader.text("SQL_URL"),
            dataverse_url=dataverse,
            dataverse_scope=reader.text("DATAVERSE_SCOPE") or f"{dataverse}/.default",
            dataverse_batch_size=reader.number("DATAVERSE_BATCH_SIZE"),
            dataverse_bulk_tables=reader.text("DATAVERSE_BULK_TABLES"),
            dataverse_in_flight=reader.number("DATAVERSE_IN_FLIGHT"),
            dataverse_requests=reader.number("DATAVERSE_REQUESTS_PER_WINDOW"),
            dataverse_seconds=reader.seconds("DATAVERSE_SECONDS_PER_WINDOW"),
            key_vault_url=reader.address("KEY_VAULT_URL"),
            systems=read(reader, systems, said),
            exchange=Exchange.read(reader),
            tickets_url=reader.address("TICKETS_URL"),
            tickets_scope=reader.text("TICKETS_SCOPE"),
            ticket_teams=reader.routes("TICKET_TEAMS"),
            telemetry_backend=reader.one_of("TELEMETRY_BACKEND", {"opencensus", "console", "none"}),
            insights_connection=reader.text("APPLICATIONINSIGHTS_CONNECTION_STRING"),
            tokens=Tokens.read(reader),
            ca_file=reader.optional("SSL_CERT_FILE"),
        )
        return reader.sound(settings)
