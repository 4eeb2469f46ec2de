"""The Dataverse simulator: what a row of an UpsertMultiple costs its process, and whether it grows.

The simulator runs as a process of its own, as in the stack, with limits and latency off. Rows of 26 columns
go to it 100 at a time; then some of them go again, as updates. The peer is raw `sqlite3` with the same
bodies, keys and number of rows per transaction, in turns with the simulator. `TANDEM_BENCH_ROWS` says how
many rows (20,000 unless set; 2,000,000 take ten minutes and 8 GB of disk).
"""

import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx

from tests.bench.measure import Measure, rounded
from tests.bench.simulator import simulator
from tests.bench.stack import cpu_seconds

_BATCH = 100
_TURN = 2000
_PATH = "/api/data/v9.2/contacts/Microsoft.Dynamics.CRM.UpsertMultiple"
_TEXT = "A contact that was made for a measurement, with a text of some length, as others have one. " * 4
_SCHEMA = """
    CREATE TABLE row (version INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL);
    CREATE TABLE key (value TEXT PRIMARY KEY, id TEXT NOT NULL) WITHOUT ROWID;
"""


def dataverse() -> Iterator[Measure]:
    """Creates and updates through the whole process, against raw `sqlite3`; memory and cost as it fills."""
    rows = int(os.environ.get("TANDEM_BENCH_ROWS", "20000"))
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder, _running(Path(folder)) as service:
        peer = _Peer(Path(folder) / "peer.db")
        service.send(0)
        early = 0
        for first in range(0, rows, _TURN):
            service.turn(service.created, first)
            peer.turn(peer.created, first)
            if first + _TURN <= max(rows // 10, _TURN):
                early = service.memory
        grown = service.memory - early
        for first in range(0, min(rows, 10 * _TURN), _TURN):
            service.turn(service.updated, first)
            peer.turn(peer.updated, first)
        peer.close()
    created, updated = service.created, service.updated
    part = max(1, len(created.cpu) // 10)
    ratio = median(created.cpu) / median(peer.created)
    yield Measure("simulator's CPU per row created, of raw sqlite3", rounded(ratio), "ratio", most=8)
    ratio = median(updated.cpu) / median(peer.updated)
    yield Measure("simulator's CPU per row updated, of raw sqlite3", rounded(ratio), "ratio", most=10)
    growth = median(created.cpu[-part:]) / median(created.cpu[:part])
    yield Measure("CPU per row in the last tenth, of the first", rounded(growth), "ratio", most=2)
    megabytes = rounded(grown / 2**20)
    yield Measure("memory after all rows, beyond that after a tenth", megabytes, "MiB", most=48)
    yield Measure(f"rows created, {rows:,} in all", rounded(1 / median(created.cpu)), "rows/CPU s")
    yield Measure("rows updated", rounded(1 / median(updated.cpu)), "rows/CPU s")
    yield Measure("rows created by the clock", rounded(1 / median(created.wall)), "rows/s")
    yield Measure("rows updated by the clock", rounded(1 / median(updated.wall)), "rows/s")
    yield Measure("memory after all rows", rounded(service.memory_at_end / 2**20), "MiB")


@dataclass(slots=True)
class _Taken:
    """Seconds per row of every turn."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)


class _Simulator:
    def __init__(self, pid: int, http: httpx.Client) -> None:
        self.created = _Taken()
        self.updated = _Taken()
        self.memory_at_end = 0
        self._pid = pid
        self._http = http
        # Two requests at a time, so that the service does not wait while the client reads an answer.
        self._pool = ThreadPoolExecutor(2)

    @property
    def memory(self) -> int:
        """Bytes the process holds (VmRSS of proc(5))."""
        status = Path(f"/proc/{self._pid}/status").read_text(encoding="ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
        self.memory_at_end = int(line.split()[1]) * 1024
        return self.memory_at_end

    def turn(self, taken: _Taken, first: int) -> None:
        bodies = [_body(at) for at in range(first, first + _TURN, _BATCH)]
        cpu, wall = cpu_seconds(self._pid), time.perf_counter()
        for answered in self._pool.map(self._post, bodies):
            del answered
        taken.wall.append((time.perf_counter() - wall) / _TURN)
        taken.cpu.append((cpu_seconds(self._pid) - cpu) / _TURN)

    def send(self, first: int) -> None:
        """One request outside the measurement: what is made once is made by it."""
        self._post(_body(first))

    def _post(self, body: bytes) -> None:
        self._http.post(_PATH, content=body, headers={"Content-Type": "application/json"}).raise_for_status()


class _Peer:
    """The same bodies in two tables, one transaction for each hundred."""

    def __init__(self, path: Path) -> None:
        self.created: list[float] = []
        self.updated: list[float] = []
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)

    def turn(self, taken: list[float], first: int) -> None:
        chunks = [[_row(at + more) for more in range(_BATCH)] for at in range(first, first + _TURN, _BATCH)]
        began = time.process_time()
        for at, chunk in enumerate(chunks):
            version = first + at * _BATCH
            kept = [(version + more, row["contactid"], json.dumps(row)) for more, row in enumerate(chunk)]
            keys = [(row["tandem_sourcekey"], row["contactid"]) for row in chunk]
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT OR REPLACE INTO row VALUES (?, ?, ?)", kept)
            self._database.executemany("INSERT OR REPLACE INTO key VALUES (?, ?)", keys)
            self._database.execute("COMMIT")
        taken.append((time.process_time() - began) / _TURN)

    def close(self) -> None:
        self._database.close()


@contextmanager
def _running(folder: Path) -> Iterator[_Simulator]:
    with (
        simulator(folder) as (url, pid),
        closing(httpx.Client(base_url=url, headers={"Authorization": "Bearer a-bench"}, timeout=60)) as http,
    ):
        yield _Simulator(pid, http)


def _body(first: int) -> bytes:
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.contact"}
    return json.dumps({"Targets": [kind | _row(at) for at in range(first, first + _BATCH)]}).encode()


def _row(number: int) -> dict[str, Any]:
    return {
        "contactid": str(uuid5(NAMESPACE_URL, str(number))),
        "firstname": "Ada",
        "middlename": "M",
        "lastname": f"Bench {number}",
        "salutation": "Ms",
        "suffix": "Jr",
        "emailaddress1": f"ada.{number}@kontor.example",
        "telephone1": "+49 30 1234567",
        "mobilephone": "+49 170 1234567",
        "jobtitle": "Head of Purchasing",
        "department": "Purchasing",
        "websiteurl": "https://kontor.example",
        "address1_line1": "Unter den Linden 1",
        "address1_city": "Berlin",
        "address1_postalcode": "10117",
        "address1_country": "Germany",
        "description": _TEXT,
        "gendercode": 2,
        "familystatuscode": 1,
        "numberofchildren": 2,
        "creditlimit": 1234.5,
        "donotemail": False,
        "donotphone": True,
        "birthdate": "1980-01-31",
        "tandem_sourcekey": f"allegory:contact:P-{number}",
        "tandem_legacymodifiedon": "2026-01-31T10:11:12Z",
    }
