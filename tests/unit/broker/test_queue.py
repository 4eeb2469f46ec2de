"""A queue without sessions, on a clock that is set by hand."""

from collections.abc import Callable
from typing import Any

import pytest

from local.broker.amqp.sections import application_properties
from local.broker.entities.errors import (
    InvalidArgument,
    MessageLockLost,
    MessageNotFound,
    NotAllowed,
    QuotaExceeded,
)
from local.broker.entities.message import State
from local.broker.entities.queue import Queue
from tests.unit.broker.conftest import START, Clock, Taker, body_of, text

MakeQueue = Callable[..., Queue]


def buried(queue: Queue) -> list[tuple[str, dict[Any, Any]]]:
    assert queue.dead_letters is not None
    return [
        (body_of(message), application_properties(message.content.application))
        for message in queue.dead_letters.peek(0, 100)
    ]


def receiving(queue: Queue, room: int = 100) -> Taker:
    taker = Taker(queue, room)
    queue.subscribe(taker)
    queue.pump()
    return taker


def test_messages_arrive_in_the_order_they_were_sent(make_queue: MakeQueue) -> None:
    queue = make_queue()
    for body in ("a", "b", "c"):
        queue.send(text(body))

    taker = receiving(queue)

    assert [(message.sequence, body_of(message)) for message in taker.got] == [(1, "a"), (2, "b"), (3, "c")]


def test_competing_receivers_take_turns(make_queue: MakeQueue) -> None:
    queue = make_queue()
    first, second = receiving(queue), receiving(queue)

    for number in range(6):
        queue.send(text(str(number)))

    assert (first.bodies(), second.bodies()) == (["0", "2", "4"], ["1", "3", "5"])


def test_an_abandoned_message_returns_to_its_own_place(make_queue: MakeQueue) -> None:
    queue = make_queue()
    for body in ("a", "b", "c"):
        queue.send(text(body))
    taker = receiving(queue, room=1)

    queue.abandon(taker.locks[0], {"Why": "later"})
    taker.room = 3
    queue.pump()

    assert taker.bodies() == ["a", "a", "b", "c"]
    assert taker.got[1].delivery_count == 1
    assert application_properties(taker.got[1].content.application) == {"Why": "later"}


def test_a_released_message_counts_no_failed_delivery(make_queue: MakeQueue) -> None:
    queue = make_queue()
    queue.send(text("a"))
    taker = receiving(queue, room=1)
    queue.give_back(taker.locks[0])

    assert [message.delivery_count for message in queue.peek(0, 1)] == [0]


def test_a_completed_message_is_gone(make_queue: MakeQueue) -> None:
    queue = make_queue()
    queue.send(text("a"))
    taker = receiving(queue)

    queue.complete(taker.locks[0])

    assert (queue.counts(), queue.shelf.size) == (
        {"active": 0, "deferred": 0, "scheduled": 0, "locked": 0},
        0,
    )
    with pytest.raises(MessageLockLost):
        queue.complete(taker.locks[0])


def test_an_expired_lock_gives_the_message_to_the_next_and_settles_nothing(
    make_queue: MakeQueue, clock: Clock
) -> None:
    queue = make_queue(lock_duration_ms=5_000)
    queue.send(text("a"))
    slow, other = receiving(queue, room=1), receiving(queue)
    assert queue.next_deadline() == START + 5_000

    clock.now += 5_000
    with pytest.raises(MessageLockLost):
        queue.complete(slow.locks[0])
    queue.expire()

    assert (other.bodies(), other.got[0].delivery_count) == (["a"], 1)
    queue.complete(other.locks[0])


def test_a_renewed_lock_lives_on(make_queue: MakeQueue, clock: Clock) -> None:
    queue = make_queue(lock_duration_ms=5_000)
    queue.send(text("a"))
    taker = receiving(queue, room=1)

    clock.now += 4_000
    assert queue.renew(taker.locks[0].token) == clock.now + 5_000
    clock.now += 4_000
    queue.expire()
    queue.complete(taker.locks[0])

    with pytest.raises(MessageLockLost):
        queue.renew(taker.locks[0].token)


def test_too_many_failed_deliveries_bury_a_message_with_the_reason(make_queue: MakeQueue) -> None:
    queue = make_queue(max_delivery_count=3)
    queue.send(text("a"))
    taker = receiving(queue)

    for attempt in range(3):
        queue.abandon(taker.locks[attempt], {})

    assert taker.bodies() == ["a"] * 3
    assert buried(queue) == [
        (
            "a",
            {
                "DeadLetterReason": "MaxDeliveryCountExceeded",
                "DeadLetterErrorDescription": "Message could not be consumed after 3 delivery attempts.",
            },
        )
    ]


def test_a_dead_lettered_message_keeps_its_origin_and_cannot_die_twice(make_queue: MakeQueue) -> None:
    queue = make_queue()
    queue.send(text("a"))
    queue.dead_letter(receiving(queue).locks[0], {"DeadLetterReason": "Bad"})
    assert queue.dead_letters is not None

    taker = receiving(queue.dead_letters)

    assert [(message.source, message.enqueued_sequence) for message in taker.got] == [("q", 1)]
    with pytest.raises(NotAllowed):
        queue.dead_letters.dead_letter(taker.locks[0], {})


