"""The broker is killed again and again, at moments that chance chooses, while clients do everything that is
kept; after each kill its file is read and held against what the clients were told.

`TANDEM_KILLS=200` kills as often; without it a dozen kills must do.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusReceiver,
)
from azure.servicebus.exceptions import ServiceBusError

from local.broker.config import read_config
from local.broker.entities.message import Message, State
from local.broker.entities.namespace import Namespace
from local.broker.entities.ports import World
from local.broker.entities.session_queue import SessionQueue
from local.broker.server import now_ms
from local.broker.store import Store

if TYPE_CHECKING:
    from tests.contract.broker.conftest import Process

KILLS = int(os.environ.get("TANDEM_KILLS", "12"))
CONFIG = Path(__file__).parents[3] / "infra" / "servicebus" / "config.json"
MOST_DELIVERIES = 10
SESSIONS = ("a", "b")


class Place(NamedTuple):
    """Where a message is, and how often its delivery failed."""

    state: str
    failures: int


GONE = None
Wherever = Place | None


def after(operation: str, place: Wherever) -> Wherever:
    """Where a message is once it was settled so."""
    assert place is not None
    failures = place.failures
    if operation == "complete":
        return GONE
    if operation == "dead-letter":
        return Place("dead", failures)
    if operation == "defer":
        return Place("deferred", failures + 1)
    dies = failures + 1 >= MOST_DELIVERIES
    return Place("dead" if dies else "active", failures + 1)


@dataclass
class Told:
    """What clients did and were told: every place a message may be at, and state a session may have."""

    may: dict[str, set[Wherever]] = field(default_factory=dict)
    states: dict[str, set[str | None]] = field(default_factory=lambda: {name: {None} for name in SESSIONS})
    operations: int = 0
    _sent: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def sending(self, bodies: list[str], place: Place) -> Iterator[None]:
        """Messages are sent: until that is acknowledged, or one is received, they may be there or not."""
        with self._lock:
            self._sent |= set(bodies)
            self.may |= {body: {GONE, place} for body in bodies}
        yield
        with self._lock:
            self.may |= {body: {place} for body in self._sent.intersection(bodies)}
            self._sent -= set(bodies)
            self.operations += 1

    @contextmanager
    def settling(self, body: str, operation: str) -> Iterator[None]:
        """A message is settled: until that is acknowledged it may have been or not."""
        with self._lock:
            if body in self._sent:
                self.may[body].discard(GONE)
                self._sent.discard(body)
            (place,) = self.may[body]
            then = after(operation, place)
            self.may[body] = {place, then}
        yield
        with self._lock:
            self.may[body] = {then}
            self.operations += 1

    @contextmanager
    def setting(self, session: str, state: str) -> Iterator[None]:
        """A session's state is set."""
        self.states[session] = self.states[session] | {state}
        yield
        self.states[session] = {state}

    def judge(self, kept: "Kept") -> None:
        """Everything is where it may be, and nothing else is anywhere; from now on that is certain."""
        found = {body: kept.places.get(body) for body in self.may | kept.places}
        assert {body: place for body, place in found.items() if place not in self.may.get(body, ())} == {}
        assert {name: state for name, state in kept.states.items() if state not in self.states[name]} == {}
        assert kept.order == {name: sorted(bodies) for name, bodies in kept.order.items()}
        self._sent.clear()
        self.may = {body: {place} for body, place in found.items()}
        self.states = {name: {state} for name, state in kept.states.items()}


@dataclass
class Kept:
    """What the file of a killed broker holds."""

    places: dict[str, Place]
    states: dict[str, str | None]
    order: dict[str, list[str]]


def read(path: Path) -> Kept:
    """The file, as a broker that starts on it reads it."""
    store = Store(path, lambda: None, now_ms)
    namespace = Namespace(World(now_ms, uuid4, store, lambda _when: None))
    for name, settings in read_config(CONFIG).items():
        namespace.create(name, settings, configured=True)
    store.load(namespace)
    entry = namespace.entry("inbound")
    queue = entry.queue
    assert isinstance(queue, SessionQueue)
    messages = list(queue.shelf.messages.values())
    places = {body_of(each): Place(each.state.name.lower(), each.delivery_count) for each in messages}
    dead = {
        body_of(each): Place("dead", each.delivery_count)
        for each in entry.dead_letters.shelf.messages.values()
    }
    assert len(places) == len(messages), "a message is there twice"
    assert not places.keys() & dead.keys(), "a message is in two places"
    states = {each.id: each.state.decode() for each in queue._sessions if each.state is not None}
    order = {
        session: [
            body_of(each)
            for each in messages
            if each.content.session_id == session and each.state is not State.SCHEDULED
        ]
        for session in SESSIONS
    }
    store.close()
    return Kept(places | dead, {name: states.get(name) for name in SESSIONS}, order)


