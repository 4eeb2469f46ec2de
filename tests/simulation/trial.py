"""Many seeds, one after the other or on every core: what the tests and `python -m tests.simulation` run."""

import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from tests.simulation.judgement import judge
from tests.simulation.run import Plan, play

_BLOCK = 25
_FEW = 100
"""So many seeds take less time than starting other processes is worth."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a block of seeds came to: `ran` of `seeds`, their messages, and those that broke a promise."""

    seeds: range
    ran: int
    messages: int
    broken: tuple[int, ...]


def tried(seeds: range, until: float | None = None) -> Iterator[Tried]:
    """Block by block in order; nothing is begun after `until` on the monotonic clock."""
    blocks = [seeds[at : at + _BLOCK] for at in range(0, len(seeds), _BLOCK)]
    if len(seeds) <= _FEW:
        yield from (_block(block, until) for block in blocks)
        return
    pool = ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"))
    try:
        yield from pool.map(_block, blocks, [until] * len(blocks))
    finally:
        pool.shutdown(cancel_futures=True)


def _block(seeds: range, until: float | None) -> Tried:
    ran, messages, broken = 0, 0, list[int]()
    for seed in seeds:
        if until is not None and time.monotonic() > until:
            break
        world, found = play(Plan(seed), judge)
        ran, messages = ran + 1, messages + len(world.queues.put)
        if found:
            broken.append(seed)
    return Tried(seeds, ran, messages, tuple(broken))
