"""How work gets into a lane.

Every arrival touches the lane's own row in its transaction. `SqlLanes.release` writes that row before it
looks for work, so one of the two always sees the other.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.sqltypes import ONE
from shared.connectors.sqlstore.tables import lane, lane_item
from shared.core.change import Change, Message
from shared.core.verdict import ItemState

_TOUCH = (
    sa.update(lane).where(lane.c.record == sa.bindparam("the_record")).values(version=lane.c.version + ONE)
)

_OPEN = sa.insert(lane)
_ENQUEUE = sa.insert(lane_item)


def touch(connection: sa.Connection, record: UUID) -> None:
    """Mark that work arrived; opens the lane if the record has none.

    May raise IntegrityError when somebody else opens it at the same time: begin the transaction again.
    """
    if connection.execute(_TOUCH, {"the_record": record}).rowcount == 0:
        connection.execute(_OPEN, {"record": record, "fence": 0, "version": 0})


def touch_all(connection: sa.Connection, records: Iterable[UUID]) -> None:
    """Mark that work arrived in several lanes, in one order, so that two callers cannot deadlock."""
    for record in sorted(set(records)):
        touch(connection, record)


def place(
    connection: sa.Connection,
    number: int,
    record: UUID,
    change: Change,
    message: Message,
    due_at: datetime | None = None,
    waits_on: str | None = None,
) -> None:
    """Give a message its place in the lane of a record; it is not worked before `due_at`."""
    touch(connection, record)
    connection.execute(
        _ENQUEUE,
        {
            "number": number,
            "record": record,
            "changed_at": change.changed_at,
            "version": change.version,
            "position": message.position,
            "state": ItemState.WAITING.value,
            "due_at": due_at,
            "waits_on": waits_on,
            "attempts": 0,
            "is_failing": False,
        },
    )
