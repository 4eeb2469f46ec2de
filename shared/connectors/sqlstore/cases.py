"""Cases: rows that may be one customer, and records that leave a row, from first sign to end (C-29, C-32).

Rows are noticed by their prints in the transaction of the change that made them alike, and a case is over in
that of the change that carried it out. What people see and decide is in `casebook`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.sqltypes import Document, Instant, Key, Number, word
from shared.connectors.sqlstore.tables import METADATA
from shared.connectors.sqlstore.values import dumps
from shared.core.customers import CaseKind, CaseState
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
