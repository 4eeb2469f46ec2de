"""Business units: whose record it is decides in which phase it is, and several are in their own at once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from shared.connectors.memory.units import MemoryUnits
from shared.connectors.sqlstore import tables
from shared.core.errors import Refused
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.mapping.references import RowRef
from shared.core.outcome import Outcome
from shared.core.ownership import EVERY, Phase
from shared.core.unit import Unit
from shared.recovery.phases import Phases, Unfitting
from shared.recovery.teams import Teams
from tests.unit.flows.conftest import Desk, desk_with
from tests.unit.flows.test_cost import counted

SECOND = timedelta(seconds=1)
ROOT, NORTH, HARBOUR, SOUTH, WEST = (UUID(int=number) for number in (1, 2, 3, 4, 5))
NAMES = {ROOT: "Contoso", NORTH: "North", HARBOUR: "Harbour", SOUTH: "South", WEST: "West"}
ABOVE = {NORTH: ROOT, HARBOUR: NORTH, SOUTH: ROOT, WEST: ROOT}


def user(unit: UUID) -> UUID:
    return UUID(int=unit.int + 0x100)


def address(unit: UUID) -> str:
    return f"{NAMES[unit].lower()}@crm.example"


class Company:
    """The company as one business unit's people know it."""

    def __init__(self, desk: Desk, unit: UUID) -> None:
        self.desk, self.name, self.unit = desk, f"C-{NAMES[unit]}", unit
        self.row = chosen_row_id(RecordKey("allegory", "company", self.name))

    async def made(self, **fields: Any) -> "Company":
        told = await self.saved(name=self.name, owner_email=address(self.unit), phone="1", **fields)
        assert told is Outcome.APPLIED
        return self

    async def saved(self, **fields: Any) -> Outcome | None:
        """A person saves it in Allegory, which tells of it."""
        self.desk.clock.advance(SECOND)
        held = self.desk.records.of("company").get(self.name, {})
        told = self.desk.records.put("company", self.name, {**held, **fields})
        return await self.desk.record_changed(self.name, told.fields)

    async def edited(self, **values: Any) -> Outcome | None:
        """A person saves its row in Dataverse, whose flow tells of it."""
        self.desk.clock.advance(SECOND)
        self.desk.rows.put("account", self.row, values)
        return await self.desk.tell_row(self.row)

    def phones(self) -> tuple[Any, Any]:
        held = self.desk.records.of("company")[self.name]
        return held.get("phone"), self.desk.rows.of("account")[self.row].get("telephone1")


@pytest.fixture
def desk() -> Iterator[Desk]:
    with desk_with(ALLEGORY) as made:
        for unit, name in NAMES.items():
            above = {"parentbusinessunitid": RowRef("businessunit", ABOVE[unit])} if unit in ABOVE else {}
            made.rows.put("businessunit", unit, {"name": name, **above})
            place = {"businessunitid": RowRef("businessunit", unit)}
            made.rows.put("systemuser", user(unit), {"internalemailaddress": address(unit), **place})
        yield made


@pytest.fixture
def phases(desk: Desk) -> Phases:
    return Phases(desk.store.owners, desk.gate.systems, MemoryUnits(desk.rows))


async def laid_down(phases: Phases, unit: str, *steps: Phase, entity: str = EVERY) -> None:
    asked = {"system": "allegory", "entity": entity, "unit": unit, "reason": "on we go"}
    for phase in steps:
        await phases.move(asked | {"phase": phase.value}, "ann")


async def test_three_units_are_in_three_phases_at_once(desk: Desk, phases: Phases) -> None:
    north, south, west = [await Company(desk, unit).made() for unit in (NORTH, SOUTH, WEST)]
    await laid_down(phases, "North", Phase.SHADOW_READ, Phase.LEGACY_MASTER)
    await laid_down(phases, "West", Phase.DYNAMICS_MASTER)

    in_dataverse = [await each.edited(telephone1="9") for each in (north, south, west)]
    in_allegory = [await each.saved(phone="7") for each in (north, south, west)]

    assert in_dataverse == [Outcome.CONFLICT, Outcome.APPLIED, Outcome.APPLIED]
    assert in_allegory == [Outcome.APPLIED, Outcome.APPLIED, Outcome.CONFLICT]
    assert [each.phones() for each in (north, south, west)] == [("7", "7"), ("7", "7"), ("9", "9")]


async def test_a_unit_goes_by_what_is_laid_down_for_the_one_above_it(desk: Desk, phases: Phases) -> None:
    harbour = await Company(desk, HARBOUR).made()
    await laid_down(phases, "north", Phase.DYNAMICS_MASTER)

    assert await harbour.saved(phone="7") is Outcome.CONFLICT

    await laid_down(phases, str(HARBOUR), Phase.COEXIST)
    assert await harbour.saved(phone="8") is Outcome.APPLIED


