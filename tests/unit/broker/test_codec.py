"""AMQP values, composites and sections, there and back."""

import math
import struct
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from local.broker.amqp.composites import (
    Accepted,
    AmqpError,
    Attach,
    Disposition,
    Flow,
    Modified,
    Rejected,
    Source,
    Target,
    Transfer,
    lift,
    read_composite,
    write_composite,
)
from local.broker.amqp.decode import decode, skip
from local.broker.amqp.encode import encode
from local.broker.amqp.frames import MAX_FRAME_SIZE, take_frames, write_frame
from local.broker.amqp.sections import parse, parse_request, serialise, split_batch, with_application
from local.broker.amqp.shortcuts import read_accepted, write_accepted, write_transfer
from local.broker.amqp.values import (
    LONG_ARRAY,
    STRING_ARRAY,
    SYMBOL_ARRAY,
    TIMESTAMP_ARRAY,
    UUID_ARRAY,
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


def whole(bits: int, *, signed: bool) -> st.SearchStrategy[int]:
    low = -(1 << (bits - 1)) if signed else 0
    return st.integers(low, low + (1 << bits) - 1)


def single(number: float) -> Float:
    return Float(struct.unpack(">f", struct.pack(">f", number))[0])


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    whole(8, signed=False).map(UByte),
    whole(16, signed=False).map(UShort),
    whole(32, signed=False).map(UInt),
    whole(64, signed=False).map(ULong),
    whole(8, signed=True).map(Byte),
    whole(16, signed=True).map(Short),
    whole(32, signed=True).map(Int),
    whole(64, signed=True),
    whole(64, signed=True).map(Timestamp),
    st.floats(allow_nan=False),
    st.floats(width=32, allow_nan=False).map(single),
    st.characters(exclude_categories=["Cs"]).map(Char),
    st.uuids(),
    st.binary(max_size=300),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    st.text(st.characters(max_codepoint=127), max_size=300).map(Symbol),
    st.binary(min_size=4, max_size=4).map(lambda raw: Opaque(0x74, raw)),
    st.binary(min_size=16, max_size=16).map(lambda raw: Opaque(0x94, raw)),
)

ARRAYS = st.one_of(
    st.lists(st.uuids(), max_size=20).map(lambda items: Array(UUID_ARRAY, tuple(items))),
    st.lists(whole(64, signed=True), max_size=300).map(lambda items: Array(LONG_ARRAY, tuple(items))),
    st.lists(whole(64, signed=True).map(Timestamp)).map(lambda items: Array(TIMESTAMP_ARRAY, tuple(items))),
    st.lists(st.text(max_size=9), max_size=20).map(lambda items: Array(STRING_ARRAY, tuple(items))),
    st.lists(st.sampled_from([Symbol("a"), Symbol("b")])).map(
        lambda items: Array(SYMBOL_ARRAY, tuple(items))
    ),
)

VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.dictionaries(
            st.text(st.characters(max_codepoint=127), max_size=9).map(Symbol) | st.integers(0, 99).map(UInt),
            inner,
            max_size=6,
        ),
        st.builds(Described, whole(64, signed=False).map(ULong), inner),
    ),
    max_leaves=20,
)


def shape(value: Any) -> Any:
    """A value with its types, which plain equality does not look at."""
    if isinstance(value, list):
        return ("list", [shape(item) for item in value])
    if isinstance(value, dict):
        return ("map", [(shape(key), shape(item)) for key, item in value.items()])
    if isinstance(value, Array):
        return ("array", value.code, [shape(item) for item in value.items])
    if isinstance(value, Described):
        return ("described", shape(value.descriptor), shape(value.value))
    return (type(value), math.copysign(1, value) if isinstance(value, float) else None, value)


@given(VALUES)
@example(["x" * 300] * 300)
def test_a_value_that_is_encoded_and_decoded_keeps_its_types(value: Any) -> None:
    encoded = encode(value)

    decoded, end = decode(encoded)

    assert (shape(decoded), end) == (shape(value), len(encoded))


@given(VALUES)
def test_skipping_a_value_ends_where_decoding_ends(value: Any) -> None:
    if not isinstance(value, Described):
        encoded = encode(value) + b"more"
        assert skip(encoded, 0) == decode(encoded)[1]


@given(st.binary(max_size=200))
@example(b"\x00" * 200)
@example(b"\xc0\x03\x02\x40\x40")
@example(b"\xf0\x00\x00\x00\x05\xff\xff\xff\xff\x40")
@example(b"\xd0\xff\xff\xff\xff\xff\xff\xff\xff")
@example(encode([[[]]]) * 3)
def test_any_bytes_are_a_value_or_malformed(raw: bytes) -> None:
    try:
        _, end = decode(raw)
    except Malformed:
        return
    assert 0 < end <= len(raw)


