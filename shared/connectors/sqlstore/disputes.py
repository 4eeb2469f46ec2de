"""Conflicts that wait for a person: opened, kept true and ended in the transaction of a change.

One at a time is open per record and column. `decided` means that a person has spoken and the record's lane
has yet to carry it out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.operations.audit import Deed, note
from shared.connectors.sqlstore.sqltypes import Document, Instant, Key, Number, word
from shared.connectors.sqlstore.tables import METADATA, crosswalk
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import dumps, tagged, value_of
from shared.core.conflict import NotOpen, Settlement, Told
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Value
from shared.core.page import Page
from shared.core.ports import Clock, Report
from shared.core.verdict import Collision

OPEN = "open"
DECIDED = "decided"
OVER = "over"

_IS_NOT_OVER = sa.text("state <> 'over'")

dispute = sa.Table(
    "dispute",
    METADATA,
    sa.Column("id", Number, sa.Identity(), primary_key=True),
    sa.Column("record", sa.Uuid, nullable=False),
    sa.Column("column_name", Key(128), nullable=False),
    sa.Column("state", Key(16), nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("base", Document, nullable=False),
    sa.Column("inbound", Document, nullable=False),
    sa.Column("outbound", Document, nullable=False),
    # What was decided, and what the person saw both sides hold.
    sa.Column("value", Document),
    sa.Column("seen_inbound", Document),
    sa.Column("seen_outbound", Document),
    sa.Column("decided_by", Document),
    sa.Column("decided_at", Instant),
    sa.Column("reason", Document),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("ended", Document),
    sa.Column("over_at", Instant),
    # The id of the message that carries the decision to the lane; nobody can know it beforehand.
    sa.Column("told_as", Key(128)),
    sa.Index(
        "uq_dispute_open",
        "record",
        "column_name",
        unique=True,
        mssql_where=_IS_NOT_OVER,
        sqlite_where=_IS_NOT_OVER,
    ),
    sqlite_autoincrement=True,
)

_IS_OPEN = sa.and_(
    dispute.c.record == sa.bindparam("the_record"),
    dispute.c.column_name == sa.bindparam("the_column"),
    dispute.c.state != word(OVER),
)
_AGAIN = sa.update(dispute).where(_IS_OPEN)
_FIRST = sa.insert(dispute).inline()
_END = sa.update(dispute).where(_IS_OPEN)


def open_again(connection: sa.Connection, record: UUID, collision: Collision, now: datetime) -> None:
    """Open a conflict, or tell what both sides hold by now in one that is open; a decision is asked anew."""
    told = {
        "state": OPEN,
        "changed_at": now,
        "inbound": dumps(tagged(collision.inbound)),
        "outbound": dumps(tagged(collision.outbound)),
    }
    which = {"the_record": record, "the_column": collision.column}
    if connection.execute(_AGAIN, told | which).rowcount == 0:
        fresh = {
            "record": record,
            "column_name": collision.column,
            "opened_at": now,
            "base": dumps(tagged(collision.base)),
            "tries": 0,
        }
        connection.execute(_FIRST, told | fresh)


def follow(
    connection: sa.Connection,
    record: UUID,
    collisions: Iterable[Collision],
    ended: Mapping[str, str],
    now: datetime,
) -> None:
    """What a verdict means for the open conflicts of its record."""
    for collision in collisions:
        if collision.is_open:
            open_again(connection, record, collision, now)
    if ended:
        end(connection, record, ended, now)


def end(connection: sa.Connection, record: UUID, ended: Mapping[str, str], now: datetime) -> None:
    """End the open conflicts of some columns, each for its reason."""
    for column, how in ended.items():
        told = {"state": OVER, "ended": how, "over_at": now}
        connection.execute(_END, told | {"the_record": record, "the_column": column})


def to_decide(connection: sa.Connection) -> int:
    """How many conflicts wait for a person."""
    wanted = sa.select(sa.func.count()).where(dispute.c.state == word(OPEN))
    return int(connection.execute(wanted).scalar_one())


@dataclass(frozen=True, slots=True)
class Decision:
    """A conflict as a person is asked about it: the record, its keys, the column, and what both sides hold.

    Where several records are the row, `key` is the first one's, and the value may be of any of `systems`.
    """

    number: int
    record: UUID
    key: RecordKey
    systems: frozenset[str]
    column: str
    inbound: Value
    outbound: Value


@dataclass(frozen=True, slots=True)
class SqlConflicts:
    """`Conflicts` on SQL, and what people ask of and do about open ones."""

    database: Database
    clock: Clock

    async def decided(self, number: int) -> Settlement | None:
        """See `Conflicts.decided`."""
        wanted = sa.select(dispute).where(dispute.c.id == number, dispute.c.state == word(DECIDED))
        row = await self.database.read(lambda c: c.execute(wanted).one_or_none())
        if row is None:
            return None
        return Settlement(
            row.record,
            row.column_name,
            value_of(row.value),
            value_of(row.seen_inbound),
            value_of(row.seen_outbound),
            row.decided_by,
        )

    async def waiting(self, limit: int, *, after: int = 0) -> Page:
        """The conflicts behind number `after` that are not over, the oldest first."""
        waits = sa.and_(dispute.c.state != word(OVER), dispute.c.id > after)
        wanted = sa.select(dispute).where(waits).order_by(dispute.c.id).limit(limit)
        count = sa.select(sa.func.count()).select_from(dispute).where(waits)

        def work(connection: sa.Connection) -> Page:
            entries = [_report(connection, row) for row in connection.execute(wanted).all()]
            return Page(entries, int(connection.execute(count).scalar_one()) - len(entries))

        return await self.database.read(work)

    async def one(self, number: int) -> Report | None:
        """One conflict, over or not."""
        wanted = sa.select(dispute).where(dispute.c.id == number)

        def work(connection: sa.Connection) -> Report | None:
            row = connection.execute(wanted).one_or_none()
            return None if row is None else _report(connection, row)

        return await self.database.read(work)

    async def asked(self, number: int) -> Decision:
        """An open conflict as it stands; raises NotOpen."""
        wanted = sa.select(dispute).where(dispute.c.id == number, dispute.c.state != word(OVER))

        def work(connection: sa.Connection) -> Decision:
            row = connection.execute(wanted).one_or_none()
            keys = [] if row is None else _keys(connection, row.record)
            if row is None or not keys:
                raise NotOpen
            systems = frozenset(key.system for key in keys)
            values = (value_of(row.inbound), value_of(row.outbound))
            return Decision(number, row.record, keys[0], systems, row.column_name, *values)

        return await self.database.read(work)

    async def decide(self, seen: Decision, value: Value, actor: str, reason: str, told_as: str) -> Told:
        """Keep what a person decided on what they saw; returns what the lane is to be told. Raises NotOpen.

        Nothing is written to either side by this: the record's lane does that.
        """
        now = self.clock.now()
        inbound, outbound = dumps(tagged(seen.inbound)), dumps(tagged(seen.outbound))
        decided = sa.update(dispute).where(
            dispute.c.id == seen.number,
            dispute.c.state != word(OVER),
            dispute.c.inbound == inbound,
            dispute.c.outbound == outbound,
        )

        def work(connection: sa.Connection) -> Told:
            columns = {
                "state": DECIDED,
                "told_as": told_as,
                "value": dumps(tagged(value)),
                "seen_inbound": inbound,
                "seen_outbound": outbound,
                "decided_by": actor,
                "decided_at": now,
                "reason": reason,
            }
            statement = decided.values(tries=dispute.c.tries + 1, **columns)
            if connection.execute(statement).rowcount == 0:
                raise NotOpen
            deed = Deed(actor, "settle", "conflict", str(seen.number), OPEN, DECIDED, reason)
            note(connection, deed, now)
            return Told(seen.number, seen.record, seen.key, told_as, actor, now)

        return await self.database.write(work)

    async def untold(self, before: datetime, limit: int) -> list[Told]:
        """What was decided before an instant, and no message of it has arrived."""
        wanted = (
            sa.select(dispute)
            .where(
                dispute.c.state == word(DECIDED),
                dispute.c.decided_at < before,
                ~sa.exists().where(messages.c.message_id == dispute.c.told_as),
            )
            .order_by(dispute.c.id)
            .limit(limit)
        )

        def work(connection: sa.Connection) -> list[Told]:
            found = [(row, _key(connection, row.record)) for row in connection.execute(wanted).all()]
            return [
                Told(row.id, row.record, key, row.told_as, row.decided_by, row.decided_at)
                for row, key in found
                if key is not None and row.told_as is not None
            ]

        return await self.database.read(work)


def _key(connection: sa.Connection, record: UUID) -> RecordKey | None:
    return next(iter(_keys(connection, record)), None)


def _keys(connection: sa.Connection, record: UUID) -> list[RecordKey]:
    """The records that are a row, the one that is named first."""
    rows = connection.execute(
        sa.select(crosswalk)
        .where(crosswalk.c.row_id == record, crosswalk.c.state != word("absorbed"))
        .order_by(crosswalk.c.state, crosswalk.c.system, crosswalk.c.entity, crosswalk.c.legacy_id)
    ).all()
    return [RecordKey(row.system, row.entity, row.legacy_id) for row in rows]


def _report(connection: sa.Connection, row: Any) -> Report:
    key = _key(connection, row.record)
    return {
        "id": row.id,
        "record": shown.text(row.record),
        "subject": None if key is None else str(key),
        "column": row.column_name,
        "state": row.state,
        "opened_at": shown.at(row.opened_at),
        "changed_at": shown.at(row.changed_at),
        "agreed": shown.plain(value_of(row.base)),
        "inbound": shown.plain(value_of(row.inbound)),
        "outbound": shown.plain(value_of(row.outbound)),
        "value": None if row.value is None else shown.plain(value_of(row.value)),
        "decided_by": row.decided_by,
        "decided_at": shown.at(row.decided_at),
        "reason": row.reason,
        "ended": row.ended,
        "over_at": shown.at(row.over_at),
    }
