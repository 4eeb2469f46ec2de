"""What has to hold within a record, or between a record and those it points at. Data, with one verb each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from shared.core.reading.codes import FindingCode, Severity
from shared.core.reading.finding import Remark

Values = Mapping[str, Any]
"""A record as read: typed values by column, None for a blank or an unreadable one."""

_CENT = Decimal("0.005")
_DAY = timedelta(days=1)
"""An export takes its time, and its day is another one further east."""


class Condition(Protocol):
    """Something that is true of a record or not."""

    def holds(self, values: Values) -> bool:
        """Whether it is true."""
        ...


@dataclass(frozen=True, slots=True)
class Is:
    """A column holds one of these words."""

    field: str
    words: tuple[str, ...]

    def holds(self, values: Values) -> bool:
        """Whether it does."""
        return values.get(self.field) in self.words


@dataclass(frozen=True, slots=True)
class Blank:
    """A column holds nothing."""

    field: str

    def holds(self, values: Values) -> bool:
        """Whether it is blank."""
        return values.get(self.field) is None


@dataclass(frozen=True, slots=True)
class Filled:
    """A column holds something."""

    field: str

    def holds(self, values: Values) -> bool:
        """Whether it is filled."""
        return values.get(self.field) is not None


@dataclass(frozen=True, slots=True)
class Above:
    """A column holds more than a number."""

    field: str
    number: int

    def holds(self, values: Values) -> bool:
        """Whether it does."""
        value = values.get(self.field)
        return isinstance(value, Decimal) and value > self.number


@dataclass(frozen=True, slots=True)
class Begins:
    """A column's text begins so."""

    field: str
    start: str

    def holds(self, values: Values) -> bool:
        """Whether it does."""
        value = values.get(self.field)
        return isinstance(value, str) and value.startswith(self.start)


@dataclass(frozen=True, slots=True)
class Never:
    """Conditions that are not true together."""

    code: FindingCode
    field: str
    conditions: tuple[Condition, ...]
    detail: str

    def remarks(self, values: Values) -> tuple[Remark, ...]:
        """A remark when they are."""
        if all(condition.holds(values) for condition in self.conditions):
            return (Remark(self.code, self.detail, self.field),)
        return ()


@dataclass(frozen=True, slots=True)
class Order:
    """Two columns of dates, the first of which comes first."""

    first: str
    second: str
    severity: Severity | None = None

    def remarks(self, values: Values) -> tuple[Remark, ...]:
        """A remark when it does not."""
        first, second = values.get(self.first), values.get(self.second)
        if first is None or second is None or type(first) is not type(second) or first <= second:
            return ()
        detail = f"{self.second} is before {self.first}"
        return (Remark(FindingCode.DATES_OUT_OF_ORDER, detail, self.second, self.severity),)


@dataclass(frozen=True, slots=True)
class Past:
    """Columns of what had happened when the export was written, wherever the conditions are true."""

    fields: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()

    def remarks(self, values: Values, written: datetime | None) -> tuple[Remark, ...]:
        """A remark for each that is later than that, by more than a day."""
        if written is None or not all(condition.holds(values) for condition in self.conditions):
            return ()
        late = ((name, _later(values.get(name), written)) for name in self.fields)
        return tuple(
            Remark(FindingCode.DATE_AFTER_EXPORT, f"{by.days} days later", name)
            for name, by in late
            if by > _DAY
        )


@dataclass(frozen=True, slots=True)
class Product:
    """A line's total is its factors multiplied, less a discount in percent."""

    factors: tuple[str, ...]
    discount: str
    total: str

    def remarks(self, values: Values) -> tuple[Remark, ...]:
        """A remark when it is not."""
        parts = [values.get(name) for name in self.factors]
        total = values.get(self.total)
        if total is None or any(part is None for part in parts):
            return ()
        product = Decimal(1)
        for part in parts:
            product *= Decimal(str(part))
        product *= (100 - (values.get(self.discount) or Decimal(0))) / 100
        return _apart(
            product, total, self.total, f"{' x '.join(self.factors)} less {self.discount}", _CENT * 2
        )


