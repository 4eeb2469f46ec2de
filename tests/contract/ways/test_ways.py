"""Whatever way a system is read and written, people on both sides can rely on the same things."""

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from tests.contract.ways.conftest import Ways


async def both(ways: "Ways") -> UUID:
    """A company that both sides hold and know of."""
    await ways.save("C-1", name="Harbour Cycles", city="Balmain")
    assert await ways.comes_in() == ["applied"]
    row = await ways.people.row_of(f"{ways.system}:company:C-1")
    await ways.people.tell("account", row)
    await ways.comes_in()
    return row


async def city(ways: "Ways", row: UUID) -> object:
    return (await ways.people.values("account", row)).get("address1_city")


async def test_what_a_person_saves_there_comes_in_once(ways: "Ways") -> None:
    row = await both(ways)
    await ways.save("C-1", city="Glebe")

    assert await ways.comes_in() == ["applied"]
    assert await city(ways, row) == "Glebe"
    assert await ways.comes_in() == []


async def test_what_a_person_saves_here_goes_out_once_and_comes_back_as_an_echo(ways: "Ways") -> None:
    row = await both(ways)
    edit = await ways.people.save("account", row, address1_city="Glebe")
    await ways.goes_out()

    assert await ways.people.fate(edit) == "applied"
    assert await ways.held() == {"C-1": ("Harbour Cycles", "Glebe", "")}
    assert await ways.comes_in() == ["echo"]
    await ways.people.tell("account", row)
    await ways.goes_out()
    assert await ways.comes_in() == []
    assert await city(ways, row) == "Glebe"


async def test_what_is_made_here_is_made_there_once_and_paired(ways: "Ways") -> None:
    row = uuid4()
    made = await ways.people.save("account", row, name="Hafenlicht", address1_city="Rostock")
    await ways.goes_out()
    await ways.people.tell("account", row)
    await ways.goes_out()

    assert await ways.people.fate(made) == "applied"
    ((record, said),) = (await ways.held()).items()
    assert said == ("Hafenlicht", "Rostock", "")
    assert await ways.people.row_of(f"{ways.system}:company:{record}") == row
    assert await ways.comes_in() == ["echo"]
    assert list(ways.people.rows.of("account")) == [row]


async def test_a_value_cleared_here_is_cleared_there_and_no_other(ways: "Ways") -> None:
    row = await both(ways)
    await ways.save("C-1", phone="02 5550 1234")
    await ways.comes_in()
    await ways.people.tell("account", row)
    await ways.people.save("account", row, telephone1=None)
    await ways.goes_out()

    assert await ways.held() == {"C-1": ("Harbour Cycles", "Balmain", "")}


async def test_edits_of_different_fields_at_once_both_survive(ways: "Ways") -> None:
    row = await both(ways)
    await ways.save("C-1", phone="02 5550 1234")
    await ways.people.save("account", row, address1_city="Glebe")
    await ways.goes_out()
    await ways.comes_in()
    await ways.goes_out()

    assert await ways.held() == {"C-1": ("Harbour Cycles", "Glebe", "02 5550 1234")}
    values = await ways.people.values("account", row)
    assert (values["address1_city"], values["telephone1"]) == ("Glebe", "02 5550 1234")


async def test_edits_of_one_field_at_once_end_alike_and_the_loser_is_kept(ways: "Ways") -> None:
    row = await both(ways)
    await ways.save("C-1", city="Rozelle")
    await ways.people.save("account", row, address1_city="Glebe")
    for _ in range(3):
        await ways.goes_out()
        await ways.comes_in()
        await ways.people.tell("account", row)

    here = await city(ways, row)
    assert here in {"Rozelle", "Glebe"}
    assert (await ways.held())["C-1"][1] == here
    (kept,) = await ways.people.conflicts()
    assert {kept["inbound"], kept["outbound"]} == {"Rozelle", "Glebe"}


async def test_what_ends_here_ends_there(ways: "Ways") -> None:
    row = await both(ways)
    ways.people.rows.remove("account", row)
    await ways.people.tell("account", row)
    await ways.goes_out()

    assert await ways.held() == {}
    assert set(await ways.comes_in()) <= {"stale", "echo"}
    assert ways.people.rows.of("account") == {}


async def test_what_ends_there_ends_here(ways: "Ways") -> None:
    row = await both(ways)
    await ways.remove("C-1")

    assert await ways.comes_in() == ["applied"]
    assert ways.people.rows.of("account") == {}
    await ways.people.tell("account", row)
    await ways.goes_out()
    assert await ways.held() == {}


async def test_what_is_refused_there_is_one_failure_without_anybodys_value(ways: "Ways") -> None:
    row = await both(ways)
    await ways.refuse()
    edit = await ways.people.save("account", row, address1_city="Glebe")
    await ways.goes_out()

    assert await ways.people.fate(edit) == "failed"
    (group,) = await ways.people.store.operations.groups.open()
    assert (group["code"], group["table"]) == ("target.refused", "account")
    (failure,) = (await ways.people.store.operations.failures.page(10)).entries
    assert "Glebe" not in str(group) + str(failure)
    assert await ways.held() == {"C-1": ("Harbour Cycles", "Balmain", "")}
    await ways.people.store.operations.repair.replay(edit, "olga")
    await ways.people.gate.worker.drain(row)
    await ways.goes_out()
    assert await ways.people.fate(edit) == "applied"
    assert (await ways.held())["C-1"][1] == "Glebe"


async def test_an_export_that_is_half_there_tells_nothing(dropping: "Ways") -> None:
    await both(dropping)
    await dropping.save("C-1", city="Glebe")
    dropping.drop_half()

    assert await dropping.comes_in() == []
    assert await dropping.comes_in() == ["applied"]
