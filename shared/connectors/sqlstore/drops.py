"""What is kept of export drops: the drops, their modules, what is kept out, and the last accepted snapshot.

Of a record only the hash of what it said is kept, never its content. Findings name fields and rules alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.sqltypes import ONE, Bytes, Document, Instant, Key, Number
from shared.connectors.sqlstore.tables import METADATA
from shared.connectors.sqlstore.transactions import Database
from shared.core.drop import Accepted, DropState, Known, ModuleState, Seen, Tally
from shared.core.ports import Clock, Report
from shared.core.reading.codes import RULES

export_drop = sa.Table(
    "export_drop",
    METADATA,
    sa.Column("number", Number, sa.Identity(), primary_key=True),
    sa.Column("system", Key(64), nullable=False),
    sa.Column("name", Key(256), nullable=False),
    # Changes when any file of it does; a drop that was put right is a drop of its own.
    sa.Column("print", Key(64), nullable=False),
    sa.Column("state", Key(16), nullable=False),
    sa.Column("reason", Document, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("exported_at", Instant),
    sa.Column("marked_at", Instant, nullable=False),
    sa.UniqueConstraint("system", "name", "print"),
    sqlite_autoincrement=True,
)

drop_module = sa.Table(
    "drop_module",
    METADATA,
    sa.Column("number", Number, sa.ForeignKey("export_drop.number"), primary_key=True, autoincrement=False),
    sa.Column("entity", Key(128), primary_key=True),
    sa.Column("state", Key(16), nullable=False),
    sa.Column("listed", Number),
    sa.Column("found", Number, nullable=False),
    sa.Column("created", Number, nullable=False),
    sa.Column("updated", Number, nullable=False),
    sa.Column("deleted", Number, nullable=False),
    sa.Column("unchanged", Number, nullable=False),
    sa.Column("kept_out", Number, nullable=False),
    # How many records were missing when that was too many to believe.
    sa.Column("doubted", Number, nullable=False),
    sa.Column("note", Document, nullable=False),
)

# What is kept out as of the last reading of each module.
drop_finding = sa.Table(
    "drop_finding",
    METADATA,
    sa.Column("id", Number, sa.Identity(), primary_key=True),
    sa.Column("number", Number, sa.ForeignKey("export_drop.number"), nullable=False),
    sa.Column("system", Key(64), nullable=False),
    sa.Column("entity", Key(128), nullable=False),
    sa.Column("file", Document, nullable=False),
    sa.Column("record", Document),
    sa.Column("field", Document),
    sa.Column("code", Key(64), nullable=False),
    sa.Column("severity", Key(16), nullable=False),
    sa.Column("detail", Document, nullable=False),
    sa.Index(None, "system", "entity"),
    sqlite_autoincrement=True,
)

snapshot_record = sa.Table(
    "snapshot_record",
    METADATA,
    sa.Column("system", Key(64), primary_key=True),
    sa.Column("entity", Key(128), primary_key=True),
    sa.Column("record", Key(128), primary_key=True),
    sa.Column("content", Bytes(32), nullable=False),
    # How many changes of the record were told.
    sa.Column("version", Number, nullable=False),
    sa.Column("is_present", sa.Boolean, nullable=False),
    # The newest drop that held it.
    sa.Column("seen", Number, nullable=False),
    sa.Index(None, "system", "entity", "seen"),
)

_NEWEST = 10
"""How many drops people are shown."""

_MOST = 200
"""How many findings are told at once."""

_OF_ENTITY = sa.and_(
    snapshot_record.c.system == sa.bindparam("the_system"),
    snapshot_record.c.entity == sa.bindparam("the_entity"),
)
_IS_RECORD = sa.and_(_OF_ENTITY, snapshot_record.c.record == sa.bindparam("the_record"))
_ACCEPTED = sa.select(snapshot_record).where(
    _OF_ENTITY, snapshot_record.c.record.in_(sa.bindparam("ids", expanding=True))
)
_SEEN = sa.update(snapshot_record).where(_IS_RECORD).values(seen=sa.bindparam("the_drop"))
_CHANGED = (
    sa.update(snapshot_record)
    .where(_IS_RECORD)
    .values(
        content=sa.bindparam("the_content"),
        version=sa.bindparam("the_version"),
        is_present=sa.bindparam("present"),
    )
)
_ABSENT = (
    sa.select(snapshot_record)
    .where(_OF_ENTITY, snapshot_record.c.is_present, snapshot_record.c.seen < sa.bindparam("the_drop"))
    .order_by(snapshot_record.c.record)
)
_PRESENT = sa.select(
    sa.func.count().label("present"),
    sa.func.sum(sa.case((snapshot_record.c.seen < sa.bindparam("the_drop"), ONE), else_=0)).label("missing"),
).where(_OF_ENTITY, snapshot_record.c.is_present)
_DOUBTED = (
    sa.select(drop_module.c.doubted)
    .join(export_drop, export_drop.c.number == drop_module.c.number)
    .where(
        export_drop.c.system == sa.bindparam("the_system"),
        drop_module.c.entity == sa.bindparam("the_entity"),
        drop_module.c.number < sa.bindparam("the_drop"),
    )
    .order_by(drop_module.c.number.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class SqlSnapshots:
    """`Snapshots` on SQL."""

    database: Database
    clock: Clock

    async def note(self, system: str, seen: Seen) -> Known:
        """See `Snapshots.note`; what the same folder looked like before, unread, is forgotten."""
        now = self.clock.now()

        def work(connection: sa.Connection) -> Known:
            here = (export_drop.c.system == system, export_drop.c.name == seen.name)
            row = connection.execute(
                sa.select(export_drop).where(*here, export_drop.c.print == seen.print)
            ).first()
            if row is not None:
                return Known(row.number, row.seen_at, DropState(row.state))
            unread = export_drop.c.state.in_([DropState.SETTLING.value, DropState.INCOMPLETE.value])
            connection.execute(sa.delete(export_drop).where(*here, unread))
            columns = {
                "system": system,
                "name": seen.name,
                "print": seen.print,
                "state": DropState.SETTLING.value,
                "reason": "",
                "seen_at": now,
                "marked_at": now,
            }
            made = connection.execute(sa.insert(export_drop), columns).inserted_primary_key
            number = int(made[0]) if made is not None else 0
            return Known(number, now, DropState.SETTLING)

        return await self.database.write(work)

    async def mark(
        self, number: int, state: DropState, reason: str = "", exported_at: datetime | None = None
    ) -> None:
        """See `Snapshots.mark`."""
        columns = {
            "state": state.value,
            "reason": reason,
            "exported_at": exported_at,
            "marked_at": self.clock.now(),
        }
        statement = sa.update(export_drop).where(export_drop.c.number == number)
        await self.database.write(lambda c: c.execute(statement, columns).rowcount)

    async def accepted(self, system: str, entity: str, ids: Sequence[str]) -> Mapping[str, Accepted]:
        """See `Snapshots.accepted`."""
        wanted = {"the_system": system, "the_entity": entity, "ids": list(ids)}
        rows = await self.database.read(lambda c: c.execute(_ACCEPTED, wanted).all())
        return {row.record: _accepted(row) for row in rows}

    async def accept(
        self, system: str, entity: str, drop: int, records: Sequence[Accepted], seen: Sequence[str]
    ) -> None:
        """See `Snapshots.accept`."""
        key = {"the_system": system, "the_entity": entity}

        def work(connection: sa.Connection) -> None:
            for record in records:
                parameters = {
                    **key,
                    "the_record": record.id,
                    "the_content": record.content,
                    "the_version": record.version,
                    "present": record.is_present,
                }
                if connection.execute(_CHANGED, parameters).rowcount == 0:
                    connection.execute(
                        sa.insert(snapshot_record),
                        {
                            "system": system,
                            "entity": entity,
                            "record": record.id,
                            "content": record.content,
                            "version": record.version,
                            "is_present": record.is_present,
                            "seen": drop,
                        },
                    )
            if seen:
                connection.execute(_SEEN, [{**key, "the_record": id_, "the_drop": drop} for id_ in seen])

        await self.database.write(work)

    async def absent(self, system: str, entity: str, drop: int, limit: int) -> Sequence[Accepted]:
        """See `Snapshots.absent`."""
        wanted = {"the_system": system, "the_entity": entity, "the_drop": drop}
        rows = await self.database.read(lambda c: c.execute(_ABSENT.limit(limit), wanted).all())
        return [_accepted(row) for row in rows]

    async def present(self, system: str, entity: str, drop: int) -> tuple[int, int]:
        """See `Snapshots.present`."""
        wanted = {"the_system": system, "the_entity": entity, "the_drop": drop}
        row = await self.database.read(lambda c: c.execute(_PRESENT, wanted).one())
        return int(row.present), int(row.missing or 0)

    async def was_doubted(self, system: str, entity: str, drop: int) -> bool:
        """See `Snapshots.was_doubted`."""
        wanted = {"the_system": system, "the_entity": entity, "the_drop": drop}
        row = await self.database.read(lambda c: c.execute(_DOUBTED, wanted).first())
        return row is not None and row.doubted > 0

    async def told_of(self, number: int, entity: str, state: ModuleState, tally: Tally) -> None:
        """See `Snapshots.told_of`."""
        columns = {
            "state": state.value,
            "listed": tally.listed,
            "found": tally.found,
            "created": tally.created,
            "updated": tally.updated,
            "deleted": tally.deleted,
            "unchanged": tally.unchanged,
            "kept_out": tally.kept_out,
            "doubted": tally.doubted,
            "note": tally.note,
        }

        def work(connection: sa.Connection) -> None:
            known = sa.update(drop_module).where(
                drop_module.c.number == number, drop_module.c.entity == entity
            )
            if connection.execute(known, columns).rowcount == 0:
                connection.execute(sa.insert(drop_module), {**columns, "number": number, "entity": entity})
            if state is not ModuleState.READING:
                _keep_findings(connection, number, entity, tally)

        await self.database.write(work)

    async def report(self, after: int = 0) -> Report:
        """See `Snapshots.report`."""

        def work(connection: sa.Connection) -> Report:
            drops = connection.execute(
                sa.select(export_drop).order_by(export_drop.c.number.desc()).limit(_NEWEST)
            ).all()
            modules = connection.execute(
                sa.select(drop_module)
                .where(drop_module.c.number.in_([row.number for row in drops]))
                .order_by(drop_module.c.number, drop_module.c.entity)
            ).all()
            return {
                "drops": [
                    {
                        "system": row.system,
                        "name": row.name or ".",
                        "state": row.state,
                        "reason": row.reason,
                        "exported_at": shown.at(row.exported_at),
                        "seen_at": shown.at(row.seen_at),
                        "marked_at": shown.at(row.marked_at),
                        "modules": [_module(module) for module in modules if module.number == row.number],
                    }
                    for row in drops
                ],
                **_kept_out(connection, after),
            }

        return await self.database.read(work)


def _kept_out(connection: sa.Connection, after: int) -> Report:
    """A page of what is kept out, behind finding `after`; of all that is, how much by finding."""
    behind = drop_finding.c.id > after
    page = connection.execute(
        sa.select(drop_finding).where(behind).order_by(drop_finding.c.id).limit(_MOST)
    ).all()
    left = sa.select(sa.func.count()).select_from(drop_finding).where(behind)
    by_finding = sa.select(drop_finding.c.code, sa.func.count()).group_by(drop_finding.c.code)
    return {
        "kept_out": [
            {
                "number": row.id,
                "system": row.system,
                "entity": row.entity,
                "file": row.file,
                "record": row.record,
                "field": row.field,
                "finding": row.code,
                "severity": row.severity,
                "detail": row.detail,
            }
            for row in page
        ],
        "findings": {code: int(count) for code, count in connection.execute(by_finding).all()},
        "more": int(connection.execute(left).scalar_one()) - len(page),
    }


def _accepted(row: "sa.Row[tuple[object, ...]]") -> Accepted:
    return Accepted(row.record, bytes(row.content), row.version, is_present=row.is_present)


def _keep_findings(connection: sa.Connection, number: int, entity: str, tally: Tally) -> None:
    """Keep what is kept out now, in the place of what was kept out before."""
    system = sa.select(export_drop.c.system).where(export_drop.c.number == number)
    name = connection.execute(system).scalar_one()
    connection.execute(
        sa.delete(drop_finding).where(drop_finding.c.system == name, drop_finding.c.entity == entity)
    )
    if tally.findings:
        connection.execute(
            sa.insert(drop_finding),
            [
                {
                    "number": number,
                    "system": name,
                    "entity": entity,
                    "file": finding.file,
                    "record": None if finding.record is None else str(finding.record),
                    "field": finding.remark.field,
                    "code": finding.code.value,
                    "severity": finding.severity.value,
                    "detail": finding.remark.detail or RULES[finding.code].meaning,
                }
                for finding in tally.findings
            ],
        )


def _module(row: "sa.Row[tuple[object, ...]]") -> Report:
    return {
        "entity": row.entity,
        "state": row.state,
        "listed": row.listed,
        "found": row.found,
        "created": row.created,
        "updated": row.updated,
        "deleted": row.deleted,
        "unchanged": row.unchanged,
        "kept_out": row.kept_out,
        "note": row.note,
    }
