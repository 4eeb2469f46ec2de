"""Items that wait for another record, and how they are let go (dependency parking).

What is waited for is written as one text: the key of a legacy record, or the bare GUID of a Dataverse row. A
new pair names both, so it releases both kinds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore import pending, rings
from shared.connectors.sqlstore.arrivals import touch_all
from shared.connectors.sqlstore.lineage import heir_in
from shared.connectors.sqlstore.sqltypes import word
from shared.connectors.sqlstore.tables import crosswalk, dependency, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.values import keys_text
from shared.core.identity import DATAVERSE, RecordKey, is_merge
from shared.core.pending import is_acknowledgement
from shared.core.verdict import ItemState, LaneItem

_LOOK_AGAIN = timedelta(seconds=60)
"""The pause of an item whose key is paired and that still does not find what it needs.

A row can be paired with a record of another system than the one the item is written to.
"""

_CHUNK = 500
"""SQL Server takes 2,100 parameters per statement."""

_WAIT = sa.insert(dependency)

_PAIRED = word("paired")

# A pair not committed yet must be waited for, not overlooked: its own release has not seen our dependency.
_LOCKING = "WITH (READCOMMITTEDLOCK)"

_RECORD_PAIRED = (
    sa.select(crosswalk.c.row_id)
    .with_hint(crosswalk, _LOCKING, "mssql")
    .where(
        crosswalk.c.system == sa.bindparam("the_system"),
        crosswalk.c.entity == sa.bindparam("the_entity"),
        crosswalk.c.legacy_id == sa.bindparam("the_id"),
        crosswalk.c.state.in_([_PAIRED, word("absorbed")]),
    )
)

_ROW_PAIRED = (
    sa.select(crosswalk.c.row_id)
    .with_hint(crosswalk, _LOCKING, "mssql")
    .where(crosswalk.c.row_id == sa.bindparam("the_row"), crosswalk.c.state == _PAIRED)
)

_ROW_PAIRED_IN = _ROW_PAIRED.where(crosswalk.c.system == sa.bindparam("the_system"))

_WAITED_ON = sa.select(lane_item.c.waits_on).where(lane_item.c.number == sa.bindparam("the_number"))

_FORGET = sa.delete(dependency).where(dependency.c.number == sa.bindparam("the_number"))

_LET_GO = (
    sa.delete(dependency)
    .where(dependency.c.wanted.in_([sa.bindparam("the_key"), sa.bindparam("the_row")]))
    .returning(dependency.c.number, dependency.c.record)
)

_GO_ON = (
    sa.update(lane_item)
    .where(
        lane_item.c.number.in_(sa.bindparam("the_numbers", expanding=True)),
        lane_item.c.state.in_([word("parked"), word("retrying")]),
    )
    .values(state=ItemState.WAITING.value, due_at=None)
    .returning(lane_item.c.number)
)

_UNDECIDED = (
    sa.update(messages)
    .where(messages.c.number.in_(sa.bindparam("the_numbers", expanding=True)))
    .values(outcome=None, reason=None)
)


@dataclass(frozen=True, slots=True)
class Wait:
    """Where a parked item stands: `columns` of its row, and whether it can go on at once."""

    columns: dict[str, Any]
    goes_on: bool


def wanted_by(key: RecordKey) -> str:
    """What is waited for, as text."""
    return key.id.lower() if key.system == DATAVERSE and not is_merge(key) else str(key)


def park(connection: sa.Connection, item: LaneItem, wants: tuple[RecordKey, str], now: datetime) -> Wait:
    """Let an item wait for a key, unless the key was paired meanwhile, or waits for this very record.

    A row may have to be a record of one system, which is named beside the key; blank: of any.

    In a ring nobody could ever go on; so whoever closes it goes on without that link.

    The dependency is written before the crosswalk is read: whoever pairs the key at the same time either
    sees the dependency, or is seen here.
    """
    key, system = wants
    wanted = wanted_by(key)
    before = connection.execute(_WAITED_ON, {"the_number": item.number}).scalar_one_or_none()
    if before is not None:
        forget(connection, item.number)
    connection.execute(_WAIT, {"number": item.number, "wanted": wanted, "record": item.record, "since": now})
    if is_acknowledgement(key):
        if pending.is_waited_for(connection, item.record):
            return Wait({"state": ItemState.PARKED.value, "waits_on": wanted}, goes_on=False)
        forget(connection, item.number)
        return Wait({"state": ItemState.WAITING.value, "waits_on": wanted}, goes_on=True)
    if is_merge(key) and heir_in(connection, UUID(key.id)) is None:
        return Wait({"state": ItemState.PARKED.value, "waits_on": wanted}, goes_on=False)
    if not _is_paired(connection, key, system):
        if key not in item.without and rings.closes(connection, item.record, wanted):
            forget(connection, item.number)
            without = keys_text(item.without | {key})
            return Wait({"state": ItemState.WAITING.value, "without": without}, goes_on=True)
        return Wait({"state": ItemState.PARKED.value, "waits_on": wanted}, goes_on=False)
    if before == wanted:
        again = {"state": ItemState.RETRYING.value, "due_at": now + _LOOK_AGAIN, "waits_on": wanted}
        return Wait(again, goes_on=False)
    forget(connection, item.number)
    return Wait({"state": ItemState.WAITING.value, "waits_on": wanted}, goes_on=True)


def release(connection: sa.Connection, key: RecordKey, row_id: UUID) -> Sequence[UUID]:
    """Let go of every item that waited for a new pair; returns their records."""
    return let_go(connection, str(key), str(row_id))


def let_go(connection: sa.Connection, wanted: str, also: str) -> Sequence[UUID]:
    """Let go of every item that waits for either of two things; returns their records."""
    freed = connection.execute(_LET_GO, {"the_key": wanted, "the_row": also}).all()
    numbers = sorted(row.number for row in freed)
    for start in range(0, len(numbers), _CHUNK):
        some = numbers[start : start + _CHUNK]
        going_on = connection.execute(_GO_ON, {"the_numbers": some}).scalars().all()
        connection.execute(_UNDECIDED, {"the_numbers": going_on})
    records = sorted({row.record for row in freed})
    touch_all(connection, records)
    return records


def forget(connection: sa.Connection, number: int) -> None:
    """An item no longer waits for anything."""
    connection.execute(_FORGET, {"the_number": number})


def _is_paired(connection: sa.Connection, key: RecordKey, system: str) -> bool:
    if key.system == DATAVERSE:
        row, statement = UUID(key.id), _ROW_PAIRED_IN if system else _ROW_PAIRED
        within = {"the_system": system} if system else {}
        return any(
            place is not None
            and connection.execute(statement, {"the_row": place, **within}).first() is not None
            for place in (row, heir_in(connection, row))
        )
    return (
        connection.execute(
            _RECORD_PAIRED, {"the_system": key.system, "the_entity": key.entity, "the_id": key.id}
        ).first()
        is not None
    )
