"""What the listeners rely on from Service Bus, held against the real broker for each way to receive."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from azure.servicebus import ServiceBusMessage

from local.broker.server import Broker
from local.host.servicebus.namespace import open_bus
from local.host.servicebus.port import Bus, Disconnected, LockLost
from local.host.settings import InvalidSettings

PROPERTIES: Any = {
    "text": "ü",
    "number": 7,
    "real": 1.5,
    "flag": True,
    "none": None,
    "id": UUID(int=7),
}

Sender = Callable[..., None]


@pytest.fixture(params=["amqp", "sdk"])
async def bus(request: pytest.FixtureRequest, broker: Broker) -> AsyncIterator[Bus]:
    opened = open_bus(broker.connection_string, request.param, 4)
    yield opened
    await opened.close()


def message(body: str = "{}", session: str | None = None) -> ServiceBusMessage:
    return ServiceBusMessage(body, session_id=session)


async def test_a_message_arrives_with_everything_it_was_sent_with(bus: Bus, send: Sender) -> None:
    sent_at = datetime.now(UTC)
    send(
        "s",
        ServiceBusMessage(
            b"Gr\xc3\xbc\xc3\x9fe",
            session_id="r1",
            message_id="m1",
            content_type="application/json",
            correlation_id="c1",
            subject="change",
            to="there",
            reply_to="here",
            reply_to_session_id="r9",
            partition_key="r1",
            time_to_live=timedelta(minutes=5),
            application_properties=PROPERTIES,
        ),
    )

    receiver = await bus.accept_session("s", 5)
    assert receiver is not None
    got = await receiver.receive(5)
    assert got is not None
    await receiver.complete(got)
    await receiver.close()

    assert receiver.session_id == "r1"
    assert receiver.locked_until is not None
    assert timedelta() < receiver.locked_until - sent_at < timedelta(seconds=30)
    assert UUID(got.lock_token)
    assert abs(got.enqueued_at - sent_at) < timedelta(seconds=10)
    assert got.expires_at - got.enqueued_at == timedelta(minutes=5)
    varying = {"enqueued_at", "expires_at", "locked_until", "lock_token", "token"}
    assert {each.name: getattr(got, each.name) for each in fields(got) if each.name not in varying} == {
        "body": b"Gr\xc3\xbc\xc3\x9fe",
        "message_id": "m1",
        "sequence_number": 1,
        "delivery_count": 1,
        "session_id": "r1",
        "content_type": "application/json",
        "correlation_id": "c1",
        "subject": "change",
        "to": "there",
        "reply_to": "here",
        "reply_to_session_id": "r9",
        "partition_key": "r1",
        "transaction_partition_key": None,
        "dead_letter_source": None,
        "application_properties": PROPERTIES,
    }


async def test_a_property_that_is_an_instant_stays_one(broker: Broker, send: Sender) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    properties: Any = {"at": at}
    send("plain", ServiceBusMessage("{}", application_properties=properties))
    # Microsoft's SDK gives its milliseconds only, which no longer say that they are an instant.
    bus = open_bus(broker.connection_string, "amqp", 1)
    receiver = await bus.open("plain")

    got = await receiver.receive(5)

    assert got is not None
    assert got.application_properties == {"at": at}
    await receiver.complete(got)
    await receiver.close()
    await bus.close()


async def test_a_message_larger_than_a_frame_arrives_whole(bus: Bus, send: Sender) -> None:
    body = bytes(range(256)) * 900
    send("plain", ServiceBusMessage(body))

    receiver = await bus.open("plain")
    got = await receiver.receive(5)
    assert got is not None
    await receiver.complete(got)
    await receiver.close()

    assert got.body == body


async def test_there_is_no_session_when_nothing_waits(bus: Bus) -> None:
    assert await bus.accept_session("s", 0.2) is None


async def test_a_session_that_comes_later_is_accepted_while_waiting(bus: Bus, send: Sender) -> None:
    waiting = asyncio.ensure_future(bus.accept_session("s", 20))
    await asyncio.to_thread(send, "s", message(session="r1"))

    receiver = await waiting
    while receiver is None:
        # One way to receive cannot wait for long and says so.
        receiver = await bus.accept_session("s", 20)
    assert receiver.session_id == "r1"
    await receiver.close()


async def test_a_session_is_in_order_and_has_one_holder(bus: Bus, send: Sender) -> None:
    send("s", *(message(str(number), session="r1") for number in range(5)))

    receiver = await bus.accept_session("s", 5)
    assert receiver is not None
    assert await bus.accept_session("s", 0.2) is None
    bodies = []
    for _ in range(5):
        got = await receiver.receive(10)
        assert got is not None
        bodies.append(got.body)
        await receiver.complete(got)
    assert await receiver.receive(0.3) is None
    await receiver.close()

    assert bodies == [b"0", b"1", b"2", b"3", b"4"]


async def test_an_abandoned_message_comes_again_first_with_its_count(bus: Bus, send: Sender) -> None:
    send("s", *(message(str(number), session="r1") for number in range(2)))
    receiver = await bus.accept_session("s", 5)
    assert receiver is not None

    seen = []
    for settle in (receiver.abandon, receiver.abandon, receiver.complete, receiver.complete):
        got = await receiver.receive(5)
        assert got is not None
        seen.append((got.body, got.delivery_count))
        await settle(got)
    await receiver.close()

    assert seen == [(b"0", 1), (b"0", 2), (b"0", 3), (b"1", 1)]


async def test_what_is_given_up_with_its_session_comes_again_uncounted(bus: Bus, send: Sender) -> None:
    send("s", message(session="r1"))
    first = await bus.accept_session("s", 5)
    assert first is not None
    assert await first.receive(5) is not None
    await first.close()

    second = await bus.accept_session("s", 5)
    assert second is not None
    got = await second.receive(5)
    assert got is not None
    assert (got.body, got.delivery_count) == (b"{}", 1)
    await second.complete(got)
    await second.close()


async def test_the_fast_receiver_leaves_a_queue_without_a_count(broker: Broker, send: Sender) -> None:
    send("plain", message())
    bus = open_bus(broker.connection_string, "amqp", 1)

    counts = []
    for _ in range(2):
        receiver = await bus.open("plain")
        got = await receiver.receive(5)
        assert got is not None
        counts.append(got.delivery_count)
        await receiver.close()
    await bus.close()

    assert counts == [1, 1]


async def test_a_lost_session_says_so_and_settles_nothing(bus: Bus, send: Sender) -> None:
    send("s", message(session="r1"))
    receiver = await bus.accept_session("s", 5)
    assert receiver is not None
    got = await receiver.receive(5)
    assert got is not None
    other = None
    while other is None:
        # The lock runs out, and another holder gets the session.
        other = await bus.accept_session("s", 5)

    with pytest.raises(LockLost):
        await receiver.complete(got)
    with pytest.raises(LockLost):
        await receiver.renew()
    again = await other.receive(5)
    assert again is not None
    assert (again.body, again.delivery_count) == (b"{}", 2)
    await other.complete(again)
    await other.close()
    await receiver.close()


async def test_a_renewed_session_is_held_beyond_its_first_lock(bus: Bus, send: Sender) -> None:
    send("s", message(session="r1"))
    receiver = await bus.accept_session("s", 5)
    assert receiver is not None
    got = await receiver.receive(5)
    assert got is not None
    first = receiver.locked_until
    assert first is not None

    renewed = first
    while datetime.now(UTC) < first + timedelta(seconds=0.5):
        renewed = await receiver.renew()
        assert await bus.accept_session("s", 0.1) is None

    assert renewed > first
    await receiver.complete(got)
    await receiver.close()


async def test_a_plain_message_is_renewed_and_completed(bus: Bus, send: Sender) -> None:
    send("plain", message())
    receiver = await bus.open("plain")
    got = await receiver.receive(5)
    assert got is not None

    while datetime.now(UTC) < got.locked_until + timedelta(seconds=0.5):
        assert await receiver.renew(got) >= got.locked_until
        assert await receiver.receive(0.1) is None

    await receiver.complete(got)
    assert await receiver.receive(0.2) is None
    await receiver.close()


async def test_a_plain_lock_that_ran_out_is_lost(bus: Bus, send: Sender) -> None:
    send("plain", message())
    receiver = await bus.open("plain")
    got = await receiver.receive(5)
    assert got is not None
    again = await receiver.receive(10)

    with pytest.raises(LockLost):
        await receiver.complete(got)
    assert again is not None
    assert again.delivery_count == 2
    await receiver.complete(again)
    await receiver.close()


async def test_the_dead_letter_queue_is_received_without_sessions(bus: Bus, send: Sender) -> None:
    send("s", message(session="r1"))
    receiver = await bus.accept_session("s", 5)
    assert receiver is not None
    for _ in range(3):
        got = await receiver.receive(5)
        assert got is not None
        await receiver.abandon(got)
    await receiver.close()

    dead = await bus.open("s/$deadletterqueue")
    got = await dead.receive(5)
    assert got is not None
    await dead.complete(got)
    await dead.close()

    assert (got.session_id, got.application_properties["DeadLetterReason"]) == (
        "r1",
        "MaxDeliveryCountExceeded",
    )


async def test_a_queue_that_is_not_there_is_reported(bus: Bus) -> None:
    with pytest.raises(Disconnected):
        await bus.open("missing")
    with pytest.raises(Disconnected):
        await bus.accept_session("missing", 0.2)


async def test_a_closed_receiver_leaves_the_queue_to_the_next(bus: Bus, send: Sender) -> None:
    first = await bus.open("plain")
    assert await first.receive(0.1) is None
    await first.close()
    send("plain", message())

    second = await bus.open("plain")
    got = await second.receive(5)
    assert got is not None
    assert got.delivery_count == 1
    await second.complete(got)
    await second.close()


def test_a_text_that_is_no_connection_string_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="connection string"):
        open_bus("nonsense", "auto", 1)
