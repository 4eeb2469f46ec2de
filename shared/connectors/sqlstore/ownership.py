"""Phases and the ownership matrix on SQL: who decides what, when it was laid down, and by whom."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.operations.audit import Deed, note
from shared.connectors.sqlstore.sqltypes import Document, Instant, Key, Number
from shared.connectors.sqlstore.tables import METADATA
from shared.connectors.sqlstore.transactions import Database
from shared.core.mapping.spec import EntityMap, Owner
from shared.core.ownership import (
    Ownership,
    Phase,
    PhaseRefused,
    Phases,
    Rule,
    may_follow,
    ownership,
)
from shared.core.ports import Clock, Report
from shared.core.unit import AskUnits, Chain

phase = sa.Table(
    "phase",
    METADATA,
    sa.Column("system", Key(64), primary_key=True),
    sa.Column("entity", Key(128), primary_key=True),
    # The id of a business unit; blank: every one that has no line of its own.
    sa.Column("unit", Key(128), primary_key=True),
    sa.Column("phase", Key(32), nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("changed_by", Document, nullable=False),
    sa.Column("reason", Document, nullable=False),
    sa.Column("version", Number, nullable=False),
    # What the unit was called when the line was laid down.
    sa.Column("unit_name", Document),
)

phase_change = sa.Table(
    "phase_change",
    METADATA,
    sa.Column("id", Number, sa.Identity(), primary_key=True),
    sa.Column("system", Key(64), nullable=False),
    sa.Column("entity", Key(128), nullable=False),
    sa.Column("unit", Key(128), nullable=False),
    sa.Column("unit_name", Document),
    sa.Column("before", Key(32), nullable=False),
    sa.Column("after", Key(32), nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("changed_by", Document, nullable=False),
    sa.Column("reason", Document, nullable=False),
    sqlite_autoincrement=True,
)

ownership_rule = sa.Table(
    "ownership_rule",
    METADATA,
    sa.Column("system", Key(64), primary_key=True),
    sa.Column("entity", Key(128), primary_key=True),
    sa.Column("column_name", Key(128), primary_key=True),
    # Blank: in any phase.
    sa.Column("phase", Key(32), primary_key=True),
    sa.Column("owner", Key(16), nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("changed_by", Document, nullable=False),
    sa.Column("reason", Document, nullable=False),
)

_FRESH = timedelta(seconds=2)
"""How long a worker may go by what it read: so soon is a new phase known everywhere."""


_LISTED = 100
"""How many of the last changes of phases are told."""


@dataclass(frozen=True, slots=True)
class _Matrix:
    phases: Phases
    rules: tuple[Rule, ...]
    read_at: datetime


@dataclass(slots=True)
class SqlOwners:
    """`Owners` on SQL, kept in memory for a moment; and what people do about phases and the matrix."""

    database: Database
    clock: Clock
    _kept: _Matrix | None = field(default=None, init=False)

    async def of(self, system: str, entry: EntityMap, units: AskUnits, begun: str = "") -> Ownership:
        """See `Owners.of`."""
        matrix = await self._matrix()
        chain = await units() if matrix.phases.by_unit(system) else ()
        present = matrix.phases.of(system, entry.entity, [str(unit.id) for unit in chain])
        return ownership(system, entry, present, matrix.rules, begun)

    async def by_unit(self, system: str) -> bool:
        """See `Owners.by_unit`."""
        return (await self._matrix()).phases.by_unit(system)

    async def _matrix(self) -> _Matrix:
        now = self.clock.now()
        if self._kept is None or not timedelta() <= now - self._kept.read_at < _FRESH:
            self._kept = await self.database.read(lambda connection: _read(connection, now))
        return self._kept

    async def phases(self) -> Sequence[Report]:
        """Every phase that was ever set."""
        rows = await self.database.read(
            lambda c: c.execute(sa.select(phase).order_by(*phase.primary_key.columns)).all()
        )
        return [
            {
                "system": row.system,
                "entity": row.entity,
                "unit": row.unit,
                "unit_name": row.unit_name,
                "phase": row.phase,
                "changed_at": shown.at(row.changed_at),
                "changed_by": row.changed_by,
                "reason": row.reason,
            }
            for row in rows
        ]

    async def history(self) -> Sequence[Report]:
        """The last changes of phases, newest first."""
        query = sa.select(phase_change).order_by(phase_change.c.id.desc()).limit(_LISTED)
        rows = await self.database.read(lambda c: c.execute(query).all())
        return [
            {
                "system": row.system,
                "entity": row.entity,
                "unit": row.unit,
                "unit_name": row.unit_name,
                "before": row.before,
                "after": row.after,
                "changed_at": shown.at(row.changed_at),
                "changed_by": row.changed_by,
                "reason": row.reason,
            }
            for row in rows
        ]

    async def rules(self) -> Sequence[Report]:
        """Every line of the matrix."""
        rows = await self.database.read(
            lambda c: c.execute(sa.select(ownership_rule).order_by(*ownership_rule.primary_key.columns)).all()
        )
        return [
            {
                "system": row.system,
                "entity": row.entity,
                "column": row.column_name,
                "phase": row.phase,
                "owner": row.owner,
                "changed_at": shown.at(row.changed_at),
                "changed_by": row.changed_by,
                "reason": row.reason,
            }
            for row in rows
        ]

    async def set_phase(
        self, key: tuple[str, str, str], after: Phase, actor: str, reason: str, units: Chain = ()
    ) -> Phase:
        """Put an entity of a system, or one business unit of it, into a phase; returns the one before.

        `units` is the unit with those above it. Raises PhaseRefused for a step that is not the next or the
        one before.
        """
        now = self.clock.now()
        table = phase
        is_key = sa.and_(table.c.system == key[0], table.c.entity == key[1], table.c.unit == key[2])
        chain = [str(unit.id) for unit in units] or ([key[2]] if key[2] else [])
        names = dict(zip(("system", "entity", "unit"), key, strict=True))
        unit_name = units[0].name if units else None

        def work(connection: sa.Connection) -> Phase:
            before = _read(connection, now).phases.of(key[0], key[1], chain)
            if not may_follow(before, after):
                raise PhaseRefused(
                    f"{after} does not follow {before}: one step at a time, and none after retired"
                )
            who = {"changed_at": now, "changed_by": actor, "reason": reason, "unit_name": unit_name}
            row = connection.execute(sa.select(table.c.version).where(is_key)).one_or_none()
            if row is None:
                connection.execute(sa.insert(table), {**names, **who, "phase": after.value, "version": 1})
            else:
                moved = sa.update(table).where(is_key, table.c.version == row.version)
                moved = moved.values(version=row.version + 1, phase=after.value, **who)
                if connection.execute(moved).rowcount == 0:
                    raise PhaseRefused("somebody else set the phase at the same time: look again")
            step = {"before": before.value, "after": after.value}
            connection.execute(sa.insert(phase_change).inline(), {**names, **who, **step})
            deed = Deed(actor, "set_phase", "phase", ":".join(key), before.value, after.value, reason)
            note(connection, deed, now)
            return before

        before = await self.database.write(work)
        self._kept = None
        return before

    async def set_rule(self, rule: Rule, actor: str, reason: str) -> None:
        """Lay down who decides a column."""
        now = self.clock.now()
        table = ownership_rule
        is_key = sa.and_(
            table.c.system == rule.system,
            table.c.entity == rule.entity,
            table.c.column_name == rule.column,
            table.c.phase == rule.phase,
        )

        def work(connection: sa.Connection) -> None:
            columns = {
                "owner": rule.owner.value,
                "changed_at": now,
                "changed_by": actor,
                "reason": reason,
            }
            before = connection.execute(sa.select(table.c.owner).where(is_key)).scalar_one_or_none()
            if before is None:
                names = {
                    "system": rule.system,
                    "entity": rule.entity,
                    "column_name": rule.column,
                    "phase": rule.phase,
                }
                connection.execute(sa.insert(table), names | columns)
            else:
                connection.execute(sa.update(table).where(is_key).values(**columns))
            key = f"{rule.system}:{rule.entity}:{rule.column}:{rule.phase}"
            note(connection, Deed(actor, "set_owner", "ownership", key, before, rule.owner, reason), now)

        await self.database.write(work)
        self._kept = None


def _read(connection: sa.Connection, now: datetime) -> _Matrix:
    phases = {
        (row.system, row.entity, row.unit): Phase(row.phase) for row in connection.execute(sa.select(phase))
    }
    rules = tuple(
        Rule(row.system, row.entity, row.column_name, Owner(row.owner), row.phase)
        for row in connection.execute(sa.select(ownership_rule))
    )
    return _Matrix(Phases(phases), rules, now)
