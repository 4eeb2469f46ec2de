"""Addresses of rows in bodies and paths, resolved to rows: by id, by alternate key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.dataverse.errors import (
    Refusal,
    bad_payload,
    bad_query,
    key_missing,
    row_missing,
    unknown_key,
    unknown_segment,
)
from local.dataverse.odata.address import bare_guid, key_parts, parse_path, relative, unquoted
from local.dataverse.rows.values import stored
from local.dataverse.schema.column import Column, Kind
from local.dataverse.schema.table import AlternateKey, Table
from local.dataverse.store.row import Reference
from local.dataverse.store.rows import fold
from local.dataverse.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Target:
    """The row an address means: `id` is None when an alternate key finds nobody; `values` are that key's."""

    table: Table
    id: str | None
    key: AlternateKey | None
    values: Mapping[str, Any]


def locate(transaction: Transaction, table: Table, key: str) -> Target:
    """The row behind what stands in parentheses; Refusal when that is neither an id nor a known key."""
    guid = bare_guid(key)
    if guid is not None:
        return Target(table, guid, None, {})
    parts = key_parts(key)
    if set(parts) == {table.id_column}:
        guid = bare_guid(parts[table.id_column])
        if guid is None:
            raise bad_query(f"The value of '{table.id_column}' is not an id.")
        return Target(table, guid, None, {})
    columns: dict[str, Column] = {}
    for name in parts:
        column = table.properties.get(name)
        if column is None:
            raise unknown_key(table.name)
        columns[column.name] = column
    known = table.key_on(frozenset(columns))
    if known is None or known.status != "Active":
        raise unknown_key(table.name)
    values = {
        column.name: _key_value(transaction, table, column, parts[column.property_name])
        for column in columns.values()
    }
    wanted = tuple(fold(values[name]) for name in known.columns)
    return Target(table, transaction.find(table, known, wanted), known, values)


def _key_value(transaction: Transaction, table: Table, column: Column, literal: str) -> Any:
    text = unquoted(literal)
    if column.kind is Kind.LOOKUP:
        guid = bare_guid(text)
        holder = next(
            (name for name in column.targets if guid and transaction.get(name, guid) is not None), None
        )
        return Reference(holder or next(iter(column.targets)), guid or text)
    if column.kind in {Kind.INTEGER, Kind.CHOICE}:
        if not text.lstrip("-").isdigit():
            raise bad_query(f"The value of key column '{column.name}' is not a number.")
        return int(text)
    if column.kind is Kind.DECIMAL:
        try:
            return float(text)
        except ValueError as wrong:
            raise bad_query(f"The value of key column '{column.name}' is not a number.") from wrong
    return stored(column, text, table.name)


def referenced(transaction: Transaction, url: Any, allowed: Iterable[str], name: str) -> Reference:
    """The existing row a body points at; Refusal when it is missing or of a table the lookup cannot hold."""
    if not isinstance(url, str):
        raise bad_payload(f"The value of '{name}@odata.bind' must be the address of a row.")
    segments = parse_path(relative(url))
    if len(segments) != 1 or segments[0].key is None:
        raise bad_payload(f"The value of '{name}@odata.bind' must be the address of a row.")
    table = transaction.store.catalog.by_set(segments[0].name)
    if table is None:
        raise unknown_segment(segments[0].name)
    if table.name not in allowed:
        raise bad_payload(f"The navigation property '{name}' cannot hold a row of '{table.name}'.")
    return existing(transaction, table, segments[0].key)


def existing(transaction: Transaction, table: Table, key: str) -> Reference:
    """The row behind an id or key; Refusal 404 when there is none."""
    target = locate(transaction, table, key)
    if target.id is None:
        raise key_missing(table.name)
    if not transaction.exists(table.name, target.id):
        raise row_missing(table.name, target.id)
    return Reference(table.name, target.id)


def missing(target: Target) -> Refusal:
    """Why an address found nobody."""
    return (
        row_missing(target.table.name, target.id) if target.id is not None else key_missing(target.table.name)
    )
