"""Foresees a plan piece by piece, so that a worker that dies on the way costs one piece."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from shared.core.change import Change, Direction
from shared.core.errors import InvalidMessage
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Table
from shared.core.plan import Budget, Plan, Policy, seconds_needed
from shared.core.plan_items import Foreseen, LaneOfPlan
from shared.core.ports import Clock, Row
from shared.recovery.plans.foresight import Foresight, Prediction
from shared.recovery.plans.outline import Outline, needed
from shared.recovery.plans.ports import ForeseenItems, ManyRows, Reports
from shared.recovery.plans.sides import ReadAhead

_PAGE = 400
"""Records whose messages are in memory at once while a plan is drawn in outline."""

_PIECE = 200
"""Records that are foreseen at once: what a worker that dies on the way costs, and what memory holds."""

_AT_ONCE = 8
"""Lanes that are played at the same time: each may have to ask a far side for what was not read ahead."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What Dataverse grants one identity: requests per window, and the window."""

    requests: float
    window: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Prophet:
    """Foresees plans."""

    items: ForeseenItems
    reports: Reports
    foresight: Foresight
    rows: ManyRows
    clock: Clock
    granted: Granted

    async def step(self, plan: Plan, outlines: dict[int, Outline]) -> None:
        """Do one piece of a plan's prediction; `outlines` remembers its records from piece to piece.

        Raises PlanOvertaken, and Transient where a far side cannot be read now.
        """
        outline = outlines.setdefault(plan.number, Outline())
        if not outline.is_whole:
            await self._draw(plan, outline)
            return
        known = await self.reports.prediction(plan.number)
        if known is None:
            depths = outline.depths()
            begun = Prediction()
            begun.told["levels"] = _sizes(depths)
            await self.items.arrange(plan, depths, begun.told)
            return
        records = await self.items.unforeseen(plan.number, _PIECE)
        prediction = Prediction(dict(known))
        if not records:
            await self.reports.ready(plan, {**prediction.told, "cost": await self._cost(prediction.told)})
            outlines.pop(plan.number, None)
            return
        lanes = await self.items.lanes(plan.number, records)
        await self.items.foresee(plan, await self._foresee(lanes, outline, prediction), prediction.told)

    async def _foresee(
        self, lanes: Sequence[LaneOfPlan], outline: Outline, prediction: Prediction
    ) -> list[Foreseen]:
        ahead = await self._read_ahead(lanes)
        found: list[Foreseen] = []
        for start in range(0, len(lanes), _AT_ONCE):
            some = lanes[start : start + _AT_ONCE]
            played = await asyncio.gather(*(self.foresight.of_lane(lane, outline, ahead) for lane in some))
            for lane, (through, needless) in zip(some, played, strict=True):
                found += prediction.add(lane, through, needless)
        return found

    async def _draw(self, plan: Plan, outline: Outline) -> None:
        """Draw one page of a plan's records in outline."""
        records = await self.items.records(plan.number, outline.after, _PAGE)
        for lane in await self.items.lanes(plan.number, records):
            changes = self._changes(lane)
            outline.draw(lane.record, (each.subject for each in changes), self._wanted(changes))
        outline.is_whole = len(records) < _PAGE

    async def _read_ahead(self, lanes: Sequence[LaneOfPlan]) -> ReadAhead:
        """What the lanes' messages will ask for, in few requests."""
        wanted: dict[str, tuple[Table, list[UUID]]] = {}
        keys: dict[RecordKey, None] = {}
        others: dict[UUID, None] = {}
        for lane in lanes:
            changes = self._changes(lane)
            for change in changes:
                table = self.foresight.sides.table(change)
                if table is not None and (change.partial or change.direction is Direction.INBOUND):
                    wanted.setdefault(table.name, (table, []))[1].append(lane.record)
            keys |= dict.fromkeys(each.subject for each in changes)
            for each in self._wanted(changes):
                if isinstance(each, UUID):
                    others[each] = None
                else:
                    keys[each] = None
        known = await self.items.known([*dict.fromkeys([*(lane.record for lane in lanes), *others])], [*keys])
        rows: dict[tuple[str, UUID], Row | None] = {}
        for table, row_ids in wanted.values():
            found = await self.rows.read_many(table, list(dict.fromkeys(row_ids)))
            rows |= {(table.name, row_id): row for row_id, row in found.items()}
        return ReadAhead(rows, known)

    def _changes(self, lane: LaneOfPlan) -> list[Change]:
        """What a lane's messages say, as far as they can be read."""
        return [change for kept in lane.kept if (change := self.foresight.change_of(kept)) is not None]

    def _wanted(self, changes: Iterable[Change]) -> list[RecordKey | UUID]:
        """What changes point at; one with a value that has no place points at nothing yet."""
        found: list[RecordKey | UUID] = []
        for change in changes:
            try:
                found += needed(self.foresight.sides.columns(change))
            except InvalidMessage:
                continue
        return found

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
