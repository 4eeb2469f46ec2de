"""A start of the app imports every connector, and pays for no SDK."""

import json
import subprocess
import sys
from pathlib import Path

CONNECTORS = (
    "shared.connectors.credentials.azure",
    "shared.connectors.dataverse.bulk",
    "shared.connectors.dataverse.directory",
    "shared.connectors.dataverse.gathered",
    "shared.connectors.dataverse.rows",
    "shared.connectors.legacy.rest",
    "shared.connectors.servicebus.bus",
    "shared.connectors.telemetry",
    "shared.connectors.tickets.desk",
    "shared.connectors.vault",
    "shared.connectors.web.client",
)
SDKS = ("azure", "httpx", "opencensus", "msal", "requests")


def test_importing_the_connectors_imports_no_sdk() -> None:
    program = f"import json, sys, {', '.join(CONNECTORS)}; print(json.dumps(sorted(sys.modules)))"
    root = Path(__file__).parents[3]
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )

    loaded = {name.split(".")[0] for name in json.loads(ran.stdout)}
    assert loaded.isdisjoint(SDKS)
