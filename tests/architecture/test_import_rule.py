"""The import rule of `.importlinter` holds, and it can fail: each contract catches a planted violation."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# contract, the file that gets a line too many, the line
PLANTED = [
    ("layers", "shared/inbound/planted.py", "import shared.connectors.web"),
    ("layers", "shared/inbound/planted.py", "import shared.outbound"),
    ("layers", "shared/connectors/planted.py", "import shared.recovery"),
    ("layers", "shared/connectors/planted.py", "import shared.settings"),
    ("layers", "shared/core/planted.py", "import shared.inbound"),
    ("layers", "shared/core/planted.py", "import shared.wiring"),
    ("layers", "shared/wiring/planted.py", "import shared.triggers"),
    ("layers", "shared/ops/planted.py", "import shared.triggers"),
    ("layers", "shared/novelty/__init__.py", '"""A sub-package nobody decided on."""'),
    ("doors", "shared/triggers/planted.py", "import shared.connectors.sqlstore"),
    ("maps", "mappers/allegory/planted.py", "import shared.connectors.web"),
    ("registry", "shared/inbound/planted.py", "import mappers"),
    ("deployed", "shared/core/planted.py", "import local.stack"),
    ("deployed", "mappers/allegory/planted.py", "import local.stack"),
    ("broker", "local/broker/amqp/planted.py", "import local.broker.entities"),
    ("broker", "local/broker/entities/planted.py", "import local.broker.engine"),
    ("broker", "local/broker/engine/planted.py", "import local.broker.service"),
    ("broker", "local/broker/service/planted.py", "import local.broker.store"),
]


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """The three packages and the contracts, in a place where lines can be added."""
    copy = tmp_path_factory.mktemp("checkout")
    for package in ("shared", "mappers", "local"):
        shutil.copytree(root / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / ".importlinter", copy)
    return copy


def lint(checkout: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    limits = [option for contract in contracts for option in ("--contract", contract)]
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo", *limits]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)


def test_the_import_rule_holds(root: Path) -> None:
    checked = lint(root)

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(("contract", "file", "line"), PLANTED)
def test_a_planted_violation_is_caught(copied: Path, contract: str, file: str, line: str) -> None:
    planted = copied / file
    before = planted.read_text() if planted.exists() else None
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(f"{before or ''}\n{line}\n")
    try:
        checked = lint(copied, contract)
    finally:
        planted.unlink() if before is None else planted.write_text(before)
        if planted.name == "__init__.py":
            planted.parent.rmdir()

    assert checked.returncode == 1, checked.stdout + checked.stderr
    # Broken, and not merely unable to run.
    assert "0 kept, 1 broken" in checked.stdout or "novelty" in checked.stdout
