"""Drives plans: one instance at a time, a short step after another, everything it knows in SQL.

It puts back messages and wakes their lanes, as a person does with one; it never decides and never writes to a
far side. A step that dies is done again by whoever comes next: what is marked as sent and was not put back is
put back then, and what went through already stays what it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from shared.core.change import Direction
from shared.core.errors import Transient
from shared.core.plan import (
    Plan,
    PlanOvertaken,
    PlanState,
    Policy,
    Progress,
    Send,
    Wait,
    allowed_by,
    halt,
    next_step,
    p95,
)
from shared.core.plan_items import Ending, Fate, Standing, endings
from shared.core.plan_order import spread
from shared.core.ports import Bus, Clock, Jobs, Telemetry
from shared.core.priority import Priority, working_as
from shared.core.repair import Done
from shared.core.verdict import ItemState
from shared.recovery.plans.outline import Outline
from shared.recovery.plans.ports import Plans, Repairs, Reports, SentItems
from shared.recovery.plans.proof import Proof, ReadBack
from shared.recovery.plans.prophet import Prophet

_JOB = "replay-plans"
_LEASE_SECONDS = 15.0
_PAUSE = 0.2
"""Seconds between two looks at plans that are under way."""


@dataclass(frozen=True, slots=True)
class PlanDriver:
    """Does the work of plans; `budget` is how long one run of it may take."""

    plans: Plans
    items: SentItems
    reports: Reports
    prophet: Prophet
    read_back: ReadBack
    repairs: Repairs
    bus: Bus
    jobs: Jobs
    clock: Clock
    telemetry: Telemetry
    owner: str
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    budget: timedelta = timedelta(seconds=25)
    _outlines: dict[int, Outline] = field(default_factory=dict)

    async def run(self) -> None:
        """Work on plans until there is nothing to do, or the time of this run is over."""
        until = self.clock.now() + self.budget
        while self.clock.now() < until and await self.jobs.lease(_JOB, self.owner, _LEASE_SECONDS):
            at_work = await self.plans.at_work()
            if not at_work:
                return
            for plan in at_work:
                # What is read to foresee or to prove waits for live traffic, too.
                with working_as(Priority.REPLAY):
                    await self._step(plan.number)
            if not any(plan.state is PlanState.FROZEN for plan in at_work):
                await self.sleep(_PAUSE)

    async def _step(self, number: int) -> None:
        plan = await self.plans.take(number)
        if plan is None:
            return
        try:
            if plan.state is PlanState.FROZEN:
                await self.prophet.step(plan, self._outlines)
                return
            self._outlines.pop(number, None)
            await self._watch(plan)
            if plan.state is PlanState.RUNNING:
                await self._go_on(plan)
            elif plan.state is PlanState.CANCELLED and not await self.items.standings(number):
                await self.plans.finish(plan)
        except PlanOvertaken:
            return
        except Transient as error:
            dimensions = {"plan": str(number), "code": error.code.value}
            self.telemetry.event("tandem.plan_waits", dimensions, error=True)

    async def _watch(self, plan: Plan) -> None:
        """Put back what was only marked as sent, and write down what was decided."""
        standings = await self.items.standings(plan.number)
        if unsent := [each for each in standings if each.is_unsent]:
            await self._put_back(plan, unsent)
        found = endings((each for each in standings if not each.is_unsent), self.clock.now())
        if found:
            await self.items.conclude(plan, found)
        await self._reinstate(plan)
        for record in await self.items.unproven(plan.number):
            await self._prove(plan, record)

    async def _go_on(self, plan: Plan) -> None:
        policy = plan.policy or Policy()
        progress = await self.items.progress(plan)
        stopped = halt(policy, progress, p95(await self.reports.live_lags(plan)))
        if stopped is not None:
            await self._halt(plan, stopped.reason)
            return
        since = self.clock.now() - plan.sent_at if plan.sent_at else timedelta(seconds=1)
        step = next_step(policy, progress, allowed_by(policy.rate, since))
        if isinstance(step, Send):
            await self._send(plan, step, progress)
        elif step is Wait.OVER:
            await self._last_look(plan)
            await self.plans.finish(plan)
            self.telemetry.event("tandem.plan_finished", {"plan": str(plan.number)})

    async def _send(self, plan: Plan, step: Send, progress: Progress) -> None:
        is_canary = step.wave == 0
        units = await self.items.next_units(plan.number, None if is_canary else 4 * step.count)
        if is_canary:
            units = spread(units, [unit.kind for unit in units], step.count)
        records = [unit.record for unit in units[: step.count]]
        already = progress.sent if step.wave == progress.wave else 0
        await self.items.send(plan, step.wave, already + len(records), records, prove=is_canary)
        chosen = set(records)
        sent = [each for each in await self.items.standings(plan.number) if each.planned.record in chosen]
        needless = await self._collapse(plan, sent)
        await self._put_back(plan, [each for each in sent if each.planned.number not in needless])

    async def _collapse(self, plan: Plan, sent: Sequence[Standing]) -> set[int]:
        """Supersede what a later message of the same lane makes needless, if nothing came between since."""
        done: list[Ending] = []
        strange: dict[UUID, bool] = {}
        numbers = {each.planned.number: each.planned.message_id for each in sent}
        for each in sent:
            planned = each.planned
            if planned.covered_by not in numbers or each.is_decided:
                continue
            if planned.record not in strange:
                lane = await self.items.of_record(plan.number, planned.record)
                strange[planned.record] = lane.has_strangers
            if strange[planned.record]:
                continue
            reason = f"superseded by {numbers[planned.covered_by]}, which says all of it"
            skipped = await self.repairs.skip(planned.message_id, reason, _actor(plan), number=planned.number)
            # One that somebody else had finished stays what it was.
            if skipped.done is Done.SKIPPED:
                done.append(Ending(planned.number, Fate.SUPERSEDED, reason))
        if done:
            await self.items.conclude(plan, done)
        return {each.number for each in done}

    async def _put_back(self, plan: Plan, standings: Sequence[Standing]) -> None:
        """Let failing messages go on, in their lanes' order, and wake each lane once."""
        heads = [(each.planned.message_id, each.planned.number) for each in standings if each.planned.is_head]
        awake: dict[UUID, Direction] = {}
        for repaired in await self.repairs.replay_all(heads, _actor(plan)) if heads else ():
            if repaired.done is Done.QUEUED and repaired.record and repaired.direction:
                awake.setdefault(repaired.record, repaired.direction)
        await asyncio.gather(*(self._wake(record, direction) for record, direction in awake.items()))

    async def _wake(self, record: UUID, direction: Direction) -> None:
        """A wake that cannot be sent is not lost: the retry timer finds the lane."""
        try:
            await self.bus.wake(direction, record, self.clock.now())
        except Transient as error:
            dimensions = {"record": str(record), "code": error.code.value}
            self.telemetry.event("tandem.wake_deferred", dimensions, error=True)

    async def _reinstate(self, plan: Plan) -> None:
        """A message that should have covered earlier ones did not go through: those take their places again.

        They come before it in the lane, so they are applied as if they had never been superseded.
        """
        if numbers := await self.items.uncovered(plan.number):
            for record in await self.items.put_back(plan, numbers):
                await self._wake(record, Direction.INBOUND)

    async def _prove(self, plan: Plan, record: UUID) -> None:
        lane = await self.items.of_record(plan.number, record)
        # What did not go through changed nothing; what the far side holds then is not the plan's doing.
        through = (kept for kept in lane.kept if kept.state is ItemState.DONE)
        changes = [change for kept in through if (change := self.prophet.foresight.change_of(kept))]
        proof = await self.read_back.of(record, changes) if changes else Proof.UNWRITTEN
        await self.items.prove(plan, record, proof.value)
        if proof is Proof.DIFFERS and plan.state is PlanState.RUNNING:
            await self._halt(plan, f"record {record} of the canary, read back, is not what was agreed")
            raise PlanOvertaken

    async def _halt(self, plan: Plan, reason: str) -> None:
        await self.plans.halt(plan, reason)
        self.telemetry.event("tandem.plan_stopped", {"plan": str(plan.number)}, error=True)

    async def _last_look(self, plan: Plan) -> None:
        """What was held and has gone through since is told as what it is in the end."""
        held = await self.items.standings(plan.number, held=True)
        better = [each for each in endings(held, self.clock.now()) if each.fate is not Fate.HELD]
        if better:
            await self.items.conclude(plan, better)


def _actor(plan: Plan) -> str:
    """Who acts where a plan acts: in journal and audit it is told with the person that set it going."""
    return f"plan {plan.number} ({plan.started_by or plan.created_by})"
