"""Which legacy record is which Dataverse row, and the hand-over when a guess gives way to a fact."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.arrivals import touch
from shared.connectors.sqlstore.pairing import ENTRY, IS_KEY, NEW_ENTRY, PAIRED, RESERVED, key_parameters
from shared.connectors.sqlstore.sqltypes import ONE, storable, word
from shared.connectors.sqlstore.tables import crosswalk, dependency, lane, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.identity import RecordKey
from shared.core.ports import Clock, StoreUnavailable

_ROW_OF = sa.select(crosswalk.c.row_id).where(IS_KEY, crosswalk.c.state == word("paired"))

_RECORDS_OF = (
    sa.select(crosswalk.c.system, crosswalk.c.entity, crosswalk.c.legacy_id)
    .where(crosswalk.c.row_id == sa.bindparam("the_row"), crosswalk.c.state == word("paired"))
    .order_by(crosswalk.c.system, crosswalk.c.entity, crosswalk.c.legacy_id)
)

_CLAIMS_ON = (
    sa.select(crosswalk.c.system, crosswalk.c.entity, crosswalk.c.legacy_id)
    .where(crosswalk.c.row_id == sa.bindparam("the_row"))
    .order_by(crosswalk.c.state, crosswalk.c.system, crosswalk.c.entity, crosswalk.c.legacy_id)
)

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

_BARRIER_PAUSE_SECONDS = 0.05
_BARRIER_TRIES = 100

_WIDTHS = {"/source": 64, "/entity": 128, "/sourceKey": 128}


@dataclass(frozen=True, slots=True)
class SqlCrosswalk:
    """`Crosswalk` on SQL. `sleep` waits a number of seconds without holding anything up."""

    database: Database
    clock: Clock
    sleep: Callable[[float], Awaitable[None]]

    async def claim(self, key: RecordKey, row_id: UUID | None, chosen: UUID) -> UUID:
        """See `Crosswalk.claim`.

        While somebody works the record under its reserved row, the hand-over waits for them: they may be
        creating that row. Raises StoreUnavailable when that takes more than a few seconds.
        """
        _check_widths(key)
        for _ in range(_BARRIER_TRIES):
            found = await self.database.write(partial(_claim, key, row_id, chosen, self.clock.now()))
            if found is not None:
                return found
            await self.sleep(_BARRIER_PAUSE_SECONDS)
        raise StoreUnavailable("the record is being written under the row it was promised")

    async def row_of(self, key: RecordKey) -> UUID | None:
        """See `Crosswalk.row_of`."""
        return await self.database.read(
            lambda c: c.execute(_ROW_OF, key_parameters(key)).scalar_one_or_none()
        )

    async def records_of(self, row_id: UUID) -> Sequence[RecordKey]:
        """See `Crosswalk.records_of`, in alphabetical order."""
        rows = await self.database.read(lambda c: c.execute(_RECORDS_OF, {"the_row": row_id}).all())
        return [RecordKey(row.system, row.entity, row.legacy_id) for row in rows]

    async def claims_on(self, row_id: UUID) -> Sequence[RecordKey]:
        """See `Crosswalk.claims_on`; the paired ones first."""
        rows = await self.database.read(lambda c: c.execute(_CLAIMS_ON, {"the_row": row_id}).all())
        return [RecordKey(row.system, row.entity, row.legacy_id) for row in rows]


def _check_widths(key: RecordKey) -> None:
    parts = zip(_WIDTHS.items(), (key.system, key.entity, key.id), strict=True)
    faults = [
        Fault(pointer, Code.BAD_FIELD, f"at most {width} whole characters")
        for (pointer, width), part in parts
        if storable(part) != part or len(part.encode("utf-16-le")) > 2 * width
    ]
    if faults:
        raise InvalidMessage(*faults)


def _claim(
    key: RecordKey, row_id: UUID | None, chosen: UUID, now: datetime, connection: sa.Connection
) -> UUID | None:
    """The canonical row, or None while the record is being worked under another."""
    entry = connection.execute(ENTRY, key_parameters(key)).one_or_none()
    if entry is None:
        reserved = row_id or chosen
        names = {"system": key.system, "entity": key.entity, "legacy_id": key.id}
        connection.execute(NEW_ENTRY, names | {"row_id": reserved, "state": RESERVED, "reserved_at": now})
        return reserved
    current: UUID = entry.row_id
    if row_id is None or row_id == current:
        return current
    if entry.state == PAIRED:
        raise InvalidMessage(
            Fault("/dataverseId", Code.IDENTITY_MISMATCH, "the row this record is paired with")
        )
    return row_id if _hand_over(connection, key, current, row_id, now) else None


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
