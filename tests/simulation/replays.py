"""The people who replay by plan: while much still goes wrong, and once all is well."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from shared.core.errors import SyncError
from shared.core.plan import MOVES, PlanState, Policy, Selection
from shared.core.plan_items import Fate
from shared.core.ports import Report, StoreUnavailable
from shared.recovery.plans.desk import NotPossible, PlanDesk
from tests.simulation.people import TEXTS
from tests.simulation.world import RestlessError, World

END_SECONDS = 300.0
"""How long a plan may take to end once nothing goes wrong any more."""

CALMLY = Policy(canary=2, stop_percent=100.0, stop_lag=timedelta(days=1))
"""How a plan is run that is to try everything whatever comes of it."""


@dataclass(slots=True)
class Replays:
    """Makes plans, moves them, and sees each to its end."""

    world: World
    desk: PlanDesk
    chance: Random

    async def plan_now_and_then(self) -> None:
        """Make a plan, or move one, while everything still goes on."""
        while self.world.weather.on:
            await asyncio.sleep(3 + self.chance.random() * 20)
            try:
                await self._act()
            except (NotPossible, SyncError, StoreUnavailable) as error:
                self.world.story.tell(f"a person's plan fails: {error!r}")

    async def end_all(self) -> None:
        """Run what was halted or never run, or cancel it, until every plan is over."""
        for told in reversed((await self.desk.all())["plans"]):
            number = told["plan"]
            await self._still(number)
            state = PlanState(((await self.desk.show(number)) or told)["state"])
            if state in MOVES["run"] and self.chance.random() < 0.7:
                await self._run_out(number)
            elif not state.is_over:
                await self._move(number, "cancel")
            await self._over(number)

    async def replay_everything(self) -> Report:
        """A plan over everything that fails, run to its end; its report."""
        made = await self.desk.create(Selection(everything=True), "ann")
        self.world.story.tell(f"a person plans to replay everything: plan {made['plan']}")
        await self._still(made["plan"])
        return await self._run_out(made["plan"])

    async def replay_once_more(self, rest: Callable[[], Awaitable[None]]) -> None:
        """What still fails is replayed once more, and that plan is run again: it changes nothing."""
        writes = self.world.writes
        report = await self.replay_everything()
        await rest()
        fates = {fate for part in ("heads", "followers") for fate in report[part]["fates"]}
        if self.world.writes != writes or not fates <= {Fate.HELD, Fate.REJECTED}:
            self.world.troubles.append(f"a second plan over the same failures changes something: {fates}")
        try:
            await self._move(report["plan"], "run", CALMLY)
        except NotPossible:
            return
        self.world.troubles.append(f"plan {report['plan']} runs twice")

    async def _act(self) -> None:
        plans = (await self.desk.all())["plans"]
        at_work = [told for told in plans if not PlanState(told["state"]).is_over]
        if not at_work or self.chance.random() < 0.2:
            selection = await self._selection()
            made = await self.desk.create(selection, "ann")
            self.world.story.tell(f"a person makes plan {made['plan']}: {_said(selection)}")
            return
        told = self.chance.choice(at_work)
        fitting = [name for name, moves in MOVES.items() if PlanState(told["state"]) in moves]
        action = self.chance.choice(fitting)
        if action == "cancel" and self.chance.random() < 0.6:
            action = "run"
        await self._move(told["plan"], action, self._policy() if action == "run" else None)

    async def _selection(self) -> Selection:
        what = self.chance.random()
        if what < 0.6:
            return Selection(everything=True)
        if what < 0.8:
            return Selection(entities=(self.chance.choice([*TEXTS, "account", "contact", "opportunity"]),))
        failures = (await self.world.store.operations.failures.page(1000)).entries
        if not failures:
            return Selection(everything=True)
        chosen = self.chance.choice(failures)
        if what < 0.9:
            return Selection(records=(str(chosen["record"]),))
        return Selection(groups=(str(chosen["group"]),))

    def _policy(self) -> Policy:
        return Policy(
            canary=self.chance.choice((0, 1, 3)),
            rate=self.chance.choice((0.3, 5.0, 50.0)),
            stop_percent=self.chance.choice((1.0, 30.0, 100.0)),
            stop_lag=self.chance.choice((timedelta(seconds=30), timedelta(hours=1))),
        )

    async def _move(self, plan: int, action: str, policy: Policy | None = None) -> None:
        await self.desk.act(plan, action, "ann", policy=policy, reason="so it is decided")
        self.world.story.tell(f"a person lets plan {plan} {action}")

    async def _run_out(self, plan: int) -> Report:
        try:
            await self._move(plan, "run", CALMLY)
        except NotPossible as error:
            raise RestlessError(f"plan {plan} cannot be run: {error}") from error
        return await self._over(plan)

    async def _still(self, plan: int) -> None:
        """Wait until a plan is foreseen and halted: what it has sent may be on its way."""
        await self._until(plan, lambda told: told["state"] not in {PlanState.FROZEN, PlanState.RUNNING})

    async def _over(self, plan: int) -> Report:
        """Wait until a plan has ended; whoever looks at why it was halted lets it go on."""
        halted = {PlanState.STOPPED, PlanState.PAUSED}
        told = await self._until(plan, lambda told: told["ended_at"] or told["state"] in halted)
        while told["state"] in halted:
            self.world.story.tell(f"plan {plan} is {told['state']}: {told['reason']}")
            await self._move(plan, "resume")
            told = await self._until(plan, lambda told: told["ended_at"] or told["state"] in halted)
        report = await self.desk.report(plan)
        if report is None or not report["adds_up"]:
            self.world.troubles.append(f"the report of plan {plan} does not add up: {report}")
        return report or {}

    async def _until(self, plan: int, holds: Callable[[Report], bool]) -> Report:
        until = asyncio.get_running_loop().time() + END_SECONDS
        while True:
            told = await self.desk.show(plan) or {}
            if holds(told):
                return told
            if asyncio.get_running_loop().time() > until:
                raise RestlessError(f"plan {plan} stays {told['state']}: {told['reason']}")
            await asyncio.sleep(5)


def _said(selection: Selection) -> str:
    return ", ".join(f"{name}={value}" for name, value in selection.told().items() if value)
