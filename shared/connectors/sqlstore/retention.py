"""How long things are kept: bodies (personal data) shorter than the metadata that history needs.

A message still open in its lane, or failing, is never touched, however old it is. The work is done in small
transactions, so that nobody waits long.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import sqlalchemy as sa

from shared.connectors.sqlstore import baselines, finished
from shared.connectors.sqlstore.pending import pending_write
from shared.connectors.sqlstore.sqltypes import ONE, word
from shared.connectors.sqlstore.tables import conflict, dependency, journal, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database

_CHUNK = 1000

Purge: TypeAlias = Callable[[sa.Connection, Sequence[Any]], None]


@dataclass(frozen=True, slots=True)
class Purged:
    """How many messages lost their body, and how many went altogether."""

    bodies: int
    messages: int


@dataclass(frozen=True, slots=True)
class Retention:
    """Forgets what is no longer to be kept."""

    database: Database

    async def purge(self, *, bodies_before: datetime, messages_before: datetime) -> Purged:
        """Empty finished messages received before the first instant, delete those before the second."""
        bodies = await self._in_chunks(_old(bodies_before).where(messages.c.body.is_not(None)), _empty)
        gone = await self._in_chunks(_old(messages_before), _delete)
        await self._in_chunks(finished.settled_values(bodies_before), finished.blank)
        await self._in_chunks(finished.settled(messages_before), finished.forget_disputes)
        await self._in_chunks(finished.healed(messages_before), finished.forget_gaps)
        await self._in_chunks(finished.plans(messages_before), finished.forget_plans)
        await self._in_chunks(finished.imports(messages_before), finished.forget_imports)
        return Purged(bodies, gone)

    async def _in_chunks(self, which: sa.Select[Any], purge: Purge) -> int:
        total = 0
        while True:
            count = await self.database.write(lambda c: _purge_chunk(c, which, purge))
            total += count
            if count == 0:
                return total


def _old(before: datetime) -> sa.Select[Any]:
    is_open = sa.exists().where(
        lane_item.c.number == messages.c.number,
        sa.or_(lane_item.c.state != word("done"), lane_item.c.is_failing == ONE),
    )
    return (
        sa.select(messages.c.number)
        .where(messages.c.received_at < before, ~is_open)
        .order_by(messages.c.number)
        .limit(_CHUNK)
    )


def _purge_chunk(connection: sa.Connection, which: sa.Select[Any], purge: Purge) -> int:
    numbers = connection.execute(which).scalars().all()
    if numbers:
        purge(connection, numbers)
    return len(numbers)


def _empty(connection: sa.Connection, numbers: Sequence[int]) -> None:
    connection.execute(
        sa.update(messages)
        .where(messages.c.number.in_(numbers))
        .values(body=None, properties=None, application_properties=None, edits=None)
    )


def _delete(connection: sa.Connection, numbers: Sequence[int]) -> None:
    baselines.fold(connection, numbers)
    connection.execute(sa.delete(pending_write).where(pending_write.c.item.in_(numbers)))
    for table in (conflict, journal, dependency, lane_item, messages):
        connection.execute(sa.delete(table).where(table.c.number.in_(numbers)))
