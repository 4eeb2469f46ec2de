"""The lanes on SQL: who may work a record, on what, and what was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore.messages import COLUMNS, message_of
from shared.connectors.sqlstore.settlement import settle
from shared.connectors.sqlstore.sqltypes import ONE, word
from shared.connectors.sqlstore.tables import lane, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.core.ports import Clock, LeaseLost
from shared.core.verdict import ItemState, LaneItem, Lease, Verdict

OPEN = lane_item.c.state != word("done")
"""Whether an item still has work to do; written out, because an index is filtered by it."""

ORDER = (lane_item.c.changed_at, lane_item.c.version, lane_item.c.position, lane_item.c.number)
"""The order within a lane: when it happened, then the source's version, then arrival."""

_IS_OURS = sa.and_(lane.c.record == sa.bindparam("the_record"), lane.c.fence == sa.bindparam("the_fence"))

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

_HEAD = (
    sa.select(
        lane.c.fence,
        lane_item.c.number,
        lane_item.c.state,
        lane_item.c.attempts,
        lane_item.c.due_at,
        *COLUMNS,
    )
    .select_from(
        lane.outerjoin(lane_item, sa.and_(lane_item.c.record == lane.c.record, OPEN)).outerjoin(
            messages, messages.c.number == lane_item.c.number
        )
    )
    .where(lane.c.record == sa.bindparam("the_record"))
    .order_by(*ORDER)
    .limit(1)
)

_RELEASE = sa.update(lane).where(_IS_OURS).values(owner=None, lease_until=None)

_STILL_OURS = sa.select(ONE).where(sa.exists().where(_IS_OURS))

_FIRST = (
    sa.select(lane_item.c.state, lane_item.c.due_at)
    .where(lane_item.c.record == sa.bindparam("the_record"), OPEN)
    .order_by(*ORDER)
    .limit(1)
    .subquery("first")
)


def _workable(state: sa.ColumnElement[Any], due_at: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether a head could go on now."""
    return sa.or_(
        state == word("waiting"),
        sa.and_(state == word("retrying"), due_at <= sa.bindparam("now")),
    )


_HAS_WORK = sa.select(ONE).select_from(_FIRST).where(_workable(_FIRST.c.state, _FIRST.c.due_at))


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
            _workable(lane_item.c.state, lane_item.c.due_at),
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

    A settled item is such a sign: it extends the lease. `grace` is how long a new message is left to the
    worker that brought it before `due` offers its lane to others.
    """

    database: Database
    clock: Clock
    owner: str
    lease: timedelta
    grace: timedelta

    async def acquire(self, record: UUID) -> Lease | None:
        """See `Lanes.acquire`: a compare-and-set on the lane's row."""
        now = self.clock.now()
        parameters = {
            "the_record": record,
            "the_owner": self.owner,
            "until": now + self.lease,
            "now": now,
        }
        fence = await self.database.write(lambda c: c.execute(_ACQUIRE, parameters).scalar_one_or_none())
        return None if fence is None else Lease(record, self.owner, fence)

    async def head(self, lease: Lease) -> LaneItem | None:
        """See `Lanes.head`; raises LeaseLost when the lease is no longer the newest."""
        row = await self.database.read(lambda c: c.execute(_HEAD, {"the_record": lease.record}).one_or_none())
        if row is None or row.fence != lease.fence:
            raise LeaseLost
        if row.number is None:
            return None
        return LaneItem(
            number=row.number,
            record=lease.record,
            message=message_of(row),
            state=ItemState(row.state),
            attempts=row.attempts,
            due_at=row.due_at,
        )

    async def confirm(self, lease: Lease) -> None:
        """See `Lanes.confirm`."""
        parameters = {"the_record": lease.record, "the_fence": lease.fence}
        if await self.database.read(lambda c: c.execute(_STILL_OURS, parameters).first()) is None:
            raise LeaseLost

    async def settle(self, lease: Lease, item: LaneItem, verdict: Verdict) -> Sequence[UUID]:
        """See `Lanes.settle`."""
        now = self.clock.now()
        decided = partial(settle, lease, item, verdict, now=now, lease_until=now + self.lease)
        return await self.database.write(decided)

    async def release(self, lease: Lease) -> bool:
        """See `Lanes.release`. The lease ends first, then the lane is looked at.

        Whoever admits a message before the look is seen by it; whoever does so after finds the lane free.
        """
        parameters = {"the_record": lease.record, "the_fence": lease.fence, "now": self.clock.now()}

        def work(connection: sa.Connection) -> bool:
            ours = connection.execute(_RELEASE, parameters).rowcount == 1
            return not ours or connection.execute(_HAS_WORK, parameters).first() is None

        return await self.database.write(work)

    async def due(self, limit: int) -> Sequence[UUID]:
        """See `Lanes.due`, the longest waiting first."""
        now = self.clock.now()
        parameters = {"now": now, "settled_before": now - self.grace}
        due = _DUE.limit(limit)
        return await self.database.read(lambda c: c.execute(due, parameters).scalars().all())
