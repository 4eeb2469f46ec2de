"""A client of every kind, polite and hostile, against a connection without a network."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from local.broker.amqp.composites import (
    Accepted,
    Attach,
    Begin,
    Close,
    Coordinator,
    Detach,
    Disposition,
    End,
    Flow,
    Modified,
    Open,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Source,
    Target,
    Transfer,
)
from local.broker.amqp.encode import encode
from local.broker.amqp.frames import AMQP_HEADER, MAX_FRAME_SIZE, SASL, SASL_HEADER, take_frames, write_frame
from local.broker.amqp.values import Array, Described, Symbol, Timestamp, UInt, ULong
from local.broker.engine.connection import MAX_HELD, MAX_LINKS, MAX_TURN, MAX_UNREAD, Connection
from local.broker.engine.link import MAX_MESSAGE_SIZE
from local.broker.engine.turn import Turn
from local.broker.entities.namespace import Namespace
from local.broker.entities.ports import World
from local.broker.entities.settings import QueueSettings
from local.broker.faults import Faults
from local.broker.service.router import Services
from tests.unit.broker.conftest import Clock, section, text

SESSION_FILTER = Symbol("com.microsoft:session-filter")


class Wire(asyncio.Transport):
    """A network that keeps what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.said = bytearray()
        self.written = 0
        self.unread = False
        self.closed = False

    def write(self, data: Any) -> None:
        self.said += data
        self.written += 1

    def get_write_buffer_size(self) -> int:
        return len(self.said) if self.unread else 0

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        """Nothing more is fed while it is paused."""

    def resume_reading(self) -> None:
        """Nothing was held back."""


class Client:
    """Speaks frames to a connection, and hears them."""

    def __init__(self, namespace: Namespace) -> None:
        turn = Turn(asyncio.get_running_loop(), None)
        self.connections: set[Connection] = set()
        self.connection = Connection(Services(namespace, Faults()), turn, self.connections)
        self.wire = Wire()
        self.connection.connection_made(self.wire)

    def feed(self, raw: bytes) -> None:
        self.connection.receive(raw)

    def say(self, performative: Any, payload: bytes = b"", channel: int = 0) -> list[Any]:
        out = bytearray()
        write_frame(out, channel, performative, payload, SASL if isinstance(performative, SaslInit) else 0)
        self.feed(bytes(out))
        return self.heard()

    def heard(self) -> list[Any]:
        """The performatives since the last time."""
        return [frame.performative for frame in take_frames(self.wire.said)]

    def header(self) -> bytes:
        said = bytes(self.wire.said[:8])
        del self.wire.said[:8]
        return said

    def shake_hands(self) -> "Client":
        self.feed(SASL_HEADER)
        assert self.header() == SASL_HEADER
        assert isinstance(self.heard()[0], SaslMechanisms)
        assert self.say(SaslInit("ANONYMOUS")) == [SaslOutcome(0)]
        self.feed(AMQP_HEADER)
        assert self.header() == AMQP_HEADER
        return self

    def open(self) -> "Client":
        self.shake_hands()
        (answer,) = self.say(Open("test", max_frame_size=MAX_FRAME_SIZE))
        assert isinstance(answer, Open)
        (begun,) = self.say(Begin(None, 0, 1000, 1000))
        assert isinstance(begun, Begin)
        return self

    def send_link(self, address: str, handle: int = 0) -> list[Any]:
        return self.say(Attach(f"s{handle}", handle, role=False, target=Target(address)))

    def receive_link(self, address: str, handle: int = 0, **fields: Any) -> list[Any]:
        return self.say(Attach(f"r{handle}", handle, role=True, source=Source(address, **fields)))


@pytest.fixture
def namespace(world: World) -> Namespace:
    made = Namespace(world)
    made.create("plain", QueueSettings())
    made.create("sessions", QueueSettings(requires_session=True))
    return made


@pytest.fixture
async def client(namespace: Namespace) -> AsyncIterator[Client]:
    client = Client(namespace)
    yield client
    client.connection.connection_lost(None)
    assert client.connections == set()


