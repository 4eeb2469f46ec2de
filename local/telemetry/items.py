"""The telemetry items kept: one row per envelope an exporter sent."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS item (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at TEXT NOT NULL,
    type TEXT NOT NULL,
    message_id TEXT NOT NULL,
    envelope TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS item_by_type ON item (type, id);
CREATE INDEX IF NOT EXISTS item_by_message ON item (message_id, id);
"""


class InvalidItem(ValueError):
    """A sent item is not an Application Insights envelope."""


@dataclass(frozen=True, slots=True)
class Item:
    """One envelope as sent.

    `type` is its baseType (MessageData, EventData, ...), `message_id` the custom dimension of that name.
    """

    type: str
    message_id: str
    envelope: dict[str, Any]


def parse_item(envelope: Any) -> Item:
    """Read one envelope. Raises InvalidItem naming the field that is missing."""
    if not isinstance(envelope, dict):
        raise InvalidItem("an item is a JSON object")
    data = envelope.get("data")
    for name, holder in (("name", envelope), ("time", envelope), ("baseType", data), ("baseData", data)):
        if not isinstance(holder, dict) or not holder.get(name):
            raise InvalidItem(f"{name}: missing")
    base: dict[str, Any] = envelope["data"]["baseData"]
    properties = base.get("properties") or {}
    return Item(envelope["data"]["baseType"], str(properties.get("message_id", "")), envelope)


class Items:
    """The kept items, oldest first."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def keep(self, received_at: datetime, items: Iterable[Item]) -> None:
        """Keep the items of one request, all or none."""
        received = received_at.isoformat()
        rows = [(received, item.type, item.message_id, json.dumps(item.envelope)) for item in items]
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT INTO item (received_at, type, message_id, envelope) VALUES (?, ?, ?, ?)", rows
        )
        self._database.execute("COMMIT")

    def forget(self) -> int:
        """Drop every item; returns how many there were."""
        return self._database.execute("DELETE FROM item").rowcount

    def listed(self, kind: str, message_id: str, since: datetime | None, limit: int) -> list[dict[str, Any]]:
        """Items in the order they came. `kind` may leave off the ending Data; "" and None do not narrow."""
        rows = self._database.execute(
            """SELECT id, received_at, type, envelope FROM item
               WHERE (:kind = '' OR type = :kind OR type = :kind || 'Data')
                 AND (:message_id = '' OR message_id = :message_id)
                 AND received_at >= :since
               ORDER BY id LIMIT :limit""",
            {
                "kind": kind,
                "message_id": message_id,
                "since": "" if since is None else since.isoformat(),
                "limit": limit,
            },
        )
        return [_shown(row) for row in rows]


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    envelope = json.loads(row["envelope"])
    base = envelope["data"]["baseData"]
    return {
        "id": row["id"],
        "received_at": row["received_at"],
        "type": row["type"],
        "time": envelope["time"],
        "operation_id": (envelope.get("tags") or {}).get("ai.operation.id", ""),
        "properties": base.get("properties") or {},
        "data": base,
    }
