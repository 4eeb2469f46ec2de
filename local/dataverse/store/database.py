"""The SQLite file: rows, tombstones, many-to-many pairs, file contents, run-time metadata, the outbox."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from local.dataverse.store.row import Reference, Row

# A row lies where its version puts it: what changed since a version is then one stretch of the file.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS row (
    version INTEGER PRIMARY KEY, tbl TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS row_by_id ON row (tbl, id);
CREATE TABLE IF NOT EXISTS key (
    name TEXT NOT NULL, value TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (name, value)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS link (
    target TEXT NOT NULL, tbl TEXT NOT NULL, col TEXT NOT NULL, id TEXT NOT NULL, target_tbl TEXT NOT NULL,
    PRIMARY KEY (target, tbl, col, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS built (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tombstone (
    tbl TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, PRIMARY KEY (tbl, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pair (
    name TEXT NOT NULL, first TEXT NOT NULL, second TEXT NOT NULL, PRIMARY KEY (name, first, second)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS content (
    tbl TEXT NOT NULL, id TEXT NOT NULL, col TEXT NOT NULL, filename TEXT, body BLOB NOT NULL,
    PRIMARY KEY (tbl, id, col)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS metadata (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, message TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, refused TEXT
);
"""
# A file of the time when rows lay under their ids.
_FORMER = """
ALTER TABLE row RENAME TO former;
CREATE TABLE row (
    version INTEGER PRIMARY KEY, tbl TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL
);
INSERT INTO row SELECT version, tbl, id, body FROM former;
DROP TABLE former;
"""
_TABLES = ("row", "key", "link", "built", "tombstone", "pair", "content", "metadata", "outbox")
_LINKS = "links"
_CHUNK = 500

KeyValue = tuple[Any, ...]


