"""AMQP values to bytes, each in its shortest encoding."""

import struct
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from local.broker.amqp.values import (
    Array,
    Byte,
    Char,
    Described,
    Float,
    Int,
    Malformed,
    Opaque,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)

_Writer = Callable[[bytearray, Any], None]

_U32 = struct.Struct(">I").pack
_I64 = struct.Struct(">q").pack


def encode(value: Any) -> bytes:
    """One value as bytes. Raises Malformed for a Python type that AMQP has no type for."""
    out = bytearray()
    write(out, value)
    return bytes(out)


def write(out: bytearray, value: Any) -> None:
    """Append one value."""
    writer = _WRITERS.get(type(value))
    if writer is None:
        raise Malformed(f"AMQP has no type for {type(value).__name__}")
    writer(out, value)


def write_uint(out: bytearray, value: int) -> None:
    """Append an unsigned 32-bit number."""
    if value == 0:
        out.append(0x43)
    elif value < 256:
        out += bytes((0x52, value))
    else:
        out += b"\x70" + _U32(value)


def write_ulong(out: bytearray, value: int) -> None:
    """Append an unsigned 64-bit number."""
    if value == 0:
        out.append(0x44)
    elif value < 256:
        out += bytes((0x53, value))
    else:
        out += b"\x80" + struct.pack(">Q", value)


def write_binary(out: bytearray, value: bytes) -> None:
    """Append a binary."""
    _sized(out, 0xA0, value)


def write_symbol(out: bytearray, value: str) -> None:
    """Append a symbol."""
    _sized(out, 0xA3, value.encode("ascii"))


def write_string(out: bytearray, value: str) -> None:
    """Append a string."""
    _sized(out, 0xA1, value.encode())


def write_list(out: bytearray, count: int, body: bytes | bytearray) -> None:
    """Append a list whose items are already encoded."""
    if count == 0:
        out.append(0x45)
    else:
        _compound(out, 0xC0, count, body)


def write_map(out: bytearray, count: int, body: bytes | bytearray) -> None:
    """Append a map whose keys and values, `count` of them together, are already encoded."""
    _compound(out, 0xC1, count, body)


def _sized(out: bytearray, code: int, raw: bytes) -> None:
    size = len(raw)
    if size < 256:
        out += bytes((code, size))
    else:
        out.append(code + 0x10)
        out += _U32(size)
    out += raw


def _compound(out: bytearray, code: int, count: int, body: bytes | bytearray) -> None:
    size = len(body)
    if size < 255 and count < 256:
        out += bytes((code, size + 1, count))
    else:
        out.append(code + 0x10)
        out += _U32(size + 4) + _U32(count)
    out += body


def _joined(values: Iterable[Any]) -> bytearray:
    body = bytearray()
    for value in values:
        write(body, value)
    return body


def _null(out: bytearray, _value: None) -> None:
    out.append(0x40)


def write_boolean(out: bytearray, value: bool) -> None:  # noqa: FBT001  # the value itself, not a switch
    """Append a boolean."""
    out.append(0x41 if value else 0x42)


def _long(out: bytearray, value: int) -> None:
    if -128 <= value < 128:
        out += bytes((0x55, value & 0xFF))
    else:
        out += b"\x81" + _I64(value)


def _int(out: bytearray, value: int) -> None:
    if -128 <= value < 128:
        out += bytes((0x54, value & 0xFF))
    else:
        out += b"\x71" + struct.pack(">i", value)


def _fixed(code: int, layout: str) -> _Writer:
    pack = struct.Struct(">B" + layout).pack

    def append(out: bytearray, value: Any) -> None:
        out += pack(code, value)

    return append


def _char(out: bytearray, value: str) -> None:
    out += b"\x73" + _U32(ord(value))


def _opaque(out: bytearray, value: Opaque) -> None:
    out.append(value.code)
    out += value.raw


def _uuid(out: bytearray, value: UUID) -> None:
    out += b"\x98" + value.bytes


def _list(out: bytearray, value: list[Any]) -> None:
    write_list(out, len(value), _joined(value))


def _map(out: bytearray, value: dict[Any, Any]) -> None:
    body = bytearray()
    for key, item in value.items():
        write(body, key)
        write(body, item)
    write_map(out, 2 * len(value), body)


def _described(out: bytearray, value: Described) -> None:
    out.append(0)
    write(out, value.descriptor)
    write(out, value.value)


def _array(out: bytearray, value: Array) -> None:
    body = bytearray((value.code,))
    element = _ELEMENTS.get(value.code)
    if element is None:
        raise Malformed(f"no such array constructor: 0x{value.code:02x}")
    for item in value.items:
        body += element(item)
    _compound(out, 0xE0, len(value.items), body)


def _raw_u32(raw: bytes) -> bytes:
    return _U32(len(raw)) + raw


def _list_element(value: list[Any]) -> bytes:
    body = _joined(value)
    return _U32(len(body) + 4) + _U32(len(value)) + body


def _map_element(value: dict[Any, Any]) -> bytes:
    return _list_element([part for pair in value.items() for part in pair])


def _array_element(value: Array) -> bytes:
    out = bytearray()
    body = bytes((value.code,)) + b"".join(_ELEMENTS[value.code](item) for item in value.items)
    out += _U32(len(body) + 4) + _U32(len(value.items)) + body
    return bytes(out)


# An array's items follow one constructor, so each is written in the widest encoding, without a constructor of
# its own.
_ELEMENTS: dict[int, Callable[[Any], bytes]] = {
    0x40: lambda _value: b"",
    0x50: struct.Struct(">B").pack,
    0x51: struct.Struct(">b").pack,
    0x56: struct.Struct(">?").pack,
    0x60: struct.Struct(">H").pack,
    0x61: struct.Struct(">h").pack,
    0x70: _U32,
    0x71: struct.Struct(">i").pack,
    0x72: struct.Struct(">f").pack,
    0x73: lambda value: _U32(ord(value)),
    0x74: lambda value: value.raw,
    0x80: struct.Struct(">Q").pack,
    0x81: _I64,
    0x82: struct.Struct(">d").pack,
    0x83: _I64,
    0x84: lambda value: value.raw,
    0x94: lambda value: value.raw,
    0x98: lambda value: value.bytes,
    0xB0: _raw_u32,
    0xB1: lambda value: _raw_u32(value.encode()),
    0xB3: lambda value: _raw_u32(value.encode("ascii")),
    0xD0: _list_element,
    0xD1: _map_element,
    0xF0: _array_element,
}

_WRITERS: dict[type, _Writer] = {
    type(None): _null,
    bool: write_boolean,
    UByte: _fixed(0x50, "B"),
    UShort: _fixed(0x60, "H"),
    UInt: write_uint,
    ULong: write_ulong,
    Byte: _fixed(0x51, "b"),
    Short: _fixed(0x61, "h"),
    Int: _int,
    int: _long,
    Float: _fixed(0x72, "f"),
    float: _fixed(0x82, "d"),
    Char: _char,
    Timestamp: _fixed(0x83, "q"),
    Opaque: _opaque,
    UUID: _uuid,
    bytes: write_binary,
    str: write_string,
    Symbol: write_symbol,
    list: _list,
    dict: _map,
    Array: _array,
    Described: _described,
}