async def test_one_entity_of_a_unit_may_go_ahead_of_the_others(desk: Desk, phases: Phases) -> None:
    north = await Company(desk, NORTH).made()
    await laid_down(phases, "North", Phase.DYNAMICS_MASTER)
    await laid_down(phases, "North", Phase.COEXIST, entity="company")

    assert await north.saved(phone="7") is Outcome.APPLIED


async def test_a_record_is_not_carried_out_of_its_unit_by_naming_another_owner(
    desk: Desk, phases: Phases
) -> None:
    west = await Company(desk, WEST).made()
    await laid_down(phases, "West", Phase.DYNAMICS_MASTER)

    assert await west.saved(owner_email=address(NORTH), phone="7") is Outcome.CONFLICT

    assert desk.rows.of("account")[west.row]["ownerid"] == RowRef("systemuser", user(WEST))
    assert desk.records.of("company")[west.name]["owner_email"] == address(WEST), "taken back"


async def test_a_new_record_is_of_the_unit_of_whom_it_names(desk: Desk, phases: Phases) -> None:
    await laid_down(phases, "West", Phase.DYNAMICS_MASTER, Phase.RETIRED)

    assert await desk.record_changed("W", {"name": "W", "owner_email": address(WEST)}) is Outcome.SUPERSEDED
    assert await desk.record_changed("N", {"name": "N", "owner_email": address(NORTH)}) is Outcome.APPLIED


async def test_every_change_of_a_phase_is_kept_with_its_unit(desk: Desk, phases: Phases) -> None:
    await laid_down(phases, "North", Phase.SHADOW_READ, Phase.LEGACY_MASTER)
    await laid_down(phases, "", Phase.DYNAMICS_MASTER, entity="deal")

    told = await phases.all()

    steps = [(each["entity"], each["unit_name"], each["before"], each["after"]) for each in told["history"]]
    assert steps == [
        ("deal", None, "coexist", "dynamics_master"),
        ("*", "North", "shadow_read", "legacy_master"),
        ("*", "North", "coexist", "shadow_read"),
    ]
    lines = [
        (each["entity"], each["unit_name"], each["phase"]) for each in told["phases"] if each["changed_at"]
    ]
    assert lines == [("*", "North", "legacy_master"), ("deal", None, "dynamics_master")]
    with desk.store.engine.connect() as connection:
        keys = [row.entity_key for row in connection.execute(tables.audit_event.select())]
    assert keys == [f"allegory:*:{NORTH}"] * 2 + ["allegory:deal:"]


@pytest.mark.parametrize(
    ("entity", "unit", "why"),
    [
        ("company", "Nowhere", "no business unit"),
        ("pipeline", "North", "has no owner"),
        ("nothing", "North", "one of its entities"),
    ],
)
async def test_a_unit_or_an_entity_that_cannot_be_is_refused(
    phases: Phases, entity: str, unit: str, why: str
) -> None:
    with pytest.raises(Unfitting, match=why):
        await laid_down(phases, unit, Phase.SHADOW_READ, entity=entity)


async def test_failures_and_tickets_tell_whose_unit_it_is_about(
    desk: Desk, phases: Phases, monkeypatch: pytest.MonkeyPatch
) -> None:
    north, harbour, south = [await Company(desk, unit).made() for unit in (NORTH, HARBOUR, SOUTH)]
    await laid_down(phases, "North", Phase.SHADOW_READ)

    async def refuse(*_: object) -> None:
        raise Refused("not today", answer="no")

    with monkeypatch.context() as patch:
        patch.setattr(desk.rows, "update", refuse)
        for company in (north, harbour, south):
            assert await company.saved(phone="7") is Outcome.FAILED

    (group,) = await desk.store.operations.groups.open()
    (cause,) = (await desk.store.operations.standing.take())["stopped"]
    assert group["units"] == cause["units"] == {"North": 1, "Harbour": 1, "South": 1}
    teams = Teams({"allegory@Harbour": "quay", "allegory/company": "sales", "allegory": "sync"})
    assert teams.of(group) == "quay", "of several with as many, the first by name"
    assert teams.of({**group, "units": {"North": 2, "Harbour": 1}}) == "sales"
    assert teams.of({**group, "units": {}}) == "sales"


async def test_without_units_laid_down_nobody_is_asked_for_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    south = await Company(desk, SOUTH).made()
    desk.clock.advance(SECOND)

    async def asked(*_: object) -> tuple[Unit, ...]:
        pytest.fail("a business unit was asked for")

    monkeypatch.setattr(MemoryUnits, "of", asked)
    with counted(desk, monkeypatch) as change:
        assert await south.saved(phone="2") is Outcome.APPLIED
    assert change["dataverse update"] == 1
