"""What both sides changed: one line per column, with the value that lost."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.tables import conflict
from shared.connectors.sqlstore.values import dumps, tagged
from shared.core.verdict import Collision

_KEPT = sa.select(conflict.c.column_name, conflict.c.inbound, conflict.c.outbound).where(
    conflict.c.number == sa.bindparam("the_number")
)
_KEEP = sa.insert(conflict).inline()


def keep(
    connection: sa.Connection, number: int, record: UUID, collisions: Sequence[Collision], now: datetime
) -> None:
    """Keep a message's collisions; those kept on an earlier try are not kept twice."""
    kept = {tuple(row) for row in connection.execute(_KEPT, {"the_number": number})}
    lines: list[dict[str, Any]] = [
        {
            "number": number,
            "record": record,
            "at": now,
            "column_name": collision.column,
            "base": dumps(tagged(collision.base)),
            "inbound": dumps(tagged(collision.inbound)),
            "outbound": dumps(tagged(collision.outbound)),
            "winner": collision.winner,
            "rule": collision.rule,
        }
        for collision in collisions
    ]
    fresh = [line for line in lines if (line["column_name"], line["inbound"], line["outbound"]) not in kept]
    if fresh:
        connection.execute(_KEEP, fresh)
