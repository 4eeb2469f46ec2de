"""The whole local stack, started once per test process beside whatever else runs on this machine."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSender

from shared.core.identity import RecordKey, chosen_row_id
from tests.acceptance.trouble import Trouble

ROOT = Path(__file__).parents[2]
T = TypeVar("T")


@dataclass(frozen=True)
class Stack:
    """A running stack as its users see it."""

    endpoints: Mapping[str, Any]
    state: Path
    bus: ServiceBusClient
    # Kept open: to close one costs the SDK a second.
    senders: dict[str, ServiceBusSender] = field(default_factory=dict)

    def send(self, queue: str, body: Any, *, session: str | None, message_id: str | None = None) -> str:
        """Send one message with the Service Bus SDK; returns its id."""
        sent = message_id or str(uuid4())
        self.send_all(queue, [(sent, session, body)])
        return sent

    def send_all(self, queue: str, messages: list[tuple[str, str | None, Any]]) -> None:
        if queue not in self.senders:
            self.senders[queue] = self.bus.get_queue_sender(queue)
        for message_id, session, body in messages:
            raw = body if isinstance(body, str) else json.dumps(body)
            self.senders[queue].send_messages(
                ServiceBusMessage(
                    raw, message_id=message_id, session_id=session, content_type="application/json"
                )
            )

    def api(self, role: str = "ops_operate") -> httpx.Client:
        """Tandem's HTTP API for a caller of this role."""
        return httpx.Client(
            base_url=self.endpoints["functions"] + "/api/",
            headers={"Authorization": f"Bearer {self.endpoints['tokens'][role]}"},
            timeout=30,
        )

    def dataverse(self) -> httpx.Client:
        """The Web API for a person."""
        return httpx.Client(
            base_url=self.endpoints["dataverse"]["http"] + "/api/data/v9.2/",
            headers={"Authorization": "Bearer a-person", "Prefer": 'odata.include-annotations="*"'},
            timeout=30,
        )

    def allegory(self) -> httpx.Client:
        """Allegory for a person at its screen."""
        return httpx.Client(base_url=self.endpoints["allegory"]["rest"], timeout=30)

    def fate(self, message_id: str) -> dict[str, Any]:
        """The fate of an inbound message, once it has one."""
        with self.api("inbound") as api:

            def look() -> dict[str, Any] | None:
                answer = api.get(f"inbound/{message_id}")
                found = answer.json() if answer.status_code == 200 else {}
                return found if found.get("outcome") else None

            return eventually(f"a fate of {message_id}", look)

    def row_of(self, key: str, entity_set: str) -> dict[str, Any] | None:
        """The row of a legacy record."""
        with self.dataverse() as client:
            answer = client.get(entity_set, params={"$filter": f"tandem_sourcekey eq '{key}'"})
            rows: list[dict[str, Any]] = answer.raise_for_status().json()["value"]
            assert len(rows) <= 1, f"{key} has {len(rows)} rows"
            return rows[0] if rows else None

    def tandem(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The `tandem` command against this stack."""
        env = os.environ | {
            "TANDEM_URL": self.endpoints["functions"],
            "TANDEM_TOKEN": self.endpoints["tokens"]["ops_operate"],
        }
        command = [sys.executable, "-m", "shared.ops", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
        )

    def quiet(self) -> dict[str, Any]:
        """How things stand once nothing waits for its turn and the queues are empty."""

        def look() -> dict[str, Any] | None:
            now: dict[str, Any] = self.now()
            return now if now["waiting"] == 0 else None

        return eventually("the end of the traffic", look)

    def now(self) -> dict[str, Any]:
        with self.api() as api:
            return dict(api.get("ops/now").raise_for_status().json())

    def outcome(self, message_id: str, *outcomes: str) -> dict[str, Any]:
        """The fate of an inbound message once it is one of these."""

        def look() -> dict[str, Any] | None:
            fate = self.fate(message_id)
            return fate if fate["outcome"] in outcomes else None

        return eventually(f"{message_id} {' or '.join(outcomes)}", look)

    def failure(self, message_id: str) -> dict[str, Any] | None:
        """What operators are told of a failing message; None when it does not fail."""
        with self.api() as api:
            told = api.get("ops/failures").raise_for_status().json()["failures"]
        return next((entry for entry in told if entry["message_id"] == message_id), None)

    def decisions(self, message_id: str) -> list[dict[str, Any]]:
        """Every decision on a message, oldest first."""
        with self.api() as api:
            told = api.get(f"ops/records/{message_id}").raise_for_status().json()["records"]
        lines: list[dict[str, Any]] = [line for record in told for line in record["journal"]]
        return [line for line in lines if line["message_id"] == message_id]

    def kept(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of the state, read beside the service."""
        database = sqlite3.connect(f"file:{self.state / 'tandem.db'}?mode=ro", uri=True)
        database.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in database.execute(statement, values)]
        finally:
            database.close()

    def part(self, name: str) -> dict[str, Any]:
        """What the supervisor says of a part."""
        return dict(json.loads((self.state / "stack.json").read_text())["parts"][name])

    def kill(self, name: str) -> None:
        """End a part the hard way, and come back once the supervisor has it answering again."""
        if name == "broker":
            # The SDK leaves the sockets of a broken connection to the garbage collector.
            for sender in self.senders.values():
                sender.close()
            self.senders.clear()
        before = self.part(name)
        os.kill(before["pid"], signal.SIGKILL)

        def back() -> bool | None:
            now = self.part(name)
            return (now["restarts"] > before["restarts"] and now["state"] == "ready") or None

        eventually(f"{name} back", back)


