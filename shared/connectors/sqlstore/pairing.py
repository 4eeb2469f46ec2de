"""How a crosswalk entry becomes certain."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.tables import crosswalk
from shared.core.identity import RecordKey

RESERVED = "reserved"
PAIRED = "paired"
ABSORBED = "absorbed"
"""Another record of the same system speaks for the row; this one is found and does not speak."""

IS_KEY = sa.and_(
    crosswalk.c.system == sa.bindparam("the_system"),
    crosswalk.c.entity == sa.bindparam("the_entity"),
    crosswalk.c.legacy_id == sa.bindparam("the_id"),
)

ENTRY = sa.select(crosswalk.c.row_id, crosswalk.c.state).where(IS_KEY)

_PAIR = sa.update(crosswalk).where(IS_KEY)
NEW_ENTRY = sa.insert(crosswalk)


def key_parameters(key: RecordKey) -> dict[str, str]:
    """The parameters of `IS_KEY`."""
    return {"the_system": key.system, "the_entity": key.entity, "the_id": key.id}


def pair(connection: sa.Connection, key: RecordKey, row_id: UUID, now: datetime) -> bool:
    """Record that a legacy record is a row; False when that was known.

    May raise IntegrityError when somebody else records the key first: begin the transaction again.
    """
    entry = connection.execute(ENTRY, key_parameters(key)).one_or_none()
    columns = {"row_id": row_id, "state": PAIRED, "paired_at": now}
    if entry is None:
        names = {"system": key.system, "entity": key.entity, "legacy_id": key.id, "reserved_at": now}
        connection.execute(NEW_ENTRY, columns | names)
        return True
    if entry.state == PAIRED and entry.row_id == row_id:
        return False
    connection.execute(_PAIR, columns | key_parameters(key))
    return True
