"""A delete that crosses, and what was on its way meanwhile."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.core.errors import Unavailable
from shared.core.mapping.columns import Option, Value
from shared.core.mapping.references import RowRef
from shared.core.outcome import Outcome

if TYPE_CHECKING:
    import pytest

    from tests.unit.flows.conftest import Desk

ROW = UUID("00000000-0000-4000-8000-000000000001")


async def test_our_own_late_writes_do_not_revive_a_deleted_row(desk: "Desk") -> None:
    """Create and delete of a row are worked long after both happened; then Allegory tells of our create."""
    created = desk.clock.now()
    desk.clock.advance(timedelta(minutes=1))
    await desk.row_changed(operation="Create", at=created, name="Nordwind")
    ((record_id, fields),) = desk.records.of("company").items()
    written = desk.clock.now()

    assert await desk.row_changed(operation="Delete", at=created + timedelta(seconds=1)) is Outcome.APPLIED
    assert await desk.record_changed(record_id, fields, at=written) is Outcome.STALE

    assert (desk.records.of("company"), desk.rows.of("account")) == ({}, {})


async def test_nor_do_they_where_the_delete_happened_and_nobody_was_told(
    desk: "Desk", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    """Allegory's clock is ahead: by its time we made the record after its row was deleted."""
    created = desk.clock.now()
    desk.clock.advance(timedelta(minutes=2))
    await desk.row_changed(operation="Create", at=created, name="Nordwind")
    ((record_id, fields),) = desk.records.of("company").items()
    written, delete = desk.clock.now(), desk.records.delete

    async def unheard(entity: str, record_id: str, version: str) -> None:
        await delete(entity, record_id, version)
        monkeypatch.undo()
        raise Unavailable("no answer in time")

    monkeypatch.setattr(desk.records, "delete", unheard)
    assert await desk.row_changed(operation="Delete", at=created + timedelta(seconds=1)) is Outcome.FAILED
    await desk.later(2)

    assert await desk.record_changed(record_id, fields, at=written) is Outcome.STALE

    assert (desk.records.of("company"), desk.rows.of("account")) == ({}, {})


async def test_a_record_brought_back_has_its_row_again_though_its_clock_is_behind(desk: "Desk") -> None:
    """By Dataverse's clock the row was deleted later than the record was brought back by Allegory's."""
    row = await desk.company(phone="1")
    fields = desk.records.of("company")["C-1"]
    written = desk.clock.now()
    ahead = written + timedelta(minutes=2)
    desk.rows.remove("account", row)
    assert await desk.row_changed(row, operation="Delete", at=ahead) is Outcome.APPLIED
    assert desk.records.of("company") == {}

    desk.clock.advance(timedelta(seconds=30))
    back = desk.records.put("company", "C-1", fields)

    assert await desk.record_changed("C-1", fields, at=written) is Outcome.STALE
    assert await desk.record_changed("C-1", back.fields) is Outcome.APPLIED
    assert desk.rows.of("account")[row]["telephone1"] == "1"


async def test_a_row_brought_back_is_told_of_though_its_clock_is_behind(desk: "Desk") -> None:
    """Its record is gone for good, so somebody has to decide; before, nobody would have heard of it."""
    row = await desk.company(phone="1")
    ahead = desk.clock.now() + timedelta(minutes=2)
    desk.records.remove("company", "C-1")
    assert await desk.record_changed("C-1", None, at=ahead) is Outcome.APPLIED
    assert desk.rows.of("account") == {}

    desk.clock.advance(timedelta(seconds=30))
    desk.rows.put("account", row, {"name": "Nordwind", "telephone1": "2"})

    assert await desk.tell_row(row, operation="Create") is Outcome.FAILED
    (failure,) = (await desk.store.operations.failures.page(10)).entries
    assert (failure["state"], failure["code"]) == ("held", "target.gone")


async def test_a_record_that_a_person_changed_is_not_deleted_unseen(desk: "Desk") -> None:
    await desk.row_changed(operation="Create", name="Nordwind", telephone1=None)
    ((record_id, fields),) = desk.records.of("company").items()
    desk.records.put("company", record_id, {**fields, "phone": "1"})
    desk.clock.advance(timedelta(seconds=1))

    assert await desk.row_changed(operation="Delete") is Outcome.CONFLICT

    assert list(desk.records.of("company")) == [record_id]


async def last_reason(desk: "Desk", row: UUID) -> str:
    (story,) = await desk.store.operations.history.of(str(row))
    return str(story["journal"][-1]["reason"])


async def test_a_row_filled_in_where_nothing_was_agreed_is_not_deleted_unseen(desk: "Desk") -> None:
    """Its record has never spoken of a telephone, and no message tells of the one a person typed."""
    row = await desk.company()
    desk.rows.put("account", row, {"telephone1": "5"})
    desk.clock.advance(timedelta(seconds=5))
    desk.records.remove("company", "C-1")

    assert await desk.record_changed("C-1", None) is Outcome.CONFLICT

    assert desk.rows.of("account")[row]["telephone1"] == "5"
    assert await last_reason(desk, row) == "deleted there, filled in here: telephone1"


async def test_a_record_filled_in_where_nothing_was_agreed_is_not_deleted_unseen(desk: "Desk") -> None:
    await desk.row_changed(operation="Create", name="Nordwind")
    ((record_id, fields),) = desk.records.of("company").items()
    desk.records.put("company", record_id, {**fields, "phone": "1", "city": "Kiel"})
    desk.clock.advance(timedelta(seconds=1))

    assert await desk.row_changed(operation="Delete") is Outcome.CONFLICT

    assert list(desk.records.of("company")) == [record_id]
    assert await last_reason(desk, ROW) == "deleted here, filled in there: address1_city, telephone1"


async def test_what_a_side_puts_in_by_itself_keeps_nothing(desk: "Desk") -> None:
    """Who owns a row, in which state it is and since when, and what no map sends to its record."""
    row = await desk.company()
    by_itself: dict[str, Value] = {
        "ownerid": RowRef("systemuser", UUID(int=3)),
        "statecode": Option(0),
        "overriddencreatedon": desk.clock.now(),
        "tandem_modifiedby": "Ada",
        "fax": "7",
    }
    desk.rows.put("account", row, by_itself)
    desk.clock.advance(timedelta(seconds=5))
    desk.records.remove("company", "C-1")

    assert await desk.record_changed("C-1", None) is Outcome.APPLIED

    assert desk.rows.of("account") == {}


async def test_nor_does_what_a_system_puts_into_a_record_as_it_is_made(
    desk: "Desk", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    create = desk.records.create

    async def with_country(entity: str, fields: Any, key: str) -> Any:
        return await create(entity, {**fields, "country": "Germany"}, key)

    monkeypatch.setattr(desk.records, "create", with_country)
    await desk.row_changed(operation="Create", name="Nordwind")
    (made,) = desk.records.of("company").values()
    desk.clock.advance(timedelta(seconds=1))

    assert await desk.row_changed(operation="Delete") is Outcome.APPLIED

    assert (made["country"], desk.records.of("company")) == ("Germany", {})


async def test_nor_does_a_blank_company_which_is_the_placeholders(desk: "Desk") -> None:
    await desk.row_changed(operation="Create", table="contact", lastname="Five")
    ((record_id, fields),) = desk.records.of("contact").items()
    desk.records.put("contact", record_id, {**fields, "primary_company_id": "", "phone": ""})
    desk.clock.advance(timedelta(seconds=1))

    assert await desk.row_changed(operation="Delete", table="contact") is Outcome.APPLIED

    assert desk.records.of("contact") == {}