@given(VALUES, st.data())
def test_a_value_cut_short_is_malformed(value: Any, data: st.DataObject) -> None:
    encoded = encode(value)
    kept = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(Malformed):
        decode(encoded[:kept])


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\xd0" + b"\x00\x00\x00\x05" * 1 + b"\x00\x00\xff\xff\x40", id="more items than bytes"),
        pytest.param(b"\xf0\x00\x00\x00\x05\x7f\xff\xff\xff\x40", id="two billion empty items"),
        pytest.param(b"\xc1\x04\x03\x40\x40\x40", id="a key without a value"),
        pytest.param(encode({Symbol("k"): 1})[:3] + b"\x45\x54\x01", id="a list as a key"),
        pytest.param(b"\xc0\x02\x01" * 30 + b"\x40", id="nested too deeply"),
        pytest.param(b"\xa1\x02\xff\xfe", id="not UTF-8"),
        pytest.param(b"\x73\x00\x11\x00\x00", id="not a character"),
        pytest.param(b"\x56\x02", id="not a boolean"),
        pytest.param(b"\xe0\x04\x01\x00\x53\x10", id="an array of described values"),
    ],
)
def test_a_lie_about_size_or_type_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        decode(raw)


COMPOSITES = [
    Attach(
        "link",
        7,
        role=True,
        source=Source("q", filter={Symbol("com.microsoft:session-filter"): None}),
        target=Target("x"),
        properties={Symbol("com.microsoft:timeout"): UInt(5)},
    ),
    Flow(None, 5, 6, 7, handle=1, link_credit=100, drain=True),
    Transfer(1, 2, b"tag", 0, settled=False, more=True),
    Disposition(role=True, first=3, last=9, settled=True, state=Modified(delivery_failed=True)),
    Disposition(role=True, first=3, state=Rejected(AmqpError("amqp:not-found", "gone", {Symbol("a"): "b"}))),
]


@pytest.mark.parametrize("composite", COMPOSITES, ids=lambda composite: type(composite).__name__)
def test_a_composite_goes_there_and_back(composite: Any) -> None:
    out = bytearray()
    write_composite(out, composite)

    found, end = read_composite(bytes(out) + b"payload")

    assert found == composite
    assert end == len(out)


def test_an_error_always_has_three_fields() -> None:
    out = bytearray()
    write_composite(out, Rejected(AmqpError("amqp:not-allowed")))
    described, _ = decode(bytes(out))
    assert described.value[0].value == ["amqp:not-allowed", "", {}]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (["link", UInt(1)], "Attach.role is missing"),
        (["link", "one", True], "Attach.handle has the wrong type"),
        ([None, UInt(1), True], "Attach.name is missing"),
        (["link", UInt(1), True, *[None] * 20], "Attach has too many fields"),
        (["link", UInt(1), True, None, None, "source"], "Attach.source has the wrong type"),
    ],
)
def test_a_field_that_does_not_fit_is_named(fields: list[Any], reason: str) -> None:
    with pytest.raises(Malformed, match=f"^{reason}$"):
        read_composite(encode(Described(ULong(0x12), fields)))


def test_a_composite_may_be_named_instead_of_numbered() -> None:
    assert lift(Described(Symbol("amqp:source:list"), ["q"])) == Source("q")


@given(st.lists(st.binary(max_size=500), min_size=1, max_size=5), st.integers(1, 50))
def test_frames_come_out_whole_however_they_come_in(payloads: list[bytes], step: int) -> None:
    stream = bytearray()
    for number, payload in enumerate(payloads):
        write_frame(stream, number, Transfer(number), payload)
    buffer = bytearray()
    found = []
    for start in range(0, len(stream), step):
        buffer += stream[start : start + step]
        found += [(frame.channel, frame.performative.handle, frame.payload) for frame in take_frames(buffer)]

    assert found == [(number, number, payload) for number, payload in enumerate(payloads)]
    assert not buffer


@given(
    number=whole(32, signed=False),
    channel=whole(16, signed=False),
    tag=st.binary(max_size=32),
    settled=st.booleans(),
)
def test_the_short_cuts_write_what_the_long_way_writes(
    number: int, channel: int, tag: bytes, *, settled: bool
) -> None:
    short, long = bytearray(), bytearray()
    write_transfer(short, channel, 7, number, tag, b"payload", settled=settled)
    write_accepted(short, channel, number, receiver=settled)
    write_frame(long, channel, Transfer(7, number, tag, 0, settled=settled), b"payload")
    write_frame(long, channel, Disposition(settled, number, number, settled=True, state=Accepted()))

    assert list(take_frames(short)) == list(take_frames(long))


