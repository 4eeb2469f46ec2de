"""Audits of the sample exports, where they are on this machine, and of copies with one file put wrong."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mappers.exports import EXPORTS
from shared.connectors.exports import pages
from shared.connectors.exports.folder import Folder
from shared.migration.audit import Audit
from shared.migration.users import Users

DATA = Path(os.environ.get("TANDEM_SAMPLE_DATA", Path(__file__).parents[4] / "shared/data"))

Told = Mapping[str, Any]
AuditOf = Callable[[str, Path], list[Told]]


def audited(system: str, folder: Path, users: Path) -> list[Told]:
    found = Users.read(users.read_bytes())
    audit = Audit(EXPORTS[system], Folder(str(folder)), found, pages.plain, pages.is_html)
    return [finding.told() for finding in audit.run()]


@pytest.fixture(scope="session")
def data() -> Path:
    if not DATA.exists():
        pytest.skip("the sample data is not on this machine")
    return DATA


@pytest.fixture(scope="session")
def of_sample(data: Path) -> Callable[[str, str], list[Told]]:
    """The findings of a sample export, worked out once."""
    known: dict[tuple[str, str], list[Told]] = {}

    def found(system: str, size: str) -> list[Told]:
        if (system, size) not in known:
            users = data / f"dynamics_users_{size}.json"
            known[system, size] = audited(system, data / system / size, users)
        return known[system, size]

    return found


@pytest.fixture
def copied(data: Path, tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A copy of a small export, to do something to."""

    def copy(system: str) -> Path:
        folder = tmp_path / system
        shutil.copytree(data / system / "small", folder)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        return folder

    yield copy
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
def audit_small(data: Path) -> AuditOf:
    return lambda system, folder: audited(system, folder, data / "dynamics_users_small.json")


@pytest.fixture
def audit_anew(data: Path) -> Callable[[str, str], list[Told]]:
    return lambda system, size: audited(system, data / system / size, data / f"dynamics_users_{size}.json")