def test_a_deferred_message_waits_to_be_asked_for_by_number(make_queue: MakeQueue) -> None:
    queue = make_queue()
    queue.send(text("a"))
    queue.defer(receiving(queue).locks[0], {})
    assert queue.counts()["deferred"] == 1

    ((message, lock),) = queue.receive_deferred([1], None, delete=False)

    with pytest.raises(MessageNotFound):
        queue.receive_deferred([1], None, delete=False)
    queue.abandon(lock, {})
    assert (message.state, message.delivery_count) == (State.DEFERRED, 2)
    queue.receive_deferred([1], None, delete=True)
    assert len(queue.shelf.messages) == 0


def test_a_scheduled_message_comes_in_time_under_a_new_number(make_queue: MakeQueue, clock: Clock) -> None:
    queue = make_queue()
    scheduled = queue.send(text("later"), clock.now + 1_000)
    queue.send(text("now"))
    taker = receiving(queue)
    assert taker.bodies() == ["now"]

    clock.now += 1_000
    queue.expire()

    assert taker.bodies() == ["now", "later"]
    assert (taker.got[1].sequence, taker.got[1].enqueued_sequence) == (3, scheduled)
    with pytest.raises(MessageNotFound):
        queue.cancel([scheduled])


def test_cancelling_takes_all_or_none(make_queue: MakeQueue, clock: Clock) -> None:
    queue = make_queue()
    numbers = [queue.send(text(body), clock.now + 1_000) for body in ("a", "b")]

    with pytest.raises(MessageNotFound):
        queue.cancel([numbers[0], 99])
    assert queue.counts()["scheduled"] == 2
    queue.cancel(numbers)

    assert queue.counts()["scheduled"] == 0


@pytest.mark.parametrize(("dead_letters", "expected"), [(True, ["a"]), (False, [])])
def test_an_expired_message_is_buried_or_dropped_as_the_queue_says(
    make_queue: MakeQueue, clock: Clock, *, dead_letters: bool, expected: list[str]
) -> None:
    queue = make_queue(default_ttl_ms=60_000, dead_letter_on_expiration=dead_letters)
    queue.send(text("a", ttl_ms=1_000))

    clock.now += 1_000
    queue.expire()

    assert [body for body, _ in buried(queue)] == expected
    assert receiving(queue).got == []


def test_a_message_that_is_locked_when_it_expires_is_left_to_its_receiver(
    make_queue: MakeQueue, clock: Clock
) -> None:
    queue = make_queue(dead_letter_on_expiration=True)
    for body in ("completed", "abandoned"):
        queue.send(text(body, ttl_ms=1_000))
    taker = receiving(queue)

    clock.now += 2_000
    queue.expire()
    queue.complete(taker.locks[0])
    queue.abandon(taker.locks[1], {})

    assert [body for body, _ in buried(queue)] == ["abandoned"]


def test_a_duplicate_is_dropped_within_the_window_only(make_queue: MakeQueue, clock: Clock) -> None:
    queue = make_queue(requires_duplicate_detection=True, duplicate_window_ms=1_000)
    for _ in range(3):
        queue.send(text("a", message_id="same"))
    assert len(queue.shelf.messages) == 1

    clock.now += 1_000
    queue.send(text("a", message_id="same"))

    assert len(queue.shelf.messages) == 2


def test_a_receiver_that_deletes_gets_no_lock(make_queue: MakeQueue) -> None:
    queue = make_queue()
    taker = Taker(queue, deletes=True)
    queue.subscribe(taker)

    queue.send(text("a"))

    assert (taker.bodies(), taker.locks, len(queue.shelf.messages)) == (["a"], [], 0)


def test_a_full_queue_refuses(make_queue: MakeQueue) -> None:
    queue = make_queue(max_size_bytes=100)
    queue.send(text("a"))
    with pytest.raises(QuotaExceeded):
        queue.send(text("b" * 80))


def test_an_id_that_is_too_long_is_refused(make_queue: MakeQueue) -> None:
    with pytest.raises(InvalidArgument, match=r"^message id: at most 128 characters$"):
        make_queue().send(text("a", message_id="x" * 129))


def test_peeking_shows_everything_and_locks_nothing(make_queue: MakeQueue, clock: Clock) -> None:
    queue = make_queue()
    for body in ("locked", "deferred", "active"):
        queue.send(text(body))
    queue.send(text("scheduled"), clock.now + 1_000)
    taker = receiving(queue, room=2)
    queue.defer(taker.locks[1], {})

    assert [body_of(message) for message in queue.peek(0, 10)] == [
        "locked",
        "deferred",
        "active",
        "scheduled",
    ]
    assert [body_of(message) for message in queue.peek(3, 1)] == ["active"]


def test_heaps_do_not_grow_with_messages_that_are_gone(make_queue: MakeQueue) -> None:
    queue = make_queue(default_ttl_ms=3_600_000)
    taker = Taker(queue, room=10_000)
    queue.subscribe(taker)

    for number in range(10_000):
        queue.send(text(str(number)))
        queue.complete(taker.locks[-1])

    assert len(queue.shelf._expiring._heap) < 100
