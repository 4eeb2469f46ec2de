"""Foresees a plan piece by piece, so that a worker that dies on the way costs one piece."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.core.errors import InvalidMessage
from shared.core.identity import RecordKey
from shared.core.plan import Budget, Plan, Policy, seconds_needed
from shared.core.plan_items import Foreseen, LaneOfPlan
from shared.core.plan_order import levels
from shared.core.ports import Clock
from shared.recovery.plans.foresight import Foresight, Prediction
from shared.recovery.plans.ports import Items, Reports
from shared.recovery.plans.sides import needed

_PIECE = 40
_AT_ONCE = 4
"""Lanes that are read for a prediction at the same time; live traffic needs the rest."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What Dataverse grants one identity: requests per window, and the window."""

    requests: float
    window: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Prophet:
    """Foresees plans."""

    items: Items
    reports: Reports
    foresight: Foresight
    clock: Clock
    granted: Granted

    async def step(self, plan: Plan, planned: dict[int, dict[RecordKey, UUID]]) -> None:
        """Do one piece of a plan's prediction; `planned` remembers its records from piece to piece.

        Raises PlanOvertaken, and Transient where a far side cannot be read now.
        """
        known = await self.reports.prediction(plan.number)
        if known is None or plan.number not in planned:
            lanes = [
                await self.items.of_record(plan.number, each)
                for each in await self.items.records(plan.number)
            ]
            planned[plan.number], depths = self._order(lanes)
            if known is None:
                begun = Prediction()
                begun.told["levels"] = _sizes(depths)
                await self.items.arrange(plan, depths, begun.told)
                return
        records = await self.items.unforeseen(plan.number, _PIECE)
        prediction = Prediction(dict(known))
        if not records:
            await self.reports.ready(plan, {**prediction.told, "cost": await self._cost(prediction.told)})
            return
        lanes = [await self.items.of_record(plan.number, each) for each in records]
        found: list[Foreseen] = []
        for start in range(0, len(lanes), _AT_ONCE):
            some = lanes[start : start + _AT_ONCE]
            played = await asyncio.gather(
                *(self.foresight.of_lane(lane, planned[plan.number]) for lane in some)
            )
            for lane, (through, needless) in zip(some, played, strict=True):
                found += prediction.add(lane, through, needless)
        await self.items.foresee(plan, found, prediction.told)

    def _order(self, lanes: Sequence[LaneOfPlan]) -> tuple[dict[RecordKey, UUID], dict[UUID, int]]:
        """The records of the plan by their keys, and how deep each hangs."""
        keys: dict[RecordKey, UUID] = {}
        wanted: dict[UUID, list[RecordKey | UUID]] = {}
        for lane in lanes:
            wanted[lane.record] = []
            for kept in lane.kept:
                change = self.foresight.change_of(kept)
                if change is None:
                    continue
                keys[change.subject] = lane.record
                try:
                    wanted[lane.record] += needed(self.foresight.sides.columns(change))
                except InvalidMessage:
                    continue
        needs = {
            record: [
                parent
                for each in points
                if (parent := each if isinstance(each, UUID) else keys.get(each)) is not None
                and parent != record
            ]
            for record, points in wanted.items()
        }
        return keys, levels(needs)

    async def _cost(self, told: dict[str, Any]) -> dict[str, Any]:
        """Requests, and how long they take beside what live traffic takes of the same allowance."""
        window = self.granted.window
        live = await self.reports.live_requests(self.clock.now() - window)
        # A write that meets a newer version reads and writes once more; a conflict is such a one.
        requests = sum(told["writes"].values()) + 2 * told["conflicts"]["records"]
        to_dataverse = sum(n for name, n in told["writes"].items() if name.startswith("dataverse "))
        budget = Budget(self.granted.requests, window.total_seconds(), live)
        seconds = seconds_needed(Policy(), told["records"], to_dataverse, budget)
        return {
            "requests": requests,
            "seconds": round(seconds, 1),
            "rate": Policy().rate,
            "granted": round(self.granted.requests),
            "live": live,
            "window": window.total_seconds(),
        }


def _sizes(depths: dict[UUID, int]) -> list[int]:
    """Records per level."""
    return [
        sum(1 for depth in depths.values() if depth == level)
        for level in range(max(depths.values(), default=-1) + 1)
    ]
