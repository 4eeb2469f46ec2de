"""How a database is reached, and how a misconfiguration is told."""

import struct
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from shared.connectors.sqlstore import StoreMisconfigured, engine, open_store
from shared.connectors.sqlstore.engine import engine_for

SERVER = "mssql+pyodbc://@server.database.windows.net/sync?driver=ODBC+Driver+18+for+SQL+Server&Encrypt=yes"
MOUNTS = "/dev/sda1 / ext4 rw 0 0\n//share/x /mnt/my\\040share cifs rw 0 0\nhost:/y /mnt/nfs nfs4 rw 0 0\n"


class Stopped:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


class FakeOdbc(ModuleType):
    """Just enough of pyodbc to see what it is asked for."""

    Error = type("Error", (Exception,), {})
    version, paramstyle, threadsafety, pooling = "5.5.0", "qmark", 1, True
    SQL_DRIVER_NAME = 6
    Cursor = type("Cursor", (), {"nextset": None})

    def __init__(self) -> None:
        super().__init__("pyodbc")
        self.asked: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def connect(self, *arguments: Any, **parameters: Any) -> Any:
        self.asked.append((arguments, parameters))
        raise self.Error("08001", "no server here")


def test_a_file_is_opened_for_many_readers_and_one_writer(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'deep' / 'state.db'}", Stopped())
    with store.engine.connect() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    store.close()

    assert pragmas == ["wal", 1, 1]


def test_a_reader_is_not_held_up_by_a_writer(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'state.db'}", Stopped())
    with store.engine.begin() as writer:
        writer.exec_driver_sql("DELETE FROM lane")
        with store.engine.connect().execution_options(read_only=True) as reader:
            assert reader.exec_driver_sql("SELECT COUNT(*) FROM lane").scalar_one() == 0
    store.close()


@pytest.mark.parametrize(
    "path", ["/mnt/my share/state.db", "/mnt/nfs/deep/state.db", "//server/share/state.db"]
)
def test_a_network_share_is_refused(path: str) -> None:
    with pytest.raises(StoreMisconfigured, match="must be on a local disk"):
        engine._refuse_network(Path(path), MOUNTS)


@pytest.mark.parametrize("path", ["/var/lib/state.db", "/mnt/state.db", "state.db"])
def test_a_local_disk_is_taken(path: str) -> None:
    engine._refuse_network(Path(path), MOUNTS)


def test_another_database_is_refused_by_name() -> None:
    with pytest.raises(StoreMisconfigured, match="kept in sqlite or mssql, not in postgresql"):
        engine_for(sa.make_url("postgresql://host/db"), None, 1)


def test_a_missing_odbc_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyodbc", None)

    with pytest.raises(StoreMisconfigured, match=r"needs the system packages libodbc2 and msodbcsql18"):
        open_store(SERVER, Stopped())


def test_a_server_is_logged_in_to_with_a_token_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    odbc = FakeOdbc()
    monkeypatch.setitem(sys.modules, "pyodbc", odbc)
    scopes: list[str] = []

    def get_token(*asked: str, **_options: Any) -> SimpleNamespace:
        scopes.extend(asked)
        return SimpleNamespace(token="töken")

    opened = engine_for(sa.make_url(SERVER), SimpleNamespace(get_token=get_token), 5)
    with pytest.raises(sa.exc.DBAPIError):
        opened.connect()

    ((connection_string,), parameters) = odbc.asked[0]
    encoded = "töken".encode("utf-16-le")
    assert scopes == ["https://database.windows.net/.default"]
    assert parameters["attrs_before"] == {1256: struct.pack("<I", 10) + encoded}
    assert parameters["timeout"] == 15
    assert "Encrypt=yes" in connection_string
    for forbidden in ("UID", "PWD", "Trusted_Connection", "Authentication"):
        assert forbidden not in connection_string
    assert "ken" not in str(opened.url).replace("Token", "")
    assert odbc.pooling is False


def test_a_server_without_user_or_credential_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyodbc", FakeOdbc())

    with pytest.raises(StoreMisconfigured, match="needs an Entra credential"):
        engine_for(sa.make_url(SERVER), None, 5)
