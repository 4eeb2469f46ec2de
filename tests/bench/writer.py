"""The writer of rows against the limits of Dataverse itself (B1a), and against a naive client (B1b).

The simulator runs as a process of its own, with the limits of the service and with latencies (120 ms a
write, 8 ms a row of a bulk request), all divided by one clock factor, and with a shorter window at the same
rates. Many callers write accounts at once, as many lanes do. What is sustained once the first window is full
is compared with the most that the limits allow, computed from the same settings. The naive client has 52
connections in one httpx pool, writes one row per request, and sleeps when it is told to.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from mappers.dataverse import TABLES
from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.dataverse.gathered import GatheredRows
from shared.connectors.dataverse.ledger import Allowance, Ledger
from shared.connectors.dataverse.mode import Modes
from shared.connectors.dataverse.rows import API
from shared.connectors.web.client import WebClient
from shared.core.errors import Throttled, Unavailable
from tests.bench.measure import Measure, rounded
from tests.bench.simulator import simulator

_CLOCK = 4
_WINDOW_S = 24.0
"""Seconds of the service's clock; its own window has 300, and as much more in it."""

_REQUESTS = 6000 * _WINDOW_S / 300
_EXECUTION_S = 1200 * _WINDOW_S / 300
_WRITE_S, _BULK_S, _BULK_ROW_S = 0.12, 0.092, 0.00808
_BULK_ROWS, _BATCH = 100, 10
_WINDOWS = 3
_CALLERS = {"guarded": 120, "bulk": 1000, "naive": 52}
_ACCOUNT = TABLES["account"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What was sustained: rows and CPU seconds per second of this machine's clock; refusals per request."""

    rows: float
    cpu: float
    refused: float


Write = Callable[[UUID, str], Awaitable[None]]


def writer() -> Iterator[Measure]:
    """Guarded, in bulk, and naively; each against its limit."""
    limits = {
        "guarded": _CLOCK * min(_BATCH * _REQUESTS, _EXECUTION_S / _WRITE_S) / _WINDOW_S,
        "bulk": _CLOCK
        * _BULK_ROWS
        * min(_REQUESTS, _EXECUTION_S / (_BULK_S + _BULK_ROWS * _BULK_ROW_S))
        / _WINDOW_S,
    }
    kept = {}
    for mode in ("guarded", "bulk", "naive"):
        with (
            tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder,
            simulator(Path(folder), "--control") as (url, _),
        ):
            _limit(url, bulk=mode == "bulk")
            kept[mode] = asyncio.run(_naively(url) if mode == "naive" else _through_rows(url, mode))
    for mode, limit in limits.items():
        found = kept[mode]
        share = rounded(found.rows / limit)
        yield Measure(f"{mode}: rows sustained, of what the limits allow", share, "ratio", least=0.85)
        yield Measure(f"{mode}: requests refused with 429", rounded(found.refused), "share", most=0.02)
        yield Measure(f"{mode}: rows", rounded(found.rows), "rows/s")
        yield Measure(f"{mode}: CPU of the client", rounded(1e6 * found.cpu / found.rows), "us/row")
    naive = kept["naive"]
    ratio = rounded(kept["guarded"].rows / naive.rows)
    yield Measure("guarded: rows, of a naive client's", ratio, "ratio", least=1.5)
    yield Measure(
        "bulk: rows, of a naive client's", rounded(kept["bulk"].rows / naive.rows), "ratio", least=15
    )
    yield Measure("naive: rows", rounded(naive.rows), "rows/s")
    yield Measure("naive: requests refused with 429", rounded(naive.refused), "share")
    yield Measure("naive: CPU of the client", rounded(1e6 * naive.cpu / naive.rows), "us/row")


def _limit(url: str, *, bulk: bool) -> None:
    """The service's limits and latencies, by the clock factor."""
    limits = {
        "enabled": True,
        "requests": int(_REQUESTS),
        # What is accounted is the time that the answer takes here, which the clock factor has divided.
        "execution_ms": 1000 * _EXECUTION_S / _CLOCK,
        "window_s": _WINDOW_S,
        "clock_factor": _CLOCK,
    }
    httpx.put(f"{url}/admin/limits", json=limits).raise_for_status()
    write = _BULK_S if bulk else _WRITE_S
    latency = {"write_ms": 1000 * write / _CLOCK, "bulk_row_ms": 1000 * _BULK_ROW_S / _CLOCK}
    httpx.put(f"{url}/admin/latency", json=latency).raise_for_status()


async def _through_rows(url: str, mode: str) -> Kept:
    client = WebClient("Dataverse", f"{url}/{API}", FixedSecret("a-bench"))
    ledger = Ledger(Allowance(requests=_REQUESTS, seconds=_EXECUTION_S / _CLOCK, window=_WINDOW_S / _CLOCK))
    modes = Modes.said("account" if mode == "bulk" else "-account")
    rows = GatheredRows(client, ledger=ledger, batch_size=_BATCH, bulk_size=_BULK_ROWS, modes=modes)

    async def write(row: UUID, name: str) -> None:
        while True:
            try:
                await rows.create(_ACCOUNT, row, {"name": name})
            except (Throttled, Unavailable):
                # As the retry timer would, but soon: what counts here is the limit.
                await asyncio.sleep(0.05)
            else:
                return

    try:
        return await _sustained(url, write, _CALLERS[mode])
    finally:
        await client.aclose()


async def _naively(url: str) -> Kept:
    async with httpx.AsyncClient(
        base_url=f"{url}/{API}",
        headers={"Authorization": "Bearer a-bench"},
        limits=httpx.Limits(max_connections=_CALLERS["naive"], max_keepalive_connections=_CALLERS["naive"]),
        timeout=60,
    ) as client:

        async def write(row: UUID, name: str) -> None:
            while True:
                answer = await client.patch(f"accounts({row})", json={"name": name})
                if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                    answer.raise_for_status()
                    return
                await asyncio.sleep(float(answer.headers["Retry-After"]))

        return await _sustained(url, write, _CALLERS["naive"])


async def _sustained(url: str, write: Write, callers: int) -> Kept:
    """What so many callers get through once the first window is full."""
    window = _WINDOW_S / _CLOCK
    done = 0

    async def call() -> None:
        nonlocal done
        while True:
            await write(uuid4(), "A company of some name that is as long as names are")
            done += 1

    calls = [asyncio.create_task(call()) for _ in range(callers)]
    await asyncio.sleep(window)
    begun, cpu, before = time.monotonic(), time.process_time(), done
    requests = _answered(url)
    await asyncio.sleep(_WINDOWS * window)
    seconds, took, wrote = time.monotonic() - begun, time.process_time() - cpu, done - before
    answered = {status: count - requests.get(status, 0) for status, count in _answered(url).items()}
    for task in calls:
        if task.done():
            task.result()
        task.cancel()
    await asyncio.wait(calls)
    return Kept(wrote / seconds, took / seconds, answered.get("429", 0) / max(1, sum(answered.values())))


def _answered(url: str) -> dict[str, int]:
    """How many requests the simulator answered with each status."""
    seen: dict[str, Any] = httpx.get(f"{url}/admin/requests").raise_for_status().json()
    return dict(seen["by_status"])
