"""The official client on a queue without sessions."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusMessageBatch,
    ServiceBusReceivedMessage,
    ServiceBusReceiveMode,
    ServiceBusReceiver,
    ServiceBusSubQueue,
)
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessageNotFoundError,
    MessageSizeExceededError,
    MessagingEntityNotFoundError,
    ServiceBusError,
    ServiceBusQuotaExceededError,
)

from local.broker.entities.settings import QueueSettings
from local.broker.server import Broker, in_thread


def send(client: ServiceBusClient, queue: str, *bodies: str, **properties: Any) -> None:
    with client.get_queue_sender(queue) as sender:
        sender.send_messages([ServiceBusMessage(body, **properties) for body in bodies])


def receiver(client: ServiceBusClient, queue: str, **options: Any) -> ServiceBusReceiver:
    return client.get_queue_receiver(queue, max_wait_time=5, **options)


def bodies(messages: list[ServiceBusReceivedMessage]) -> list[str]:
    return [str(message) for message in messages]


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


def test_messages_arrive_complete_and_in_order(client: ServiceBusClient) -> None:
    sent = ServiceBusMessage(
        b"body",
        application_properties={"text": "x", "number": 7, "flag": True},
        subject="s",
        message_id="m",
        correlation_id="c",
        content_type="application/json",
        reply_to="r",
        to="t",
        partition_key="p",
        time_to_live=timedelta(minutes=5),
    )
    with client.get_queue_sender("plain") as sender:
        sender.send_messages(sent)
        sender.send_messages([ServiceBusMessage("second"), ServiceBusMessage("third")])

    with receiver(client, "plain") as link:
        first, second, third = take(link, 3)

        assert [first.sequence_number, second.sequence_number, third.sequence_number] == [1, 2, 3]
        assert (str(first), str(second), str(third)) == ("body", "second", "third")
        assert first.application_properties == {b"text": b"x", b"number": 7, b"flag": True}
        assert (first.subject, first.message_id, first.correlation_id) == ("s", "m", "c")
        assert (first.content_type, first.reply_to, first.to, first.partition_key) == (
            "application/json",
            "r",
            "t",
            "p",
        )
        assert first.time_to_live == timedelta(minutes=5)
        assert (first.delivery_count, first.enqueued_sequence_number) == (0, 1)
        assert first.lock_token is not None
        assert first.locked_until_utc is not None
        assert first.enqueued_time_utc is not None
        assert first.enqueued_time_utc < first.locked_until_utc


def test_each_settlement_does_what_it_says(client: ServiceBusClient) -> None:
    send(client, "plain", "complete", "abandon", "dead-letter", "defer")
    with receiver(client, "plain") as link:
        completed, abandoned, buried, deferred = take(link, 4)
        link.complete_message(completed)
        link.abandon_message(abandoned)
        link.dead_letter_message(buried, reason="Broken", error_description="beyond repair")
        link.defer_message(deferred)

        (again,) = take(link, 1)
        assert (str(again), again.delivery_count) == ("abandon", 1)
        (found,) = link.receive_deferred_messages(number_of(deferred))
        assert str(found) == "defer"
        link.complete_message(found)
        with pytest.raises(MessageNotFoundError):
            link.receive_deferred_messages(number_of(deferred))
    with receiver(client, "plain", sub_queue=ServiceBusSubQueue.DEAD_LETTER) as link:
        (dead,) = take(link, 1)
        assert (str(dead), dead.dead_letter_reason, dead.dead_letter_error_description) == (
            "dead-letter",
            "Broken",
            "beyond repair",
        )
        assert dead.dead_letter_source == "plain"


def test_a_dead_letter_that_is_sent_again_is_a_fresh_message(client: ServiceBusClient) -> None:
    send(client, "plain", "replay me", application_properties={"kept": 1})
    with receiver(client, "plain") as link:
        link.dead_letter_message(take(link, 1)[0], reason="Once")
    with (
        receiver(client, "plain", sub_queue="deadletter") as link,
        client.get_queue_sender("plain") as sender,
    ):
        (dead,) = take(link, 1)
        sender.send_messages(dead)
        link.complete_message(dead)
    with receiver(client, "plain") as link:
        (fresh,) = take(link, 1)
        assert (str(fresh), fresh.delivery_count, fresh.dead_letter_source) == ("replay me", 0, None)


def test_a_lost_lock_is_told_and_too_many_bury_the_message(client: ServiceBusClient) -> None:
    send(client, "brief", "slow")
    with receiver(client, "brief") as link:
        (slow,) = take(link, 1)
        (again,) = take(link, 1)
        assert (str(again), again.delivery_count) == ("slow", 1)
        with pytest.raises(MessageLockLostError):
            link.complete_message(slow)
        link.abandon_message(again)
    with receiver(client, "brief", sub_queue="deadletter") as link:
        assert [dead.dead_letter_reason for dead in take(link, 1)] == ["MaxDeliveryCountExceeded"]


def test_a_renewed_lock_holds(client: ServiceBusClient) -> None:
    send(client, "brief", "slow")
    with receiver(client, "brief") as link:
        (slow,) = take(link, 1)
        first_end = slow.locked_until_utc
        assert first_end is not None
        while datetime.now(UTC) < first_end:
            assert link.renew_message_lock(slow) >= first_end
        link.complete_message(slow)


def test_scheduled_messages_come_in_time_or_not_at_all(client: ServiceBusClient) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    with client.get_queue_sender("plain") as sender:
        numbers = sender.schedule_messages(ServiceBusMessage("kept"), soon)
        # One that came in a second would be there before a slow machine has cancelled it.
        (cancelled,) = sender.schedule_messages(ServiceBusMessage("cancelled"), soon + timedelta(days=1))
        sender.cancel_scheduled_messages(cancelled)
        with pytest.raises(MessageNotFoundError):
            sender.cancel_scheduled_messages(cancelled)
    with receiver(client, "plain") as link:
        assert [str(message) for message in link.peek_messages()] == ["kept"]
        (kept,) = take(link, 1)
        assert (str(kept), kept.enqueued_sequence_number) == ("kept", numbers[0])
        assert kept.enqueued_time_utc is not None
        # The wire carries whole milliseconds.
        assert kept.enqueued_time_utc >= soon.replace(microsecond=soon.microsecond // 1000 * 1000)


def test_an_expired_message_is_buried_with_its_reason(client: ServiceBusClient) -> None:
    send(client, "expiring", "short life", time_to_live=timedelta(seconds=1))
    with receiver(client, "expiring", sub_queue="deadletter") as link:
        (dead,) = take(link, 1)
        assert (str(dead), dead.dead_letter_reason) == ("short life", "TTLExpiredException")


def test_a_duplicate_is_accepted_and_dropped(client: ServiceBusClient) -> None:
    send(client, "unique", "one", "two", message_id="same")
    send(client, "unique", "three", message_id="same")
    with receiver(client, "unique") as link:
        assert bodies(link.peek_messages(10)) == ["one"]


def test_peeking_goes_on_where_it_stopped(client: ServiceBusClient) -> None:
    send(client, "plain", *(str(number) for number in range(5)))
    with receiver(client, "plain") as link:
        assert bodies(link.peek_messages(2)) == ["0", "1"]
        assert bodies(link.peek_messages(2)) == ["2", "3"]
        assert bodies(link.peek_messages(2, sequence_number=5)) == ["4"]
        assert link.peek_messages(2, sequence_number=99) == []


def test_receive_and_delete_leaves_nothing(client: ServiceBusClient, broker: Broker) -> None:
    send(client, "plain", *(str(number) for number in range(20)))
    with receiver(client, "plain", receive_mode=ServiceBusReceiveMode.RECEIVE_AND_DELETE) as link:
        assert bodies(take(link, 20)) == [str(number) for number in range(20)]
    assert broker.namespace.queue("plain").counts()["active"] == 0


def test_messages_prefetched_and_not_used_go_back_uncounted(client: ServiceBusClient) -> None:
    send(client, "plain", *(str(number) for number in range(10)))
    with receiver(client, "plain", prefetch_count=10) as link:
        link.complete_message(take(link, 1)[0])
    with receiver(client, "plain") as link:
        rest = take(link, 9)
        assert [(str(message), message.delivery_count) for message in rest] == [
            (str(number), 0) for number in range(1, 10)
        ]


def test_two_receivers_share_the_work(client: ServiceBusClient) -> None:
    with receiver(client, "plain") as one, receiver(client, "plain") as other:
        send(client, "plain", *(str(number) for number in range(4)))
        found = bodies(take(one, 2)) + bodies(take(other, 2))
    assert sorted(found) == ["0", "1", "2", "3"]


def test_a_large_message_crosses_in_many_frames(client: ServiceBusClient) -> None:
    body = bytes(range(256)) * 900
    with client.get_queue_sender("plain") as sender:
        sender.send_messages(ServiceBusMessage(body))
    with receiver(client, "plain") as link:
        (large,) = take(link, 1)
        assert b"".join(large.body) == body


def test_too_large_a_message_is_refused_and_the_link_lives_on(client: ServiceBusClient) -> None:
    with client.get_queue_sender("plain") as sender:
        with pytest.raises(MessageSizeExceededError):
            sender.send_messages(ServiceBusMessage(b"x" * 262_145))
        sender.send_messages(ServiceBusMessage("fits"))


def test_a_batch_is_as_large_as_a_message_may_be(client: ServiceBusClient) -> None:
    with client.get_queue_sender("plain") as sender:
        batch: ServiceBusMessageBatch = sender.create_message_batch()
        assert batch.max_size_in_bytes == 262_144
        sent = 262_144 // (1000 + 100)
        for _ in range(sent):
            batch.add_message(ServiceBusMessage(b"x" * 1000))
        with pytest.raises(MessageSizeExceededError):
            batch.add_message(ServiceBusMessage(b"x" * 30_000))
        sender.send_messages(batch)
    with receiver(client, "plain") as link:
        assert len(take(link, sent)) == sent


def test_a_full_queue_says_so() -> None:
    small = QueueSettings(max_size_bytes=1000)
    with (
        in_thread({"small": small}) as broker,
        ServiceBusClient.from_connection_string(broker.connection_string, retry_total=0) as client,
        client.get_queue_sender("small") as sender,
        pytest.raises(ServiceBusQuotaExceededError),
    ):
        sender.send_messages(ServiceBusMessage(b"x" * 1000))


@pytest.mark.parametrize("kind", ["sender", "receiver"])
def test_an_unknown_queue_is_not_found(client: ServiceBusClient, kind: str) -> None:
    link = client.get_queue_sender("nowhere") if kind == "sender" else client.get_queue_receiver("nowhere")
    with pytest.raises(MessagingEntityNotFoundError), link:
        pass


def test_names_compare_without_case(client: ServiceBusClient) -> None:
    send(client, "PLAIN", "hello")
    with receiver(client, "Plain") as link:
        assert bodies(take(link, 1)) == ["hello"]


def test_topics_are_refused_with_a_service_bus_error(client: ServiceBusClient) -> None:
    with (
        pytest.raises(ServiceBusError, match="queues, no topics"),
        client.get_subscription_receiver("topic", "subscription"),
    ):
        pass
    with pytest.raises(MessagingEntityNotFoundError), client.get_topic_sender("topic"):
        pass


def test_an_empty_queue_answers_in_time(client: ServiceBusClient) -> None:
    with client.get_queue_receiver("plain", max_wait_time=90) as link:
        start = time.monotonic()
        assert link.receive_messages(max_wait_time=1) == []
        assert time.monotonic() - start < 60
