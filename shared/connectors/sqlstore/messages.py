"""How a message is kept in its row, and read back as it arrived."""

import hashlib
import json
import unicodedata
from typing import Any

import sqlalchemy as sa

from shared.connectors.sqlstore.sqltypes import storable
from shared.connectors.sqlstore.tables import message as messages
from shared.connectors.sqlstore.values import dumps
from shared.core.change import Change, Message

_LONGEST_ID = 128

COLUMNS = (
    messages.c.message_id,
    messages.c.original_id,
    messages.c.queue,
    messages.c.session_id,
    messages.c.body,
    messages.c.properties,
    messages.c.application_properties,
    messages.c.position,
    messages.c.delivery_count,
    messages.c.sender,
)
"""What `message_of` needs."""


def stored_id(message_id: str) -> str:
    """The key a message id is found by: the id itself where it is a fit key, else its start and its hash.

    SQL Server ignores trailing blanks in comparisons and limits the length of keys; SQLite does neither.
    """
    fit = unicodedata.normalize("NFC", message_id).strip()
    if fit == message_id == storable(message_id) and len(fit.encode("utf-16-le")) <= 2 * _LONGEST_ID:
        return message_id
    digest = hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{(storable(fit) or '')[:30]}~{digest}"


def body_hash(body: bytes) -> bytes:
    """What tells two bodies apart."""
    return hashlib.sha256(body).digest()


def arrival_columns(message: Message) -> dict[str, Any]:
    """The columns that keep the message itself, nothing left out (E-12)."""
    key = stored_id(message.id)
    return {
        "message_id": key,
        "original_id": None if key == message.id else message.id,
        "queue": message.queue,
        "body_hash": body_hash(message.body),
        "session_id": message.session_id,
        "body": message.body,
        "properties": dumps(dict(message.properties)),
        "application_properties": dumps(dict(message.application_properties)),
        "position": message.position,
        "delivery_count": message.delivery_count,
        "sender": message.sender,
        "is_reopened": False,
    }


def parsed_columns(change: Change | None) -> dict[str, Any]:
    """The columns that keep what the message says, as far as it could be read."""
    if change is None:
        return {}
    subject = change.subject
    columns: dict[str, Any] = {
        "operation": change.operation.value,
        "changed_at": change.changed_at,
        "version": change.version,
        "actor": change.actor,
        "correlation_id": change.correlation_id,
    }
    # A refused message may name a key that no key column can hold; its body still tells.
    if len(subject.system) <= 64 and len(subject.entity) <= 128 and len(subject.id) <= 128:
        columns |= {"source": subject.system, "entity": subject.entity, "source_id": subject.id}
    return columns


def message_of(row: sa.Row[*tuple[Any, ...]]) -> Message:
    """The message of a row with `COLUMNS`; its body is empty once it was purged."""
    return Message(
        id=row.original_id if row.original_id is not None else row.message_id,
        queue=row.queue,
        session_id=row.session_id,
        body=row.body if row.body is not None else b"",
        position=row.position,
        delivery_count=row.delivery_count,
        sender=row.sender,
        properties=json.loads(row.properties) if row.properties else {},
        application_properties=json.loads(row.application_properties) if row.application_properties else {},
    )
