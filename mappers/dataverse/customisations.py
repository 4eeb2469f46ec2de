"""What Tandem adds to Dataverse: its own columns and alternate keys, rendered from the tables.

The local Dataverse reads the rendered file, and whoever prepares a real one creates the same from it.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from shared.core.mapping.columns import PREFIX, Column, Table


def customisations(tables: Iterable[Table]) -> dict[str, Any]:
    """The file's content: our own tables, then per table its custom columns and keys."""
    tables = tuple(tables)
    rendered = {
        table.name: {
            # The columns of a table of our own come with the table.
            "columns": [] if table.custom else _columns(table),
            "keys": [{"name": name, "columns": list(columns)} for name, columns in table.keys.items()],
        }
        for table in tables
    }
    return {
        "publisher_prefix": PREFIX.removesuffix("_"),
        "new_tables": [_table(table) for table in tables if table.custom],
        "tables": {name: parts for name, parts in rendered.items() if parts["columns"] or parts["keys"]},
    }


def _columns(table: Table) -> list[dict[str, Any]]:
    return [_column(column) for column in table.columns.values() if column.custom]


def _table(table: Table) -> dict[str, Any]:
    """A table of our own; its first column is its primary name."""
    columns = _columns(table)
    return {"table": table.name, "label": table.label, "name": columns[0]["name"], "columns": columns}


def _column(column: Column[Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": column.name,
        "type": column.kind.value,
        "label": column.label,
        "max_length": column.max_length,
        "minimum": _number(column.minimum),
        "maximum": _number(column.maximum),
        "precision": column.precision,
        "options": [{"value": value, "label": label} for value, label in column.options.items()] or None,
        "target": next(iter(column.targets), None),
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _number(limit: Decimal | None) -> int | None:
    return None if limit is None else int(limit)
