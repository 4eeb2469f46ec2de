"""What people change in Dataverse reaches Legrand by workbook, once, and the next export is an echo."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from shared.connectors.sqlstore.pending import pending_write
from shared.core.mapping.columns import Option
from shared.core.mapping.references import RowRef
from tests.integration.files.office import LOST_AFTER, Office, office_at


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


async def test_a_refused_row_is_a_failure_in_a_group_and_goes_again_when_it_is_replayed(
    office: Office,
) -> None:
    row = await company(office)
    edit = await office.save("account", row, address1_city="Glebe")
    await office.exchange("refuses")

    assert await office.fate(edit) == "failed"
    (group,) = await office.store.operations.groups.open()
    assert (group["code"], group["answer"], group["table"]) == ("target.refused", "rule", "account")
    await office.store.operations.repair.replay(edit, "olga")
    await office.gate.worker.drain(row)
    assert await office.fate(edit) == "parked"
    await office.exchange()
    assert await office.fate(edit) == "applied"
    assert await office.store.operations.groups.open() == []


async def test_an_acknowledgement_that_comes_late_is_taken_when_it_comes(office: Office) -> None:
    row = await company(office)
    edit = await office.save("account", row, address1_city="Glebe")
    await office.exchange("late")
    assert await office.fate(edit) == "parked"
    assert office.record("companies", "CMP1")["City"] == "Glebe"

    # The drop is read before the acknowledgement: what it tells waits its turn.
    assert await office.drop("second") == ["held"]
    office.run_import()
    await office.hand_over()

    assert await office.fate(edit) == "applied"
    assert await office.drop("third") == []


async def test_a_new_record_that_a_drop_tells_of_before_its_acknowledgement_is_not_doubled(
    office: Office,
) -> None:
    case = uuid4()
    made = await office.save("incident", case, title="Brakes squeal", **NEW)
    await office.exchange("late")
    assert await office.drop("first") == ["held"]
    office.run_import()
    await office.hand_over()

    assert await office.fate(made) == "applied"
    assert list(office.rows.of("incident")) == [case]
    assert len(office.records("tickets")) == 1


async def test_a_row_that_an_acknowledgement_leaves_out_is_handed_over_again_and_done_once(
    office: Office,
) -> None:
    cases = [uuid4(), uuid4()]
    made = [await office.save("incident", case, title=f"Case {n}", **NEW) for n, case in enumerate(cases)]

    await office.exchange("partly")
    assert [await office.fate(one) for one in made] == ["applied", "parked"]
    await office.exchange()

    assert [await office.fate(one) for one in made] == ["applied", "applied"]
    assert sorted(ticket["Subject"] for ticket in office.records("tickets")) == ["Case 0", "Case 1"]


async def test_a_row_that_is_left_out_again_and_again_becomes_a_failure(office: Office) -> None:
    for number in range(2):
        await office.save("incident", UUID(int=number + 1), title=f"Case {number}", **NEW)
    await office.exchange("partly")
    for _ in range(3):
        await office.hand_over()
        office.run_import("mute")
        await office.hand_over(timedelta(minutes=5))

    (group,) = await office.store.operations.groups.open()
    assert (group["code"], group["answer"]) == ("target.refused", "row_unanswered")


async def test_a_workbook_that_is_lost_is_written_again_byte_for_byte(office: Office) -> None:
    row = await company(office)
    edit = await office.save("account", row, address1_city="Glebe")
    await office.hand_over()
    (name,) = office.files()
    content = (office.imports / name).read_bytes()
    office.run_import("loses")
    assert office.files() == []

    assert await office.hand_over(LOST_AFTER - timedelta(hours=1)) == 0
    assert await office.hand_over(timedelta(hours=2)) == 1
    assert office.files() == [name]
    assert (office.imports / name).read_bytes() == content
    office.run_import()
    await office.hand_over()
    assert await office.fate(edit) == "applied"


async def test_the_order_of_columns_means_nothing_and_half_an_acknowledgement_is_left_alone(
    office: Office,
) -> None:
    row = await company(office)
    first = await office.save("account", row, address1_city="Glebe")
    await office.exchange("shuffled")
    assert await office.fate(first) == "applied"

    second = await office.save("account", row, address1_city="Rozelle")
    await office.exchange("half_written")
    assert await office.fate(second) == "parked"
    (told, _) = (await office.store.imports.report())["files"]
    assert told["note"] == "its acknowledgement cannot be read: file.not_a_workbook"
    office.run_import()
    await office.hand_over()
    assert await office.fate(second) == "applied"


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


async def test_each_module_has_a_workbook_of_its_own_and_writes_wait_for_company(office: Office) -> None:
    row = await company(office)
    await office.save("account", row, address1_city="Glebe")
    await office.save("incident", uuid4(), title="One", **NEW)
    assert await office.hand_over(timedelta(minutes=10)) == 0
    await office.save("incident", uuid4(), title="Two", **NEW)

    assert await office.hand_over(timedelta(minutes=21)) == 2
    assert [(name.split("-")[0], rows) for name, rows in office.sizes()] == [("Companies", 1), ("Tickets", 2)]


async def test_an_acknowledgement_that_never_comes_raises_the_alarm_and_is_taken_when_it_comes_after_all(
    office: Office,
) -> None:
    row = await company(office)
    edit = await office.save("account", row, address1_city="Glebe")
    await office.hand_over()
    office.clock.advance(timedelta(hours=25))

    assert await office.store.waits.overdue(timedelta(hours=24), 10) == 1
    (group,) = await office.store.operations.groups.open()
    assert (group["code"], group["field"], group["table"]) == ("import.unanswered", "(import)", "account")
    assert await office.fate(edit) == "failed"
    office.run_import()
    await office.hand_over(timedelta(minutes=5))
    assert await office.fate(edit) == "applied"
    assert await office.store.operations.groups.open() == []


async def test_a_write_that_a_person_skips_before_it_is_in_a_workbook_is_not_sent(office: Office) -> None:
    row = await company(office)
    edit = await office.save("account", row, address1_city="Glebe")
    await office.store.operations.repair.skip(edit, "not for Legrand", "olga")
    after = await office.save("account", row, telephone1="02 5550 1234")

    # What was skipped is still what Dataverse holds: a later change brings it along.
    assert await office.fate(after) == "parked"
    await office.hand_over()
    await office.retry()
    await office.exchange()
    assert await office.fate(after) == "applied"
    assert office.record("companies", "CMP1")["Phone"] == "02 5550 1234"
    assert [rows for _, rows in office.sizes()] == [1]


async def test_operators_see_where_a_pending_write_is(office: Office) -> None:
    row = await company(office)
    await office.save("account", row, address1_city="Glebe")
    (history,) = await office.store.operations.history.of(str(row))
    pending = history["lane"]["pending"]
    assert (pending["system"], pending["asked"], pending["state"], pending["file"]) == (
        "legrand",
        "update",
        "queued",
        None,
    )

    await office.hand_over()
    (history,) = await office.store.operations.history.of(str(row))
    assert history["lane"]["pending"]["state"] == "sent"
    assert history["lane"]["pending"]["file"] == office.files()[0]
    (standing,) = (await office.store.operations.standing.take())["parked"]
    assert standing["entity"] == "legrand:acknowledgement"


async def test_what_a_write_carried_is_forgotten_once_it_is_over(office: Office) -> None:
    row = await company(office)
    await office.save("account", row, address1_city="Glebe")
    await office.exchange()

    with office.store.engine.connect() as connection:
        (kept,) = connection.execute(sa.select(pending_write)).all()
    assert (kept.state, kept.fields, kept.was, kept.agrees, kept.held) == ("over", None, None, None, None)


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
