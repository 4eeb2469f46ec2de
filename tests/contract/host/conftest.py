"""A broker, and hosts as processes of their own: one app per process is the worker's rule."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from local.broker.entities.settings import QueueSettings
from local.broker.server import Broker, in_thread

ROOT = Path(__file__).parents[3]
APPS = Path(__file__).parent / "apps"

QUEUES = {
    "s": QueueSettings(requires_session=True, max_delivery_count=3, lock_duration_ms=2_500),
    "plain": QueueSettings(max_delivery_count=3, lock_duration_ms=2_500),
}


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """What the condition gives once it is true; looks every few milliseconds until the deadline."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        pause.wait(0.01)
    return found


class RunningHost:
    """A host process, its address and what its app wrote down."""

    def __init__(self, process: subprocess.Popen[str], notes: Path, log: Path) -> None:
        self.process = process
        self.log = log
        self._notes = notes
        self.url = ""

    def notes(self, function: str, **fields: Any) -> list[dict[str, Any]]:
        written = self._notes.read_text() if self._notes.exists() else ""
        # The app may be in the middle of its last line.
        noted = [json.loads(line) for line in written.splitlines(keepends=True) if line.endswith("\n")]
        return [
            each
            for each in noted
            if each["function"] == function and all(each.get(name) == value for name, value in fields.items())
        ]

    def started(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        for line in self.log.read_text().splitlines():
            if line.startswith("host: ") and " on http://" in line:
                self.url = line.rsplit(" ", 1)[1]
        return bool(self.url)


@pytest.fixture
def broker() -> Iterator[Broker]:
    with in_thread(QUEUES) as running:
        yield running


@pytest.fixture
def send(broker: Broker) -> Iterator[Callable[..., None]]:
    """Sends messages to a queue with the real SDK, all in one batch."""
    senders: dict[str, Any] = {}
    with ServiceBusClient.from_connection_string(broker.connection_string) as client:

        def sent(queue: str, *messages: ServiceBusMessage) -> None:
            if queue not in senders:
                senders[queue] = client.get_queue_sender(queue)
            senders[queue].send_messages(list(messages))

        yield sent


@pytest.fixture
def run_host(tmp_path: Path) -> Callable[..., Any]:
    """Start a host on an app; it is stopped at the end of the context and must then have ended well."""

    @contextmanager
    def run(app: str = "everything", arguments: Sequence[str] = (), **settings: str) -> Iterator[RunningHost]:
        notes, log, file = tmp_path / "notes.jsonl", tmp_path / "host.log", tmp_path / "settings.json"
        file.write_text(json.dumps({"IsEncrypted": False, "Values": {"NOTES": str(notes), **settings}}))
        command = [sys.executable, "-m", "local.host", "--app", str(APPS / app), "--settings", str(file)]
        with (
            log.open("w") as output,
            subprocess.Popen(
                [*command, "--port", "0", *arguments],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            ) as process,
        ):
            host = RunningHost(process, notes, log)
            try:
                until(host.started)
                yield host
                process.terminate()
                process.wait(timeout=60)
            finally:
                process.kill()
        assert process.returncode == 0, log.read_text()

    return run
