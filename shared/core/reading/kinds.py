"""The kinds of columns an export has: each reads one cell, and tells what was odd about it."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any, Protocol, runtime_checkable

from shared.core.mapping.columns import Column as Target
from shared.core.reading import moments, numbers, people, text
from shared.core.reading.codes import FindingCode, Severity
from shared.core.reading.currencies import CURRENCIES
from shared.core.reading.finding import Reading, Remark
from shared.core.reading.moments import Clock
from shared.core.reading.zones import is_windows_name, zone

Cells = Mapping[str, Any]
"""A row as it stands: text, number, day or time by column name; None or an empty text for a blank."""


class Kind(Protocol):
    """How the cells of a column are read. `row` gives the neighbours: a postcode needs its country."""

    def read(self, value: Any, row: Cells) -> Reading:
        """The value that is meant, and what was odd about it."""
        ...


@runtime_checkable
class Whole(Protocol):
    """A kind whose columns can be read in one go where nothing in them is odd."""

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """What `read` would give for each cell, none of which is blank; None when it might have remarks."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """Text of up to `most` UTF-16 units, in one line or several."""

    most: int | None = None
    lines: bool = False

    def read(self, value: Any, row: Cells) -> Reading:
        """The text, as meant."""
        del row
        if value is None or value == "":
            return Reading()
        if not isinstance(value, str):
            return Reading(written(value), (Remark(FindingCode.TEXT_AS_NUMBER),))
        remarks = (
            *text.remarks(value, lines=self.lines),
            *text.too_long(value, self.most),
            *text.active(value),
        )
        return Reading(text.meant(value) or None, remarks)

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        return cells if text.plain(cells) is not None and _short(cells, self.most) else None


@dataclass(frozen=True, slots=True)
class Html:
    """A body in HTML, or in text that may be HTML; `text` is the column with its plain text, if any."""

    text: str | None = None
    most: int | None = None

    def read(self, value: Any, row: Cells) -> Reading:
        """The body as it stands: what is in it is for an HTML parser to say."""
        del row
        if not isinstance(value, str) or not value.strip():
            return Reading()
        return Reading(value, text.remarks(value, lines=True))


@dataclass(frozen=True, slots=True)
class Key:
    """An identifier: compared, never shown to anybody but the migration lead."""

    def read(self, value: Any, row: Cells) -> Reading:
        """The identifier as text."""
        del row
        if isinstance(value, str):
            return Reading(text.meant(value) or None, text.remarks(value) if value else ())
        return Reading() if value is None else Reading(written(value))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        return cells if text.plain(cells, may_act=True) is not None else None


@dataclass(frozen=True, slots=True)
class Number:
    """A number between two bounds, where there are any, with at most `decimals` after the point."""

    least: Decimal | int | None = None
    most: Decimal | int | None = None
    decimals: int | None = None
    typed: bool = False

    def read(self, value: Any, row: Cells) -> Reading:
        """The number that is meant."""
        del row
        said = numbers.read_number(value, typed=self.typed)
        number = said.value
        if number is None:
            return said
        remarks = list(said.remarks)
        if self.least == 0 and number < 0:
            remarks.append(Remark(FindingCode.NUMBER_NEGATIVE))
        elif (self.least is not None and number < self.least) or (
            self.most is not None and number > self.most
        ):
            remarks.append(Remark(FindingCode.NUMBER_OUT_OF_RANGE, f"from {self.least} to {self.most}"))
        if self.decimals is not None and numbers.decimals(number) > self.decimals:
            remarks.append(Remark(FindingCode.NUMBER_TOO_PRECISE, f"at most {self.decimals} decimals"))
        return Reading(number, tuple(remarks))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        if not set(map(type, cells)) <= {int, float} or not all(map(isfinite, cells)):
            return None
        # A float is its own rounding just when its shortest text has no more decimals.
        if self.decimals is not None and any(round(cell, self.decimals) != cell for cell in cells):
            return None
        if cells and self.least is not None and min(cells) < self.least:
            return None
        if cells and self.most is not None and max(cells) > self.most:
            return None
        return [Decimal(repr(cell)) for cell in cells]


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time; a bare number counts in units of so many seconds."""

    unit_seconds: int = 1

    def read(self, value: Any, row: Cells) -> Reading:
        """The length in seconds."""
        del row
        return numbers.read_duration(value, self.unit_seconds)


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day."""

    clock: Clock

    def read(self, value: Any, row: Cells) -> Reading:
        """The day."""
        del row
        return moments.read_day(value, self.clock)

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        if set(map(type, cells)) != {dt.date} or not moments.are_plausible(cells):
            return None
        return cells


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time; `zone` is the column that names the row's own time zone."""

    clock: Clock
    zone: str | None = None

    def read(self, value: Any, row: Cells) -> Reading:
        """The instant in UTC."""
        own = row.get(self.zone) if self.zone else None
        return moments.read_instant(value, self.clock, own.strip() if isinstance(own, str) and own else None)


