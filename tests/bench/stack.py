"""A local stack of the bench's own, and what its processes take of the machine."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from azure.servicebus.management import ServiceBusAdministrationClient

from local.stack.private_file import write_private_json

ROOT = Path(__file__).parents[2]
PEER_QUEUE = "bench"
OWNER = "ada.bench@kontor.example"
_OWNER_ID = "0b1d0000-0000-4000-8000-0000000000ad"
_TICKS = os.sysconf("SC_CLK_TCK")
_GLANCE_S = 0.05


@dataclass(frozen=True, slots=True)
class Reading:
    """CPU seconds of each part so far, and when that was."""

    at: float
    cpu: Mapping[str, float]

    def since(self, before: "Reading", part: str) -> float:
        """CPU seconds a part took since `before`."""
        return self.cpu[part] - before.cpu[part]


@dataclass(frozen=True, slots=True)
class Progress:
    """How many messages have arrived, and how many of them have an outcome."""

    arrived: int
    decided: int


class Stack:
    """A running stack."""

    def __init__(self, state: Path) -> None:
        self.endpoints: dict[str, Any] = json.loads((state / "endpoints.json").read_text())
        parts = json.loads((state / "stack.json").read_text())["parts"]
        self._pids: dict[str, int] = {name: part["pid"] for name, part in parts.items()}
        self._database = self.endpoints["sql"].removeprefix("sqlite:///")

    def reading(self) -> Reading:
        """What every part has taken until now; the kernel counts in hundredths of a second."""
        cpu = {name: cpu_seconds(pid) for name, pid in self._pids.items()}
        return Reading(time.monotonic(), cpu)

    def progress(self, tag: str = "") -> Progress:
        """Of all messages, or of those whose id starts with `tag`, read beside the app."""
        query = "select count(*), count(outcome) from message where message_id >= ? and message_id < ?"
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            arrived, decided = database.execute(query, (tag, tag + "~")).fetchone()
        return Progress(arrived, decided)

    def finished(self, tag: str) -> int:
        """How many messages whose id starts with `tag` have a final outcome."""
        query = "select count(finished_at) from message where message_id >= ? and message_id < ?"
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            (count,) = database.execute(query, (tag, tag + "~")).fetchone()
        return int(count)

    def failures(self, tag: str) -> dict[str, int]:
        """What became of the messages of a tag whose journal tells of one failure, by outcome."""
        query = """
            select outcome, count(*) from message where message_id >= ? and message_id < ? and
            (select count(*) from journal where journal.number = message.number and outcome = 'failed') = 1
            group by outcome
        """
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            return dict(database.execute(query, (tag, tag + "~")).fetchall())

    def under_way(self, tag: str) -> list[float]:
        """Seconds from their appearance on the queue to their outcome, of messages whose id starts so."""
        query = "select properties, finished_at from message where message_id >= ? and message_id < ?"
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            rows = database.execute(query, (tag, tag + "~")).fetchall()
        return [
            (
                datetime.fromisoformat(finished).replace(tzinfo=UTC)
                - datetime.fromisoformat(json.loads(properties)["enqueuedTimeUtc"])
            ).total_seconds()
            for properties, finished in rows
        ]

    def unfinished(self, session: str) -> int:
        """How many messages of a session have no final outcome yet."""
        query = "select count(*) from message where session_id = ? and finished_at is null"
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            (left,) = database.execute(query, (session,)).fetchone()
        return int(left)

    def outcomes(self, tag: str) -> dict[str | None, int]:
        """The outcomes of the messages whose id starts with `tag`; None for those without one."""
        query = (
            "select outcome, count(*) from message where message_id >= ? and message_id < ? group by outcome"
        )
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            return dict(database.execute(query, (tag, tag + "~")).fetchall())

    def person(self) -> httpx.Client:
        """The Web API for a person."""
        return httpx.Client(
            base_url=self.endpoints["dataverse"]["http"] + "/api/data/v9.2/",
            headers={"Authorization": "Bearer a-person"},
            timeout=30,
        )

    def allegory(self) -> httpx.Client:
        """Allegory's API for a person at its screen."""
        return httpx.Client(base_url=self.endpoints["allegory"]["rest"] + "/", timeout=30)

    def prepare(self) -> None:
        """A queue for the peer, the user who owns what is sent, and the app awake with its state open."""
        httpx.get(self.endpoints["functions"] + "/api/health", timeout=30).raise_for_status()
        there = self.endpoints["servicebus_admin"]
        trust = {"connection_verify": self.endpoints["ca_file"]}
        with ServiceBusAdministrationClient.from_connection_string(there, **trust) as admin:
            admin.create_queue(PEER_QUEUE, requires_session=True)
        user = {"firstname": "Ada", "lastname": "Bench", "internalemailaddress": OWNER, "domainname": OWNER}
        with self.person() as dataverse:
            dataverse.patch(f"systemusers({_OWNER_ID})", json=user).raise_for_status()


def slots() -> tuple[int, float]:
    """How many sessions the host holds at once by host.json, and for how long an idle one, in seconds."""
    settings = json.loads((ROOT / "host.json").read_text())["extensions"]["serviceBus"]
    hours, minutes, seconds = settings["sessionIdleTimeout"].split(":")
    return settings["maxConcurrentSessions"], int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its threads (fields 14 and 15 of proc(5), `stat`)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def running() -> Iterator[Stack]:
    """A stack in a folder of its own, stopped afterwards."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        state = Path(folder)
        env = os.environ | {"TANDEM_STATE": folder}
        command = [sys.executable, "-m", "local.stack"]
        up = subprocess.run(
            [*command, "up", "--detach"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )
        if up.returncode:
            raise RuntimeError(f"the stack did not start: {up.stdout}{up.stderr}")
        try:
            stack = Stack(state)
            stack.prepare()
            yield stack
        finally:
            subprocess.run([*command, "down"], cwd=ROOT, env=env, capture_output=True, check=True)


def until(what: str, look: Callable[[], bool], seconds: float = 120, glance: float = _GLANCE_S) -> None:
    """Return once `look`, asked every `glance` seconds, says so; raises TimeoutError naming `what`."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(glance)


def write_results(results: Mapping[str, Any]) -> Path:
    """The results as `.local/bench.json`."""
    target = ROOT / ".local" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    write_private_json(target, dict(results))
    return target
