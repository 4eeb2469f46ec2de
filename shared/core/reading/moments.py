"""Days and points in time, in every way an export may write them."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shared.core.mapping.transforms import Slashes
from shared.core.reading import zones
from shared.core.reading.codes import FindingCode, Severity
from shared.core.reading.finding import Reading, Remark

_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?)?"
    r"(?:(?P<offset>[Zz]|[+-]\d{2}:?\d{2})|\s+(?P<zone>[A-Za-z]+(?:/[\w+-]+)+))?",
    re.ASCII,
)
_SLASHED = re.compile(
    r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:,?\s+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s*([AaPp])\.?[Mm]\.?)?)?",
    re.ASCII,
)
_NAMED = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3})[a-z]*[ -](\d{4}|\d{2})", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DIGITS = re.compile(r"\d{9,13}", re.ASCII)
_SERIAL_ZERO = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a day count knows no zone
_PLAUSIBLE = range(1900, 2101)
_HELD = range(1754, 9999)
"""The years a Dataverse date column can hold in every zone."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How a system writes time: its zone, the order of its days with slashes, what is usual in a file.

    `slashed` says that slashes are the rule rather than an older way; `typed` that cells hold dates, so
    that a text is the exception.
    """

    zone: str
    slashes: Slashes
    slashed: bool = False
    typed: bool = False


@dataclass(frozen=True, slots=True)
class _Local:
    """What was written, without its zone, or with it in `at` or `zone`."""

    at: dt.datetime
    remarks: tuple[Remark, ...] = ()
    zone: str | None = None


def are_plausible(days: Sequence[dt.date]) -> bool:
    """Whether all days lie in years that an export may speak of."""
    return min(days).year in _PLAUSIBLE and max(days).year in _PLAUSIBLE


def read_day(value: Any, clock: Clock) -> Reading:
    """A calendar day; a time of day written with it is left out."""
    local = _written(value, clock)
    if isinstance(local, Reading):
        return local
    day = local.at.date()
    return _held(day, local.at, local.remarks)


def read_instant(value: Any, clock: Clock, zone: str | None = None) -> Reading:
    """A point in time in UTC; `zone` is the row's own, before which the export's stands back."""
    local = _written(value, clock)
    if isinstance(local, Reading):
        return local
    remarks = [*local.remarks, *_plausible(local.at)]
    if local.at.tzinfo is not None:
        return _placed(local.at, tuple(local.remarks))
    name = local.zone or zone or clock.zone
    if not (remarks or zone or clock.slashed or clock.typed):
        # Where every other time has its zone, one without may have lost it.
        remarks.append(Remark(FindingCode.TIME_LOCAL, clock.zone))
    place = zones.zone(name)
    if place is None:
        return Reading(None, (*remarks, Remark(FindingCode.ZONE_UNKNOWN)))
    first, again = local.at.replace(tzinfo=place), local.at.replace(tzinfo=place, fold=1)
    before, after = first.utcoffset(), again.utcoffset()
    if before is not None and after is not None and before != after:
        code = FindingCode.TIME_REPEATED if before > after else FindingCode.TIME_SKIPPED
        remarks.append(Remark(code, f"local time in {place.key}"))
    told = tuple(remark for remark in remarks if remark.code is not FindingCode.DATE_IMPLAUSIBLE)
    return _placed(first, told)


def _placed(at: dt.datetime, remarks: tuple[Remark, ...]) -> Reading:
    try:
        utc = at.astimezone(dt.UTC)
    except OverflowError:
        return Reading(None, (*remarks, Remark(FindingCode.DATE_IMPOSSIBLE)))
    return _held(utc, utc, remarks)


def _held(value: dt.date, at: dt.datetime, remarks: tuple[Remark, ...]) -> Reading:
    """A moment that a date column can hold, or none."""
    if at.year not in _HELD:
        detail = f"no column holds a year before {_HELD.start} or after {_HELD.stop - 1}"
        return Reading(None, (*remarks, Remark(FindingCode.DATE_IMPLAUSIBLE, detail, None, Severity.HOLD)))
    return Reading(value, (*remarks, *_plausible(at)))


def _written(value: Any, clock: Clock) -> _Local | Reading:
    if isinstance(value, dt.datetime):
        return _Local(value)
    if isinstance(value, dt.date):
        return _Local(dt.datetime.combine(value, dt.time()))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _counted(value)
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        return Reading()
    if len(text) == 20 and text[10] == "T" and text[19] == "Z" and _ISO.fullmatch(text):
        # Nearly every time of a tidy export; read in one go.
        try:
            return _Local(dt.datetime.fromisoformat(text))
        except ValueError:
            return Reading(None, (Remark(FindingCode.DATE_IMPOSSIBLE),))
    found = next(_parsed(text, clock), None)
    if found is None:
        return Reading(None, (Remark(FindingCode.DATE_UNREADABLE),))
    if clock.typed and isinstance(found, _Local) and not found.remarks:
        return _Local(found.at, (Remark(FindingCode.DATE_AS_TEXT),), found.zone)
    return found


def _parsed(text: str, clock: Clock) -> Iterator[_Local | Reading]:
    """What the text says in the first way of writing that fits it."""
    try:
        if match := _ISO.fullmatch(text):
            yield _iso(match)
        elif match := _SLASHED.fullmatch(text):
            yield _slashed(match, clock)
        elif match := _NAMED.fullmatch(text):
            yield _named(match)
        elif _DIGITS.fullmatch(text):
            yield _counted(int(text))
    except ValueError:
        yield Reading(None, (Remark(FindingCode.DATE_IMPOSSIBLE),))


def _iso(match: re.Match[str]) -> _Local:
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    at = dt.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - its zone follows
    if match["zone"]:
        return _Local(at, (Remark(FindingCode.TIME_ZONE_IN_VALUE),), match["zone"])
    offset = match["offset"]
    if offset is None:
        return _Local(at)
    if offset in {"Z", "z"}:
        return _Local(at.replace(tzinfo=dt.UTC))
    sign = -1 if offset[0] == "-" else 1
    away = dt.timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:])) * sign
    return _Local(at.replace(tzinfo=dt.timezone(away)), (Remark(FindingCode.TIME_OFFSET),))


def _slashed(match: re.Match[str], clock: Clock) -> _Local:
    first, second, year = (int(part) for part in match.groups()[:3])
    hour, minute = int(match[4] or 0), int(match[5] or 0)
    if match[7]:
        if not 1 <= hour <= 12:
            raise ValueError("a clock of twelve hours has no such hour")
        hour = hour % 12 + (12 if match[7].lower() == "p" else 0)
    month, day = (first, second) if clock.slashes is Slashes.MONTH_FIRST else (second, first)
    code = None if clock.slashed else FindingCode.DATE_OLDER_FORMAT
    if month > 12 >= day:
        month, day, code = day, month, FindingCode.DATE_OTHER_ORDER
    elif not clock.slashed and day <= 12 and day != month:
        code = FindingCode.DATE_AMBIGUOUS
    elif clock.typed and not clock.slashed:
        code = FindingCode.DATE_AS_TEXT
    at = dt.datetime(year, month, day, hour, minute, int(match[6] or 0))  # noqa: DTZ001 - its zone is the file's
    return _Local(at, (Remark(code),) if code else ())


def _named(match: re.Match[str]) -> _Local:
    if match[2].lower() not in _MONTHS:
        raise ValueError("no such month")
    month, year = _MONTHS.index(match[2].lower()) + 1, int(match[3])
    if year >= 100:
        return _Local(dt.datetime(year, month, int(match[1])))  # noqa: DTZ001 - its zone is the file's
    year += 1900 if year >= 70 else 2000
    return _Local(dt.datetime(year, month, int(match[1])), (Remark(FindingCode.DATE_TWO_DIGIT_YEAR),))  # noqa: DTZ001 - its zone is the file's


def _counted(number: float) -> _Local | Reading:
    """A bare number: days of a spreadsheet when small, seconds or milliseconds since 1970 when large."""
    if 1 <= number < 2_958_466:
        at = _SERIAL_ZERO + dt.timedelta(days=float(number))
        return _Local(at, (Remark(FindingCode.DATE_SERIAL),))
    seconds = number / 1000 if number >= 10**11 else number
    if 10**8 <= seconds < 10**10:
        return _Local(dt.datetime.fromtimestamp(seconds, dt.UTC), (Remark(FindingCode.TIME_EPOCH),))
    return Reading(None, (Remark(FindingCode.DATE_UNREADABLE),))


def _plausible(at: dt.datetime) -> tuple[Remark, ...]:
    return () if at.year in _PLAUSIBLE else (Remark(FindingCode.DATE_IMPLAUSIBLE),)
