"""A contact without a company is a blank in Allegory, which is read as the placeholder: nobody chose it."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from shared.core.change import Message
from shared.core.identity import RecordKey
from shared.core.outcome import Outcome

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk


async def made(desk: "Desk", entity: str, record: str, **data: str) -> UUID:
    """A record that both systems hold; returns its row."""
    fields = desk.records.put(entity, record, data).fields
    body = {
        "schemaVersion": "1.0",
        "source": "allegory",
        "entity": entity,
        "sourceKey": record,
        "operation": "upsert",
        "changedOn": desk.clock.now().isoformat(),
        "data": dict(fields),
    }
    message = Message(record, "inbound", f"allegory:{entity}:{record}", json.dumps(body).encode(), position=0)
    await desk.gate.receive(message)
    row = await desk.store.crosswalk.row_of(RecordKey("allegory", entity, record))
    assert row is not None
    return row


async def without_company(desk: "Desk") -> UUID:
    """A contact whose company a person took away in Dataverse; that it was blanked is not told back."""
    await made(desk, "company", "C-1", name="Nord")
    contact = await made(desk, "contact", "P-1", last_name="Berg", phone="1", primary_company_id="C-1")
    desk.clock.advance(timedelta(seconds=1))
    assert await desk.row_changed(contact, table="contact", _parentcustomerid_value=None) is Outcome.APPLIED
    assert desk.records.of("contact")["P-1"]["primary_company_id"] == ""
    return contact


async def test_a_company_chosen_after_it_was_taken_away_does_not_lose_to_the_blank_between(
    desk: "Desk",
) -> None:
    """The record was touched after the choice was made, in another field, and has to be read."""
    chosen = await made(desk, "company", "C-2", name="Sued")
    contact = await without_company(desk)
    desk.clock.advance(timedelta(seconds=1))
    at = desk.clock.now()
    desk.clock.advance(timedelta(seconds=10))
    desk.records.put("contact", "P-1", {**desk.records.of("contact")["P-1"], "phone": "2"})

    outcome = await desk.row_changed(
        contact,
        table="contact",
        at=at,
        _parentcustomerid_value=str(chosen),
        _parentcustomerid_type="account",
    )

    held = desk.records.of("contact")["P-1"]
    ((told,),) = [await desk.store.operations.history.of(str(contact))]
    assert (held["primary_company_id"], held["phone"]) == ("C-2", "2")
    assert (outcome, told["conflicts"]) == (Outcome.MERGED, [])


async def test_a_contact_without_a_company_is_deleted_with_its_row(desk: "Desk") -> None:
    contact = await without_company(desk)
    desk.clock.advance(timedelta(seconds=1))

    assert await desk.row_changed(contact, table="contact", operation="Delete") is Outcome.APPLIED

    assert desk.records.of("contact") == {}