class Link(NamedTuple):
    """One row pointing at another: the id pointed at, who points by which column, and at which table."""

    target: str
    table: str
    column: str
    id: str
    target_table: str


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes behind a file column."""

    filename: str
    body: bytes


# Made once: `json.dumps` with these options makes one for each call.
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


def encode(row: Row) -> str:
    """A row as JSON; a reference becomes a pair."""
    return _encode(row)


def decode(body: str) -> Row:
    """A row from its JSON; only references are lists."""
    row: Row = json.loads(body)
    for name, value in row.items():
        if type(value) is list:
            row[name] = Reference(*value)
    return row


def key_text(value: KeyValue) -> str:
    """A key value as the index holds it; a single text as it is, because its column holds nothing else."""
    if len(value) == 1 and isinstance(value[0], str):
        return value[0]
    return _encode(value)


class Database:
    """The request thread's connection; the sender thread has its own in `Outbox`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = _connect(str(path))
        if self._connection.execute("SELECT 1 FROM pragma_index_list('row') WHERE origin = 'pk'").fetchone():
            self._connection.executescript(_FORMER)
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        return dict(self._connection.execute("SELECT tbl, count(*) FROM row GROUP BY tbl"))

    def buried(self) -> dict[str, int]:
        """How many deleted rows each table has."""
        return dict(self._connection.execute("SELECT tbl, count(*) FROM tombstone GROUP BY tbl"))

    def newest_version(self) -> int:
        """The highest version of a row or a deletion; 0 when there is none."""
        newest = "SELECT ifnull(max(version), 0) FROM"
        query = f"SELECT max(({newest} row), ({newest} tombstone))"
        return int(self._connection.execute(query).fetchone()[0])

    def row(self, table: str, row_id: str) -> Row | None:
        """One row."""
        query = "SELECT body FROM row WHERE tbl = ? AND id = ?"
        found = self._connection.execute(query, (table, row_id)).fetchone()
        return decode(found[0]) if found else None

    def exists(self, table: str, row_id: str) -> bool:
        """Whether there is such a row."""
        query = "SELECT 1 FROM row WHERE tbl = ? AND id = ?"
        return self._connection.execute(query, (table, row_id)).fetchone() is not None

    def several(self, table: str, row_ids: Iterable[str]) -> dict[str, Row]:
        """Those of several rows that exist."""
        query = "SELECT id, body FROM row WHERE tbl = ? AND id IN (SELECT value FROM json_each(?))"
        found = self._connection.execute(query, (table, json.dumps(list(row_ids))))
        return {row_id: decode(body) for row_id, body in found}

    def existing(self, table: str, row_ids: Iterable[str]) -> set[str]:
        """Those of several ids that are rows."""
        query = "SELECT id FROM row WHERE tbl = ? AND id IN (SELECT value FROM json_each(?))"
        return {found for (found,) in self._connection.execute(query, (table, json.dumps(list(row_ids))))}

    def page(self, table: str, after: str, limit: int) -> list[tuple[str, Row]]:
        """Rows with their ids, in the order of these, from the one after `after`."""
        query = "SELECT id, body FROM row WHERE tbl = ? AND id > ? ORDER BY id LIMIT ?"
        found = self._connection.execute(query, (table, after, limit))
        return [(row_id, decode(body)) for row_id, body in found]

    def rows(self, table: str, after: str = "") -> Iterator[tuple[str, Row]]:
        """Every row of a table with its id, from the one after `after`, in the order of the ids.

        They are read a page at a time: no statement stays open between two rows.
        """
        while found := self.page(table, after, _CHUNK):
            yield from found
            after = found[-1][0]

    def changed(self, table: str, since: int) -> list[Row]:
        """Rows above a version, in the order of their versions."""
        # The sign keeps SQLite from reading all rows of the table in the order of their ids.
        query = "SELECT body FROM row WHERE version > ? AND +tbl = ? ORDER BY version"
        return [decode(body) for (body,) in self._connection.execute(query, (since, table))]

    def deleted(self, table: str, since: int) -> list[str]:
        """Ids of the rows whose deletion is above a version, the oldest deletion first."""
        query = "SELECT id FROM tombstone WHERE tbl = ? AND version > ? ORDER BY version"
        return [row_id for (row_id,) in self._connection.execute(query, (table, since))]

    def mentioning(self, text: str) -> Iterator[tuple[str, str, Row]]:
        """Rows of all tables that hold a text somewhere; reads every row there is."""
        query = "SELECT tbl, id, body FROM row WHERE instr(body, ?)"
        for table, row_id, body in self._connection.execute(query, (text,)).fetchall():
            yield table, row_id, decode(body)

    def tombstones(self) -> list[tuple[str, str, int]]:
        """Every deleted row with the version of its deletion."""
        return list(self._connection.execute("SELECT tbl, id, version FROM tombstone"))

    def holders(self, name: str, values: Sequence[KeyValue]) -> dict[KeyValue, str]:
        """The ids of the rows with these values of a key."""
        texts = {key_text(value): value for value in values}
        query = "SELECT value, id FROM key WHERE name = ? AND value IN (SELECT value FROM json_each(?))"
        found = self._connection.execute(query, (name, json.dumps(list(texts))))
        return {texts[text]: row_id for text, row_id in found}

    def build_key(self, name: str, table: str, value_of: Callable[[Row], KeyValue | None]) -> None:
        """Index a key, unless that was done before."""
        if self._is_built(name):
            return
        with self.transaction() as sql:
            entries = (
                (name, key_text(value), row_id)
                for row_id, row in self.rows(table)
                if (value := value_of(row)) is not None
            )
            sql.executemany("INSERT OR REPLACE INTO key VALUES (?, ?, ?)", entries)
            sql.execute("INSERT INTO built VALUES (?)", (name,))

    def forget_key(self, prefix: str) -> None:
        """Drop the indexes whose names begin so."""
        span = (prefix, prefix + "\U0010ffff")
        with self.transaction() as sql:
            sql.execute("DELETE FROM key WHERE name >= ? AND name < ?", span)
            sql.execute("DELETE FROM built WHERE name >= ? AND name < ?", span)

    def build_links(self, links_of: Callable[[str, str, Row], Iterable[Link]]) -> None:
        """Index the lookups of all rows, unless that was done before."""
        if self._is_built(_LINKS):
            return
        tables = list(self.counts())
        with self.transaction() as sql:
            for table in tables:
                for row_id, row in self.rows(table):
                    sql.executemany(
                        "INSERT OR IGNORE INTO link VALUES (?, ?, ?, ?, ?)", links_of(table, row_id, row)
                    )
            sql.execute("INSERT INTO built VALUES (?)", (_LINKS,))

    def pointing(self, table: str, column: str, target: str) -> set[str]:
        """The ids of the rows of a table whose lookup holds this id."""
        query = "SELECT id FROM link WHERE target = ? AND tbl = ? AND col = ?"
        return {row_id for (row_id,) in self._connection.execute(query, (target, table, column))}

    def referencing(self, target: str) -> list[tuple[str, str, str]]:
        """The rows whose lookups hold this id: table, column, id."""
        return list(self._connection.execute("SELECT tbl, col, id FROM link WHERE target = ?", (target,)))

    def dangling(self) -> list[tuple[str, str, str, str]]:
        """Lookups that hold the id of no row: table, column, id, and the table pointed at."""
        query = """
            SELECT tbl, col, id, target_tbl FROM link WHERE NOT EXISTS (
                SELECT 1 FROM row WHERE row.tbl = link.target_tbl AND row.id = link.target
            )
        """
        return list(self._connection.execute(query))

    def pairs(self) -> list[tuple[str, str, str]]:
        """Every many-to-many pair."""
        return list(self._connection.execute("SELECT name, first, second FROM pair"))

    def metadata(self) -> list[tuple[str, str, Any]]:
        """Metadata changes in the order they were made: kind, name, body."""
        query = "SELECT kind, name, body FROM metadata ORDER BY seq"
        return [(kind, name, json.loads(body)) for kind, name, body in self._connection.execute(query)]

    def add_metadata(self, kind: str, name: str, body: object) -> None:
        """Remember a metadata change so that a restart repeats it."""
        with self.transaction() as sql:
            sql.execute(
                "INSERT INTO metadata (kind, name, body) VALUES (?, ?, ?)", (kind, name, json.dumps(body))
            )

    def content(self, table: str, row_id: str, column: str) -> Content | None:
        """The file behind a column."""
        found = self._connection.execute(
            "SELECT filename, body FROM content WHERE tbl = ? AND id = ? AND col = ?", (table, row_id, column)
        ).fetchone()
        return Content(*found) if found else None

    def clear(self) -> None:
        """Empty every table."""
        with self.transaction() as sql:
            for table in _TABLES:
                sql.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are the literals above

    def _is_built(self, name: str) -> bool:
        return self._connection.execute("SELECT 1 FROM built WHERE name = ?", (name,)).fetchone() is not None


