"""What an operator reads about writes by import."""

from typing import Any

from shared.ops.commands.imports import screen

FILE: dict[str, Any] = {
    "system": "legrand",
    "entity": "company",
    "name": "Companies-20260301T120000Z-7.xlsx",
    "state": "written",
    "rows": 3,
    "made_at": "2026-03-01T12:00:00+00:00",
    "written_at": "2026-03-01T12:00:01+00:00",
    "acknowledged_at": None,
    "times": 1,
    "note": "",
}


def test_before_the_first_workbook_the_settings_are_named() -> None:
    assert screen({"pending": [], "files": []}) == (
        "Nothing was handed over by import yet (<SYSTEM>_IMPORT_URL, IMPORT_SCHEDULE)."
    )


def test_what_is_pending_is_told_with_how_long_it_may_take() -> None:
    waiting = {
        "system": "legrand",
        "entity": "company",
        "state": "sent",
        "writes": 3,
        "since": "2026-03-01T11:30:00+00:00",
        "latency": "hours",
    }

    lines = screen({"pending": [waiting], "files": [FILE]}).splitlines()

    assert lines[0] == (
        "legrand company: 3 are in a workbook and not acknowledged, "
        "the oldest since 2026-03-01T11:30:00Z (hours)"
    )
    assert lines[-1].split() == [
        "Companies-20260301T120000Z-7.xlsx",
        "3",
        "written",
        "2026-03-01T12:00:01Z",
        "-",
    ]


def test_a_workbook_that_was_lost_says_how_often_it_was_written() -> None:
    again = FILE | {"times": 2, "note": "1 rows are not acknowledged"}

    assert "written 2 times; 1 rows are not acknowledged" in screen({"pending": [], "files": [again]})
