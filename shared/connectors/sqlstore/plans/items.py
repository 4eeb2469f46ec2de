"""The messages of a plan: read to be foreseen, sent record by record, watched until they are decided."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from shared.connectors.sqlstore import waiting
from shared.connectors.sqlstore.arrivals import touch
from shared.connectors.sqlstore.plans.keeping import guard
from shared.connectors.sqlstore.plans.reading import known_of, lanes_of
from shared.connectors.sqlstore.plans.standings import NEWEST_LINE, standings
from shared.connectors.sqlstore.plans.tables import replay_item
from shared.connectors.sqlstore.tables import lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.core.identity import RecordKey
from shared.core.plan import Plan, Progress
from shared.core.plan_items import Ending, Fate, Foreseen, Known, LaneOfPlan, Standing, Unit
from shared.core.ports import Clock, Report
from shared.core.verdict import ItemState

_IN_PLAN = replay_item.c.plan == sa.bindparam("the_plan")
_IS_ITEM = sa.and_(_IN_PLAN, replay_item.c.number == sa.bindparam("the_number"))


@dataclass(frozen=True, slots=True)
class SqlPlanItems:
    """Keeps the messages of plans. Every write is the plan's driver's, or raises PlanOvertaken."""

    database: Database
    clock: Clock

    async def records(self, plan: int, after: UUID | None, limit: int) -> Sequence[UUID]:
        """The records of a plan that come after one, in their order."""
        statement = sa.select(replay_item.c.record).distinct().where(_IN_PLAN)
        if after is not None:
            statement = statement.where(replay_item.c.record > after)
        page = statement.order_by(replay_item.c.record).limit(limit)
        return await self.database.read(lambda c: c.execute(page, {"the_plan": plan}).scalars().all())

    async def unforeseen(self, plan: int, limit: int) -> Sequence[UUID]:
        """Records whose messages were not foreseen yet."""
        statement = (
            sa.select(replay_item.c.record)
            .distinct()
            .where(_IN_PLAN, replay_item.c.foreseen.is_(None))
            .order_by(replay_item.c.record)
            .limit(limit)
        )
        return await self.database.read(lambda c: c.execute(statement, {"the_plan": plan}).scalars().all())

    async def of_record(self, plan: int, record: UUID) -> LaneOfPlan:
        """The messages of a plan in one record's lane, in the lane's order, and what stands in their way."""
        (lane,) = await self.lanes(plan, [record])
        return lane

    async def lanes(self, plan: int, records: Sequence[UUID]) -> Sequence[LaneOfPlan]:
        """The same of so many records, in their order; at most a few hundred at once."""
        return await self.database.read(lambda c: lanes_of(c, plan, records))

    async def known(self, records: Sequence[UUID], keys: Sequence[RecordKey]) -> Known:
        """What is agreed about records, and which rows and records belong together, at one moment."""
        return await self.database.read(lambda c: known_of(c, records, keys))

    async def foresee(self, plan: Plan, found: Sequence[Foreseen], told: Report) -> None:
        """Write down what messages would do, with the prediction as far as it is told by then."""
        statement = (
            sa.update(replay_item)
            .where(_IS_ITEM)
            .values(foreseen=sa.bindparam("says"), covered_by=sa.bindparam("by"))
        )
        rows = [
            {"the_plan": plan.number, "the_number": each.number, "says": each.says, "by": each.covered_by}
            for each in found
        ]

        def work(connection: sa.Connection) -> None:
            guard(connection, plan, foreseen=json.dumps(told))
            connection.execute(statement, rows)

        await self.database.write(work)

    async def arrange(self, plan: Plan, levels: Mapping[UUID, int], told: Report) -> None:
        """Write down how deep each record hangs; `told` is the prediction that begins with it."""
        statement = (
            sa.update(replay_item)
            .where(_IN_PLAN, replay_item.c.record == sa.bindparam("the_record", type_=sa.Uuid))
            .values(level=sa.bindparam("the_level"))
        )
        rows = [
            {"the_plan": plan.number, "the_record": record, "the_level": level}
            for record, level in levels.items()
            if level
        ]

        def work(connection: sa.Connection) -> None:
            guard(connection, plan, foreseen=json.dumps(told))
            if rows:
                connection.execute(statement, rows)

        await self.database.write(work)

    async def next_units(self, plan: int, limit: int | None) -> Sequence[Unit]:
        """Records of the lowest level that still waits, each with the kind of its first failure."""
        waiting_heads = sa.and_(
            _IN_PLAN, replay_item.c.state == "waiting", replay_item.c.is_head == sa.true()
        )
        lowest = sa.select(sa.func.min(replay_item.c.level)).where(waiting_heads).scalar_subquery()
        item = replay_item
        statement = (
            sa.select(item.c.record, item.c.group_key, item.c.source, item.c.entity)
            .where(waiting_heads, item.c.level == lowest)
            .order_by(item.c.number)
        )
        page = statement if limit is None else statement.limit(limit)
        rows = await self.database.read(lambda c: c.execute(page, {"the_plan": plan}).all())
        firsts = {row.record: Unit(row.record, (row.group_key, row.source, row.entity)) for row in rows[::-1]}
        return [firsts[record] for record in dict.fromkeys(row.record for row in rows)]

    async def send(self, plan: Plan, wave: int, sent: int, records: Sequence[UUID], *, prove: bool) -> None:
        """Mark the messages of records as sent, before anything is done about them.

        Those that somebody else finished meanwhile get their fate at once. `sent` is the number of records
        the wave has sent with these.
        """
        now = self.clock.now()
        mark = (
            sa.update(replay_item)
            .where(_IN_PLAN, replay_item.c.record.in_(records), replay_item.c.state == "waiting")
            .values(
                state="sent",
                wave=wave,
                seen=sa.func.coalesce(NEWEST_LINE, 0),
                sent_at=now,
                proof="due" if prove else None,
            )
        )

        ours = sa.select(replay_item.c.number).where(
            _IN_PLAN, replay_item.c.record.in_(records), replay_item.c.state == "waiting"
        )
        # What lies behind a head that goes on is drained with it: it is the plan's, too, until it is decided.
        claim = sa.update(lane_item).where(lane_item.c.number.in_(ours)).values(plan=plan.number)

        def work(connection: sa.Connection) -> None:
            guard(connection, plan, wave=wave, sent=sent, sent_at=now)
            connection.execute(claim, {"the_plan": plan.number})
            connection.execute(mark, {"the_plan": plan.number})

        await self.database.write(work)

    async def standings(self, plan: int, *, held: bool = False) -> Sequence[Standing]:
        """Where the messages that were sent stand, by lane and in its order; or those that ended held."""
        return await self.database.read(lambda c: standings(c, plan, held=held))

    async def conclude(self, plan: Plan, endings: Sequence[Ending]) -> None:
        """Write down what became of messages."""
        now = self.clock.now()
        statement = (
            sa.update(replay_item)
            .where(_IS_ITEM)
            .values(
                state="done",
                fate=sa.bindparam("the_fate"),
                reason=sa.bindparam("the_reason"),
                decided_at=now,
            )
        )
        rows = [
            {
                "the_plan": plan.number,
                "the_number": each.number,
                "the_fate": each.fate.value,
                "the_reason": each.reason,
            }
            for each in endings
        ]

        let_go = (
            sa.update(lane_item).where(lane_item.c.number == sa.bindparam("the_number")).values(plan=None)
        )
        ended = [{"the_number": each.number} for each in endings]

        def work(connection: sa.Connection) -> None:
            guard(connection, plan)
            connection.execute(statement, rows)
            connection.execute(let_go, ended)

        await self.database.write(work)

    async def put_back(self, plan: Plan, numbers: Sequence[int]) -> Sequence[UUID]:
        """Let messages that the plan superseded take their places again; returns their records."""

        def work(connection: sa.Connection) -> Sequence[UUID]:
            guard(connection, plan)
            records: list[UUID] = []
            for number in numbers:
                records += _put_back(connection, plan, number, self.clock.now())
            return records

        return await self.database.write(work)

    async def uncovered(self, plan: int) -> Sequence[int]:
        """Messages that the plan superseded in favour of one that did not go through."""
        later = replay_item.alias("later")
        statement = sa.select(replay_item.c.number).where(
            _IN_PLAN,
            replay_item.c.fate == Fate.SUPERSEDED,
            sa.exists().where(
                later.c.plan == replay_item.c.plan,
                later.c.number == replay_item.c.covered_by,
                later.c.fate.in_([Fate.HELD, Fate.REJECTED, Fate.SKIPPED]),
            ),
        )
        return await self.database.read(lambda c: c.execute(statement, {"the_plan": plan}).scalars().all())

    async def progress(self, plan: Plan) -> Progress:
        """Where a plan stands."""
        item = replay_item
        by_level = (
            sa.select(item.c.level, sa.func.count(item.c.record.distinct()))
            .where(_IN_PLAN, item.c.state == "waiting", item.c.is_head == sa.true())
            .group_by(item.c.level)
            .order_by(item.c.level)
        )
        on_their_way = sa.select(sa.func.count(item.c.record.distinct())).where(
            _IN_PLAN, item.c.state == "sent"
        )
        due = sa.select(sa.func.count(item.c.record.distinct())).where(_IN_PLAN, item.c.proof == "due")
        decided = (
            sa.select(item.c.fate, sa.func.count().label("size"))
            .where(_IN_PLAN, item.c.state == "done", item.c.sent_at >= plan.counted_from)
            .group_by(item.c.fate)
        )
        wave_level = sa.select(sa.func.max(item.c.level)).where(_IN_PLAN, item.c.wave == plan.wave)

        def work(connection: sa.Connection) -> Progress:
            the = {"the_plan": plan.number}
            levels = connection.execute(by_level, the).all()
            fates: dict[str, int] = {row.fate: row.size for row in connection.execute(decided, the)}
            at = connection.execute(wave_level, the).scalar_one_or_none() if plan.sent else None
            lowest, size = levels[0] if levels else (0, 0)
            return Progress(
                waiting=sum(count for _, count in levels),
                in_flight=connection.execute(on_their_way, the).scalar_one(),
                level=size if at is None or at == lowest else 0,
                wave=plan.wave,
                sent=plan.sent,
                unproven=connection.execute(due, the).scalar_one(),
                decided=sum(fates.values()),
                failed=sum(size for fate, size in fates.items() if Fate(fate).is_trouble),
            )

        return await self.database.read(work)

    async def unproven(self, plan: int) -> Sequence[UUID]:
        """Records of the canary whose messages are all decided and that were not read back yet."""
        item, other = replay_item, replay_item.alias("other")
        statement = (
            sa.select(item.c.record)
            .distinct()
            .where(
                _IN_PLAN,
                item.c.proof == "due",
                ~sa.exists().where(
                    other.c.plan == item.c.plan, other.c.record == item.c.record, other.c.state != "done"
                ),
            )
        )
        return await self.database.read(lambda c: c.execute(statement, {"the_plan": plan}).scalars().all())

    async def prove(self, plan: Plan, record: UUID, proof: str) -> None:
        """Write down what reading a record back has shown."""
        statement = sa.update(replay_item).where(_IN_PLAN, replay_item.c.record == record).values(proof=proof)

        def work(connection: sa.Connection) -> None:
            guard(connection, plan)
            connection.execute(statement, {"the_plan": plan.number})

        await self.database.write(work)


def _put_back(connection: sa.Connection, plan: Plan, number: int, now: datetime) -> list[UUID]:
    """One message goes back to its place, and is on its way as part of the plan again."""
    record = connection.execute(
        sa.update(lane_item)
        .where(lane_item.c.number == number, lane_item.c.state == ItemState.DONE)
        .values(state=ItemState.WAITING, plan=plan.number)
        .returning(lane_item.c.record)
    ).scalar_one_or_none()
    if record is None:
        return []
    waiting.forget(connection, number)
    connection.execute(
        sa.update(messages)
        .where(messages.c.number == number)
        .values(outcome=None, reason=None, faults=None, finished_at=None)
    )
    connection.execute(
        sa.update(replay_item)
        .where(replay_item.c.plan == plan.number, replay_item.c.number == number)
        .values(
            state="sent",
            fate=None,
            reason=None,
            decided_at=None,
            covered_by=None,
            seen=NEWEST_LINE,
            sent_at=now,
        )
    )
    touch(connection, record)
    return [record]
