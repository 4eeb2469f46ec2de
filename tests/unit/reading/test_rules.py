"""What has to hold between a record and the moment of its export, or what others list of it."""

import datetime as dt
from typing import Any

import pytest

from shared.core.reading.codes import FindingCode, Severity
from shared.core.reading.finding import Remark
from shared.core.reading.rules import Entries, Is, Past

WRITTEN = dt.datetime(2018, 1, 2, 6, tzinfo=dt.UTC)
TAGS = Entries("tags", "deal", "tag", ("object_type", "object_id"), "tag")


@pytest.mark.parametrize(
    ("value", "days"),
    [
        (dt.datetime(2018, 1, 3, 6, tzinfo=dt.UTC), 0),
        (dt.datetime(2018, 1, 3, 6, 0, 1, tzinfo=dt.UTC), 1),
        (dt.date(2018, 1, 3), 0),
        (dt.date(2018, 1, 4), 2),
        (None, 0),
        ("2019-01-01", 0),
    ],
)
def test_what_happened_more_than_a_day_after_the_export_is_told(value: Any, days: int) -> None:
    remark = Remark(FindingCode.DATE_AFTER_EXPORT, f"{days} days later", "closed")

    assert Past(("closed",)).remarks({"closed": value}, WRITTEN) == ((remark,) if days else ())


def test_only_where_it_had_happened_by_its_state() -> None:
    rule, later = Past(("end",), (Is("state", ("done",)),)), dt.date(2019, 1, 1)

    assert [len(rule.remarks({"state": state, "end": later}, WRITTEN)) for state in ("done", "planned")] == [
        1,
        0,
    ]
    assert rule.remarks({"state": "done", "end": later}, None) == ()


@pytest.mark.parametrize(
    ("said", "listed", "detail", "severity"),
    [
        ({"a", "b"}, {"b", "a"}, None, None),
        (set(), set(), None, None),
        (set(), {"a", "b"}, "2 in the list of tags alone", Severity.INFO),
        ({"a"}, set(), "1 in its own cell alone", None),
        ({"a", "A"}, {"a", "c"}, "1 in the list of tags alone, 1 in its own cell alone", None),
    ],
)
def test_the_words_of_a_cell_are_those_of_the_list(
    said: set[str], listed: set[str], detail: str | None, severity: Severity | None
) -> None:
    told = TAGS.remarks(frozenset(said), frozenset(listed))

    assert told == (() if detail is None else (Remark(FindingCode.TAG_DIFFERS, detail, "tags", severity),))
