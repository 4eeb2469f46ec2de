"""Rows as the Web API shows them: property names, entity tags, annotations."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.dataverse.calls import Preferences
from local.dataverse.errors import unknown_property_in_query
from local.dataverse.odata.predicate import Source
from local.dataverse.schema.column import DETACHED, OPTION, Column, Kind
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Row, etag_of

FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOOKUP_TABLE = "Microsoft.Dynamics.CRM.lookuplogicalname"
LOOKUP_NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"


@dataclass(frozen=True, slots=True)
class Renderer:
    """How one answer shows rows."""

    source: Source
    preferences: Preferences

    def row(self, table: Table, row: Row, select: Iterable[str]) -> dict[str, Any]:
        """A row with the selected columns, or all of them; the primary key is always there."""
        shown: dict[str, Any] = {"@odata.etag": etag_of(row)}
        columns = selected(table, select)
        annotated = self.preferences.annotations
        for column in columns:
            value = row.get(column.name)
            if value is not None and column.kind is Kind.LOOKUP:
                if annotated:
                    self._annotate(shown, column, row)
                shown[column.property_name] = value[1]
                continue
            if annotated and value is not None:
                self._format(shown, column, row)
            shown[column.property_name] = value
        return shown

    def _format(self, shown: dict[str, Any], column: Column, row: Row) -> None:
        if self.preferences.wants(FORMATTED):
            text = formatted(self.source, column, row)
            if text is not None:
                shown[f"{column.property_name}@{FORMATTED}"] = text

    def _annotate(self, shown: dict[str, Any], column: Column, row: Row) -> None:
        name, target = column.property_name, row[column.name][0]
        self._format(shown, column, row)
        if self.preferences.wants(LOOKUP_NAVIGATION) and target in column.targets:
            shown[f"{name}@{LOOKUP_NAVIGATION}"] = column.targets[target]
        if self.preferences.wants(LOOKUP_TABLE):
            shown[f"{name}@{LOOKUP_TABLE}"] = target


def selected(table: Table, select: Iterable[str]) -> list[Column]:
    """The columns a $select names; all when it is empty. A lookup may be named with or without `_value`."""
    names = tuple(select)
    if not names or names == ("*",):
        return [column for column in table.columns.values() if column.kind not in DETACHED]
    chosen = {table.id_column: table.columns[table.id_column]}
    for name in names:
        column = table.properties.get(name) or table.columns.get(name)
        if column is None and name in table.bindings:
            column = table.bindings[name].column
        if column is None:
            raise unknown_property_in_query(table.name, name)
        if column.kind not in DETACHED:
            chosen[column.name] = column
    return list(chosen.values())


def formatted(source: Source, column: Column, row: Row) -> str | None:
    """The text a person sees for a value; None where the value already is one."""
    value = row[column.name]
    if column.kind in OPTION:
        return column.options.get(value)
    match column.kind:
        case Kind.BOOLEAN:
            return "Yes" if value else "No"
        case Kind.CHOICES:
            return "; ".join(column.options.get(int(part), part) for part in value.split(","))
        case Kind.MONEY:
            return f"{_symbol(source, row)}{value:,.2f}"
        case Kind.INTEGER | Kind.BIGINT:
            return f"{value:,}"
        case Kind.DECIMAL | Kind.DOUBLE:
            return f"{value:,.{min(column.precision or 2, 10)}f}"
        case Kind.DATETIME:
            return f"{int(value[5:7])}/{int(value[8:10])}/{value[:4]} {_clock(value)}"
        case Kind.DATE:
            return f"{int(value[5:7])}/{int(value[8:10])}/{value[:4]}"
        case Kind.LOOKUP:
            return name_of(source, value[0], value[1])
    return None


def name_of(source: Source, table: str, row_id: str) -> str | None:
    """The primary name of a row."""
    target = source.catalog.tables.get(table)
    found = source.get(table, row_id)
    if target is None or found is None or target.name_column is None:
        return None
    name = found.get(target.name_column)
    return str(name) if name is not None else None


def context(root: str, what: str, select: Iterable[str] = (), *, single: bool = False) -> str:
    """An @odata.context URL."""
    names = ",".join(select)
    chosen = f"({names})" if names else ""
    return f"{root}$metadata#{what}{chosen}{'/$entity' if single else ''}"


def with_context(url: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row answer with its context first, as the service orders it."""
    return {"@odata.context": url, **row}


def _symbol(source: Source, row: Row) -> str:
    pointer = row.get("transactioncurrencyid")
    found = source.get(pointer[0], pointer[1]) if pointer is not None else None
    return str(found.get("currencysymbol", "$")) if found is not None else "$"


def _clock(value: str) -> str:
    hour = int(value[11:13])
    return f"{(hour % 12) or 12}:{value[14:16]} {'AM' if hour < 12 else 'PM'}"
