"""`make run ONCE=1` on a stack of its own, and what the commands print about it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.conftest import ROOT, Stack


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """What a person reads who runs the story once."""
    env = os.environ | {"TANDEM_STATE": str(tmp_path_factory.mktemp("story"))}
    command = [sys.executable, "-m", "local.stack", "run", "--once"]
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=110, check=False
    )


def test_the_story_ends_well_and_leaves_nothing_running(told: subprocess.CompletedProcess[str]) -> None:
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.rstrip().endswith("The local stack is stopped; no process is left.")
    assert told.stderr == ""


def test_its_table_adds_up(told: subprocess.CompletedProcess[str]) -> None:
    lines = re.findall(r"^  (inbound|outbound) +received +(\d+)  =  (.*)$", told.stdout, re.MULTILINE)

    assert [direction for direction, _, _ in lines] == ["inbound", "outbound"], told.stdout
    for direction, received, parts in lines:
        counts = {name: int(count) for name, count in re.findall(r"(\w+) (\d+)", parts)}
        assert sum(counts.values()) == int(received), direction
        assert counts["applied"] > 0, direction
    assert "IS NOT" not in told.stdout


def test_it_says_of_each_message_what_became_of_it(told: subprocess.CompletedProcess[str]) -> None:
    lines = re.findall(r"^  (company|contact|deal) +(\S+) +(\w+) *(.*)$", told.stdout, re.MULTILINE)
    by_outcome: dict[str, list[str]] = {}
    for _, record, outcome, why in lines:
        by_outcome.setdefault(outcome, []).append(f"{record} {why}")

    assert len(lines) == 15
    assert by_outcome.keys() <= {"applied", "merged", "echo", "parked", "rejected"}
    (rejected,) = by_outcome["rejected"]
    assert "/data/amount: " in rejected
    assert "(value.not_a_number)" in rejected
    assert "12.500,00" not in told.stdout
    assert any("waits for allegory:company:" in parked for parked in by_outcome["parked"])
    assert re.search(r"^  phone number of .* -> Allegory company$", told.stdout, re.MULTILINE)
    assert re.search(r"^  amount of .* -> Allegory deal$", told.stdout, re.MULTILINE)
    assert re.search(r"^  new account .* -> Allegory company C-\d+$", told.stdout, re.MULTILINE)


def test_the_command_shows_how_things_stand(stack: Stack) -> None:
    shown = stack.tandem("now")
    whole = json.loads(stack.tandem("now", "--json").stdout)

    assert shown.returncode == 0
    for direction in ("inbound", "outbound"):
        match = re.search(rf"^  {direction} +received +(\d+)  =  (.+)$", shown.stdout, re.MULTILINE)
        assert match is not None, shown.stdout
        counts = [int(count) for count in re.findall(r"\w+ (\d+)", match[2])]
        assert match[2] == "nothing yet" or sum(counts) == int(match[1])
    assert re.search(r"^ *Lanes open \d+, held \d+; waiting for their turn \d+", shown.stdout, re.MULTILINE)
    assert whole["conserved"] is True


def test_a_person_without_a_service_is_told_what_to_do(stack: Stack, tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("TANDEM_")}
    command = [sys.executable, "-m", "shared.ops", "now"]
    asked = [
        subprocess.run(
            command, cwd=tmp_path, env=env | more, capture_output=True, text=True, timeout=60, check=False
        )
        for more in (
            {"PYTHONPATH": str(ROOT)},
            {"PYTHONPATH": str(ROOT), "TANDEM_URL": "http://127.0.0.1:9", "TANDEM_TOKEN": "x"},
            {"PYTHONPATH": str(ROOT), "TANDEM_URL": stack.endpoints["functions"], "TANDEM_TOKEN": "x"},
        )
    ]

    assert [each.returncode for each in asked] == [2, 2, 1]
    nobody, away, stranger = (each.stderr for each in asked)
    assert nobody == (
        "tandem: no service: set TANDEM_URL and TANDEM_TOKEN, or start the local stack with `make up`\n"
    )
    assert away.startswith("tandem: http://127.0.0.1:9 does not answer (")
    assert away.endswith("); is it running? `make up` starts a local one\n")
    assert stranger == "tandem: auth.unauthenticated: the token is not valid\n"
