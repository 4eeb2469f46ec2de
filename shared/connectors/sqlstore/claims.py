"""How a record's claim to a row is settled, and the hand-over when a guess gives way to a fact."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.arrivals import touch
from shared.connectors.sqlstore.lineage import heir_in
from shared.connectors.sqlstore.pairing import (
    ABSORBED,
    ENTRY,
    IS_KEY,
    NEW_ENTRY,
    PAIRED,
    RESERVED,
    key_parameters,
)
from shared.connectors.sqlstore.sqltypes import ONE, storable
from shared.connectors.sqlstore.tables import crosswalk, dependency, lane, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.core.claim import Claim
from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.identity import RecordKey
from shared.core.ports import StoreUnavailable

T = TypeVar("T")

_POINT = sa.update(crosswalk).where(
    IS_KEY, crosswalk.c.state == RESERVED, crosswalk.c.row_id == sa.bindparam("the_row")
)

_CLOSE = (
    sa.update(lane)
    .where(
        lane.c.record == sa.bindparam("the_record"),
        sa.or_(lane.c.owner.is_(None), lane.c.lease_until < sa.bindparam("now")),
    )
    .values(fence=lane.c.fence + 1, version=lane.c.version + 1, owner=None, lease_until=None)
)

_LEASED = sa.select(ONE).where(
    sa.exists().where(
        lane.c.record == sa.bindparam("the_record"),
        lane.c.owner.is_not(None),
        lane.c.lease_until >= sa.bindparam("now"),
    )
)

_OWN_NUMBERS = sa.select(messages.c.number).where(
    messages.c.record == sa.bindparam("new_record"),
    messages.c.source == sa.bindparam("the_system"),
    messages.c.entity == sa.bindparam("the_entity"),
    messages.c.source_id == sa.bindparam("the_id"),
)

_MOVE_MESSAGES = (
    sa.update(messages)
    .where(
        messages.c.record == sa.bindparam("the_record"),
        messages.c.source == sa.bindparam("the_system"),
        messages.c.entity == sa.bindparam("the_entity"),
        messages.c.source_id == sa.bindparam("the_id"),
    )
    .values(record=sa.bindparam("new_record"))
)

_MOVE_ITEMS = (
    sa.update(lane_item)
    .where(
        lane_item.c.record == sa.bindparam("the_record"),
        lane_item.c.number.in_(_OWN_NUMBERS.scalar_subquery()),
    )
    .values(record=sa.bindparam("new_record"))
)

_MOVE_WAITS = (
    sa.update(dependency)
    .where(
        dependency.c.record == sa.bindparam("the_record"),
        dependency.c.number.in_(_OWN_NUMBERS.scalar_subquery()),
    )
    .values(record=sa.bindparam("new_record"))
)

_PAUSE_SECONDS = 0.05
_TRIES = 100

_WIDTHS = {"/source": 64, "/entity": 128, "/sourceKey": 128}


class BeingWritten(Exception):
    """Somebody works the record under the row it was promised, and may be creating that row."""


async def once_free(attempt: Callable[[], Awaitable[T]], sleep: Callable[[float], Awaitable[None]]) -> T:
    """What `attempt` comes to once nobody works the record under its reserved row.

    Raises StoreUnavailable when that takes more than a few seconds.
    """
    for _ in range(_TRIES):
        try:
            return await attempt()
        except BeingWritten:
            await sleep(_PAUSE_SECONDS)
    raise StoreUnavailable("the record is being written under the row it was promised")


def check_widths(key: RecordKey) -> None:
    """Raise InvalidMessage for a key that no key column can hold."""
    parts = zip(_WIDTHS.items(), (key.system, key.entity, key.id), strict=True)
    faults = [
        Fault(pointer, Code.BAD_FIELD, f"at most {width} whole characters")
        for (pointer, width), part in parts
        if storable(part) != part or len(part.encode("utf-16-le")) > 2 * width
    ]
    if faults:
        raise InvalidMessage(*faults)


def row_for(connection: sa.Connection, claim: Claim, now: datetime) -> UUID:
    """The row a claim comes to; the lane moves with a hand-over.

    Raises InvalidMessage for another row than the one the record is paired with, BeingWritten while the
    hand-over has to wait. May raise IntegrityError when somebody else reserves at the same time.
    """
    key, named = claim.key, claim.named
    entry = connection.execute(ENTRY, key_parameters(key)).one_or_none()
    if entry is None:
        reserved = named or claim.chosen
        names = {"system": key.system, "entity": key.entity, "legacy_id": key.id}
        connection.execute(NEW_ENTRY, names | {"row_id": reserved, "state": RESERVED, "reserved_at": now})
        return reserved
    current: UUID = entry.row_id
    if named is None or named == current or entry.state == ABSORBED:
        return current
    if entry.state == PAIRED:
        if not claim.is_told:
            # We write that field ourselves, just before the crosswalk: meanwhile this one counts.
            return current
        if heir_in(connection, named) == current:
            return current
        raise InvalidMessage(
            Fault("/dataverseId", Code.IDENTITY_MISMATCH, "the row this record is paired with")
        )
    if not _hand_over(connection, key, current, named, now):
        raise BeingWritten
    return named


def _hand_over(connection: sa.Connection, key: RecordKey, old: UUID, new: UUID, now: datetime) -> bool:
    """Move what is known under a reserved row to the real one; False while somebody works it.

    A reserved row was never written, so nothing is agreed about it and there is no shadow to move.
    """
    at_old = {"the_record": old, "now": now}
    closed = connection.execute(_CLOSE, at_old).rowcount == 1
    if not closed and connection.execute(_LEASED, at_old).first() is not None:
        return False
    if connection.execute(_POINT, {"row_id": new, "the_row": old, **key_parameters(key)}).rowcount == 0:
        return False
    parameters = {"the_record": old, "new_record": new, **key_parameters(key)}
    connection.execute(_MOVE_MESSAGES, parameters)
    if connection.execute(_MOVE_ITEMS, parameters).rowcount:
        connection.execute(_MOVE_WAITS, parameters)
        touch(connection, new)
    return True
