"""What people change in Dataverse reaches Legrand by workbook, once, and the next export is an echo."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from tests.integration.files.office import Office, office_at


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_at(tmp_path) as made:
        yield made


async def company(office: Office, **fields: str) -> UUID:
    """A company that both sides hold."""
    office.put("companies", "CMP1", Company_Name="Harbour Cycles", City="Balmain", **fields)
    assert await office.drop("first") == ["applied"]
    row = await office.row_of("legrand:company:CMP1")
    await office.tell("account", row)
    return row


async def test_an_edit_in_dataverse_arrives_and_the_next_drop_is_an_echo(office: Office) -> None:
    row = await company(office)

    edit = await office.save("account", row, address1_city="Glebe")

    assert await office.fate(edit) == "parked"
    assert office.record("companies", "CMP1")["City"] == "Balmain"
    await office.exchange()
    assert await office.fate(edit) == "applied"
    assert office.record("companies", "CMP1")["City"] == "Glebe"
    assert await office.pending() == []
    assert await office.drop("second") == ["echo"]
    assert (await office.values("account", row))["address1_city"] == "Glebe"
