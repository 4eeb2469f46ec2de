"""A column that is read in one go is read as it would be cell by cell."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.allegory.export import EXPORT as ALLEGORY
from mappers.legrand.export import EXPORT as LEGRAND
from shared.core.reading import cells
from shared.core.reading.codes import FindingCode
from shared.core.reading.export import Column, Format, Object
from shared.core.reading.finding import Remark
from shared.core.reading.kinds import Kind, Number, Text, Whole
from shared.core.reading.source import Row, Unreadable

KINDS = {
    repr(column.kind): column.kind
    for export in (ALLEGORY, LEGRAND)
    for entry in export.objects
    for column in entry.columns
    if isinstance(column.kind, Whole)
}

ODD = st.text(
    alphabet=" \t\n\r=@+-#<&;lt.,/:()'0123456789abzABZ\u00e4\u00df\u00c3\u00a4\u200b\u00a0\u2026\x07",
    max_size=12,
)
TEXTS = st.one_of(
    ODD,
    st.sampled_from(
        [
            "Ann Smith", "Müller & Söhne", "+49 30 1234567", "(030) 12 34-5", "1234", "12345", "01234", "EUR",
            "usd", "ann@firma.example", "Ann@Firma.example", "a@b", "vip; dealer", "vip; VIP", "Yes", "No",
            "yes", "Customer", "#N/A", "=1+1", "-5", "- item", "A" * 200, "x  y", "Ã¤", "1,50", "é",
            "e\u0301",
        ]
    ),
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-5, 10**13),
    st.floats(),
    st.floats(-10, 1000).map(lambda number: round(number, 2)),
    st.booleans(),
)
DAYS = st.one_of(st.dates(), st.datetimes())
CELLS = st.one_of(
    st.lists(TEXTS, max_size=5), st.lists(NUMBERS, max_size=5), st.lists(DAYS, max_size=5),
    st.lists(st.one_of(TEXTS, NUMBERS, DAYS), max_size=5),
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS.values(), ids=[*KINDS])
@given(column=CELLS)
def test_a_kind_reads_a_whole_column_as_it_reads_each_cell(kind: Kind, column: list[Any]) -> None:
    assert isinstance(kind, Whole)
    held = [cell for cell in column if cell != ""]

    plain = kind.plain(held)

    if plain is not None:
        readings = [kind.read(cell, {"Country": "Germany", "country": "Germany"}) for cell in held]
        assert [(value, ()) for value in plain] == [(said.value, said.remarks) for said in readings]


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        (Text(20), ["Ann", "Müller"]),
        (Number(0, 100, decimals=0, typed=True), [5.0, 7]),
        (Number(decimals=2), [1234.56, 0.1]),
        (LEGRAND.object_of("company").columns[16].kind, [dt.date(2020, 1, 31)]),
    ],
    ids=["texts", "whole numbers", "amounts", "days"],
)
def test_a_tidy_column_is_read_in_one_go(kind: Whole, column: list[Any]) -> None:
    assert kind.plain(column) is not None


ENTRY = Object(
    entity="thing",
    file="things.csv",
    format=Format.CSV,
    key=("id",),
    columns=(
        Column("id", Text(20), required=True),
        Column("name", Text(20)),
        Column("size", Number(positive=True)),
    ),
)


def row(line: int, *said: Any, **parts: Any) -> Row:
    return Row(ENTRY.file, line, dict(zip(("id", "name", "size"), said, strict=False)), **parts)


def test_rows_are_read_together_as_each_would_be_alone() -> None:
    rows = [row(line, f"T-{line}", "plain", line) for line in range(1200)]
    rows[3] = row(3, "T-3", " padded", -1)
    rows[4] = row(4, "", None, None)
    rows[700] = row(700, "T-700")
    rows[900] = row(900, "T-900", "torn, and not read", 1, torn=True)

    read = list(cells.read(ENTRY, rows))

    assert [(one.values, list(one.remarks)) for one in read] == [
        (one.values, list(one.remarks)) for one in (cells.read_row(ENTRY, each) for each in rows)
    ]
    assert [remark.code for remark in read[3].remarks] == [
        FindingCode.TEXT_PADDED,
        FindingCode.NUMBER_NEGATIVE,
    ]
    assert [(remark.code, remark.field) for remark in read[4].remarks] == [(FindingCode.VALUE_MISSING, "id")]
    assert read[900].values == {"id": "T-900"}


def test_rows_before_a_broken_one_are_read() -> None:
    broken = Unreadable(Remark(FindingCode.FILE_MALFORMED, "line 3"))

    def coming() -> Any:
        yield row(1, "T-1")
        yield row(2, "T-2")
        raise broken

    seen: list[int] = []
    with pytest.raises(Unreadable) as raised:
        seen.extend(one.row.line for one in cells.read(ENTRY, coming()))

    assert (seen, raised.value) == ([1, 2], broken)
