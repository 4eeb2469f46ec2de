"""What survives a kill: one SQLite file, written in one transaction per turn of the event loop.

Memory is the working state; this is its journal, replayed at the start. Locks are not kept: after a restart
every message is available again, with its delivery count.
"""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local.broker.amqp.sections import parse, serialise
from local.broker.entities.message import Message, State
from local.broker.entities.namespace import Namespace
from local.broker.entities.queue import Queue
from local.broker.entities.session_queue import SessionQueue
from local.broker.entities.settings import QueueSettings

_VERSION = 1

_SCHEMA = """
CREATE TABLE entity (name TEXT PRIMARY KEY, settings TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE message (
    path TEXT NOT NULL, sequence INTEGER NOT NULL,
    enqueued_sequence INTEGER NOT NULL, enqueued_at INTEGER NOT NULL, expires_at INTEGER,
    delivery_count INTEGER NOT NULL, state INTEGER NOT NULL, scheduled_for INTEGER, source TEXT,
    content BLOB NOT NULL, PRIMARY KEY (path, sequence)
) WITHOUT ROWID;
CREATE TABLE counter (path TEXT PRIMARY KEY, last_sequence INTEGER NOT NULL);
CREATE TABLE session (
    path TEXT NOT NULL, id TEXT NOT NULL, state BLOB NOT NULL, updated_at INTEGER NOT NULL,
    PRIMARY KEY (path, id)
);
CREATE TABLE seen (
    path TEXT NOT NULL, message_id TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (path, message_id)
);
"""

# New ids remembered for duplicate detection between two clearings of the old ones.
_CLEAR_EVERY = 1000


class StoreUnusable(Exception):
    """The file is not a store of this version."""


class Store:
    """The journal of a broker that remembers. WAL, synchronous NORMAL: safe against a kill of the process."""

    def __init__(self, path: Path, changed: Callable[[], None], now: Callable[[], int]) -> None:
        """`changed` is called when there is something to commit. Raises StoreUnusable."""
        self._changed = changed
        self._now = now
        self._messages: dict[tuple[str, int], Message | None] = {}
        self._counters: dict[str, int] = {}
        self._statements: list[tuple[str, tuple[object, ...]]] = []
        self._remembered = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        try:
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._database.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
            elif version != _VERSION:
                raise StoreUnusable(f"{path.name}: made by another version of the broker")
        except sqlite3.DatabaseError as wrong:
            raise StoreUnusable(f"{path.name}: not a broker's store") from wrong

    def put(self, path: str, message: Message) -> None:
        """A message is new, or changed."""
        self._messages[path, message.sequence] = message
        self._changed()

    def remove(self, path: str, sequence: int) -> None:
        """A message is gone."""
        self._messages[path, sequence] = None
        self._changed()

    def count(self, path: str, last_sequence: int) -> None:
        """A sequence number was given out."""
        self._counters[path] = last_sequence
        self._changed()

    def session_state(self, path: str, session_id: str, state: bytes | None, updated_at: int) -> None:
        """A session's state changed; None clears it."""
        if state is None:
            self._plan("DELETE FROM session WHERE path = ? AND id = ?", path, session_id)
        else:
            self._plan(
                "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?)", path, session_id, state, updated_at
            )

    def remember(self, path: str, message_id: str, until: int) -> None:
        """A message id counts as seen until then."""
        self._plan("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", path, message_id, until)
        self._remembered += 1
        if self._remembered % _CLEAR_EVERY == 0:
            self._plan("DELETE FROM seen WHERE until <= ?", self._now())

    def keep_queue(self, name: str, settings: QueueSettings, created_at: int) -> None:
        """A queue that the configuration does not name was created or updated."""
        text = json.dumps(asdict(settings))
        self._plan("INSERT OR REPLACE INTO entity VALUES (?, ?, ?)", name, text, created_at)

    def drop_queue(self, name: str) -> None:
        """A queue was deleted, with everything under its name."""
        self._plan("DELETE FROM entity WHERE lower(name) = ?", name.lower())
        for table in ("counter", "session", "seen"):
            statement = f"DELETE FROM {table} WHERE path = ? OR path LIKE ? || '/$%'"  # noqa: S608  # our own names
            self._plan(statement, name.lower(), name.lower())

    def commit(self) -> None:
        """Make what happened since the last commit durable, all of it or nothing. Raises sqlite3.Error."""
        if not (self._messages or self._counters or self._statements):
            return
        messages, self._messages = self._messages, {}
        counters, self._counters = self._counters, {}
        statements, self._statements = self._statements, []
        run = self._database
        run.execute("BEGIN")
        run.executemany("DELETE FROM message WHERE path = ? AND sequence = ?", _gone(messages))
        run.executemany(
            "INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_row(path, message) for (path, _), message in messages.items() if message is not None],
        )
        run.executemany("INSERT OR REPLACE INTO counter VALUES (?, ?)", list(counters.items()))
        for statement, values in statements:
            run.execute(statement, values)
        run.execute("COMMIT")

    def load(self, namespace: Namespace) -> None:
        """Put everything back. The queues of the configuration must be there already."""
        for name, settings, created_at in self._database.execute(
            "SELECT name, settings, created_at FROM entity"
        ):
            namespace.restore(name, QueueSettings(**json.loads(settings)), created_at)
        queues = {queue.path: queue for entry in namespace for queue in entry.queues()}
        for path, queue in queues.items():
            self._load(path, queue)

    def close(self) -> None:
        """Commit what is left and let go of the file."""
        self.commit()
        self._database.close()

    def _load(self, path: str, queue: Queue) -> None:
        select = self._database.execute
        for (last,) in select("SELECT last_sequence FROM counter WHERE path = ?", (path,)):
            queue.shelf.last_sequence = last
        for row in select("SELECT * FROM message WHERE path = ? ORDER BY sequence", (path,)):
            queue.restore(_message(row))
        for message_id, until in select(
            "SELECT message_id, until FROM seen WHERE path = ? AND until > ? ORDER BY until",
            (path, self._now()),
        ):
            queue.shelf.restore_seen(message_id, until)
        if isinstance(queue, SessionQueue):
            for row in select("SELECT id, state, updated_at FROM session WHERE path = ?", (path,)):
                queue.restore_session_state(*row)

    def _plan(self, statement: str, *values: object) -> None:
        self._statements.append((statement, values))
        self._changed()


def _gone(messages: dict[tuple[str, int], Message | None]) -> list[tuple[str, int]]:
    return [key for key, message in messages.items() if message is None]


def _row(path: str, message: Message) -> tuple[object, ...]:
    return (
        path,
        message.sequence,
        message.enqueued_sequence,
        message.enqueued_at,
        message.expires_at,
        message.delivery_count,
        int(message.state),
        message.scheduled_for,
        message.source,
        serialise(message.content),
    )


def _message(row: tuple[Any, ...]) -> Message:
    (
        _,
        sequence,
        enqueued_sequence,
        enqueued_at,
        expires_at,
        delivery_count,
        state,
        scheduled_for,
        source,
        content,
    ) = row
    message = Message(sequence, parse(content), enqueued_at)
    message.enqueued_sequence = enqueued_sequence
    message.expires_at = expires_at
    message.delivery_count = delivery_count
    message.state = State(state)
    message.scheduled_for = scheduled_for
    message.source = source
    return message
