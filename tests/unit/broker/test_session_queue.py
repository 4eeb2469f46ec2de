"""A queue with sessions, on a clock that is set by hand."""

from collections.abc import Callable

import pytest

from local.broker.entities.errors import (
    AcceptTimeout,
    NotAllowed,
    SessionCannotBeLocked,
    SessionLockLost,
)
from local.broker.entities.queue import Queue
from local.broker.entities.session_queue import SessionQueue
from tests.unit.broker.conftest import Clock, Taker, body_of, text


@pytest.fixture
def queue(make_queue: Callable[..., Queue]) -> SessionQueue:
    made = make_queue(requires_session=True, lock_duration_ms=10_000, max_delivery_count=3)
    assert isinstance(made, SessionQueue)
    return made


def send(queue: Queue, *messages: tuple[str, str]) -> None:
    for session, body in messages:
        queue.send(text(body, session))


def test_a_message_without_a_session_is_refused(queue: SessionQueue) -> None:
    with pytest.raises(NotAllowed):
        queue.send(text("a"))


def test_nobody_receives_without_a_session(queue: SessionQueue) -> None:
    with pytest.raises(NotAllowed):
        queue.subscribe(Taker(queue))


def test_a_session_has_one_holder(queue: SessionQueue) -> None:
    send(queue, ("A", "a1"))
    first = Taker(queue).accept("A")

    with pytest.raises(SessionCannotBeLocked):
        Taker(queue).accept("A")
    assert first.hold is not None
    queue.release(first.hold)

    assert Taker(queue).accept("A").bodies() == ["a1"]


def test_a_session_without_messages_can_be_held(queue: SessionQueue) -> None:
    taker = Taker(queue).accept("empty")

    send(queue, ("empty", "a"))

    assert taker.bodies() == ["a"]


def test_the_next_session_is_the_one_that_waited_longest(queue: SessionQueue) -> None:
    send(queue, ("B", "b1"), ("A", "a1"), ("B", "b2"))
    first, second, third = Taker(queue), Taker(queue), Taker(queue)

    for taker in (first, second, third):
        queue.accept_next(taker, 1_000)

    assert (first.bodies(), second.bodies(), third.hold) == (["b1", "b2"], ["a1"], None)


def test_waiting_accepts_are_served_oldest_first_and_give_up_in_time(
    queue: SessionQueue, clock: Clock
) -> None:
    patient, late, left = Taker(queue), Taker(queue), Taker(queue)
    for taker, wait in ((left, 5_000), (patient, 5_000), (late, 1_000)):
        queue.accept_next(taker, wait)
    queue.withdraw(left)

    clock.now += 1_000
    queue.expire()
    send(queue, ("A", "a1"))

    assert isinstance(late.evicted, AcceptTimeout)
    assert (patient.bodies(), left.hold, left.evicted) == (["a1"], None, None)


def test_order_within_a_session_survives_an_abandon(queue: SessionQueue) -> None:
    send(queue, ("A", "a1"), ("A", "a2"))
    taker = Taker(queue, room=1).accept("A")

    queue.abandon(taker.locks[0], {})
    taker.room = 2
    assert taker.hold is not None
    queue.pump_session(taker.hold)

    assert taker.bodies() == ["a1", "a1", "a2"]


def test_what_was_not_settled_comes_back_in_order_and_uncounted_before_the_next_holder_gets_any(
    queue: SessionQueue,
) -> None:
    send(queue, ("A", "a1"), ("A", "a2"), ("A", "a3"))
    first, second = Taker(queue).accept("A"), Taker(queue)
    queue.accept_next(second, 5_000)
    queue.complete(first.locks[1])

    assert first.hold is not None
    queue.release(first.hold)

    assert [(body_of(message), message.delivery_count) for message in second.got] == [("a1", 0), ("a3", 0)]


def test_a_holder_that_leaves_after_its_lock_ran_out_leaves_a_failed_delivery(
    queue: SessionQueue, clock: Clock
) -> None:
    send(queue, ("A", "a1"))
    slow = Taker(queue).accept("A")
    clock.now += 10_000
    assert slow.hold is not None

    queue.release(slow.hold)

    (again,) = Taker(queue).accept("A").got
    assert again.delivery_count == 1


def test_a_lost_session_settles_nothing_and_goes_to_the_next(queue: SessionQueue, clock: Clock) -> None:
    send(queue, ("A", "a1"))
    slow, other = Taker(queue).accept("A"), Taker(queue)
    queue.accept_next(other, 60_000)

    clock.now += 10_000
    with pytest.raises(SessionLockLost):
        queue.complete(slow.locks[0])
    queue.expire()

    assert isinstance(slow.evicted, SessionLockLost)
    assert (other.bodies(), other.got[0].delivery_count) == (["a1"], 1)


