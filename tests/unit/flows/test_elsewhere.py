"""A row that hangs from one which only another system has: where its record is made, and what is told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from mappers.allegory.contacts import CONTACT
from mappers.legrand import LEGRAND
from shared.core.identity import RecordKey
from shared.core.mapping.references import RowRef
from shared.core.mapping.transforms import lookup
from shared.core.outcome import Outcome
from shared.core.rest import Rest
from shared.core.system import LegacySystem
from tests.unit.flows.conftest import desk_with

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

BOTH = Rest({"company": "companies", "contact": "contacts"})
LINK = lookup("borealis", "company", placeholder="account")
PEOPLE = replace(
    CONTACT,
    fields=tuple(
        replace(line, via=LINK) if line.legacy == "primary_company_id" else line for line in CONTACT.fields
    ),
)
BOREALIS = LegacySystem("borealis", (COMPANY, PEOPLE), BOTH)
PERSON = UUID(int=77)


@pytest.fixture
def desk() -> "Iterator[Desk]":
    with desk_with(ALLEGORY, BOREALIS) as made:
        yield made


async def customer_of(desk: "Desk", system: str, record: str = "X-1") -> UUID:
    """An account that one system alone has."""
    desk.clock.advance(timedelta(seconds=1))
    fields = {"Company Name": "Nordwind"} if system == "legrand" else {"name": f"Nordwind {record}"}
    if system in desk.others:
        desk.others[system].put("company", record, fields)
    assert await desk.record_changed(record, fields, system=system) is Outcome.APPLIED
    row = await desk.store.crosswalk.row_of(RecordKey(system, "company", record))
    assert row is not None
    return row


async def person_saved(desk: "Desk", company: UUID, operation: str = "Update") -> Outcome | None:
    """A person saves a contact of a company in Dataverse."""
    desk.clock.advance(timedelta(seconds=1))
    desk.rows.put("contact", PERSON, {"lastname": "Five", "parentcustomerid": RowRef("account", company)})
    link: dict[str, Any] = {"_parentcustomerid_value": str(company), "_parentcustomerid_type": "accounts"}
    return await desk.row_changed(PERSON, table="contact", operation=operation, lastname="Five", **link)


async def lines(desk: "Desk") -> list[tuple[str, str]]:
    """Outcome and reason of each line in the contact's journal."""
    (story,) = await desk.store.operations.history.of(str(PERSON))
    return [(line["outcome"], line["reason"]) for line in story["journal"]]


async def failing(desk: "Desk") -> list[tuple[str, str, str]]:
    found = (await desk.store.operations.failures.page(10)).entries
    return [(one["state"], one["code"], one["field"]) for one in found]


async def test_a_new_contact_is_made_in_the_system_that_has_its_account(desk: "Desk") -> None:
    company = await customer_of(desk, "borealis")

    assert await person_saved(desk, company, "Create") is Outcome.APPLIED

    ((record, made),) = desk.others["borealis"].of("contact").items()
    assert (made["last_name"], made["primary_company_id"]) == ("Five", "X-1")
    assert desk.others["allegory"].of("contact") == {}
    assert await desk.store.crosswalk.row_of(RecordKey("borealis", "contact", record)) == PERSON


async def test_where_its_system_takes_nothing_the_journal_says_so_and_nothing_waits() -> None:
    with desk_with(ALLEGORY, LEGRAND) as there:
        company = await customer_of(there, "legrand")

        assert await person_saved(there, company, "Create") is Outcome.ECHO

        reason = "legrand has no place for imports: nothing is sent to it"
        assert await lines(there) == [("echo", reason)]
        assert there.records.of("contact") == {}


async def test_a_record_moved_below_what_only_another_system_has_is_told_at_once(desk: "Desk") -> None:
    first, second = await customer_of(desk, "allegory"), await customer_of(desk, "borealis", "X-2")
    await person_saved(desk, first, "Create")

    assert await person_saved(desk, second) is Outcome.PARKED

    assert await failing(desk) == [("parked", "parent.elsewhere", "parentcustomerid")]
    (_, (_, reason)) = await lines(desk)
    assert reason == (
        f"parent.elsewhere: parentcustomerid: waits for dataverse:account:{second}, "
        "a record of allegory, where borealis alone has one. "
        "Link it in Dataverse to a row that this system has, or put the two customers together. Or skip."
    )


async def test_it_waits_without_trying_again_and_without_another_alarm(desk: "Desk") -> None:
    first, second = await customer_of(desk, "allegory"), await customer_of(desk, "borealis", "X-2")
    await person_saved(desk, first, "Create")
    await person_saved(desk, second)
    before = await lines(desk)

    for _ in range(3):
        await desk.later(3600, PERSON)

    assert await desk.store.waits.overdue(timedelta(minutes=1), 10) == 0
    assert await lines(desk) == before


async def test_it_goes_on_once_the_two_customers_are_one(desk: "Desk") -> None:
    first, second = await customer_of(desk, "allegory"), await customer_of(desk, "borealis", "X-2")
    third = await customer_of(desk, "allegory", "X-3")
    await person_saved(desk, first, "Create")
    await person_saved(desk, second)

    desk.clock.advance(timedelta(seconds=1))
    desk.rows.unite("account", third, second)
    await desk.tell_row(second)
    await desk.delivered()

    (made,) = desk.records.of("contact").values()
    assert made["primary_company_id"] == "X-3"
    assert await failing(desk) == []


async def test_one_that_no_system_can_make_whole_is_told_at_once() -> None:
    """Its system takes companies alone."""
    with desk_with(ALLEGORY, replace(BOREALIS, maps=(COMPANY,))) as desk:
        company = await customer_of(desk, "borealis")

        assert await person_saved(desk, company, "Create") is Outcome.PARKED

        assert await failing(desk) == [("parked", "parent.elsewhere", "parentcustomerid")]
        assert desk.records.of("contact") == {}
