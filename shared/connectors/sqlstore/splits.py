"""A record that gets a row of its own again: written in the transaction of its old row's lane (ADR 0031)."""

from datetime import datetime

import sqlalchemy as sa

from shared.connectors.sqlstore import cases, heirs
from shared.connectors.sqlstore.pairing import IS_KEY, PAIRED, key_parameters
from shared.connectors.sqlstore.sqltypes import ONE
from shared.connectors.sqlstore.tables import absorbed_row, crosswalk, journal, lane, shadow
from shared.connectors.sqlstore.values import changes_text, shadow_text
from shared.core.ports import LeaseLost
from shared.core.verdict import LaneItem, Split

_GIVE_BACK = (
    sa.update(lane)
    .where(lane.c.record == sa.bindparam("the_record"), lane.c.fence == sa.bindparam("the_fence"))
    .values(version=lane.c.version + ONE, owner=None, lease_until=None)
)


def split(connection: sa.Connection, item: LaneItem, found: Split, map_version: str, now: datetime) -> None:
    """Point a record at its own row, with what is agreed of it; raises LeaseLost when its lane was lost."""
    giving = {"the_record": found.row, "the_fence": found.lease.fence}
    if connection.execute(_GIVE_BACK, giving).rowcount == 0:
        raise LeaseLost
    entry = sa.update(crosswalk).where(IS_KEY)
    paired = {"row_id": found.row, "state": PAIRED, "paired_at": now}
    connection.execute(entry, paired | key_parameters(found.key))
    connection.execute(sa.delete(absorbed_row).where(absorbed_row.c.row_id == found.row))
    kept = {
        "document": shadow_text(found.shadow),
        "deleted_at": None,
        "fence": found.lease.fence,
        "saved_at": now,
    }
    known = sa.update(shadow).where(shadow.c.record == sa.bindparam("the_record"))
    if connection.execute(known, kept | {"the_record": found.row}).rowcount == 0:
        connection.execute(sa.insert(shadow), kept | {"record": found.row})
    heirs.move_own(connection, found.key, item.record, found.row)
    _tell(connection, item, found, map_version, now)
    cases.keep_apart(connection, (item.record, found.row), now)


def _tell(connection: sa.Connection, item: LaneItem, found: Split, map_version: str, now: datetime) -> None:
    """The journal line of the record's own row: everything it holds, as it came to hold it."""
    connection.execute(
        sa.insert(journal).inline(),
        {
            "number": item.number,
            "record": found.row,
            "at": now,
            "source": found.key.system,
            "entity": found.key.entity,
            "source_id": found.key.id,
            "outcome": "applied",
            "reason": f"it has a row of its own again, apart from {item.record}",
            "changes": changes_text(found.changes),
            "map_version": map_version,
            "changed_at": now,
            "origin": found.key.system,
            "actor": None,
            "correlation_id": None,
            "fence": 0,
        },
    )