def test_an_expired_session_can_be_taken_by_id_even_before_the_alarm_rings(
    queue: SessionQueue, clock: Clock
) -> None:
    slow = Taker(queue).accept("A")
    clock.now += 10_000

    Taker(queue).accept("A")

    assert isinstance(slow.evicted, SessionLockLost)


def test_a_holder_that_is_in_nobodys_way_is_told_a_moment_late(queue: SessionQueue, clock: Clock) -> None:
    send(queue, ("A", "a1"))
    slow = Taker(queue).accept("A")
    clock.now += 10_000
    queue.expire()
    assert slow.evicted is None
    with pytest.raises(SessionLockLost):
        queue.complete(slow.locks[0])

    due = queue.next_deadline()
    assert due is not None
    clock.now = due
    queue.expire()

    assert isinstance(slow.evicted, SessionLockLost)


def test_a_renewed_session_lives_on_and_only_its_owner_renews(queue: SessionQueue, clock: Clock) -> None:
    mine, other = object(), object()
    taker = Taker(queue, owner=mine).accept("A")
    clock.now += 9_000

    with pytest.raises(SessionLockLost):
        queue.renew_session("A", other)
    assert queue.renew_session("A", mine) == clock.now + 10_000
    clock.now += 9_000
    queue.expire()

    assert taker.evicted is None


def test_a_sessions_state_outlives_its_messages_and_its_holder(queue: SessionQueue) -> None:
    mine = object()
    taker = Taker(queue, owner=mine).accept("A")
    queue.set_session_state("A", mine, b"half way")
    assert taker.hold is not None
    queue.release(taker.hold)

    assert queue.session_ids(None) == ["A"]
    Taker(queue, owner=mine).accept("A")
    assert queue.held("A", mine).session.state == b"half way"
    queue.set_session_state("A", mine, None)
    assert queue.session_ids(None) == []


def test_sessions_are_listed_with_messages_or_by_the_time_of_their_state(
    queue: SessionQueue, clock: Clock
) -> None:
    send(queue, ("messages", "a"))
    mine = object()
    Taker(queue, owner=mine).accept("state")
    queue.set_session_state("state", mine, b"x")

    assert queue.session_ids(None) == ["messages", "state"]
    assert queue.session_ids(clock.now - 1) == ["state"]
    assert queue.session_ids(clock.now) == []


def test_a_session_whose_first_message_expired_is_still_found(queue: SessionQueue, clock: Clock) -> None:
    queue.send(text("dies", "A", ttl_ms=1_000))
    send(queue, ("B", "b1"), ("A", "a2"))
    clock.now += 2_000
    queue.expire()
    takers = [Taker(queue), Taker(queue)]

    for taker in takers:
        queue.accept_next(taker, 0)

    assert [taker.bodies() for taker in takers] == [["b1"], ["a2"]]


def test_sessions_that_are_done_with_leave_nothing_behind(queue: SessionQueue) -> None:
    for number in range(1_000):
        send(queue, (f"S{number}", "x"))
        taker = Taker(queue).accept(f"S{number}")
        queue.complete(taker.locks[0])
        assert taker.hold is not None
        queue.release(taker.hold)

    assert (len(queue._sessions), len(queue._sessions._holds)) == (0, 0)
    assert len(queue._sessions._free) < 100


def test_a_deferred_message_is_received_under_its_own_session_only(queue: SessionQueue) -> None:
    send(queue, ("A", "a1"))
    mine = object()
    taker = Taker(queue, owner=mine).accept("A")
    queue.defer(taker.locks[0], {})

    ((_, lock),) = queue.receive_deferred([1], queue.held("A", mine), delete=False)
    queue.complete(lock)

    assert len(queue.shelf.messages) == 0


def test_poison_in_a_session_is_buried_and_the_session_goes_on(queue: SessionQueue) -> None:
    send(queue, ("A", "poison"), ("A", "good"))
    taker = Taker(queue, room=1).accept("A")
    assert taker.hold is not None
    for _ in range(3):
        queue.abandon(taker.locks[-1], {})
        taker.room = 1
        queue.pump_session(taker.hold)

    assert taker.bodies() == ["poison", "poison", "poison", "good"]
    assert queue.dead_letters is not None
    assert [body_of(message) for message in queue.dead_letters.peek(0, 9)] == ["poison"]
