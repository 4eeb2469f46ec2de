"""All rows of the organisation in memory, with the unique index of every alternate key."""

from collections.abc import Iterable, Iterator
from typing import Any

from local.dataverse.schema.catalog import Catalog
from local.dataverse.schema.table import AlternateKey, Table
from local.dataverse.store.database import Database
from local.dataverse.store.row import Reference, Row

# A store that was never used starts here, so that version numbers look like those of a lived-in organisation.
FIRST_VERSION = 1_000_000

KeyValue = tuple[Any, ...]

# Every row points at users and the unit by these; nobody asks the way back, and users are never deleted.
UNLINKED = frozenset(
    {
        "createdby",
        "modifiedby",
        "createdonbehalfby",
        "modifiedonbehalfby",
        "owninguser",
        "owningteam",
        "owningbusinessunit",
    }
)


class RowStore:
    """Reads come from memory; `store.transaction` is the only way to change anything."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self.database = database
        self.catalog = catalog
        self.version = FIRST_VERSION
        self.load()

    def load(self) -> None:
        """Read everything from the file; versions never go back, not even after a reset."""
        self.rows: dict[str, dict[str, Row]] = {}
        self.tombstones: dict[str, dict[str, int]] = {}
        self.pairs: dict[str, set[tuple[str, str]]] = {}
        self._keys: dict[tuple[str, str], dict[KeyValue, str]] = {}
        self._links: dict[str, dict[tuple[str, str], set[str]]] = {}
        for table, row_id, row in self.database.rows():
            self.rows.setdefault(table, {})[row_id] = row
            self.relink(table, row_id, None, row)
            self.version = max(self.version, row["versionnumber"])
        for table, row_id, version in self.database.tombstones():
            self.tombstones.setdefault(table, {})[row_id] = version
            self.version = max(self.version, version)
        for name, first, second in self.database.pairs():
            self.pairs.setdefault(name, set()).add((first, second))

    def table(self, name: str) -> dict[str, Row]:
        """The rows of a table by id."""
        return self.rows.setdefault(name, {})

    def get(self, table: str, row_id: str) -> Row | None:
        """One row."""
        return self.rows.get(table, {}).get(row_id)

    def index(self, table: Table, key: AlternateKey) -> dict[KeyValue, str]:
        """The unique index of a key, built on first use."""
        index = self._keys.get((table.name, key.name))
        if index is None:
            index = {}
            for row_id, row in self.table(table.name).items():
                value = key_value(key, row)
                if value is not None:
                    index[value] = row_id
            self._keys[table.name, key.name] = index
        return index

    def forget_index(self, table: str, key: str) -> None:
        """Drop the index of a key that was dropped."""
        self._keys.pop((table, key), None)

    def indexes(self, table: Table) -> Iterable[tuple[AlternateKey, dict[KeyValue, str]]]:
        """Every key of a table with its index."""
        return [(key, self.index(table, key)) for key in table.keys.values()]

    def pointing(self, table: str, column: str, target: str) -> set[str]:
        """The ids of the rows of a table whose lookup holds this id."""
        return self._links.get(target, {}).get((table, column), set())

    def referencing(self, row_id: str) -> Iterator[tuple[str, str, str]]:
        """Rows pointing at a row: their table, the column, their id."""
        for (table, column), holders in self._links.get(row_id, {}).items():
            for holder in holders:
                yield table, column, holder

    def dangling(self) -> Iterator[tuple[str, str, str]]:
        """Lookups that point at nobody: table, column, id of the row that holds them."""
        for target, holders in self._links.items():
            for (table, column), row_ids in holders.items():
                for row_id in row_ids:
                    pointer = self.rows[table][row_id][column]
                    if pointer.table in self.catalog.tables and self.get(pointer.table, target) is None:
                        yield table, column, row_id

    def relink(self, table: str, row_id: str, before: Row | None, after: Row | None) -> None:
        """Follow the lookups of a row that changed."""
        for name, value in (before or {}).items():
            if isinstance(value, Reference) and name not in UNLINKED and (after or {}).get(name) != value:
                self._links[value.id][table, name].discard(row_id)
        for name, value in (after or {}).items():
            if isinstance(value, Reference) and name not in UNLINKED and (before or {}).get(name) != value:
                self._links.setdefault(value.id, {}).setdefault((table, name), set()).add(row_id)


def key_value(key: AlternateKey, row: Row) -> KeyValue | None:
    """The indexed value of a key; None when any of its columns is null, which no key constrains."""
    values = []
    for name in key.columns:
        value = row.get(name)
        if value is None:
            return None
        values.append(fold(value))
    return tuple(values)


def fold(value: object) -> object:
    """A value as the database compares it: text without case, a lookup by its id."""
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, tuple):
        return value[1]
    return value
