"""The composite types of AMQP 1.0: frame bodies, termini, outcomes and errors, as named tuples.

One table per type says what each field may hold; a field of the wrong type is Malformed before any code sees
it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from local.broker.amqp.decode import decode
from local.broker.amqp.encode import (
    write,
    write_binary,
    write_boolean,
    write_list,
    write_string,
    write_symbol,
    write_uint,
    write_ulong,
)
from local.broker.amqp.values import Array, Described, Malformed, Symbol, UByte, UInt, ULong, UShort

Fields = dict[Any, Any]


class AmqpError(NamedTuple):
    """Why something ended or was refused. All three fields are always sent: a client indexes them blindly."""

    condition: str
    description: str = ""
    info: Fields = {}  # noqa: RUF012  # a default that is sent, never changed


class Source(NamedTuple):
    """Where a link's messages come from."""

    address: Any = None
    durable: int | None = None
    expiry_policy: str | None = None
    timeout: int | None = None
    dynamic: bool | None = None
    dynamic_node_properties: Fields | None = None
    distribution_mode: str | None = None
    filter: Fields | None = None
    default_outcome: Any = None
    outcomes: Any = None
    capabilities: Any = None


class Target(NamedTuple):
    """Where a link's messages go to."""

    address: Any = None
    durable: int | None = None
    expiry_policy: str | None = None
    timeout: int | None = None
    dynamic: bool | None = None
    dynamic_node_properties: Fields | None = None
    capabilities: Any = None


class Coordinator(NamedTuple):
    """The target of a link that controls transactions."""

    capabilities: Any = None


class Received(NamedTuple):
    """Not an outcome: how far a delivery has come."""

    section_number: int
    section_offset: int


class Accepted(NamedTuple):
    """Done with."""


class Rejected(NamedTuple):
    """Refused; for a receiver of Service Bus: dead-letter it."""

    error: AmqpError | None = None


class Released(NamedTuple):
    """Not touched; give it back as it was."""


class Modified(NamedTuple):
    """Given back changed: abandoned, or deferred when `undeliverable_here`."""

    delivery_failed: bool | None = None
    undeliverable_here: bool | None = None
    message_annotations: Fields | None = None


class Open(NamedTuple):
    """The first frame of a connection, from each side."""

    container_id: str
    hostname: str | None = None
    max_frame_size: int = 4294967295
    channel_max: int = 65535
    idle_time_out: int | None = None
    outgoing_locales: Any = None
    incoming_locales: Any = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: Fields | None = None


class Begin(NamedTuple):
    """Start of a session on a channel."""

    remote_channel: int | None
    next_outgoing_id: int
    incoming_window: int
    outgoing_window: int
    handle_max: int = 4294967295
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: Fields | None = None


class Attach(NamedTuple):
    """Start of a link. `role` is True for the side that receives."""

    name: str
    handle: int
    role: bool
    snd_settle_mode: int = 2
    rcv_settle_mode: int = 0
    source: Source | None = None
    target: Target | Coordinator | None = None
    unsettled: Fields | None = None
    incomplete_unsettled: bool | None = None
    initial_delivery_count: int | None = None
    max_message_size: int | None = None
    offered_capabilities: Any = None
    desired_capabilities: Any = None
    properties: Fields | None = None


class Flow(NamedTuple):
    """Windows of a session and, with a handle, the credit of a link."""

    next_incoming_id: int | None
    incoming_window: int
    next_outgoing_id: int
    outgoing_window: int
    handle: int | None = None
    delivery_count: int | None = None
    link_credit: int | None = None
    available: int | None = None
    drain: bool = False
    echo: bool = False
    properties: Fields | None = None


class Transfer(NamedTuple):
    """A message, or a part of one."""

    handle: int
    delivery_id: int | None = None
    delivery_tag: bytes | None = None
    message_format: int | None = None
    settled: bool | None = None
    more: bool = False
    rcv_settle_mode: int | None = None
    state: Any = None
    resume: bool = False
    aborted: bool = False
    batchable: bool = False