@given(number=whole(32, signed=False), settled=st.booleans(), wide=st.booleans())
@example(number=0x0641, settled=False, wide=True)
def test_the_short_cut_reads_what_the_long_way_reads(number: int, *, settled: bool, wide: bool) -> None:
    out = bytearray()
    write_composite(out, Disposition(role=True, first=number, settled=settled, state=Accepted()))
    # Some clients write a boolean in two bytes.
    body = bytes(out).replace(b"\x06\x41", b"\x06\x56\x01", 1) if wide else bytes(out)
    body = body[:4] + bytes((len(body) - 5,)) + body[5:]

    assert (read_accepted(body), len(body)) == read_composite(body)


@pytest.mark.parametrize(
    "disposition",
    [
        Disposition(role=False, first=1, state=Accepted()),
        Disposition(role=True, first=1, last=2, state=Accepted()),
        Disposition(role=True, first=1, state=Modified(delivery_failed=True)),
        Disposition(role=True, first=1, settled=True),
    ],
)
def test_the_short_cut_leaves_what_it_does_not_know_to_the_long_way(disposition: Disposition) -> None:
    out = bytearray()
    write_composite(out, disposition)

    assert read_accepted(bytes(out)) is None


def test_the_short_cut_believes_no_wrong_size() -> None:
    out = bytearray()
    write_composite(out, Disposition(role=True, first=7, state=Accepted()))
    out[4] += 1

    assert read_accepted(bytes(out)) is None


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param((MAX_FRAME_SIZE + 1).to_bytes(4, "big") + b"\x02\x00\x00\x00", id="too long"),
        pytest.param(b"\x00\x00\x00\x04\x02\x00\x00\x00", id="shorter than its head"),
        pytest.param(b"\x00\x00\x00\x08\x01\x00\x00\x00", id="starts inside its head"),
        pytest.param(b"\x00\x00\x00\x08\x02\x07\x00\x00", id="of no known kind"),
        pytest.param(b"\x00\x00\x00\x0c\x02\x00\x00\x00\xa1\x02hi", id="not a performative"),
    ],
)
def test_bytes_that_are_no_frame_are_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        list(take_frames(bytearray(raw)))


def section(code: int, value: Any) -> bytes:
    return encode(Described(ULong(code), value))


BODY = section(0x75, b"one") + section(0x78, {Symbol("footer"): 1})


def test_a_message_is_taken_apart_and_put_together_without_touching_its_body() -> None:
    application = section(0x74, {"key": UShort(5)})
    properties = section(0x73, ["id", None, None, None, None, None, None, None, None, None, "session"])
    payload = (
        section(0x70, [True, UByte(9), UInt(5000)])
        + section(0x72, {Symbol("x-opt-partition-key"): "p"})
        + properties
        + application
        + BODY
    )

    content = parse(payload)

    assert (content.durable, content.priority, content.ttl_ms) == (True, 9, 5000)
    assert (content.message_id, content.session_id) == ("id", "session")
    assert (content.properties, content.application, content.body) == (properties, application, BODY)
    assert parse(serialise(content)) == content


def test_application_properties_are_set_beside_those_that_are_there() -> None:
    content = parse(section(0x74, {"kept": UShort(5), "old": "x"}) + BODY)

    changed = with_application(content, {Symbol("old"): "y", "new": True})

    assert changed.application == section(0x74, {"kept": UShort(5), "old": "y", "new": True})
    assert changed.body == BODY


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(section(0x74, {}) + section(0x73, []), id="sections out of order"),
        pytest.param(section(0x73, "text"), id="properties that are no list"),
        pytest.param(section(0x73, [UInt(1)]), id="a message id of a wrong type"),
        pytest.param(section(0x70, ["yes"]), id="durable that is no boolean"),
        pytest.param(section(0x70, [])[:2], id="cut short"),
        pytest.param(section(0x99, b"x"), id="no such section"),
        pytest.param(b"\x00\x00\x00\x00", id="a descriptor of a descriptor"),
        pytest.param(b"plain", id="no sections at all"),
    ],
)
def test_a_message_that_is_none_is_malformed(payload: bytes) -> None:
    with pytest.raises(Malformed):
        parse(payload)


@given(st.binary(max_size=120))
def test_any_bytes_are_a_message_or_malformed(raw: bytes) -> None:
    for read in (parse, parse_request, split_batch):
        try:
            read(raw)
        except Malformed:
            continue
