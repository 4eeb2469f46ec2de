"""A cold start pays for the table of contents, not for the far sides: the first call imports those.

Nor does an operator's question wait for the local stack, or for what reads exports.
"""

import json
import subprocess
import sys
from pathlib import Path

MOST = 1.5
ROUNDS = 7
# What the app may load when a message comes, but not when it starts.
LATER = {
    "alembic",
    "azure.identity",
    "azure.keyvault",
    "azure.servicebus",
    "httpx",
    "jwt",
    "opencensus",
    "pyodbc",
    "sqlalchemy",
}
TIMING = """
import time
before = time.process_time()
import {module}
print(time.process_time() - before)
"""
LOADED = "import json, sys, function_app; print(json.dumps(sorted(sys.modules)))"


def said(root: Path, program: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    return ran.stdout


def test_starting_the_app_costs_little_more_than_the_platforms_own_library(root: Path) -> None:
    """A ratio of minima of CPU over fresh processes, in turns: load on the machine falls on both alike."""
    both: dict[str, list[float]] = {"azure.functions": [], "function_app": []}
    for _ in range(ROUNDS):
        for module, seconds in both.items():
            seconds.append(float(said(root, TIMING.format(module=module))))

    assert min(both["function_app"]) / min(both["azure.functions"]) <= MOST


def test_starting_the_app_loads_no_far_side(root: Path) -> None:
    loaded = set(json.loads(said(root, LOADED)))

    assert loaded & LATER == set()


ASKED = """
import json, sys
from shared.ops.cli import main
status = main(["replay", "plan"])
print(json.dumps([status, sorted(sys.modules)]))
"""


def test_a_question_to_the_service_loads_neither_the_stack_nor_the_readers_of_exports(root: Path) -> None:
    status, loaded = json.loads(said(root, ASKED))

    assert status == 2
    assert {name.partition(".")[0] for name in loaded} & {"local", "mappers", "cryptography"} == set()
    assert [name for name in loaded if name.startswith("shared.core.reading")] == []
