"""What each part may import from outside the repository; each rule catches a planted line."""

import ast
import sys
from collections.abc import Iterator, Mapping

import pytest

# What may be imported where, by the start of the path; the longest start that fits decides.
ALLOWED: Mapping[str, tuple[str, ...]] = {
    "function_app.py": ("azure.functions",),
    "mappers/": (),
    "shared/": (),
    "shared/core/body.py": ("msgspec",),
    "shared/core/mapping/rows.py": ("msgspec",),
    "shared/connectors/": (
        "alembic",
        "azure.core",
        "azure.identity",
        "azure.keyvault",
        "azure.servicebus",
        "fsspec",
        "httpx",
        "jwt",
        "opencensus",
        "pyodbc",
        "python_calamine",
        "selectolax",
        "sqlalchemy",
    ),
    "shared/ops/": ("httpx",),
    "shared/triggers/": ("azure.functions",),
}
OURS = ("shared", "mappers")


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from azure import servicebus` names azure.servicebus
            yield from (f"{node.module}.{name.name}" for name in node.names)


def starts_with(module: str, name: str) -> bool:
    return module == name or module.startswith(name + ".")


def violations(path: str, tree: ast.Module) -> list[str]:
    home = max((start for start in ALLOWED if path.startswith(start)), key=len)
    allowed = (*ALLOWED[home], *OURS)
    return [
        f"{path} imports {module}"
        for module in imported(tree)
        if module.partition(".")[0] not in sys.stdlib_module_names
        and not any(starts_with(module, name) for name in allowed)
    ]


def test_every_part_imports_only_what_its_place_allows(product: Mapping[str, ast.Module]) -> None:
    assert [found for path, tree in product.items() for found in violations(path, tree)] == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("shared/core/planted.py", "import httpx"),
        ("shared/core/planted.py", "from azure import functions"),
        ("shared/core/planted.py", "import msgspec"),
        ("shared/inbound/planted.py", "import sqlalchemy as sa"),
        ("shared/recovery/planted.py", "from azure.servicebus import ServiceBusMessage"),
        ("shared/wiring/world.py", "from azure.identity import DefaultAzureCredential"),
        ("shared/connectors/web/planted.py", "import azure.functions"),
        ("shared/triggers/planted.py", "import httpx"),
        ("shared/triggers/planted.py", "def lazily():\n    import jwt"),
        ("shared/ops/planted.py", "import azure.functions"),
        ("mappers/allegory/planted.py", "import yaml"),
        ("function_app.py", "import opencensus"),
    ],
)
def test_a_planted_import_is_caught(path: str, line: str) -> None:
    assert violations(path, ast.parse(line)) != []


def test_only_the_app_and_the_local_host_know_azure_functions(trees: Mapping[str, ast.Module]) -> None:
    knowing = {
        path
        for path, tree in trees.items()
        if not path.startswith("tests/")
        and any(starts_with(module, "azure.functions") for module in imported(tree))
    }

    assert {
        path
        for path in knowing
        if path != "function_app.py" and not path.startswith(("shared/triggers/", "local/host/"))
    } == set()
