"""A delivery's bytes as a Message."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from local.broker.amqp.decode import decode
from local.broker.amqp.sections import (
    ANNOTATIONS,
    APPLICATION,
    DATA,
    HEADER,
    PROPERTIES,
    VALUE,
)
from local.broker.amqp.values import Timestamp
from local.host.servicebus.amqp.link import Delivery
from local.host.servicebus.port import Message

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FOREVER = datetime.max.replace(tzinfo=UTC)


def message_of(delivery: Delivery) -> Message:
    """The message in a delivery. Raises Malformed."""
    sections, body = _sections(delivery.payload)
    header = _padded(sections.get(HEADER), 5)
    annotations: dict[Any, Any] = sections.get(ANNOTATIONS) or {}
    properties = _padded(sections.get(PROPERTIES), 13)
    enqueued_at = _instant(annotations.get("x-opt-enqueued-time")) or _EPOCH
    ttl_ms = header[2]
    return Message(
        body=body,
        message_id=str(properties[0] if properties[0] is not None else ""),
        sequence_number=int(annotations.get("x-opt-sequence-number") or 0),
        delivery_count=int(header[4] or 0) + 1,
        enqueued_at=enqueued_at,
        expires_at=_FOREVER if ttl_ms is None else _later(enqueued_at, ttl_ms),
        locked_until=_instant(annotations.get("x-opt-locked-until")) or _FOREVER,
        # The tag carries the token in .NET's byte order.
        lock_token=str(UUID(bytes_le=delivery.tag)) if len(delivery.tag) == 16 else "",
        token=delivery,
        session_id=_text(properties[10]),
        content_type=_text(properties[6]),
        correlation_id=_text(properties[5]),
        subject=_text(properties[3]),
        to=_text(properties[2]),
        reply_to=_text(properties[4]),
        reply_to_session_id=_text(properties[12]),
        partition_key=_text(annotations.get("x-opt-partition-key")),
        transaction_partition_key=_text(annotations.get("x-opt-via-partition-key")),
        dead_letter_source=_text(annotations.get("x-opt-deadletter-source")),
        application_properties={
            str(name): _plain(value) for name, value in (sections.get(APPLICATION) or {}).items()
        },
    )


def _sections(payload: bytes) -> tuple[dict[int, Any], bytes]:
    found: dict[int, Any] = {}
    body = bytearray()
    position = 0
    while position < len(payload):
        section, position = decode(payload, position)
        code = int(section.descriptor)
        if code == DATA:
            body += section.value
        elif code == VALUE:
            body += section.value if isinstance(section.value, bytes) else str(section.value).encode()
        else:
            found[code] = section.value
    return found, bytes(body)


def _padded(fields: list[Any] | None, length: int) -> list[Any]:
    given = fields or []
    return given + [None] * (length - len(given))


def _instant(value: Any) -> datetime | None:
    return None if value is None else _EPOCH + timedelta(milliseconds=int(value))


def _later(at: datetime, milliseconds: int) -> datetime:
    try:
        return at + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return _FOREVER


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _plain(value: Any) -> Any:
    """An application property without the wire's widths."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, Timestamp):
        return _instant(value)
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
