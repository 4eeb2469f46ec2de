"""A message as its sections. The body is never decoded: its bytes leave as they came."""

import struct
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from local.broker.amqp.decode import decode, skip
from local.broker.amqp.encode import encode, write, write_list, write_uint
from local.broker.amqp.values import Described, Malformed, Symbol, Timestamp, UByte, UInt, ULong

HEADER, DELIVERY_ANNOTATIONS, ANNOTATIONS, PROPERTIES, APPLICATION, DATA, SEQUENCE, VALUE, FOOTER = range(
    0x70, 0x79
)

# Where each property of interest stands in the properties section.
MESSAGE_ID, REPLY_TO, CORRELATION_ID, GROUP_ID = 0, 4, 5, 10


_ANNOTATIONS_HEAD = struct.Struct(">4sII").pack

# The delivery annotations up to the token itself, which always has the same length.
_LOCK_TOKEN = encode(Described(ULong(DELIVERY_ANNOTATIONS), {Symbol("x-opt-lock-token"): UUID(int=0)}))[:-16]


@dataclass(frozen=True, slots=True)
class Content:
    """What a sender put into a message, taken apart as far as a broker must.

    `properties` and `application` are whole encoded sections (or empty), `body` is everything after them.
    """

    durable: bool
    priority: int
    ttl_ms: int | None
    annotations: dict[Any, Any]
    message_id: Any
    session_id: str | None
    properties: bytes
    application: bytes
    body: bytes

    @property
    def size(self) -> int:
        """The message's bytes, near enough for a quota."""
        return len(self.properties) + len(self.application) + len(self.body) + 64 * len(self.annotations)


def parse(payload: bytes, new_id: UUID | None = None) -> Content:
    """A message's bytes as Content; `new_id` names a message that came without a message id.

    Raises Malformed: sections out of order, unknown, or of the wrong type.
    """
    sections, body_at = _ranges(payload)
    header = _header(_list_at(payload, sections, HEADER))
    properties = _list_at(payload, sections, PROPERTIES)
    message_id = properties[MESSAGE_ID] if properties else None
    if type(message_id) not in {type(None), ULong, UUID, bytes, str}:
        raise Malformed("message-id has the wrong type")
    group_id = properties[GROUP_ID] if len(properties) > GROUP_ID else None
    if type(group_id) not in {type(None), str}:
        raise Malformed("group-id has the wrong type")
    raw_properties = _bytes_at(payload, sections, PROPERTIES)
    if message_id is None and new_id is not None:
        message_id = str(new_id)
        raw_properties = _section(PROPERTIES, [message_id, *properties[1:]])
    annotations = _map_at(payload, sections, ANNOTATIONS)
    return Content(
        durable=header[0],
        priority=header[1],
        ttl_ms=header[2],
        annotations=annotations,
        message_id=message_id,
        session_id=group_id,
        properties=raw_properties,
        application=_bytes_at(payload, sections, APPLICATION),
        body=payload[body_at:],
    )


def application_properties(raw: bytes) -> dict[Any, Any]:
    """The application properties of an encoded section (or of none)."""
    if not raw:
        return {}
    section, _ = decode(raw)
    if not isinstance(section.value, dict):
        raise Malformed("application properties are a map")
    return section.value


def with_application(content: Content, changes: dict[Any, Any]) -> Content:
    """The same message with some application properties set."""
    if not changes:
        return content
    merged = application_properties(content.application) | {str(key): value for key, value in changes.items()}
    return replace(content, application=_section(APPLICATION, merged))


@dataclass(frozen=True, slots=True)
class Request:
    """A message to a node that answers: what is asked, by whom, and with which values."""

    message_id: Any
    reply_to: str | None
    application: dict[Any, Any]
    body: Any


def parse_request(payload: bytes) -> Request:
    """A request message. Raises Malformed when it is not one."""
    sections, body_at = _ranges(payload)
    properties = _list_at(payload, sections, PROPERTIES)
    reply_to = properties[REPLY_TO] if len(properties) > REPLY_TO else None
    body, end = (
        decode(payload, body_at) if body_at < len(payload) else (Described(ULong(VALUE), None), body_at)
    )
    if end != len(payload) or type(body) is not Described or body.descriptor not in {VALUE, DATA}:
        raise Malformed("a request's body is one value")
    return Request(
        message_id=properties[MESSAGE_ID] if properties else None,
        reply_to=reply_to if isinstance(reply_to, str) else None,
        application=application_properties(_bytes_at(payload, sections, APPLICATION)),
        body=body.value,
    )


def response(correlation_id: Any, application: dict[str, Any], body: Any) -> bytes:
    """The answer to a request, as one encoded message."""
    properties = [None] * CORRELATION_ID + [correlation_id]
    return (
        _section(PROPERTIES, properties)
        + _section(APPLICATION, application)
        + encode(Described(ULong(VALUE), body))
    )


