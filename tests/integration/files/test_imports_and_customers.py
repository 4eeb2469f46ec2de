"""Customers who turn out to be one, where one of their systems takes files alone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from mappers.allegory import ALLEGORY
from mappers.dataverse.personal import PERSONAL
from mappers.legrand import LEGRAND
from mappers.matching import RULES
from shared.connectors.memory.legacy import MemoryRecords
from shared.core.change import Json, Message
from shared.core.identity import RecordKey
from shared.core.mapping.references import RowRef
from shared.core.mapping.rows import encode
from shared.recovery.customers import Customers
from tests.integration.files.office import Office, gate_for, office_at

SITE = "www.harbour.example"


@dataclass
class Both:
    """An office with Allegory beside Legrand."""

    office: Office
    allegory: MemoryRecords
    customers: Customers

    async def save(self, **fields: Json) -> None:
        """A person saves the company in Allegory, which tells of it."""
        office = self.office
        office.clock.advance(timedelta(minutes=1))
        told = self.allegory.put("company", "C-1", {**self.allegory.of("company").get("C-1", {}), **fields})
        body = {
            "schemaVersion": "1.0",
            "source": "allegory",
            "entity": "company",
            "sourceKey": "C-1",
            "operation": "upsert",
            "changedOn": told.changed_at.isoformat(),
            "data": dict(told.fields),
        }
        number = next(office.numbers)
        await office.gate.receive(
            Message(f"m-{number}", "inbound", "allegory:company:C-1", encode(body), position=number)
        )

    async def delivered(self) -> None:
        """What the app itself put on a queue arrives."""
        sent, self.office.bus.sent[:] = list(self.office.bus.sent), []
        for each in sent:
            await self.office.gate.receive(each.message)

    async def row(self) -> UUID:
        """The row of Allegory's company."""
        found = await self.office.store.crosswalk.row_of(RecordKey("allegory", "company", "C-1"))
        assert found is not None
        return found


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_at(tmp_path) as made:
        yield made


@pytest.fixture
def both(office: Office) -> Both:
    store, clock = office.store, office.clock
    records = MemoryRecords(ALLEGORY, clock)
    gate = gate_for(
        (LEGRAND, ALLEGORY), store, office.rows, office.bus, clock, office.telemetry, {"allegory": records}
    )
    customers = Customers(
        store.cases,
        store.sayings,
        store.crosswalk,
        gate.systems,
        RULES,
        PERSONAL,
        office.bus,
        clock,
        ("inbound", "outbound"),
        store.seal,
        uuid4,
    )
    return Both(replace(office, gate=gate), records, customers)


async def one(both: Both) -> tuple[UUID, UUID]:
    """A company of both systems that a person took for one: its row, and the one put aside."""
    office = both.office
    await both.save(name="Harbour Cycles", domain=SITE, city="Kiel")
    office.put("companies", "CMP1", Company_Name="Harbour Cycles Ltd", Website=SITE, City="Balmain")
    assert await office.drop("first") == ["applied"]
    kept, lost = await both.row(), await office.row_of("legrand:company:CMP1")
    (match,) = (await both.customers.waiting())["matches"]
    office.clock.advance(timedelta(minutes=1))
    await both.customers.accept(match["case"], str(kept), "ann", "same site")
    await both.delivered()
    return kept, lost


async def test_a_shared_row_reaches_legrand_with_its_next_import(both: Both) -> None:
    office = both.office
    kept, lost = await one(both)
    assert (await office.values("account", lost))["masterid"] == RowRef("account", kept)
    assert await office.row_of("legrand:company:CMP1") == kept
    await office.exchange()

    edit = await office.save("account", kept, telephone1="+49 431 5")
    # Who has an interface is told at once, who takes files with the next import.
    assert both.allegory.of("company")["C-1"]["phone"] == "+49 431 5"
    assert await office.fate(edit) == "parked"
    await office.exchange()

    assert await office.fate(edit) == "applied"
    held = office.record("companies", "CMP1")
    row = await office.values("account", kept)
    assert (held["Phone"], held["Company Name"], held["City"]) == (
        row["telephone1"],
        row["name"],
        row["address1_city"],
    )
    assert await office.pending() == []
    assert set(await office.drop("second")) <= {"echo"}


async def test_an_edit_in_legrand_reaches_allegory_by_the_row(both: Both) -> None:
    office = both.office
    kept, _ = await one(both)
    await office.exchange()
    await office.drop("second")
    office.edit("companies", "CMP1", {"Phone": "02 5550 1234"})

    assert await office.drop("third") == ["applied"]
    await office.tell("account", kept)

    assert both.allegory.of("company")["C-1"]["phone"] == "02 5550 1234"


async def test_taken_apart_again_legrand_has_its_own_row_with_what_it_said(both: Both) -> None:
    office = both.office
    _, lost = await one(both)
    await office.exchange()
    office.clock.advance(timedelta(minutes=1))

    await both.customers.unmerge("legrand:company:CMP1", "ann", "two harbours")
    await both.delivered()

    assert await office.row_of("legrand:company:CMP1") == lost
    own = await office.values("account", lost)
    assert (own["name"], own["address1_city"], own["statecode"]) == ("Harbour Cycles Ltd", "Balmain", 0)
    await office.tell("account", lost)
    await office.exchange()
    held = office.record("companies", "CMP1")
    assert (held["Company Name"], held["City"]) == ("Harbour Cycles Ltd", "Balmain")
    assert await office.pending() == []


async def merged(office: Office, heir: UUID, loser: UUID) -> None:
    """A person merges two rows in Dataverse, whose flow tells of both."""
    office.clock.advance(timedelta(minutes=1))
    office.rows.unite("account", heir, loser)
    await office.tell("account", heir)
    await office.tell("account", loser)


async def test_what_a_merged_row_had_asked_of_legrand_is_over_with_it(office: Office) -> None:
    office.put("companies", "CMP1", Company_Name="Harbour Cycles", City="Balmain")
    office.put("companies", "CMP2", Company_Name="Quay Cycles", City="Glebe")
    assert await office.drop("first") == ["applied", "applied"]
    heir, loser = [await office.row_of(f"legrand:company:CMP{number}") for number in (1, 2)]
    for row in (heir, loser):
        await office.tell("account", row)
    edit = await office.save("account", loser, address1_city="Newtown")
    assert await office.fate(edit) == "parked"

    await merged(office, heir, loser)

    assert await office.fate(edit) == "superseded"
    assert await office.pending() == []
    assert await office.hand_over() == 0
    found: dict[str, Any] = office.record("companies", "CMP2")
    assert found["City"] == "Glebe"
    # What its record says from now on is not the heir's word.
    office.edit("companies", "CMP2", {"City": "Rozelle"})
    assert await office.drop("second") == ["superseded"]
    assert (await office.values("account", heir))["address1_city"] == "Balmain"
