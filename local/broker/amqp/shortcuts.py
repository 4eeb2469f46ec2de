"""The frames that come or go for every message, read and written at a fraction of what the long way costs.

A test holds each of them to what the long way (`composites`, `frames`) reads and writes.
"""

import re
import struct

from local.broker.amqp.composites import Accepted, Disposition
from local.broker.amqp.values import UInt

_AMQP = 0
_TRANSFER = struct.Struct(">IBBH4sBBBIBIBB").pack
_ACCEPTED = struct.Struct(">IBBH4sBBBBIBIB").pack

# A receiver's disposition that accepts one delivery: the size, the number, whether it is settled.
_ONE_ACCEPTED = re.compile(
    rb"\x00\x53\x15\xc0(.)\x06(?:\x41|\x56\x01)(?:\x43|\x52(.)|\x70(....))\x40"
    rb"(?:\x40|\x42|\x56\x00|(\x41|\x56\x01))\x00\x53\x24\x45(?:\x40|\x42|\x56\x00)",
    re.DOTALL,
).fullmatch
_DONE = Accepted()


def read_accepted(body: bytes) -> Disposition | None:
    """The disposition in a frame's body if it is a receiver's that accepts one delivery, else None."""
    match = _ONE_ACCEPTED(body)
    if match is None:
        return None
    size, short, long, settled = match.groups()
    if size[0] != len(body) - 5:
        return None
    number = int.from_bytes(short or long or b"", "big")
    return Disposition(True, UInt(number), None, settled is not None, _DONE)  # noqa: FBT003  # an AMQP field


def write_transfer(
    out: bytearray, channel: int, handle: int, delivery_id: int, tag: bytes, payload: bytes, *, settled: bool
) -> None:
    """Append a transfer of a whole message with a short tag, at an eighth of what `write_frame` costs."""
    size, fields = 34 + len(tag) + len(payload), 21 + len(tag)
    out += _TRANSFER(
        size,
        2,
        _AMQP,
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
        31, 2, _AMQP, channel, b"\x00\x53\x15\xc0", 18, 6, role, 0x70, delivery_id, 0x70, delivery_id, 0x41
    )
    out += b"\x00\x53\x24\x45\x42"
