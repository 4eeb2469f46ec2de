"""Bytes to AMQP values. Every length and count is checked against the bytes that are there before it is
believed.
"""

import struct
from collections.abc import Callable
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

# Deeper nesting than any real message has; recursion stays far from the interpreter's limit.
MAX_DEPTH = 24

_Reader = Callable[[bytes, int, int], tuple[Any, int]]

# The constructor of each type's widest encoding: what an array that was decoded is encoded with again.
_WIDEST = {
    0x41: 0x56,
    0x42: 0x56,
    0x43: 0x70,
    0x44: 0x80,
    0x45: 0xD0,
    0x52: 0x70,
    0x53: 0x80,
    0x54: 0x71,
    0x55: 0x81,
    0xA0: 0xB0,
    0xA1: 0xB1,
    0xA3: 0xB3,
    0xC0: 0xD0,
    0xC1: 0xD1,
    0xE0: 0xF0,
}

_U32 = struct.Struct(">I").unpack_from


def decode(buffer: bytes, position: int = 0) -> tuple[Any, int]:
    """The value that starts at `position`, and the position after it.

    Raises Malformed for anything that is not one whole, well-formed value.
    """
    try:
        return _READERS[buffer[position]](buffer, position + 1, 0)
    except (IndexError, struct.error, UnicodeDecodeError, TypeError, OverflowError) as wrong:
        # TypeError: a map key that cannot be one (a list, a map).
        raise Malformed(f"not an AMQP value: {type(wrong).__name__}") from wrong


def skip(buffer: bytes, position: int) -> int:
    """The position after the (not described) value at `position`, without building it."""
    code = buffer[position]
    width = code >> 4
    if width in {0xA, 0xC, 0xE}:
        end = position + 2 + buffer[position + 1]
    elif width in {0xB, 0xD, 0xF}:
        (size,) = _U32(buffer, position + 1)
        end = position + 5 + size
    elif 0x4 <= width <= 0x9:
        end = position + 1 + (0 if width == 0x4 else 1 << (width - 5))
    else:
        raise Malformed(f"no such constructor: 0x{code:02x}")
    if end > len(buffer):
        raise Malformed("a value runs past the end of its frame")
    return end


def _constant(value: Any) -> _Reader:
    return lambda _buffer, position, _depth: (value, position)


def _fixed(layout: str, build: Callable[[Any], Any]) -> _Reader:
    unpack = struct.Struct(layout).unpack_from
    width = struct.calcsize(layout)

    def read(buffer: bytes, position: int, _depth: int) -> tuple[Any, int]:
        return build(unpack(buffer, position)[0]), position + width

    return read


def _octet(build: Callable[[int], Any]) -> _Reader:
    """For one-byte numbers, which are most of a frame: all of them made beforehand."""
    numbers = tuple(build(number) for number in range(256))
    return lambda buffer, position, _depth: (numbers[buffer[position]], position + 1)


def _plain(value: Any) -> Any:
    return value


def _boolean(octet: int) -> bool:
    if octet > 1:
        raise Malformed("a boolean is 0 or 1")
    return octet == 1


def _opaque(code: int, width: int) -> _Reader:
    def read(buffer: bytes, position: int, _depth: int) -> tuple[Any, int]:
        return Opaque(code, _slice(buffer, position, width)), position + width

    return read


def _slice(buffer: bytes, position: int, size: int) -> bytes:
    if position + size > len(buffer):
        raise Malformed("a value runs past the end of its frame")
    return buffer[position : position + size]


def _uuid(buffer: bytes, position: int, _depth: int) -> tuple[Any, int]:
    return UUID(bytes=_slice(buffer, position, 16)), position + 16


def _variable(build: Callable[[bytes], Any], *, wide: bool) -> _Reader:
    def read_short(buffer: bytes, position: int, _depth: int) -> tuple[Any, int]:
        start = position + 1
        size = buffer[position]
        return build(_slice(buffer, start, size)), start + size

    def read_wide(buffer: bytes, position: int, _depth: int) -> tuple[Any, int]:
        start = position + 4
        (size,) = _U32(buffer, position)
        return build(_slice(buffer, start, size)), start + size

    return read_wide if wide else read_short


def _string(raw: bytes) -> str:
    return raw.decode("utf-8")


def _symbol(raw: bytes) -> Symbol:
    return Symbol(raw.decode("ascii"))


def _char(point: int) -> Char:
    if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
        raise Malformed("not a Unicode character")
    return Char(chr(point))


