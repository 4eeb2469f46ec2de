"""Rings: records that wait for each other, so that none of them could ever go on.

Every parked item waits for one key. Whoever parks follows these waits from the key it wants; when they lead
back to its own record, its wait would close a ring. The last one to park sees the whole ring.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.pairing import IS_KEY, key_parameters
from shared.connectors.sqlstore.tables import crosswalk, dependency
from shared.core.identity import RecordKey

_LONGEST = 1000
"""Waits followed from one item; a longer ring stays parked, and its age raises the alarm."""

# Two that park at the same moment have both written what they want before they look: one waits for the other
# here, or both are told to begin again.
_LOCKING = "WITH (READCOMMITTEDLOCK)"

_WAITS_OF_KEY = (
    sa.select(crosswalk.c.row_id, dependency.c.wanted)
    .with_hint(dependency, _LOCKING, "mssql")
    .select_from(crosswalk.outerjoin(dependency, dependency.c.record == crosswalk.c.row_id))
    .where(IS_KEY)
)

_WAITS_OF_ROW = (
    sa.select(dependency.c.record.label("row_id"), dependency.c.wanted)
    .with_hint(dependency, _LOCKING, "mssql")
    .where(dependency.c.record == sa.bindparam("the_row"))
)


def closes(connection: sa.Connection, record: UUID, wanted: str) -> bool:
    """Whether what is wanted (a key, or a row's GUID) waits for `record`, by however many others."""
    followed: set[str] = set()
    ahead = [wanted]
    while ahead and len(followed) < _LONGEST:
        text = ahead.pop()
        if text in followed:
            continue
        followed.add(text)
        if text == str(record):
            return True
        for row in _waits_of(connection, text):
            if row.row_id == record:
                return True
            if row.wanted is not None:
                ahead.append(row.wanted)
    return False


def _waits_of(connection: sa.Connection, text: str) -> list[sa.Row[*tuple[Any, ...]]]:
    """The record a text means, with what it is parked on."""
    key = RecordKey.parse(text)
    if key is None:
        return list(connection.execute(_WAITS_OF_ROW, {"the_row": UUID(text)}))
    return list(connection.execute(_WAITS_OF_KEY, key_parameters(key)))
