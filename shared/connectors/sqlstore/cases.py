"""Customers that may be one, and what people decided: noticed, decided and carried out (C-29, C-32).

Rows are noticed by their prints in the transaction of the change that made them alike. A decision has its
audit line, is told to the lane of the heir by a message, and is over once that lane has carried it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.operations.audit import Deed, note
from shared.connectors.sqlstore.sqltypes import Document, Instant, Key, Number, word
from shared.connectors.sqlstore.tables import METADATA, crosswalk, shadow
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import dumps, shadow_of
from shared.core.customers import Case, CaseKind, CaseState, NotOpen
from shared.core.identity import RecordKey
from shared.core.page import Page
from shared.core.ports import Clock, Report
from shared.core.verdict import Prints

_COMPARED = 5
"""Other rows with one print that a row is held against: a print that many share says little."""

match_print = sa.Table(
    "match_print",
    METADATA,
    sa.Column("table_name", Key(128), primary_key=True),
    sa.Column("rule_name", Key(64), primary_key=True),
    sa.Column("digest", Key(64), primary_key=True),
    sa.Column("record", sa.Uuid, primary_key=True),
    sa.Index(None, "record"),
)

_IS_MATCH = sa.text("kind = 'match'")

customer_case = sa.Table(
    "customer_case",
    METADATA,
    sa.Column("number", Number, sa.Identity(), primary_key=True),
    sa.Column("kind", Key(16), nullable=False),
    sa.Column("table_name", Key(128), nullable=False),
    # Of a match: its two rows, the lesser GUID first. Of a split: the row that is left, and the one to be.
    sa.Column("first_row", sa.Uuid, nullable=False),
    sa.Column("second_row", sa.Uuid, nullable=False),
    # The record that gets a row of its own (`system:entity:id`).
    sa.Column("record_key", Key(330)),
    sa.Column("rules", Document, nullable=False),
    sa.Column("confidence", sa.Integer, nullable=False),
    sa.Column("is_certain", sa.Boolean, nullable=False),
    sa.Column("state", Key(16), nullable=False),
    sa.Column("found_at", Instant, nullable=False),
    # The row that is to live on, once somebody has decided.
    sa.Column("heir", sa.Uuid),
    sa.Column("decided_by", Document),
    sa.Column("decided_at", Instant),
    sa.Column("reason", Document),
    # The id of the message that carries the decision to the lane; nobody can know it beforehand.
    sa.Column("told_as", Key(128)),
    sa.Column("ended", Document),
    sa.Column("over_at", Instant),
    sa.Index(
        "uq_customer_case_match",
        "first_row",
        "second_row",
        unique=True,
        mssql_where=_IS_MATCH,
        sqlite_where=_IS_MATCH,
    ),
    sa.Index(None, "state"),
    sqlite_autoincrement=True,
)

_ALIKE = (
    sa.select(match_print.c.record)
    .where(
        match_print.c.table_name == sa.bindparam("the_table"),
        match_print.c.rule_name == sa.bindparam("the_rule"),
        match_print.c.digest == sa.bindparam("the_digest"),
        match_print.c.record != sa.bindparam("the_record"),
    )
    .order_by(match_print.c.record)
    .limit(_COMPARED)
)

_FORMER = customer_case.alias()


def _behind(number: int) -> sa.ColumnElement[bool]:
    """Whether a case comes behind another one in the order in which people are shown them."""
    confidence = sa.select(_FORMER.c.confidence).where(_FORMER.c.number == number).scalar_subquery()
    return sa.or_(
        customer_case.c.confidence < confidence,
        sa.and_(customer_case.c.confidence == confidence, customer_case.c.number > number),
    )


_PAIR = sa.select(customer_case).where(
    customer_case.c.kind == word(CaseKind.MATCH.value),
    customer_case.c.first_row == sa.bindparam("the_first"),
    customer_case.c.second_row == sa.bindparam("the_second"),
)


def notice(connection: sa.Connection, record: UUID, prints: Prints, now: datetime) -> None:
    """Keep what a row can be matched by, and open a case for each other row that has the same."""
    connection.execute(sa.delete(match_print).where(match_print.c.record == record))
    alike: dict[UUID, list[Any]] = {}
    for one in prints.prints:
        key = {"table_name": prints.table, "rule_name": one.rule, "digest": one.digest}
        connection.execute(sa.insert(match_print), key | {"record": record})
        wanted = {
            "the_table": prints.table,
            "the_rule": one.rule,
            "the_digest": one.digest,
            "the_record": record,
        }
        for other in connection.execute(_ALIKE, wanted).scalars():
            alike.setdefault(other, []).append(one)
    for other, found in alike.items():
        _open(connection, prints.table, (record, other), found, now)


def _open(
    connection: sa.Connection, table: str, rows: tuple[UUID, UUID], found: Sequence[Any], now: datetime
) -> None:
    """A case for two rows, or more reasons for one that is open; what was decided is not asked again."""
    first, second = sorted(rows, key=str)
    told = {
        "rules": dumps(sorted(one.rule for one in found)),
        "confidence": max(one.confidence for one in found),
        "is_certain": any(one.certain for one in found),
    }
    known = connection.execute(_PAIR, {"the_first": first, "the_second": second}).one_or_none()
    if known is None:
        fresh = {
            "kind": CaseKind.MATCH.value,
            "table_name": table,
            "first_row": first,
            "second_row": second,
            "state": CaseState.OPEN.value,
            "found_at": now,
        }
        connection.execute(sa.insert(customer_case).inline(), fresh | told)
    elif known.state == CaseState.OPEN.value:
        still = sa.update(customer_case).where(customer_case.c.number == known.number)
        connection.execute(still, told)


def merged(connection: sa.Connection, loser: UUID, heir: UUID, now: datetime) -> None:
    """A row was merged into another: it matches nobody any more, and what is open about it is over."""
    connection.execute(sa.delete(match_print).where(match_print.c.record == loser))
    about = sa.or_(customer_case.c.first_row == loser, customer_case.c.second_row == loser)
    going_on = customer_case.c.state.in_([word(CaseState.OPEN.value), word(CaseState.ACCEPTED.value)])
    is_match = customer_case.c.kind == word(CaseKind.MATCH.value)
    over = {"state": CaseState.OVER.value, "ended": f"{loser} was merged into {heir}", "over_at": now}
    connection.execute(sa.update(customer_case).where(about, going_on, is_match).values(over))


def to_decide(connection: sa.Connection) -> int:
    """How many matches wait for a person."""
    wanted = sa.select(sa.func.count()).where(customer_case.c.state == word(CaseState.OPEN.value))
    return int(connection.execute(wanted).scalar_one())


def end(connection: sa.Connection, number: int, how: str, now: datetime) -> None:
    """A decision was carried out, or has come to nothing."""
    over = {"state": CaseState.OVER.value, "ended": how, "over_at": now}
    going_on = sa.and_(
        customer_case.c.number == number, customer_case.c.state == word(CaseState.ACCEPTED.value)
    )
    connection.execute(sa.update(customer_case).where(going_on).values(over))


def keep_apart(connection: sa.Connection, rows: tuple[UUID, UUID], now: datetime) -> None:
    """Two rows were told apart by a person: they are not taken for one again."""
    first, second = sorted(rows, key=str)
    ended = {
        "state": CaseState.OVER.value,
        "ended": "a record was given its own row again",
        "over_at": now,
    }
    pair = sa.and_(customer_case.c.first_row.in_(rows), customer_case.c.second_row.in_(rows))
    match = sa.and_(pair, customer_case.c.kind == word(CaseKind.MATCH.value))
    if connection.execute(sa.update(customer_case).where(match).values(ended)).rowcount:
        return
    split = sa.and_(pair, customer_case.c.kind == word(CaseKind.SPLIT.value))
    table = connection.execute(sa.select(customer_case.c.table_name).where(split)).scalars().first()
    unheard_of = {
        "kind": CaseKind.MATCH.value,
        "table_name": table,
        "first_row": first,
        "second_row": second,
        "rules": dumps([]),
        "confidence": 0,
        "is_certain": False,
        "found_at": now,
    }
    connection.execute(sa.insert(customer_case).inline(), unheard_of | ended)


@dataclass(frozen=True, slots=True)
class SqlCases:
    """`Cases` on SQL, and what people ask of and do about them."""

    database: Database
    clock: Clock

    async def decided(self, number: int) -> Case | None:
        """See `Cases.decided`."""
        wanted = sa.select(customer_case).where(
            customer_case.c.number == number, customer_case.c.state == word(CaseState.ACCEPTED.value)
        )
        row = await self.database.read(lambda c: c.execute(wanted).one_or_none())
        return None if row is None else _case(row)

    async def is_coming_to(self, row: UUID) -> bool:
        """See `Cases.is_coming_to`."""
        wanted = sa.select(customer_case.c.number).where(
            customer_case.c.second_row == row,
            customer_case.c.kind == word(CaseKind.SPLIT.value),
            customer_case.c.state == word(CaseState.ACCEPTED.value),
        )
        return await self.database.read(lambda c: c.execute(wanted).first()) is not None

    async def waiting(self, limit: int, *, after: int | None = None, certain: bool = False) -> Page:
        """The matches that nobody has decided, the surest first; `certain` ones alone if so asked.

        Those behind the case `after`, decided by now or not; none are behind a case that never was.
        """
        waits = sa.and_(
            customer_case.c.state == word(CaseState.OPEN.value),
            *([customer_case.c.is_certain == sa.true()] if certain else []),
            *([] if after is None else [_behind(after)]),
        )
        order = (customer_case.c.confidence.desc(), customer_case.c.number)
        wanted = sa.select(customer_case).where(waits).order_by(*order).limit(limit)
        count = sa.select(sa.func.count()).select_from(customer_case).where(waits)

        def work(connection: sa.Connection) -> Page:
            entries = [_report(connection, row, values=False) for row in connection.execute(wanted).all()]
            return Page(entries, int(connection.execute(count).scalar_one()) - len(entries))

        return await self.database.read(work)

    async def one(self, number: int) -> Report | None:
        """One case with what both rows are known to hold."""
        wanted = sa.select(customer_case).where(customer_case.c.number == number)

        def work(connection: sa.Connection) -> Report | None:
            row = connection.execute(wanted).one_or_none()
            return None if row is None else _report(connection, row, values=True)

        return await self.database.read(work)

    async def seen_by(self, actor: str, number: int) -> None:
        """Write down who saw a case's values unmasked."""
        deed = Deed(actor, "read case", "customer_case", str(number))
        await self.database.write(lambda c: note(c, deed, self.clock.now()))

    async def accept(self, number: int, heir: UUID, actor: str, reason: str, told_as: str) -> Case:
        """Keep a person's decision that two rows are one customer, and which lives on; raises NotOpen."""
        decided = {"state": CaseState.ACCEPTED.value, "heir": heir, "told_as": told_as}

        def work(connection: sa.Connection) -> Case:
            return _case(self._decide(connection, number, decided, "accept match", (actor, reason)))

        return await self.database.write(work)

    async def refuse(self, number: int, actor: str, reason: str) -> None:
        """Keep a person's decision that two rows are two customers; raises NotOpen."""
        decided = {"state": CaseState.REFUSED.value}
        await self.database.write(
            lambda c: self._decide(c, number, decided, "refuse match", (actor, reason)).number
        )

    def _decide(
        self,
        connection: sa.Connection,
        number: int,
        decided: dict[str, Any],
        action: str,
        said: tuple[str, str],
    ) -> Any:
        now, (actor, reason) = self.clock.now(), said
        told = decided | {"decided_by": actor, "decided_at": now, "reason": reason}
        is_open = sa.and_(
            customer_case.c.number == number, customer_case.c.state == word(CaseState.OPEN.value)
        )
        if connection.execute(sa.update(customer_case).where(is_open).values(told)).rowcount == 0:
            raise NotOpen
        deed = Deed(actor, action, "customer_case", str(number), "open", decided["state"], reason)
        note(connection, deed, now)
        return connection.execute(sa.select(customer_case).where(customer_case.c.number == number)).one()

    async def split(
        self, key: RecordKey, rows: tuple[UUID, UUID], table: str, said: tuple[str, str], told_as: str
    ) -> Case:
        """Keep a person's decision that a record leaves the first row for the second."""
        now, (actor, reason) = self.clock.now(), said
        told = {
            "kind": CaseKind.SPLIT.value,
            "table_name": table,
            "first_row": rows[0],
            "second_row": rows[1],
            "record_key": str(key),
            "rules": "[]",
            "confidence": 100,
            "is_certain": False,
            "state": CaseState.ACCEPTED.value,
            "found_at": now,
            "heir": rows[0],
            "decided_by": actor,
            "decided_at": now,
            "reason": reason,
            "told_as": told_as,
        }

        def work(connection: sa.Connection) -> Case:
            made = sa.insert(customer_case).returning(customer_case.c.number)
            number = connection.execute(made, told).scalar_one()
            note(connection, Deed(actor, "unmerge", "record", str(key), str(rows[0]), None, reason), now)
            wanted = sa.select(customer_case).where(customer_case.c.number == number)
            return _case(connection.execute(wanted).one())

        return await self.database.write(work)

    async def untold(self, before: datetime, limit: int) -> list[Case]:
        """What was decided before an instant, and no message of it has arrived."""
        wanted = (
            sa.select(customer_case)
            .where(
                customer_case.c.state == word(CaseState.ACCEPTED.value),
                customer_case.c.decided_at < before,
                ~sa.exists().where(messages.c.message_id == customer_case.c.told_as),
            )
            .order_by(customer_case.c.number)
            .limit(limit)
        )
        return await self.database.read(lambda c: [_case(row) for row in c.execute(wanted).all()])