def errors(heard: list[Any]) -> list[str]:
    """The conditions of all errors that were told."""
    return [frame.error.condition for frame in heard if getattr(frame, "error", None) is not None]


def transfer(handle: int = 0, delivery_id: int = 0, **fields: Any) -> Transfer:
    return Transfer(handle, delivery_id=delivery_id, delivery_tag=b"t", message_format=0, **fields)


MESSAGE = section(0x73, ["id"]) + section(0x75, b"body")


async def test_a_message_is_accepted_and_delivered(client: Client) -> None:
    client.open()
    attached, flow = client.send_link("amqps://host:5671/Plain")
    assert (attached.max_message_size, attached.properties) == (
        MAX_MESSAGE_SIZE,
        {Symbol("com.microsoft:max-message-batch-size"): ULong(MAX_MESSAGE_SIZE)},
    )
    assert flow.link_credit == 1000

    settled = client.say(transfer(), MESSAGE)
    client.receive_link("plain", 1)
    delivered = client.say(Flow(0, 1000, 1, 1000, handle=1, delivery_count=0, link_credit=5))

    assert settled == [Disposition(role=True, first=0, last=0, settled=True, state=Accepted())]
    assert [(type(frame), frame.delivery_id, frame.settled) for frame in delivered] == [(Transfer, 0, False)]


async def test_a_settlement_is_echoed_with_its_own_outcome(client: Client, namespace: Namespace) -> None:
    namespace.queue("plain").send(text("a"))
    client.open()
    client.receive_link("plain")
    client.say(Flow(0, 1000, 0, 1000, handle=0, delivery_count=0, link_credit=1))

    answer = client.say(Disposition(role=True, first=0, state=Modified(delivery_failed=True)))

    abandoned = Modified(delivery_failed=True, undeliverable_here=False)
    assert answer == [Disposition(role=False, first=0, last=0, settled=True, state=abandoned)]


async def test_drain_takes_the_credit_back(client: Client) -> None:
    client.open()
    client.receive_link("plain")
    (flow,) = client.say(Flow(0, 1000, 0, 1000, handle=0, delivery_count=0, link_credit=7, drain=True))
    assert (flow.delivery_count, flow.link_credit, flow.drain) == (7, 0, True)


async def test_messages_wait_for_the_window_and_for_credit(client: Client, namespace: Namespace) -> None:
    for number in range(5):
        namespace.queue("plain").send(text(str(number)))
    client.open()
    client.receive_link("plain")

    two_fit = client.say(Flow(0, 2, 0, 1000, handle=0, delivery_count=0, link_credit=4))
    two_more = client.say(Flow(2, 1000, 0, 1000))
    the_last = client.say(Flow(4, 1000, 0, 1000, handle=0, delivery_count=4, link_credit=9))

    assert [len(frames) for frames in (two_fit, two_more, the_last)] == [2, 2, 1]


async def test_a_large_message_leaves_in_frames_the_client_can_take(
    client: Client, namespace: Namespace
) -> None:
    namespace.queue("plain").send(text("x" * 5_000))
    client.shake_hands()
    client.say(Open("small", max_frame_size=512))
    client.say(Begin(None, 0, 1000, 1000))
    client.receive_link("plain")
    client.feed(b"")
    frames = client.say(Flow(0, 1000, 0, 1000, handle=0, delivery_count=0, link_credit=1))

    assert len(frames) > 10
    assert [frame.more for frame in frames] == [True] * (len(frames) - 1) + [False]


