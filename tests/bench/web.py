"""What a request of ours costs the process that sends it, many under way at once, against httpx as it comes.

httpx looks at every connection of its pool for every request; `shared/connectors/web` goes round that behind
its API. The far side is the Dataverse simulator's `/health` in a process of its own.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from statistics import median

import httpx

from shared.connectors.web.client import WebClient
from tests.bench.measure import Measure, rounded
from tests.bench.stack import ROOT

_UNDER_WAY = 40
_REQUESTS = 800
_ROUNDS = 5

_MOST = 0.3


def web() -> Iterator[Measure]:
    """CPU per request through `WebClient`, and through one pool of as many connections, in turns."""
    with _far_side() as url:
        ours, theirs = asyncio.run(_taken(url))
    share = rounded(median(ours) / median(theirs))
    yield Measure("CPU per request, 40 under way, of a pool of 40", share, "ratio", most=_MOST)
    yield Measure("CPU per request", rounded(1000 * median(ours)), "ms")
    yield Measure("CPU per request through a pool of 40", rounded(1000 * median(theirs)), "ms")


async def _taken(url: str) -> tuple[list[float], list[float]]:
    ours, theirs = WebClient("the far side", url, None, connections=_UNDER_WAY), _pool(url)
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(_ROUNDS):
        taken[0].append(await _cpu(lambda: ours.send("GET", "health")))
        taken[1].append(await _cpu(lambda: theirs.get("health")))
    await ours.aclose()
    await theirs.aclose()
    return taken


def _pool(url: str) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=_UNDER_WAY, max_keepalive_connections=_UNDER_WAY)
    return httpx.AsyncClient(base_url=url, limits=limits, timeout=60)


async def _cpu(send: Callable[[], Awaitable[httpx.Response]]) -> float:
    """CPU seconds per request."""
    left = iter(range(_REQUESTS))

    async def one_after_the_other() -> None:
        for _ in left:
            (await send()).raise_for_status()

    before = time.process_time()
    await asyncio.gather(*(one_after_the_other() for _ in range(_UNDER_WAY)))
    return (time.process_time() - before) / _REQUESTS


@contextmanager
def _far_side() -> Iterator[str]:
    command = [sys.executable, "-m", "local.dataverse"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().partition(" on ")[2].partition(" ")[0] + "/"
        finally:
            process.terminate()
            process.wait()
