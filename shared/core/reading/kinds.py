"""The kinds of columns an export has: each reads one cell, and tells what was odd about it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from shared.core.mapping.columns import Column as Target
from shared.core.mapping.columns import Kind as Sort
from shared.core.reading import moments, numbers, text
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
    """Text of up to `most` UTF-16 units, in one line or several; the sign `never` does not stand in it."""

    most: int | None = None
    lines: bool = False
    never: str = ""

    def read(self, value: Any, row: Cells) -> Reading:
        """The text, as meant."""
        del row
        if value is None or value == "":
            return Reading()
        if not isinstance(value, str):
            said = self.read(written(value), {})
            return Reading(said.value, (Remark(FindingCode.TEXT_AS_NUMBER), *said.remarks))
        remarks = (
            *text.remarks(value, lines=self.lines),
            *text.too_long(value, self.most, lines=self.lines),
            *text.active(value),
        )
        if self.never and self.never in value:
            remarks = (*remarks, Remark(FindingCode.TAG_PARTED))
        return Reading(text.meant(value, lines=self.lines) or None, remarks)

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        if self.never and any(self.never in str(cell) for cell in cells):
            return None
        return cells if text.plain(cells) is not None and text.short(cells, self.most) else None


@dataclass(frozen=True, slots=True)
class Url:
    """A web address or a bare domain of up to `most` UTF-16 units; it has no blanks inside."""

    most: int | None = None

    def read(self, value: Any, row: Cells) -> Reading:
        """The address as written."""
        said = Text(self.most).read(value, row)
        if isinstance(said.value, str) and any(character.isspace() for character in said.value):
            return Reading(None, (*said.remarks, Remark(FindingCode.URL_MALFORMED)))
        return said

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        lines = text.plain(cells)
        return cells if lines is not None and b" " not in lines and text.short(cells, self.most) else None


@dataclass(frozen=True, slots=True)
class Html:
    """A body in HTML, or in text that may be HTML; `text` is the column with its plain text, if any."""

    text: str | None = None
    most: int | None = None

    def read(self, value: Any, row: Cells) -> Reading:
        """The body as it stands, but for characters no column takes: what is in it is for a parser to say."""
        del row
        if value is not None and not isinstance(value, str):
            return Reading(None, (Remark(FindingCode.TEXT_AS_NUMBER, severity=Severity.HOLD),))
        if not value or not value.strip():
            return Reading()
        return Reading(text.without_controls(value), text.remarks(value, lines=True))


@dataclass(frozen=True, slots=True)
class Key:
    """An identifier of up to `most` UTF-16 units: compared, never shown to anybody but the migration lead.

    A `whole` one is a number that counts: a revision, a line.
    """

    most: int | None = None
    whole: bool = False

    def read(self, value: Any, row: Cells) -> Reading:
        """The identifier as text."""
        del row
        if value is None or value == "":
            return Reading()
        if self.whole:
            said = numbers.read_number(value)
            if (
                said.value is None
                or said.remarks
                or said.value != int(said.value)
                or not 0 <= said.value < 10**6
            ):
                return Reading(
                    None, (Remark(FindingCode.NUMBER_UNREADABLE, "a whole number below a million"),)
                )
            return Reading(f"{said.value:.0f}")
        if isinstance(value, str):
            remarks = (*text.remarks(value), *text.too_long(value, self.most))
            return Reading(text.meant(value) or None, remarks)
        plain = written(value)
        return Reading(plain, text.too_long(plain, self.most))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        if self.whole or text.plain(cells, may_act=True) is None:
            return None
        return cells if text.short(cells, self.most) else None


@dataclass(frozen=True, slots=True)
class Sha256:
    """A hash in 64 hexadecimal digits."""

    def read(self, value: Any, row: Cells) -> Reading:
        """Its digits in lower case."""
        said = Key().read(value, row)
        if said.value is None:
            return said
        digits = str(said.value).casefold()
        if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
            return Reading(None, (Remark(FindingCode.ATTACHMENT_HASH_UNREADABLE),))
        return Reading(digits)


@dataclass(frozen=True, slots=True)
class Number:
    """A number between two bounds, where there are any, with at most `decimals` after the point.

    One below zero is told where it should be `positive` and the bounds allow it. `currency` is the column
    with the record's currency: an amount that is written with another one is not guessed at.
    """

    least: Decimal | int | None = None
    most: Decimal | int | None = None
    decimals: int | None = None
    typed: bool = False
    positive: bool = False
    currency: str | None = None

    def read(self, value: Any, row: Cells) -> Reading:
        """The number that is meant."""
        said = numbers.read_number(value, typed=self.typed)
        if self.currency and (other := numbers.currency_of(value)):
            own = str(row.get(self.currency) or "").strip().upper()
            if own and own != other:
                told = Remark(
                    FindingCode.NUMBER_WITH_CURRENCY, f"not the {self.currency}", None, Severity.HOLD
                )
                return Reading(None, (told,))
        number = said.value
        if number is None:
            return said
        remarks = list(said.remarks)
        if (self.least is not None and number < self.least) or (self.most is not None and number > self.most):
            return Reading(
                None, (*remarks, Remark(FindingCode.NUMBER_OUT_OF_RANGE, f"from {self.least} to {self.most}"))
            )
        if self.positive and number < 0:
            remarks.append(Remark(FindingCode.NUMBER_NEGATIVE))
        if self.decimals is not None and number != (fitting := numbers.rounded(number, self.decimals)):
            remarks.append(Remark(FindingCode.NUMBER_TOO_PRECISE, f"at most {self.decimals} decimals"))
            number = fitting
        return Reading(number, tuple(remarks))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        if not set(map(type, cells)) <= {int, float}:
            return None
        # The shortest text that means a float is what its sender typed.
        said = [*map(repr, cells)]
        if numbers.are_odd(said, self.decimals):
            return None
        if cells and min(cells) < (
            0 if self.positive else self.least if self.least is not None else min(cells)
        ):
            return None
        if cells and self.most is not None and max(cells) > self.most:
            return None
        return [*map(Decimal, said)]


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time; a bare number counts in units of so many seconds."""

    unit_seconds: int = 1

    def read(self, value: Any, row: Cells) -> Reading:
        """The length in whole units, each one begun."""
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
class Currency:
    """A currency by its ISO 4217 code."""

    def read(self, value: Any, row: Cells) -> Reading:
        """The code."""
        del row
        code = value.strip().upper() if isinstance(value, str) else written(value)
        if not code:
            return Reading()
        return Reading(code) if code in CURRENCIES else Reading(None, (Remark(FindingCode.CURRENCY_UNKNOWN),))

    def plain(self, cells: Sequence[Any]) -> Sequence[Any] | None:
        """See `Whole.plain`."""
        return cells if set(cells) <= {*CURRENCIES} else None


def read(kind: Kind, value: Any, row: Cells) -> Reading:
    """One cell by its kind; a list stands for one value nowhere but where several are meant."""
    if isinstance(value, list | dict) and not getattr(kind, "several", False):
        return Reading(None, (Remark(FindingCode.VALUE_SEVERAL),))
    return kind.read(value, row)


def fitting(target: Target[Any], *, lines: bool = False) -> Text:
    """Text that has to fit a Dataverse column."""
    return Text(target.max_length, lines=lines)


def within(
    target: Target[Any], *, typed: bool = False, positive: bool = False, currency: str | None = None
) -> Number:
    """A number that has to fit a Dataverse column."""
    decimals = 0 if target.kind is Sort.INTEGER else target.precision
    return Number(target.minimum, target.maximum, decimals, typed, positive, currency)


def written(value: Any) -> str:
    """A cell as a person would write it: a whole number without its point."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    if isinstance(value, dt.date):
        return value.isoformat()
    return "" if value is None else str(value)
