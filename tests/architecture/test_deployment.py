"""What is published to Azure, and how the host is told to run it."""

import fnmatch
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

GOES = (
    "function_app.py",
    "host.json",
    "requirements.txt",
    "shared/wiring/__init__.py",
    "shared/core/mapping/spec.py",
    "mappers/allegory/companies.py",
    "sql/migrations/env.py",
)
STAYS = (
    ".local/tandem.db",
    ".local/settings.json",
    ".venv/bin/python",
    ".git/config",
    ".ci/run",
    ".importlinter",
    "local/stack/__main__.py",
    "local/broker/server.py",
    "tests/unit/core/test_merge.py",
    "docs/why.md",
    "infra/main.bicep",
    "local.settings.json",
    "local.settings.sample.json",
    "README.md",
    "Makefile",
    "pyproject.toml",
    "requirements-dev.txt",
    "shared/__pycache__/settings.cpython-311.pyc",
    "tandem.egg-info/PKG-INFO",
)


def ignored(patterns: list[str], path: str) -> bool:
    """Whether a path or a folder above it is named by a pattern; as much of the format as the file uses."""
    parts = path.split("/")
    for pattern in patterns:
        folder_only, name = pattern.endswith("/"), pattern.rstrip("/")
        named = parts[:-1] if folder_only else parts
        if any(fnmatch.fnmatch(part, name) for part in named):
            return True
    return False


@pytest.fixture(scope="module")
def patterns(root: Path) -> list[str]:
    lines = (root / ".funcignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_what_the_app_needs_is_published(patterns: list[str]) -> None:
    assert [path for path in GOES if ignored(patterns, path)] == []


def test_what_belongs_to_this_checkout_is_not(patterns: list[str]) -> None:
    assert [path for path in STAYS if not ignored(patterns, path)] == []


def test_nothing_published_is_left_out_by_accident(patterns: list[str], files: list[Path]) -> None:
    """Every tracked file of the product goes, but for its notes to readers."""
    product = [
        path for path in files if path.parts[0] in {"shared", "mappers", "sql"} and path.suffix != ".md"
    ]

    assert [path.as_posix() for path in product if ignored(patterns, path.as_posix())] == []


def flattened(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from flattened(below, f"{path}.{key}" if path else key)
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def test_every_host_setting_is_explained(root: Path) -> None:
    settings = dict(flattened(json.loads((root / "host.json").read_text())))
    page = (root / "docs/reference/host.md").read_text()
    explained = dict(re.findall(r"^\| `([^`]+)` \| `([^`]*)` \| .{20,} \|$", page, flags=re.MULTILINE))

    assert explained == settings


def test_one_message_of_a_record_at_a_time(root: Path) -> None:
    service_bus = json.loads((root / "host.json").read_text())["extensions"]["serviceBus"]

    assert service_bus["maxConcurrentCallsPerSession"] == 1
    assert service_bus["prefetchCount"] == 0
    assert service_bus["autoCompleteMessages"] is True
