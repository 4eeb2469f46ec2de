"""Frames: where one ends and the next begins, and the protocol headers before the first."""

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from local.broker.amqp.composites import read_composite, write_composite
from local.broker.amqp.values import Malformed

SASL_HEADER = b"AMQP\x03\x01\x00\x00"
AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
EMPTY_FRAME = b"\x00\x00\x00\x08\x02\x00\x00\x00"

# What this broker lets a peer send and sends itself at most (bytes).
MAX_FRAME_SIZE = 65536

# The two frames that leave for every message, laid out beforehand.
_TRANSFER = struct.Struct(">IBBH4sBBBIBIBB").pack
_ACCEPTED = struct.Struct(">IBBH4sBBBBIBIB").pack
_HEAD = struct.Struct(">IBBH").unpack_from

AMQP = 0
SASL = 1


class Frame(NamedTuple):
    """One frame. `performative` is None for the empty frame that keeps a connection alive."""

    kind: int
    channel: int
    performative: Any
    payload: bytes


def take_frame(buffer: bytearray) -> Frame | None:
    """The frame at the front of `buffer`, removed from it; None as long as it is not whole.

    Raises Malformed when the bytes cannot be a frame, or it is longer than MAX_FRAME_SIZE.
    """
    if len(buffer) < 8:
        return None
    size, words, kind, channel = _HEAD(buffer)
    start = words * 4
    if size > MAX_FRAME_SIZE or not 8 <= start <= size or kind > SASL:
        raise Malformed("not a frame, or one longer than was agreed")
    if len(buffer) < size:
        return None
    body = bytes(buffer[start:size])
    del buffer[:size]
    if not body:
        return Frame(kind, channel, None, b"")
    performative, end = read_composite(body)
    return Frame(kind, channel, performative, body[end:])


def take_frames(buffer: bytearray) -> Iterator[Frame]:
    """Every whole frame at the front of `buffer`, removed from it as it is given out. Raises Malformed."""
    while (frame := take_frame(buffer)) is not None:
        yield frame


def write_frame(
    out: bytearray, channel: int, performative: Any, payload: bytes = b"", kind: int = AMQP
) -> None:
    """Append one frame."""
    start = len(out)
    out += bytes((0, 0, 0, 0, 2, kind)) + channel.to_bytes(2, "big")
    write_composite(out, performative)
    out += payload
    out[start : start + 4] = (len(out) - start).to_bytes(4, "big")


def write_transfer(
    out: bytearray, channel: int, handle: int, delivery_id: int, tag: bytes, payload: bytes, *, settled: bool
) -> None:
    """Append a transfer of a whole message with a short tag, at an eighth of what `write_frame` costs."""
    size, fields = 34 + len(tag) + len(payload), 21 + len(tag)
    out += _TRANSFER(
        size,
        2,
        AMQP,
        channel,
        b"\x00\x53\x14\xc0",
        fields,
        11,
        0x70,
        handle,
        0x70,
        delivery_id,
        0xA0,
        len(tag),
    )
    out += tag
    # Format 0, settled, no more to come; what is left open; not resumed, not aborted, not batchable.
    out += b"\x43\x41\x42\x40\x40\x42\x42\x42" if settled else b"\x43\x42\x42\x40\x40\x42\x42\x42"
    out += payload


def write_accepted(out: bytearray, channel: int, delivery_id: int, *, receiver: bool) -> None:
    """Append a disposition that settles one delivery as accepted, at a tenth of what `write_frame` costs."""
    role = 0x41 if receiver else 0x42
    out += _ACCEPTED(
        31, 2, AMQP, channel, b"\x00\x53\x15\xc0", 18, 6, role, 0x70, delivery_id, 0x70, delivery_id, 0x41
    )
    out += b"\x00\x53\x24\x45\x42"
