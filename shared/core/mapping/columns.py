"""Dataverse columns as the maps see them: typed, with the limits the platform enforces."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar
from uuid import UUID

from shared.core.identity import RecordKey, chosen_row_id
from shared.core.mapping.references import DirectoryRef, PlaceholderRef, RecordRef, RowRef

D = TypeVar("D")

Value: TypeAlias = "str | int | bool | Decimal | datetime | date | RowRef | None"
"""A column's value once every lookup is resolved: what shadow, journal and writer hold."""

Unresolved: TypeAlias = "Value | RecordRef | DirectoryRef | PlaceholderRef"
"""A column's value as a map produces it: lookups still name what they mean."""


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


@dataclass(frozen=True, slots=True)
class Column(Generic[D]):
    """One Dataverse column; `D` is the Python type of its value.

    `targets` maps the tables a lookup may point at to the navigation property that writes it
    (`{"account": "parentcustomerid_account"}`). `custom` columns are Tandem's own and are shipped in
    `infra/dataverse/customisations.json`. `create_only` columns are accepted by Dataverse on create alone.
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
    custom: bool = False
    create_only: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One Dataverse table: its logical name, entity set, primary key column and the columns maps use."""

    name: str
    entity_set: str
    primary_key: str
    columns: Mapping[str, Column[object]]


def placeholder_id(table: str) -> UUID:
    """The fixed GUID of a table's placeholder row."""
    return chosen_row_id(RecordKey("tandem", table, "placeholder"))
