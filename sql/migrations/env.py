"""How Alembic reaches the database."""  # noqa: INP001  # Alembic loads it by path

# Online it works over the connection the app hands it, or the URL given with `-x url=`. With `--sql` it
# prints T-SQL, which needs neither a server nor an ODBC driver.

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from shared.connectors.sqlstore import sqltypes
from shared.connectors.sqlstore.engine import engine_for
from shared.connectors.sqlstore.tables import METADATA

AZURE = "mssql+pyodbc://"


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write our own column types by name into a new migration."""
    if kind == "type" and type(item).__module__ == sqltypes.__name__:
        autogen.imports.add("from shared.connectors.sqlstore import sqltypes")
        return f"sqltypes.{item!r}"
    return False


def run(connection: sa.Connection) -> None:
    """Migrate over an open connection, inside its transaction if it has one."""
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_item=render_item,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Migrate the database that was given."""
    connection = context.config.attributes.get("connection")
    if connection is not None:
        run(connection)
        return
    engine = engine_for(sa.make_url(context.get_x_argument(as_dictionary=True)["url"]), None, 1)
    with engine.begin() as opened:
        run(opened)


def print_sql() -> None:
    """Print the T-SQL."""
    context.configure(
        url=AZURE,
        target_metadata=METADATA,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
        output_buffer=context.config.output_buffer,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    print_sql()
else:
    run_online()