def delivery(
    content: Content, delivery_count: int, lock_token: UUID | None, annotations: bytes | bytearray, count: int
) -> bytes:
    """A message as a receiver gets it; `annotations` are `count` keys and values, already encoded."""
    return b"".join(
        (
            _delivery_head(content.durable, content.priority, content.ttl_ms, delivery_count),
            b"" if lock_token is None else _LOCK_TOKEN + lock_token.bytes,
            _ANNOTATIONS_HEAD(b"\x00\x53\x72\xd1", len(annotations) + 4, count),
            annotations,
            content.properties,
            content.application,
            content.body,
        )
    )


@lru_cache(maxsize=256)
def _delivery_head(durable: bool, priority: int, ttl_ms: int | None, delivery_count: int) -> bytes:  # noqa: FBT001  # a field of the header
    """The header section; the messages of a queue have few different ones."""
    header = bytearray((0x41 if durable else 0x42, 0x50, priority))
    write(header, None if ttl_ms is None else UInt(ttl_ms))
    header.append(0x40)
    write_uint(header, delivery_count)
    out = bytearray(b"\x00\x53\x70")
    write_list(out, 5, header)
    return bytes(out)


def serialise(content: Content) -> bytes:
    """A message as `parse` takes it, whole."""
    ttl = None if content.ttl_ms is None else UInt(content.ttl_ms)
    header = _section(HEADER, [content.durable, UByte(content.priority), ttl])
    annotations = _section(ANNOTATIONS, content.annotations)
    return header + annotations + content.properties + content.application + content.body


def split_batch(payload: bytes) -> list[bytes]:
    """The messages inside a batch: the bytes of each data section. Raises Malformed."""
    sections, position = _ranges(payload)
    del sections
    messages = []
    while position < len(payload):
        section, position = decode(payload, position)
        if (
            type(section) is not Described
            or section.descriptor != DATA
            or not isinstance(section.value, bytes)
        ):
            raise Malformed("a batch holds data sections only")
        messages.append(section.value)
    return messages


def _ranges(payload: bytes) -> tuple[dict[int, tuple[int, int]], int]:
    """Where each section before the body starts and ends, and where the body starts."""
    found: dict[int, tuple[int, int]] = {}
    position, last = 0, HEADER - 1
    try:
        while position < len(payload):
            code, value_at = _descriptor(payload, position)
            if code >= DATA:
                if code > FOOTER:
                    raise Malformed("no such section")
                return found, position
            if code <= last:
                raise Malformed("sections out of order")
            end = skip(payload, value_at)
            found[code] = (position, end)
            position, last = end, code
    except (IndexError, struct.error) as wrong:
        raise Malformed("a section is cut short") from wrong
    return found, position


def _descriptor(payload: bytes, position: int) -> tuple[int, int]:
    if payload[position] != 0:
        raise Malformed("a section starts with a descriptor")
    if payload[position + 1] == 0x53:
        return payload[position + 2], position + 3
    descriptor, value_at = decode(payload, position + 1)
    if type(descriptor) is not ULong:
        raise Malformed("a section is named by a number")
    return int(descriptor), value_at


def _value_at(payload: bytes, sections: dict[int, tuple[int, int]], code: int) -> Any:
    if code not in sections:
        return None
    section, _ = decode(payload, sections[code][0])
    return section.value


def _list_at(payload: bytes, sections: dict[int, tuple[int, int]], code: int) -> list[Any]:
    value = _value_at(payload, sections, code)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed("a section has the wrong type")
    return value


def _map_at(payload: bytes, sections: dict[int, tuple[int, int]], code: int) -> dict[Any, Any]:
    value = _value_at(payload, sections, code)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed("a section has the wrong type")
    return value


def _bytes_at(payload: bytes, sections: dict[int, tuple[int, int]], code: int) -> bytes:
    start, end = sections.get(code, (0, 0))
    return payload[start:end]


def _header(fields: list[Any]) -> tuple[bool, int, int | None]:
    durable, priority, ttl = (*fields[:3], None, None, None)[:3]
    if type(durable) not in {type(None), bool} or type(priority) not in {type(None), UByte}:
        raise Malformed("the header has a field of the wrong type")
    if type(ttl) not in {type(None), UInt}:
        raise Malformed("ttl has the wrong type")
    return bool(durable), 4 if priority is None else int(priority), None if ttl is None else int(ttl)


def _section(code: int, value: Any) -> bytes:
    out = bytearray((0x00, 0x53, code))
    if isinstance(value, list):
        body = bytearray()
        for item in value:
            write(body, item)
        write_list(out, len(value), body)
    else:
        write(out, value)
    return bytes(out)


def timestamp(annotations: dict[Any, Any], name: str) -> int | None:
    """An annotation that holds a time, in ms since 1970 UTC; None when it is absent. Raises Malformed."""
    value = annotations.get(Symbol(name))
    if value is None:
        return None
    if type(value) not in {Timestamp, int}:
        raise Malformed(f"{name} is a timestamp")
    return int(value)
