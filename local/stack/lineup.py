"""The table of the stack's parts: how each is started, what it needs, and how to see that it answers."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence

from local.stack import stand_ins
from local.stack.certificates import Certificates
from local.stack.endpoints import CONTAINERS
from local.stack.fault import NotReadyError
from local.stack.layout import Layout
from local.stack.part import Part
from local.stack.private_file import write_private
from local.stack.settings import (
    issuer,
    servicebus_connection,
    storage_connection,
    write_settings,
)

NAMES = (
    "broker",
    "azurite",
    "identity",
    "vault",
    "desk",
    "telemetry",
    "dataverse",
    "crm",
    "legrand",
    *stand_ins.NAMES,
    "host",
)
_MODULES = dict.fromkeys(("legrand", *stand_ins.NAMES), "crm")
"""The module of a part that is not called like it."""


def check_machine(layout: Layout, names: Sequence[str]) -> None:
    """Raises NotReadyError if a tool or a file that a part is made of is missing."""
    if "azurite" in names:
        if shutil.which("node") is None:
            raise NotReadyError("node is not installed; the storage emulator needs node 20 or newer.")
        if not layout.azurite.exists():
            raise NotReadyError("The storage emulator is not installed; run `python3 local/setup.py`.")
    for name in names:
        if (
            name != "azurite"
            and not (layout.root / "local" / _MODULES.get(name, name) / "__main__.py").exists()
        ):
            raise NotReadyError(
                f"The part {name} is not in this checkout: local/{_MODULES.get(name, name)} is missing."
            )


def copy_key(layout: Layout, system: str) -> None:
    """Lets a system take the key that the vault holds: whoever rotates the secret has rotated the key."""
    secrets = json.loads((layout.state / "vault" / "secrets.json").read_text())
    key = next(secret for secret in secrets if secret["name"] == f"{system}-api-key")["versions"][-1]["value"]
    held = layout.key_of(system)
    if not held.exists() or held.read_text() != key:
        write_private(held, key)


def make_containers(connection: str) -> None:
    """Makes the blob containers for file exchange, where they are missing."""
    # A third of a second to import, which no `tandem` command should wait for.
    from azure.core.exceptions import ResourceExistsError  # noqa: PLC0415 - see above
    from azure.storage.blob import BlobServiceClient  # noqa: PLC0415 - see above

    with BlobServiceClient.from_connection_string(connection) as service:
        for container in CONTAINERS:
            try:
                service.create_container(container)
            except ResourceExistsError:
                continue


class Lineup:
    """The parts of one checkout on these ports."""

    def __init__(self, layout: Layout, ports: Mapping[str, int], certificates: Certificates) -> None:
        self._layout = layout
        self._ports = ports
        self._certificates = certificates

    def parts(self) -> tuple[Part, ...]:
        """All parts, in the order of the table in `NAMES`."""
        return (
            self._broker(),
            self._azurite(),
            self._identity(),
            self._vault(),
            self._plain("desk"),
            self._plain("telemetry"),
            self._dataverse(),
            self._crm("crm", "allegory"),
            self._legrand(),
            *(self._crm(name, name) for name in stand_ins.NAMES),
            self._host(),
        )

    def _module(self, name: str, *arguments: object) -> tuple[str, ...]:
        return (sys.executable, "-m", f"local.{name}", *(str(argument) for argument in arguments))

    def _url(self, port: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self._ports[port]}"

    def _store(self, name: str) -> str:
        folder = self._layout.state / name
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder / f"{name}.db")

    @property
    def _tls(self) -> tuple[object, ...]:
        return ("--cert", self._certificates.certificate, "--key", self._certificates.key)

    def _broker(self) -> Part:
        ports = self._ports
        return Part(
            "broker",
            self._module(
                "broker",
                *("--config", "infra/servicebus/config.json"),
                *("--amqp-port", ports["broker_amqp"], "--admin-port", ports["broker_admin"]),
                *("--amqps-port", ports["broker_amqps"], *self._tls),
                *("--store", self._store("broker")),
            ),
            health=f"{self._url('broker_admin')}/health",
            address=f"sb://127.0.0.1:{ports['broker_amqp']}",
        )

    def _azurite(self) -> Part:
        options: list[str] = []
        for service in ("blob", "queue", "table"):
            options += [f"--{service}Host", "127.0.0.1", f"--{service}Port", str(self._ports[service])]
        location = self._layout.state / "azurite"
        return Part(
            "azurite",
            (
                *("node", str(self._layout.azurite), *options, "--location", str(location)),
                *("--silent", "--disableTelemetry", "--skipApiVersionCheck"),
            ),
            health=f"{self._url('blob')}/devstoreaccount1?comp=list",
            any_answer=True,
            address=self._url("blob"),
        )

    def _identity(self) -> Part:
        state = self._layout.state / "identity"
        return Part(
            "identity",
            self._module("identity", "--port", self._ports["identity"], *self._tls, "--state", state),
            health=f"{self._url('identity', 'https')}/health",
            address=self._url("identity", "https"),
        )

    def _vault(self) -> Part:
        return Part(
            "vault",
            self._module(
                "vault",
                *("--port", self._ports["vault"], *self._tls),
                *("--issuer", issuer(self._ports), "--ca", self._certificates.authority),
                *("--state", self._layout.state / "vault"),
            ),
            health=f"{self._url('vault', 'https')}/health",
            address=self._url("vault", "https"),
        )

    def _plain(self, name: str) -> Part:
        """A part that needs only a port and a place to keep its state."""
        return Part(
            name,
            self._module(name, "--port", self._ports[name], "--store", self._store(name)),
            health=f"{self._url(name)}/health",
            address=self._url(name),
        )

    def _dataverse(self) -> Part:
        ports = self._ports
        return Part(
            "dataverse",
            self._module(
                "dataverse",
                *("--http-port", ports["dataverse"], "--https-port", ports["dataverse_https"], *self._tls),
                *("--store", self._store("dataverse")),
                *("--customisations", "infra/dataverse/customisations.json", "--flows", "infra/flows"),
                *("--servicebus", servicebus_connection(ports["broker_amqp"]), "--control"),
            ),
            health=f"{self._url('dataverse')}/health",
            after=frozenset({"broker"}),
            address=self._url("dataverse"),
        )

    def _crm(self, part: str, system: str) -> Part:
        """A legacy system with a REST interface."""
        layout, storage = self._layout, storage_connection(self._ports)

        def prepare() -> None:
            copy_key(layout, system)
            make_containers(storage)

        return Part(
            part,
            self._module(
                "crm",
                *("--system", system, "--port", self._ports[system], "--store", self._store(part)),
                *("--api-key-file", layout.key_of(system), "--drop-url", f"az://{system}-drop"),
            ),
            health=f"{self._url(system)}/health",
            after=frozenset({"vault", "azurite"}),
            environment={"AZURE_STORAGE_CONNECTION_STRING": storage},
            prepare=prepare,
            tend=lambda: copy_key(layout, system),
            address=self._url(system),
        )

    def _legrand(self) -> Part:
        storage = storage_connection(self._ports)
        return Part(
            "legrand",
            self._module(
                "crm",
                *("--system", "legrand", "--port", self._ports["legrand"]),
                *("--store", self._store("legrand"), "--drop-url", "az://legrand-drop"),
                *("--import-url", "az://legrand-import"),
            ),
            health=f"{self._url('legrand')}/health",
            after=frozenset({"azurite"}),
            environment={"AZURE_STORAGE_CONNECTION_STRING": storage},
            prepare=lambda: make_containers(storage),
            address=self._url("legrand"),
        )

    def _host(self) -> Part:
        bundle = str(self._certificates.bundle)
        return Part(
            "host",
            self._module(
                "host", "--app", ".", "--settings", self._layout.settings, "--port", self._ports["host"]
            ),
            health=f"{self._url('host')}/admin/host/status",
            after=frozenset(NAMES) - {"host"},
            # A host leaves alone what its environment has already, and a machine may have these two set.
            environment={"REQUESTS_CA_BUNDLE": bundle, "SSL_CERT_FILE": bundle},
            prepare=lambda: write_settings(self._layout, self._ports, self._certificates),
            address=self._url("host"),
        )
