"""All rows of the organisation: in the file, with the few that are asked for again and again kept decoded."""

from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, Mapping, Sequence, ValuesView
from typing import Any

from local.dataverse.schema.catalog import Catalog
from local.dataverse.schema.table import AlternateKey, Table
from local.dataverse.store.database import Database, KeyValue, Link
from local.dataverse.store.row import Reference, Row

# A store that was never used starts here, so that version numbers look like those of a lived-in organisation.
FIRST_VERSION = 1_000_000

# Every row points at users and the unit by these; nobody asks the way back, and users are never deleted.
_NEVER_ASKED = frozenset(
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
# Nearly every row points at an owner and a currency, too. The way back is asked for when a team or a
# currency is deleted, which is rare enough to look at every row.
_SEARCHED = {"ownerid": "team", "transactioncurrencyid": "transactioncurrency"}
UNLINKED = _NEVER_ASKED | _SEARCHED.keys()
"""Lookups without an index of the way back."""

# Decoded rows kept: 4,096 of 3 KiB or so, whatever the number of rows.
_KEPT = 4096
# A table of so few rows is kept whole: users, currencies and roles are read for every request.
_SMALL = 256
_LINKED = "linked"


class RowStore:
    """Reads of committed rows; `store.transaction` is the only way to change anything.

    Rows given out are shared: nobody changes one in place. Memory does not grow with the number of rows.
    """

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self.database = database
        self.catalog = catalog
        self.version = FIRST_VERSION
        self.load()

    def load(self) -> None:
        """Begin anew with what the file holds; versions never go back, not even after a reset."""
        self.counts = self.database.counts()
        self.buried = self.database.buried()
        self.version = max(self.version, self.database.newest_version())
        self.pairs: dict[str, set[tuple[str, str]]] = {}
        for name, first, second in self.database.pairs():
            self.pairs.setdefault(name, set()).add((first, second))
        self._kept: OrderedDict[tuple[str, str], Row] = OrderedDict()
        self._whole: dict[str, dict[str, Row]] = {}
        self._indexed: set[tuple[str, AlternateKey]] = set()
        self.database.build_links(self.links_of)

    @property
    def rows(self) -> Mapping[str, "TableRows"]:
        """The tables that have rows."""
        return {name: TableRows(self, name) for name, count in self.counts.items() if count}

    @property
    def tombstones(self) -> Mapping[str, Mapping[str, int]]:
        """The deleted rows of each table with the versions of their deletions."""
        found: dict[str, dict[str, int]] = {}
        for table, row_id, version in self.database.tombstones():
            found.setdefault(table, {})[row_id] = version
        return found

    def table(self, name: str) -> "TableRows":
        """The rows of a table by id."""
        return TableRows(self, name)

    def whole(self, name: str) -> Mapping[str, Row] | None:
        """The rows of a small table; None for one that is not."""
        rows = self._whole.get(name)
        if rows is None and self.counts.get(name, 0) <= _SMALL:
            rows = self._whole[name] = dict(self.database.page(name, "", _SMALL))
        return rows

    def get(self, table: str, row_id: str) -> Row | None:
        """One row."""
        if (rows := self._whole.get(table)) is not None:
            return rows.get(row_id)
        row = self._kept.get((table, row_id))
        if row is not None:
            self._kept.move_to_end((table, row_id))
            return row
        if self.counts.get(table, 0) <= _SMALL:
            return (self.whole(table) or {}).get(row_id)
        row = self.database.row(table, row_id)
        if row is not None:
            self._keep(table, row_id, row)
        return row

    def several(self, table: str, row_ids: Sequence[str]) -> dict[str, Row]:
        """Those of several rows that exist, read together."""
        if (rows := self.whole(table)) is not None:
            return {row_id: rows[row_id] for row_id in row_ids if row_id in rows}
        return self.database.several(table, row_ids)

    def exists(self, table: str, row_id: str) -> bool:
        """Whether there is such a row."""
        if (rows := self.whole(table)) is not None:
            return row_id in rows
        return (table, row_id) in self._kept or self.database.exists(table, row_id)

    def existing(self, table: str, row_ids: Sequence[str]) -> set[str]:
        """Those of several ids that are rows, asked together."""
        if (rows := self.whole(table)) is not None:
            return {row_id for row_id in row_ids if row_id in rows}
        return self.database.existing(table, row_ids)

    def page(self, table: str, after: str, limit: int) -> list[Row]:
        """Rows in the order of their ids, from the one after `after`."""
        return [row for _, row in self.database.page(table, after, limit)]

    def following(self, table: str, after: str) -> Iterator[Row]:
        """Rows in the order of their ids, from the one after `after`, read as they are taken."""
        return (row for _, row in self.database.rows(table, after))

    def changed(self, table: str, since: int) -> list[Row]:
        """Rows above a version, in the order of their versions."""
        return self.database.changed(table, since)

    def deleted(self, table: str, since: int) -> list[str]:
        """Ids of the rows whose deletion is above a version."""
        return self.database.deleted(table, since)

    def holder(self, table: Table, key: AlternateKey, value: KeyValue) -> str | None:
        """The id of the row with this key value."""
        return self.holders(table, key, [value]).get(value)

    def holders(self, table: Table, key: AlternateKey, values: Sequence[KeyValue]) -> dict[KeyValue, str]:
        """The ids of the rows with these key values, asked together."""
        self._index(table, key)
        return self.database.holders(key_name(table.name, key), values)

    def forget_index(self, table: str, key: str) -> None:
        """Drop the index of a key that was dropped."""
        self._indexed = {(name, known) for name, known in self._indexed if (name, known.name) != (table, key)}
        self.database.forget_key(f"{table}/{key}/")

    def pointing(self, table: str, column: str, target: str) -> set[str]:
        """The ids of the rows of a table whose lookup holds this id."""
        return self.database.pointing(table, column, target)

    def referencing(self, table: str, row_id: str) -> Iterator[tuple[str, str, str]]:
        """Rows pointing at a row: their table, the column, their id."""
        yield from self.database.referencing(row_id)
        for column, target in _SEARCHED.items():
            if target == table:
                yield from self._search(column, Reference(table, row_id))

    def dangling(self) -> Iterator[tuple[str, str, str]]:
        """Lookups that point at nobody: table, column, id of the row that holds them."""
        for table, column, row_id, target in self.database.dangling():
            if target in self.catalog.tables:
                yield table, column, row_id

    def links_of(self, table: str, row_id: str, row: Row) -> set[Link]:
        """What a row points at, as far as the way back is indexed."""
        return {
            Link(value.id, table, name, row_id, value.table)
            for name in self._linked(table)
            if isinstance(value := row.get(name), Reference)
        }

    def committed(
        self, changed: Mapping[tuple[str, str], Row | None], before: Mapping[Any, Row | None]
    ) -> None:
        """Follow what a transaction has written."""
        for (table, row_id), row in changed.items():
            was = before[table, row_id]
            count = self.counts.get(table, 0) + (row is not None) - (was is not None)
            self.counts[table] = count
            rows = self._whole.get(table)
            if rows is not None and count <= _SMALL:
                _set(rows, row_id, row)
            else:
                self._whole.pop(table, None)
            if (table, row_id) in self._kept:
                _set(self._kept, (table, row_id), row)

    def _linked(self, table: str) -> Sequence[str]:
        """The lookups of a table whose way back is indexed."""
        known = self.catalog.tables.get(table)
        if known is None:
            return ()
        names = known.derived.get(_LINKED)
        if not isinstance(names, tuple):
            names = tuple(column.name for column in known.lookups() if column.name not in UNLINKED)
            known.derived[_LINKED] = names
        return names

    def _index(self, table: Table, key: AlternateKey) -> None:
        if (table.name, key) not in self._indexed:
            self.database.build_key(key_name(table.name, key), table.name, lambda row: key_value(key, row))
            self._indexed.add((table.name, key))

    def _search(self, column: str, target: Reference) -> Iterator[tuple[str, str, str]]:
        for table, row_id, row in self.database.mentioning(target.id):
            if row.get(column) == target:
                yield table, column, row_id

    def _keep(self, table: str, row_id: str, row: Row) -> None:
        self._kept[table, row_id] = row
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


class TableRows(Mapping[str, Row]):
    """The committed rows of one table by id; those of a large table are read as they are asked for."""

    def __init__(self, store: RowStore, name: str) -> None:
        self._store = store
        self._name = name

    def __len__(self) -> int:
        return self._store.counts.get(self._name, 0)

    def __contains__(self, row_id: object) -> bool:
        return isinstance(row_id, str) and self._store.exists(self._name, row_id)

    def __getitem__(self, row_id: str) -> Row:
        row = self._store.get(self._name, row_id)
        if row is None:
            raise KeyError(row_id)
        return row

    def __iter__(self) -> Iterator[str]:
        return (row_id for row_id, _ in self.pairs())

    def pairs(self) -> Iterable[tuple[str, Row]]:
        """Every row with its id."""
        rows = self._store.whole(self._name)
        return list(rows.items()) if rows is not None else self._store.database.rows(self._name)

    def items(self) -> ItemsView[str, Row]:
        """Every row with its id."""
        return _Items(self)

    def values(self) -> ValuesView[Row]:
        """Every row."""
        return _Values(self)


class _Items(ItemsView[str, Row]):
    _mapping: TableRows

    def __iter__(self) -> Iterator[tuple[str, Row]]:
        return iter(self._mapping.pairs())


class _Values(ValuesView[Row]):
    _mapping: TableRows

    def __iter__(self) -> Iterator[Row]:
        return (row for _, row in self._mapping.pairs())


def is_asked(column: str) -> bool:
    """Whether somebody asks which rows point at another by this column."""
    return column not in _NEVER_ASKED


def key_name(table: str, key: AlternateKey) -> str:
    """The name of a key's index: another combination of columns is another index."""
    return f"{table}/{key.name}/{','.join(key.columns)}"


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


def _set(rows: Any, key: Any, row: Row | None) -> None:
    if row is None:
        rows.pop(key, None)
    else:
        rows[key] = row
