"""Parked items that have waited too long: they count as failures, and stay parked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from shared.connectors.sqlstore import failing
from shared.connectors.sqlstore.sqltypes import ONE, word
from shared.connectors.sqlstore.tables import dependency, journal, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.core.codes import Code
from shared.core.identity import RecordKey
from shared.core.outcome import Outcome
from shared.core.pending import is_acknowledgement
from shared.core.ports import Clock
from shared.core.record_owner import is_owner
from shared.core.verdict import Failing

_IS_SILENT = sa.and_(
    lane_item.c.state == word("parked"),
    lane_item.c.state != word("done"),  # said for the index, which is filtered by it
    lane_item.c.is_failing != ONE,
)

_OLD = (
    sa.select(
        dependency.c.number,
        dependency.c.wanted,
        dependency.c.record,
        messages.c.source,
        messages.c.entity,
        messages.c.source_id,
        messages.c.changed_at,
        messages.c.actor,
        messages.c.correlation_id,
    )
    .join(lane_item, lane_item.c.number == dependency.c.number)
    .join(messages, messages.c.number == dependency.c.number)
    .where(_IS_SILENT, dependency.c.since < sa.bindparam("before"))
    .order_by(dependency.c.number)
)

_ALARM = sa.update(lane_item).where(lane_item.c.number == sa.bindparam("the_number"), _IS_SILENT)
_TELL = sa.update(messages).where(messages.c.number == sa.bindparam("the_number"))
_NOTE = sa.insert(journal).inline()


@dataclass(frozen=True, slots=True)
class SqlWaits:
    """`Waits` on SQL."""

    database: Database
    clock: Clock

    async def overdue(self, longest: timedelta, limit: int) -> int:
        """See `Waits.overdue`. One transaction; a wait that ends meanwhile is left alone."""
        return await self.database.write(partial(_overdue, self.clock.now(), longest, limit))


def _overdue(now: datetime, longest: timedelta, limit: int, connection: sa.Connection) -> int:
    found = connection.execute(_OLD.limit(limit), {"before": now - longest}).all()
    return sum(_alarm(connection, row, now) for row in found)


def _alarm(connection: sa.Connection, row: sa.Row[*tuple[Any, ...]], now: datetime) -> bool:
    cause = _cause(row)
    columns = failing.columns(cause, now)
    if connection.execute(_ALARM, columns | {"the_number": row.number}).rowcount == 0:
        return False
    reason = f"{cause.code}: {cause.rule}"
    connection.execute(_TELL, {"the_number": row.number, "outcome": Outcome.FAILED.value, "reason": reason})
    connection.execute(
        _NOTE,
        {
            "number": row.number,
            "record": row.record,
            "at": now,
            "source": row.source,
            "entity": row.entity,
            "source_id": row.source_id,
            "outcome": Outcome.FAILED.value,
            "reason": f"{reason}; waits for {row.wanted}",
            "changes": "{}",
            "map_version": "",
            "changed_at": row.changed_at,
            "origin": row.source,
            "actor": row.actor,
            "correlation_id": row.correlation_id,
            "fence": 0,
        },
    )
    failing.note_group(connection, cause, now)
    return True


def _cause(row: sa.Row[*tuple[Any, ...]]) -> Failing:
    """Grouped by what waits and what kind of record it waits for, not by the one record."""
    key = RecordKey.parse(row.wanted)
    if is_owner(key):
        return Failing(
            kind="OwnerUnmatched",
            code=Code.OWNER_UNMATCHED,
            rule="an owner who is one enabled user",
            table=row.entity or "",
            field="(owner)",
        )
    if key is not None and is_acknowledgement(key):
        return Failing(
            kind="NeverAcknowledged",
            code=Code.IMPORT_UNANSWERED,
            rule=f"{key.system} to acknowledge what is handed to it",
            table=row.entity or "",
            field="(import)",
            far_side=key.system,
        )
    kind = f"{key.system}:{key.entity}" if key else "a row of Dataverse"
    return Failing(
        kind="NeverCame",
        code=Code.NEVER_CAME,
        rule=f"{kind} to arrive before what hangs from it",
        table=row.entity or "",
        field="(link)",
    )
