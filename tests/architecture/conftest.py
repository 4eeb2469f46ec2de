"""What the tests about the shape of the repository look at: its files, and its Python as syntax trees."""

import ast
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_MADE_HERE = {".git", ".venv", ".local", "node_modules", "__pycache__"}


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def files() -> list[Path]:
    """Every file of the repository, relative to its root: tracked, or new and not ignored."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode == 0:
        found = {Path(name) for name in listing.stdout.split("\0") if name}
    else:  # an archive without its history
        found = set(_walk())
    return sorted(path for path in found if (ROOT / path).is_file())


def _walk() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name for name in folders if name not in _MADE_HERE and not name.endswith((".egg-info", "_cache"))
        ]
        for name in names:
            yield (Path(folder) / name).relative_to(ROOT)


@pytest.fixture(scope="session")
def sources(files: list[Path]) -> Mapping[str, str]:
    """The text of every Python file, by its path with forward slashes."""
    return {path.as_posix(): (ROOT / path).read_text() for path in files if path.suffix == ".py"}


@pytest.fixture(scope="session")
def trees(sources: Mapping[str, str]) -> Mapping[str, ast.Module]:
    """The syntax tree of every Python file."""
    return {path: ast.parse(text) for path, text in sources.items()}


@pytest.fixture(scope="session")
def product(trees: Mapping[str, ast.Module]) -> Mapping[str, ast.Module]:
    """The part that is deployed: `function_app.py`, `shared` and `mappers`."""
    return {
        path: tree
        for path, tree in trees.items()
        if path == "function_app.py" or path.startswith(("shared/", "mappers/"))
    }
