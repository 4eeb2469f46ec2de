"""The lanes on SQL: who may work a record, on what, and what was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore import heads
from shared.connectors.sqlstore.arrivals import touch
from shared.connectors.sqlstore.heads import OPEN, workable
from shared.connectors.sqlstore.settlement import IS_OURS, RELEASE, settle
from shared.connectors.sqlstore.sqltypes import ONE, word
from shared.connectors.sqlstore.tables import lane, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.core.ports import Clock, LeaseLost
from shared.core.verdict import LaneItem, Lease, Settled, Turn, Verdict

_ACQUIRE = (
    sa.update(lane)
    .where(
        lane.c.record == sa.bindparam("the_record"),
        sa.or_(lane.c.owner.is_(None), lane.c.lease_until < sa.bindparam("now")),
    )
    .values(
        owner=sa.bindparam("the_owner"),
        lease_until=sa.bindparam("until"),
        fence=lane.c.fence + ONE,
    )
    .returning(lane.c.fence)
)

_EXTEND = (
    sa.update(lane)
    .where(IS_OURS, lane.c.owner == sa.bindparam("the_owner"))
    .values(lease_until=sa.bindparam("until"))
)
"""A lease that was given back meanwhile stays so."""

_STILL_OURS = sa.select(ONE).where(sa.exists().where(IS_OURS))


def _due() -> sa.Select[Any]:
    """Lanes without a live lease whose first open item could go on.

    "First" is asked of each candidate: the index that keeps a lane's order answers it with its first entry.
    """
    other = lane_item.alias("other")
    earlier: sa.ColumnElement[bool] = other.c.number < lane_item.c.number
    for name in ("position", "version", "changed_at"):
        earlier = sa.or_(
            other.c[name] < lane_item.c[name], sa.and_(other.c[name] == lane_item.c[name], earlier)
        )
    is_first = ~sa.exists().where(
        other.c.record == lane_item.c.record,
        other.c.state != word("done"),
        other.c.state != word("aside"),
        other.c.changed_at <= lane_item.c.changed_at,
        earlier,
    )
    long_here = messages.c.received_at < sa.bindparam("settled_before")
    return (
        sa.select(lane_item.c.record)
        .select_from(
            lane_item.join(lane, lane.c.record == lane_item.c.record).join(
                messages, messages.c.number == lane_item.c.number
            )
        )
        .where(
            OPEN,
            workable(lane_item.c.state, lane_item.c.due_at),
            sa.or_(lane_item.c.state == word("retrying"), long_here),
            sa.or_(lane.c.owner.is_(None), lane.c.lease_until < sa.bindparam("now")),
            is_first,
        )
        .order_by(messages.c.received_at, lane_item.c.number)
    )


_DUE = _due()


@dataclass(frozen=True, slots=True)
class SqlLanes:
    """`Lanes` on SQL. `owner` names this process; `lease` is how long a lane is kept without a sign of life.

    A settled item is such a sign, and so is `keep`: they extend the lease. `grace` is how long a new message
    is left to the worker that brought it before `due` offers its lane to others.
    """

    database: Database
    clock: Clock
    owner: str
    lease: timedelta
    grace: timedelta

    async def acquire(self, record: UUID) -> Turn | None:
        """See `Lanes.acquire`: a compare-and-set on the lane's row, then a look at its head.

        A lane whose head cannot go on is given back in it: nobody waits for a lease that nobody uses.
        """
        return await self.database.write(partial(self.take, record))

    def take(self, record: UUID, connection: sa.Connection) -> Turn | None:
        """`acquire` as a part of a transaction: whoever brings a message takes its lane in the same one."""
        now = self.clock.now()
        parameters = {
            "the_record": record,
            "the_owner": self.owner,
            "until": now + self.lease,
            "now": now,
        }
        fence = connection.execute(_ACQUIRE, parameters).scalar_one_or_none()
        if fence is None:
            return None
        item = heads.next_in(connection, record, now)
        if item is None:
            connection.execute(RELEASE, {"the_record": record, "the_fence": fence})
            return None
        return Turn(Lease(record, self.owner, fence, self.lease), item)

    async def seize(self, record: UUID) -> Lease | None:
        """See `Lanes.seize`; a record without a lane gets one."""

        def work(connection: sa.Connection) -> Lease | None:
            now = self.clock.now()
            touch(connection, record)
            wanted = {"the_record": record, "the_owner": self.owner, "until": now + self.lease, "now": now}
            fence = connection.execute(_ACQUIRE, wanted).scalar_one_or_none()
            return None if fence is None else Lease(record, self.owner, fence, self.lease)

        return await self.database.write(work)

    async def confirm(self, lease: Lease) -> None:
        """See `Lanes.confirm`."""
        parameters = {"the_record": lease.record, "the_fence": lease.fence}
        if await self.database.read(lambda c: c.execute(_STILL_OURS, parameters).first()) is None:
            raise LeaseLost

    async def settle(self, lease: Lease, item: LaneItem, verdict: Verdict) -> Settled:
        """See `Lanes.settle`."""
        now = self.clock.now()
        decided = partial(settle, lease, item, verdict, now=now, lease_until=now + self.lease)
        return await self.database.write(decided)

    async def keep(self, lease: Lease) -> None:
        """See `Lanes.keep`."""
        extended = {
            "the_record": lease.record,
            "the_fence": lease.fence,
            "the_owner": lease.owner,
            "until": self.clock.now() + self.lease,
        }
        if await self.database.write(lambda c: c.execute(_EXTEND, extended).rowcount) == 0:
            raise LeaseLost

    async def release(self, lease: Lease) -> None:
        """See `Lanes.release`."""
        parameters = {"the_record": lease.record, "the_fence": lease.fence}
        await self.database.write(lambda c: c.execute(RELEASE, parameters).rowcount)

    async def due(self, limit: int) -> Sequence[UUID]:
        """See `Lanes.due`, the longest waiting first."""
        now = self.clock.now()
        parameters = {"now": now, "settled_before": now - self.grace}
        due = _DUE.limit(limit)
        return await self.database.read(lambda c: c.execute(due, parameters).scalars().all())
