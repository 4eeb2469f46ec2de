"""Queues that hand on what comes to them, or what dies in them."""

from collections.abc import Callable

import pytest

from local.broker.entities.errors import EntityNotFound, InvalidArgument
from local.broker.entities.namespace import MAX_HOPS, Namespace
from local.broker.entities.ports import World
from local.broker.entities.queue import Queue
from local.broker.entities.settings import QueueSettings
from tests.unit.broker.conftest import Clock, Taker, body_of, text

Make = Callable[..., Queue]


@pytest.fixture
def namespace(world: World) -> Namespace:
    return Namespace(world)


@pytest.fixture
def make(namespace: Namespace) -> Make:
    def made(name: str, **settings: object) -> Queue:
        return namespace.create(name, QueueSettings(**settings)).queue  # type: ignore[arg-type]

    return made


def bodies(queue: Queue) -> list[str]:
    return [body_of(message) for message in queue.shelf.messages.values()]


def transfer(namespace: Namespace, name: str) -> Queue:
    return namespace.queue(f"{name}/$Transfer/$DeadLetterQueue")


def test_what_comes_is_handed_on_at_once_and_keeps_its_first_number(make: Make) -> None:
    end = make("end")
    make("other")
    start = make("start", forward_to="END")
    taker = Taker(end)
    end.subscribe(taker)
    end.send(text("direct"))

    start.send(text("handed on"))

    assert [body_of(message) for message in taker.got] == ["direct", "handed on"]
    assert (taker.got[1].sequence, taker.got[1].enqueued_sequence, taker.got[1].source) == (2, 1, None)
    assert bodies(start) == []


def test_a_scheduled_message_is_handed_on_when_its_time_comes(make: Make, clock: Clock) -> None:
    end = make("end")
    start = make("start", forward_to="end")
    start.send(text("later"), clock.now + 1_000)
    waiting = (bodies(start), bodies(end))

    clock.now += 1_000
    start.expire()

    assert (waiting, bodies(start), bodies(end)) == ((["later"], []), [], ["later"])


def test_each_queue_on_the_way_has_its_say(make: Make) -> None:
    make("end")
    middle = make("middle", forward_to="end", requires_duplicate_detection=True)
    start = make("start", forward_to="middle")

    start.send(text("once", message_id="same"))
    start.send(text("once", message_id="same"))

    assert middle.shelf.last_sequence == 1


def test_dead_letters_go_where_they_are_sent_with_their_reason_and_origin(make: Make, clock: Clock) -> None:
    graves = make("graves")
    source = make("source", forward_dead_letters_to="graves", dead_letter_on_expiration=True)
    source.send(text("short life", ttl_ms=1_000))

    clock.now += 1_000
    source.expire()

    (dead,) = graves.shelf.messages.values()
    assert source.dead_letters is not None
    assert bodies(source.dead_letters) == []
    assert (dead.source, dead.delivery_count) == ("source", 0)
    assert b"TTLExpiredException" in dead.content.application


def test_what_cannot_be_handed_on_stays_with_its_source_and_the_reason(
    make: Make, namespace: Namespace
) -> None:
    make("sessions", requires_session=True)
    start = make("start", forward_to="sessions")

    start.send(text("no session"))
    start.send(text("fine", "A"))

    (kept,) = transfer(namespace, "start").shelf.messages.values()
    assert (body_of(kept), kept.source) == ("no session", "start")
    assert b"needs a session id" in kept.content.application
    assert bodies(namespace.queue("sessions")) == ["fine"]


def test_what_was_meant_for_a_queue_that_is_gone_is_kept(make: Make, namespace: Namespace) -> None:
    make("end")
    start = make("start", forward_to="end")
    namespace.delete("end")

    start.send(text("lost?"))

    assert bodies(transfer(namespace, "start")) == ["lost?"]


def test_a_circle_ends_after_so_many_hops(world: World) -> None:
    namespace = Namespace(world)
    for name, target in (("a", "b"), ("b", "a")):
        namespace.create(name, QueueSettings(forward_to=target), configured=True)

    namespace.queue("a").send(text("round and round"))

    kept = {name: bodies(transfer(namespace, name)) for name in ("a", "b")}
    assert MAX_HOPS == 4
    assert kept == {"a": ["round and round"], "b": []}


def test_a_queue_forwards_to_one_that_is_there_and_not_out_of_sessions(make: Make) -> None:
    with pytest.raises(EntityNotFound):
        make("start", forward_to="nowhere")
    with pytest.raises(EntityNotFound):
        make("start", forward_dead_letters_to="nowhere")
    with pytest.raises(InvalidArgument, match=r"^ForwardTo: a queue that requires sessions"):
        make("start", forward_to="end", requires_session=True)
