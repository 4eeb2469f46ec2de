"""Legrand's own import: whole rows, done once, and only on top of what the row says is there."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from python_calamine import CalamineError, CalamineWorkbook

from local.crm.sheets.desk import start
from local.crm.sheets.workbook import workbook
from local.crm.systems import SHEETS

NAME = "11111111-2222-4333-8444-55555555000"


class Wall:
    """A clock that a minute passes on with every look."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at


@dataclass
class Desk:
    http: httpx.Client
    place: Path

    def put(self, module: str, record: str, **fields: str) -> None:
        said = {name.replace("_", " "): value for name, value in fields.items()}
        self.http.put(f"/admin/records/{module}/{record}", json=said).raise_for_status()

    def record(self, module: str, record: str) -> dict[str, str]:
        return dict(self.http.get(f"/admin/records/{module}/{record}").raise_for_status().json())

    def hand(self, file: str, sheet: str, *rows: dict[str, Any]) -> None:
        """A workbook as somebody may put it there."""
        columns = list(dict.fromkeys(name for row in rows for name in row))
        cells: list[list[Any]] = [columns, *([row.get(name) for name in columns] for row in rows)]
        self.place.mkdir(exist_ok=True)
        (self.place / file).write_bytes(workbook({sheet: cells}))

    def run(self, *quirks: str) -> dict[str, list[dict[str, str]]]:
        answer = self.http.post("/admin/import", json={"quirks": list(quirks)}).raise_for_status()
        return dict(answer.json()["files"])

    def told(self, file: str) -> list[list[Any]]:
        """The acknowledgement of a workbook."""
        book = CalamineWorkbook.from_path(self.place / f"{file.removesuffix('.xlsx')}.ack.xlsx")
        return book.get_sheet_by_name("Acknowledgement").to_python()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    place = tmp_path / "imports"
    with (
        start(SHEETS["legrand"], str(tmp_path / "drops"), now=Wall().now, import_url=str(place)) as server,
        httpx.Client(base_url=server.url, timeout=60) as http,
    ):
        yield Desk(http, place)


def city(number: int, new: str, was: str, record: str = "CMP1") -> dict[str, Any]:
    """A row that sets a company's city."""
    return {
        "Row": f"{NAME}{number}",
        "Operation": "Update",
        "Company ID": record,
        "Sets": "City",
        "City": new,
        "City (was)": was,
    }


def results(answers: dict[str, list[dict[str, str]]]) -> list[str]:
    return [answer["Result"] for rows in answers.values() for answer in rows]


def test_an_update_is_done_on_top_of_what_it_says_is_there_and_told_with_the_record(desk: Desk) -> None:
    desk.put("companies", "CMP1", Company_Name="Harbour Cycles", City="Balmain")
    desk.hand("a.xlsx", "Companies", city(1, "Glebe", "Balmain"))

    assert results(desk.run()) == ["Accepted"]
    header, row = desk.told("a.xlsx")
    said = dict(zip(header, row, strict=True))
    assert (said["Row"], said["Result"], said["Company ID"], said["City"]) == (
        f"{NAME}1",
        "Accepted",
        "CMP1",
        "Glebe",
    )
    assert said["Imported At"].endswith("Z")
    assert desk.record("companies", "CMP1")["City"] == "Glebe"


def test_a_row_whose_column_holds_something_else_is_not_done_and_shows_what_is_there(desk: Desk) -> None:
    desk.put("companies", "CMP1", Company_Name="Harbour Cycles", City="Rozelle")
    desk.hand("a.xlsx", "Companies", city(1, "Glebe", "Balmain"))

    ((answer,),) = desk.run().values()
    assert (answer["Result"], answer["City"]) == ("Changed", "Rozelle")
    assert desk.record("companies", "CMP1")["City"] == "Rozelle"


def test_a_row_that_was_seen_before_gets_its_answer_again_and_is_not_done_again(desk: Desk) -> None:
    desk.put("companies", "CMP1", Company_Name="Harbour Cycles", City="Balmain")
    desk.hand("a.xlsx", "Companies", city(1, "Glebe", "Balmain"))
    desk.run()
    desk.put("companies", "CMP1", Company_Name="Harbour Cycles", City="Balmain")
    desk.hand("b.xlsx", "Companies", city(1, "Glebe", "Balmain"))

    assert results(desk.run()) == ["Accepted"]
    assert desk.record("companies", "CMP1")["City"] == "Balmain"


