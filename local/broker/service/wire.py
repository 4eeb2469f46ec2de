"""A queue's message as a receiver sees it: the broker's annotations around the sender's bytes."""

import struct

from local.broker.amqp.encode import encode, write
from local.broker.amqp.sections import delivery
from local.broker.amqp.values import Symbol
from local.broker.entities.message import Lock, Message

_NAMED = [
    encode(Symbol(name)) + constructor
    for name, constructor in (
        ("x-opt-sequence-number", b"\x81"),
        ("x-opt-enqueue-sequence-number", b"\x81"),
        ("x-opt-enqueued-time", b"\x83"),
        ("x-opt-message-state", b"\x71"),
        ("x-opt-locked-until", b"\x83"),
    )
]
_SEQUENCE, _ENQUEUED_SEQUENCE, _ENQUEUED_AT, _STATE, _LOCKED_UNTIL = _NAMED
_SOURCE = encode(Symbol("x-opt-deadletter-source"))

# What every message carries, in one stroke: each name before its value.
_ALWAYS = struct.Struct(
    ">" + "".join(f"{len(name)}s{kind}" for name, kind in zip(_NAMED[:4], "qqqi", strict=True))
)

# What only the broker says. A received message that is sent again brings them along, out of date.
_OURS = frozenset(
    {
        "x-opt-sequence-number",
        "x-opt-enqueue-sequence-number",
        "x-opt-enqueued-time",
        "x-opt-locked-until",
        "x-opt-message-state",
        "x-opt-deadletter-source",
        "x-opt-lock-token",
    }
)

_long = struct.Struct(">q").pack


def render(message: Message, lock: Lock | None) -> bytes:
    """The encoded message, locked or just looked at."""
    out = bytearray(
        _ALWAYS.pack(
            _SEQUENCE,
            message.sequence,
            _ENQUEUED_SEQUENCE,
            message.enqueued_sequence,
            _ENQUEUED_AT,
            message.enqueued_at,
            _STATE,
            message.state,
        )
    )
    count = 8
    if lock is not None:
        out += _LOCKED_UNTIL
        out += _long(lock.until)
        count += 2
    if message.source is not None:
        out += _SOURCE
        write(out, message.source)
        count += 2
    if message.content.annotations:
        for key, value in message.content.annotations.items():
            if key not in _OURS:
                write(out, key)
                write(out, value)
                count += 2
    token = None if lock is None else lock.token
    return delivery(message.content, message.delivery_count, token, out, count)


def ticks(milliseconds: int) -> int:
    """A time in ms since 1970 UTC as .NET ticks, which is how a session's lock time travels."""
    return milliseconds * 10_000 + 621_355_968_000_000_000
