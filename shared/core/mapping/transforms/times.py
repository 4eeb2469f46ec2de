"""Days and instants: ISO 8601, and the older ways of writing that a system says it uses."""

import datetime as dt
import re
from enum import StrEnum
from zoneinfo import ZoneInfo

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.mapping.spec import Transform, Unfit
from shared.core.mapping.transforms.text import clean

_EARLIEST = 1753
"""The first year a Dataverse date column can hold."""

_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}"
    r"(?:[T ]\d{2}:\d{2}(?::\d{2})?(?P<fraction>\.\d{1,9})?(?:[Zz]|[+-]\d{2}:\d{2})?)?",
    re.ASCII,
)
_is_usual = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII).fullmatch
_SLASHED = re.compile(
    r"(?P<first>\d{1,2})/(?P<second>\d{1,2})/(?P<year>\d{4})"
    r"(?: (?P<hour>\d{1,2}):(?P<minute>\d{2})(?: (?P<half>[AaPp][Mm]))?)?",
    re.ASCII,
)


class Slashes(StrEnum):
    """How a system that writes days with slashes orders them; `03/04/2015` alone does not tell."""

    MONTH_FIRST = "MM/DD/YYYY"
    DAY_FIRST = "DD/MM/YYYY"


def date(slashes: Slashes | None = None) -> Transform[Json, dt.date]:
    """A calendar day that exists, written `YYYY-MM-DD`, or with slashes in the order the system declares."""
    expected = _expected("YYYY-MM-DD", slashes)

    def to_dataverse(value: Json) -> dt.date | None:
        written = clean(value)
        if written is None:
            return None
        local = _local(written, slashes)
        if local is None or ":" in written:
            raise Unfit(Code.VALUE_NOT_A_DATE, expected)
        return _in_range(local, Code.VALUE_NOT_A_DATE).date()

    def to_legacy(value: dt.date | None) -> Json:
        return "" if value is None else value.isoformat()

    older = _older("03/04/2015", slashes)
    return Transform(to_dataverse, to_legacy, ("2016-02-29", *older, "", None), f"date {expected}")


def instant(zone: str | None = None, slashes: Slashes | None = None) -> Transform[Json, dt.datetime]:
    """A point in time, to the second, in UTC.

    `zone` is where times without an offset were written, and where a day without a time begins; without it
    they are refused, as is a local time that the change of clocks skips or repeats.
    """
    expected = _expected("YYYY-MM-DDThh:mm:ss with an offset or Z", slashes)
    clock = ZoneInfo(zone) if zone else None

    def to_dataverse(value: Json) -> dt.datetime | None:
        if (usual := _usual(value)) is not None:
            return usual
        written = clean(value)
        if written is None:
            return None
        local = _local(written, slashes)
        if local is None:
            raise Unfit(Code.VALUE_NOT_A_TIME, expected)
        if local.tzinfo is None:
            if clock is None:
                raise Unfit(Code.VALUE_NOT_A_TIME, expected)
            return _placed(_in_range(local, Code.VALUE_NOT_A_TIME), clock)
        return _in_range(local, Code.VALUE_NOT_A_TIME).astimezone(dt.UTC)

    def to_legacy(value: dt.datetime | None) -> Json:
        return "" if value is None else value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    older = _older("01/31/2017 11:59 PM" if slashes is Slashes.MONTH_FIRST else "31/01/2017 23:59", slashes)
    examples = ("2016-02-29T21:41:41Z", "2017-03-05T09:15:00.250+05:30", *older, "", None)
    return Transform(to_dataverse, to_legacy, examples, f"instant {expected}" + (f", {zone}" if zone else ""))


def _usual(written: Json) -> dt.datetime | None:
    """The instant that is written as most are, with a Z; None leaves it to those who know the other ways."""
    if not isinstance(written, str) or not _is_usual(written):
        return None
    try:
        at = dt.datetime.fromisoformat(written)
    except ValueError:
        return None
    return at if _EARLIEST < at.year < dt.MAXYEAR else None


def _local(written: str, slashes: Slashes | None) -> dt.datetime | None:
    """What the text says, naive without an offset; None when it says no day or time that exists."""
    try:
        if match := _ISO.fullmatch(written):
            return dt.datetime.fromisoformat(written.replace(match["fraction"] or "", "").upper())
        if slashes is not None and (match := _SLASHED.fullmatch(written)):
            first, second = int(match["first"]), int(match["second"])
            month, day = (first, second) if slashes is Slashes.MONTH_FIRST else (second, first)
            hour = _hour(match["hour"], match["half"])
            return dt.datetime(int(match["year"]), month, day, hour, int(match["minute"] or 0))  # noqa: DTZ001 - its zone is the reader's to add
    except ValueError:
        return None
    return None


def _hour(hour: str | None, half: str | None) -> int:
    """The hour of the day; raises ValueError for 0 or 13 with AM or PM."""
    number = int(hour or 0)
    if half is None:
        return number
    if not 1 <= number <= 12:
        raise ValueError("a clock of twelve hours has no such hour")
    return number % 12 + (12 if half.upper() == "PM" else 0)


def _placed(local: dt.datetime, clock: ZoneInfo) -> dt.datetime:
    """The instant at which a clock in its zone showed `local`; raises Unfit unless there is exactly one."""
    first, again = local.replace(tzinfo=clock), local.replace(tzinfo=clock, fold=1)
    if first.utcoffset() != again.utcoffset():
        raise Unfit(
            Code.VALUE_NOT_A_TIME, f"a time that clocks in {clock.key} show exactly once, or an offset"
        )
    return first.astimezone(dt.UTC)


def _in_range(at: dt.datetime, code: Code) -> dt.datetime:
    # A day off either end: the offset may carry an instant over the edge of what a datetime can hold.
    if not _EARLIEST < at.year < dt.MAXYEAR:
        raise Unfit(code, f"a year after {_EARLIEST} and before {dt.MAXYEAR}")
    return at


def _expected(iso: str, slashes: Slashes | None) -> str:
    return f"{iso} or {slashes.value}" if slashes else iso


def _older(sample: str, slashes: Slashes | None) -> tuple[str, ...]:
    return (sample,) if slashes else ()
