"""What a reader of Legrand's workbooks may rely on, and what its people can and cannot do at the desk."""

import base64
import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from python_calamine import CalamineWorkbook

from local.crm.sheets.desk import start
from local.crm.systems import SHEETS
from mappers.exports import EXPORTS

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[httpx.Client]:
    with (
        start(SHEETS["legrand"], str(tmp_path / "drops"), now=lambda: NOON) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


def sheets(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of every sheet of a workbook, below its head; blank cells are left out."""
    book = CalamineWorkbook.from_path(path)
    read = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    return {
        name: [
            {column: cell for column, cell in zip(map(str, head), row, strict=False) if cell != ""}
            for row in rows
        ]
        for name, (head, *rows) in read.items()
    }


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


def test_a_quote_with_its_lines_and_a_campaign_with_its_members_are_two_sheets_of_a_workbook_each(
    desk: httpx.Client, tmp_path: Path
) -> None:
    typed = {
        "quotes/Q-7/1": {"Status": "Superseded", "Quote Date": "2026-02-01", "Total": "90"},
        "quotes/Q-7/2": {"Status": "Sent", "Quote Date": "2026-02-03", "Total": "100.5"},
        "quote_items/Q-7/2/1": {"Product Code": "0815", "Quantity": "2", "Unit Price": "50"},
        "quote_items/Q-7/2/2": {"Description": "Bell", "Quantity": "1", "Unit Price": "0.5"},
        "campaigns/CPN1": {"Campaign Name": "Spring", "Start Date": "2026-02-01", "Target Member Count": "1"},
        "campaign_members/CPN1/Lead/LEAD1": {"Campaign Name": "Spring", "Response": "Sent"},
    }
    for record, fields in typed.items():
        desk.put(f"/admin/records/{record}", json=fields).raise_for_status()

    files = desk.post("/admin/export", json={"folder": "one"}).json()["files"]

    assert (files.count("Sales Quotes.xlsx"), files.count("Campaigns.xlsx")) == (1, 1)
    folder = tmp_path / "drops" / "one"
    assert {file: sheets(folder / file) for file in ("Sales Quotes.xlsx", "Campaigns.xlsx")} == {
        "Sales Quotes.xlsx": {
            "Quotes": [
                {
                    "Quote No": "Q-7",
                    "Revision": 1,
                    "Status": "Superseded",
                    "Quote Date": date(2026, 2, 1),
                    "Total": 90,
                },
                {
                    "Quote No": "Q-7",
                    "Revision": 2,
                    "Status": "Sent",
                    "Quote Date": date(2026, 2, 3),
                    "Total": 100.5,
                },
            ],
            "Quote Items": [
                {
                    "Quote No": "Q-7",
                    "Revision": 2,
                    "Line": 1,
                    "Product Code": "0815",
                    "Quantity": 2,
                    "Unit Price": 50,
                },
                {
                    "Quote No": "Q-7",
                    "Revision": 2,
                    "Line": 2,
                    "Description": "Bell",
                    "Quantity": 1,
                    "Unit Price": 0.5,
                },
            ],
        },
        "Campaigns.xlsx": {
            "Campaigns": [
                {
                    "Campaign ID": "CPN1",
                    "Campaign Name": "Spring",
                    "Start Date": date(2026, 2, 1),
                    "Target Member Count": 1,
                }
            ],
            "Campaign Members": [
                {
                    "Campaign ID": "CPN1",
                    "Campaign Name": "Spring",
                    "Member Type": "Lead",
                    "Member ID": "LEAD1",
                    "Response": "Sent",
                }
            ],
        },
    }
    with (folder / "export_log.csv").open(newline="") as log:
        counted = [(line["Module"], line["File"], line["Rows"]) for line in csv.DictReader(log)]
    assert [line for line in counted if line[1] in {"Sales Quotes.xlsx", "Campaigns.xlsx"}] == [
        ("Quotes", "Sales Quotes.xlsx", "2"),
        ("Quote Items", "Sales Quotes.xlsx", "2"),
        ("Campaigns", "Campaigns.xlsx", "1"),
        ("Campaign Members", "Campaigns.xlsx", "1"),
    ]


def test_a_quirk_of_one_sheet_leaves_the_other_of_its_workbook_alone(
    desk: httpx.Client, tmp_path: Path
) -> None:
    desk.put("/admin/records/quotes/Q-7/1", json={"Status": "Sent"}).raise_for_status()
    desk.put("/admin/records/quote_items/Q-7/1/1", json={"Quantity": "2"}).raise_for_status()

    wanted = {"folder": "one", "quirks": ["truncated", "renamed_sheet"], "module": "quote_items", "rows": 0}
    desk.post("/admin/export", json=wanted).raise_for_status()

    assert sheets(tmp_path / "drops" / "one" / "Sales Quotes.xlsx") == {
        "Quotes": [{"Quote No": "Q-7", "Revision": 1, "Status": "Sent"}],
        "Quote Items (1)": [],
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
    typed = desk.put("/admin/records/documents/DOC1", json={"File Name": "a.txt", "Content": "not base64!"})
    assert (typed.status_code, typed.json()["error"]) == (422, "not base64: Content")


def test_an_export_has_the_files_people_saved_and_a_text_for_all_they_did(
    desk: httpx.Client, tmp_path: Path
) -> None:
    for number, content in (("DOC1", b"first"), ("DOC2", b"\x00\xff")):
        encoded = base64.b64encode(content).decode()
        saved = {"File Name": "Offer.pdf", "Folder": "/Sales", "Content": encoded}
        desk.put(f"/admin/records/documents/{number}", json=saved).raise_for_status()
    mail = {"Type": "Email", "Subject": "Größe", "Attachments": "DOC2; DOC1", "(body)": "one\ntwo"}
    desk.put("/admin/records/activities/ACT-000001.txt", json=mail).raise_for_status()

    answer = desk.post("/admin/export", json={"folder": "one"}).raise_for_status()

    folder = tmp_path / "drops" / "one"
    assert answer.json()["files"][-4:] == [
        "Documents/Offer.pdf",
        "Documents/Offer (1).pdf",
        "Activities/ACT-000001.txt",
        "export_log.csv",
    ]
    assert {path.name: path.read_bytes() for path in (folder / "Documents").iterdir()} == {
        "Offer.pdf": b"first",
        "Offer (1).pdf": b"\x00\xff",
    }
    assert (folder / "Activities" / "ACT-000001.txt").read_bytes().decode() == (
        "Type: Email\r\nSubject: Größe\r\nDate: 01/03/2026 11:00 PM\r\n"
        "Attachments: Offer (1).pdf; Offer.pdf\r\n\r\none\ntwo"
    )
    head, _, row = CalamineWorkbook.from_path(folder / "Documents.xlsx").get_sheet_by_index(0).to_python()
    told = dict(zip(head, row, strict=False))
    assert (told["File Name"], told["Exported File"], told["Size (bytes)"]) == (
        "Offer.pdf",
        "Offer (1).pdf",
        2.0,
    )
    assert "Content" not in told
    with (folder / "export_log.csv").open(newline="") as log:
        rows = {line["File"]: line["Rows"] for line in csv.DictReader(log)}
    assert (rows["Documents.xlsx"], rows["Activities/"]) == ("2", "1")


def test_the_desk_exports_what_the_declaration_asks_for() -> None:
    declared = {entry.sheet: entry for entry in EXPORTS["legrand"].objects}
    for module in SHEETS["legrand"].modules:
        entry = declared[module.label]
        assert (module.file, module.key) == (entry.file, entry.key)
        assert module.columns == tuple(column.name for column in entry.columns)
    texts = SHEETS["legrand"].texts
    assert texts is not None
    (entry,) = (one for one in EXPORTS["legrand"].objects if one.entity == "activity")
    assert (texts.module.file, texts.module.key) == (entry.file, entry.key)
    assert texts.module.columns == tuple(column.name for column in entry.columns)
