"""The official client on a queue with sessions."""

from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from azure.servicebus import (
    NEXT_AVAILABLE_SESSION,
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusReceiver,
)
from azure.servicebus.aio import ServiceBusClient as AsyncClient
from azure.servicebus.exceptions import (
    OperationTimeoutError,
    ServiceBusConnectionError,
    ServiceBusError,
    SessionCannotBeLockedError,
    SessionLockLostError,
)

from local.broker.server import Broker


def send(client: ServiceBusClient, session: str, *bodies: str, queue: str = "sessions") -> None:
    with client.get_queue_sender(queue) as sender:
        sender.send_messages([ServiceBusMessage(body, session_id=session) for body in bodies])


def hold(
    client: ServiceBusClient, session: Any, queue: str = "sessions", wait: float = 3
) -> ServiceBusReceiver:
    return client.get_queue_receiver(queue, session_id=session, max_wait_time=wait)


def number_of(message: ServiceBusReceivedMessage) -> int:
    assert message.sequence_number is not None
    return message.sequence_number


def take(receiver: ServiceBusReceiver, count: int) -> list[ServiceBusReceivedMessage]:
    """Receive until so many are there; the client may come back with fewer."""
    found: list[ServiceBusReceivedMessage] = []
    while len(found) < count:
        more = receiver.receive_messages(count - len(found), max_wait_time=5)
        assert more, f"only {len(found)} of {count} messages came"
        found += more
    return found


def test_a_session_gives_its_messages_in_order_to_its_holder(client: ServiceBusClient) -> None:
    send(client, "A", "a1", "a2", "a3")
    send(client, "B", "b1")
    with hold(client, "A") as link:
        assert link.session.session_id == "A"
        assert link.session.locked_until_utc is not None
        assert link.session.locked_until_utc > datetime.now(UTC)
        found = take(link, 3)
        assert [(str(message), message.session_id) for message in found] == [
            ("a1", "A"),
            ("a2", "A"),
            ("a3", "A"),
        ]
        for message in found:
            link.complete_message(message)


def test_a_second_holder_is_refused_at_once_and_welcome_later(client: ServiceBusClient) -> None:
    send(client, "A", "a1")
    with hold(client, "A"), pytest.raises(SessionCannotBeLockedError), hold(client, "A"):
        pass
    with hold(client, "A") as link:
        assert [str(message) for message in take(link, 1)] == ["a1"]


def test_the_next_available_session_is_a_free_one(client: ServiceBusClient) -> None:
    send(client, "A", "a1")
    send(client, "B", "b1")
    with hold(client, NEXT_AVAILABLE_SESSION) as first, hold(client, NEXT_AVAILABLE_SESSION) as second:
        assert (first.session.session_id, second.session.session_id) == ("A", "B")


def test_no_session_in_time_is_a_timeout(client: ServiceBusClient) -> None:
    with pytest.raises(OperationTimeoutError), hold(client, NEXT_AVAILABLE_SESSION, wait=1):
        pass


async def test_an_accept_that_waits_gets_the_session_that_comes(broker: Broker) -> None:
    client = AsyncClient.from_connection_string(broker.connection_string, retry_total=0)
    async with client, client.get_queue_sender("sessions") as sender:
        await sender.schedule_messages(
            ServiceBusMessage("late", session_id="L"),
            datetime.now(UTC) + timedelta(seconds=2),
        )
        link = client.get_queue_receiver("sessions", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=10)
        async with link:
            (message,) = await link.receive_messages(1, max_wait_time=5)
            assert (str(message), link.session.session_id) == ("late", "L")
            await link.complete_message(message)
            await link.session.set_state(b"done")
            assert await link.session.get_state() == b"done"


def test_what_a_holder_leaves_as_it_closes_comes_back_first_and_uncounted(client: ServiceBusClient) -> None:
    send(client, "A", "a1", "a2")
    with hold(client, "A") as link:
        take(link, 1)
    with hold(client, "A") as link:
        found = take(link, 2)
        assert [(str(message), message.delivery_count) for message in found] == [("a1", 0), ("a2", 0)]


