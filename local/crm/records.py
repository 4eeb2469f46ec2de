"""The CRM's records and everything that ever happened to them."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from local.crm.declaration import CREATED_AT, CUSTOM_PREFIX, Collection

SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    fields TEXT NOT NULL,
    UNIQUE (collection, id)
);
CREATE TABLE IF NOT EXISTS change (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    operation TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    changed_by TEXT NOT NULL,
    record TEXT
);
CREATE TABLE IF NOT EXISTS created_once (
    collection TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (collection, idempotency_key)
);
CREATE TABLE IF NOT EXISTS merged (
    collection TEXT NOT NULL,
    id TEXT NOT NULL,
    winner TEXT NOT NULL,
    PRIMARY KEY (collection, id)
);
CREATE TABLE IF NOT EXISTS content (
    attachment TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
);
"""

Fields = dict[str, str]

_BAR = "|"


class InvalidRecord(ValueError):
    """A write carries a column the collection does not have, or a value that is not text."""


class StaleVersion(Exception):
    """The record is not at the version the writer saw."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A live record and its version, which grows by one with each write."""

    id: str
    version: int
    fields: Fields


@dataclass(frozen=True, slots=True)
class Condition:
    """What a writer demands: a version (If-Match), presence (If-Match: *), or absence (If-None-Match: *)."""

    version: int | None = None
    present: bool = False
    absent: bool = False

    def check(self, stored: Stored | None) -> None:
        """Raise StaleVersion unless the record is as demanded."""
        if stored is None:
            if self.present or self.version is not None:
                raise StaleVersion
        elif self.absent or self.version not in {None, stored.version}:
            raise StaleVersion


ANY = Condition()


