"""A broker and the official client for it. Import nothing from here: ask for the fixtures.

`broker`   a broker in a thread of this process, with the queues `plain`, `sessions` and `brief` (3 s locks)
`client`   the official client on it, without retries
`process`  a broker in a process of its own, with a store, that can be killed and started again
`admin`    calls a JSON route of the admin port
"""

import gc
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient

from local.broker.entities.settings import QueueSettings
from local.broker.server import Broker, Listen, in_thread
from local.stack.certificates import Certificates, certificates_in
from tests.ready import said_when_ready

CHECKOUT = Path(__file__).parents[3]

QUEUES = {
    "plain": QueueSettings(),
    "sessions": QueueSettings(requires_session=True),
    "brief": QueueSettings(lock_duration_ms=3_000, max_delivery_count=2),
    "brief-sessions": QueueSettings(lock_duration_ms=3_000, requires_session=True),
    "expiring": QueueSettings(dead_letter_on_expiration=True),
    "unique": QueueSettings(requires_duplicate_detection=True),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The official client leaves sockets to the garbage collector when a connection dies; nothing else here
    may.
    """
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
            item.add_marker(
                pytest.mark.filterwarnings("ignore:.*<socket:pytest.PytestUnraisableExceptionWarning")
            )


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What the client left is collected within the test that left it, not in a stranger's."""
    yield
    gc.collect()


@pytest.fixture
def broker(certificates: Certificates) -> Iterator[Broker]:
    listen = Listen(amqps_port=0, certificate=certificates.certificate, key=certificates.key)
    with in_thread(QUEUES, listen) as running:
        yield running


@pytest.fixture
def client(broker: Broker) -> Iterator[ServiceBusClient]:
    with ServiceBusClient.from_connection_string(broker.connection_string, retry_total=0) as connected:
        yield connected


@pytest.fixture
def admin(broker: Broker) -> Callable[..., Any]:
    """Calls a JSON route of the admin port."""

    def call(method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{broker.admin_port}/{path}"
        request = urllib.request.Request(url, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310  # our own broker
                return json.loads(response.read() or "null")
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read())

    return call


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates as the local stack makes them."""
    return certificates_in(tmp_path_factory.mktemp("ca"))


@dataclass
class Process:
    """A broker in a process of its own, always on the same store, and on new ports at each start."""

    command: list[str]
    store: Path
    amqp_port: int = 0
    admin_port: int = 0
    running: subprocess.Popen[str] | None = None

    @property
    def connection_string(self) -> str:
        key = "SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE"
        return f"Endpoint=sb://127.0.0.1:{self.amqp_port};{key};UseDevelopmentEmulator=true;"

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        self.running = subprocess.Popen(self.command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)

    def start(self) -> None:
        self.launch()
        assert self.running is not None
        ports = said_when_ready(self.running, r"broker: AMQP on (\d+), admin on (\d+); not for production")
        self.amqp_port, self.admin_port = (int(port) for port in ports.groups())

    def end(self, number: int = signal.SIGKILL) -> int:
        assert self.running is not None
        os.kill(self.running.pid, number)
        self.running.communicate(timeout=60)
        return self.running.returncode

    def waiting(self, queue: str) -> int:
        """How many messages the queue has that are not settled."""
        url = f"http://127.0.0.1:{self.admin_port}/admin/queues"
        with urllib.request.urlopen(url, timeout=60) as answer:
            queues = json.loads(answer.read())["queues"]
        return int(next(each["active"] for each in queues if each["name"] == queue))


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    config = CHECKOUT / "infra" / "servicebus" / "config.json"
    command = [
        sys.executable,
        "-m",
        "local.broker",
        "--config",
        str(config),
        "--store",
        str(tmp_path / "store"),
    ]
    command += ["--amqp-port", "0", "--admin-port", "0"]
    broker = Process(command, tmp_path / "store")
    broker.start()
    yield broker
    if broker.running is not None and broker.running.poll() is None:
        broker.end()
