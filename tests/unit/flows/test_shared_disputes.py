"""A column of a row that two records are waits for a person: both records hear what was decided."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from shared.core.mapping.spec import Owner
from shared.core.outcome import Outcome
from shared.core.ownership import Rule
from shared.core.rest import Rest
from shared.core.system import LegacySystem
from tests.unit.flows.conftest import desk_with

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

BOREALIS = LegacySystem("borealis", (COMPANY,), Rest({"company": "companies"}))
RECORD = {"allegory": "A-1", "borealis": "B-1"}


@pytest.fixture
def desk() -> "Iterator[Desk]":
    with desk_with(ALLEGORY, BOREALIS) as made:
        yield made


async def saved(desk: "Desk", system: str, phone: str, row: UUID | None = None) -> Outcome | None:
    desk.clock.advance(timedelta(seconds=10))
    record, records = RECORD[system], desk.others[system]
    told = records.put("company", record, {"name": "Nordwind", "phone": phone})
    return await desk.record_changed(record, told.fields, system=system, row=row)


async def one_customer(desk: "Desk") -> UUID:
    """A row that a company of each system is, whose telephone is a person's to decide."""
    for system in RECORD:
        rule = Rule(system, "company", "telephone1", Owner.PERSON)
        await desk.store.owners.set_rule(rule, "ann", "as agreed")
    await saved(desk, "allegory", "1")
    (row,) = desk.rows.of("account")
    await saved(desk, "borealis", "1", row)
    await desk.tell_row(row)
    return row


async def disputed(desk: "Desk", row: UUID, system: str, phone: str) -> None:
    """Somebody typed 7 into the row, of which no flow has told, when a record says otherwise."""
    desk.clock.advance(timedelta(seconds=10))
    desk.rows.put("account", row, {"telephone1": "7"})
    assert await saved(desk, system, phone) is Outcome.CONFLICT


async def settled(desk: "Desk", row: UUID, take: str) -> None:
    """A person decides the one conflict there is, and the row's flow tells what became of it."""
    ((conflict),) = (await desk.settle.waiting())["conflicts"]
    desk.clock.advance(timedelta(seconds=10))
    version = desk.rows._rows["account", row].number
    await desk.settle.settle(conflict["id"], take, None, "ann", "it is so")
    await desk.delivered()
    assert (await desk.settle.waiting())["conflicts"] == []
    if desk.rows._rows["account", row].number > version:
        await desk.tell_row(row)


def held(desk: "Desk", row: UUID) -> dict[str, object]:
    records = {
        system: desk.others[system].of("company")[record]["phone"] for system, record in RECORD.items()
    }
    return {"row": desk.rows.of("account")[row].get("telephone1"), **records}


def everywhere(phone: str) -> dict[str, object]:
    return {"row": phone, "allegory": phone, "borealis": phone}


@pytest.mark.parametrize("system", sorted(RECORD))
@pytest.mark.parametrize(("take", "decided"), [("inbound", "5"), ("outbound", "7")])
async def test_what_was_decided_about_one_record_is_told_to_the_other(
    desk: "Desk", system: str, take: str, decided: str
) -> None:
    row = await one_customer(desk)
    await disputed(desk, row, system, "5")

    await settled(desk, row, take)

    assert held(desk, row) == everywhere(decided)


async def test_what_another_record_says_meanwhile_is_what_the_person_decides_on(desk: "Desk") -> None:
    row = await one_customer(desk)
    await disputed(desk, row, "allegory", "5")

    assert await saved(desk, "borealis", "6") is Outcome.CONFLICT

    ((conflict),) = (await desk.settle.waiting())["conflicts"]
    assert (conflict["inbound"], conflict["outbound"]) == ("6", "7")
    await settled(desk, row, "outbound")
    assert held(desk, row) == everywhere("7")


async def test_a_record_that_says_nothing_new_leaves_the_dispute_to_the_other(desk: "Desk") -> None:
    row = await one_customer(desk)
    await disputed(desk, row, "borealis", "5")

    assert await saved(desk, "allegory", "1") is Outcome.ECHO
    await desk.tell_row(row)

    ((conflict),) = (await desk.settle.waiting())["conflicts"]
    assert (conflict["inbound"], conflict["outbound"]) == ("5", "7")
    await settled(desk, row, "inbound")
    assert held(desk, row) == everywhere("5")
