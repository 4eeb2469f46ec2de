"""A table: its set name, keys, columns and the names its lookups are bound by."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from local.dataverse.schema.column import Column, Kind

KeyStatus = Literal["Pending", "InProgress", "Active", "Failed"]


@dataclass(frozen=True, slots=True)
class AlternateKey:
    """A combination of columns that finds one row."""

    name: str
    columns: tuple[str, ...]
    status: KeyStatus = "Active"
    id: str = ""


@dataclass(frozen=True, slots=True)
class Binding:
    """What a single-valued navigation property leads to: a column, and the tables it may point at."""

    column: Column
    targets: tuple[str, ...]


@dataclass(slots=True)
class Table:
    """One table; columns and keys grow when metadata is created at run time."""

    name: str
    set_name: str
    id_column: str
    name_column: str | None
    label: str
    schema_name: str
    is_activity: bool = False
    custom: bool = False
    id: str = ""
    columns: dict[str, Column] = field(default_factory=dict)
    keys: dict[str, AlternateKey] = field(default_factory=dict)
    bindings: dict[str, Binding] = field(default_factory=dict)
    properties: dict[str, Column] = field(default_factory=dict)
    # What others worked out from the columns, by a name of theirs; forgotten when a column changes.
    derived: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    def add_column(self, column: Column) -> None:
        """Make a column known under its property name and its navigation names."""
        self.derived.clear()
        self.columns[column.name] = column
        self.properties[column.property_name] = column
        for target, navigation in column.targets.items():
            known = self.bindings.get(navigation)
            targets = known.targets if known is not None and known.column.name == column.name else ()
            if target not in targets:
                self.bindings[navigation] = Binding(column, (*targets, target))
        if column.name == "ownerid":
            # Activity tables call it ownerid_<table>; the plain name is accepted everywhere.
            self.bindings["ownerid"] = Binding(column, tuple(column.targets))

    def drop_column(self, name: str) -> None:
        """Forget a column and everything that binds it."""
        self.derived.clear()
        column = self.columns.pop(name)
        self.properties.pop(column.property_name, None)
        self.bindings = {
            navigation: bound for navigation, bound in self.bindings.items() if bound.column.name != name
        }

    def lookups(self) -> Iterator[Column]:
        """The columns that point at other tables."""
        return (column for column in self.columns.values() if column.kind is Kind.LOOKUP)

    def key_on(self, columns: frozenset[str]) -> AlternateKey | None:
        """The key made of exactly these columns."""
        return next((key for key in self.keys.values() if frozenset(key.columns) == columns), None)

    @property
    def has_state(self) -> bool:
        """Whether rows carry statecode and statuscode."""
        return "statecode" in self.columns and "statuscode" in self.columns
