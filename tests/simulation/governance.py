"""Who lays down the rules during a run: a person's columns, phases that change, conflicts settled."""

import asyncio
from dataclasses import dataclass
from itertools import product
from random import Random
from uuid import UUID

from mappers.allegory import ALLEGORY
from shared.core.conflict import NotOpen
from shared.core.customers import Unfitting
from shared.core.errors import SyncError
from shared.core.mapping.spec import Owner
from shared.core.ownership import ORDER, Phase, PhaseRefused, Rule
from shared.core.ports import Report, StoreUnavailable
from shared.recovery.customers import Customers
from shared.recovery.settle import TAKES, Settle
from tests.simulation.people import TEXTS
from tests.simulation.sides import Allegory
from tests.simulation.weather import Fault
from tests.simulation.world import World

PERSONAL = {"company": "telephone1", "contact": "jobtitle", "deal": "tandem_stagename"}
"""The columns that are a person's to decide, where any are."""

_ROUNDS = 20
"""How often everything that waits may have to be settled until nothing does."""


@dataclass(slots=True)
class Governance:
    """The people who decide for others."""

    world: World
    settle: Settle
    customers: Customers
    chance: Random
    rounds: int = 0

    async def lay_down(self) -> None:
        """Say before anybody works whose the columns are."""
        if Fault.PERSON not in self.world.weather.rates:
            return
        for system, (entity, column) in product(self.world.legacy, PERSONAL.items()):
            rule = Rule(system, entity, column, Owner.PERSON)
            await self._until_done(rule)

    async def _until_done(self, rule: Rule) -> None:
        while True:
            try:
                await self.world.store.owners.set_rule(rule, "ann", "as agreed")
            except StoreUnavailable:
                continue
            return

    async def move_phases(self, seconds: float) -> None:
        """Move entities on and back while people work."""
        if Fault.PHASE not in self.world.weather.rates:
            return
        # A merge that a phase keeps from crossing leaves two customers on one side: that is tried elsewhere.
        entities = [entry.entity for entry in ALLEGORY.maps]
        among = entities if Fault.MERGE in self.world.weather.rates else list(TEXTS)
        phases = dict.fromkeys(among, Phase.COEXIST)
        for _ in range(self.chance.randrange(1, 7)):
            await asyncio.sleep(self.chance.random() * seconds / 3)
            entity = self.chance.choice(list(phases))
            step = self.chance.choice((-1, 1))
            after = ORDER[max(0, min(len(ORDER) - 2, ORDER.index(phases[entity]) + step))]
            try:
                await self.world.store.owners.set_phase((ALLEGORY.name, entity, ""), after, "ann", "on we go")
            except (PhaseRefused, StoreUnavailable):
                continue
            phases[entity] = after
            self.world.story.tell(f"{entity} is in phase {after.value}")

    async def settle_now_and_then(self) -> None:
        """A person settles one conflict or another while everything still goes on."""
        while self.world.weather.on:
            await asyncio.sleep(5 + self.chance.random() * 40)
            try:
                found = (await self.settle.waiting())["conflicts"]
            except StoreUnavailable:
                continue
            if found:
                await self._settle(self.chance.choice(found))

    async def take_apart_now_and_then(self, second: Allegory) -> None:
        """A person finds that two records are two customers after all, while everything still goes on."""
        while self.world.weather.on:
            await asyncio.sleep(10 + self.chance.random() * 40)
            records = sorted(second.twin.of("company"))
            if not records:
                continue
            key = f"{second.system}:company:{self.chance.choice(records)}"
            try:
                await self.customers.unmerge(key, "ann", "two harbours")
            except (Unfitting, SyncError, StoreUnavailable) as error:
                self.world.story.tell(f"taking {key} out fails: {error!r}")
            else:
                self.world.apart += 1
                self.world.story.tell(f"a person takes {key} out of the row it shares")

    async def settle_everything(self) -> bool:
        """Settle what waits for a person; whether there was any.

        What was decided before is the timer's to send, or waits behind a message that is held.
        """
        waiting = (await self.settle.waiting())["conflicts"]
        found = [entry for entry in waiting if entry["state"] == "open"]
        for entry in found:
            await self._settle(entry)
        self.rounds += 1
        return bool(found) and self.rounds < _ROUNDS

    async def _settle(self, entry: Report) -> None:
        take, number = self.chance.choice(TAKES), self.world.settled.total()
        self.world.settled[UUID(entry["record"])] += 1
        try:
            await self.settle.settle(entry["id"], take, f"settled{number}", "ann", "it is so")
        except (NotOpen, SyncError, StoreUnavailable) as error:
            self.world.story.tell(f"settling conflict {entry['id']} fails: {error!r}")
        else:
            what = f"{entry['id']} ({entry['column']} of {entry['record'][:8]})"
            self.world.story.tell(f"a person settles conflict {what}: {take}")
