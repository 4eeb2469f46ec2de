"""Failure groups: one cause each, and the ticket that tells people about it (E-14).

A group is open while an item of it fails. The alert job asks which groups nobody was told about, which were
told a number that is no longer true, and which are empty again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.sqltypes import ONE, word
from shared.connectors.sqlstore.tables import crosswalk, lane_item, ticket
from shared.connectors.sqlstore.tables import failure_group as groups
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.core.identity import DATAVERSE
from shared.core.ports import Clock, Report

_FAILING = sa.union_all(
    sa.select(
        lane_item.c.group_key,
        lane_item.c.state,
        lane_item.c.first_failed_at.label("since"),
        lane_item.c.last_failed_at.label("latest"),
        lane_item.c.number,
        lane_item.c.unit,
        lane_item.c.record,
        lane_item.c.far_side,
    ).where(lane_item.c.is_failing == ONE),
    sa.select(
        messages.c.refused_in,
        word("done"),
        messages.c.received_at,
        messages.c.received_at,
        messages.c.number,
        sa.null(),
        sa.null(),
        sa.null(),
    ).where(messages.c.refused_in.is_not(None)),
).subquery("failing")
"""What fails in a lane, and what was refused at the gate and nobody has seen to yet."""


def _number_in(*states: str) -> sa.ColumnElement[int]:
    is_one = _FAILING.c.state.in_([word(state) for state in states])
    return sa.func.coalesce(sa.func.sum(sa.case((is_one, ONE), else_=0)), 0)


_SIZES = (
    sa.select(
        _FAILING.c.group_key,
        sa.func.count().label("size"),
        _number_in("held", "aside").label("held"),
        _number_in("retrying").label("retrying"),
        _number_in("parked").label("parked"),
        _number_in("done").label("rejected"),
        sa.func.min(_FAILING.c.since).label("since"),
        sa.func.max(_FAILING.c.latest).label("latest"),
        sa.func.min(_FAILING.c.number).label("example"),
    )
    .group_by(_FAILING.c.group_key)
    .subquery("sizes")
)

_ALL = (
    sa.select(
        groups, _SIZES, messages.c.message_id, messages.c.original_id, ticket.c.told_count, ticket.c.told_at
    )
    .select_from(
        groups.outerjoin(_SIZES, _SIZES.c.group_key == groups.c.fingerprint)
        .outerjoin(messages, messages.c.number == _SIZES.c.example)
        .outerjoin(ticket, ticket.c.id == groups.c.ticket_id)
    )
    .order_by(groups.c.last_seen_at.desc(), groups.c.fingerprint)
)

_IS_OPEN = _SIZES.c.size.is_not(None)
_IS_TOLD = groups.c.ticket_id.is_not(None)

_SYSTEMS = (
    sa.select(_FAILING.c.group_key, messages.c.source, sa.func.count().label("size"))
    .join(messages, messages.c.number == _FAILING.c.number)
    .group_by(_FAILING.c.group_key, messages.c.source)
)

_TARGETS = sa.union_all(
    sa.select(_FAILING.c.group_key, _FAILING.c.far_side, sa.func.count())
    .where(_FAILING.c.far_side.is_not(None))
    .group_by(_FAILING.c.group_key, _FAILING.c.far_side),
    sa.select(_FAILING.c.group_key, crosswalk.c.system, sa.func.count(sa.distinct(_FAILING.c.number)))
    .join(messages, messages.c.number == _FAILING.c.number)
    .join(crosswalk, crosswalk.c.row_id == _FAILING.c.record)
    .where(
        _FAILING.c.far_side.is_(None),
        messages.c.source == word(DATAVERSE),
        crosswalk.c.state != word("absorbed"),
    )
    .group_by(_FAILING.c.group_key, crosswalk.c.system),
)
"""The system that did not take a change; where that is not known, those with a record of its row."""

_UNITS = (
    sa.select(_FAILING.c.group_key, _FAILING.c.unit, sa.func.count().label("size"))
    .where(_FAILING.c.unit.is_not(None))
    .group_by(_FAILING.c.group_key, _FAILING.c.unit)
)


@dataclass(frozen=True, slots=True)
class Groups:
    """Reads failure groups and keeps what their tickets say."""

    database: Database
    clock: Clock

    async def open(self) -> Sequence[Report]:
        """Every open group, the one that failed last first."""
        return await self._reports(_ALL.where(_IS_OPEN))

    async def find(self, group: str) -> Report | None:
        """One group, open or not."""
        return next(iter(await self._reports(_ALL.where(groups.c.fingerprint == group))), None)

    async def untold(self) -> Sequence[Report]:
        """Open groups without a ticket; `ticket_key` is the same until one is recorded."""
        return await self._reports(_ALL.where(_IS_OPEN, ~_IS_TOLD))

    async def outdated(self) -> Sequence[Report]:
        """Open groups whose ticket names another number, or that failed again since."""
        changed = sa.or_(ticket.c.told_count != _SIZES.c.size, ticket.c.told_at < _SIZES.c.latest)
        return await self._reports(_ALL.where(_IS_OPEN, _IS_TOLD, changed))

    async def emptied(self) -> Sequence[Report]:
        """Groups with a ticket and nothing that fails any more."""
        return await self._reports(_ALL.where(~_IS_OPEN, _IS_TOLD))

    async def ticket_opened(self, group: str, ticket_id: str, team: str, told: int) -> bool:
        """Record a group's ticket and the number it names; False when it has one already."""
        now = self.clock.now()

        def work(connection: sa.Connection) -> bool:
            taken = (
                sa.update(groups)
                .where(groups.c.fingerprint == group, groups.c.ticket_id.is_(None))
                .values(ticket_id=ticket_id, tickets=groups.c.tickets + 1)
            )
            if connection.execute(taken).rowcount == 0:
                return False
            connection.execute(
                sa.insert(ticket),
                {
                    "id": ticket_id,
                    "fingerprint": group,
                    "team": team,
                    "opened_at": now,
                    "told_count": told,
                    "told_at": now,
                },
            )
            return True

        return await self.database.write(work)

    async def ticket_updated(self, group: str, told: int) -> None:
        """Record the number a group's ticket names now."""
        statement = (
            sa.update(ticket)
            .where(ticket.c.fingerprint == group, ticket.c.closed_at.is_(None))
            .values(told_count=told, told_at=self.clock.now())
        )
        await self.database.write(lambda c: c.execute(statement).rowcount)

    async def ticket_closed(self, group: str) -> None:
        """Record that a group's ticket is closed; the next failure of the group gets a new one."""
        now = self.clock.now()

        def work(connection: sa.Connection) -> None:
            connection.execute(
                sa.update(ticket)
                .where(ticket.c.fingerprint == group, ticket.c.closed_at.is_(None))
                .values(closed_at=now)
            )
            connection.execute(sa.update(groups).where(groups.c.fingerprint == group).values(ticket_id=None))

        await self.database.write(work)

    async def _reports(self, statement: sa.Select[Any]) -> Sequence[Report]:
        def work(connection: sa.Connection) -> Sequence[Report]:
            rows = connection.execute(statement).all()
            systems: dict[str, dict[str, int]] = {}
            for group, source, size in connection.execute(_SYSTEMS):
                systems.setdefault(group, {})[source or "unknown"] = size
            targets: dict[str, dict[str, int]] = {}
            for group, system, size in connection.execute(_TARGETS):
                targets.setdefault(group, {})[system] = size
            units: dict[str, dict[str, int]] = {}
            for group, unit, size in connection.execute(_UNITS):
                units.setdefault(group, {})[unit] = size
            return [
                {
                    **_report(row),
                    "systems": systems.get(row.fingerprint, {}),
                    "targets": targets.get(row.fingerprint, {}),
                    "units": units.get(row.fingerprint, {}),
                }
                for row in rows
            ]

        return await self.database.read(work)


def _report(row: sa.Row[*tuple[Any, ...]]) -> Report:
    return {
        "group": row.fingerprint,
        "kind": row.kind,
        **shown.explained(row.code),
        "answer": row.answer,
        "table": row.table_name,
        "field": row.field,
        "rule": row.rule,
        "open": row.size or 0,
        "held": row.held or 0,
        "retrying": row.retrying or 0,
        "parked": row.parked or 0,
        "rejected": row.rejected or 0,
        "sender": row.sender,
        "example": None if row.example is None else shown.message_id(row),
        "first_failed_at": shown.at(row.since or row.first_seen_at),
        "last_failed_at": shown.at(row.latest or row.last_seen_at),
        "ticket": row.ticket_id,
        "ticket_key": f"{row.fingerprint}-{row.tickets + 1}",
        "told": row.told_count,
        "told_at": shown.at(row.told_at),
    }