def instant(at: datetime) -> str:
    """An instant as the CRM writes it: UTC, to the millisecond, with Z."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


class Records:
    """Every collection of one system in one SQLite file; each write has a later instant than the last."""

    def __init__(self, database: sqlite3.Connection, now: Callable[[], datetime], random: Random) -> None:
        self._database = database
        self._now = now
        self._random = random
        newest = database.execute("SELECT max(changed_at) FROM change").fetchone()[0]
        self._last = datetime.fromisoformat(newest) if newest else datetime.min.replace(tzinfo=UTC)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def read(self, collection: Collection, record_id: str) -> Stored | None:
        """The live record, or None."""
        row = self._row(collection, record_id)
        return None if row is None or row["deleted"] else _stored(row)

    def _row(self, collection: Collection, record_id: str) -> Any:
        return self._database.execute(
            "SELECT * FROM record WHERE collection = ? AND id = ?", (collection.name, record_id)
        ).fetchone()

    def page(self, collection: Collection, after: int, limit: int) -> tuple[list[Stored], int | None]:
        """Live records in the order they were first written, and the next page's cursor if there is one."""
        rows = self._database.execute(
            """SELECT * FROM record WHERE collection = ? AND NOT deleted AND position > ?
               ORDER BY position LIMIT ?""",
            (collection.name, after, limit + 1),
        ).fetchall()
        more = rows[limit - 1]["position"] if len(rows) > limit else None
        return [_stored(row) for row in rows[:limit]], more

    def create(
        self, collection: Collection, given: Any, by: str, idempotency_key: str | None
    ) -> tuple[Stored, bool]:
        """Create a record under an id of ours; the same key again gives the same record. Says whether new.

        Raises InvalidRecord for a column or value, LookupError when the key's record is gone.
        """
        fields = _checked(collection, given)
        if fields.get(collection.key):
            raise InvalidRecord(f"{collection.key}: assigned by the system")
        with self._transaction():
            if idempotency_key is not None:
                known = self._database.execute(
                    "SELECT id FROM created_once WHERE (collection, idempotency_key) = (?, ?)",
                    (collection.name, idempotency_key),
                ).fetchone()
                if known is not None:
                    stored = self.read(collection, known["id"])
                    if stored is None:
                        raise LookupError("the record of this idempotency key is gone")
                    return stored, False
            record_id = self._free_id(collection)
            if idempotency_key is not None:
                self._database.execute(
                    "INSERT INTO created_once VALUES (?, ?, ?)", (collection.name, idempotency_key, record_id)
                )
            return self._write(collection, record_id, fields, by), True

    def _free_id(self, collection: Collection) -> str:
        count = self._database.execute(
            "SELECT count(*) FROM record WHERE collection = ?", (collection.name,)
        ).fetchone()[0]
        while self._row(collection, record_id := collection.new_id(count, self._random)) is not None:
            count += 1
        return record_id

    def replace(
        self, collection: Collection, record_id: str, given: Any, by: str, condition: Condition = ANY
    ) -> tuple[Stored, bool]:
        """Create or replace under the caller's id; columns not given become blank. Says whether new.

        Raises InvalidRecord and StaleVersion.
        """
        fields = _checked(collection, given)
        if fields.get(collection.key, record_id) != record_id:
            raise InvalidRecord(f"{collection.key}: differs from the id in the path")
        with self._transaction():
            before = self.read(collection, record_id)
            condition.check(before)
            return self._write(collection, record_id, fields, by), before is None

    def merge(
        self, collection: Collection, record_id: str, given: Any, by: str, condition: Condition = ANY
    ) -> Stored:
        """Write the columns given and leave the others. Raises LookupError, InvalidRecord, StaleVersion."""
        fields = _checked(collection, given)
        if fields.get(collection.key, record_id) != record_id:
            raise InvalidRecord(f"{collection.key}: differs from the id in the path")
        with self._transaction():
            before = self.read(collection, record_id)
            if before is None:
                raise LookupError("no such record")
            condition.check(before)
            return self._write(collection, record_id, {**before.fields, **fields}, by)

    def delete(self, collection: Collection, record_id: str, by: str, condition: Condition = ANY) -> None:
        """Delete the record. Raises LookupError and StaleVersion."""
        with self._transaction():
            before = self.read(collection, record_id)
            if before is None:
                raise LookupError("no such record")
            condition.check(before)
            self._database.execute(
                "UPDATE record SET deleted = 1, version = version + 1 WHERE collection = ? AND id = ?",
                (collection.name, record_id),
            )
            self._tell(collection, record_id, "delete", at=instant(self._stamp()), by=by, record=None)

    def unite(
        self,
        collections: Iterable[Collection],
        collection: Collection,
        pair: tuple[str, str],
        by: str,
        condition: Condition = ANY,
    ) -> Stored:
        """Merge the second record of a pair into the first; done again it changes nothing.

        The winner's blanks are filled, custom columns excepted; what names the loser names the winner from
        now on; the loser is gone. Raises LookupError, StaleVersion, or InvalidRecord for one and the same.
        """
        winner_id, loser_id = pair
        if winner_id == loser_id:
            raise InvalidRecord("a record cannot be merged into itself")
        with self._transaction():
            winner, loser = self.read(collection, winner_id), self.read(collection, loser_id)
            if winner is None:
                raise LookupError("no such record")
            if loser is None:
                if self._merged_into(collection, loser_id) == winner_id:
                    return winner
                raise LookupError("no such record to merge")
            condition.check(winner)
            self._move_references(collections, collection, winner_id, loser_id, by)
            self._database.execute(
                "INSERT OR REPLACE INTO merged VALUES (?, ?, ?)", (collection.name, loser_id, winner_id)
            )
            self._database.execute(
                "UPDATE record SET deleted = 1, version = version + 1 WHERE collection = ? AND id = ?",
                (collection.name, loser_id),
            )
            self._tell(collection, loser_id, "merge", at=instant(self._stamp()), by=by, record=None)
            winner = self.read(collection, winner_id) or winner
            lacking = {
                name: value
                for name, value in loser.fields.items()
                if value and not winner.fields.get(name) and not name.startswith(CUSTOM_PREFIX)
            }
            # What names the loser itself: a company is not its own parent.
            lacking = {name: value for name, value in lacking.items() if value not in pair}
            if not lacking:
                return winner
            return self._write(collection, winner_id, {**winner.fields, **lacking}, by)

    def _merged_into(self, collection: Collection, record_id: str) -> str | None:
        row = self._database.execute(
            "SELECT winner FROM merged WHERE collection = ? AND id = ?", (collection.name, record_id)
        ).fetchone()
        return None if row is None else str(row["winner"])

    def _move_references(
        self,
        collections: Iterable[Collection],
        target: Collection,
        winner: str,
        loser: str,
        by: str,
    ) -> None:
        for source in collections:
            names = [name for name, other in source.references.items() if other == target.name]
            for stored in self.page(source, 0, 1_000_000_000)[0] if names else ():
                moved = {
                    name: _renamed(stored.fields.get(name, ""), loser, winner)
                    for name in names
                    if loser in stored.fields.get(name, "").split(_BAR)
                }
                itself = (source.name, stored.id) == (target.name, winner)
                moved = {name: "" if itself else value for name, value in moved.items()}
                if moved and (source.name, stored.id) != (target.name, loser):
                    self._write(source, stored.id, {**stored.fields, **moved}, by)

    def content(self, attachment: str) -> bytes:
        """The file of an attachment. Raises LookupError."""
        row = self._database.execute(
            "SELECT bytes FROM content WHERE attachment = ?", (attachment,)
        ).fetchone()
        if row is None:
            raise LookupError("no such file")
        return bytes(row["bytes"])

    def put_content(self, attachment: str, content: bytes) -> None:
        """Keep the file of an attachment, whatever it was before."""
        with self._transaction():
            self._database.execute("INSERT OR REPLACE INTO content VALUES (?, ?)", (attachment, content))

    def _stamp(self) -> datetime:
        # Two writes in one millisecond would leave their order to the reader's luck.
        self._last = max(self._now(), self._last + timedelta(milliseconds=1))
        return self._last

    def _write(self, collection: Collection, record_id: str, fields: Mapping[str, str], by: str) -> Stored:
        at = instant(self._stamp())
        row = self._row(collection, record_id)
        kept = {**dict.fromkeys(collection.columns, ""), **fields}
        said = {collection.key: record_id, collection.updated: at, CREATED_AT: kept.get(CREATED_AT) or at}
        # What a collection does not declare it does not tell either: a tag has no column for its id.
        kept |= {name: value for name, value in said.items() if name in collection.columns}
        new = row is None or bool(row["deleted"])
        # The version goes on growing over a deletion, so an old ETag never fits a record made anew.
        version = 1 if row is None else row["version"] + 1
        self._database.execute(
            """INSERT INTO record (collection, id, version, deleted, fields) VALUES (?, ?, ?, 0, ?)
               ON CONFLICT (collection, id) DO UPDATE
               SET version = excluded.version, deleted = 0, fields = excluded.fields""",
            (collection.name, record_id, version, json.dumps(kept)),
        )
        self._tell(collection, record_id, "create" if new else "update", at=at, by=by, record=kept)
        return Stored(record_id, version, kept)

    def _tell(
        self,
        collection: Collection,
        record_id: str,
        operation: str,
        *,
        at: str,
        by: str,
        record: Fields | None,
    ) -> None:
        self._database.execute(
            """INSERT INTO change (collection, id, operation, changed_at, changed_by, record)
               VALUES (?, ?, ?, ?, ?, ?)""",
            (collection.name, record_id, operation, at, by, None if record is None else json.dumps(record)),
        )

    def changes(self, since: int, limit: int) -> list[dict[str, Any]]:
        """Changes after a cursor, oldest first, each with the record as it was left (None when it is gone).

        A merge is told of the record that is gone; `into` names the one that has taken its place.
        """
        rows = self._database.execute(
            """SELECT change.*, CASE operation WHEN 'merge' THEN winner END AS "into" FROM change
               LEFT JOIN merged USING (collection, id) WHERE cursor > ? ORDER BY cursor LIMIT ?""",
            (since, limit),
        )
        return [
            {
                **{name: value for name, value in dict(row).items() if name != "into" or value is not None},
                "cursor": str(row["cursor"]),
                "record": None if row["record"] is None else json.loads(row["record"]),
            }
            for row in rows
        ]


def _renamed(text: str, before: str, after: str) -> str:
    """Ids between bars with one named differently, and none twice."""
    return _BAR.join(dict.fromkeys(after if part == before else part for part in text.split(_BAR)))


def _stored(row: sqlite3.Row) -> Stored:
    return Stored(row["id"], row["version"], json.loads(row["fields"]))


def _checked(collection: Collection, given: Any) -> Fields:
    if not isinstance(given, dict):
        raise InvalidRecord("a record is a JSON object")
    unknown = collection.unknown(given)
    if unknown:
        raise InvalidRecord(f"unknown columns: {', '.join(unknown)}")
    wrong = sorted(name for name, value in given.items() if not isinstance(value, str))
    if wrong:
        raise InvalidRecord(f"not text: {', '.join(wrong)}")
    return given
