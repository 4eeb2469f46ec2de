"""The SQLite file: rows, tombstones, many-to-many pairs, file contents, run-time metadata, the outbox."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.dataverse.store.row import Reference, Row

_SCHEMA = """
CREATE TABLE IF NOT EXISTS row (
    tbl TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (tbl, id)
) WITHOUT ROWID;
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


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes behind a file column."""

    filename: str
    body: bytes


def encode(row: Mapping[str, Any]) -> str:
    """A row as JSON; a reference becomes a pair."""
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False)


def decode(body: str) -> Row:
    """A row from its JSON; only references are lists."""
    return {
        name: Reference(*value) if isinstance(value, list) else value
        for name, value in json.loads(body).items()
    }


class Database:
    """The request thread's connection; the sender thread has its own in `Outbox`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = _connect(str(path))
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

    def rows(self) -> Iterator[tuple[str, str, Row]]:
        """Every row with its table and id."""
        for table, row_id, body in self._connection.execute("SELECT tbl, id, body FROM row"):
            yield table, row_id, decode(body)

    def tombstones(self) -> list[tuple[str, str, int]]:
        """Every deleted row with the version of its deletion."""
        return list(self._connection.execute("SELECT tbl, id, version FROM tombstone"))

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
            for table in ("row", "tombstone", "pair", "content", "metadata", "outbox"):
                sql.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are the literals above


def _connect(path: str) -> sqlite3.Connection:
    # The simulator answers on one thread, but a test may start it on one and stop it on another.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
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
