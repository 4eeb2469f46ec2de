"""The environment, the clock, new ids and chance come in through a port; each rule catches a planted line."""

import ast
from collections.abc import Iterator, Mapping

import pytest

# Calls that read the machine's clock, or make up something that is different every time.
CALLS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "uuid.uuid1",
    "uuid.uuid4",
    "os.urandom",
}
MODULES = {"random", "secrets"}
# What reaches out of a process, or lets time pass.
IO = {"asyncio", "io", "open", "os", "pathlib", "socket", "sqlite3", "ssl", "subprocess", "threading", "time"}
# Where a real clock and real chance are made, or where a person's own command runs.
EDGES = ("shared/connectors/", "shared/ops/", "shared/wiring/")
SETTINGS = {"shared/settings/app.py", "shared/settings/operator.py", "shared/settings/systems.py"}


def spelled(node: ast.expr) -> str:
    """`a.b.c` as written; blank for anything else."""
    if isinstance(node, ast.Attribute):
        before = spelled(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


def names_in(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every dotted name that is used, spelled in full, with its line."""
    full: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                first = name.name.partition(".")[0]
                full[name.asname or first] = name.name if name.asname else first
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                full[name.asname or name.name] = f"{node.module}.{name.name}"
                yield node.lineno, f"{node.module}.{name.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, dot, rest = spelled(node).partition(".")
            yield node.lineno, full.get(first, first) + dot + rest


def ambient(path: str, tree: ast.Module) -> list[str]:
    if path.startswith(EDGES):
        return []
    return sorted(
        {
            f"{path}:{line} uses {name}"
            for line, name in names_in(tree)
            if name.removeprefix("datetime.") in CALLS or name in CALLS or name.partition(".")[0] in MODULES
        }
    )


def doing(path: str, tree: ast.Module) -> list[str]:
    return sorted(
        {f"{path}:{line} uses {name}" for line, name in names_in(tree) if name.partition(".")[0] in IO}
    )


def environment(path: str, tree: ast.Module) -> list[str]:
    if path in SETTINGS:
        return []
    return sorted(
        {
            f"{path}:{line} uses {name}"
            for line, name in names_in(tree)
            if name in {"os.environ", "os.getenv", "os.putenv"} or name.startswith("os.environ.")
        }
    )


def test_clock_ids_and_chance_are_handed_in(product: Mapping[str, ast.Module]) -> None:
    assert [found for path, tree in product.items() for found in ambient(path, tree)] == []


def test_only_the_settings_read_the_environment(product: Mapping[str, ast.Module]) -> None:
    assert [found for path, tree in product.items() for found in environment(path, tree)] == []


def test_the_brokers_entities_know_no_clock_and_do_no_io(trees: Mapping[str, ast.Module]) -> None:
    entities = {path: tree for path, tree in trees.items() if path.startswith("local/broker/entities/")}

    assert entities
    assert [
        found for path, tree in entities.items() for found in (*ambient(path, tree), *doing(path, tree))
    ] == []


def test_nothing_reads_a_clock_without_a_zone(trees: Mapping[str, ast.Module]) -> None:
    naive = [
        f"{path}:{node.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (
            (spelled(node.func).endswith("datetime.now") and not node.args and not node.keywords)
            or spelled(node.func).endswith(("datetime.utcnow", "datetime.utcfromtimestamp"))
        )
    ]

    assert naive == []


@pytest.mark.parametrize(
    "line",
    [
        "from datetime import UTC, datetime\ndatetime.now(UTC)",
        "import datetime\ndatetime.datetime.now()",
        "import time\ntime.time()",
        "from uuid import uuid4\nuuid4()",
        "import uuid\nuuid.uuid4()",
        "import random as dice\ndice.random()",
        "from random import random",
        "import secrets",
    ],
)
def test_a_planted_clock_or_chance_is_caught(line: str) -> None:
    assert ambient("shared/core/planted.py", ast.parse(line)) != []


@pytest.mark.parametrize("line", ["import asyncio", "from time import sleep", "open('a')"])
def test_planted_io_is_caught(line: str) -> None:
    assert doing("local/broker/entities/planted.py", ast.parse(line)) != []


@pytest.mark.parametrize(
    "line", ["import os\nos.environ['A']", "from os import environ", "import os\nos.getenv('A')"]
)
def test_a_planted_look_at_the_environment_is_caught(line: str) -> None:
    assert environment("shared/wiring/world.py", ast.parse(line)) != []