def body_of(message: Message) -> str:
    """The text of a message's one data section."""
    return message.content.body.split(b"#")[1].decode()


class Clients:
    """Clients that do everything a broker keeps, until it is killed under them."""

    def __init__(self, process: "Process", told: Told, chance: random.Random, numbers: Iterator[int]) -> None:
        self._process = process
        self._told = told
        self._numbers = numbers
        self._chances = {name: random.Random(chance.random()) for name in SESSIONS}  # noqa: S311  # a seed must bring a failure back

    @contextmanager
    def busy(self) -> Iterator[None]:
        """They are at work; at the end of the context the broker must have been killed."""
        work = [
            threading.Thread(target=self._until_killed, args=(act, name))
            for name in SESSIONS
            for act in (self._send, self._settle)
        ]
        for thread in work:
            thread.start()
        enough = self._told.operations + 10
        deadline = time.monotonic() + 60
        glance = threading.Event()
        while self._told.operations < enough:
            glance.wait(0.005)
            assert time.monotonic() < deadline, "the clients do nothing"
        yield
        for thread in work:
            thread.join()

    def _until_killed(self, act: Callable[[ServiceBusClient, str], None], session: str) -> None:
        address = self._process.connection_string
        try:
            with ServiceBusClient.from_connection_string(address, retry_total=0) as client:
                act(client, session)
        except ServiceBusError:
            return

    def _send(self, client: ServiceBusClient, session: str) -> None:
        chance = self._chances[session]
        with client.get_queue_sender("inbound") as sender:
            while True:
                bodies = [f"{session}{next(self._numbers):06}" for _ in range(chance.choice((1, 1, 3)))]
                messages = [ServiceBusMessage(f"#{body}#", session_id=session) for body in bodies]
                if chance.random() < 0.1:
                    with self._told.sending(bodies, Place("scheduled", 0)):
                        sender.schedule_messages(messages, datetime.now(UTC) + timedelta(days=1))
                else:
                    with self._told.sending(bodies, Place("active", 0)):
                        sender.send_messages(messages)

    def _settle(self, client: ServiceBusClient, session: str) -> None:
        chance = self._chances[session]
        link = client.get_queue_receiver("inbound", session_id=session, prefetch_count=0, keep_alive=0)
        with link:
            while True:
                for message in link.receive_messages(5, max_wait_time=1):
                    operation = chance.choice(("complete", "complete", "abandon", "dead-letter", "defer"))
                    with self._told.settling(str(message).strip("#"), operation):
                        settle(link, message, operation)
                    if chance.random() < 0.2:
                        state = str(next(self._numbers))
                        with self._told.setting(session, state):
                            link.session.set_state(state)


def settle(link: ServiceBusReceiver, message: ServiceBusReceivedMessage, operation: str) -> None:
    if operation == "complete":
        link.complete_message(message)
    elif operation == "abandon":
        link.abandon_message(message)
    elif operation == "dead-letter":
        link.dead_letter_message(message, reason="Chance")
    else:
        link.defer_message(message)


def test_no_kill_at_any_moment_loses_anything_acknowledged_or_invents_anything(process: "Process") -> None:
    chance = random.Random(20260801)  # noqa: S311  # a seed must bring a failure back
    told, numbers = Told(), count()

    for _ in range(KILLS):
        with Clients(process, told, chance, numbers).busy():
            pause(chance, 0.3)
            process.end(signal.SIGKILL)
        told.judge(read(process.store))
        if chance.random() < 0.3:
            # While it opens its file.
            process.launch()
            pause(chance, 0.6)
            process.end(signal.SIGKILL)
            told.judge(read(process.store))
        process.start()

    assert told.operations >= 10 * KILLS
    assert {next(iter(places)) is GONE for places in told.may.values()} == {True, False}


def pause(chance: random.Random, most_s: float) -> None:
    """Any moment is what this is about, so nothing can be waited for but time."""
    threading.Event().wait(chance.uniform(0, most_s))
