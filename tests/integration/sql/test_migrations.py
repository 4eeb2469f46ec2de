"""Migrations and tables say the same, and a database is used only at the version the code was written for."""

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from shared.connectors.sqlstore import StoreMisconfigured, open_store
from shared.connectors.sqlstore.engine import engine_for
from shared.connectors.sqlstore.schema import HEAD, alembic_config, prepare, upgrade, version_of
from shared.connectors.sqlstore.tables import METADATA

REVISIONS = [r.revision for r in ScriptDirectory.from_config(alembic_config()).walk_revisions()][::-1]

OPENS = (
    "import sys; from shared.connectors.sqlstore import open_store\n"
    "open_store(sys.argv[1], None).close()\n"
    "print(sorted({'alembic', 'pyodbc'} & set(sys.modules)))"
)
"""What a starting process does; it tells what it had to import for it."""


class Wall:
    def now(self) -> datetime:
        return datetime.now(UTC)


def _engine(path: Path) -> sa.Engine:
    return engine_for(sa.make_url(f"sqlite:///{path}"), None, 1)


def _shape(engine: sa.Engine) -> dict[str, Any]:
    inspector = sa.inspect(engine)
    return {
        table: {
            "columns": [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)],
            "key": inspector.get_pk_constraint(table)["constrained_columns"],
            "indexes": sorted(
                (str(i["name"]), str(i["column_names"]), bool(i["unique"]))
                for i in inspector.get_indexes(table)
            ),
            "unique": inspector.get_unique_constraints(table),
            "foreign": inspector.get_foreign_keys(table),
        }
        for table in sorted(inspector.get_table_names())
        if table != "alembic_version"
    }


@pytest.mark.parametrize("start", [None, *REVISIONS[:-1]])
def test_every_version_is_upgraded_to_what_the_tables_say(tmp_path: Path, start: str | None) -> None:
    engine = _engine(tmp_path / "state.db")
    with engine.begin() as connection:
        if start is not None:
            command.upgrade(alembic_config(connection), start)
    upgrade(engine)

    with engine.begin() as connection:
        command.check(alembic_config(connection))
        assert version_of(connection) == HEAD
    engine.dispose()


def test_a_database_in_memory_has_the_shape_of_a_migrated_one(tmp_path: Path) -> None:
    migrated, created = _engine(tmp_path / "state.db"), engine_for(sa.make_url("sqlite://"), None, 1)
    prepare(migrated)
    prepare(created)

    assert _shape(created) == _shape(migrated)
    assert set(_shape(created)) == set(METADATA.tables)
    for engine in (migrated, created):
        engine.dispose()


def test_a_migration_can_be_taken_back(tmp_path: Path) -> None:
    engine = _engine(tmp_path / "state.db")
    upgrade(engine)
    with engine.begin() as connection:
        command.downgrade(alembic_config(connection), "base")

    assert _shape(engine) == {}
    engine.dispose()


def test_processes_that_start_together_upgrade_a_file_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"

    starting = [subprocess.Popen([sys.executable, "-c", OPENS, url]) for _ in range(3)]
    assert [process.wait(60) for process in starting] == [0, 0, 0]

    with sqlite3.connect(tmp_path / "state.db") as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
    connection.close()


def test_a_file_at_head_is_opened_without_alembic_and_without_odbc(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    open_store(url, Wall()).close()

    answer = subprocess.run([sys.executable, "-c", OPENS, url], capture_output=True, text=True, check=True)

    assert answer.stdout == "[]\n"


def test_a_server_is_compared_and_never_changed() -> None:
    """The server is played by a file: what matters is that the engine says it is not SQLite."""
    engine = engine_for(sa.make_url("sqlite://"), None, 1)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0000')")

    with pytest.raises(StoreMisconfigured, match=f"at schema version 0000 and this release needs {HEAD}"):
        prepare(_Server(engine))  # type: ignore[arg-type]  # stands in for an engine

    assert sa.inspect(engine).get_table_names() == ["alembic_version"]
    engine.dispose()


class _Server:
    """An engine whose dialect is called mssql."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.url = sa.make_url("mssql+pyodbc://server/db")
        self.dialect = type("Dialect", (), {"name": "mssql"})

    def connect(self) -> sa.Connection:
        return self._engine.connect()
