"""The settings that the app is given by the local stack: the same names as in Azure, with local values."""

import json
from collections.abc import Mapping
from typing import Any, Final

from local.crm.rest import INTEGRATION
from local.dataverse.seed import TANDEM_USER
from local.identity.issuer import AUDIENCE, ROLE_TOKENS, TENANT
from local.stack.certificates import Certificates
from local.stack.layout import Layout
from local.stack.private_file import write_private, write_private_json
from mappers import SYSTEMS
from shared.settings.systems import settings_of

# The account that every storage emulator starts with. It is printed in its manual and opens nothing else.
_AZURITE_ACCOUNT: Final = "devstoreaccount1"
_AZURITE_KEY: Final = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
# A number of our own, so that telemetry sent by mistake to the cloud would belong to nobody.
_INSTRUMENTATION_KEY: Final = "7a2d0000-0000-4000-8000-00000000fee1"


def servicebus_connection(port: int) -> str:
    """A connection string in the form that Service Bus SDKs know as the emulator's: no TLS, any key."""
    return (
        f"Endpoint=sb://127.0.0.1:{port};SharedAccessKeyName=RootManageSharedAccessKey;"
        "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
    )


def storage_connection(ports: Mapping[str, int]) -> str:
    """The storage emulator's connection string."""
    services = ";".join(
        f"{service}Endpoint=http://127.0.0.1:{ports[service.lower()]}/{_AZURITE_ACCOUNT}"
        for service in ("Blob", "Queue", "Table")
    )
    return (
        f"DefaultEndpointsProtocol=http;AccountName={_AZURITE_ACCOUNT};AccountKey={_AZURITE_KEY};{services};"
    )


def issuer(ports: Mapping[str, int]) -> str:
    """The `iss` of every token that the stack's issuer gives out."""
    return f"https://127.0.0.1:{ports['identity']}/{TENANT}/v2.0"


def sql_url(layout: Layout) -> str:
    """The app's database, as SQLAlchemy names it."""
    return f"sqlite:///{layout.state / 'tandem.db'}"


_SCHEDULES = {
    "RETRY_SCHEDULE": "*/2 * * * * *",
    "PLAN_SCHEDULE": "*/2 * * * * *",
    "OWNER_SCHEDULE": "*/2 * * * * *",
    "GAP_SCHEDULE": "0 */5 * * * *",
    "PURGE_SCHEDULE": "0 0 3 * * *",
    "DROP_SCHEDULE": "*/2 * * * * *",
    "IMPORT_SCHEDULE": "*/2 * * * * *",
}
"""When each timer runs: much sooner than elsewhere, because somebody watches."""


def _systems(ports: Mapping[str, int]) -> dict[str, str]:
    """What the app is told of the legacy systems: as the sample has it, but for addresses and times."""
    said = {setting.name: setting.sample for system in SYSTEMS for setting in settings_of(system)}
    for system in SYSTEMS:
        if system.rest is not None:
            said[f"{system.name.upper()}_URL"] = f"http://127.0.0.1:{ports[system.name]}"
    return {name: "*/2 * * * * *" if name.endswith("_SCHEDULE") else value for name, value in said.items()}


def app_settings(layout: Layout, ports: Mapping[str, int], certificates: Certificates) -> dict[str, str]:
    """Every setting of the app. Needs the issuer to have run once, because it makes the identity header."""
    identity = f"https://127.0.0.1:{ports['identity']}"
    header = json.loads((layout.state / "identity" / "identity-header.json").read_text())["identity_header"]
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "PYTHON_THREADPOOL_THREAD_COUNT": "32",
        "AzureWebJobsStorage": storage_connection(ports),
        "ServiceBusConnection": servicebus_connection(ports["broker_amqp"]),
        "INBOUND_QUEUE": "inbound",
        "OUTBOUND_QUEUE": "outbound",
        **_SCHEDULES,
        "GAP_GRACE_SECONDS": "60",
        "RETRY_FIRST_DELAY_SECONDS": "1",
        # A worker that was killed here must not keep its record for the two minutes that are right in Azure.
        "LANE_LEASE_SECONDS": "15",
        "DROP_SETTLE_SECONDS": "2",
        # Hours elsewhere; here nobody waits that long.
        "IMPORT_COLLECT_SECONDS": "1",
        "IMPORT_LOST_AFTER_SECONDS": "15",
        # What fsspec finds the containers by.
        "AZURE_STORAGE_CONNECTION_STRING": storage_connection(ports),
        "SQL_URL": sql_url(layout),
        "DATAVERSE_URL": f"http://127.0.0.1:{ports['dataverse']}",
        "OWN_NAMES": f"{TANDEM_USER},{INTEGRATION}",
        "KEY_VAULT_URL": f"https://127.0.0.1:{ports['vault']}",
        **_systems(ports),
        "TICKETS_URL": f"http://127.0.0.1:{ports['desk']}",
        # A team is named after its sender otherwise, and that is a number.
        "TICKET_TEAMS": f"sender:{ROLE_TOKENS['inbound'][1]}=external-sender",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": (
            f"InstrumentationKey={_INSTRUMENTATION_KEY};"
            f"IngestionEndpoint=http://127.0.0.1:{ports['telemetry']}/"
        ),
        "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
        "AUTH_ISSUER": issuer(ports),
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_JWKS_URL": f"{identity}/{TENANT}/discovery/v2.0/keys",
        "IDENTITY_ENDPOINT": f"{identity}/msi/token",
        "IDENTITY_HEADER": header,
        "REQUESTS_CA_BUNDLE": str(certificates.bundle),
        "SSL_CERT_FILE": str(certificates.bundle),
    }


def write_settings(layout: Layout, ports: Mapping[str, int], certificates: Certificates) -> None:
    """Writes them as `.local/settings.json`, for a Functions host, and as a container's environment."""
    values = app_settings(layout, ports, certificates)
    body: dict[str, Any] = {"IsEncrypted": False, "Values": values}
    write_private_json(layout.settings, body)
    write_private(layout.environment, "".join(f"{name}={value}\n" for name, value in values.items()))
