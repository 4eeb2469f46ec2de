"""What the gap detector keeps: suspects, what it healed, and how each of its runs went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.heads import OPEN
from shared.connectors.sqlstore.messages import stored_id
from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.sqltypes import Instant, Key, Number, word
from shared.connectors.sqlstore.tables import METADATA, crosswalk, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.core.change import Operation
from shared.core.gap import Suspect
from shared.core.identity import RecordKey
from shared.core.ports import Clock, Report

gap = sa.Table(
    "gap",
    METADATA,
    sa.Column("message_id", Key(128), primary_key=True),
    sa.Column("source", Key(64), nullable=False),
    sa.Column("entity", Key(128), nullable=False),
    sa.Column("source_id", Key(128), nullable=False),
    sa.Column("operation", Key(16), nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("known_at", Instant, nullable=False),
    sa.Column("version", Number, nullable=False),
    sa.Column("noticed_at", Instant, nullable=False),
    # Set once its message was sent.
    sa.Column("healed_at", Instant),
    sa.Index(None, "source", "entity", "noticed_at"),
)

gap_run = sa.Table(
    "gap_run",
    METADATA,
    sa.Column("name", Key(128), primary_key=True),
    sa.Column("ended_at", Instant, nullable=False),
    sa.Column("compared", Number, nullable=False),
    sa.Column("noticed", Number, nullable=False),
    sa.Column("healed", Number, nullable=False),
    # Whether the side was seen from one end to the other.
    sa.Column("is_whole", sa.Boolean, nullable=False),
    # The code of what stopped the run before its end.
    sa.Column("stopped_by", Key(64)),
)

_NEWEST = 50
"""How many healed gaps are told."""

_DUE = (
    sa.select(gap)
    .where(
        gap.c.source == sa.bindparam("the_source"),
        gap.c.entity == sa.bindparam("the_entity"),
        gap.c.healed_at.is_(None),
        gap.c.noticed_at <= sa.bindparam("before"),
    )
    .order_by(gap.c.noticed_at, gap.c.message_id)
)

_AWAITED = (
    sa.select(lane_item.c.number).where(lane_item.c.record == sa.bindparam("the_record"), OPEN).limit(1)
)
_NOTED = sa.select(gap.c.message_id).where(gap.c.message_id == sa.bindparam("the_id"))
_HEALED = (
    sa.update(gap).where(gap.c.message_id == sa.bindparam("the_id")).values(healed_at=sa.bindparam("now"))
)
_FORGET = sa.delete(gap).where(gap.c.message_id == sa.bindparam("the_id"), gap.c.healed_at.is_(None))

_PAIRED = (
    sa.select(crosswalk.c.legacy_id, crosswalk.c.row_id)
    .where(
        crosswalk.c.system == sa.bindparam("the_source"),
        crosswalk.c.entity == sa.bindparam("the_entity"),
        crosswalk.c.state == word("paired"),
        crosswalk.c.legacy_id > sa.bindparam("after"),
    )
    .order_by(crosswalk.c.legacy_id)
    .limit(1000)
)

_OPEN = (
    sa.select(
        gap.c.source,
        gap.c.entity,
        sa.func.count().label("size"),
        sa.func.min(gap.c.noticed_at).label("since"),
    )
    .where(gap.c.healed_at.is_(None))
    .group_by(gap.c.source, gap.c.entity)
    .order_by(gap.c.source, gap.c.entity)
)

_LAST_HEALED = (
    sa.select(gap)
    .where(gap.c.healed_at.is_not(None))
    .order_by(gap.c.healed_at.desc(), gap.c.message_id)
    .limit(_NEWEST)
)


@dataclass(frozen=True, slots=True)
class SqlGaps:
    """Keeps suspects on SQL."""

    database: Database
    clock: Clock

    async def notice(self, found: Suspect) -> bool:
        """Remember a suspect from now on; False when it is known already, or healed."""
        now = self.clock.now()

        def work(connection: sa.Connection) -> bool:
            key = stored_id(found.message_id)
            if connection.execute(_NOTED, {"the_id": key}).first() is not None:
                return False
            subject = found.subject
            connection.execute(
                sa.insert(gap),
                {
                    "message_id": key,
                    "source": subject.system,
                    "entity": subject.entity,
                    "source_id": subject.id,
                    "operation": found.operation.value,
                    "changed_at": found.changed_at,
                    "known_at": found.known_at,
                    "version": found.version,
                    "noticed_at": now,
                },
            )
            return True

        return await self.database.write(work)

    async def due(self, system: str, entity: str, before: datetime) -> Sequence[Suspect]:
        """Suspects noticed before an instant, the oldest first."""
        wanted = {"the_source": system, "the_entity": entity, "before": before}
        rows = await self.database.read(lambda c: c.execute(_DUE, wanted).all())
        return [
            Suspect(
                RecordKey(row.source, row.entity, row.source_id),
                Operation(row.operation),
                row.changed_at,
                row.known_at,
                row.version,
            )
            for row in rows
        ]

    async def heard(self, found: Suspect) -> bool:
        """Whether some message told of it: one of that moment or later, whatever became of it."""
        later = messages.c.changed_at >= found.known_at
        if found.operation is Operation.DELETE:
            ends = (Operation.DELETE.value, Operation.ABSORB.value)
            later = sa.and_(later, messages.c.operation.in_(ends))
        elif found.version:
            later = sa.or_(messages.c.version >= found.version, sa.and_(messages.c.version == 0, later))
        statement = sa.select(messages.c.number).where(
            messages.c.source == found.subject.system,
            messages.c.entity == found.subject.entity,
            messages.c.source_id == found.subject.id,
            later,
        )
        return await self.database.read(lambda c: c.execute(statement.limit(1)).first()) is not None

    async def awaited(self, record: UUID) -> bool:
        """Whether something that was told of a row waits to be decided."""
        return (
            await self.database.read(lambda c: c.execute(_AWAITED, {"the_record": record}).first())
            is not None
        )

    async def heal(self, found: Suspect) -> None:
        """Its message was sent."""
        healed = {"the_id": stored_id(found.message_id), "now": self.clock.now()}
        await self.database.write(lambda c: c.execute(_HEALED, healed).rowcount)

    async def forget(self, found: Suspect) -> None:
        """It was none, or it is no longer what it was."""
        await self.database.write(
            lambda c: c.execute(_FORGET, {"the_id": stored_id(found.message_id)}).rowcount
        )

    async def paired(self, system: str, entity: str, after: str) -> Sequence[tuple[str, UUID]]:
        """The next paired records by id, with their rows."""
        wanted = {"the_source": system, "the_entity": entity, "after": after}
        rows = await self.database.read(lambda c: c.execute(_PAIRED, wanted).all())
        return [(row.legacy_id, row.row_id) for row in rows]

    async def ran(
        self, name: str, counts: tuple[int, int, int], *, whole: bool, stopped_by: str | None = None
    ) -> None:
        """Remember how a run went: how many were compared, noticed and healed."""
        compared, noticed, healed = counts
        columns = {
            "ended_at": self.clock.now(),
            "compared": compared,
            "noticed": noticed,
            "healed": healed,
            "is_whole": whole,
            "stopped_by": stopped_by,
        }

        def work(connection: sa.Connection) -> None:
            known = sa.update(gap_run).where(gap_run.c.name == sa.bindparam("the_name"))
            if connection.execute(known, columns | {"the_name": name}).rowcount == 0:
                connection.execute(sa.insert(gap_run), columns | {"name": name})

        await self.database.write(work)

    async def told(self) -> Report:
        """The last run per table and entity, open suspects, and what was healed last."""

        def work(connection: sa.Connection) -> Report:
            runs = connection.execute(sa.select(gap_run).order_by(gap_run.c.name)).all()
            return {
                "runs": [
                    {
                        "name": row.name,
                        "ended_at": shown.at(row.ended_at),
                        "compared": row.compared,
                        "noticed": row.noticed,
                        "healed": row.healed,
                        "whole": row.is_whole,
                        "stopped_by": row.stopped_by,
                    }
                    for row in runs
                ],
                "open": [
                    {
                        "source": row.source,
                        "entity": row.entity,
                        "count": row.size,
                        "since": shown.at(row.since),
                    }
                    for row in connection.execute(_OPEN)
                ],
                "healed": [
                    {
                        "message_id": row.message_id,
                        "subject": shown.subject(row),
                        "operation": row.operation,
                        "changed_at": shown.at(row.changed_at),
                        "noticed_at": shown.at(row.noticed_at),
                        "healed_at": shown.at(row.healed_at),
                    }
                    for row in connection.execute(_LAST_HEALED)
                ],
            }

        return await self.database.read(work)
