"""The key of Tandem's seal, made once per database and shared by all instances."""

import secrets

import sqlalchemy as sa

from shared.connectors.sqlstore.sqltypes import Key
from shared.connectors.sqlstore.tables import METADATA
from shared.connectors.sqlstore.transactions import Transactions
from shared.core.seal import Seal

_BYTES = 32
_NAME = "queues"

seal_key = sa.Table(
    "seal_key",
    METADATA,
    sa.Column("name", Key(32), primary_key=True),
    # Hexadecimal: the one thing kept here that nobody may read.
    sa.Column("secret", Key(64), nullable=False),
)

_KEPT = sa.select(seal_key.c.secret).where(seal_key.c.name == _NAME)


def seal_in(transactions: Transactions) -> Seal:
    """The database's seal; the first to ask makes it."""
    kept = transactions.read(_kept) or transactions.write_racing(_kept_or_made)
    return Seal(bytes.fromhex(kept))


def _kept(connection: sa.Connection) -> str | None:
    return connection.execute(_KEPT).scalar_one_or_none()


def _kept_or_made(connection: sa.Connection) -> str:
    kept = _kept(connection)
    if kept is None:
        kept = secrets.token_hex(_BYTES)
        connection.execute(sa.insert(seal_key), {"name": _NAME, "secret": kept})
    return kept
