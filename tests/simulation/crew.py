"""The two processes of the app: their workers and timers, which die alone or with their process."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, TypeAlias

from shared.core.errors import SyncError
from shared.core.ports import StoreUnavailable
from tests.simulation.app import App
from tests.simulation.weather import HAND, Fault
from tests.simulation.world import World

GAP_SECONDS = 60.0
"""How often the gap detector looks."""

_PROCESSES = ("a", "b")

Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
Job: TypeAlias = Callable[[], Coroutine[Any, Any, object]]


@dataclass(slots=True)
class Hand:
    """Something that runs in a process for as long as that lives."""

    name: str
    process: str
    work: Work
    task: "asyncio.Task[None] | None" = None


@dataclass(slots=True)
class Crew:
    """Everything that runs. Two of each timer never work at once: that is what their leases are for."""

    world: World
    app: App
    chance: Random
    hands: list[Hand] = field(default_factory=list)

    def __post_init__(self) -> None:
        for number in range(self.world.plan.workers):
            self._add(f"worker {number}", _PROCESSES[number % len(_PROCESSES)], self._work)
        for process in _PROCESSES:
            self._timer("feed", process, 10.0, self.app.feed(process, self.world.allegory.system).run)
            self._timer("gap", process, GAP_SECONDS, self.app.detector(process).run)
            self._timer("retry", process, 30.0, self.app.retry().run)
            self._timer("settling", process, 30.0, self.app.settle.run)
            if (second := self.world.second) is not None:
                self._timer("second feed", process, 10.0, self.app.feed(process, second.system).run)
                self._timer("customers", process, 30.0, self.app.customers.run)
            if Fault.PLANS in self.world.weather.rates:
                self._add(f"plans timer {process}", process, partial(self._drive, process))
        self._add("sweeper", _PROCESSES[0], self._sweep)

    def start(self) -> None:
        """Set everything going."""
        for hand in self.hands:
            self._start(hand)

    async def stop(self) -> None:
        """Let everything end."""
        await self._die(self.hands)

    async def crash(self) -> None:
        """Let one thing or another die and begin anew, for as long as things go wrong."""
        if Fault.CRASH not in self.world.weather.rates:
            return
        while self.world.weather.on:
            await asyncio.sleep(self.chance.random() * 30)
            victim = self.chance.choice(self.hands)
            whole = self.chance.random() < 0.3
            dead = [hand for hand in self.hands if hand.process == victim.process] if whole else [victim]
            await self._die(dead)
            self.world.deaths += len(dead)
            self.world.story.tell(f"process {victim.process} dies" if whole else f"{victim.name} dies")
            await asyncio.sleep(self.chance.random() * 20)
            for hand in dead:
                self._start(hand)

    def _add(self, name: str, process: str, work: Work) -> None:
        self.hands.append(Hand(name, process, work))

    def _timer(self, name: str, process: str, seconds: float, job: Job) -> None:
        self._add(f"{name} timer {process}", process, partial(self._tick, process, seconds, job))

    async def _tick(self, process: str, seconds: float, job: Job) -> None:
        # The processes do not tick together.
        await asyncio.sleep(seconds * _PROCESSES.index(process) / len(_PROCESSES))
        while True:
            await asyncio.sleep(seconds)
            try:
                await job()
            except (StoreUnavailable, SyncError) as error:
                self.world.story.tell(f"a timer gives up: {error}")

    async def _drive(self, process: str) -> None:
        """Drive plans; what a driver remembers dies with it."""
        await self._tick(process, 5.0, self.app.plan_driver(process).run)

    def _start(self, hand: Hand) -> None:
        async def work() -> None:
            HAND.set(hand.name)
            await hand.work()

        hand.task = asyncio.get_running_loop().create_task(work(), name=hand.name)

    async def _die(self, hands: list[Hand]) -> None:
        tasks = [hand.task for hand in hands if hand.task is not None]
        for hand in hands:
            self.world.weather.forget(hand.name)
        for task in tasks:
            task.cancel()
        for died in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(died, asyncio.CancelledError):
                self.world.troubles.append(f"a task ended by itself: {died!r}")

    async def _work(self) -> None:
        queues = self.world.queues
        name = HAND.get()
        while True:
            taken = await queues.take()
            self.world.weather.stalled.discard(name)
            self.world.weather.writing.pop(name, None)
            try:
                await self.app.gate.receive(taken.message)
            except StoreUnavailable:
                queues.abandon(taken)
            except asyncio.CancelledError:
                queues.forsake(taken)
                raise
            except Exception as error:  # noqa: BLE001  # told by the judge
                self.world.troubles.append(f"{name} raised {error!r}")
                queues.complete(taken)
            else:
                queues.complete(taken)

    async def _sweep(self) -> None:
        queues = self.world.queues
        while True:
            message = await queues.take_dead()
            try:
                await self.app.sweep(message)
            except StoreUnavailable:
                await asyncio.sleep(1)
            else:
                queues.dead.remove(message)
