"""What a reader of Legrand's workbooks may rely on, and what its people can and cannot do at the desk."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest
from python_calamine import CalamineWorkbook

from local.crm.sheets.desk import start
from local.crm.systems import SHEETS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        start(SHEETS["legrand"], str(tmp_path / "drops"), now=lambda: NOON) as server,
        httpx.Client(base_url=server.url, timeout=5) as client,
    ):
        yield client


def test_an_export_has_a_workbook_per_module_and_a_log_in_the_accounts_own_time(
    desk: httpx.Client, tmp_path: Path
) -> None:
    company = {"Company Name": "=Größe & Co", "Annual Sales": "1200.5", "Postal Code": "0870"}
    desk.put("/admin/records/companies/CMP1", json=company).raise_for_status()

    answer = desk.post("/admin/export", json={"folder": "one"})

    assert answer.status_code == 201
    folder = tmp_path / "drops" / "one"
    head, row = (
        CalamineWorkbook.from_path(folder / "Companies.xlsx").get_sheet_by_name("Companies").to_python()
    )
    told = dict(zip(head, row, strict=False))
    assert (told["Company ID"], told["Company Name"], told["Annual Sales"], told["Postal Code"]) == (
        "CMP1",
        "=Größe & Co",
        1200.5,
        "0870",
    )
    assert told["Modified Date"] == date(2026, 3, 1)
    with (folder / "export_log.csv").open(newline="") as log:
        lines = {line["Module"]: line for line in csv.DictReader(log)}
    assert lines["Companies"] == {
        "Module": "Companies",
        "File": "Companies.xlsx",
        "Rows": "1",
        "Exported At": "01/03/2026 23:00:00",
    }


def test_a_program_with_credentials_finds_no_api(desk: httpx.Client) -> None:
    answer = desk.get("/admin/records/companies", headers={"Authorization": "Bearer key"})

    assert (answer.status_code, answer.json()) == (403, {"error": "Legrand has no API"})
    assert desk.get("/companies").status_code == 404


def test_what_a_person_mistypes_is_refused_by_name(desk: httpx.Client) -> None:
    unknown = desk.put("/admin/records/companies/CMP1", json={"Colour": "red"})
    half = desk.put("/admin/records/comments/T1", json={"Comment": "hello"})

    assert (unknown.status_code, unknown.json()["error"]) == (422, "unknown columns: Colour")
    assert (half.status_code, half.json()["error"]) == (422, "an id is Ticket No/Comment #")
    assert desk.delete("/admin/records/companies/CMP1").status_code == 404
