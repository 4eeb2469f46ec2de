"""Rows that were merged into others: all that a loser had becomes its heir's, in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore import cases, disputes, pending, waiting
from shared.connectors.sqlstore.arrivals import touch
from shared.connectors.sqlstore.lineage import heir_in
from shared.connectors.sqlstore.pairing import ABSORBED, ENTRY, IS_KEY, RESERVED, key_parameters
from shared.connectors.sqlstore.sqltypes import ONE, word
from shared.connectors.sqlstore.tables import (
    absorbed_row,
    crosswalk,
    dependency,
    journal,
    lane,
    lane_item,
    shadow,
)
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.values import dumps, shadow_of, shadow_text
from shared.core.change import Operation
from shared.core.identity import RecordKey, merge_of
from shared.core.ports import LeaseLost
from shared.core.shadow import Shadow
from shared.core.verdict import Absorption, ItemState, LaneItem

_CLOSE = (
    sa.update(lane)
    .where(lane.c.record == sa.bindparam("the_record"), lane.c.fence == sa.bindparam("the_fence"))
    .values(fence=lane.c.fence + ONE, version=lane.c.version + ONE, owner=None, lease_until=None)
)

_OVERTAKE = (
    sa.update(lane)
    .where(lane.c.record == sa.bindparam("the_record"))
    .values(fence=lane.c.fence + ONE, version=lane.c.version + ONE, owner=None, lease_until=None)
)

_OPEN_ITEMS = sa.select(lane_item.c.number, lane_item.c.state).where(
    lane_item.c.record == sa.bindparam("the_record"), lane_item.c.state != word("done")
)

_OWN_ITEMS = (
    sa.select(lane_item.c.number, lane_item.c.state)
    .join(messages, messages.c.number == lane_item.c.number)
    .where(
        lane_item.c.record == sa.bindparam("the_record"),
        lane_item.c.state != word("done"),
        messages.c.source == sa.bindparam("the_system"),
        messages.c.entity == sa.bindparam("the_entity"),
        messages.c.source_id == sa.bindparam("the_id"),
        # A merge and what people decided are about the row, whoever is named in them.
        messages.c.operation.in_([word(Operation.UPSERT.value), word(Operation.DELETE.value)]),
    )
)

_MOVE_ITEMS = sa.update(lane_item).where(lane_item.c.number.in_(sa.bindparam("the_numbers", expanding=True)))
_MOVE_MESSAGES = sa.update(messages).where(messages.c.number.in_(sa.bindparam("the_numbers", expanding=True)))
_FORGET = sa.delete(dependency).where(dependency.c.record == sa.bindparam("the_record"))
_FORGET_ITEM = sa.delete(dependency).where(dependency.c.number == sa.bindparam("the_number"))

_POINT = sa.update(crosswalk).where(IS_KEY)
_POINT_RESERVED = sa.update(crosswalk).where(
    crosswalk.c.row_id == sa.bindparam("the_row"), crosswalk.c.state == word(RESERVED)
)
_POINT_ABSORBED = sa.update(crosswalk).where(
    crosswalk.c.row_id == sa.bindparam("the_row"), crosswalk.c.state == word(ABSORBED)
)

_SHADOW = sa.select(shadow.c.document, shadow.c.deleted_at).where(
    shadow.c.record == sa.bindparam("the_record")
)
_SAVE = sa.update(shadow).where(shadow.c.record == sa.bindparam("the_record"))
_OPEN_DISPUTES = sa.select(disputes.dispute.c.column_name).where(
    disputes.dispute.c.record == sa.bindparam("the_record"), disputes.dispute.c.state != word("over")
)


def take_over(connection: sa.Connection, item: LaneItem, absorbed: Absorption, now: datetime) -> list[UUID]:
    """Give the heir, whose item this is, everything the loser had; returns the lanes this sets free.

    Raises LeaseLost when the loser's lane is not the one that was seized any more, or when it got one since.
    """
    heir = item.record
    for key in absorbed.ended:
        entry = connection.execute(ENTRY, key_parameters(key)).one_or_none()
        if entry is not None and entry.row_id not in {heir, absorbed.row}:
            # Somebody told of it for the first time while this was decided, and may be making its row.
            raise LeaseLost
        _absorb(connection, key, heir, now)
    for key in absorbed.moved:
        connection.execute(_POINT, {"row_id": heir, **key_parameters(key)})
    if absorbed.row is None or absorbed.lease is None or absorbed.row == heir:
        return _released(connection, (*absorbed.ended, *absorbed.moved), heir)
    closing = {"the_record": absorbed.row, "the_fence": absorbed.lease.fence}
    if connection.execute(_CLOSE, closing).rowcount == 0:
        raise LeaseLost
    connection.execute(_POINT_ABSORBED, {"row_id": heir, "the_row": absorbed.row})
    _remember(connection, item, absorbed, now)
    move_lane(connection, absorbed.row, heir)
    pending.end_of(connection, absorbed.row, now)
    _end(connection, item, absorbed.row, now)
    cases.merged(connection, absorbed.row, heir, now)
    freed = waiting.release(connection, merge_of(absorbed.row), absorbed.row)
    return [heir, *freed, *_released(connection, (*absorbed.ended, *absorbed.moved), heir)]


def revive(connection: sa.Connection, row: UUID, heir: UUID) -> None:
    """Let a row stand for itself again, if it was merged into `heir`.

    Whoever works its lane just then decided on what it was before, and is overtaken.
    """
    if heir_in(connection, row) != heir:
        return
    connection.execute(sa.delete(absorbed_row).where(absorbed_row.c.row_id == row))
    connection.execute(_OVERTAKE, {"the_record": row})
    kept = connection.execute(_SHADOW, {"the_record": row}).one()
    document = shadow_text(replace(shadow_of(kept.document, kept.deleted_at), heir=None))
    connection.execute(_SAVE, {"document": document, "the_record": row})


def move_item(connection: sa.Connection, number: int, record: UUID) -> None:
    """Move one item into another lane."""
    connection.execute(_MOVE_ITEMS, {"record": record, "the_numbers": [number]})
    connection.execute(_MOVE_MESSAGES, {"record": record, "the_numbers": [number]})
    touch(connection, record)


def move_lane(connection: sa.Connection, record: UUID, heir: UUID) -> None:
    """Move what is open in a lane, and what is reserved for its record, to the heir.

    What was held, or waited, is looked at anew there: it may mean something else by now.
    """
    connection.execute(_POINT_RESERVED, {"row_id": heir, "the_row": record})
    found = connection.execute(_OPEN_ITEMS, {"the_record": record}).all()
    connection.execute(_FORGET, {"the_record": record})
    _move_open(connection, found, heir)


def move_own(connection: sa.Connection, key: RecordKey, record: UUID, own: UUID) -> None:
    """Move what one of a row's records has open in its lane to the row that the record gets for itself.

    Decided where it was told, it would be what another customer says, and bind the record to that row anew.
    """
    found = connection.execute(_OWN_ITEMS, {"the_record": record, **key_parameters(key)}).all()
    for row in found:
        connection.execute(_FORGET_ITEM, {"the_number": row.number})
    _move_open(connection, found, own)


def _move_open(connection: sa.Connection, found: Sequence[Any], record: UUID) -> None:
    aside = [row.number for row in found if row.state == ItemState.ASIDE.value]
    others = [row.number for row in found if row.state != ItemState.ASIDE.value]
    for numbers, columns in (
        (aside, {}),
        (others, {"state": ItemState.WAITING.value, "due_at": None, "waits_on": None, "is_failing": False}),
    ):
        for start in range(0, len(numbers), 500):
            some = numbers[start : start + 500]
            connection.execute(_MOVE_ITEMS, {"record": record, "the_numbers": some, **columns})
            fate = {"outcome": None, "reason": None} if columns else {}
            connection.execute(_MOVE_MESSAGES, {"record": record, "the_numbers": some, **fate})
    touch(connection, record)


def _absorb(connection: sa.Connection, key: RecordKey, heir: UUID, now: datetime) -> None:
    """A record that is found and does not speak; one nobody had told of is known from now on."""
    columns = {"row_id": heir, "state": ABSORBED, "paired_at": now}
    if connection.execute(_POINT, columns | key_parameters(key)).rowcount == 0:
        names = {"system": key.system, "entity": key.entity, "legacy_id": key.id, "reserved_at": now}
        connection.execute(sa.insert(crosswalk), columns | names)


def _released(connection: sa.Connection, keys: Iterable[RecordKey], heir: UUID) -> list[UUID]:
    """Whoever waited for a record that means the heir now, or for the heir to have one."""
    freed: list[UUID] = []
    for key in keys:
        freed += waiting.release(connection, key, heir)
    return freed


def _remember(connection: sa.Connection, item: LaneItem, absorbed: Absorption, now: datetime) -> None:
    """The row's own shadow stays as it was: it is what an un-merge starts from."""
    row = absorbed.row
    keys = sorted(str(key) for key in (*absorbed.ended, *absorbed.moved))
    told = {"heir": item.record, "at": now, "number": item.number, "records": dumps(keys)}
    again = sa.update(absorbed_row).where(absorbed_row.c.row_id == sa.bindparam("the_row"))
    if connection.execute(again, told | {"the_row": row}).rowcount == 0:
        connection.execute(sa.insert(absorbed_row), told | {"row_id": row})
    kept = connection.execute(_SHADOW, {"the_record": row}).one_or_none()
    known = Shadow() if kept is None else shadow_of(kept.document, kept.deleted_at)
    document = shadow_text(replace(known, heir=item.record))
    if kept is not None:
        connection.execute(_SAVE, {"document": document, "saved_at": now, "the_record": row})
    else:
        fresh = {"record": row, "document": document, "deleted_at": None, "fence": 0, "saved_at": now}
        connection.execute(sa.insert(shadow), fresh)


