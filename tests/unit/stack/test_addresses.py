"""The files that tell the app and everybody else where the stack answers."""

import json
import stat
from pathlib import Path

import pytest

from local.crm.rest import INTEGRATION
from local.dataverse.seed import TANDEM_USER
from local.identity.issuer import TENANT
from local.stack import settings, stand_ins
from local.stack.certificates import Certificates
from local.stack.endpoints import write_endpoints
from local.stack.layout import Layout
from local.stack.lineup import Lineup
from local.stack.ports import NAMES
from local.stack.settings import write_settings
from mappers.allegory import ALLEGORY
from mappers.legrand import LEGRAND
from shared.core.system import LegacySystem
from tests.sample_system import built

PORTS = {name: 20_000 + number for number, name in enumerate(NAMES) if name not in stand_ins.NAMES}
BLOB = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "BlobEndpoint=http://127.0.0.1:20003/devstoreaccount1;"
    "QueueEndpoint=http://127.0.0.1:20004/devstoreaccount1;"
    "TableEndpoint=http://127.0.0.1:20005/devstoreaccount1;"
)


@pytest.fixture(autouse=True)
def two_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else is registered."""
    registered(monkeypatch, ALLEGORY, LEGRAND)


def registered(monkeypatch: pytest.MonkeyPatch, *systems: LegacySystem) -> None:
    others = tuple(system.name for system in systems if system.name not in stand_ins.OWN_PART)
    monkeypatch.setattr(stand_ins, "NAMES", others)
    monkeypatch.setattr(settings, "SYSTEMS", systems)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    state = tmp_path / ".local" / "identity"
    state.mkdir(parents=True)
    (state / "tokens.json").write_text(json.dumps({"inbound": "a", "ops_read": "b"}))
    (state / "identity-header.json").write_text(json.dumps({"identity_header": "the-header"}))
    return Layout(tmp_path)


@pytest.fixture
def certificates() -> Certificates:
    return Certificates(
        *(Path("/ca") / name for name in ("ca.pem", "server.pem", "server.key", "bundle.pem"))
    )


def _servicebus(port: int) -> str:
    return (
        f"Endpoint=sb://127.0.0.1:{port};SharedAccessKeyName=RootManageSharedAccessKey;"
        "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
    )


def test_the_addresses_are_all_there(layout: Layout, certificates: Certificates) -> None:
    write_endpoints(layout, PORTS, certificates)

    assert json.loads(layout.endpoints.read_text()) == {
        "servicebus": _servicebus(20_000),
        "servicebus_admin": _servicebus(20_002),
        "dataverse": {
            "http": "http://127.0.0.1:20006",
            "https": "https://127.0.0.1:20007",
            "token_url": f"https://127.0.0.1:20009/{TENANT}/oauth2/v2.0/token",
        },
        "ca_file": "/ca/ca.pem",
        "functions": "http://127.0.0.1:20013",
        "allegory": {"rest": "http://127.0.0.1:20008", "drop": "az://allegory-drop"},
        "legrand": {
            "drop": "az://legrand-drop",
            "import": "az://legrand-import",
            "desk": f"http://127.0.0.1:{PORTS['legrand']}",
        },
        "blob": BLOB,
        "sql": f"sqlite:///{layout.root}/.local/tandem.db",
        "tickets": "http://127.0.0.1:20011",
        "telemetry": "http://127.0.0.1:20012",
        "tokens": {"inbound": "a", "ops_read": "b"},
    }
    assert stat.filemode(layout.endpoints.stat().st_mode) == "-rw-------"


def test_the_settings_are_those_of_the_app_in_azure_with_local_values(
    layout: Layout, certificates: Certificates
) -> None:
    write_settings(layout, PORTS, certificates)

    issuer = f"https://127.0.0.1:20009/{TENANT}"
    assert json.loads(layout.settings.read_text()) == {
        "IsEncrypted": False,
        "Values": {
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "PYTHON_THREADPOOL_THREAD_COUNT": "32",
            "AzureWebJobsStorage": BLOB,
            "ServiceBusConnection": _servicebus(20_000),
            "INBOUND_QUEUE": "inbound",
            "OUTBOUND_QUEUE": "outbound",
            "RETRY_SCHEDULE": "*/2 * * * * *",
            "PLAN_SCHEDULE": "*/2 * * * * *",
            "OWNER_SCHEDULE": "*/2 * * * * *",
            "GAP_SCHEDULE": "0 */5 * * * *",
            "GAP_GRACE_SECONDS": "60",
            "PURGE_SCHEDULE": "0 0 3 * * *",
            "RETRY_FIRST_DELAY_SECONDS": "1",
            "LANE_LEASE_SECONDS": "15",
            "ALLEGORY_FEED_SCHEDULE": "*/2 * * * * *",
            "OWN_NAMES": f"{TANDEM_USER},{INTEGRATION}",
            "ALLEGORY_DROP_URL": "az://allegory-drop",
            "LEGRAND_DROP_URL": "az://legrand-drop",
            "DROP_SCHEDULE": "*/2 * * * * *",
            "DROP_SETTLE_SECONDS": "2",
            "LEGRAND_IMPORT_URL": "az://legrand-import",
            "IMPORT_SCHEDULE": "*/2 * * * * *",
            "IMPORT_COLLECT_SECONDS": "1",
            "IMPORT_LOST_AFTER_SECONDS": "15",
            "AZURE_STORAGE_CONNECTION_STRING": BLOB,
            "SQL_URL": f"sqlite:///{layout.root}/.local/tandem.db",
            "DATAVERSE_URL": "http://127.0.0.1:20006",
            "KEY_VAULT_URL": "https://127.0.0.1:20010",
            "ALLEGORY_URL": "http://127.0.0.1:20008",
            "ALLEGORY_KEY_SECRET": "allegory-api-key",
            "TICKETS_URL": "http://127.0.0.1:20011",
            "TICKET_TEAMS": "sender:7a2d0000-0000-4000-8000-00000000f001=external-sender",
            "APPLICATIONINSIGHTS_CONNECTION_STRING": (
                "InstrumentationKey=7a2d0000-0000-4000-8000-00000000fee1;"
                "IngestionEndpoint=http://127.0.0.1:20012/"
            ),
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
            "AUTH_ISSUER": f"{issuer}/v2.0",
            "AUTH_AUDIENCE": "api://tandem",
            "AUTH_JWKS_URL": f"{issuer}/discovery/v2.0/keys",
            "IDENTITY_ENDPOINT": "https://127.0.0.1:20009/msi/token",
            "IDENTITY_HEADER": "the-header",
            "REQUESTS_CA_BUNDLE": "/ca/bundle.pem",
            "SSL_CERT_FILE": "/ca/bundle.pem",
        },
    }
    assert stat.filemode(layout.settings.stat().st_mode) == "-rw-------"


def test_a_container_gets_the_same_settings(layout: Layout, certificates: Certificates) -> None:
    write_settings(layout, PORTS, certificates)

    lines = layout.environment.read_text().splitlines()
    assert dict(line.split("=", 1) for line in lines) == json.loads(layout.settings.read_text())["Values"]
    assert stat.filemode(layout.environment.stat().st_mode) == "-rw-------"


def test_a_system_that_is_registered_has_a_part_and_its_settings_are_told(
    layout: Layout, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "acme").mkdir()
    with built(tmp_path / "acme") as acme:
        registered(monkeypatch, ALLEGORY, LEGRAND, acme)
        ports = PORTS | {"acme": 20_100}
        write_settings(layout, ports, certificates)
        write_endpoints(layout, ports, certificates)
        parts = {part.name: part for part in Lineup(layout, ports, certificates).parts()}

    told = json.loads(layout.settings.read_text())["Values"]
    assert {name: value for name, value in told.items() if name.startswith("ACME_")} == {
        "ACME_URL": "http://127.0.0.1:20100",
        "ACME_KEY_SECRET": "acme-api-key",
        "ACME_FEED_SCHEDULE": "*/2 * * * * *",
    }
    assert json.loads(layout.endpoints.read_text())["acme"] == {"rest": "http://127.0.0.1:20100"}
    assert parts["acme"].command[1:7] == ("-m", "local.crm", "--system", "acme", "--port", "20100")
