"""What people ask of plans, and what they are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.plan import MOVES, Plan, PlanState, Policy, Selection
from shared.core.ports import Report
from shared.recovery.plans.ports import Plans, Reports


class NotPossible(Exception):
    """The plan's state does not allow what was asked; the text says what it allows."""


@dataclass(frozen=True, slots=True)
class PlanDesk:
    """Makes plans, moves them, tells of them."""

    plans: Plans
    reports: Reports

    async def create(self, selection: Selection, actor: str) -> Report:
        """Freeze what a selection means; what it would do is told a little later."""
        return await self._told(await self.plans.create(selection, actor))

    async def all(self) -> Report:
        """The newest plans."""
        return {"plans": [as_told(plan) for plan in await self.plans.newest()]}

    async def show(self, number: int) -> Report | None:
        """A plan: how far it is, and what was foreseen."""
        plan = await self.plans.find(number)
        return None if plan is None else await self._told(plan)

    async def act(
        self, number: int, action: str, actor: str, *, policy: Policy | None = None, reason: str | None = None
    ) -> Report | None:
        """Run, pause, resume or cancel a plan; None when there is none, NotPossible where it cannot be."""
        plan = await self.plans.find(number)
        if plan is None:
            return None
        if action == "run" and policy is None and plan.policy is None:
            policy = Policy()
        moved = await self.plans.move(number, action, actor, policy=policy, reason=reason)
        if moved is None:
            raise NotPossible(await self._why_not(plan, action))
        return await self._told(moved)

    async def report(self, number: int) -> Report | None:
        """What became of every message of a plan; `adds_up` is False when one is missing or counted twice."""
        plan = await self.plans.find(number)
        if plan is None:
            return None
        counts = await self.reports.counts(number)
        return {
            **as_told(plan),
            **counts,
            "adds_up": all(_adds_up(counts[part], plan) for part in ("heads", "followers")),
            "listed": await self.reports.listed(number),
            "later": await self.reports.later(plan),
        }

    async def _told(self, plan: Plan) -> Report:
        return {
            **as_told(plan),
            **await self.reports.counts(plan.number),
            "foreseen": await self.reports.prediction(plan.number),
        }

    async def _why_not(self, plan: Plan, action: str) -> str:
        if plan.state is PlanState.FROZEN:
            return f"plan {plan.number} is still being foreseen: ask for it again in a moment"
        if plan.state in MOVES[action]:
            others = [each.number for each in await self.plans.newest() if each.state is PlanState.RUNNING]
            running = ", ".join(str(number) for number in others)
            return f"plan {running} is running: one at a time, so that the stop rule knows whom it counts"
        return f"plan {plan.number} is {plan.state}: it cannot {action}"


def as_told(plan: Plan) -> dict[str, Any]:
    """A plan, JSON-ready, without its messages."""
    return {
        "plan": plan.number,
        "state": plan.state.value,
        "reason": plan.reason,
        "selection": plan.selection.told(),
        "created_at": plan.created_at.isoformat(),
        "created_by": plan.created_by,
        "started_at": plan.started_at.isoformat() if plan.started_at else None,
        "started_by": plan.started_by,
        "changed_at": plan.changed_at.isoformat(),
        "changed_by": plan.changed_by,
        "ended_at": plan.ended_at.isoformat() if plan.ended_at else None,
        "wave": plan.wave,
        "policy": plan.policy.told() if plan.policy else None,
    }


def _adds_up(part: Mapping[str, Any], plan: Plan) -> bool:
    decided = sum(part["fates"].values())
    under_way = part["waiting"] + part["sent"]
    is_over = plan.ended_at is not None
    return decided + under_way == part["selected"] and not (is_over and under_way)
