"""How long one change is under way (B1c): from its place on the queue to its outcome, at a steady pace.

Dataverse takes its 120 ms for a write, as the execution-time model has it. The peer is one such write over a
warm connection: what nobody can be faster than.
"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from uuid import uuid4

import httpx

from tests.bench.measure import Measure, rounded
from tests.bench.stack import OWNER, Stack, until
from tests.bench.traffic import companies, send_paced

_WRITE_MS = 120
_PER_SECOND = 20
"""What one identity may send without batches: 6,000 requests in five minutes."""

_SECONDS = 15
_ALONE = 15


def latency(stack: Stack) -> Iterator[Measure]:
    """The times of steady traffic, against a write alone."""
    service = stack.endpoints["dataverse"]["http"]
    httpx.put(f"{service}/admin/latency", json={"write_ms": _WRITE_MS}).raise_for_status()
    try:
        alone = 1000 * median(_write_alone(stack) for _ in range(_ALONE))
        tag = f"latency-{uuid4().hex[:6]}"
        messages = companies(tag, _PER_SECOND * _SECONDS, 1, OWNER)
        first = datetime.now(UTC) + timedelta(seconds=2)
        apart = timedelta(seconds=1 / _PER_SECOND)
        send_paced(stack.endpoints["servicebus"], "inbound", messages, first, apart)
        until(f"outcomes of {tag}", lambda: stack.progress(tag).decided == len(messages))
    finally:
        httpx.put(f"{service}/admin/latency", json={"write_ms": 0}).raise_for_status()
    times = sorted(1000 * seconds for seconds in stack.under_way(tag))
    percentiles = quantiles(times, n=100)
    yield Measure("p50, of a write alone", rounded(percentiles[49] / alone), "ratio", most=1.2)
    yield Measure("p99, of a write alone", rounded(percentiles[98] / alone), "ratio", most=2.5)
    yield Measure("p50", rounded(percentiles[49]), "ms")
    yield Measure("p99", rounded(percentiles[98]), "ms")
    yield Measure("a write alone", rounded(alone), "ms")


def _write_alone(stack: Stack) -> float:
    with stack.person() as dataverse:
        dataverse.get("WhoAmI").raise_for_status()
        began = time.perf_counter()
        dataverse.patch(f"accounts({uuid4()})", json={"name": "Alone"}).raise_for_status()
        return time.perf_counter() - began
