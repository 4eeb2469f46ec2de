"""What people make in Dataverse for a customer that Legrand alone has is made there, by import."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from shared.connectors.memory.clock import SettableClock
from shared.connectors.memory.legacy import MemoryRecords
from shared.core.change import Message
from shared.core.mapping.references import RowRef
from tests.integration.files.office import BEGIN, Office, office_at

PERSON = UUID(int=77)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(BEGIN)


@pytest.fixture
def allegory(clock: SettableClock) -> MemoryRecords:
    return MemoryRecords(ALLEGORY, clock)


@pytest.fixture
def office(tmp_path: Path, clock: SettableClock, allegory: MemoryRecords) -> Iterator[Office]:
    with office_at(tmp_path, clock=clock, others=(ALLEGORY,), records={ALLEGORY.name: allegory}) as made:
        yield made


async def contact_made(office: Office) -> str:
    """A person makes a contact of a company that Legrand alone has."""
    office.put("companies", "CMP1", Company_Name="Harbour Cycles")
    assert await office.drop("first") == ["applied"]
    company = await office.row_of("legrand:company:CMP1")
    office.rows.put("contact", PERSON, {"lastname": "Five", "parentcustomerid": RowRef("account", company)})
    return await office.tell("contact", PERSON, "Create")


async def test_a_contact_of_a_customer_of_legrand_is_made_there(
    office: Office, allegory: MemoryRecords
) -> None:
    made = await contact_made(office)
    assert await office.fate(made) == "parked"
    await office.exchange()

    assert await office.fate(made) == "applied"
    (contact,) = office.records("contacts")
    assert (contact["Last Name"], contact["Company ID"]) == ("Five", "CMP1")
    assert allegory.of("contact") == {}
    await office.drop("second")
    row = await office.values("contact", PERSON)
    link = RowRef("account", await office.row_of("legrand:company:CMP1"))
    assert (row["lastname"], row["parentcustomerid"]) == ("Five", link)
    assert (await office.store.operations.failures.page(10)).entries == []


async def test_a_contact_on_its_way_into_legrand_is_made_nowhere_else(
    office: Office, allegory: MemoryRecords
) -> None:
    """Before its import is acknowledged its customer turns out to be Allegory's, too."""
    made = await contact_made(office)
    company = await office.row_of("legrand:company:CMP1")
    body = {
        "schemaVersion": "1.0",
        "source": "allegory",
        "entity": "company",
        "sourceKey": "C-1",
        "dataverseId": str(company),
        "operation": "upsert",
        "changedOn": office.clock.now().isoformat(),
        "data": dict(allegory.put("company", "C-1", {"name": "Harbour Cycles"}).fields),
    }
    told = Message("allegory-1", "inbound", str(company), json.dumps(body).encode(), position=1)
    await office.gate.receive(told)
    await office.exchange()

    assert await office.fate(made) == "applied"
    assert (len(office.records("contacts")), allegory.of("contact")) == (1, {})
