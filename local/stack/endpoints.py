"""Where everything of the stack answers: what `.local/endpoints.json` says to people, tests and programs."""

import json
from collections.abc import Mapping
from typing import Any

from local.identity.issuer import TENANT
from local.stack import stand_ins
from local.stack.certificates import Certificates
from local.stack.layout import Layout
from local.stack.private_file import write_private_json
from local.stack.settings import servicebus_connection, sql_url, storage_connection
from mappers import SYSTEMS
from shared.settings.systems import settings_of

CONTAINERS = tuple(
    setting.sample.removeprefix("az://")
    for system in SYSTEMS
    for setting in settings_of(system)
    if setting.sample.startswith("az://")
)
"""Blob containers for file exchange. `az://<container>` is how fsspec names one, with `blob` to connect."""


def endpoints(layout: Layout, ports: Mapping[str, int], certificates: Certificates) -> dict[str, Any]:
    """Every address. Needs the issuer to have run, because it makes the tokens."""

    def local(name: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{ports[name]}"

    return {
        "servicebus": servicebus_connection(ports["broker_amqp"]),
        "servicebus_admin": servicebus_connection(ports["broker_admin"]),
        "dataverse": {
            "http": local("dataverse"),
            "https": local("dataverse_https", "https"),
            "token_url": f"{local('identity', 'https')}/{TENANT}/oauth2/v2.0/token",
        },
        "ca_file": str(certificates.authority),
        "functions": local("host"),
        "allegory": {"rest": local("allegory"), "drop": "az://allegory-drop"},
        "legrand": {"drop": "az://legrand-drop", "import": "az://legrand-import", "desk": local("legrand")},
        **{name: {"rest": local(name)} for name in stand_ins.NAMES},
        "blob": storage_connection(ports),
        "sql": sql_url(layout),
        "tickets": local("desk"),
        "telemetry": local("telemetry"),
        "tokens": json.loads((layout.state / "identity" / "tokens.json").read_text()),
    }


def write_endpoints(layout: Layout, ports: Mapping[str, int], certificates: Certificates) -> dict[str, Any]:
    """Writes them to `.local/endpoints.json`, which only its owner may read, and returns them."""
    found = endpoints(layout, ports, certificates)
    write_private_json(layout.endpoints, found)
    return found
