"""What people change in Dataverse reaches Legrand by workbook, once, and the next export is an echo."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from shared.core.change import Message
from shared.core.mapping.columns import Option
from shared.core.mapping.references import RowRef
from tests.integration.files.office import Office, office_at


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_at(tmp_path) as made:
        yield made


NEW = {"prioritycode": Option(1), "statuscode": Option(1)}


async def company(office: Office, **fields: str) -> UUID:
    """A company that both sides hold."""
    office.put("companies", "CMP1", Company_Name="Harbour Cycles", City="Balmain", **fields)
    assert await office.drop("first") == ["applied"]
    row = await office.row_of("legrand:company:CMP1")
    await office.tell("account", row)
    return row


async def test_an_edit_in_dataverse_arrives_and_the_next_drop_is_an_echo(office: Office) -> None:
    row = await company(office)

    edit = await office.save("account", row, address1_city="Glebe")

    assert await office.fate(edit) == "parked"
    assert office.record("companies", "CMP1")["City"] == "Balmain"
    await office.exchange()
    assert await office.fate(edit) == "applied"
    assert office.record("companies", "CMP1")["City"] == "Glebe"
    assert await office.pending() == []
    assert await office.drop("second") == ["echo"]
    assert (await office.values("account", row))["address1_city"] == "Glebe"


async def test_a_case_made_in_dataverse_gets_its_ticket_number_into_the_crosswalk(office: Office) -> None:
    row = await company(office)
    case = uuid4()
    made = await office.save(
        "incident", case, title="Brakes squeal", customerid=RowRef("account", row), **NEW
    )

    await office.exchange()

    assert await office.fate(made) == "applied"
    (ticket,) = office.records("tickets")
    assert (ticket["Subject"], ticket["Company ID"], ticket["Priority"]) == ("Brakes squeal", "CMP1", "High")
    assert await office.row_of(f"legrand:ticket:{ticket['Ticket No']}") == case
    # What Legrand calls the status, which Dataverse keeps beside its own.
    assert await office.drop("second") == ["applied"]
    assert (await office.values("incident", case))["tandem_boardstatus"] == "In progress"
    assert list(office.rows.of("incident")) == [case]
    assert await office.drop("third") == []


async def test_edits_of_different_columns_on_both_sides_both_survive(office: Office) -> None:
    row = await company(office)
    edit = await office.save("account", row, address1_city="Glebe")
    office.edit("companies", "CMP1", {"Phone": "02 5550 1234"})

    (behind,) = await office.drop("second")
    await office.exchange()
    assert await office.fate(edit) == "applied"

    assert behind == "held"
    values = await office.values("account", row)
    assert (values["address1_city"], values["telephone1"]) == ("Glebe", "02 5550 1234")
    held = office.record("companies", "CMP1")
    assert (held["City"], held["Phone"]) == ("Glebe", "02 5550 1234")
    assert set(await office.drop("third")) <= {"echo"}


async def test_edits_of_one_column_on_both_sides_are_a_conflict_whose_loser_is_kept(office: Office) -> None:
    row = await company(office)
    office.edit("companies", "CMP1", {"City": "Rozelle"})
    edit = await office.save("account", row, address1_city="Glebe")

    await office.exchange()

    # Legrand tells the day of its change alone, which counts as the day's last moment: Rozelle is newer.
    assert await office.fate(edit) == "conflict"
    assert office.record("companies", "CMP1")["City"] == "Rozelle"
    await office.drop("second")
    assert (await office.values("account", row))["address1_city"] == "Rozelle"
    (kept,) = await office.conflicts()
    assert (kept["column"], kept["inbound"], kept["outbound"], kept["winner"]) == (
        "address1_city",
        "Rozelle",
        "Glebe",
        "legrand",
    )


async def test_a_newer_edit_in_dataverse_is_handed_over_again_on_top_of_what_legrand_holds(
    office: Office,
) -> None:
    row = await company(office)
    office.edit("companies", "CMP1", {"City": "Rozelle"})
    office.clock.advance(timedelta(days=2))
    edit = await office.save("account", row, address1_city="Glebe")

    await office.hand_over()
    (answers,) = office.run_import().values()
    assert [answer["Result"] for answer in answers] == ["Changed"]
    assert office.record("companies", "CMP1")["City"] == "Rozelle"
    await office.hand_over()
    await office.exchange()

    assert await office.fate(edit) == "applied"
    assert office.record("companies", "CMP1")["City"] == "Glebe"
    (kept,) = await office.conflicts()
    assert (kept["inbound"], kept["outbound"], kept["winner"]) == ("Rozelle", "Glebe", "dataverse")


async def test_edits_of_one_record_keep_their_order_behind_a_pending_write(office: Office) -> None:
    row = await company(office)
    first = await office.save("account", row, address1_city="Glebe")
    second = await office.save("account", row, address1_city="Leichhardt")

    assert (await office.fate(first), await office.fate(second)) == ("parked", "held")
    await office.exchange()
    assert office.record("companies", "CMP1")["City"] == "Glebe"
    assert (await office.fate(first), await office.fate(second)) == ("applied", "parked")
    await office.exchange()
    assert office.record("companies", "CMP1")["City"] == "Leichhardt"
    assert await office.fate(second) == "applied"
    assert await office.conflicts() == []


async def test_formula_looking_text_is_neutral_in_the_workbook_and_data_on_both_sides(office: Office) -> None:
    row = await company(office)
    said = {"fax": "+61 2 5550 1234", "tandem_tags": "=HYPERLINK(1)", "address1_line1": "'t Hof 1"}
    edit = await office.save("account", row, **said)
    await office.hand_over()
    (name,) = office.files()

    cells = office.cells(name)
    assert "'=HYPERLINK(1)" in cells
    assert not [cell for cell in cells if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@"))]
    office.run_import()
    await office.hand_over()
    held = office.record("companies", "CMP1")
    assert (held["Fax"], held["Keywords"], held["Street"]) == (
        "+61 2 5550 1234",
        "=HYPERLINK(1)",
        "'t Hof 1",
    )
    assert await office.fate(edit) == "applied"
    assert await office.drop("second") == ["echo"]


async def test_a_value_that_is_cleared_is_cleared_there_and_others_are_left(office: Office) -> None:
    row = await company(office, Phone="02 5550 1234", Annual_Sales="1200.5")
    await office.save("account", row, telephone1=None, revenue=Decimal("1300.25"))
    await office.exchange()

    held = office.record("companies", "CMP1")
    assert (held["Phone"], held["City"], held["Annual Sales"]) == ("", "Balmain", "1300.25")
    assert await office.drop("second") == ["echo"]


async def test_a_status_that_legrand_calls_otherwise_is_known_by_its_own_word(office: Office) -> None:
    office.put("tickets", "T1", Subject="Brakes", Board="Support", Status="Open")
    await office.drop("first")
    row = await office.row_of("legrand:ticket:T1")
    await office.tell("incident", row)

    done = await office.save("incident", row, statuscode=Option(5))
    await office.exchange()

    assert await office.fate(done) == "applied"
    assert office.record("tickets", "T1")["Status"] == "Closed"


async def test_a_delete_in_dataverse_deletes_there_unless_people_changed_the_record(office: Office) -> None:
    row = await company(office)
    office.rows.remove("account", row)
    gone = await office.tell("account", row)
    await office.exchange()
    assert await office.fate(gone) == "applied"
    assert office.records("companies") == []
    assert await office.drop("second") in ([], ["stale"])


async def test_a_record_that_people_changed_is_not_deleted(office: Office) -> None:
    row = await company(office)
    office.edit("companies", "CMP1", {"City": "Rozelle"})
    office.rows.remove("account", row)
    gone = await office.tell("account", row)
    await office.exchange()

    assert await office.fate(gone) == "conflict"
    assert office.record("companies", "CMP1")["City"] == "Rozelle"


async def test_a_record_that_people_filled_in_where_nothing_was_agreed_is_not_deleted(office: Office) -> None:
    """It was made from a row of which the flow told the name alone, and no export has told of it since."""
    row = uuid4()
    office.rows.put("account", row, {"name": "Harbour Cycles"})
    body = {
        "schemaVersion": "1.0",
        "source": "dataverse",
        "table": "account",
        "recordId": str(row),
        "operation": "Create",
        "changedOn": office.clock.now().isoformat(),
        "rowVersion": "1",
        "data": {"accountid": str(row), "name": "Harbour Cycles"},
    }
    await office.gate.receive(Message("made", "outbound", str(row), json.dumps(body).encode(), position=1))
    await office.exchange()
    (made,) = office.records("companies")
    office.edit("companies", made["Company ID"], {"Fax": "555"})
    office.rows.remove("account", row)
    gone = await office.tell("account", row)
    await office.exchange()

    assert await office.fate(gone) == "conflict"
    assert office.record("companies", made["Company ID"])["Fax"] == "555"


async def test_each_module_has_a_workbook_of_its_own_and_writes_wait_for_company(office: Office) -> None:
    row = await company(office)
    await office.save("account", row, address1_city="Glebe")
    await office.save("incident", uuid4(), title="One", **NEW)
    assert await office.hand_over(timedelta(minutes=10)) == 0
    await office.save("incident", uuid4(), title="Two", **NEW)

    assert await office.hand_over(timedelta(minutes=21)) == 2
    assert [(name.split("-")[0], rows) for name, rows in office.sizes()] == [("Companies", 1), ("Tickets", 2)]


async def test_what_is_decided_for_legrand_is_decided_once_while_the_rest_is_handed_over(
    office: Office,
) -> None:
    row = await company(office)
    office.edit("companies", "CMP1", {"City": "Rozelle"})
    edit = await office.save("account", row, address1_city="Glebe", fax="02 5550 9999")
    await office.exchange()
    assert await office.fate(edit) == "parked"
    await office.exchange()

    assert await office.fate(edit) == "applied"
    held = office.record("companies", "CMP1")
    assert (held["City"], held["Fax"]) == ("Rozelle", "02 5550 9999")
    assert [(kept["column"], kept["winner"]) for kept in await office.conflicts()] == [
        ("address1_city", "legrand")
    ]
    await office.drop("second")
    assert (await office.values("account", row))["address1_city"] == "Rozelle"


async def test_many_edits_of_one_record_take_two_rounds_at_most(office: Office) -> None:
    row = await company(office)
    edits = [await office.save("account", row, address1_city=f"City {number}") for number in range(6)]
    await office.exchange()
    assert office.record("companies", "CMP1")["City"] == "City 0"
    await office.exchange()

    assert office.record("companies", "CMP1")["City"] == "City 5"
    # The second round took everything along: what lies between is older than what is known by now.
    assert [await office.fate(edit) for edit in edits] == ["applied", "applied", *["stale"] * 3, "echo"]
    (history,) = await office.store.operations.history.of(str(row))
    moved = [line["changes"].get("address1_city") for line in history["journal"]]
    assert [change["after"] for change in moved if change] == ["Balmain", "City 0", "City 5"]
    assert await office.pending() == []


async def test_an_edit_that_was_undone_before_it_was_handed_over_is_not_handed_over(office: Office) -> None:
    row = await company(office)
    office.rows.put("account", row, {"address1_city": "Glebe"})
    body = await office.tell_later("account", row)
    office.rows.put("account", row, {"address1_city": "Balmain"})
    edit = await body()

    assert await office.fate(edit) == "echo"
    assert await office.pending() == []


async def test_a_company_chosen_after_it_was_taken_away_does_not_lose_to_the_blank_between(
    office: Office,
) -> None:
    """A blank is read as the placeholder; nobody chose that, and a newer edit there is of the phone alone."""
    for name in ("CMP1", "CMP2"):
        office.put("companies", name, Company_Name=f"{name} Cycles")
    office.put("contacts", "CON1", Last_Name="Berg", Phone="1", Company_ID="CMP1")
    assert await office.drop("first") == ["applied"] * 3
    contact = await office.row_of("legrand:contact:CON1")
    chosen = RowRef("account", await office.row_of("legrand:company:CMP2"))
    await office.tell("contact", contact)
    await office.save("contact", contact, parentcustomerid=None)
    await office.exchange()
    assert office.record("contacts", "CON1")["Company ID"] == ""

    await office.save("contact", contact, parentcustomerid=chosen, telephone1="2")
    office.edit("contacts", "CON1", {"Phone": "3"})
    await office.exchange()
    await office.exchange()

    held = office.record("contacts", "CON1")
    assert (held["Company ID"], held["Phone"]) == ("CMP2", "3")
    assert [kept["column"] for kept in await office.conflicts()] == ["telephone1"]