@dataclass(frozen=True, slots=True)
class Sum:
    """A total is the sum of other columns."""

    parts: tuple[str, ...]
    total: str

    def remarks(self, values: Values) -> tuple[Remark, ...]:
        """A remark when it is not."""
        parts = [value for name in self.parts if (value := values.get(name)) is not None]
        total = values.get(self.total)
        if total is None or len(parts) < len(self.parts):
            return ()
        return _apart(sum(parts, Decimal(0)), total, self.total, " + ".join(self.parts), _CENT)


@dataclass(frozen=True, slots=True)
class Agrees:
    """A column says what a column of the record behind `through` says; a blank there says `blank`."""

    field: str
    through: str
    entity: str
    column: str
    blank: str | None = None

    def remarks(self, values: Values, there: Values) -> tuple[Remark, ...]:
        """A remark when it does not."""
        mine, theirs = values.get(self.field), there.get(self.column) or self.blank
        if mine is None or theirs is None or mine == theirs:
            return ()
        detail = f"{self.field} is not the {self.column} of its {self.entity}"
        # The record is written as it says itself: the other one may change at any time.
        return (Remark(FindingCode.STATE_CONTRADICTS, detail, self.field, Severity.FLAG),)


@dataclass(frozen=True, slots=True)
class NotBefore:
    """A date is not before a date of the record that `through` points at."""

    field: str
    through: str
    entity: str
    column: str

    def remarks(self, values: Values, there: Values) -> tuple[Remark, ...]:
        """A remark when it is."""
        mine, theirs = values.get(self.field), there.get(self.column)
        if mine is None or theirs is None or type(mine) is not type(theirs) or mine >= theirs:
            return ()
        detail = f"{self.field} is before the {self.column} of its {self.entity}"
        return (Remark(FindingCode.DATES_OUT_OF_ORDER, detail, self.field),)


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of another object add up to a column here; both name themselves by `by`."""

    entity: str
    by: tuple[str, ...]
    amount: str
    total: str

    def remarks(self, total: Decimal | None, found: Decimal | None) -> tuple[Remark, ...]:
        """A remark when they do not."""
        if total is None:
            return ()
        # Some round every line, some the whole.
        return _apart(found or Decimal(0), total, self.total, f"the {self.amount} of its lines", _CENT * 2)


@dataclass(frozen=True, slots=True)
class Members:
    """As many records of another object point here as a column says."""

    entity: str
    by: tuple[str, ...]
    count: str

    def remarks(self, said: Decimal | None, found: int) -> tuple[Remark, ...]:
        """A remark when there are more or fewer."""
        if said is None or said == found:
            return ()
        return (Remark(FindingCode.MEMBERS_DIFFER, f"{said:.0f} said, {found} found", self.count),)


@dataclass(frozen=True, slots=True)
class Entries:
    """The words of a column are those that the records of another object list one by one.

    Those name this record by two columns, `by`: the kind of record, which is `kind`, and its key. `entry` is
    their column with the word.
    """

    field: str
    kind: str
    entity: str
    by: tuple[str, str]
    entry: str

    def remarks(self, said: frozenset[str], listed: frozenset[str]) -> tuple[Remark, ...]:
        """A remark when they are not. Where the column is blank, those of the list are simply all."""
        if said == listed:
            return ()
        parts = ((listed - said, f"in the list of {self.entity}s"), (said - listed, "in its own cell"))
        detail = ", ".join(f"{len(alone)} {where} alone" for alone, where in parts if alone)
        return (Remark(FindingCode.TAG_DIFFERS, detail, self.field, None if said else Severity.INFO),)


RowRule = Never | Order | Past | Product | Sum
"""What a record alone can break."""

NeighbourRule = Agrees | NotBefore
"""What a record can break together with one it points at."""

TotalRule = Entries | Lines | Members
"""What a record can break together with those that point at it."""

Rule = RowRule | NeighbourRule | TotalRule


def _later(value: Any, moment: datetime) -> timedelta:
    """By how much a time or day is later; nothing for what is none."""
    if isinstance(value, datetime):
        return value - moment
    return value - moment.date() if isinstance(value, date) else timedelta()


def _apart(found: Decimal, said: Any, field: str, parts: str, slack: Decimal) -> tuple[Remark, ...]:
    if abs(found - said) <= slack:
        return ()
    return (Remark(FindingCode.SUM_DIFFERS, f"{parts} differs by {abs(found - said):.2f}", field),)
