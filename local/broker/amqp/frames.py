"""Frames: where one ends and the next begins, and the protocol headers before the first."""

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from local.broker.amqp.composites import read_composite, write_composite
from local.broker.amqp.shortcuts import read_accepted
from local.broker.amqp.values import Malformed

SASL_HEADER = b"AMQP\x03\x01\x00\x00"
AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
EMPTY_FRAME = b"\x00\x00\x00\x08\x02\x00\x00\x00"

# What this broker lets a peer send and sends itself at most (bytes).
MAX_FRAME_SIZE = 65536

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
    accepted = read_accepted(body)
    if accepted is not None:
        return Frame(kind, channel, accepted, b"")
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
