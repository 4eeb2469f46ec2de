"""A table is written without a guard only while nobody but the legacy side may write it."""

from datetime import UTC, datetime, timedelta

import pytest

from mappers.allegory import ALLEGORY
from mappers.dataverse import TABLES
from shared.connectors.memory.clock import SettableClock
from shared.core.mapping.spec import EntityMap, Owner
from shared.core.ownership import Ownership, Phase, Rule, ownership
from shared.core.ports import Report
from shared.core.unit import AskUnits
from shared.inbound.one_sided import OneSided

NORTH = "00000000-0000-4000-8000-000000000001"
ACCOUNT = TABLES["account"]
ENTRY = next(entry for entry in ALLEGORY.maps if entry.table is ACCOUNT)


class Matrix:
    """Phases by unit of Allegory's companies, and rules."""

    def __init__(self, phases: dict[str, Phase], *rules: Rule) -> None:
        self.set = phases
        self.rules = rules

    async def of(self, system: str, entry: EntityMap, units: AskUnits, begun: str = "") -> Ownership:
        (unit,) = [str(each.id) for each in await units()] or [""]
        phase = self.set.get(unit, self.set.get("", Phase.COEXIST))
        return ownership(system, entry, phase, self.rules, begun)

    async def by_unit(self, system: str) -> bool:
        return bool(system and self.set.keys() - {""})

    async def phases(self) -> list[Report]:
        of = {"system": ALLEGORY.name, "entity": ENTRY.entity}
        return [{**of, "unit": unit, "phase": phase.value} for unit, phase in self.set.items()]


def one_sided(matrix: Matrix, clock: SettableClock | None = None) -> OneSided:
    systems = {ALLEGORY.name: ALLEGORY}
    return OneSided(matrix, matrix.phases, systems, clock or SettableClock(datetime(2026, 2, 1, tzinfo=UTC)))


def rule(owner: Owner, phase: str = "") -> Rule:
    column = next(iter(ownership(ALLEGORY.name, ENTRY, Phase.COEXIST).columns))
    return Rule(ALLEGORY.name, ENTRY.entity, column, owner, phase)


@pytest.mark.parametrize(
    ("matrix", "alone"),
    [
        (Matrix({}), False),
        (Matrix({"": Phase.COEXIST}), False),
        (Matrix({"": Phase.LEGACY_MASTER}), True),
        (Matrix({"": Phase.SHADOW_READ}), True),
        (Matrix({"": Phase.DYNAMICS_MASTER}), False),
        (Matrix({"": Phase.LEGACY_MASTER, NORTH: Phase.SHADOW_READ}), True),
        (Matrix({"": Phase.LEGACY_MASTER, NORTH: Phase.COEXIST}), False),
        (Matrix({NORTH: Phase.LEGACY_MASTER}), False),
        (Matrix({"": Phase.LEGACY_MASTER}, rule(Owner.DATAVERSE)), False),
        (Matrix({"": Phase.LEGACY_MASTER}, rule(Owner.DATAVERSE, "coexist")), True),
    ],
)
async def test_every_unit_and_column_has_to_belong_to_the_legacy_side(matrix: Matrix, *, alone: bool) -> None:
    assert await one_sided(matrix)(ACCOUNT) is alone


async def test_a_table_that_no_map_fills_is_nobodys() -> None:
    assert not await one_sided(Matrix({"": Phase.LEGACY_MASTER}))(TABLES["systemuser"])


async def test_a_phase_that_ends_is_known_in_two_seconds() -> None:
    clock = SettableClock(datetime(2026, 2, 1, tzinfo=UTC))
    matrix = Matrix({"": Phase.SHADOW_READ})
    asked = one_sided(matrix, clock)
    before = await asked(ACCOUNT)
    matrix.set[""] = Phase.COEXIST

    clock.advance(timedelta(seconds=2))

    assert (before, await asked(ACCOUNT)) == (True, False)
