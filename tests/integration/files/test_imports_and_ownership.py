"""Who decides, where a system is written to by import: values go back there, and people's decisions."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from shared.core.mapping.spec import Owner
from shared.core.ownership import Phase, Rule
from shared.recovery.settle import Settle
from tests.integration.files.office import Office, office_at


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_at(tmp_path) as made:
        yield made


async def company(office: Office) -> UUID:
    """A company that both sides hold."""
    office.put("companies", "CMP1", Company_Name="Harbour Cycles", City="Balmain")
    assert await office.drop("first") == ["applied"]
    row = await office.row_of("legrand:company:CMP1")
    await office.tell("account", row)
    return row


async def move(office: Office, *phases: Phase) -> None:
    for phase in phases:
        await office.store.owners.set_phase(("legrand", "company", ""), phase, "lea", "a test")


async def test_what_was_not_for_legrand_to_change_is_handed_back_to_it(office: Office) -> None:
    row = await company(office)
    await move(office, Phase.DYNAMICS_MASTER)
    office.edit("companies", "CMP1", {"City": "Rozelle", "Phone": "02 5550 1234"})

    assert await office.drop("second") == ["parked"]
    assert (await office.values("account", row))["address1_city"] == "Balmain"
    await office.exchange()

    held = office.record("companies", "CMP1")
    assert (held["City"], held["Phone"]) == ("Balmain", "")
    assert {kept["column"]: (kept["inbound"], kept["winner"]) for kept in await office.conflicts()} == {
        "address1_city": ("Rozelle", "dataverse"),
        "telephone1": ("02 5550 1234", "dataverse"),
    }
    assert await office.pending() == []
    assert set(await office.drop("third")) <= {"echo"}
    assert len(await office.conflicts()) == 2


async def test_what_people_made_of_it_meanwhile_is_not_written_over_by_what_is_handed_back(
    office: Office,
) -> None:
    await company(office)
    await move(office, Phase.DYNAMICS_MASTER)
    office.edit("companies", "CMP1", {"City": "Rozelle"})
    assert await office.drop("second") == ["parked"]
    office.edit("companies", "CMP1", {"City": "Newtown"})
    await office.exchange()

    # What it holds by now is told with the next drop, and handed back in its turn.
    assert office.record("companies", "CMP1")["City"] == "Newtown"
    assert await office.drop("third") == ["parked"]
    await office.exchange()
    assert office.record("companies", "CMP1")["City"] == "Balmain"


async def test_nothing_that_legrand_alone_may_change_is_sent_to_it(office: Office) -> None:
    row = await company(office)
    await move(office, Phase.SHADOW_READ, Phase.LEGACY_MASTER)

    edit = await office.save("account", row, address1_city="Glebe")

    assert await office.fate(edit) == "conflict"
    assert (await office.values("account", row))["address1_city"] == "Balmain"
    assert await office.pending() == []


async def disputed(office: Office) -> tuple[UUID, int, Settle]:
    """A city that both sides changed, and that a person is to decide."""
    row = await company(office)
    rule = Rule("legrand", "company", "address1_city", Owner.PERSON)
    await office.store.owners.set_rule(rule, "lea", "a test")
    office.edit("companies", "CMP1", {"City": "Rozelle"})
    edit = await office.save("account", row, address1_city="Glebe")
    await office.exchange()
    assert await office.fate(edit) == "conflict"
    settle = Settle(
        office.store.conflicts,
        office.gate.systems,
        office.bus,
        office.clock,
        "inbound",
        office.store.seal,
        uuid4,
    )
    (open_one,) = (await settle.waiting())["conflicts"]
    return row, open_one["id"], settle


@pytest.mark.parametrize(("take", "city"), [("outbound", "Glebe"), ("inbound", "Rozelle")])
async def test_a_persons_decision_reaches_legrand_by_import(office: Office, take: str, city: str) -> None:
    row, number, settle = await disputed(office)
    await settle.settle(number, take, None, "pia", "she knows")
    message = office.bus.sent[-1].message
    await office.gate.receive(message)
    await office.exchange()

    assert await office.fate(message.id) == "applied"
    assert office.record("companies", "CMP1")["City"] == city
    assert (await office.values("account", row))["address1_city"] == city
    assert (await settle.waiting())["conflicts"] == []
    assert set(await office.drop("second")) <= {"echo"}


async def test_a_person_is_asked_again_when_legrand_holds_something_else_by_then(office: Office) -> None:
    _, number, settle = await disputed(office)
    await settle.settle(number, "outbound", None, "pia", "she knows")
    message = office.bus.sent[-1].message
    await office.gate.receive(message)
    office.edit("companies", "CMP1", {"City": "Newtown"})
    await office.exchange()

    assert await office.fate(message.id) == "conflict"
    (again,) = (await settle.waiting())["conflicts"]
    assert (again["inbound"], again["outbound"]) == ("Newtown", "Glebe")
    assert office.record("companies", "CMP1")["City"] == "Newtown"
