"""A record is taken out of a row while a column of that waits for a person."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from shared.core.identity import RecordKey
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
TAKEN_OUT = "borealis:company:B-1"


@pytest.fixture
def desk() -> "Iterator[Desk]":
    with desk_with(ALLEGORY, BOREALIS) as made:
        yield made


async def saved(desk: "Desk", system: str, **fields: str) -> Outcome | None:
    desk.clock.advance(timedelta(seconds=10))
    record, records = RECORD[system], desk.others[system]
    told = records.put("company", record, {**records.of("company").get(record, {}), **fields})
    return await desk.record_changed(record, told.fields, system=system)


async def row_of(desk: "Desk", system: str) -> UUID:
    row = await desk.store.crosswalk.row_of(RecordKey(system, "company", RECORD[system]))
    assert row is not None
    return row


async def two_rows(desk: "Desk") -> tuple[UUID, UUID]:
    """A customer of each system, whose telephone is a person's to decide; their rows."""
    for system in RECORD:
        rule = Rule(system, "company", "telephone1", Owner.PERSON)
        await desk.store.owners.set_rule(rule, "ann", "as agreed")
    await saved(desk, "allegory", name="Nordwind", phone="1")
    await saved(desk, "borealis", name="Ostwind", phone="2")
    return await row_of(desk, "allegory"), await row_of(desk, "borealis")


async def merged(desk: "Desk", heir: UUID, loser: UUID) -> None:
    desk.clock.advance(timedelta(seconds=10))
    desk.rows.unite("account", heir, loser)
    await desk.tell_row(loser)
    await desk.tell_row(heir)


async def disputed(desk: "Desk", row: UUID, system: str) -> None:
    """Somebody typed 7 into the row, of which no flow has told, when a record says 5."""
    desk.clock.advance(timedelta(seconds=10))
    desk.rows.put("account", row, {"telephone1": "7"})
    assert await saved(desk, system, phone="5") is Outcome.CONFLICT


async def taken_out(desk: "Desk") -> None:
    """A person takes B-1 out; the flow tells of each row that was written by that."""
    desk.clock.advance(timedelta(seconds=10))
    before = {row: kept.number for (_, row), kept in desk.rows._rows.items()}
    await desk.customers.unmerge(TAKEN_OUT, "ann", "two harbours")
    await desk.delivered()
    for row in [row for (_, row), kept in desk.rows._rows.items() if kept.number > before.get(row, 0)]:
        await desk.tell_row(row)


def phones(desk: "Desk", row: UUID, system: str) -> tuple[object, object]:
    """The telephone of a row and of a record."""
    record = desk.others[system].of("company")[RECORD[system]]
    return desk.rows.of("account")[row].get("telephone1"), record["phone"]


async def waiting(desk: "Desk") -> list[dict[str, object]]:
    return list((await desk.settle.waiting())["conflicts"])


async def test_a_dispute_with_the_record_that_leaves_is_over_and_each_keeps_what_it_says(
    desk: "Desk",
) -> None:
    heir, loser = await two_rows(desk)
    await merged(desk, heir, loser)
    await disputed(desk, heir, "borealis")

    await taken_out(desk)

    assert await waiting(desk) == []
    assert phones(desk, heir, "allegory") == ("7", "7")
    assert phones(desk, loser, "borealis") == ("5", "5")


async def test_what_a_person_types_meanwhile_is_left_to_its_own_message(desk: "Desk") -> None:
    heir, loser = await two_rows(desk)
    await merged(desk, heir, loser)
    await disputed(desk, heir, "borealis")
    desk.rows.put("account", heir, {"telephone1": "8"})

    await taken_out(desk)
    await desk.tell_row(heir)

    assert await waiting(desk) == []
    assert phones(desk, heir, "allegory") == ("8", "8")
    assert phones(desk, loser, "borealis") == ("5", "5")


async def test_a_dispute_with_another_record_stays_the_rows(desk: "Desk") -> None:
    heir, loser = await two_rows(desk)
    await merged(desk, heir, loser)
    await disputed(desk, heir, "allegory")

    await taken_out(desk)

    (conflict,) = await waiting(desk)
    assert (conflict["record"], conflict["inbound"], conflict["outbound"]) == (str(heir), "5", "7")
    assert phones(desk, loser, "borealis") == ("2", "2")
    await desk.settle.settle(int(str(conflict["id"])), "inbound", None, "ann", "it is so")
    await desk.delivered()
    await desk.tell_row(heir)
    assert phones(desk, heir, "allegory") == ("5", "5")


async def test_a_dispute_that_a_merge_ended_is_not_taken_up_again(desk: "Desk") -> None:
    """The record has its own values again; what the row held instead is kept with the history."""
    heir, loser = await two_rows(desk)
    await disputed(desk, loser, "borealis")
    await merged(desk, heir, loser)

    await taken_out(desk)

    assert await waiting(desk) == []
    assert phones(desk, loser, "borealis") == ("5", "5")
    assert phones(desk, heir, "allegory") == ("1", "1")
