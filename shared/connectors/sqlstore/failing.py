"""Failures as they are kept: on their item while they last, and as a group of one cause (E-14).

A group's size is never stored: it is the number of items that name the group and still fail, so it cannot
drift from what is true.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from shared.connectors.sqlstore.tables import failure_group
from shared.core.failure import group_of
from shared.core.verdict import Failing

_SEEN_AGAIN = sa.update(failure_group).where(failure_group.c.fingerprint == sa.bindparam("the_group"))
_SEEN_FIRST = sa.insert(failure_group)


def columns(failing: Failing, now: datetime) -> dict[str, Any]:
    """What an item keeps of its failure."""
    return {
        "is_failing": True,
        "first_failed_at": now,
        "last_failed_at": now,
        "kind": failing.kind,
        "code": failing.code.value,
        "answer": failing.answer,
        "rule": failing.rule,
        "request_id": failing.request_id,
        "far_side": failing.far_side or None,
        "table_name": failing.table,
        "field": failing.field,
        "group_key": group_of(failing),
    }


def note_group(connection: sa.Connection, failing: Failing, now: datetime, sender: str | None = None) -> str:
    """Make sure the failure's group exists, and name it; one of a `sender`, for what the gate refused.

    May raise IntegrityError when somebody else makes it, too.
    """
    fingerprint = group_of(failing, sender)
    again = connection.execute(_SEEN_AGAIN, {"the_group": fingerprint, "last_seen_at": now})
    if again.rowcount == 0:
        connection.execute(
            _SEEN_FIRST,
            {
                "fingerprint": fingerprint,
                "kind": failing.kind,
                "code": failing.code.value,
                "answer": failing.answer,
                "table_name": failing.table,
                "field": failing.field,
                "rule": failing.rule,
                "sender": sender,
                "first_seen_at": now,
                "last_seen_at": now,
                "tickets": 0,
            },
        )
    return fingerprint
