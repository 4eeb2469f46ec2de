"""Many seeds, one after the other or on every core: what the tests and `python -m tests.simulation` run."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

from tests.simulation.judgement import judge
from tests.simulation.run import play
from tests.simulation.weather import ORDINARY, Fault
from tests.simulation.world import Plan

_BLOCK = 25
_FEW = 100
"""So many seeds take less time than starting other processes is worth."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a block of seeds came to: their messages, and those that broke a promise."""

    seeds: range
    messages: int
    broken: tuple[int, ...]


def tried(seeds: range, faults: frozenset[Fault] = ORDINARY) -> Iterator[Tried]:
    """Block by block, in order."""
    blocks = [seeds[at : at + _BLOCK] for at in range(0, len(seeds), _BLOCK)]
    if len(seeds) <= _FEW:
        yield from (_block(block, faults) for block in blocks)
        return
    pool = ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"))
    try:
        yield from pool.map(partial(_block, faults=faults), blocks)
    finally:
        pool.shutdown(cancel_futures=True)


def _block(seeds: range, faults: frozenset[Fault]) -> Tried:
    messages, broken = 0, list[int]()
    for seed in seeds:
        world, found = play(Plan(seed, faults), judge)
        messages += len(world.queues.put)
        if found:
            broken.append(seed)
    return Tried(seeds, messages, tuple(broken))
