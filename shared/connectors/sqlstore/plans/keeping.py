"""Plans as a whole: made, moved by people, taken by a driver, ended.

Whoever changes a plan raises its fence. A driver writes under the fence it took, so one that was overtaken,
by another driver or by a person, writes nothing more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from shared.connectors.sqlstore.operations.audit import Deed, note
from shared.connectors.sqlstore.plans.choosing import freeze
from shared.connectors.sqlstore.plans.documents import plan_of, policy_text, selection_text
from shared.connectors.sqlstore.plans.tables import replay_item, replay_plan
from shared.connectors.sqlstore.sqltypes import ONE
from shared.connectors.sqlstore.transactions import Database
from shared.core.plan import MOVES, Plan, PlanOvertaken, PlanState, Policy, Selection
from shared.core.plan_items import Fate
from shared.core.ports import Clock

_ONE_PLAN = sa.select(replay_plan).where(replay_plan.c.number == sa.bindparam("the_plan"))
_NEWEST = 50

_HAS_WORK = sa.and_(
    replay_plan.c.ended_at.is_(None),
    sa.or_(
        replay_plan.c.state.in_([PlanState.FROZEN, PlanState.RUNNING, PlanState.CANCELLED]),
        sa.exists().where(replay_item.c.plan == replay_plan.c.number, replay_item.c.state == "sent"),
    ),
)


@dataclass(frozen=True, slots=True)
class SqlPlans:
    """Keeps plans."""

    database: Database
    clock: Clock

    async def create(self, selection: Selection, actor: str) -> Plan:
        """Freeze what a selection means now."""
        now = self.clock.now()

        def work(connection: sa.Connection) -> Plan:
            number = connection.execute(
                sa.insert(replay_plan).returning(replay_plan.c.number),
                {
                    "state": PlanState.FROZEN,
                    "selection": selection_text(selection),
                    "created_at": now,
                    "created_by": actor,
                    "changed_at": now,
                    "changed_by": actor,
                    "wave": 0,
                    "sent": 0,
                    "fence": 0,
                },
            ).scalar_one()
            freeze(connection, number, selection)
            _note(connection, number, "plan", None, PlanState.FROZEN, actor, None, now)
            return _found(connection, number)

        return await self.database.write(work)

    async def find(self, number: int) -> Plan | None:
        """A plan; None when there is none of this number."""

        def work(connection: sa.Connection) -> Plan | None:
            row = connection.execute(_ONE_PLAN, {"the_plan": number}).one_or_none()
            return None if row is None else plan_of(row)

        return await self.database.read(work)

    async def newest(self) -> Sequence[Plan]:
        """The newest plans, the last one first."""
        statement = sa.select(replay_plan).order_by(replay_plan.c.number.desc()).limit(_NEWEST)
        rows = await self.database.read(lambda c: c.execute(statement).all())
        return [plan_of(row) for row in rows]

    async def at_work(self) -> Sequence[Plan]:
        """Plans a driver has work with, the oldest first: also those halted with messages on their way."""
        statement = sa.select(replay_plan).where(_HAS_WORK).order_by(replay_plan.c.number)
        rows = await self.database.read(lambda c: c.execute(statement).all())
        return [plan_of(row) for row in rows]

    async def move(
        self, number: int, action: str, actor: str, *, policy: Policy | None = None, reason: str | None = None
    ) -> Plan | None:
        """Do what a person asks of a plan; None, and nothing done, where its state does not allow it.

        Only one plan runs at a time: the stop rule would not know whose failures it counts.
        """
        now = self.clock.now()

        def work(connection: sa.Connection) -> Plan | None:
            plan = _found(connection, number)
            becomes = MOVES[action].get(plan.state)
            if becomes is None or (becomes is PlanState.RUNNING and _another_runs(connection, number)):
                return None
            values: dict[str, Any] = {"state": becomes, "reason": reason}
            if becomes is PlanState.RUNNING:
                values |= {"counted_from": now, "started_at": plan.started_at or now}
                values |= {"started_by": plan.started_by or actor, "sent_at": now}
                if policy is not None:
                    values["policy"] = policy_text(policy)
            if not _change(connection, plan, values, actor, now):
                return None
            if becomes is PlanState.CANCELLED:
                _leave(connection, number, now)
            if becomes is PlanState.RUNNING:
                _try_again(connection, number)
            _note(connection, number, action, plan.state, becomes, actor, reason, now)
            return _found(connection, number)

        return await self.database.write(work)

    async def take(self, number: int) -> Plan | None:
        """Take a plan over as its driver; None when there is no work with it any more."""
        taken = (
            sa.update(replay_plan)
            .where(replay_plan.c.number == number, _HAS_WORK)
            .values(fence=replay_plan.c.fence + ONE)
        )

        def work(connection: sa.Connection) -> Plan | None:
            return _found(connection, number) if connection.execute(taken).rowcount else None

        return await self.database.write(work)

    async def halt(self, plan: Plan, reason: str) -> None:
        """Stop a plan by rule. Raises PlanOvertaken."""
        await self._become(plan, PlanState.STOPPED, reason)

    async def finish(self, plan: Plan) -> None:
        """End a plan of which nothing is on its way any more. Raises PlanOvertaken."""
        is_over = plan.state.is_over
        await self._become(plan, plan.state if is_over else PlanState.FINISHED, plan.reason)

    async def _become(self, plan: Plan, state: PlanState, reason: str | None) -> None:
        now, actor = self.clock.now(), driver_of(plan)
        values: dict[str, Any] = {"state": state, "reason": reason}
        if state.is_over:
            values["ended_at"] = now

        def work(connection: sa.Connection) -> None:
            guard(connection, plan)
            if not _change(connection, plan, values, actor, now):
                raise PlanOvertaken
            if state is not plan.state:
                _note(connection, plan.number, state.value, plan.state, state, actor, reason, now)

        await self.database.write(work)


def driver_of(plan: Plan) -> str:
    """Who acts where a plan acts, as audit lines name it."""
    return f"plan {plan.number} ({plan.started_by or plan.created_by})"


def guard(connection: sa.Connection, plan: Plan, **values: Any) -> None:
    """Make sure the plan is still this driver's, and write columns of it; raises PlanOvertaken."""
    owned = sa.update(replay_plan).where(
        replay_plan.c.number == plan.number, replay_plan.c.fence == plan.fence
    )
    if connection.execute(owned.values(**(values or {"fence": plan.fence}))).rowcount == 0:
        raise PlanOvertaken