class Disposition(NamedTuple):
    """What became of deliveries `first` to `last`."""

    role: bool
    first: int
    last: int | None = None
    settled: bool = False
    state: Any = None
    batchable: bool = False


class Detach(NamedTuple):
    """End of a link."""

    handle: int
    closed: bool = False
    error: AmqpError | None = None


class End(NamedTuple):
    """End of a session."""

    error: AmqpError | None = None


class Close(NamedTuple):
    """End of a connection."""

    error: AmqpError | None = None


class SaslMechanisms(NamedTuple):
    """What the server offers."""

    mechanisms: Any


class SaslInit(NamedTuple):
    """What the client chose."""

    mechanism: str
    initial_response: bytes | None = None
    hostname: str | None = None


class SaslOutcome(NamedTuple):
    """0 is success."""

    code: int
    additional_data: bytes | None = None


class _Kind(NamedTuple):
    """What a field may hold when it comes in (None: anything), and how it is written when it goes out."""

    accepts: frozenset[type] | None
    write: Callable[[bytearray, Any], None]


def _is(*types: type) -> frozenset[type]:
    return frozenset(types)


def _write_ubyte(out: bytearray, value: int) -> None:
    write(out, UByte(value))


def _write_ushort(out: bytearray, value: int) -> None:
    write(out, UShort(value))


def _write_any(out: bytearray, value: Any) -> None:
    if type(value) in _BY_TYPE:
        write_composite(out, value)
    else:
        write(out, value)


_KINDS = {
    "any": _Kind(None, _write_any),
    "boolean": _Kind(_is(bool), write_boolean),
    "ubyte": _Kind(_is(UByte), _write_ubyte),
    "ushort": _Kind(_is(UShort), _write_ushort),
    "uint": _Kind(_is(UInt), write_uint),
    "ulong": _Kind(_is(ULong), write_ulong),
    "binary": _Kind(_is(bytes), write_binary),
    # The official clients are not strict about which of the two they use.
    "string": _Kind(_is(str, Symbol), write_string),
    "symbol": _Kind(_is(str, Symbol), write_symbol),
    "symbols": _Kind(_is(Symbol, Array), write),
    "map": _Kind(_is(dict), write),
    "error": _Kind(_is(AmqpError), _write_any),
    "source": _Kind(_is(Source), _write_any),
    "target": _Kind(_is(Target, Coordinator), _write_any),
}

# An exclamation mark: the field must be there.
_LAYOUTS: dict[int, tuple[type, str, str]] = {
    0x10: (Open, "amqp:open:list", "string! string uint ushort uint symbols symbols symbols symbols map"),
    0x11: (Begin, "amqp:begin:list", "ushort uint! uint! uint! uint symbols symbols map"),
    0x12: (
        Attach,
        "amqp:attach:list",
        "string! uint! boolean! ubyte ubyte source target map boolean uint ulong symbols symbols map",
    ),
    0x13: (
        Flow,
        "amqp:flow:list",
        "uint uint! uint! uint! uint uint uint uint boolean boolean map",
    ),
    0x14: (
        Transfer,
        "amqp:transfer:list",
        "uint! uint binary uint boolean boolean ubyte any boolean boolean boolean",
    ),
    0x15: (Disposition, "amqp:disposition:list", "boolean! uint! uint boolean any boolean"),
    0x16: (Detach, "amqp:detach:list", "uint! boolean error"),
    0x17: (End, "amqp:end:list", "error"),
    0x18: (Close, "amqp:close:list", "error"),
    0x1D: (AmqpError, "amqp:error:list", "symbol! string map"),
    0x23: (Received, "amqp:received:list", "uint! ulong!"),
    0x24: (Accepted, "amqp:accepted:list", ""),
    0x25: (Rejected, "amqp:rejected:list", "error"),
    0x26: (Released, "amqp:released:list", ""),
    0x27: (Modified, "amqp:modified:list", "boolean boolean map"),
    0x28: (
        Source,
        "amqp:source:list",
        "any uint symbol uint boolean map symbol map any symbols symbols",
    ),
    0x29: (Target, "amqp:target:list", "any uint symbol uint boolean map symbols"),
    0x30: (Coordinator, "amqp:coordinator:list", "symbols"),
    0x40: (SaslMechanisms, "amqp:sasl-mechanisms:list", "symbols!"),
    0x41: (SaslInit, "amqp:sasl-init:list", "symbol! binary string"),
    0x44: (SaslOutcome, "amqp:sasl-outcome:list", "ubyte! binary"),
}


