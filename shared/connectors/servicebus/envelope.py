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