def _found(connection: sa.Connection, number: int) -> Plan:
    return plan_of(connection.execute(_ONE_PLAN, {"the_plan": number}).one())


def _change(connection: sa.Connection, plan: Plan, values: dict[str, Any], actor: str, now: datetime) -> bool:
    """Write a plan as long as it stands where it stood when it was read, and raise its fence."""
    statement = sa.update(replay_plan).where(
        replay_plan.c.number == plan.number, replay_plan.c.state == plan.state
    )
    changed = {**values, "changed_at": now, "changed_by": actor, "fence": replay_plan.c.fence + ONE}
    return connection.execute(statement.values(**changed)).rowcount == 1


def _another_runs(connection: sa.Connection, number: int) -> bool:
    running = sa.select(replay_plan.c.number).where(
        replay_plan.c.state == PlanState.RUNNING, replay_plan.c.number != number
    )
    return connection.execute(running).first() is not None


def _leave(connection: sa.Connection, number: int, now: datetime) -> None:
    """What a cancelled plan has not reached stays as it is; what is on its way is still told of."""
    connection.execute(
        sa.update(replay_item)
        .where(replay_item.c.plan == number, replay_item.c.state == "waiting")
        .values(
            state="done", fate=Fate.UNREACHED, reason="the plan was cancelled before its turn", decided_at=now
        )
    )


def _try_again(connection: sa.Connection, number: int) -> None:
    """What was held until now is sent once more: whoever sets a plan going has seen to the cause.

    What lay behind a head that has gone through is by now what its record has to begin with.
    """
    connection.execute(
        sa.update(replay_item)
        .where(replay_item.c.plan == number, replay_item.c.fate == Fate.HELD)
        .values(state="waiting", fate=None, reason=None, decided_at=None, wave=None, sent_at=None, proof=None)
    )
    head = replay_item.alias("head")
    has_head = sa.exists().where(
        head.c.plan == number,
        head.c.record == replay_item.c.record,
        head.c.state == "waiting",
        head.c.is_head == sa.true(),
    )
    connection.execute(
        sa.update(replay_item)
        .where(replay_item.c.plan == number, replay_item.c.state == "waiting", ~has_head)
        .values(is_head=True)
    )


def _note(
    connection: sa.Connection,
    number: int,
    action: str,
    was: str | None,
    became: str,
    actor: str,
    reason: str | None,
    now: datetime,
) -> None:
    note(connection, Deed(actor, f"replay {action}", "replay_plan", str(number), was, became, reason), now)
