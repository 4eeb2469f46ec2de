"""Days and times in every way of writing: read right, or said to be unreadable, never guessed in silence."""

import datetime as dt
from typing import Any

import pytest

from shared.core.mapping.transforms import Slashes
from shared.core.reading.kinds import Instant, Zone
from shared.core.reading.moments import Clock, read_day, read_instant

NEW_YORK = Clock("America/New_York", Slashes.MONTH_FIRST)
SYDNEY_CELLS = Clock("Australia/Sydney", Slashes.DAY_FIRST, typed=True)
SYDNEY_TEXTS = Clock("Australia/Sydney", Slashes.DAY_FIRST, slashed=True)


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]  # year to minute


@pytest.mark.parametrize(
    ("value", "clock", "at", "codes"),
    [
        ("2016-02-28T21:41:41Z", NEW_YORK, utc(2016, 2, 28, 21, 41, 41), []),
        ("2017-06-05T03:00:00", NEW_YORK, utc(2017, 6, 5, 7), ["time.local"]),
        ("2017-03-05T09:15:00+05:30", NEW_YORK, utc(2017, 3, 5, 3, 45), ["time.offset"]),
        ("2017-01-02T00:00:00-0330", NEW_YORK, utc(2017, 1, 2, 3, 30), ["time.offset"]),
        ("2016-06-02T02:30:00 Australia/Sydney", NEW_YORK, utc(2016, 6, 1, 16, 30), ["time.zone_in_value"]),
        ("01/31/2017 11:59 PM", NEW_YORK, utc(2017, 2, 1, 4, 59), ["date.older_format"]),
        ("01/31/2017 12:00 AM", NEW_YORK, utc(2017, 1, 31, 5), ["date.older_format"]),
        ("03/04/2015", NEW_YORK, utc(2015, 3, 4, 5), ["date.ambiguous"]),
        ("04/04/2015", NEW_YORK, utc(2015, 4, 4, 4), ["date.older_format"]),
        ("13/07/2017 15:04", NEW_YORK, utc(2017, 7, 13, 19, 4), ["date.other_order"]),
        ("1483228800000", NEW_YORK, utc(2017, 1, 1), ["time.epoch"]),
        ("1483228800", NEW_YORK, utc(2017, 1, 1), ["time.epoch"]),
        ("31/12/2017 23:45", SYDNEY_CELLS, utc(2017, 12, 31, 12, 45), ["date.as_text"]),
        ("2/13/2011", SYDNEY_CELLS, utc(2011, 2, 12, 13), ["date.other_order"]),
        ("01/02/2016 09:00 AM", SYDNEY_TEXTS, utc(2016, 1, 31, 22), []),
        ("03-Apr-15", SYDNEY_CELLS, utc(2015, 4, 2, 13), ["date.two_digit_year"]),
        ("03-Apr-99", SYDNEY_CELLS, utc(1999, 4, 2, 14), ["date.two_digit_year"]),
        (27395.0, SYDNEY_CELLS, utc(1974, 12, 31, 13), ["date.serial"]),
        (dt.date(2013, 5, 22), SYDNEY_CELLS, utc(2013, 5, 21, 14), []),
        ("1875-02-03T00:00:00Z", NEW_YORK, utc(1875, 2, 3), ["date.implausible"]),
        ("2017-11-05T01:30:00", NEW_YORK, utc(2017, 11, 5, 5, 30), ["time.local", "time.repeated"]),
        ("2017-03-12T02:30:00", NEW_YORK, utc(2017, 3, 12, 7, 30), ["time.local", "time.skipped"]),
        ("", NEW_YORK, None, []),
        (None, NEW_YORK, None, []),
        ("1975-02-30", NEW_YORK, None, ["date.impossible"]),
        ("29/02/1975", SYDNEY_CELLS, None, ["date.impossible"]),
        ("31/31/2017", NEW_YORK, None, ["date.impossible"]),
        ("01/31/2017 13:00 PM", NEW_YORK, None, ["date.impossible"]),
        ("soon", NEW_YORK, None, ["date.unreadable"]),
        ("12", NEW_YORK, None, ["date.unreadable"]),
        (-5, NEW_YORK, None, ["date.unreadable"]),
    ],
)
def test_a_time_is_read(value: Any, clock: Clock, at: dt.datetime | None, codes: list[str]) -> None:
    reading = read_instant(value, clock)

    assert reading.value == at
    assert [remark.code.value for remark in reading.remarks] == codes


def test_a_day_has_no_zone() -> None:
    assert read_day("2017-03-01", NEW_YORK).value == dt.date(2017, 3, 1)
    assert read_day(dt.datetime(2017, 3, 1, 23, 59), NEW_YORK).value == dt.date(2017, 3, 1)  # noqa: DTZ001 - as a cell is


@pytest.mark.parametrize(
    ("zone", "at", "codes"),
    [
        ("America/Los_Angeles", utc(2017, 3, 6, 6), []),
        ("Pacific Standard Time", utc(2017, 3, 6, 6), []),
        ("", utc(2017, 3, 6, 3), ["time.local"]),
        ("Middle/Earth", None, ["zone.unknown"]),
        ("../../etc/passwd", None, ["zone.unknown"]),
    ],
)
def test_the_rows_own_zone_comes_before_the_exports(
    zone: str, at: dt.datetime | None, codes: list[str]
) -> None:
    reading = Instant(NEW_YORK, "zone").read("2017-03-05T22:00:00", {"zone": zone})

    assert (reading.value, [remark.code.value for remark in reading.remarks]) == (at, codes)


def test_a_windows_zone_is_told() -> None:
    assert [remark.code.value for remark in Zone().read("Eastern Standard Time", {}).remarks] == [
        "zone.windows_name"
    ]
    assert Zone().read("UTC", {}).remarks == ()
