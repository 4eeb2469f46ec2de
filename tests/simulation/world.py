"""What a run is made of, and what it comes to: for whoever plays it and whoever judges it."""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from shared.connectors.sqlstore import Store
from tests.simulation.people import People
from tests.simulation.queues import Queues
from tests.simulation.sides import Allegory, Dataverse
from tests.simulation.story import Story
from tests.simulation.weather import ORDINARY, FarSide, Fault, Weather


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is made of; the seed decides everything else.

    Of `faults` the seed picks some, each at a rate of its own; those in `storm` strike three times as often
    as they do at most.
    """

    seed: int
    faults: frozenset[Fault] = ORDINARY
    storm: frozenset[Fault] = frozenset()
    acts: int = 16
    workers: int = 3


class RestlessError(Exception):
    """Something goes on and on."""


@dataclass(slots=True)
class World:
    """Everything a run has.

    `deaths` counts the tasks of the app that died, `apart` the records that were taken out of a row, and
    `settled` how often people settled a conflict of a record; `troubles` tells what no fault explains.
    """

    plan: Plan
    story: Story
    store: Store
    people: People
    dataverse: Dataverse
    allegory: Allegory
    queues: Queues
    weather: Weather
    line: FarSide
    second: Allegory | None = None
    deaths: int = 0
    apart: int = 0
    settled: Counter[UUID] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)

    @property
    def writes(self) -> int:
        """How often the app has written to any far side."""
        return sum(
            map(Counter.total, (self.dataverse.writes, *(each.writes for each in self.legacy.values())))
        )

    @property
    def legacy(self) -> dict[str, Allegory]:
        """The legacy systems of this run, by name."""
        return {each.system: each for each in (self.allegory, self.second) if each is not None}
