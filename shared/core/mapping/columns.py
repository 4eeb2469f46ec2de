"""Dataverse columns as the maps see them: typed, with the limits the platform enforces."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Generic, NewType, TypeAlias, TypeVar
from uuid import UUID

from shared.core.identity import RecordKey, chosen_row_id
from shared.core.mapping.files import FileRef
from shared.core.mapping.lifecycle import STATUS, Lifecycle
from shared.core.mapping.parties import Parties, PartyRefs
from shared.core.mapping.references import DirectoryRef, PlaceholderRef, RecordRef, RowRef

D = TypeVar("D")

PREFIX = "tandem_"
"""What the names of Tandem's own columns begin with: the publisher prefix of its solution."""

Option = NewType("Option", int)
"""The value of a choice: a number that counts nothing, so that a choice and an integer cannot be mixed up."""

Value: TypeAlias = "str | int | bool | Decimal | datetime | date | RowRef | Parties | FileRef | None"
"""A column's value once every lookup is resolved: what shadow, journal and writer hold."""

Unresolved: TypeAlias = "Value | RecordRef | DirectoryRef | PlaceholderRef | PartyRefs"
"""A column's value as a map produces it: lookups still name what they mean."""

Reference: TypeAlias = RowRef | RecordRef | DirectoryRef | PlaceholderRef
"""A lookup's value on either side of being resolved."""


class Kind(StrEnum):
    """The Dataverse type of a column."""

    TEXT = "string"
    MEMO = "memo"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    DATETIME = "datetime"
    DATE = "date"
    LOOKUP = "lookup"
    STATE = "state"
    STATUS = "status"
    PARTIES = "parties"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Column(Generic[D]):
    """One Dataverse column; `D` is the Python type of its value.

    `targets` maps the tables a lookup may point at to the navigation property that writes it
    (`{"account": "parentcustomerid_account"}`), `sets` their entity sets to the tables, because a flow names
    a lookup's table by its set. `custom` columns are Tandem's own and are shipped in
    `infra/dataverse/customisations.json`. `create_only` columns are accepted by Dataverse on create alone. A
    column that is not `clearable` always has a value: a blank in the legacy system leaves it as it is. An
    `incidental` column tells of a change and is none: it is written along with others, never alone.
    `leftover` names the column that keeps the parties Dataverse has no place for.
    """

    name: str
    kind: Kind
    label: str = ""
    max_length: int | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    precision: int | None = None
    options: Mapping[int, str] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, str] = field(default_factory=dict)
    custom: bool = False
    create_only: bool = False
    clearable: bool = True
    incidental: bool = False
    leftover: str = ""

    @property
    def read_as(self) -> str:
        """The name under which a row tells it: a lookup's value is told as `_parentid_value`."""
        return f"_{self.name}_value" if self.kind is Kind.LOOKUP else self.name


@dataclass(frozen=True, slots=True)
class Target:
    """One table a lookup may point at, and the navigation property that does it."""

    table: str
    entity_set: str
    navigation: str


@dataclass(frozen=True, slots=True)
class Table:
    """One Dataverse table: its logical name, entity set, primary key column and the columns maps use.

    `keys` are the alternate keys Tandem adds, by name, with the columns each is made of. A table whose rows
    change their state has a `lifecycle` and the column made by `status`.
    """

    name: str
    entity_set: str
    primary_key: str
    columns: Mapping[str, Column[Any]]
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lifecycle: Lifecycle | None = None
    label: str = ""
    plain: frozenset[str] = field(init=False, repr=False, compare=False)
    """The columns whose text, numbers and yes or no are written as they are."""
    readable: Mapping[str, Column[Any]] = field(init=False, repr=False, compare=False)
    """The columns that can be read back, by the property that answers them: a lookup's is `_parentid_value`.

    A create-only column cannot: Dataverse answers it with something else than it was given.
    """

    def __post_init__(self) -> None:
        """Work out once what every row asks."""
        bound = {Kind.LOOKUP, Kind.STATUS}
        plain = frozenset(name for name, column in self.columns.items() if column.kind not in bound)
        object.__setattr__(self, "plain", plain)
        columns = [column for column in self.columns.values() if not column.create_only]
        object.__setattr__(self, "readable", {column.read_as: column for column in columns})

    @property
    def custom(self) -> bool:
        """Whether the table is Tandem's own, shipped with its columns in `customisations.json`."""
        return self.name.startswith(PREFIX)


def placeholder_id(table: str) -> UUID:
    """The fixed GUID of a table's placeholder row."""
    return chosen_row_id(RecordKey("tandem", table, "placeholder"))


def text(name: str, label: str, max_length: int, *, incidental: bool = False) -> Column[str]:
    """A column of one line of text; its length counts UTF-16 units, as Dataverse does."""
    return Column(name, Kind.TEXT, label, max_length=max_length, custom=_custom(name), incidental=incidental)


