"""Owners who are no user, who waits for them, and who people say is meant by a name. Personal data: names.

An unmatched owner is written down with the verdict that met them, and forgotten once nothing waits for them
and no row is owed to them any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore import waiting
from shared.connectors.sqlstore.heads import IN_ORDER
from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.operations.audit import Deed
from shared.connectors.sqlstore.operations.audit import note as note_deed
from shared.connectors.sqlstore.sqltypes import Document, Instant, Key
from shared.connectors.sqlstore.tables import METADATA, crosswalk, dependency, lane_item, shadow
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.connectors.sqlstore.values import shadow_of
from shared.core.identity import RecordKey
from shared.core.ports import Clock, Report
from shared.core.record_owner import Unmatched, spelled
from shared.core.shadow import Owed

unmatched_owner = sa.Table(
    "unmatched_owner",
    METADATA,
    sa.Column("owner", Key(330), primary_key=True),
    sa.Column("system", Key(64), nullable=False),
    sa.Column("name", Document, nullable=False),
    sa.Column("why", Key(16), nullable=False),
    sa.Column("first_seen_at", Instant, nullable=False),
    sa.Column("last_seen_at", Instant, nullable=False),
)

owner_alias = sa.Table(
    "owner_alias",
    METADATA,
    sa.Column("owner", Key(330), primary_key=True),
    sa.Column("system", Key(64), nullable=False),
    sa.Column("name", Document, nullable=False),
    # The address of the user who is meant.
    sa.Column("address", Document, nullable=False),
    sa.Column("set_at", Instant, nullable=False),
    sa.Column("set_by", Document, nullable=False),
    sa.Column("reason", Document, nullable=False),
)

_FRESH = timedelta(seconds=2)
"""How long aliases are believed."""

_LINGERS = timedelta(minutes=10)
"""How long an owner nobody waits for is remembered: longer than a transaction lasts."""

_MEET = sa.insert(unmatched_owner)
_CORRECT = sa.update(unmatched_owner).where(unmatched_owner.c.owner == sa.bindparam("the_owner"))

_SIZE_OF_WAITING = sa.func.count(dependency.c.record.distinct()).label("size")

_WAITING = (
    sa.select(
        dependency.c.wanted, messages.c.entity, sa.func.count(dependency.c.record.distinct()).label("size")
    )
    .join(unmatched_owner, unmatched_owner.c.owner == dependency.c.wanted)
    .join(messages, messages.c.number == dependency.c.number)
    .group_by(dependency.c.wanted, messages.c.entity)
)

_OWED = (
    sa.select(shadow.c.owed, crosswalk.c.entity, sa.func.count(shadow.c.record.distinct()).label("size"))
    .join(unmatched_owner, unmatched_owner.c.owner == shadow.c.owed)
    .join(
        crosswalk,
        sa.and_(crosswalk.c.row_id == shadow.c.record, crosswalk.c.system == unmatched_owner.c.system),
    )
    .where(shadow.c.owed.is_not(None))
    .group_by(shadow.c.owed, crosswalk.c.entity)
)

_OWED_TO = (
    sa.select(shadow.c.record, shadow.c.document, shadow.c.deleted_at)
    .where(
        shadow.c.owed.is_not(None),
        shadow.c.owed == sa.bindparam("the_owner"),
        ~sa.exists().where(lane_item.c.record == shadow.c.record, IN_ORDER),
    )
    .order_by(shadow.c.record)
)

_IS_NEEDED = sa.or_(
    sa.exists().where(dependency.c.wanted == unmatched_owner.c.owner),
    sa.exists().where(shadow.c.owed.is_not(None), shadow.c.owed == unmatched_owner.c.owner),
)

# Whoever is just being written down with a record that waits is not forgotten: that record is not seen yet.
_OVER = sa.delete(unmatched_owner).where(
    unmatched_owner.c.last_seen_at < sa.bindparam("seen_before"), ~_IS_NEEDED
)
_MET = sa.select(sa.func.count(), sa.func.min(unmatched_owner.c.first_seen_at)).where(_IS_NEEDED)


def note(connection: sa.Connection, unmatched: Unmatched, now: datetime) -> None:
    """Write down an owner who is no user.

    May raise IntegrityError when somebody else does at the same time: begin the transaction again.
    """
    key = str(unmatched.key)
    columns = {"why": unmatched.why.value, "last_seen_at": now}
    if connection.execute(_CORRECT, {"the_owner": key, **columns}).rowcount == 0:
        names = {"owner": key, "system": unmatched.key.system, "name": unmatched.name}
        connection.execute(_MEET, {**names, "first_seen_at": now, **columns})


def standing(connection: sa.Connection, now: datetime) -> Report:
    """How many owners are no user, and how many records wait for one or belong to somebody else meanwhile."""
    met, oldest = connection.execute(_MET).one()
    return {
        "unmatched": met,
        "waiting": sum(row.size for row in connection.execute(_WAITING)),
        "owed": sum(row.size for row in connection.execute(_OWED)),
        "oldest_seconds": None if oldest is None else round((now - oldest).total_seconds(), 1),
    }


@dataclass(frozen=True, slots=True)
class _Aliases:
    by_owner: Mapping[str, str]
    by_address: Mapping[tuple[str, str], str]
    read_at: datetime


@dataclass(slots=True)
class SqlRecordOwners:
    """`Aliases` on SQL, kept in memory for a moment; and what is done about unmatched owners."""

    database: Database
    clock: Clock
    _kept: _Aliases | None = field(default=None, init=False)

    async def user_of(self, owner: RecordKey) -> str | None:
        """See `Aliases.user_of`."""
        return (await self._aliases()).by_owner.get(str(owner))

    async def name_of(self, system: str, address: str) -> str | None:
        """See `Aliases.name_of`; of several names the one that was set last."""
        return (await self._aliases()).by_address.get((system, spelled(address)))

    async def unmatched(self) -> Sequence[Report]:
        """Every unmatched owner with the records that wait and the rows that are owed, by entity."""

        def work(connection: sa.Connection) -> Sequence[Report]:
            waits = _by_owner(connection.execute(_WAITING).all())
            owed = _by_owner(connection.execute(_OWED).all())
            query = (
                sa.select(unmatched_owner)
                .where(_IS_NEEDED)
                .order_by(unmatched_owner.c.first_seen_at, unmatched_owner.c.owner)
            )
            return [
                {
                    "owner": row.owner,
                    "system": row.system,
                    "name": row.name,
                    "why": row.why,
                    "since": shown.at(row.first_seen_at),
                    "waiting": waits.get(row.owner, {}),
                    "owed": owed.get(row.owner, {}),
                }
                for row in connection.execute(query)
            ]

        return await self.database.read(work)

    async def correct(self, unmatched: Unmatched) -> None:
        """Write down that something else is in the way now."""
        parameters = {
            "the_owner": str(unmatched.key),
            "why": unmatched.why.value,
            "last_seen_at": self.clock.now(),
        }
        await self.database.write(lambda c: c.execute(_CORRECT, parameters).rowcount)

    async def release(self, owner: RecordKey) -> Sequence[UUID]:
        """Let go of everything that waits for an owner; returns the records, whose lanes are to be woken."""
        key = str(owner)
        return await self.database.write(lambda c: waiting.let_go(c, key, key))

    async def owed(self, owner: RecordKey) -> Sequence[tuple[UUID, Owed]]:
        """The rows that are owed to an owner, and have nothing to do in their lane."""
        rows = await self.database.read(lambda c: c.execute(_OWED_TO, {"the_owner": str(owner)}).all())
        found = [(row.record, shadow_of(row.document, row.deleted_at).owed) for row in rows]
        return [(record, owed) for record, owed in found if owed is not None]

    async def forget(self) -> None:
        """Forget owners nobody waits for any more."""
        long_ago = {"seen_before": self.clock.now() - _LINGERS}
        await self.database.write(lambda c: c.execute(_OVER, long_ago).rowcount)

    async def aliases(self) -> Sequence[Report]:
        """Every alias."""
        query = sa.select(owner_alias).order_by(
            owner_alias.c.system, owner_alias.c.set_at, owner_alias.c.owner
        )
        rows = await self.database.read(lambda c: c.execute(query).all())
        return [
            {
                "owner": row.owner,
                "system": row.system,
                "name": row.name,
                "user": row.address,
                "set_at": shown.at(row.set_at),
                "set_by": row.set_by,
                "reason": row.reason,
            }
            for row in rows
        ]

    async def set_alias(self, owner: RecordKey, name: str, address: str, actor: str, reason: str) -> None:
        """Say which user an owner is; an alias that is there gives way."""
        now = self.clock.now()
        key = str(owner)
        is_key = owner_alias.c.owner == key
        columns = {"name": name, "address": address, "set_at": now, "set_by": actor, "reason": reason}

        def work(connection: sa.Connection) -> None:
            before = connection.execute(sa.select(owner_alias.c.address).where(is_key)).scalar_one_or_none()
            if before is None:
                connection.execute(sa.insert(owner_alias), {"owner": key, "system": owner.system, **columns})
            else:
                connection.execute(sa.update(owner_alias).where(is_key).values(**columns))
            deed = Deed(actor, "set_owner_alias", "owner_alias", key, before, address, reason)
            note_deed(connection, deed, now)

        await self.database.write(work)
        self._kept = None

    async def remove_alias(self, owner: RecordKey, actor: str, reason: str) -> bool:
        """Take an alias away; False when there is none."""
        now = self.clock.now()
        key = str(owner)
        is_key = owner_alias.c.owner == key

        def work(connection: sa.Connection) -> bool:
            before = connection.execute(sa.select(owner_alias.c.address).where(is_key)).scalar_one_or_none()
            if before is None:
                return False
            connection.execute(sa.delete(owner_alias).where(is_key))
            deed = Deed(actor, "remove_owner_alias", "owner_alias", key, before, None, reason)
            note_deed(connection, deed, now)
            return True

        done = await self.database.write(work)
        self._kept = None
        return done

    async def _aliases(self) -> _Aliases:
        now = self.clock.now()
        if self._kept is None or not timedelta() <= now - self._kept.read_at < _FRESH:
            query = sa.select(owner_alias).order_by(owner_alias.c.set_at)
            rows = await self.database.read(lambda c: c.execute(query).all())
            self._kept = _Aliases(
                {row.owner: row.address for row in rows},
                {(row.system, spelled(row.address)): row.name for row in rows},
                now,
            )
        return self._kept


def _by_owner(rows: Sequence[sa.Row[*tuple[Any, ...]]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for owner, entity, size in rows:
        found.setdefault(owner, {})[entity or "unknown"] = size
    return found