def _end(connection: sa.Connection, item: LaneItem, row: UUID, now: datetime) -> None:
    """The loser's own history says what became of it, and nobody is asked about it any more."""
    over = f"merged into {item.record}"
    columns = connection.execute(_OPEN_DISPUTES, {"the_record": row}).scalars().all()
    disputes.end(connection, row, dict.fromkeys(columns, over), now)
    copied = sa.select(
        messages.c.number,
        sa.literal(row, journal.c.record.type),
        sa.literal(now, journal.c.at.type),
        messages.c.source,
        messages.c.entity,
        messages.c.source_id,
        sa.literal("superseded", journal.c.outcome.type),
        sa.literal(over, journal.c.reason.type),
        sa.literal("{}", journal.c.changes.type),
        sa.literal("", journal.c.map_version.type),
        messages.c.changed_at,
        messages.c.source,
        messages.c.actor,
        messages.c.correlation_id,
        sa.literal(0, journal.c.fence.type),
    ).where(messages.c.number == item.number)
    names = [
        "number", "record", "at", "source", "entity", "source_id", "outcome", "reason", "changes",
        "map_version", "changed_at", "origin", "actor", "correlation_id", "fence",
    ]  # fmt: skip
    connection.execute(sa.insert(journal).from_select(names, copied))
