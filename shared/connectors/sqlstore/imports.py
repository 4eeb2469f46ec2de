"""The workbooks that pending writes go into, and what is answered to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore import waiting
from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.pending import (
    ANSWERED,
    EMPTIED,
    OVER,
    QUEUED,
    SENT,
    UNDER_WAY,
    import_file,
    pending_write,
    posted_of,
)
from shared.connectors.sqlstore.sqltypes import word
from shared.connectors.sqlstore.tables import lane_item
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import dumps
from shared.core.pending import (
    Acknowledged,
    Answer,
    ImportFile,
    PendingWrite,
    acknowledgement_of,
)
from shared.core.ports import Clock, Report

FORMING, WRITTEN, ACKNOWLEDGED = "forming", "written", "acknowledged"
"""Where a workbook stands: its rows are settled, it lies in its place, it is answered."""

UNANSWERED = "row_unanswered"
"""Why a row is given up that one acknowledgement after the other leaves out."""

_MOST_TIMES = 3
_NEWEST = 10
"""How many workbooks people are shown."""

# Nobody waits for the writes of an item that a person has taken out of its lane.
_GIVEN_UP = (
    sa.select(pending_write.c.number, pending_write.c.system, pending_write.c.record)
    .join(lane_item, lane_item.c.number == pending_write.c.item)
    .where(
        pending_write.c.system == sa.bindparam("the_system"),
        pending_write.c.state == word("queued"),
        sa.or_(lane_item.c.state == word("done"), lane_item.c.state == word("aside")),
    )
)

_WAITING = (
    sa.select(pending_write.c.entity, sa.func.min(pending_write.c.queued_at).label("since"))
    .where(pending_write.c.system == sa.bindparam("the_system"), pending_write.c.state == word("queued"))
    .group_by(pending_write.c.entity)
    .order_by(pending_write.c.entity)
)

_NEXT = (
    sa.select(pending_write.c.number)
    .where(
        pending_write.c.system == sa.bindparam("the_system"),
        pending_write.c.state == word("queued"),
        pending_write.c.entity == sa.bindparam("the_entity"),
    )
    .order_by(pending_write.c.number)
)

_IS_FILE = import_file.c.number == sa.bindparam("the_file")
_IN_FILE = sa.and_(pending_write.c.file == sa.bindparam("the_file"), pending_write.c.state == word("sent"))
_ROWS = sa.select(pending_write).where(_IN_FILE).order_by(pending_write.c.number)
_FILES = (
    sa.select(import_file)
    .where(
        import_file.c.system == sa.bindparam("the_system"),
        import_file.c.state.in_([word(FORMING), word(WRITTEN)]),
    )
    .order_by(import_file.c.number)
)

_WRITTEN = (
    sa.update(import_file)
    .where(_IS_FILE)
    .values(times=import_file.c.times + sa.literal_column("1"), state=WRITTEN)
)

_ANSWER = sa.update(pending_write).where(
    pending_write.c.reference == sa.bindparam("the_reference"),
    pending_write.c.state.in_([word("queued"), word("sent")]),
)

_WHOSE = sa.select(pending_write.c.system, pending_write.c.record).where(
    pending_write.c.reference == sa.bindparam("the_reference")
)

_PENDING = (
    sa.select(
        pending_write.c.system,
        pending_write.c.entity,
        pending_write.c.state,
        sa.func.count().label("size"),
        sa.func.min(pending_write.c.queued_at).label("oldest"),
    )
    .where(UNDER_WAY)
    .group_by(pending_write.c.system, pending_write.c.entity, pending_write.c.state)
    .order_by(pending_write.c.system, pending_write.c.entity, pending_write.c.state)
)


@dataclass(frozen=True, slots=True)
class SqlImports:
    """`ImportQueue` on SQL."""

    database: Database
    clock: Clock

    async def waiting(self, system: str) -> Mapping[str, datetime]:
        """See `ImportQueue.waiting`."""
        now = self.clock.now()

        def work(connection: sa.Connection) -> Mapping[str, datetime]:
            for row in connection.execute(_GIVEN_UP, {"the_system": system}).all():
                _end(connection, row.number, now)
                _let_go(connection, row)
            found = connection.execute(_WAITING, {"the_system": system})
            return {row.entity: row.since for row in found}

        return await self.database.write(work)

    async def form(self, system: str, entity: str, stem: str, limit: int) -> ImportFile | None:
        """See `ImportQueue.form`."""
        return await self.database.write(partial(_form, system, entity, stem, limit, self.clock.now()))

    async def under_way(self, system: str) -> Sequence[ImportFile]:
        """See `ImportQueue.under_way`."""
        rows = await self.database.read(lambda c: c.execute(_FILES, {"the_system": system}).all())
        return [ImportFile(row.number, row.entity, row.name, row.written_at) for row in rows]

    async def rows(self, file: int) -> Sequence[tuple[UUID, PendingWrite]]:
        """See `ImportQueue.rows`."""
        rows = await self.database.read(lambda c: c.execute(_ROWS, {"the_file": file}).all())
        return [(row.reference, posted_of(row).write) for row in rows]

    async def written(self, file: int) -> None:
        """See `ImportQueue.written`."""
        parameters = {"the_file": file, "written_at": self.clock.now()}
        await self.database.write(lambda c: c.execute(_WRITTEN, parameters).rowcount)

    async def acknowledge(self, file: int, answers: Mapping[UUID, Acknowledged], note: str) -> Sequence[UUID]:
        """See `ImportQueue.acknowledge`. One transaction; the same acknowledgement again changes nothing."""
        return await self.database.write(partial(_acknowledge, file, answers, note, self.clock.now()))

    async def remark(self, file: int, note: str) -> None:
        """See `ImportQueue.remark`."""
        statement = sa.update(import_file).where(_IS_FILE)
        await self.database.write(lambda c: c.execute(statement, {"the_file": file, "note": note}).rowcount)

    async def report(self) -> Report:
        """See `ImportQueue.report`."""

        def work(connection: sa.Connection) -> Report:
            files = connection.execute(
                sa.select(import_file).order_by(import_file.c.number.desc()).limit(_NEWEST)
            ).all()
            return {
                "pending": [
                    {
                        "system": row.system,
                        "entity": row.entity,
                        "state": row.state,
                        "writes": row.size,
                        "since": shown.at(row.oldest),
                    }
                    for row in connection.execute(_PENDING)
                ],
                "files": [_shown(row) for row in files],
            }

        return await self.database.read(work)


def _form(
    system: str, entity: str, stem: str, limit: int, now: datetime, connection: sa.Connection
) -> ImportFile | None:
    wanted = {"the_system": system, "the_entity": entity}
    numbers = connection.execute(_NEXT.limit(limit), wanted).scalars().all()
    if not numbers:
        return None
    columns = {
        "system": system,
        "entity": entity,
        "name": stem,
        "state": FORMING,
        "size": len(numbers),
        "made_at": now,
        "times": 0,
        "note": "",
    }
    made = connection.execute(sa.insert(import_file), columns).inserted_primary_key
    number = int(made[0]) if made is not None else 0
    name = f"{stem}-{number}.xlsx"
    connection.execute(sa.update(import_file).where(import_file.c.number == number).values(name=name))
    connection.execute(
        sa.update(pending_write)
        .where(pending_write.c.number.in_(numbers))
        .values(state=SENT, file=number, times=pending_write.c.times + sa.literal_column("1"))
    )
    return ImportFile(number, entity, name)


def _acknowledge(
    file: int, answers: Mapping[UUID, Acknowledged], note: str, now: datetime, connection: sa.Connection
) -> Sequence[UUID]:
    names = {row.reference: row for row in connection.execute(_ROWS, {"the_file": file})}
    released: list[UUID] = []
    for reference, answered in answers.items():
        released += _answer(connection, reference, answered)
    for reference in names.keys() - answers.keys():
        if names[reference].times >= _MOST_TIMES:
            given_up = Acknowledged(Answer.REFUSED, now, code=UNANSWERED)
            released += _answer(connection, reference, given_up)
        else:
            connection.execute(
                sa.update(pending_write)
                .where(pending_write.c.reference == reference)
                .values(state=QUEUED, file=None)
            )
    missing = len(names.keys() - answers.keys())
    left_out = f"{missing} rows are not acknowledged" if missing else ""
    connection.execute(
        sa.update(import_file).where(_IS_FILE),
        {
            "the_file": file,
            "state": ACKNOWLEDGED,
            "acknowledged_at": now,
            "note": "; ".join(part for part in (left_out, note) if part),
        },
    )
    return released


def _answer(connection: sa.Connection, reference: UUID, answered: Acknowledged) -> Sequence[UUID]:
    """Keep an answer, once, and let the record's lane go on."""
    columns = {
        "the_reference": reference,
        "state": ANSWERED,
        "answer": answered.answer.value,
        "answered_at": answered.at,
        "answered_id": answered.id,
        "held": dumps(dict(answered.held)) if answered.held else None,
        "held_since": answered.changed_at,
        "code": answered.code or None,
        "field": answered.field,
    }
    if connection.execute(_ANSWER, columns).rowcount == 0:
        return ()
    row = connection.execute(_WHOSE, {"the_reference": reference}).one()
    return _let_go(connection, row)


def _let_go(connection: sa.Connection, write: "sa.Row[*tuple[Any, ...]]") -> Sequence[UUID]:
    """Let go of whoever waits for the acknowledgement of a write."""
    wanted = str(acknowledgement_of(write.system, write.record))
    return waiting.let_go(connection, wanted, wanted)


def _end(connection: sa.Connection, number: int, now: datetime) -> None:
    over: dict[str, Any] = {"state": OVER, "over_at": now, **EMPTIED}
    connection.execute(sa.update(pending_write).where(pending_write.c.number == number).values(**over))


def _shown(row: "sa.Row[Any]") -> Report:
    return {
        "system": row.system,
        "entity": row.entity,
        "name": row.name,
        "state": row.state,
        "rows": row.size,
        "made_at": shown.at(row.made_at),
        "written_at": shown.at(row.written_at),
        "acknowledged_at": shown.at(row.acknowledged_at),
        "times": row.times,
        "note": row.note,
    }
