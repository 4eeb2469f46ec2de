"""A create was given up, sent again, and arrives after all when somebody has deleted the row (ADR 0018)."""

from datetime import timedelta
from typing import TYPE_CHECKING

from mappers.dataverse import account
from shared.core.outcome import Outcome
from shared.core.ownership import Phase
from tests.unit.flows.conftest import US

if TYPE_CHECKING:
    from uuid import UUID

    from tests.unit.flows.conftest import Desk


async def comes_late(desk: "Desk", row: "UUID") -> None:
    """The row is there again, as it once was made."""
    assert row not in desk.rows.of("account")
    desk.clock.advance(timedelta(seconds=1))
    await desk.rows.create(account.TABLE, row, {"name": "Nordwind", "telephone1": "1"})


async def deleted(desk: "Desk", row: "UUID") -> Outcome | None:
    """A person deletes the row, and its flow tells."""
    desk.clock.advance(timedelta(seconds=1))
    desk.rows.remove("account", row)
    return await desk.row_changed(row, operation="Delete")


async def test_a_row_whose_end_was_agreed_is_deleted_again(desk: "Desk") -> None:
    row = await desk.company(phone="1")
    assert await deleted(desk, row) is Outcome.APPLIED

    await comes_late(desk, row)

    assert await desk.tell_row(row, US, "Create") is Outcome.APPLIED
    assert (desk.rows.of("account"), desk.records.of("company")) == ({}, {})


async def test_it_is_recognised_within_the_second_of_the_delete_and_under_a_clock_that_is_ahead(
    desk: "Desk",
) -> None:
    row = await desk.company(phone="1")
    ahead = desk.clock.now() + timedelta(minutes=2)
    assert await desk.record_changed("C-1", None, at=ahead) is Outcome.APPLIED
    desk.records.remove("company", "C-1")

    await comes_late(desk, row)

    assert await desk.tell_row(row, US, "Create") is Outcome.APPLIED
    assert desk.rows.of("account") == {}


async def test_its_old_values_do_not_reach_a_record_that_was_edited_while_the_row_was_deleted(
    desk: "Desk",
) -> None:
    """The delete is a conflict, so no end is agreed; what was agreed last is newer than what comes late."""
    row = await desk.company(phone="1")
    assert await desk.edit_record(phone="2") is Outcome.APPLIED
    desk.rows.remove("account", row)
    at = desk.clock.now()
    desk.clock.advance(timedelta(seconds=1))
    desk.save_record(phone="3")
    assert await desk.row_changed(row, operation="Delete", at=at) is Outcome.CONFLICT

    await comes_late(desk, row)

    assert await desk.tell_row(row, US, "Create") is Outcome.APPLIED
    assert desk.rows.of("account") == {}
    assert desk.records.of("company")["C-1"]["phone"] == "3"


async def test_it_is_recognised_after_the_row_was_read_again(desk: "Desk") -> None:
    """A change of the record meets the row that came late before anybody tells of that."""
    row = await desk.company(phone="1", city="Ulm")
    desk.rows.remove("account", row)
    desk.clock.advance(timedelta(seconds=1))
    edited = desk.save_record(phone="2")
    desk.clock.advance(timedelta(seconds=1))
    await comes_late(desk, row)
    assert await desk.record_changed("C-1", edited) is Outcome.CONFLICT

    assert await desk.tell_row(row, US, "Create") is Outcome.APPLIED
    assert desk.rows.of("account") == {}
    assert desk.records.of("company")["C-1"]["phone"] == "2"


