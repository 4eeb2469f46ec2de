"""Whatever goes wrong on the way, both sides agree in the end, and nothing is lost.

TANDEM_SEEDS says how many seeds are tried (500) and TANDEM_SEEDS_FROM which is the first. `make simulate`
tries thousands.
"""

import os
import time
from collections.abc import Callable

import pytest

from tests.simulation.shrinking import shrunk, told
from tests.simulation.trial import tried
from tests.simulation.weather import ORDINARY, Fault
from tests.simulation.world import Plan


@pytest.mark.timeout(0)
def test_every_seed_keeps_every_promise(record_property: Callable[[str, object], None]) -> None:
    first = int(os.environ.get("TANDEM_SEEDS_FROM", "0"))
    seeds = range(first, first + int(os.environ.get("TANDEM_SEEDS", "500")))
    began = time.monotonic()

    blocks = list(tried(seeds))

    messages, took = sum(block.messages for block in blocks), time.monotonic() - began
    record_property("simulation", f"{len(seeds)} seeds, {messages} messages, {took:.0f} s")
    broken = [seed for block in blocks for seed in block.broken]
    assert not broken, "\n".join((f"seeds that break a promise: {broken}", told(Plan(broken[0]))))


@pytest.mark.timeout(0)
def test_so_does_every_seed_with_a_second_system() -> None:
    faults = ORDINARY | {Fault.SHARED}

    broken = [seed for block in tried(range(60), faults) for seed in block.broken]

    assert not broken, "\n".join((f"seeds that break a promise: {broken}", told(Plan(broken[0], faults))))


@pytest.mark.timeout(0)
def test_so_does_every_seed_in_which_people_replay_by_plan() -> None:
    faults = ORDINARY | {Fault.PLANS}

    broken = [seed for block in tried(range(40), faults) for seed in block.broken]

    assert not broken, "\n".join((f"seeds that break a promise: {broken}", told(Plan(broken[0], faults))))


def test_a_story_is_cut_to_what_it_takes() -> None:
    """Only the number of acts and one fault matter here: everything else is left out."""
    plan = Plan(1)
    needed = min(plan.faults)

    smallest = shrunk(plan, lambda tried: tried.acts >= 3 and needed in tried.faults)

    assert smallest == Plan(1, faults=frozenset({needed}), acts=3, workers=1)