def test_an_abandoned_message_comes_before_its_followers(client: ServiceBusClient) -> None:
    send(client, "A", "a1", "a2")
    with hold(client, "A") as link:
        link.abandon_message(take(link, 1)[0])
        assert [str(message) for message in take(link, 2)] == ["a1", "a2"]


def test_a_lost_session_is_told_and_can_be_taken_again(client: ServiceBusClient) -> None:
    send(client, "A", "a1", queue="brief-sessions")
    with hold(client, "A", "brief-sessions") as slow:
        (message,) = take(slow, 1)
        ends = slow.session.locked_until_utc
        assert ends is not None
        while datetime.now(UTC) < ends:
            slow.peek_messages()
        with pytest.raises(SessionLockLostError):
            slow.session.renew_lock()
        with pytest.raises((SessionLockLostError, ServiceBusConnectionError)):
            slow.complete_message(message)
        with hold(client, "A", "brief-sessions") as link:
            assert [message.delivery_count for message in take(link, 1)] == [1]


def test_a_renewed_session_outlives_its_first_lock(client: ServiceBusClient) -> None:
    send(client, "A", "a1", queue="brief-sessions")
    with hold(client, "A", "brief-sessions") as link:
        (message,) = take(link, 1)
        first_end = link.session.locked_until_utc
        assert first_end is not None
        # Past the end of the first lock and of the moment of grace after it.
        while datetime.now(UTC) < first_end + timedelta(milliseconds=1_500):
            assert link.session.renew_lock() >= first_end
            Event().wait(0.2)  # as a renewer does; a storm of renewals would test the client, not the lock
        link.complete_message(message)


def test_a_sessions_state_outlives_its_holder(client: ServiceBusClient) -> None:
    with hold(client, "A") as link:
        assert link.session.get_state() is None
        link.session.set_state("half way")
    with hold(client, "A") as link:
        assert link.session.get_state() == b"half way"
        link.session.set_state(None)
        assert link.session.get_state() is None


def test_sessions_are_listed(client: ServiceBusClient) -> None:
    for number in range(3):
        send(client, f"S{number}", "x")
    before = datetime.now(UTC) - timedelta(minutes=1)
    with hold(client, "with state") as link:
        link.session.set_state("x")

    assert sorted(client.list_queue_sessions("sessions")) == ["S0", "S1", "S2", "with state"]
    assert list(client.list_queue_sessions("sessions", state_updated_after=before)) == ["with state"]


def test_a_deferred_message_is_received_in_its_session(client: ServiceBusClient) -> None:
    send(client, "A", "a1", "a2")
    with hold(client, "A") as link:
        first, second = take(link, 2)
        link.defer_message(first)
        link.complete_message(second)
        (found,) = link.receive_deferred_messages(number_of(first))
        assert str(found) == "a1"
        link.complete_message(found)


def test_dead_letters_of_sessions_are_read_without_one(client: ServiceBusClient) -> None:
    send(client, "A", "poison")
    with hold(client, "A") as link:
        link.dead_letter_message(take(link, 1)[0], reason="Poison")
    with client.get_queue_receiver("sessions", sub_queue="deadletter", max_wait_time=5) as dead:
        (message,) = take(dead, 1)
        assert (str(message), message.session_id, message.dead_letter_reason) == ("poison", "A", "Poison")
        dead.complete_message(message)


def test_a_message_without_a_session_is_refused(client: ServiceBusClient) -> None:
    with (
        client.get_queue_sender("sessions") as sender,
        pytest.raises(ServiceBusError, match="needs a session id") as refused,
    ):
        sender.send_messages(ServiceBusMessage("a"))
    assert "amqp:not-allowed" in str(refused.value)


@pytest.mark.parametrize(("queue", "session"), [("sessions", None), ("plain", "A"), ("sessions", "x" * 129)])
def test_the_wrong_kind_of_receiver_is_refused(
    client: ServiceBusClient, queue: str, session: str | None
) -> None:
    with pytest.raises(ServiceBusError), client.get_queue_receiver(queue, session_id=session):
        pass


def test_an_empty_session_id_is_a_session_id(client: ServiceBusClient) -> None:
    send(client, "", "a1")
    with hold(client, "") as link:
        assert [(str(message), message.session_id) for message in take(link, 1)] == [("a1", "")]
