"""What Tandem itself puts on a queue, in the SDK's terms."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.core.change import Json, Message

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusMessage

_SENDER_SETS = {
    "contentType": "content_type",
    "correlationId": "correlation_id",
    "subject": "subject",
    "to": "to",
    "replyTo": "reply_to",
    "replyToSessionId": "reply_to_session_id",
}
"""The properties of a message that its sender sets, and what the SDK calls them."""


def drain(record: UUID, message_id: UUID) -> "ServiceBusMessage":
    """The control message that says: the lane of `record` has work to do. Its session is the record's own.

    Every one has an id of its own, or the queue's duplicate detection would swallow the next wake.
    """
    from azure.servicebus import ServiceBusMessage  # noqa: PLC0415  # 116 ms that a start need not pay

    body = {"schemaVersion": "1.0", "kind": "drain", "record": str(record)}
    return ServiceBusMessage(
        json.dumps(body, separators=(",", ":")).encode(),
        session_id=str(record),
        message_id=str(message_id),
        content_type="application/json",
        application_properties={"kind": "drain"},
    )


def posted(message: Message) -> "ServiceBusMessage":
    """The message as its sender would have put it: body bytes, id, session and every property a sender sets.

    Of `message.properties` those are taken that a sender sets; what only a broker sets is left to the broker.
    """
    from azure.servicebus import ServiceBusMessage  # noqa: PLC0415  # 116 ms that a start need not pay

    options: dict[str, Any] = {
        argument: value
        for name, argument in _SENDER_SETS.items()
        if isinstance(value := message.properties.get(name), str) and value
    }
    return ServiceBusMessage(
        message.body,
        session_id=message.session_id,
        message_id=message.id,
        application_properties=_simple(message.application_properties),
        **options,
    )


def _simple(properties: Mapping[str, Json]) -> dict[str | bytes, int | float | bytes | bool | str | UUID]:
    """Application properties as AMQP takes them: simple values, and nothing for null."""
    return {
        name: value if isinstance(value, str | int | float) else json.dumps(value)
        for name, value in properties.items()
        if value is not None
    }