def eventually(what: str, look: Callable[[], T | None], seconds: float = 60) -> T:
    """The first thing `look` finds; fails naming `what`."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline, f"never came about: {what}"
        time.sleep(0.05)  # a poll with a deadline: the condition is looked at again
    return found


@contextmanager
def running_stack(state: Path) -> Iterator[Stack]:
    """A stack with its state in a folder of its own, stopped at the end."""
    # What outlives a killed host must not take the two minutes that are right for Azure.
    env = os.environ | {"TANDEM_STATE": str(state), "LANE_LEASE_SECONDS": "8"}
    command = [sys.executable, "-m", "local.stack"]
    up = subprocess.run(
        [*command, "up", "--detach"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert up.returncode == 0, up.stdout + up.stderr
    try:
        endpoints = json.loads((state / "endpoints.json").read_text())
        # The first question makes the state's file, which `kept` reads beside the service.
        httpx.get(f"{endpoints['functions']}/api/health", timeout=30).raise_for_status()
        with ServiceBusClient.from_connection_string(endpoints["servicebus"]) as bus:
            yield Stack(endpoints, state, bus)
    finally:
        subprocess.run([*command, "down"], cwd=ROOT, env=env, capture_output=True, check=True)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack that most tests share; each works on records of its own."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def trouble(stack: Stack) -> Iterator[Trouble]:
    """Bad days on demand; over at the end of the test, whatever its end is."""
    made = Trouble(stack.endpoints)
    try:
        yield made
    finally:
        made.over()


@pytest.fixture
def tag() -> str:
    """What makes this test's records its own."""
    return "T" + uuid4().hex[:6].upper()


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """The sample exports and messages, where the machine has them."""
    folder = Path(os.environ.get("TANDEM_SAMPLE_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the sample data is not on this machine (TANDEM_SAMPLE_DATA)")
    return folder


def company(tag: str, number: int, **more: Any) -> dict[str, Any]:
    """An envelope of a company."""
    record = f"{tag}-C{number}"
    data = {"company_id": record, "name": f"Company {record}", **more}
    return envelope("company", record, data)


def envelope(entity: str, record: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An inbound envelope of Allegory."""
    return {
        "schemaVersion": "1.0",
        "source": "allegory",
        "entity": entity,
        "sourceKey": record,
        "operation": "upsert",
        "changedOn": "2026-02-01T09:00:00Z",
        "data": data,
        **more,
    }


def edit(body: Mapping[str, Any], second: int, **data: Any) -> dict[str, Any]:
    """A later change of the same record."""
    return dict(body) | {"changedOn": f"2026-02-01T10:00:{second:02d}Z", "data": data}


def row_id(tag: str, number: int) -> str:
    """The row that company `number` is created as."""
    return str(chosen_row_id(RecordKey("allegory", "company", f"{tag}-C{number}")))


def session_of(body: Mapping[str, Any]) -> str:
    """The session of an inbound envelope."""
    return f"{body['source']}:{body['entity']}:{body['sourceKey']}"
