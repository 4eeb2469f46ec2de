"""Whatever goes wrong on the way, both sides agree in the end, and nothing is lost.

TANDEM_SEEDS says how many seeds are tried (200), TANDEM_SEEDS_FROM which is the first, and
TANDEM_SEEDS_SECONDS how long that may take (60 unless a number of seeds is asked for); how many were is told.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tests.simulation.judgement import judge
from tests.simulation.run import Plan, play
from tests.simulation.shrinking import shrunk, told

_BLOCK = 50


@pytest.mark.timeout(0)
def test_every_seed_keeps_every_promise(record_property: Callable[[str, object], None]) -> None:
    seeds = int(os.environ.get("TANDEM_SEEDS", "200"))
    first = int(os.environ.get("TANDEM_SEEDS_FROM", "0"))
    seconds = float(os.environ.get("TANDEM_SEEDS_SECONDS", "0" if seeds > 200 else "60"))
    blocks = [range(at, min(at + _BLOCK, first + seeds)) for at in range(first, first + seeds, _BLOCK)]
    began = time.monotonic()
    ran, messages, broken = 0, 0, list[int]()

    for block_ran, block_messages, block_broken in _played(blocks, began + seconds if seconds else None):
        ran, messages, broken = ran + block_ran, messages + block_messages, broken + block_broken

    took = time.monotonic() - began
    record_property("simulation", f"{ran} of {seeds} seeds, {messages} messages, {took:.0f} s")
    assert ran > 0
    assert not broken, "\n".join((f"seeds that break a promise: {broken}", told(Plan(broken[0]))))


def _played(blocks: list[range], until: float | None) -> Iterator[tuple[int, int, list[int]]]:
    """Per block how many seeds ran, their messages, and the seeds that failed; on every core when many."""
    if len(blocks) <= 4:
        yield from (_block(block, until) for block in blocks)
        return
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_block, blocks, [until] * len(blocks))


def _block(seeds: range, until: float | None) -> tuple[int, int, list[int]]:
    ran, messages, broken = 0, 0, list[int]()
    for seed in seeds:
        if until is not None and time.monotonic() > until:
            break
        world, found = play(Plan(seed), judge)
        ran, messages = ran + 1, messages + len(world.queues.put)
        if found:
            broken.append(seed)
    return ran, messages, broken


def test_a_story_is_cut_to_what_it_takes() -> None:
    """Only the number of acts and one fault matter here: everything else is left out."""
    plan = Plan(1)
    needed = min(plan.faults)

    smallest = shrunk(plan, lambda tried: tried.acts >= 3 and needed in tried.faults)

    assert smallest == Plan(1, faults=frozenset({needed}), acts=3, workers=1)
