"""What a store gives back: compared with what was there."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.broker.entities.namespace import Namespace
from local.broker.entities.ports import World
from local.broker.entities.session_queue import SessionQueue
from local.broker.entities.settings import QueueSettings
from local.broker.store import Store, StoreUnusable
from tests.unit.broker.conftest import Clock, Taker, text

QUEUES = {
    "plain": QueueSettings(max_delivery_count=2, dead_letter_on_expiration=True),
    "sessions": QueueSettings(requires_session=True),
    "unique": QueueSettings(requires_duplicate_detection=True),
}

Start = Callable[[], tuple[Store, Namespace]]


@pytest.fixture
def start(tmp_path: Path, clock: Clock) -> Iterator[Start]:
    """Starts a broker's inside on the same file again and again."""
    opened: list[Store] = []

    def begin() -> tuple[Store, Namespace]:
        numbers = iter(range(len(opened) << 20, 1 << 40))
        store = Store(tmp_path / "store", lambda: None, clock)
        namespace = Namespace(World(clock, lambda: UUID(int=next(numbers)), store, lambda _when: None))
        for name, chosen in QUEUES.items():
            namespace.create(name, chosen, configured=True)
        store.load(namespace)
        opened.append(store)
        return store, namespace

    yield begin
    for store in opened:
        store.close()


def contents(namespace: Namespace) -> dict[str, Any]:
    """Everything a restart must bring back."""
    found: dict[str, Any] = {}
    for entry in namespace:
        for queue in entry.queues():
            found[queue.path] = [
                (
                    message.sequence,
                    message.enqueued_sequence,
                    message.content,
                    message.enqueued_at,
                    message.expires_at,
                    message.delivery_count,
                    message.state,
                    message.scheduled_for,
                    message.source,
                )
                for message in queue.shelf.messages.values()
            ]
            if isinstance(queue, SessionQueue):
                found[queue.path + " sessions"] = sorted(
                    (session.id, session.state, session.messages)
                    for session in queue._sessions
                    if session.messages or session.state is not None
                )
    return found


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["send", "schedule", "complete", "abandon", "defer", "bury", "wait", "state"]),
        st.sampled_from(["plain", "sessions"]),
    ),
    max_size=30,
)


@given(actions=ACTIONS)
@settings(max_examples=40)
def test_whatever_was_done_a_restart_finds_it_as_it_was(
    actions: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    clock = Clock()
    path = tmp_path_factory.mktemp("store") / "store"
    numbers = iter(range(1, 1 << 40))

    def begin() -> tuple[Store, Namespace]:
        store = Store(path, lambda: None, clock)
        namespace = Namespace(World(clock, lambda: UUID(int=next(numbers)), store, lambda _when: None))
        for name, chosen in QUEUES.items():
            namespace.create(name, chosen, configured=True)
        store.load(namespace)
        return store, namespace

    store, namespace = begin()
    takers = {
        "plain": Taker(namespace.queue("plain")),
        "sessions": Taker(namespace.queue("sessions"), owner="me"),
    }
    namespace.queue("plain").subscribe(takers["plain"])
    takers["sessions"].accept("A")
    for number, (action, name) in enumerate(actions):
        clock.now += 10
        _do(action, number, takers[name], clock)
        store.commit()
    left = contents(namespace)
    store.close()

    again, restored = begin()
    found = contents(restored)
    again.close()

    assert found == left


def _do(action: str, number: int, taker: Taker, clock: Clock) -> None:
    queue = taker.queue
    locks = [lock for lock in taker.locks if lock.live(clock.now)]
    if action in {"send", "schedule"}:
        queue.send(text(str(number), "A", ttl_ms=5_000), clock.now + 500 if action == "schedule" else None)
    elif action == "wait":
        clock.now += 1_000
        queue.expire()
    elif action == "state" and isinstance(queue, SessionQueue):
        queue.set_session_state("A", "me", None if number % 2 else b"x")
    elif not locks:
        return
    elif action == "complete":
        queue.complete(locks[0])
    elif action == "abandon":
        queue.abandon(locks[0], {"n": number})
    elif action == "defer":
        queue.defer(locks[0], {})
    elif action == "bury":
        queue.dead_letter(locks[0], {"DeadLetterReason": "x"})


def test_numbers_are_never_given_twice(start: Start) -> None:
    store, namespace = start()
    queue = namespace.queue("plain")
    taker = Taker(queue)
    queue.subscribe(taker)
    queue.send(text("a"))
    queue.complete(taker.locks[0])
    store.commit()

    _, restored = start()

    assert restored.queue("plain").send(text("b")) == 2


def test_a_duplicate_is_known_after_a_restart(start: Start) -> None:
    store, namespace = start()
    namespace.queue("unique").send(text("a", message_id="same"))
    store.commit()

    _, restored = start()
    restored.queue("unique").send(text("a", message_id="same"))

    assert len(restored.queue("unique").shelf.messages) == 1


def test_queues_made_at_run_time_come_back_and_deleted_ones_do_not(start: Start) -> None:
    store, namespace = start()
    namespace.create("Made", QueueSettings(requires_session=True))
    namespace.create("gone", QueueSettings())
    namespace.queue("gone").send(text("a"))
    store.commit()
    namespace.delete("gone")
    store.commit()

    _, restored = start()

    assert {entry.name for entry in restored} - set(QUEUES) == {"Made"}
    assert restored.queue("made").settings == QueueSettings(requires_session=True)
    restored.create("gone", QueueSettings())
    assert restored.queue("gone").send(text("b")) == 1


def test_what_was_not_committed_was_not_told_and_is_not_there(start: Start) -> None:
    _, namespace = start()
    namespace.queue("plain").send(text("a"))

    _, restored = start()

    assert contents(restored)["plain"] == []


@pytest.mark.parametrize("raw", [b"not a database" * 100, None])
def test_a_file_that_is_no_store_is_refused(tmp_path: Path, clock: Clock, raw: bytes | None) -> None:
    path = tmp_path / "store"
    if raw is None:
        other = sqlite3.connect(path)
        other.execute("PRAGMA user_version = 99")
        other.close()
    else:
        path.write_bytes(raw)
    with pytest.raises(StoreUnusable):
        Store(path, lambda: None, clock)
