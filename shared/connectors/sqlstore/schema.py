"""Whether a database has the tables this code was written for, and how it gets them.

A SQLite file upgrades itself when it is opened. Azure SQL never does: its schema is changed by a deployment
with rights that the running app does not have, so here it is only compared.
"""

from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

from shared.connectors.sqlstore.engine import StoreMisconfigured, is_in_memory, run_script
from shared.connectors.sqlstore.tables import METADATA

HEAD = "0016"
"""The newest migration; a test keeps it equal to `sql/migrations/versions`."""

SCRIPTS = Path(__file__).parents[3] / "sql"

_VERSION = sa.table("alembic_version", sa.column("version_num", sa.String))


def version_of(connection: sa.Connection) -> str | None:
    """The database's version; None when it has none."""
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(sa.select(_VERSION.c.version_num)).scalar_one_or_none()


def prepare(engine: sa.Engine) -> None:
    """Make sure the schema is at head, or raise StoreMisconfigured."""
    if is_in_memory(engine.url):
        run_script(engine, _creation())
        return
    with engine.connect().execution_options(read_only=True) as connection:
        version = version_of(connection)
    if version == HEAD:
        return
    if engine.dialect.name != "sqlite":
        raise StoreMisconfigured(
            f"the database is at schema version {version or 'none'} and this release needs {HEAD}: "
            f"apply sql/azure up to {HEAD} first"
        )
    upgrade(engine)


def upgrade(engine: sa.Engine) -> None:
    """Bring a database to head. On SQLite nobody else can write meanwhile, and a failure leaves no trace."""
    from alembic import command  # noqa: PLC0415  # half a second to import, needed once per release

    with engine.begin() as connection:
        if version_of(connection) != HEAD:
            command.upgrade(alembic_config(connection), "head")


def alembic_config(connection: sa.Connection | None = None) -> Any:
    """Alembic's configuration, working on `connection` where one is given."""
    from alembic.config import Config  # noqa: PLC0415  # see `upgrade`

    config = Config(SCRIPTS / "alembic.ini")
    config.attributes["connection"] = connection
    return config


@cache
def _creation() -> tuple[str, ...]:
    """The schema as SQLite statements, straight from the tables: a database in memory has no history."""
    dialect = sa.create_engine("sqlite://").dialect
    statements: list[str] = []
    for table in METADATA.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)))
        statements.extend(
            str(CreateIndex(index).compile(dialect=dialect))
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        )
    return tuple(statements)
