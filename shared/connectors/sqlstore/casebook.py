"""The book of cases: what people ask of customers that may be one, and what they decide (C-29, C-32).

A decision has its audit line, is told to the lane of the heir by a message, and is over once that lane has
carried it out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.cases import customer_case
from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.operations.audit import Deed, note
from shared.connectors.sqlstore.sqltypes import word
from shared.connectors.sqlstore.tables import crosswalk, shadow
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import shadow_of
from shared.core.customers import Case, CaseKind, CaseState, NotOpen
from shared.core.identity import RecordKey
from shared.core.page import Page
from shared.core.ports import Clock, Report

_FORMER = customer_case.alias()


def _behind(number: int) -> sa.ColumnElement[bool]:
    """Whether a case comes behind another one in the order in which people are shown them."""
    confidence = sa.select(_FORMER.c.confidence).where(_FORMER.c.number == number).scalar_subquery()
    return sa.or_(
        customer_case.c.confidence < confidence,
        sa.and_(customer_case.c.confidence == confidence, customer_case.c.number > number),
    )


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
