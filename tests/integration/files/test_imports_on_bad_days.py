"""Imports on bad days: late, partial, lost, refused or never acknowledged; and what operators see of them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from shared.connectors.sqlstore.pending import pending_write
from shared.core.mapping.columns import Option
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
