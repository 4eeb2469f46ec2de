"""A set of changes that becomes visible together or not at all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from local.dataverse.rows.caller import Origin
from local.dataverse.schema.table import AlternateKey, Table
from local.dataverse.store.database import Content, KeyValue, Link, encode, key_text
from local.dataverse.store.row import Reference, Row
from local.dataverse.store.rows import RowStore, is_asked, key_name, key_value


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
    """Changes on top of the store; nothing shows outside before `commit`.

    A request of many rows says which it is about to ask for (`expect`), so that they are read together.
    """

    store: RowStore
    # Who writes; a change set moves it from part to part.
    origin: Origin
    changes: list[Change] = field(default_factory=list)
    outbox: list[tuple[str, str]] = field(default_factory=list)
    _rows: dict[tuple[str, str], Row | None] = field(default_factory=dict)
    # Of the rows above, what the store has; and rows and key values read ahead.
    _before: dict[tuple[str, str], Row | None] = field(default_factory=dict)
    _ahead: dict[tuple[str, str], Row | None] = field(default_factory=dict)
    _known: dict[tuple[str, str], bool] = field(default_factory=dict)
    _holders: dict[tuple[str, str], dict[KeyValue, str | None]] = field(default_factory=dict)
    _keys: dict[tuple[str, str], dict[KeyValue, str | None]] = field(default_factory=dict)
    _contents: dict[tuple[str, str, str], Content | None] = field(default_factory=dict)
    _pairs: dict[tuple[str, str, str], bool] = field(default_factory=dict)
    _version: int = 0

    def get(self, table: str, row_id: str) -> Row | None:
        """A row as this transaction sees it."""
        who = (table, row_id)
        if who in self._rows:
            return self._rows[who]
        if who in self._ahead:
            return self._ahead[who]
        return self.store.get(table, row_id)

    def exists(self, table: str, row_id: str) -> bool:
        """Whether there is such a row, as this transaction sees it."""
        who = (table, row_id)
        if who in self._rows:
            return self._rows[who] is not None
        if who in self._ahead:
            return self._ahead[who] is not None
        known = self._known.get(who)
        return known if known is not None else self.store.exists(table, row_id)

    def expect(self, table: str, row_ids: Sequence[str]) -> None:
        """Read rows that will be asked for, all at once."""
        found = self.store.several(table, row_ids)
        self._ahead.update({(table, row_id): found.get(row_id) for row_id in row_ids})

    def expect_targets(self, table: str, row_ids: Sequence[str]) -> None:
        """Learn which of the rows that will be pointed at exist, all at once."""
        found = self.store.existing(table, row_ids)
        self._known.update({(table, row_id): row_id in found for row_id in row_ids})

    def expect_keys(self, table: Table, key: AlternateKey, values: Sequence[KeyValue]) -> None:
        """Learn which rows have key values that will be asked for, all at once."""
        found = self.store.holders(table, key, values)
        known = self._holders.setdefault((table.name, key.name), {})
        known.update({value: found.get(value) for value in values})

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
        known = self._holders.get((table.name, key.name), {})
        return known[value] if value in known else self.store.holder(table, key, value)

    def referencing(self, table: str, row_id: str) -> list[tuple[str, str, Row]]:
        """Rows pointing at this row, as this transaction sees them: their table, the column, the row."""
        found = []
        for source, column, holder in self.store.referencing(table, row_id):
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
                if isinstance(value, Reference) and value == pointer and is_asked(column)
            ]
        return found

    def put(self, table: Table, row: Row, columns: frozenset[str], message: str = "") -> Row:
        """Create or replace a row under a new version; KeyTaken when it collides on an alternate key."""
        row_id = row[table.id_column]
        before = self.get(table.name, row_id)
        row = {**row, "versionnumber": self._next_version()}
        self._claim_keys(table, row_id, before, row)
        self._set(table.name, row_id, before, row)
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
        self._set(table.name, row_id, before, None)
        version = self._next_version()
        self.changes.append(
            Change(table.name, row_id, Operation.DELETE, before, None, frozenset(), version, self.origin)
        )

    def pair(self, name: str, first: str, second: str, *, present: bool) -> None:
        """Link or unlink two rows of a many-to-many relationship."""
        self._pairs[name, first, second] = present

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

    def _set(self, table: str, row_id: str, before: Row | None, after: Row | None) -> None:
        if (table, row_id) not in self._rows:
            self._before[table, row_id] = before
        self._rows[table, row_id] = after

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
            (row["versionnumber"], name, row_id, encode(row))
            for (name, row_id), row in self._rows.items()
            if row is not None
        ]
        gone = [who for who, row in self._rows.items() if row is None]
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
        _many(sql, "DELETE FROM tombstone WHERE tbl = ? AND id = ?", self._revived())
        self._write_keys(sql)
        self._write_links(sql)
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

    def _write_keys(self, sql: Any) -> None:
        for (name, key), overlay in self._keys.items():
            index = key_name(name, self.store.catalog.tables[name].keys[key])
            taken = [
                (index, key_text(value), holder) for value, holder in overlay.items() if holder is not None
            ]
            freed = [(index, key_text(value)) for value, holder in overlay.items() if holder is None]
            _many(sql, "DELETE FROM key WHERE name = ? AND value = ?", freed)
            _many(sql, "INSERT OR REPLACE INTO key VALUES (?, ?, ?)", taken)

    def _write_links(self, sql: Any) -> None:
        made: list[Link] = []
        gone: list[tuple[str, str, str, str]] = []
        for (name, row_id), row in self._rows.items():
            before = self.store.links_of(name, row_id, self._before[name, row_id] or {})
            after = self.store.links_of(name, row_id, row or {})
            if before != after:
                made += after - before
                gone += [link[:4] for link in before - after]
        _many(sql, "DELETE FROM link WHERE target = ? AND tbl = ? AND col = ? AND id = ?", gone)
        _many(sql, "INSERT OR REPLACE INTO link VALUES (?, ?, ?, ?, ?)", made)

    def _revived(self) -> list[tuple[str, str]]:
        """The rows created under an id that, as far as can be told cheaply, may once have been deleted."""
        buried = self.store.buried
        return [
            who
            for who, row in self._rows.items()
            if row is not None and self._before[who] is None and buried.get(who[0])
        ]

    def _publish(self) -> None:
        store = self.store
        store.committed(self._rows, self._before)
        for (name, _), row in self._rows.items():
            if row is None:
                store.buried[name] = store.buried.get(name, 0) + 1
        for (name, first, second), present in self._pairs.items():
            members = store.pairs.setdefault(name, set())
            (members.add if present else members.discard)((first, second))
        store.version = max(store.version, self._version)


def _many(sql: Any, statement: str, parameters: Sequence[tuple[Any, ...]]) -> None:
    if parameters:
        sql.executemany(statement, parameters)
