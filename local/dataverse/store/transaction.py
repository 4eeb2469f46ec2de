"""A set of changes that becomes visible together or not at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from local.dataverse.rows.caller import Origin
from local.dataverse.schema.table import AlternateKey, Table
from local.dataverse.store.database import Content, encode
from local.dataverse.store.row import Reference, Row
from local.dataverse.store.rows import UNLINKED, KeyValue, RowStore, key_value


class Operation(StrEnum):
    """What happened to a row; the words Dataverse puts into messages."""

    CREATE = "Create"
    UPDATE = "Update"
    DELETE = "Delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One row before and after; `columns` are those the request named."""

    table: str
    id: str
    operation: Operation
    before: Row | None
    after: Row | None
    columns: frozenset[str]
    version: int
    origin: Origin
    message: str = ""


class KeyTaken(Exception):
    """Another row already carries this alternate key value."""

    def __init__(self, key: AlternateKey, holder: str) -> None:
        super().__init__(f"{key.name} is taken")
        self.key = key
        self.holder = holder


@dataclass(slots=True)
class Transaction:
    """Changes on top of the store; nothing shows outside before `commit`."""

    store: RowStore
    # Who writes; a change set moves it from part to part.
    origin: Origin
    changes: list[Change] = field(default_factory=list)
    outbox: list[tuple[str, str]] = field(default_factory=list)
    _rows: dict[tuple[str, str], Row | None] = field(default_factory=dict)
    _keys: dict[tuple[str, str], dict[KeyValue, str | None]] = field(default_factory=dict)
    _contents: dict[tuple[str, str, str], Content | None] = field(default_factory=dict)
    _pairs: dict[tuple[str, str, str], bool] = field(default_factory=dict)
    _version: int = 0

    def get(self, table: str, row_id: str) -> Row | None:
        """A row as this transaction sees it."""
        if (table, row_id) in self._rows:
            return self._rows[table, row_id]
        return self.store.get(table, row_id)

    def rows(self, table: str) -> Iterator[Row]:
        """All rows of a table as this transaction sees them."""
        touched = {row_id for name, row_id in self._rows if name == table}
        for row_id, row in self.store.table(table).items():
            if row_id not in touched:
                yield row
        for row_id in touched:
            row_now = self._rows[table, row_id]
            if row_now is not None:
                yield row_now

    def find(self, table: Table, key: AlternateKey, value: KeyValue) -> str | None:
        """The id of the row with this key value."""
        overlay = self._keys.get((table.name, key.name), {})
        if value in overlay:
            return overlay[value]
        return self.store.index(table, key).get(value)

    def referencing(self, table: str, row_id: str) -> list[tuple[str, str, Row]]:
        """Rows pointing at this row, as this transaction sees them: their table, the column, the row."""
        found = []
        for source, column, holder in self.store.referencing(row_id):
            row = self.get(source, holder)
            if row is not None and row.get(column) == (table, row_id):
                found.append((source, column, row))
        known = {id(row) for _, _, row in found}
        pointer = (table, row_id)
        for (source, _), changed in self._rows.items():
            if changed is None or id(changed) in known:
                continue
            found += [
                (source, column, changed)
                for column, value in changed.items()
                if isinstance(value, Reference) and value == pointer and column not in UNLINKED
            ]
        return found

    def put(self, table: Table, row: Row, columns: frozenset[str], message: str = "") -> Row:
        """Create or replace a row under a new version; KeyTaken when it collides on an alternate key."""
        row_id = row[table.id_column]
        before = self.get(table.name, row_id)
        row = {**row, "versionnumber": self._next_version()}
        self._claim_keys(table, row_id, before, row)
        self._rows[table.name, row_id] = row
        operation = Operation.CREATE if before is None else Operation.UPDATE
        self.changes.append(
            Change(
                table.name,
                row_id,
                operation,
                before,
                row,
                columns,
                row["versionnumber"],
                self.origin,
                message,
            )
        )
        return row

    def delete(self, table: Table, row_id: str) -> None:
        """Remove a row that exists."""
        before = self.get(table.name, row_id)
        for key in table.keys.values():
            value = key_value(key, before or {})
            if value is not None:
                self._keys.setdefault((table.name, key.name), {})[value] = None
        self._rows[table.name, row_id] = None
        version = self._next_version()
        self.changes.append(
            Change(table.name, row_id, Operation.DELETE, before, None, frozenset(), version, self.origin)
        )

    def pair(self, name: str, first: str, second: str, *, present: bool) -> None:
        """Link or unlink two rows of a many-to-many relationship."""
        self._pairs[name, first, second] = present

    def is_paired(self, name: str, first: str, second: str) -> bool:
        """Whether two rows are linked, as this transaction sees it."""
        known = self._pairs.get((name, first, second))
        return known if known is not None else (first, second) in self.store.pairs.get(name, set())

    def put_content(self, table: str, row_id: str, column: str, content: Content | None) -> None:
        """Store, or with None remove, the bytes behind a file column."""
        self._contents[table, row_id, column] = content

    def send(self, queue: str, message: str) -> None:
        """Leave a message with the commit."""
        self.outbox.append((queue, message))

    def commit(self) -> None:
        """Write to the file, then show the changes to everybody."""
        with self.store.database.transaction() as sql:
            self._write(sql)
        self._publish()

    def _next_version(self) -> int:
        self._version = max(self._version, self.store.version) + 1
        return self._version

    def _claim_keys(self, table: Table, row_id: str, before: Row | None, after: Row) -> None:
        for key in table.keys.values():
            old = key_value(key, before) if before is not None else None
            new = key_value(key, after)
            if old == new:
                continue
            overlay = self._keys.setdefault((table.name, key.name), {})
            if new is not None:
                holder = self.find(table, key, new)
                if holder is not None and holder != row_id:
                    raise KeyTaken(key, holder)
                overlay[new] = row_id
            if old is not None:
                overlay[old] = None

    def _write(self, sql: Any) -> None:
        kept = [
            (name, row_id, row["versionnumber"], encode(row))
            for (name, row_id), row in self._rows.items()
            if row is not None
        ]
        gone = [(name, row_id) for (name, row_id), row in self._rows.items() if row is None]
        _many(sql, "INSERT OR REPLACE INTO row VALUES (?, ?, ?, ?)", kept)
        if gone:
            versions = {(change.table, change.id): change.version for change in self.changes}
            _many(sql, "DELETE FROM row WHERE tbl = ? AND id = ?", gone)
            _many(sql, "DELETE FROM content WHERE tbl = ? AND id = ?", gone)
            _many(
                sql,
                "INSERT OR REPLACE INTO tombstone VALUES (?, ?, ?)",
                [(*who, versions[who]) for who in gone],
            )
        revived = [who for who in self._revived() if self._rows[who] is not None]
        _many(sql, "DELETE FROM tombstone WHERE tbl = ? AND id = ?", revived)
        for (name, first, second), present in self._pairs.items():
            statement = (
                "INSERT OR IGNORE INTO pair VALUES (?, ?, ?)"
                if present
                else "DELETE FROM pair WHERE name = ? AND first = ? AND second = ?"
            )
            sql.execute(statement, (name, first, second))
        for where, content in self._contents.items():
            sql.execute("DELETE FROM content WHERE tbl = ? AND id = ? AND col = ?", where)
            if content is not None:
                sql.execute(
                    "INSERT INTO content VALUES (?, ?, ?, ?, ?)", (*where, content.filename, content.body)
                )
        _many(sql, "INSERT INTO outbox (queue, message) VALUES (?, ?)", self.outbox)

    def _revived(self) -> list[tuple[str, str]]:
        return [who for who in self._rows if who[1] in self.store.tombstones.get(who[0], {})]

    def _publish(self) -> None:
        store = self.store
        for name, row_id in self._revived():
            store.tombstones[name].pop(row_id)
        for (name, row_id), row in self._rows.items():
            store.relink(name, row_id, store.get(name, row_id), row)
            if row is None:
                store.table(name).pop(row_id, None)
            else:
                store.table(name)[row_id] = row
        for change in self.changes:
            if change.operation is Operation.DELETE and self._rows[change.table, change.id] is None:
                store.tombstones.setdefault(change.table, {})[change.id] = change.version
        for (name, key_name), overlay in self._keys.items():
            table = store.catalog.tables[name]
            index = store.index(table, table.keys[key_name])
            for value, holder in overlay.items():
                if holder is None:
                    index.pop(value, None)
                else:
                    index[value] = holder
        for (name, first, second), present in self._pairs.items():
            members = store.pairs.setdefault(name, set())
            (members.add if present else members.discard)((first, second))
        store.version = max(store.version, self._version)


def _many(sql: Any, statement: str, parameters: Sequence[tuple[Any, ...]]) -> None:
    if parameters:
        sql.executemany(statement, parameters)