def test_a_new_record_is_made_once_per_reference_with_what_the_crm_fills_in(desk: Desk) -> None:
    desk.put("companies", "CMP1", Company_Name="Harbour Cycles")
    made = {
        "Operation": "Create",
        "Ticket No": "",
        "Sets": "Subject; Company ID; Dataverse ID (custom)",
        "Subject": "Brakes",
        "Company ID": "CMP1",
        "Dataverse ID (custom)": "row-1",
    }
    desk.hand("a.xlsx", "Tickets", {"Row": f"{NAME}1", **made})
    desk.hand("b.xlsx", "Tickets", {"Row": f"{NAME}2", **made})

    first, second = (rows[0] for rows in desk.run().values())
    assert first["Ticket No"] == second["Ticket No"]
    ticket = desk.record("tickets", first["Ticket No"])
    assert (ticket["Company"], ticket["Board"], ticket["Status"]) == ("Harbour Cycles", "Support", "Open")


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("Company Name", "", "required"),
        ("Annual Sales", "a lot", "wrong_type"),
        ("Account Manager", "Nobody Here", "unknown_user"),
        ("Shoe Size", "44", "unknown_column"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_code_and_column(
    desk: Desk, column: str, value: str, code: str
) -> None:
    desk.put("users", "U1", Name="Anna Berg")
    desk.put("companies", "CMP1", Company_Name="Harbour Cycles")
    row = city(1, "", "") | {"Sets": column, column: value, f"{column} (was)": ""}
    if column == "Company Name":
        row["Company Name (was)"] = "Harbour Cycles"
    desk.hand("a.xlsx", "Companies", row)

    ((answer,),) = desk.run().values()
    assert (answer["Result"], answer["Code"], answer["Field"]) == ("Refused", code, column)


def test_a_record_that_is_gone_cannot_be_updated_and_need_not_be_deleted(desk: Desk) -> None:
    gone = {"Row": f"{NAME}2", "Operation": "Delete", "Company ID": "CMP9", "Sets": ""}
    desk.hand("a.xlsx", "Companies", city(1, "Glebe", "Balmain", "CMP9"), gone)

    ((updated, deleted),) = desk.run().values()
    assert (updated["Result"], updated["Code"]) == ("Refused", "no_such_record")
    assert deleted["Result"] == "Accepted"


def test_an_apostrophe_before_a_text_is_no_part_of_it(desk: Desk) -> None:
    desk.put("companies", "CMP1", Company_Name="Harbour Cycles")
    desk.hand("a.xlsx", "Companies", city(1, "'=1+1", ""))
    desk.run()

    assert desk.record("companies", "CMP1")["City"] == "=1+1"


def test_what_is_no_workbook_yet_is_left_for_the_next_run(desk: Desk) -> None:
    desk.put("companies", "CMP1", Company_Name="Harbour Cycles", City="Balmain")
    desk.hand("a.xlsx", "Companies", city(1, "Glebe", "Balmain"))
    whole = (desk.place / "a.xlsx").read_bytes()
    (desk.place / "a.xlsx").write_bytes(whole[: len(whole) // 2])

    assert desk.run() == {}
    (desk.place / "a.xlsx").write_bytes(whole)
    assert results(desk.run()) == ["Accepted"]


def test_bad_days(desk: Desk) -> None:
    desk.put("companies", "CMP1", Company_Name="Harbour Cycles", City="Balmain")
    desk.put("companies", "CMP2", Company_Name="Second", City="Balmain")
    rows = (city(1, "Glebe", "Balmain"), city(2, "Glebe", "Balmain", "CMP2"))
    desk.hand("a.xlsx", "Companies", *rows)

    desk.run("late")
    assert not (desk.place / "a.ack.xlsx").exists()
    desk.run("half_written")
    with pytest.raises(CalamineError):
        CalamineWorkbook.from_filelike(io.BytesIO((desk.place / "a.ack.xlsx").read_bytes()))
    desk.run("shuffled", "partly")
    header, *told = desk.told("a.xlsx")
    assert header[0] != "Row"
    assert [dict(zip(header, row, strict=True))["Company ID"] for row in told] == ["CMP1"]

    desk.hand("b.xlsx", "Companies", city(3, "Rozelle", "Glebe"))
    desk.run("loses")
    assert not (desk.place / "b.xlsx").exists()
    desk.hand("c.xlsx", "Companies", city(4, "Rozelle", "Glebe"))
    assert results(desk.run("refuses")) == ["Refused"]
    assert desk.http.post("/admin/import", json={"quirks": ["sings"]}).status_code == 422
