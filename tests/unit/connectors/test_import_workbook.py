"""The workbooks we write: read back by another program as they were meant, and never as a formula."""

import datetime as dt
import io
import re
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from shared.connectors.files.workbook import neutral, workbook
from shared.core.imports import Cell

REFUSED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
TEXTS = st.text().filter(lambda text: not REFUSED.search(text))


def read(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def test_each_kind_of_cell_is_read_back_as_it_was_meant() -> None:
    rows: list[list[Cell]] = [
        ["Name", "Day", "Time", "Number", "Old day"],
        [
            "Zoë 🚲",
            dt.date(2026, 3, 1),
            dt.datetime(2026, 3, 1, 10, 30),  # noqa: DTZ001  # a sheet knows no zone
            Decimal("1234567890.125"),
            dt.date(1899, 12, 31),
        ],
        [None, None, None, Decimal(-5), ""],
    ]

    assert read(workbook("Lead Inbox", rows)) == [
        ["Name", "Day", "Time", "Number", "Old day"],
        [
            "Zoë 🚲",
            dt.date(2026, 3, 1),
            dt.datetime(2026, 3, 1, 10, 30),  # noqa: DTZ001  # as above
            1234567890.125,
            "1899-12-31",
        ],
        ["", "", "", -5.0, ""],
    ]


@given(TEXTS)
def test_text_loses_one_apostrophe_at_most_and_never_begins_like_a_formula(text: str) -> None:
    said = neutral(text)

    assert not said.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert said.removeprefix("'") == text


@given(TEXTS.filter(bool))
def test_any_text_a_record_can_hold_is_read_back_by_another_program(text: str) -> None:
    ((cell,),) = read(workbook("Sheet", [[text]])) or [[""]]

    assert str(cell).removeprefix("'").strip() == text.strip()


def test_the_same_rows_are_the_same_bytes() -> None:
    rows: list[list[Cell]] = [["a", Decimal(1)], ["b", dt.date(2026, 1, 1)]]

    assert workbook("Companies", rows) == workbook("Companies", rows)


@pytest.mark.parametrize("text", ["\x00", "a\x0bb", "\ud800", "x" * 40_000])
def test_what_no_cell_can_hold_is_refused_before_a_byte_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="no cell can hold"):
        workbook("Companies", [[text]])


def test_a_wide_sheet_has_columns_beyond_z() -> None:
    row: list[Cell] = [f"c{number}" for number in range(60)]
    content = workbook("Companies", [row])

    assert read(content) == [row]
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert 'r="BH1"' in package.read("xl/worksheets/sheet1.xml").decode()
