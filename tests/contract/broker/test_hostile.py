"""Clients that mean no good, over real sockets: they cost themselves their line, and nobody else anything."""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from local.broker import server
from local.broker.amqp.composites import Attach, Begin, Flow, Open, SaslInit, Source, Target, Transfer
from local.broker.amqp.frames import AMQP_HEADER, SASL, SASL_HEADER, write_frame
from local.broker.engine import connection
from local.broker.server import Broker

if TYPE_CHECKING:
    from tests.contract.broker.conftest import Process

# What a broker may take more while and after it was attacked (bytes); a Python process breathes by some.
MOST_MORE = 48 * 1024 * 1024


def frame(performative: Any, payload: bytes = b"", channel: int = 0) -> bytes:
    out = bytearray()
    write_frame(out, channel, performative, payload, SASL if isinstance(performative, SaslInit) else 0)
    return bytes(out)


HELLO = SASL_HEADER + frame(SaslInit("ANONYMOUS")) + AMQP_HEADER + frame(Open("hostile"))
BEGIN = frame(Begin(None, 0, 1000, 1000))


def attach(number: int, address: str = "plain", *, receives: bool = False) -> bytes:
    ends: Any = {"source": Source(address)} if receives else {"target": Target(address)}
    return frame(Attach(f"l{number}", number % 4000, role=receives, **ends), channel=number // 4000)


@contextmanager
def connected(port: int, said: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        say(client, said)
        yield client


def say(client: socket.socket, said: bytes) -> None:
    """Say it, unless the broker has had enough."""
    try:
        client.sendall(said)
    except OSError:
        return


def rest(client: socket.socket) -> bytes:
    """All that is still said until the broker hangs up."""
    heard = bytearray()
    try:
        while more := client.recv(65536):
            heard += more
    except ConnectionResetError:
        pass
    return bytes(heard)


def until(condition: Callable[[], bool]) -> None:
    deadline, glance = time.monotonic() + 60, threading.Event()
    while not condition():
        glance.wait(0.005)
        assert time.monotonic() < deadline, "not within 60 s"


@pytest.mark.parametrize("said", [b"", SASL_HEADER, SASL_HEADER + frame(SaslInit("ANONYMOUS")), HELLO[:-5]])
def test_who_does_not_finish_the_handshake_is_let_go(
    monkeypatch: pytest.MonkeyPatch, broker: Broker, said: bytes
) -> None:
    monkeypatch.setattr(connection, "HANDSHAKE_LIMIT", 0.2)
    with ExitStack() as stack:
        clients = [stack.enter_context(connected(broker.amqp_port, said)) for _ in range(50)]
        for client in clients:
            rest(client)
        until(lambda: not broker.connections)


def test_who_falls_silent_is_told_and_let_go(monkeypatch: pytest.MonkeyPatch, broker: Broker) -> None:
    monkeypatch.setattr(connection, "SILENCE_LIMIT", 0.2)
    with connected(broker.amqp_port, HELLO + BEGIN + attach(0)) as client:
        assert b"silent for too long" in rest(client)
        until(lambda: not broker.connections)


def test_a_connection_too_many_is_closed_and_the_others_live(
    monkeypatch: pytest.MonkeyPatch, broker: Broker, client: ServiceBusClient
) -> None:
    with client.get_queue_sender("plain") as sender:
        monkeypatch.setattr(server, "MAX_CONNECTIONS", 1)
        with connected(broker.amqp_port, SASL_HEADER) as one_too_many:
            assert rest(one_too_many) == b""
        sender.send_messages(ServiceBusMessage("alive"))


def resident(process: "Process") -> int:
    """Bytes of memory the broker has."""
    assert process.running is not None
    status = Path(f"/proc/{process.running.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def garbage(chance: random.Random) -> bytes:
    """Frames that are none, behind a handshake that is one."""
    out = HELLO + BEGIN
    for _ in range(20):
        body = chance.randbytes(chance.randrange(1, 400))
        out += (len(body) + 8).to_bytes(4, "big") + b"\x02\x00\x00\x00" + body
    return out


# A performative whose list, and an application map whose entries, claim to be four billion.
HUGE = b"\x00\x00\x00\x1e\x02\x00\x00\x00\x00\x53\x12\xd0\xff\xff\xff\xff\xff\xff\xff\xff" + b"\x40" * 10
HUGE_MAP = b"\x00\x53\x74\xd1\x00\x00\x00\x0c\xff\xff\xff\xff" + b"\xa1\x01a\x43" * 2
LONG_FRAME = b"\xff\xff\xff\xff\x02\x00\x00\x00"
PART = frame(Transfer(0, 0, b"t", 0, more=True), b"x" * 60_000)
ECHO = frame(Flow(0, 1000, 0, 1000, handle=0, echo=True))

ATTACKS: dict[str, Callable[[random.Random], list[bytes]]] = {
    "garbage": lambda chance: [garbage(chance)],
    "a huge list": lambda _: [HELLO + BEGIN + HUGE],
    "a huge map in a message": lambda _: [
        HELLO + BEGIN + attach(0),
        frame(Transfer(0, 0, b"t", 0), HUGE_MAP),
    ],
    "a frame without end": lambda _: [HELLO + LONG_FRAME, b"x" * 1_000_000],
    "links by the thousand": lambda _: (
        [HELLO, *(frame(Begin(None, 0, 1, 1), channel=at) for at in (0, 1))]
        + [attach(number, address) for number in range(6000) for address in ("inbound", "nowhere")]
    ),
    "channels by the thousand": lambda _: [
        HELLO,
        *(frame(Begin(None, 0, 1, 1), channel=at) for at in range(5000)),
    ],
    "messages without end": lambda _: (
        [HELLO + BEGIN, *(attach(at, "inbound") for at in range(100))]
        + [frame(Transfer(at, 0, b"t", 0, more=True), b"x" * 60_000) for at in range(100) for _ in range(5)]
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_whoever_attacks_the_broker_lives_and_keeps_its_size(process: "Process", attack: str) -> None:
    chance = random.Random(attack)  # noqa: S311  # a seed must bring a failure back
    with (
        ServiceBusClient.from_connection_string(process.connection_string, retry_total=0) as client,
        client.get_queue_sender("inbound") as sender,
        ExitStack() as stack,
    ):
        sender.send_messages(ServiceBusMessage("before", session_id="A"))
        before = most = resident(process)
        for _ in range(20):
            hostile = stack.enter_context(connected(process.amqp_port))
            for said in ATTACKS[attack](chance):
                say(hostile, said)
            sender.send_messages(ServiceBusMessage("meanwhile", session_id="A"))
            most = max(most, resident(process))
        with client.get_queue_receiver("inbound", session_id="A") as receiver:
            assert [str(message) for message in receiver.peek_messages(30)] == ["before"] + ["meanwhile"] * 20
        most = max(most, resident(process))

    assert most - before < MOST_MORE


def test_who_asks_and_never_reads_is_cut_off(monkeypatch: pytest.MonkeyPatch, broker: Broker) -> None:
    monkeypatch.setattr(connection, "MAX_UNREAD", 100_000)
    with connected(broker.amqp_port, HELLO + BEGIN + attach(0)) as client:
        until(lambda: len(broker.connections) == 1)
        asking = threading.Thread(target=_ask, args=(client, broker), daemon=True)
        asking.start()
        until(lambda: not broker.connections)
        asking.join()


def _ask(client: socket.socket, broker: Broker) -> None:
    while broker.connections:
        say(client, ECHO * 1000)
