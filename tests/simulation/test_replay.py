"""A seed is a story: the same seed tells the same one, on any day and in any process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.judgement import judge
from tests.simulation.run import play
from tests.simulation.world import Plan

ROOT = Path(__file__).parents[2]
TELL = (
    "from tests.simulation.judgement import judge; from tests.simulation.run import play;"
    "from tests.simulation.world import Plan;"
    "print(play(Plan(11), judge)[0].story.text())"
)


@pytest.mark.parametrize("seed", [3, 11])
def test_the_same_seed_tells_the_same_story(seed: int) -> None:
    first, second = (play(Plan(seed), judge)[0].story.lines for _ in range(2))

    assert len(first) > 20
    assert first == second


def test_another_process_with_another_hash_seed_tells_the_same_story() -> None:
    told = [
        subprocess.run(
            [sys.executable, "-c", TELL],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert told[0] == told[1]


def test_another_seed_tells_another_story() -> None:
    assert play(Plan(3), judge)[0].story.lines != play(Plan(4), judge)[0].story.lines


def test_in_fair_weather_nothing_is_wrong() -> None:
    found = {seed: play(Plan(seed, faults=frozenset()), judge)[1] for seed in range(20)}

    assert {seed: broken for seed, broken in found.items() if broken} == {}
