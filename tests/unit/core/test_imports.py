"""What a workbook's rows say, and what an acknowledgement's rows mean."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from mappers.legrand.imports import IMPORTS
from shared.core.imports import answered_in, table
from shared.core.pending import Acknowledged, Answer, Asked, PendingWrite
from shared.core.reading.source import Row
from shared.core.shadow import Moment

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NAME = UUID(int=7)
WRITE = PendingWrite(
    "legrand",
    "company",
    UUID(int=1),
    Asked.UPDATE,
    "CMP1",
    {"City": "Glebe", "Annual Sales": "1200.50", "Phone": ""},
    {"City": "Balmain", "Annual Sales": "", "Phone": "02 5550 1"},
    {},
    Moment(NOW),
)
COMPANY = IMPORTS.module("company")


def test_a_row_names_itself_its_record_what_it_sets_and_what_that_was() -> None:
    assert COMPANY is not None
    assert table(IMPORTS, COMPANY, [(NAME, WRITE)]) == [
        [
            "Row",
            "Operation",
            "Company ID",
            "Sets",
            "Phone",
            "Phone (was)",
            "City",
            "City (was)",
            "Annual Sales",
            "Annual Sales (was)",
        ],
        [
            str(NAME),
            "Update",
            "CMP1",
            "Phone; City; Annual Sales",
            None,
            "02 5550 1",
            "Glebe",
            "Balmain",
            Decimal("1200.50"),
            None,
        ],
    ]


def test_a_new_record_has_no_id_and_a_delete_says_what_it_ends() -> None:
    contact = IMPORTS.module("contact")
    assert contact is not None
    made = replace(
        WRITE, asked=Asked.CREATE, id=None, fields={"Date of Birth (custom)": "1976-02-29"}, was={}
    )
    ended = replace(WRITE, asked=Asked.DELETE, fields={}, was={"Last Name": "Lovelace"})

    header, first, second = table(IMPORTS, contact, [(NAME, made), (NAME, ended)])
    assert header[4:] == [
        "Last Name",
        "Last Name (was)",
        "Date of Birth (custom)",
        "Date of Birth (custom) (was)",
    ]
    assert first[1:] == ["Create", "", "Date of Birth (custom)", None, None, date(1976, 2, 29), None]
    assert second[1:] == ["Delete", "CMP1", "Last Name", None, "Lovelace", None, None]


@pytest.mark.parametrize(("value", "cell"), [("soon", "soon"), ("", None), (None, None)])
def test_what_does_not_fit_its_column_stays_text_for_the_system_to_refuse(
    value: str | None, cell: str | None
) -> None:
    assert COMPANY is not None
    write = replace(WRITE, fields={"Annual Sales": value}, was={})

    assert table(IMPORTS, COMPANY, [(NAME, write)])[1][4] == cell


def acknowledged(**cells: object) -> tuple[UUID, Acknowledged] | None:
    assert COMPANY is not None
    entry = IMPORTS.answer_to(COMPANY, "Companies-1.xlsx")
    said = {"Row": str(NAME), "Result": "Accepted", "Imported At": "2026-03-01T11:00:00Z"}
    named = {name.replace("_", " "): value for name, value in cells.items()}
    return IMPORTS.acknowledged(COMPANY, entry, Row("file", 2, said | named), NOW)


def test_an_accepted_row_shows_the_record_as_it_is_now() -> None:
    said = acknowledged(Company_ID="CMP1", City="Glebe", Modified_Date=date(2026, 3, 1))

    assert said is not None
    assert said[0] == NAME
    assert (said[1].answer, said[1].id) == (Answer.ACCEPTED, "CMP1")
    assert said[1].at == datetime(2026, 3, 1, 11, 0, tzinfo=UTC)
    # The day it tells of ends later than the import, by which the record was as it is here.
    assert said[1].changed_at == datetime(2026, 3, 1, 11, 0, tzinfo=UTC)
    assert said[1].held == {"Company ID": "CMP1", "City": "Glebe", "Modified Date": "2026-03-01"}


def test_a_refused_row_keeps_its_code_and_no_value() -> None:
    said = acknowledged(Result="Refused", Code="unknown_user", Field="Account Manager", City="Glebe")

    assert said is not None
    assert said[1] == replace(
        said[1], answer=Answer.REFUSED, code="unknown_user", field="Account Manager", held={}
    )


@pytest.mark.parametrize(
    "cells", [{"Row": "no name"}, {"Result": "Perhaps"}, {"Imported_At": ""}, {"Row": ""}]
)
def test_a_row_that_says_nothing_is_no_answer(cells: dict[str, str]) -> None:
    assert acknowledged(**cells) is None


def test_the_acknowledgement_lies_beside_its_workbook() -> None:
    assert COMPANY is not None
    stem = IMPORTS.stem(COMPANY, NOW)

    assert (stem, answered_in(f"{stem}-7.xlsx")) == (
        "Companies-20260301T120000Z",
        "Companies-20260301T120000Z-7.ack.xlsx",
    )
