"""Every package the app is installed with has a reason on paper, and does work in the product."""

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

# What a package is called in an import, where it is not its own name with points.
MODULES = {"PyJWT": "jwt", "SQLAlchemy": "sqlalchemy", "python-calamine": "python_calamine"}
WANTED = {
    "azure-functions",
    "azure-servicebus",
    "azure-identity",
    "azure-keyvault-secrets",
    "pyodbc",
    "opencensus-ext-azure",
    "httpx",
}


def required(text: str) -> set[str]:
    return set(re.findall(r"^([A-Za-z][\w.-]*)", text, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def packages(root: Path) -> set[str]:
    return required((root / "requirements.txt").read_text())


def imported(trees: Mapping[str, ast.Module]) -> set[str]:
    names: set[str] = set()
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                names |= {str(name.value) for name in node.args if isinstance(name, ast.Constant)}
    return names


def test_the_packages_the_app_is_built_on_are_all_here(packages: set[str]) -> None:
    assert WANTED - packages == set()


def test_every_package_does_work_in_the_product(
    packages: set[str], product: Mapping[str, ast.Module]
) -> None:
    used = imported(product)
    modules = {name: MODULES.get(name, name.replace("-", ".")) for name in packages}

    assert {
        name
        for name, module in modules.items()
        if not any(entry == module or entry.startswith(module + ".") for entry in used)
    } == set()


def test_every_package_has_its_reason_on_paper(root: Path, packages: set[str]) -> None:
    page = (root / "docs/reference/dependencies.md").read_text()
    development = required((root / "requirements-dev.txt").read_text())
    told = set(re.findall(r"^\| `([\w.-]+)` \| .{10,} \| .{10,} \|$", page, flags=re.MULTILINE))

    assert told - {"azurite", "azure-functions-runtime", "azurefunctions-extensions-base"} == (
        packages | development
    )


def test_every_package_is_pinned(root: Path) -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        lines = (root / name).read_text().splitlines()
        loose = [line for line in lines if line and not line.startswith(("#", "-r")) and "==" not in line]
        assert loose == [], name
