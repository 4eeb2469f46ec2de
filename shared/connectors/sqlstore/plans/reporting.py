"""What a plan's report is made of: counts that add up, and lists of what a person has to look at."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from shared.connectors.sqlstore.operations import shown
from shared.connectors.sqlstore.plans.choosing import later_failures, later_messages
from shared.connectors.sqlstore.plans.keeping import guard
from shared.connectors.sqlstore.plans.tables import replay_item, replay_plan
from shared.connectors.sqlstore.tables import lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.transactions import Database
from shared.core.plan import Plan, PlanState
from shared.core.plan_items import Fate
from shared.core.ports import Clock, Report

_LISTED = 500
"""Messages of a kind that a report lists; the counts are of all."""

_RECENT = timedelta(minutes=1)
_LOOKED_AT = timedelta(minutes=10)
_MOST = 2000


@dataclass(frozen=True, slots=True)
class SqlPlanReports:
    """Reads what is told of plans, and keeps what was foreseen."""

    database: Database
    clock: Clock

    async def ready(self, plan: Plan, told: Report) -> None:
        """Keep a whole prediction; the plan may be run then. Raises PlanOvertaken."""

        def work(connection: sa.Connection) -> None:
            guard(connection, plan, foreseen=json.dumps(told), state=PlanState.READY)

        await self.database.write(work)

    async def counts(self, plan: int) -> Report:
        """Messages of a plan: chosen, by fate, on their way; heads and followers apart."""
        item = replay_item
        statement = (
            sa.select(item.c.is_head, item.c.state, item.c.fate, sa.func.count())
            .where(item.c.plan == plan)
            .group_by(item.c.is_head, item.c.state, item.c.fate)
        )
        records = sa.select(sa.func.count(item.c.record.distinct())).where(item.c.plan == plan)
        proofs = (
            sa.select(item.c.proof, sa.func.count(item.c.record.distinct()).label("size"))
            .where(item.c.plan == plan, item.c.proof.is_not(None))
            .group_by(item.c.proof)
        )

        def work(connection: sa.Connection) -> Report:
            told: dict[str, dict[str, Any]] = {
                name: {"selected": 0, "waiting": 0, "sent": 0, "fates": {}} for name in ("heads", "followers")
            }
            for is_head, state, fate, size in connection.execute(statement):
                part = told["heads" if is_head else "followers"]
                part["selected"] += size
                if state == "done":
                    part["fates"][fate] = part["fates"].get(fate, 0) + size
                else:
                    part[state] += size
            return {
                **told,
                "records": connection.execute(records).scalar_one(),
                "read_back": {row.proof: row.size for row in connection.execute(proofs)},
            }

        return await self.database.read(work)

    async def prediction(self, plan: int) -> Report | None:
        """What was foreseen; None until it is."""
        statement = sa.select(replay_plan.c.foreseen).where(replay_plan.c.number == plan)
        text = await self.database.read(lambda c: c.execute(statement).scalar_one_or_none())
        return None if text is None else json.loads(text)

    async def listed(self, plan: int) -> Mapping[str, list[Report]]:
        """Messages that a person has to look at or be told of, by fate, with the reason of each."""
        item = replay_item
        told_of = (Fate.HELD, Fate.REJECTED, Fate.SUPERSEDED, Fate.SKIPPED, Fate.CONFLICT)
        statement = (
            sa.select(
                item.c.fate,
                item.c.reason,
                item.c.is_head,
                item.c.record,
                messages.c.message_id,
                messages.c.original_id,
                messages.c.source,
                messages.c.entity,
                messages.c.source_id,
            )
            .outerjoin(messages, messages.c.number == item.c.number)
            .where(item.c.plan == plan)
            .order_by(item.c.level, item.c.number)
            .limit(_LISTED)
        )

        def work(connection: sa.Connection) -> Mapping[str, list[Report]]:
            return {
                fate.value: [
                    {
                        "message_id": shown.message_id(row) if row.message_id else None,
                        "subject": shown.subject(row),
                        "record": str(row.record),
                        "is_head": row.is_head,
                        "reason": row.reason,
                    }
                    for row in connection.execute(statement.where(item.c.fate == fate))
                ]
                for fate in told_of
            }

        return await self.database.read(work)

    async def later(self, plan: Plan) -> Report:
        """What is not in the plan because it came too late: failures it would have taken, and messages."""

        def work(connection: sa.Connection) -> Report:
            groups = connection.execute(later_failures(plan.number, plan.selection, plan.created_at)).all()
            return {
                "failures": sum(row.size for row in groups),
                "groups": {row.group_key: row.size for row in groups},
                "messages": connection.execute(later_messages(plan.number, plan.created_at)).scalar_one(),
            }

        return await self.database.read(work)

    async def live_lags(self, plan: Plan) -> list[float]:
        """Seconds that messages of records outside the plan took, or have waited, in the last minute.

        What failed, or waits behind a failure, is no sign of how fast things are.
        """
        now = self.clock.now()
        in_plan = sa.exists().where(
            replay_item.c.plan == plan.number, replay_item.c.record == lane_item.c.record
        )
        stuck = lane_item.alias("stuck")
        is_behind = sa.exists().where(
            stuck.c.record == lane_item.c.record, stuck.c.state.in_(["held", "retrying", "parked"])
        )
        statement = (
            sa.select(messages.c.received_at, messages.c.finished_at)
            .join(lane_item, lane_item.c.number == messages.c.number)
            .where(
                messages.c.received_at >= now - _LOOKED_AT,
                sa.or_(messages.c.finished_at >= now - _RECENT, messages.c.finished_at.is_(None)),
                lane_item.c.first_failed_at.is_(None),
                lane_item.c.state.in_(["waiting", "done"]),
                ~in_plan,
                ~is_behind,
            )
            .order_by(messages.c.received_at.desc())
            .limit(_MOST)
        )
        rows = await self.database.read(lambda c: c.execute(statement).all())
        return [((row.finished_at or now) - row.received_at).total_seconds() for row in rows]

    async def live_requests(self, since: datetime) -> int:
        """How many messages were decided since then: about as many requests as live traffic took."""
        statement = sa.select(sa.func.count()).where(
            messages.c.received_at >= since, messages.c.finished_at >= since
        )
        return await self.database.read(lambda c: c.execute(statement).scalar_one())