async def test_a_client_with_room_for_everything_gets_it_a_turn_at_a_time(
    client: Client, namespace: Namespace
) -> None:
    size = 200_000
    for _ in range(4 * MAX_TURN // size):
        namespace.queue("plain").send(text("x" * size))
    client.open()
    client.receive_link("plain")
    client.wire.written = 0

    heard = client.say(Flow(0, 100_000, 0, 1000, handle=0, delivery_count=0, link_credit=1000))
    first = sum(len(frame.delivery_tag or b"") > 0 for frame in heard)
    while more := await later(client):
        heard += more

    assert first <= MAX_TURN // size + 1
    assert sum(not frame.more for frame in heard) == 4 * MAX_TURN // size
    assert client.wire.written == 4


async def later(client: Client) -> list[Any]:
    """What is said in the next turns of the loop."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return client.heard()


async def test_who_never_reads_is_cut_off(client: Client) -> None:
    client.open()
    client.send_link("plain")
    client.wire.unread = True
    echo = bytearray()
    write_frame(echo, 0, Flow(0, 1000, 0, 1000, handle=0, echo=True))

    asked = 0
    while not client.wire.closed:
        client.feed(bytes(echo) * 1000)
        asked += 1
        assert asked * len(echo) * 1000 < 10 * MAX_UNREAD
    assert len(client.wire.said) < 2 * MAX_UNREAD


async def test_who_asks_for_much_and_takes_nothing_ends_the_connection(
    client: Client, namespace: Namespace
) -> None:
    for _ in range(5):
        namespace.queue("plain").send(text("x" * 200_000))
    client.open()
    client.send_link("plain/$management")
    client.receive_link("plain/$management", 1)
    ask = section(0x73, ["id"]) + section(0x74, {"operation": "com.microsoft:peek-message"})
    ask += section(0x77, {"from-sequence-number": 0, "message-count": 5})
    heard: list[Any] = []
    for number in range(MAX_HELD // 900_000 + 2):
        heard += client.say(transfer(delivery_id=number), ask)
    assert errors(heard) == ["amqp:resource-limit-exceeded"]
    assert client.wire.closed


async def test_a_session_is_granted_late_and_not_at_all_when_the_client_has_gone(
    client: Client, namespace: Namespace
) -> None:
    client.open()
    wanted = {SESSION_FILTER: None}
    assert client.receive_link("sessions", 0, filter=wanted) == []
    assert client.receive_link("sessions", 1, filter=wanted) == []
    assert client.say(Detach(0, closed=True)) == []

    namespace.queue("sessions").send(text("a", "A"))
    client.connection.flush()

    (attached,) = client.heard()
    assert (attached.handle, attached.source.filter) == (1, {SESSION_FILTER: "A"})
    assert Symbol("com.microsoft:locked-until-utc") in attached.properties


@pytest.mark.parametrize(
    ("attach", "condition"),
    [
        (Attach("l", 0, role=False, target=Target("nowhere")), "amqp:not-found"),
        (Attach("l", 0, role=True, source=Source("nowhere/$management")), "amqp:not-found"),
        (Attach("l", 0, role=False, target=Coordinator()), "amqp:not-implemented"),
        (Attach("l", 0, role=True, source=Source("t/Subscriptions/s")), "amqp:not-implemented"),
        (Attach("l", 0, role=False, target=Target("plain/$deadletterqueue")), "amqp:not-allowed"),
        (Attach("l", 0, role=True, source=Source("sessions")), "amqp:not-allowed"),
        (Attach("l", 0, role=True, source=Source("plain", filter={SESSION_FILTER: "A"})), "amqp:not-allowed"),
        (
            Attach("l", 0, role=True, source=Source("sessions", filter={SESSION_FILTER: UInt(7)})),
            "com.microsoft:argument-error",
        ),
        (
            Attach("l", 0, role=True, source=Source("sessions", filter={SESSION_FILTER: b"\xff"})),
            "com.microsoft:argument-error",
        ),
        (Attach("l", 0, role=True, source=None), "amqp:not-found"),
        (Attach("l", 0, role=True, source=Source(UInt(1))), "amqp:not-found"),
    ],
)
async def test_a_link_that_cannot_be_is_refused_and_the_connection_lives(
    client: Client, attach: Attach, condition: str
) -> None:
    client.open()

    answer, detached = client.say(attach)

    assert (answer.source if attach.role else answer.target) is None
    assert (detached.closed, detached.error.condition) == (True, condition)
    assert client.say(Detach(0, closed=True)) == []
    assert len(client.send_link("plain")) == 2


@pytest.mark.parametrize(
    ("payload", "condition"),
    [
        (b"not a message", "amqp:decode-error"),
        (section(0x73, [UInt(5)]), "amqp:decode-error"),
        (section(0x72, {Symbol("x-opt-scheduled-enqueue-time"): "soon"}) + MESSAGE, "amqp:decode-error"),
        (section(0x73, ["x" * 200]), "com.microsoft:argument-error"),
    ],
)
async def test_a_message_that_is_none_is_rejected_and_the_link_lives(
    client: Client, payload: bytes, condition: str
) -> None:
    client.open()
    client.send_link("plain")

    (rejected,) = client.say(transfer(), payload)

    assert rejected.state.error.condition == condition
    assert client.say(transfer(delivery_id=1), MESSAGE)[0].state == Accepted()


async def test_a_batch_is_taken_whole_or_not_at_all(client: Client, namespace: Namespace) -> None:
    client.open()
    client.send_link("sessions")
    good = section(0x75, section(0x73, ["id", *[None] * 9, "A"]) + section(0x75, b"x"))
    bad = section(0x75, section(0x75, b"no session"))

    (rejected,) = client.say(Transfer(0, 0, b"t", 0x80013700), good + bad)
    (accepted,) = client.say(Transfer(0, 1, b"t", 0x80013700), good + good)

    assert (rejected.state.error.condition, accepted.state) == ("amqp:not-allowed", Accepted())
    assert len(namespace.queue("sessions").shelf.messages) == 2


async def test_a_message_that_never_ends_ends_its_link(client: Client) -> None:
    client.open()
    client.send_link("plain")
    heard: list[Any] = []
    for _ in range(10):
        heard += client.say(transfer(more=True), b"x" * 60_000)
    assert errors(heard) == ["amqp:link:message-size-exceeded"]


async def test_many_messages_that_never_end_end_the_connection(client: Client) -> None:
    client.open()
    heard: list[Any] = []
    for handle in range(MAX_HELD // 300_000 + 2):
        client.send_link("plain", handle)
        for _ in range(5):
            heard += client.say(transfer(handle, more=True), b"x" * 60_000)
    assert errors(heard) == ["amqp:resource-limit-exceeded"]
    assert client.wire.closed


async def test_too_many_links_end_the_connection(client: Client) -> None:
    client.open()
    client.say(Begin(None, 0, 1000, 1000), channel=1)
    heard: list[Any] = []
    for number in range(MAX_LINKS + 1):
        attach = Attach(f"l{number}", number % 4000, role=False, target=Target("plain"))
        heard = client.say(attach, channel=number // 4000)
        if client.wire.closed:
            break
    assert (number, errors(heard)) == (MAX_LINKS, ["amqp:resource-limit-exceeded"])


async def test_a_link_that_was_refused_counts_until_the_client_has_heard_it(client: Client) -> None:
    client.open()
    nowhere = Target("nowhere")
    for number in range(MAX_LINKS + 10):
        client.say(Attach(f"l{number}", 0, role=False, target=nowhere))
        assert client.say(Detach(0, closed=True)) == []
    client.say(Begin(None, 0, 1000, 1000), channel=1)
    heard: list[Any] = []
    for number in range(MAX_LINKS + 1):
        attach = Attach(f"m{number}", number % 4000, role=False, target=nowhere)
        heard = client.say(attach, channel=number // 4000)
        if client.wire.closed:
            break
    assert (number, errors(heard)) == (MAX_LINKS, ["amqp:resource-limit-exceeded"])


async def test_one_who_asks_and_never_listens_is_cut_off(client: Client) -> None:
    client.open()
    client.send_link("plain/$management")
    client.receive_link("plain/$management", 1)
    ask = section(0x73, ["id"]) + section(0x74, {"operation": "com.microsoft:nothing"}) + section(0x77, {})
    heard: list[Any] = []
    for number in range(300):
        heard += client.say(transfer(delivery_id=number), ask)
    assert errors(heard)[0] == "amqp:resource-limit-exceeded"


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("peek-message", None),
        ("peek-message", {"from-sequence-number": "one", "message-count": 1}),
        ("peek-message", {"from-sequence-number": 0, "message-count": -1}),
        ("schedule-message", {"messages": "none"}),
        ("schedule-message", {"messages": [{"message": b"rubbish"}]}),
        ("renew-lock", {"lock-tokens": Array(0x81, (1, 2))}),
        ("cancel-scheduled-message", {"sequence-numbers": [None]}),
        ("update-disposition", {"disposition-status": "eaten", "lock-tokens": [Timestamp(1)]}),
        ("get-message-sessions", {}),
        ("renew-session-lock", {"session-id": "A"}),
        ("no-such-operation", {}),
    ],
)
async def test_a_request_that_makes_no_sense_is_answered_so(
    client: Client, operation: str, body: Any
) -> None:
    client.open()
    client.send_link("plain/$management")
    client.receive_link("plain/$management", 1)
    client.say(Flow(0, 1000, 0, 1000, handle=1, delivery_count=0, link_credit=5))
    asked = {"operation": f"com.microsoft:{operation}"}

    heard = client.say(transfer(), section(0x73, ["id"]) + section(0x74, asked) + section(0x77, body))

    assert [type(frame) for frame in heard] == [Disposition, Transfer]
    assert not client.wire.closed


@pytest.mark.parametrize(
    ("frames", "condition"),
    [
        ([Begin(None, 0, 1, 1)], "amqp:illegal-state"),
        ([Open("a"), Open("a")], "amqp:illegal-state"),
        ([Open("a", max_frame_size=100)], "amqp:invalid-field"),
        ([Open("a"), transfer()], "amqp:not-allowed"),
        ([Open("a"), Begin(None, 0, 1, 1), Begin(None, 0, 1, 1)], "amqp:not-allowed"),
        ([Open("a"), Begin(None, 0, 1, 1), transfer(5)], "amqp:session:unattached-handle"),
        ([Open("a"), Begin(None, 0, 1, 1), Detach(5)], "amqp:session:unattached-handle"),
        ([Open("a"), Begin(None, 0, 1, 1), Flow(0, 1, 0, 1, handle=5)], "amqp:session:unattached-handle"),
        ([Open("a"), Begin(None, 0, 1, 1), SaslOutcome(0)], "amqp:not-allowed"),
        (
            [Open("a"), Begin(None, 0, 1, 1), *[Attach("l", 0, role=False, target=Target("plain"))] * 2],
            "amqp:session:handle-in-use",
        ),
    ],
)
async def test_a_breach_of_the_protocol_closes_the_connection_with_its_name(
    client: Client, frames: list[Any], condition: str
) -> None:
    client.shake_hands()
    heard: list[Any] = []
    for frame in frames:
        heard += client.say(frame)
    assert isinstance(heard[-1], Close)
    assert (errors(heard), client.wire.closed) == ([condition], True)


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        (b"GET /$servicebus/websocket HTTP/1.1\r\n", b"HTTP/1.1"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", SASL_HEADER),
        (AMQP_HEADER, SASL_HEADER),
    ],
)
async def test_who_speaks_something_else_is_told_and_let_go(
    client: Client, raw: bytes, answer: bytes
) -> None:
    client.feed(raw)
    assert (client.header(), client.wire.closed) == (answer, True)


async def test_an_unknown_mechanism_opens_no_door(client: Client) -> None:
    client.feed(SASL_HEADER)
    client.header()
    client.heard()
    assert client.say(SaslInit("SCRAM")) == [SaslOutcome(1)]
    assert client.wire.closed


async def test_ends_are_answered_and_free_what_they_held(client: Client, namespace: Namespace) -> None:
    namespace.queue("sessions").send(text("a", "A"))
    client.open()
    client.receive_link("sessions", filter={SESSION_FILTER: "A"})
    assert client.say(End()) == [End()]
    client.say(Begin(None, 0, 1000, 1000))
    (again,) = client.receive_link("sessions", filter={SESSION_FILTER: "A"})
    assert again.source is not None
    assert client.say(Close()) == [Close()]
    assert client.wire.closed


async def test_a_session_does_not_go_to_another_link_of_the_client_that_died(
    client: Client, namespace: Namespace
) -> None:
    namespace.queue("sessions").send(text("a", "A"))
    client.open()
    for handle in (0, 1, 2):
        client.receive_link("sessions", handle, filter={SESSION_FILTER: None})

    client.connection.connection_lost(None)

    after = Client(namespace).open()
    (attached,) = after.receive_link("sessions", filter={SESSION_FILTER: "A"})
    assert attached.source is not None, "free at once, not when its lock ends"
    after.connection.connection_lost(None)


def conversation() -> list[bytes]:
    """Frames of a client that does a bit of everything."""
    ask = section(0x73, ["id"]) + section(0x74, {"operation": "com.microsoft:peek-message"})
    ask += section(0x77, {"from-sequence-number": 0, "message-count": 5})
    said = [
        (Attach("a", 0, role=False, target=Target("plain")), b""),
        (Attach("b", 1, role=True, source=Source("plain")), b""),
        (Attach("c", 2, role=True, source=Source("sessions", filter={SESSION_FILTER: None})), b""),
        (Attach("d", 3, role=False, target=Target("plain/$management")), b""),
        (Attach("e", 4, role=True, source=Source("plain/$management")), b""),
        (Attach("f", 5, role=False, target=Target("sessions")), b""),
        (Flow(0, 1000, 0, 1000, handle=1, delivery_count=0, link_credit=10), b""),
        (Flow(0, 1000, 0, 1000, handle=4, delivery_count=0, link_credit=10), b""),
        (transfer(0, 0), MESSAGE),
        (transfer(5, 1), section(0x73, ["id", *[None] * 9, "A"]) + section(0x75, b"x")),
        (Flow(0, 1000, 0, 1000, handle=2, delivery_count=0, link_credit=10), b""),
        (transfer(3, 2), ask),
        (Disposition(role=True, first=0, last=9, state=Modified(delivery_failed=True)), b""),
        (Disposition(role=True, first=0, last=4294967295, settled=True, state=Accepted()), b""),
        (Detach(1, closed=True), b""),
        (Begin(None, 0, 1, 1), encode([Described(ULong(0x29), [])])),
        (End(), b""),
    ]
    frames = []
    for performative, payload in said:
        out = bytearray()
        write_frame(out, 0, performative, payload)
        frames.append(bytes(out))
    return frames


def spoil(frame: bytes, chance: random.Random) -> bytes:
    """Change a few bytes; usually keep the frame's size true, so that what is inside it is looked at."""
    broken = bytearray(frame)
    for _ in range(chance.randint(1, 4)):
        broken[chance.randrange(4, len(broken))] = chance.choice(
            (0, 1, 0x40, 0x7F, 0x80, 0xFF, chance.randrange(256))
        )
    if chance.random() < 0.2:
        del broken[chance.randrange(8, len(broken) + 1) :]
    if chance.random() < 0.9:
        broken[:4] = len(broken).to_bytes(4, "big")
    return bytes(broken)


@pytest.mark.parametrize("seed", range(40))
async def test_no_client_gets_the_broker_to_fail(
    seed: int, namespace: Namespace, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(seed)  # noqa: S311  # a seed must bring a failure back
    frames = conversation()
    with caplog.at_level(logging.ERROR):
        for _ in range(25):
            client = Client(namespace).open()
            for frame in frames:
                client.feed(spoil(frame, chance) if chance.random() < 0.4 else frame)
                clock.now += chance.choice((0, 1, 30_000))
                namespace.expire()
            client.connection.connection_lost(None)

    assert caplog.records == []
    assert len(namespace.queue("plain").shelf.messages) <= 25 * 2
    assert namespace.queue("plain")._everybody() == []
    assert namespace.queue("sessions")._everybody() == []