def _connect(path: str) -> sqlite3.Connection:
    # The simulator answers on one thread, but a test may start it on one and stop it on another.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    # 32 MiB of pages: enough for the upper part of every index, and no more however many rows there are.
    connection.execute("PRAGMA cache_size=-32768")
    # Pages of the indexes change again and again: the longer they wait, the fewer are written twice.
    connection.execute("PRAGMA wal_autocheckpoint=8192")
    return connection


@dataclass(frozen=True, slots=True)
class Pending:
    """A message waiting in the outbox; `message` is JSON."""

    sequence: int
    queue: str
    message: str
    attempts: int


class Outbox:
    """The sender thread's own view of the messages that must still leave."""

    def __init__(self, path: Path) -> None:
        self._connection = _connect(str(path))

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def pending(self, limit: int) -> list[Pending]:
        """The oldest messages that nobody has refused."""
        query = "SELECT seq, queue, message, attempts FROM outbox WHERE refused IS NULL ORDER BY seq LIMIT ?"
        return [Pending(*found) for found in self._connection.execute(query, (limit,))]

    def sent(self, sequences: Iterable[int]) -> None:
        """Forget messages the broker has taken."""
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq in sequences])
        self._connection.execute("COMMIT")

    def failed(self, sequences: Sequence[int]) -> None:
        """Count an attempt that the broker did not take."""
        self._connection.executemany(
            "UPDATE outbox SET attempts = attempts + 1 WHERE seq = ?", [(seq,) for seq in sequences]
        )

    def refuse(self, sequence: int, reason: str) -> None:
        """Set aside a message the broker will never take."""
        self._connection.execute("UPDATE outbox SET refused = ? WHERE seq = ?", (reason, sequence))

    def counts(self) -> dict[str, int]:
        """How many wait, and how many were set aside."""
        query = "SELECT count(*) - count(refused), count(refused) FROM outbox"
        waiting, refused = self._connection.execute(query).fetchone()
        return {"waiting": waiting, "refused": refused}
