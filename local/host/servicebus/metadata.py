"""A received message as the real host hands it to a Python worker: the body, and the trigger metadata.

The .NET extension decides what arrives. Of the converter's fields it never sends DeadLetterReason,
DeadLetterErrorDescription, LockedUntil, EnqueuedSequenceNumber, ScheduledEnqueueTimeUtc, State and
TimeToLive, so they are None in Python; and its instants are DateTimeOffset.DateTime, which JSON writes
without a zone.
"""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from local.host.function import Function
from local.host.invocation import Call, Datum, trace_parent
from local.host.servicebus.port import Message


def call_for(function: Function, message: Message) -> Call:
    """The invocation of a Service Bus function with one message."""
    properties = message.application_properties
    inherited = properties.get("traceparent") or properties.get("Diagnostic-Id") or ""
    return Call(function, _body(function, message), _metadata(message), trace_parent(str(inherited)))


def _body(function: Function, message: Message) -> Datum:
    if str(function.trigger.get("dataType", "")).lower() == "binary":
        return Datum("bytes", message.body)
    # Without dataType the host sends text, and what is not UTF-8 arrives as replacement characters.
    return Datum("string", message.body.decode(errors="replace"))


def _metadata(message: Message) -> Mapping[str, Datum | None]:
    properties = Datum("json", json.dumps(message.application_properties, default=_json_value))
    return {
        "MessageId": Datum("string", message.message_id),
        "SessionId": _text(message.session_id),
        "DeliveryCount": Datum("json", str(message.delivery_count)),
        "SequenceNumber": Datum("json", str(message.sequence_number)),
        "LockToken": Datum("string", message.lock_token),
        "ContentType": _text(message.content_type),
        "CorrelationId": _text(message.correlation_id),
        "Subject": _text(message.subject),
        "Label": _text(message.subject),
        "To": _text(message.to),
        "ReplyTo": _text(message.reply_to),
        "ReplyToSessionId": _text(message.reply_to_session_id),
        "PartitionKey": _text(message.partition_key),
        "TransactionPartitionKey": _text(message.transaction_partition_key),
        "DeadLetterSource": _text(message.dead_letter_source),
        "EnqueuedTimeUtc": _instant(message.enqueued_at),
        "ExpiresAtUtc": _instant(message.expires_at),
        "ApplicationProperties": properties,
        "UserProperties": properties,
    }


def _text(value: str | None) -> Datum | None:
    return None if value is None else Datum("string", value)


def _instant(at: datetime) -> Datum:
    return Datum("json", json.dumps(at.astimezone(UTC).replace(tzinfo=None).isoformat()))


def _json_value(value: Any) -> str:
    """What Newtonsoft.Json makes of a property that JSON has no type for."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"an application property of type {type(value).__name__}")
