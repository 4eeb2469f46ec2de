"""From what the Functions host hands over to the message the core knows."""

from datetime import UTC, datetime
from typing import Any

import azure.functions as func

from shared.core.change import Json, Message

_BROKER_OWN = {"DeadLetterReason", "DeadLetterErrorDescription"}
_TIMES = {"enqueued_time_utc": "enqueuedTimeUtc", "expires_at_utc": "expiresAtUtc"}
_TEXTS = {
    "content_type": "contentType",
    "correlation_id": "correlationId",
    "subject": "subject",
    "to": "to",
    "reply_to": "replyTo",
    "reply_to_session_id": "replyToSessionId",
    "partition_key": "partitionKey",
}


def arrived(message: func.ServiceBusMessage, queue: str) -> Message:
    """The message with all its properties; what the broker added on dead-lettering is left behind.

    The host gives times without a zone although they are UTC.
    """
    application = {str(key): _json(value) for key, value in (message.application_properties or {}).items()}
    properties: dict[str, Json] = {}
    for attribute, name in _TEXTS.items():
        value = getattr(message, attribute, None)
        if value is not None:
            properties[name] = str(value)
    for attribute, name in _TIMES.items():
        at = getattr(message, attribute, None)
        if isinstance(at, datetime):
            properties[name] = (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()
    sender = application.get("tandem-sender")
    return Message(
        id=str(message.message_id),
        queue=queue,
        session_id=message.session_id or None,
        body=message.get_body(),
        position=int(message.sequence_number or 0),
        delivery_count=int(message.delivery_count or 1),
        sender=sender if isinstance(sender, str) else None,
        properties=properties,
        application_properties={key: value for key, value in application.items() if key not in _BROKER_OWN},
    )


def _json(value: Any) -> Json:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
