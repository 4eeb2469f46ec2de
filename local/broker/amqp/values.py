"""The AMQP 1.0 types that Python does not tell apart, and the two that only AMQP has.

A plain `int` is a long, `float` a double, `str` a string, `bytes` a binary, `list` a list and `dict` a map;
every other width is a subclass below, so that a value that is decoded and encoded again keeps its type.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple


class Malformed(ValueError):
    """The bytes are not AMQP 1.0, or a field has a type or size the protocol does not allow."""


class Symbol(str):
    """A name from a constrained domain (ASCII)."""

    __slots__ = ()


class Char(str):
    """One Unicode character."""

    __slots__ = ()


class UByte(int):
    """Unsigned, 8 bits."""


class UShort(int):
    """Unsigned, 16 bits."""


class UInt(int):
    """Unsigned, 32 bits."""


class ULong(int):
    """Unsigned, 64 bits."""


class Byte(int):
    """Signed, 8 bits."""


class Short(int):
    """Signed, 16 bits."""


class Int(int):
    """Signed, 32 bits."""


class Timestamp(int):
    """Milliseconds since 1970-01-01 UTC."""


class Float(float):
    """IEEE 754, 32 bits."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """A decimal: carried as it came, never computed with."""

    code: int
    raw: bytes


class Described(NamedTuple):
    """A value with a descriptor that says what it means."""

    descriptor: Any
    value: Any


@dataclass(frozen=True, slots=True)
class Array:
    """Values of one type; `code` is the constructor of the type's widest encoding."""

    code: int
    items: tuple[Any, ...]


UUID_ARRAY = 0x98
LONG_ARRAY = 0x81
TIMESTAMP_ARRAY = 0x83
STRING_ARRAY = 0xB1
SYMBOL_ARRAY = 0xB3
