"""Engines: SQLite in a file of its own, or Azure SQL over ODBC.

ODBC is imported only for a `mssql` URL: its system library is not on every machine, and none of the SQLite
path needs it.
"""

import sqlite3
import struct
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import StaticPool

TOKEN_SCOPE = "https://database.windows.net/.default"  # noqa: S105  # the name of a scope, not a token
_ACCESS_TOKEN_ATTRIBUTE = 1256
_BUSY_SECONDS = 30
_LOCK_TIMEOUT_MILLISECONDS = 10_000
_NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "afs", "ceph"})
_MOUNTS = Path("/proc/self/mounts")


class StoreMisconfigured(Exception):
    """The state cannot be opened as configured; the text says what to change."""


class Credential(Protocol):
    """What azure-identity's credentials do."""

    def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        """An object with the access token as `token`."""
        ...


def engine_for(url: sa.URL, credential: Credential | None, connections: int) -> sa.Engine:
    """An engine for a `sqlite` or `mssql+pyodbc` URL; raises StoreMisconfigured for any other."""
    backend = url.get_backend_name()
    if backend == "sqlite":
        return _sqlite(url, connections)
    if backend == "mssql":
        return _mssql(url, credential, connections)
    raise StoreMisconfigured(f"the state is kept in sqlite or mssql, not in {backend}")


def is_in_memory(url: sa.URL) -> bool:
    """Whether a SQLite URL names no file."""
    return url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}


def _sqlite(url: sa.URL, connections: int) -> sa.Engine:
    if is_in_memory(url):
        engine = sa.create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        path = Path(url.database or "")
        _refuse_network(path, _MOUNTS.read_text(encoding="utf-8") if _MOUNTS.exists() else "")
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False},
        )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """A writer takes its turn at once: one that read first could only fail when it wants to write later."""
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _refuse_network(path: Path, mounts: str) -> None:
    """Write-ahead logging needs shared memory, which no network share has."""
    absolute = path.absolute()
    points = [line.split(" ")[1:3] for line in mounts.splitlines() if line.count(" ") >= 2]
    kinds = {point.replace("\\040", " "): kind for point, kind in points}
    nearest = next((kinds[str(at)] for at in (absolute, *absolute.parents) if str(at) in kinds), "")
    if str(path).startswith(("//", "\\\\")) or nearest in _NETWORK_FILE_SYSTEMS:
        raise StoreMisconfigured("the SQLite file must be on a local disk, not on a network share")


def _mssql(url: sa.URL, credential: Credential | None, connections: int) -> sa.Engine:
    try:
        pyodbc: Any = import_module("pyodbc")
    except ImportError as error:
        raise StoreMisconfigured(
            f"Azure SQL needs the system packages libodbc2 and msodbcsql18 (or another ODBC driver): {error}"
        ) from error
    if not url.username and credential is None:
        raise StoreMisconfigured("an mssql URL without a user needs an Entra credential")
    pyodbc.pooling = False
    engine = sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_size=connections,
        max_overflow=0,
        pool_recycle=1500,
        connect_args={"timeout": 15},
    )
    event.listen(engine, "connect", _prepare_mssql)
    if not url.username and credential is not None:
        _use_token(engine, credential)
    return engine


def _prepare_mssql(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET LOCK_TIMEOUT {_LOCK_TIMEOUT_MILLISECONDS}")
    cursor.close()


def _use_token(engine: sa.Engine, credential: Credential) -> None:
    """Ask for a token on every new connection; azure-identity keeps it until it must be renewed."""

    @event.listens_for(engine, "do_connect")
    def _with_token(
        _dialect: object, _record: object, arguments: list[Any], parameters: dict[str, Any]
    ) -> None:
        arguments[0] = without_trusted_connection(arguments[0])
        token = credential.get_token(TOKEN_SCOPE).token
        parameters["attrs_before"] = {_ACCESS_TOKEN_ATTRIBUTE: token_attribute(token)}


def without_trusted_connection(connection_string: str) -> str:
    """The connection string without what the dialect adds for want of a user; the driver refuses both."""
    return connection_string.replace(";Trusted_Connection=Yes", "")


def token_attribute(token: str) -> bytes:
    """An access token as the ODBC driver takes it: its length, then UTF-16."""
    encoded = token.encode("utf-16-le")
    return struct.pack(f"<I{len(encoded)}s", len(encoded), encoded)


def run_script(engine: sa.Engine, statements: Iterable[str]) -> None:
    """Run statements in one transaction."""
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