class _Composite(NamedTuple):
    head: bytes
    build: Any
    names: tuple[str, ...]
    accepts: tuple[frozenset[type] | None, ...]
    writers: tuple[Callable[[bytearray, Any], None], ...]
    required: tuple[int, ...]
    defaults: tuple[Any, ...]


def _composite(code: int, build: Any, layout: str) -> _Composite:
    kinds = [_KINDS[kind.rstrip("!")] for kind in layout.split()]
    return _Composite(
        head=bytes((0x00, 0x53, code)),
        build=build,
        names=build._fields,
        accepts=tuple(kind.accepts for kind in kinds),
        writers=tuple(kind.write for kind in kinds),
        required=tuple(index for index, kind in enumerate(layout.split()) if kind.endswith("!")),
        defaults=tuple(build._field_defaults.get(name) for name in build._fields),
    )


_BY_CODE = {code: _composite(code, build, layout) for code, (build, _, layout) in _LAYOUTS.items()}
_BY_NAME = {name: _BY_CODE[code] for code, (_, name, _) in _LAYOUTS.items()}
_BY_TYPE = {build: _BY_CODE[code] for code, (build, _, _) in _LAYOUTS.items()}


def lift(value: Any) -> Any:
    """The named tuple that a described list stands for; any other value stays what it is."""
    if type(value) is not Described:
        return value
    found = (
        _BY_CODE.get(value.descriptor) if type(value.descriptor) is ULong else _BY_NAME.get(value.descriptor)
    )
    return value if found is None else _built(found, value.value)


def _built(composite: _Composite, items: Any) -> Any:
    if type(items) is not list or len(items) > len(composite.names):
        raise Malformed(f"{composite.build.__name__} has too many fields")
    values = list(composite.defaults)
    for index, item in enumerate(items):
        if item is None:
            continue
        lifted = lift(item) if type(item) is Described else item
        accepted = composite.accepts[index]
        if accepted is not None and type(lifted) not in accepted:
            raise Malformed(f"{composite.build.__name__}.{composite.names[index]} has the wrong type")
        values[index] = lifted
    for index in composite.required:
        if values[index] is None:
            raise Malformed(f"{composite.build.__name__}.{composite.names[index]} is missing")
    return composite.build._make(values)


def read_composite(body: bytes) -> tuple[Any, int]:
    """The composite a frame body starts with, and the position after it. Raises Malformed for anything
    else.
    """
    known = _BY_CODE.get(body[2]) if len(body) > 3 and body.startswith(b"\x00\x53") else None
    if known is not None:
        items, position = decode(body, 3)
        return _built(known, items), position
    value, position = decode(body)
    composite = lift(value)
    if type(composite) not in _BY_TYPE:
        raise Malformed("a frame's body starts with a performative")
    return composite, position


def write_composite(out: bytearray, value: Any) -> None:
    """Append a composite. No trailing field is left out: some clients index past the end of a short list."""
    composite = _BY_TYPE[type(value)]
    out += composite.head
    if not value:
        out.append(0x45)
        return
    body = bytearray()
    for writer, item in zip(composite.writers, value, strict=True):
        if item is None:
            body.append(0x40)
        elif item is False:
            body.append(0x42)
        else:
            writer(body, item)
    write_list(out, len(value), body)