@dataclass(frozen=True, slots=True)
class Zone:
    """The name of a time zone."""

    def read(self, value: Any, row: Cells) -> Reading:
        """Its name by IANA."""
        del row
        name = value.strip() if isinstance(value, str) else ""
        if not name:
            return Reading()
        if (found := zone(name)) is None:
            return Reading(None, (Remark(FindingCode.ZONE_UNKNOWN),))
        remarks = (Remark(FindingCode.ZONE_WINDOWS_NAME),) if is_windows_name(name) else ()
        return Reading(found.key, remarks)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a list of words; `options` are those the map has a target for."""

    options: Collection[str]

    def read(self, value: Any, row: Cells) -> Reading:
        """The word."""
        del row
        word = text.meant(value) if isinstance(value, str) else written(value)
        if not word:
            return Reading()
        if word not in self.options:
            return Reading(word, (Remark(FindingCode.CHOICE_NO_TARGET, _label(word)),))
        return Reading(word)

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        words = set(cells)
        return cells if words <= {*self.options} and text.plain([*words], may_act=True) is not None else None


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency by its ISO 4217 code."""

    def read(self, value: Any, row: Cells) -> Reading:
        """The code."""
        del row
        code = value.strip() if isinstance(value, str) else ""
        if not code:
            return Reading()
        return Reading(code) if code in CURRENCIES else Reading(None, (Remark(FindingCode.CURRENCY_UNKNOWN),))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        return cells if set(cells) <= {*CURRENCIES} else None


@dataclass(frozen=True, slots=True)
class Email:
    """One e-mail address."""

    most: int | None = 100

    def read(self, value: Any, row: Cells) -> Reading:
        """The address in its comparable form."""
        del row
        said = people.read_address(value)
        if not isinstance(value, str) or not value:
            return said
        return Reading(said.value, (*said.remarks, *text.remarks(value), *text.too_long(value, self.most)))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        lines = text.plain(cells, may_act=True)
        if lines is None or not _short(cells, self.most):
            return None
        return cells if people.are_addresses(lines, cells) else None


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone number."""

    most: int | None = 50

    def read(self, value: Any, row: Cells) -> Reading:
        """The number as text."""
        del row
        said = people.read_phone(value)
        if not isinstance(value, str) or not value:
            return said
        return Reading(said.value, (*said.remarks, *text.remarks(value), *text.too_long(value, self.most)))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        lines = text.plain(cells, may_act=True)
        if lines is None or not _short(cells, self.most):
            return None
        return cells if people.are_phones(lines) else None


@dataclass(frozen=True, slots=True)
class Postcode:
    """A postcode; `country` is the column with its country."""

    country: str
    most: int | None = 20

    def read(self, value: Any, row: Cells) -> Reading:
        """The postcode as text."""
        said = people.read_postcode(value, row.get(self.country))
        if not isinstance(value, str) or not value:
            return said
        return Reading(said.value, (*said.remarks, *text.remarks(value), *text.too_long(value, self.most)))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        lines = text.plain(cells, may_act=True)
        if lines is None or not _short(cells, self.most):
            return None
        # A longer one has lost no zero, whatever its country.
        return cells if min(map(len, cells), default=people.LONGEST) >= people.LONGEST else None


@dataclass(frozen=True, slots=True)
class Tags:
    """Several words in one cell."""

    separator: str
    most: int | None = None

    def read(self, value: Any, row: Cells) -> Reading:
        """The words, trimmed."""
        if not isinstance(value, str) or not value:
            return Reading()
        words = [word.strip() for word in value.split(self.separator) if word.strip()]
        remarks = list(Text(self.most).read(value, row).remarks)
        if len({text.comparable(word) for word in words}) < len(words):
            remarks.append(Remark(FindingCode.TAG_REPEATED))
        if any(text.active(word) for word in words) and all(
            remark.code is not FindingCode.TEXT_LIKE_FORMULA for remark in remarks
        ):
            remarks.append(Remark(FindingCode.TEXT_LIKE_FORMULA))
        return Reading(tuple(words), tuple(remarks))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        readings = {cell: self.read(cell, {}) for cell in set(cells)}
        if any(reading.remarks for reading in readings.values()):
            return None
        return [readings[cell].value for cell in cells]


@dataclass(frozen=True, slots=True)
class Words:
    """Several words as a list of JSON, or one a line."""

    def read(self, value: Any, row: Cells) -> Reading:
        """The words, one a line."""
        del row
        words = value if isinstance(value, list) else str(value).split("\n")
        if any(not isinstance(word, str) for word in words):
            return Reading(
                None, (Remark(FindingCode.FILE_MALFORMED, "not a list of words", None, Severity.HOLD),)
            )
        said = [meant for word in words if (meant := text.meant(word))]
        return Reading("\n".join(said) or None)


def _short(cells: Sequence[str], most: int | None) -> bool:
    """Whether no text can be too long, however many units its letters are."""
    return most is None or 2 * max(map(len, cells), default=0) <= most


def fitting(target: Target[Any], *, lines: bool = False) -> Text:
    """Text that has to fit a Dataverse column."""
    return Text(target.max_length, lines=lines)


def within(target: Target[Any], *, typed: bool = False) -> Number:
    """A number that has to fit a Dataverse column."""
    return Number(target.minimum, target.maximum, target.precision, typed)


def written(value: Any) -> str:
    """A cell as a person would write it: a whole number without its point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    if isinstance(value, dt.date):
        return value.isoformat()
    return "" if value is None else str(value)


def _label(word: str) -> str:
    """The word itself when it is one of a vocabulary and not somebody's data."""
    harmless = len(word) <= 40 and "@" not in word and not any(character.isdigit() for character in word[:2])
    return f"no option for “{word}”" if harmless else "no option for this word"
