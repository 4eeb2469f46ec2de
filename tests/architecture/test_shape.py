"""The shape of the repository: what lies where, what it is called, and how large it may be."""

import ast
import io
import re
import tokenize
from collections.abc import Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from mappers import SYSTEMS

# docs/adr/0003 says why there is a local stack beside the app.
FOLDERS = {"shared", "mappers", "sql", "infra", "tests", "local", "docs"}
FILES = {
    "host.json",
    "function_app.py",
    "local.settings.sample.json",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "constraints.txt",
    "pyproject.toml",
    "requirements-dev.txt",
    "requirements.txt",
}
HIDDEN = {
    ".ci",
    ".editorconfig",
    ".funcignore",
    ".gitattributes",
    ".github",
    ".gitignore",
    ".importlinter",
    ".pre-commit-config.yaml",
    ".sqlfluff",
}
# Adding one is a decision: it needs a place in .importlinter and a page in docs/adr.
SHARED = {
    "connectors",
    "core",
    "inbound",
    "migration",
    "ops",
    "outbound",
    "recovery",
    "settings",
    "triggers",
    "wiring",
}
CONNECTORS = {
    "callers",
    "credentials",
    "dataverse",
    "exports",
    "files",
    "legacy",
    "memory",
    "servicebus",
    "sqlstore",
    "telemetry",
    "tickets",
    "vault",
    "web",
}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "constants"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
CODE = ("function_app.py", "shared/", "mappers/", "sql/", "local/")


def packages_in(sources: Mapping[str, str], folder: str) -> set[str]:
    return {
        path.removeprefix(folder).partition("/")[0]
        for path in sources
        if path.startswith(folder) and "/" in path.removeprefix(folder)
    }


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without its docstring."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def leftovers(text: str) -> list[str]:
    """Marks of unfinished work in a source text: a note in a comment, or a body that only says so."""
    marks = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    notes = [token for token in tokens if token.type == tokenize.COMMENT and marks.search(token.string)]
    stubs = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Raise) and node.exc and "NotImplementedError" in ast.unparse(node.exc)
    ]
    return [f"line {token.start[0]}" for token in notes] + [f"line {node.lineno}" for node in stubs]


def test_the_top_level_is_a_closed_list(files: list[Path]) -> None:
    top = {path.parts[0] for path in files}

    assert top - FOLDERS - FILES - HIDDEN == set()
    assert (FOLDERS | FILES) - top == set()


def test_shared_holds_its_closed_list_and_nothing_loose(sources: Mapping[str, str]) -> None:
    loose = {path for path in sources if re.fullmatch(r"shared/[^/]+\.py", path)}

    assert packages_in(sources, "shared/") == SHARED
    assert loose == {"shared/__init__.py"}


def test_the_connectors_are_a_closed_list(sources: Mapping[str, str]) -> None:
    loose = {path for path in sources if re.fullmatch(r"shared/connectors/[^/]+\.py", path)}

    assert packages_in(sources, "shared/connectors/") == CONNECTORS
    assert loose == {"shared/connectors/__init__.py"}


def test_every_mapper_folder_is_registered_and_every_system_has_a_folder(sources: Mapping[str, str]) -> None:
    folders = packages_in(sources, "mappers/")

    assert folders == {system.name for system in SYSTEMS} | {"dataverse"}


def test_every_package_opens_with_one_sentence(trees: Mapping[str, ast.Module]) -> None:
    packages = {path: tree for path, tree in trees.items() if path.startswith(CODE) and "__init__" in path}
    openings = {path: (ast.get_docstring(tree) or "").partition("\n")[0] for path, tree in packages.items()}

    assert [path for path, opening in openings.items() if not opening.endswith(".")] == []


def test_every_python_folder_is_a_package(sources: Mapping[str, str]) -> None:
    folders = {Path(path).parent for path in sources if path.startswith(("shared/", "mappers/", "local/"))}

    assert [folder for folder in folders if f"{folder.as_posix()}/__init__.py" not in sources] == []


def test_no_module_is_named_for_nothing(sources: Mapping[str, str]) -> None:
    named = [path for path in sources if {Path(path).stem, *Path(path).parts[:-1]} & EMPTY_NAMES]

    assert named == []


def test_no_file_is_too_long(sources: Mapping[str, str]) -> None:
    lengths = {path: text.count("\n") for path, text in sources.items() if path.startswith(CODE)}

    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_too_long(trees: Mapping[str, ast.Module]) -> None:
    lengths = {
        f"{path}:{node.name}": body_lines(node)
        for path, tree in trees.items()
        # A migration is a list of tables: it is read once, from top to bottom.
        if path.startswith(CODE) and not path.startswith("sql/migrations/versions/")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_nothing_is_left_unfinished(sources: Mapping[str, str]) -> None:
    found = {path: leftovers(text) for path, text in sources.items() if path.startswith(CODE)}

    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize("line", ["# TO" + "DO later", "raise NotImplemented" + "Error"])
def test_a_planted_leftover_is_caught(line: str) -> None:
    assert leftovers(line + "\n") != []


def test_the_table_of_contents_stays_one(sources: Mapping[str, str]) -> None:
    assert sources["function_app.py"].count("\n") <= 30


def test_no_installed_package_hides_one_of_ours() -> None:
    """The Functions worker searches the app's own folder last, so another `shared` would win."""
    ours = {"shared", "mappers", "local", "sql", "infra", "tests", "docs", "function_app"}
    providers = {name: set(found) for name, found in packages_distributions().items() if name in ours}

    assert {name: found - {"tandem"} for name, found in providers.items() if found - {"tandem"}} == {}


def test_no_file_names_a_persons_or_a_machines_folder(root: Path, files: list[Path]) -> None:
    folder = re.compile(r"(?<![\w.:/-])/(?:home|root|Users|work)/[\w.-]+")
    found = {
        path.as_posix(): match[0]
        for path in files
        if path.suffix not in {".png", ".ico", ".woff2"}
        and (match := folder.search((root / path).read_text(errors="replace")))
    }

    assert found == {}


KEY = re.compile(
    r"(?i)(?:shared_?access_?key|account_?key|client_?secret|password|sig)[\"']?\s*[=:]\s*[\"']?([\w+/%-]{20,}={0,2})"
)
AZURITES = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key that every Azurite has: it opens nothing."""


def test_no_file_holds_a_connection_string_with_a_key(root: Path, files: list[Path]) -> None:
    """E-04, X-01: what opens a queue, a database or a vault is an identity."""
    found = {
        path.as_posix(): match
        for path in files
        for match in KEY.findall((root / path).read_text(errors="replace"))
        if match != AZURITES
    }

    assert found == {}


def test_a_planted_key_is_caught() -> None:
    """Put together here, so that this file holds none."""
    key = "a1B2c3D4e5F6g7H8i9J0" * 2 + "="

    assert KEY.findall("Endpoint=sb://x/;SharedAccess" + "KeyName=root;SharedAccess" + f"Key={key}") == [key]


def test_the_lock_files_name_no_registry(root: Path, files: list[Path]) -> None:
    npm = [path for path in files if path.name == "package-lock.json"]
    pip = [path for path in files if path.match("requirements*.txt") or path.name == "constraints.txt"]

    assert [path.as_posix() for path in npm if '"resolved"' in (root / path).read_text()] == []
    assert [path.as_posix() for path in pip if re.search(r"https?://", (root / path).read_text())] == []