def _case(row: Any) -> Case:
    loser = row.second_row if row.heir == row.first_row else row.first_row
    return Case(
        row.number,
        CaseKind(row.kind),
        row.table_name,
        row.heir,
        loser,
        RecordKey.parse(row.record_key) if row.record_key else None,
        row.decided_by,
        row.decided_at,
        row.told_as,
    )


def _report(connection: sa.Connection, row: Any, *, values: bool) -> Report:
    return {
        "case": row.number,
        "kind": row.kind,
        "table": row.table_name,
        "rules": row.rules,
        "confidence": row.confidence,
        "certain": row.is_certain,
        "state": row.state,
        "found_at": shown.at(row.found_at),
        "rows": [_row(connection, record, values=values) for record in (row.first_row, row.second_row)],
        "record": row.record_key,
        "heir": shown.text(row.heir),
        "decided_by": row.decided_by,
        "decided_at": shown.at(row.decided_at),
        "reason": row.reason,
        "ended": row.ended,
        "over_at": shown.at(row.over_at),
    }


def _row(connection: sa.Connection, record: UUID, *, values: bool) -> dict[str, Any]:
    keys = connection.execute(
        sa.select(crosswalk)
        .where(crosswalk.c.row_id == record)
        .order_by(crosswalk.c.paired_at, crosswalk.c.system, crosswalk.c.legacy_id)
    ).all()
    told: dict[str, Any] = {
        "row": str(record),
        "records": [f"{key.system}:{key.entity}:{key.legacy_id}" for key in keys if key.state != "absorbed"],
        "since": shown.at(keys[0].paired_at) if keys else None,
    }
    if values:
        kept = connection.execute(sa.select(shadow).where(shadow.c.record == record)).one_or_none()
        agreed = shadow_of(kept.document, kept.deleted_at).marks if kept is not None else {}
        told["columns"] = {name: shown.plain(mark.value) for name, mark in sorted(agreed.items())}
    return told
