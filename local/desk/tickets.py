"""The tickets and what became of each: opened, changed, commented, closed."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS ticket (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    idempotency_key TEXT UNIQUE,
    status TEXT NOT NULL,
    key TEXT NOT NULL,
    fields TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ticket_by_key ON ticket (key);
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number INTEGER NOT NULL REFERENCES ticket (number),
    at TEXT NOT NULL,
    event TEXT NOT NULL,
    changes TEXT NOT NULL,
    comment TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_by_ticket ON event (number, id);
"""

STATUSES = ("open", "closed")

_TEXTS = ("title", "body", "team", "priority")
_CREATABLE = frozenset({"key", *_TEXTS, "details"})
_CHANGEABLE = frozenset({*_TEXTS, "details", "status", "comment"})


class InvalidTicket(ValueError):
    """A ticket or a change to one has a field the desk does not take."""


def _check(fields: Any, allowed: frozenset[str]) -> dict[str, Any]:
    if not isinstance(fields, dict):
        raise InvalidTicket("a ticket is a JSON object")
    unknown = sorted(set(fields) - allowed)
    if unknown:
        raise InvalidTicket(f"{', '.join(unknown)}: unknown")
    for name, value in fields.items():
        if not isinstance(value, dict if name == "details" else str):
            raise InvalidTicket(f"{name}: {'a JSON object' if name == 'details' else 'text'}")
    if fields.get("status", "open") not in STATUSES:
        raise InvalidTicket(f"status: {' or '.join(STATUSES)}")
    return fields


class Tickets:
    """The desk's tickets; ids are `T-<number>`."""

    def __init__(self, database: sqlite3.Connection, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def open(self, fields: Any, idempotency_key: str | None) -> tuple[dict[str, Any], bool]:
        """Open a ticket, or find the one this idempotency key opened; returns it and whether it is new.

        Raises InvalidTicket naming the field: key and title are needed, the rest defaults to blank.
        """
        given = _check(fields, _CREATABLE)
        for name in ("key", "title"):
            if not given.get(name):
                raise InvalidTicket(f"{name}: needed")
        if idempotency_key is not None:
            row = self._database.execute(
                "SELECT number FROM ticket WHERE idempotency_key = ?", (idempotency_key,)
            ).fetchone()
            if row is not None:
                return self.read(row["number"]), False
        kept = {**dict.fromkeys(_TEXTS, ""), "details": {}, **given}
        at = self._now().isoformat()
        self._database.execute("BEGIN")
        number = self._database.execute(
            """INSERT INTO ticket (idempotency_key, status, key, fields, created_at, updated_at)
               VALUES (?, 'open', ?, ?, ?, ?)""",
            (idempotency_key, kept.pop("key"), json.dumps(kept), at, at),
        ).lastrowid
        assert number is not None  # noqa: S101  # an insert always has one
        self._record(number, at, "opened", {}, "")
        self._database.execute("COMMIT")
        return self.read(number), True

    def change(self, number: int, fields: Any) -> dict[str, Any]:
        """Change, comment, close or reopen. Raises InvalidTicket naming the field, LookupError if unknown."""
        given = _check(fields, _CHANGEABLE)
        before = self.read(number)
        comment = given.get("comment", "")
        changes = {
            name: [before[name], value]
            for name, value in given.items()
            if name != "comment" and before[name] != value
        }
        if not changes and not comment:
            return before
        after = {name: given.get(name, before[name]) for name in (*_TEXTS, "details")}
        status = given.get("status", before["status"])
        event = "changed" if changes else "commented"
        if "status" in changes:
            event = "closed" if status == "closed" else "reopened"
        at = self._now().isoformat()
        self._database.execute("BEGIN")
        self._database.execute(
            "UPDATE ticket SET status = ?, fields = ?, updated_at = ? WHERE number = ?",
            (status, json.dumps(after), at, number),
        )
        self._record(number, at, event, changes, comment)
        self._database.execute("COMMIT")
        return self.read(number)

    def _record(self, number: int, at: str, event: str, changes: Mapping[str, Any], comment: str) -> None:
        self._database.execute(
            "INSERT INTO event (number, at, event, changes, comment) VALUES (?, ?, ?, ?, ?)",
            (number, at, event, json.dumps(changes), comment),
        )

    def read(self, number: int) -> dict[str, Any]:
        """One ticket with its history, oldest first. Raises LookupError when there is none."""
        row = self._database.execute("SELECT * FROM ticket WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise LookupError("no such ticket")
        events = self._database.execute(
            "SELECT at, event, changes, comment FROM event WHERE number = ? ORDER BY id", (number,)
        )
        history = [{**dict(event), "changes": json.loads(event["changes"])} for event in events]
        return {**_shown(row), "history": history}

    def listed(self, status: str = "", key: str = "") -> list[dict[str, Any]]:
        """Tickets without their history, newest first; "" does not narrow."""
        rows = self._database.execute(
            """SELECT * FROM ticket WHERE (:status = '' OR status = :status) AND (:key = '' OR key = :key)
               ORDER BY number DESC""",
            {"status": status, "key": key},
        )
        return [_shown(row) for row in rows]


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": f"T-{row['number']}",
        "key": row["key"],
        "status": row["status"],
        **json.loads(row["fields"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }
