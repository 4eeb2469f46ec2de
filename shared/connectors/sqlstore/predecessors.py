"""Gaps: a change whose predecessor has not arrived, in a source that counts each record's changes by one."""

from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.sqltypes import ONE, word
from shared.connectors.sqlstore.tables import lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.core.change import Change

_FIRST_VERSION = 1

_HERE = sa.select(ONE).where(
    sa.exists().where(
        messages.c.record == sa.bindparam("the_record"),
        messages.c.source == sa.bindparam("the_source"),
        messages.c.version == sa.bindparam("the_version"),
    )
)

_SAME_SOURCE = (
    sa.select(messages.c.number)
    .where(
        messages.c.record == sa.bindparam("the_record"),
        messages.c.source == sa.bindparam("the_source"),
        messages.c.version == sa.bindparam("the_version"),
    )
    .scalar_subquery()
)

_GO_ON = (
    sa.update(lane_item)
    .where(
        lane_item.c.number.in_(_SAME_SOURCE),
        lane_item.c.state == word("waiting"),
        lane_item.c.waits_on == sa.bindparam("the_missed"),
    )
    .values(due_at=None, waits_on=None)
)


def before(connection: sa.Connection, record: UUID, change: Change) -> str | None:
    """What is missing before a change, in words; None when its predecessor is here or there is none."""
    if change.version <= _FIRST_VERSION:
        return None
    missing = {"the_version": change.version - 1, "the_source": change.subject.system, "the_record": record}
    return None if connection.execute(_HERE, missing).first() else _named(change.version - 1)


def closed_by(connection: sa.Connection, record: UUID, change: Change) -> None:
    """Let the change go on that waited for this one; its own settle window has passed by its waiting."""
    connection.execute(
        _GO_ON,
        {
            "the_record": record,
            "the_source": change.subject.system,
            "the_version": change.version + 1,
            "the_missed": _named(change.version),
        },
    )


def _named(version: int) -> str:
    return f"version {version}"
