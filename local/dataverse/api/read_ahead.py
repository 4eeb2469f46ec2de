"""What a request of many rows is going to look up, found before it is looked up one by one.

Nothing here decides anything: what is overlooked is asked for when it is needed.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from local.dataverse.odata.address import GUID, bare_guid
from local.dataverse.rows.payload import BIND
from local.dataverse.schema.table import AlternateKey, Table
from local.dataverse.store.database import KeyValue
from local.dataverse.store.rows import fold
from local.dataverse.store.transaction import Transaction

_ROW = re.compile(rf"(?:.*/)?(\w+)\(({GUID.pattern})\)")


def read_ahead(transaction: Transaction, table: Table, targets: Iterable[Mapping[str, Any]]) -> None:
    """Read the rows that bodies name by id, who holds their key values, and which lookups lead somewhere."""
    bodies = list(targets)
    ids = {row_id for body in bodies if (row_id := _id(table, body)) is not None}
    if ids:
        transaction.expect(table.name, list(ids))
    for key in table.keys.values():
        values = {value for body in bodies if (value := _key_value(table, key, body)) is not None}
        if values:
            transaction.expect_keys(table, key, list(values))
    for set_name, row_ids in _pointed_at(bodies).items():
        other = transaction.store.catalog.by_set(set_name)
        if other is not None:
            transaction.expect_targets(other.name, list(row_ids))


def _id(table: Table, body: Mapping[str, Any]) -> str | None:
    text = body.get(table.id_column)
    return bare_guid(text) if isinstance(text, str) else None


def _key_value(table: Table, key: AlternateKey, body: Mapping[str, Any]) -> KeyValue | None:
    """The value of a key whose columns all stand in the body as they are kept."""
    values = [body.get(table.columns[name].property_name) for name in key.columns]
    if not all(isinstance(value, str) and value for value in values):
        return None
    return tuple(fold(value) for value in values)


def _pointed_at(bodies: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    bindings = [name for name in set().union(*bodies) if name.endswith(BIND)]
    found: dict[str, set[str]] = {}
    for body in bodies:
        for name in bindings:
            value = body.get(name)
            if isinstance(value, str) and (match := _ROW.fullmatch(value)):
                found.setdefault(match[1], set()).add(match[2].lower())
    return found