def _compound_head(buffer: bytes, position: int, depth: int, *, wide: bool) -> tuple[int, int, int]:
    """The count, the start and the end of a list, map or array."""
    if depth >= MAX_DEPTH:
        raise Malformed("nested too deeply")
    if wide:
        size, count = struct.unpack_from(">II", buffer, position)
        start, end = position + 8, position + 4 + size
    else:
        size, count = buffer[position], buffer[position + 1]
        start, end = position + 2, position + 1 + size
    # Elements of an array may be empty, so the count alone could ask for gigabytes: it may not exceed the
    # size.
    if end > len(buffer) or end < start or count > size:
        raise Malformed("a compound value's size and count do not fit its frame")
    return count, start, end


def _items(buffer: bytes, position: int, depth: int, *, wide: bool) -> tuple[list[Any], int]:
    count, position, end = _compound_head(buffer, position, depth, wide=wide)
    items = []
    depth += 1
    for _ in range(count):
        item, position = _READERS[buffer[position]](buffer, position + 1, depth)
        items.append(item)
    if position != end:
        raise Malformed("a compound value's size does not match its items")
    return items, end


def _list(*, wide: bool) -> _Reader:
    return lambda buffer, position, depth: _items(buffer, position, depth, wide=wide)


def _map(*, wide: bool) -> _Reader:
    def read(buffer: bytes, position: int, depth: int) -> tuple[Any, int]:
        items, end = _items(buffer, position, depth, wide=wide)
        if len(items) % 2:
            raise Malformed("a map needs a value for each key")
        return dict(zip(items[::2], items[1::2], strict=True)), end

    return read


def _array(*, wide: bool) -> _Reader:
    def read(buffer: bytes, position: int, depth: int) -> tuple[Any, int]:
        count, position, end = _compound_head(buffer, position, depth, wide=wide)
        code = buffer[position]
        reader = _READERS[code]
        if code == 0:
            raise Malformed("an array's items have a plain type")
        position += 1
        items = []
        for _ in range(count):
            item, position = reader(buffer, position, depth + 1)
            items.append(item)
        if position != end:
            raise Malformed("an array's size does not match its items")
        return Array(_WIDEST.get(code, code), tuple(items)), end

    return read


def _described(buffer: bytes, position: int, depth: int) -> tuple[Any, int]:
    if depth >= MAX_DEPTH:
        raise Malformed("nested too deeply")
    depth += 1
    descriptor, position = _READERS[buffer[position]](buffer, position + 1, depth)
    value, position = _READERS[buffer[position]](buffer, position + 1, depth)
    return Described(descriptor, value), position


def _empty_list(_buffer: bytes, position: int, _depth: int) -> tuple[Any, int]:
    return [], position


def _unknown(buffer: bytes, position: int, _depth: int) -> tuple[Any, int]:
    raise Malformed(f"no such constructor: 0x{buffer[position - 1]:02x}")


_KNOWN: dict[int, _Reader] = {
    0x00: _described,
    0x40: _constant(None),
    0x41: _constant(value=True),
    0x42: _constant(value=False),
    0x43: _constant(UInt(0)),
    0x44: _constant(ULong(0)),
    0x45: _empty_list,
    0x50: _octet(UByte),
    0x51: _fixed(">b", Byte),
    0x52: _octet(UInt),
    0x53: _octet(ULong),
    0x54: _fixed(">b", Int),
    0x55: _fixed(">b", _plain),
    0x56: _fixed(">B", _boolean),
    0x60: _fixed(">H", UShort),
    0x61: _fixed(">h", Short),
    0x70: _fixed(">I", UInt),
    0x71: _fixed(">i", Int),
    0x72: _fixed(">f", Float),
    0x73: _fixed(">I", _char),
    0x74: _opaque(0x74, 4),
    0x80: _fixed(">Q", ULong),
    0x81: _fixed(">q", _plain),
    0x82: _fixed(">d", _plain),
    0x83: _fixed(">q", Timestamp),
    0x84: _opaque(0x84, 8),
    0x94: _opaque(0x94, 16),
    0x98: _uuid,
    0xA0: _variable(_plain, wide=False),
    0xA1: _variable(_string, wide=False),
    0xA3: _variable(_symbol, wide=False),
    0xB0: _variable(_plain, wide=True),
    0xB1: _variable(_string, wide=True),
    0xB3: _variable(_symbol, wide=True),
    0xC0: _list(wide=False),
    0xC1: _map(wide=False),
    0xD0: _list(wide=True),
    0xD1: _map(wide=True),
    0xE0: _array(wide=False),
    0xF0: _array(wide=True),
}

# By constructor; a list, because this is looked up for every value there is.
_READERS = [_KNOWN.get(code, _unknown) for code in range(256)]