async def test_what_a_person_made_of_it_is_told_though_the_delete_is_worked_last(desk: "Desk") -> None:
    """The delete is older than the row as it was seen since: what a person made is not ended by it."""
    row = await desk.company(phone="1", city="Ulm")
    desk.clock.advance(timedelta(seconds=1))
    edited, saved_at = desk.save_record(phone="2"), desk.clock.now()
    desk.rows.remove("account", row)
    deleted_at = desk.clock.now()
    await comes_late(desk, row)
    desk.clock.advance(timedelta(seconds=1))
    desk.rows.put("account", row, {"name": "Nordwind", "telephone1": "3", "address1_city": "Ulm"})
    assert await desk.record_changed("C-1", edited, at=saved_at) is Outcome.CONFLICT

    assert await desk.row_changed(row, operation="Delete", at=deleted_at) is Outcome.APPLIED

    # Its record is gone for good: somebody has to decide, and nobody would have heard of it.
    assert await desk.tell_row(row) is Outcome.FAILED
    (failure,) = (await desk.store.operations.failures.page(10)).entries
    assert (failure["state"], failure["code"]) == ("held", "target.gone")


async def test_that_it_was_undone_is_nobodys_wish_to_delete_the_record(desk: "Desk") -> None:
    row = await desk.company(phone="1")
    desk.rows.remove("account", row)
    await comes_late(desk, row)
    assert await desk.tell_row(row, US, "Create") is Outcome.APPLIED

    assert await desk.row_changed(row, operation="Delete", actor=US) is Outcome.ECHO

    assert list(desk.records.of("company")) == ["C-1"]


async def test_our_own_delete_of_a_row_does_not_part_what_is_gone_on_both_sides(desk: "Desk") -> None:
    """Told back where Dataverse deletes nothing, it would keep the record from ever having a row again."""
    await desk.store.owners.set_phase(("allegory", "company", ""), Phase.SHADOW_READ, "ann", "pilot")
    row = await desk.company(phone="1")
    desk.clock.advance(timedelta(seconds=1))
    desk.records.remove("company", "C-1")
    assert await desk.record_changed("C-1", None) is Outcome.APPLIED

    assert await desk.row_changed(row, operation="Delete", actor=US) is Outcome.ECHO

    desk.clock.advance(timedelta(seconds=1))
    again = desk.records.put("company", "C-1", {"name": "Nordwind"})
    assert await desk.record_changed("C-1", again.fields) is Outcome.APPLIED
    assert list(desk.rows.of("account")) == [row]


async def test_a_row_that_lives_on_in_one_system_alone_stays_deleted_in_the_other(desk: "Desk") -> None:
    await desk.store.owners.set_phase(("allegory", "company", ""), Phase.SHADOW_READ, "ann", "pilot")
    row = await desk.company(phone="1")
    assert await deleted(desk, row) is Outcome.SUPERSEDED

    await comes_late(desk, row)

    assert await desk.tell_row(row, US, "Create") is Outcome.APPLIED
    assert (desk.rows.of("account"), list(desk.records.of("company"))) == ({}, ["C-1"])


async def test_a_row_that_somebody_has_edited_since_is_left_to_them(desk: "Desk") -> None:
    row = await desk.company(phone="1")
    assert await deleted(desk, row) is Outcome.APPLIED
    await comes_late(desk, row)
    told = desk.rows.of("account")[row]
    read = await desk.rows.read(account.TABLE, row)
    assert read is not None
    version = read.version.strip('W/"')
    desk.rows.put("account", row, {"telephone1": "typed by a person"})

    outcome = await desk.row_changed(
        row, operation="Create", actor=US, version=version, name=str(told["name"])
    )

    assert outcome is Outcome.SUPERSEDED
    assert desk.rows.of("account")[row]["telephone1"] == "typed by a person"


async def test_the_create_that_made_the_row_is_an_echo_however_late_it_is_told(desk: "Desk") -> None:
    row = await desk.company(phone="1")
    assert await desk.tell_row(row, US, "Create") is Outcome.ECHO
    assert await desk.edit_record(phone="2") is Outcome.APPLIED

    outcome = await desk.row_changed(
        row, operation="Create", actor=US, version="1", name="Nordwind", telephone1="1"
    )

    assert outcome is Outcome.STALE
    assert desk.rows.of("account")[row]["telephone1"] == "2"