def memo(name: str, label: str, max_length: int, *, create_only: bool = False) -> Column[str]:
    """A column of text of several lines."""
    return Column(
        name, Kind.MEMO, label, max_length=max_length, custom=_custom(name), create_only=create_only
    )


def integer(name: str, label: str, minimum: int, maximum: int) -> Column[int]:
    """A column of whole numbers."""
    low, high = Decimal(minimum), Decimal(maximum)
    return Column(name, Kind.INTEGER, label, minimum=low, maximum=high, custom=_custom(name))


def decimal(name: str, label: str, minimum: int, maximum: int, precision: int) -> Column[Decimal]:
    """A column of decimal numbers with up to `precision` digits after the point."""
    low, high = Decimal(minimum), Decimal(maximum)
    return Column(
        name, Kind.DECIMAL, label, minimum=low, maximum=high, precision=precision, custom=_custom(name)
    )


def money(name: str, label: str, minimum: int, maximum: int) -> Column[Decimal]:
    """A column of amounts in the row's currency; Dataverse keeps two digits after the point."""
    low, high = Decimal(minimum), Decimal(maximum)
    return Column(name, Kind.MONEY, label, minimum=low, maximum=high, precision=2, custom=_custom(name))


def boolean(name: str, label: str) -> Column[bool]:
    """A yes-or-no column; Dataverse fills it with its default, so a blank says nothing about it."""
    return Column(name, Kind.BOOLEAN, label, custom=_custom(name), clearable=False)


def choice(name: str, label: str, options: Mapping[int, str]) -> Column[Option]:
    """A column that holds one of `options`, by value."""
    return Column(name, Kind.CHOICE, label, options=options, custom=_custom(name))


def state(options: Mapping[int, str], label: str = "Status") -> Column[Option]:
    """The column that tells whether a row is in use, by value."""
    return Column("statecode", Kind.STATE, label, options=options)


def status(options: Mapping[int, str], label: str = "Status Reason") -> Column[Option]:
    """The column that tells a row's status reason, by value; the table's lifecycle tells the way to each."""
    return Column(STATUS, Kind.STATUS, label, options=options, clearable=False)


def instant(
    name: str, label: str, *, create_only: bool = False, incidental: bool = False
) -> Column[datetime]:
    """A column of points in time, to the second, in UTC."""
    return Column(
        name, Kind.DATETIME, label, custom=_custom(name), create_only=create_only, incidental=incidental
    )


def day(name: str, label: str) -> Column[date]:
    """A column of calendar days, without a time or a zone."""
    return Column(name, Kind.DATE, label, custom=_custom(name))


def lookup(name: str, label: str, *targets: Target, clearable: bool = True) -> Column[Reference]:
    """A column that points at a row of one of the `targets`."""
    return Column(
        name,
        Kind.LOOKUP,
        label,
        targets={target.table: target.navigation for target in targets},
        sets={target.entity_set: target.table for target in targets},
        custom=_custom(name),
        clearable=clearable,
    )


def parties(activity: str, label: str, *, leftover: Column[str] | None = None) -> Column[PartyRefs]:
    """Who took part in an activity of a table, named as the property that writes them with their activity.

    They are written with the row and never again. `leftover` keeps, as text, whoever is no row: e-mails alone
    take a party that is nothing but an address.
    """
    name = f"{activity}_activity_parties"
    return Column(
        name,
        Kind.PARTIES,
        label,
        create_only=True,
        clearable=False,
        leftover=leftover.name if leftover else "",
    )


def file(name: str, label: str) -> Column[FileRef]:
    """A file kept in the row as base64 text, written with the row and never again."""
    return Column(name, Kind.FILE, label, create_only=True, clearable=False)


def table(
    name: str,
    entity_set: str,
    primary_key: str,
    *columns: Column[Any],
    keys: Mapping[str, tuple[str, ...]] | None = None,
    lifecycle: Lifecycle | None = None,
    label: str = "",
) -> Table:
    """A table of the columns given; two of one name, or a status without a lifecycle, raise ValueError."""
    by_name = {column.name: column for column in columns}
    if len(by_name) != len(columns):
        raise ValueError(f"{name} has two columns of one name")
    said = by_name.get(STATUS)
    if (said is not None) != (lifecycle is not None):
        raise ValueError(f"{name} has a status without a lifecycle, or the reverse")
    if said is not None and lifecycle is not None and said.options.keys() != lifecycle.states.keys():
        raise ValueError(f"{name} has a status that belongs to no state")
    return Table(name, entity_set, primary_key, by_name, keys or {}, lifecycle, label)


def _custom(name: str) -> bool:
    return name.startswith(PREFIX)
