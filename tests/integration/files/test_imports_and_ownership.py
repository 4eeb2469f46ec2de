"""Who decides, where a system is written to by import: values go back there, and people's decisions."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from shared.core.codes import Code
from shared.core.errors import InvalidMessage
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


async def personal(office: Office) -> UUID:
    """A company whose city is a person's to decide."""
    row = await company(office)
    rule = Rule("legrand", "company", "address1_city", Owner.PERSON)
    await office.store.owners.set_rule(rule, "lea", "a test")
    return row


def settling(office: Office, *read_only: str) -> Settle:
    return Settle(
        office.store.conflicts,
        office.gate.systems,
        office.bus,
        office.clock,
        "inbound",
        office.store.seal,
        uuid4,
        frozenset(read_only),
    )


async def disputed(office: Office) -> tuple[UUID, int, Settle]:
    """A city that both sides changed, and that a person is to decide."""
    row = await personal(office)
    office.edit("companies", "CMP1", {"City": "Rozelle"})
    edit = await office.save("account", row, address1_city="Glebe")
    await office.exchange()
    assert await office.fate(edit) == "conflict"
    settle = settling(office)
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


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Office]:
    """An office of which no place for imports is known."""
    with office_at(tmp_path, takes_imports=False) as made:
        yield made


async def disputed_in(closed: Office, *read_only: str) -> tuple[UUID, int, Settle]:
    """The same dispute where nothing is written to Legrand."""
    row = await personal(closed)
    assert await closed.fate(await closed.save("account", row, address1_city="Glebe")) == "echo"
    closed.edit("companies", "CMP1", {"City": "Rozelle"})
    assert await closed.drop("second") == ["conflict"]
    settle = settling(closed, *read_only)
    (open_one,) = (await settle.waiting())["conflicts"]
    return row, open_one["id"], settle


async def test_without_a_place_for_imports_what_legrand_holds_is_settled_on_the_row(closed: Office) -> None:
    row, number, settle = await disputed_in(closed, "legrand")
    await settle.settle(number, "inbound", None, "pia", "she knows")
    message = closed.bus.sent[-1].message
    await closed.gate.receive(message)

    assert await closed.fate(message.id) == "applied"
    assert (await closed.values("account", row))["address1_city"] == "Rozelle"
    assert closed.record("companies", "CMP1")["City"] == "Rozelle"
    assert (await settle.waiting())["conflicts"] == []
    assert set(await closed.drop("third")) <= {"echo"}


async def test_without_a_place_for_imports_nothing_else_can_be_decided(closed: Office) -> None:
    _, number, settle = await disputed_in(closed, "legrand")

    for take, value in (("outbound", None), ("value", "Newtown")):
        with pytest.raises(InvalidMessage) as told:
            await settle.settle(number, take, value, "pia", "she knows")
        (fault,) = told.value.faults
        assert (fault.field, fault.code) == ("/take", Code.TARGET_ONE_WAY)
        assert fault.expected.startswith("what legrand holds")

    (open_one,) = (await settle.waiting())["conflicts"]
    assert open_one["state"] == "open"


async def test_a_decision_made_before_the_place_was_taken_away_is_held_until_it_is_back(
    closed: Office, tmp_path: Path
) -> None:
    row, number, settle = await disputed_in(closed)
    await settle.settle(number, "outbound", None, "pia", "she knows")
    message = closed.bus.sent[-1].message
    await closed.gate.receive(message)

    (failure,) = (await closed.store.operations.failures.page(10)).entries
    assert [failure[name] for name in ("message_id", "state", "code", "field")] == [
        message.id,
        "held",
        "target.one_way",
        "address1_city",
    ]
    assert (await closed.values("account", row))["address1_city"] == "Glebe"
    with office_at(tmp_path, closed) as reopened:
        await reopened.store.operations.repair.replay(message.id, "ops")
        await reopened.gate.worker.drain(row)
        await reopened.exchange()
        assert await reopened.fate(message.id) == "applied"
        assert reopened.record("companies", "CMP1")["City"] == "Glebe"
