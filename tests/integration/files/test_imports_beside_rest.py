"""One customer in both systems: the one with an interface is told at once, the other by import."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from shared.connectors.memory.clock import SettableClock
from shared.connectors.memory.legacy import MemoryRecords
from shared.core.change import Message
from tests.integration.files.office import BEGIN, Office, office_at


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(BEGIN)


@pytest.fixture
def allegory(clock: SettableClock) -> MemoryRecords:
    return MemoryRecords(ALLEGORY, clock)


@pytest.fixture
def office(tmp_path: Path, clock: SettableClock, allegory: MemoryRecords) -> Iterator[Office]:
    records = {ALLEGORY.name: allegory}
    with office_at(tmp_path, clock=clock, others=(ALLEGORY,), records=records) as made:
        yield made


async def shared(office: Office, allegory: MemoryRecords) -> UUID:
    """A company of both systems, held as one row."""
    office.put("companies", "CMP1", Company_Name="Harbour Cycles", City="Balmain")
    assert await office.drop("first") == ["applied"]
    row = await office.row_of("legrand:company:CMP1")
    record = allegory.put("company", "C-1", {"name": "Harbour Cycles", "city": "Balmain"})
    body = {
        "schemaVersion": "1.0",
        "source": "allegory",
        "entity": "company",
        "sourceKey": "C-1",
        "dataverseId": str(row),
        "operation": "upsert",
        "changedOn": office.clock.now().isoformat(),
        "data": dict(record.fields),
    }
    message = Message("allegory-1", "inbound", str(row), json.dumps(body).encode(), position=1)
    await office.gate.receive(message)
    await office.tell("account", row)
    await office.exchange()
    return row


async def test_an_edit_of_a_shared_row_reaches_both_systems(office: Office, allegory: MemoryRecords) -> None:
    row = await shared(office, allegory)
    edit = await office.save("account", row, address1_city="Glebe")

    assert allegory.of("company")["C-1"]["city"] == "Glebe"
    assert office.record("companies", "CMP1")["City"] == "Balmain"
    await office.exchange()

    assert await office.fate(edit) == "applied"
    assert office.record("companies", "CMP1")["City"] == "Glebe"
    assert await office.pending() == []
    assert set(await office.drop("second")) <= {"echo"}
    assert await office.conflicts() == []


async def test_an_edit_in_one_system_reaches_the_other_by_import(
    office: Office, allegory: MemoryRecords
) -> None:
    row = await shared(office, allegory)
    office.edit("companies", "CMP1", {"City": "Rozelle"})
    await office.drop("second")
    assert (await office.values("account", row))["address1_city"] == "Rozelle"
    await office.tell("account", row)
    await office.exchange()

    assert allegory.of("company")["C-1"]["city"] == "Rozelle"
    assert office.record("companies", "CMP1")["City"] == "Rozelle"
    assert await office.pending() == []


async def test_a_refusal_of_one_system_does_not_keep_the_other_from_what_is_new(
    office: Office, allegory: MemoryRecords
) -> None:
    row = await shared(office, allegory)
    edit = await office.save("account", row, address1_city="Glebe")
    await office.exchange("refuses")

    assert await office.fate(edit) == "failed"
    assert allegory.of("company")["C-1"]["city"] == "Glebe"
    await office.store.operations.repair.replay(edit, "olga")
    await office.gate.worker.drain(row)
    await office.exchange()
    assert await office.fate(edit) == "applied"
    assert office.record("companies", "CMP1")["City"] == "Glebe"
