"""A clock that is set by hand, and receivers that only remember."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from local.broker.amqp.encode import encode
from local.broker.amqp.sections import Content, parse
from local.broker.amqp.values import Described, ULong
from local.broker.entities.errors import Refusal
from local.broker.entities.message import Lock, Message
from local.broker.entities.ports import Forgetful, World
from local.broker.entities.queue import Queue
from local.broker.entities.session import Hold
from local.broker.entities.session_queue import SessionQueue
from local.broker.entities.settings import QueueSettings

START = 1_700_000_000_000


@dataclass
class Clock:
    """Milliseconds since 1970 UTC."""

    now: int = START

    def __call__(self) -> int:
        return self.now


def section(code: int, value: object) -> bytes:
    """A section of a message."""
    return encode(Described(ULong(code), value))


def text(
    body: str, session: str | None = None, ttl_ms: int | None = None, message_id: str | None = None
) -> Content:
    """A message whose body is a text."""
    payload = section(0x73, [message_id or body[:40], *[None] * 9, session]) + section(0x75, body.encode())
    content = parse(payload)
    return Content(
        content.durable,
        content.priority,
        ttl_ms,
        content.annotations,
        content.message_id,
        content.session_id,
        content.properties,
        content.application,
        content.body,
    )


def body_of(message: Message) -> str:
    """What `text` put in."""
    return message.content.body[5:].decode()


@dataclass(eq=False)
class Taker:
    """A receiver that takes what it has room for, and remembers."""

    queue: Queue
    room: int = 100
    deletes: bool = False
    owner: object = None
    got: list[Message] = field(default_factory=list)
    locks: list[Lock] = field(default_factory=list)
    hold: Hold | None = None
    evicted: Refusal | None = None

    def capacity(self) -> int:
        return self.room

    def deliver(self, message: Message, lock: Lock | None) -> None:
        self.room -= 1
        self.got.append(message)
        if lock is not None:
            self.locks.append(lock)

    def evict(self, reason: Refusal) -> None:
        self.evicted = reason

    def granted(self, hold: Hold) -> None:
        self.hold = hold
        assert isinstance(self.queue, SessionQueue)
        self.queue.pump_session(hold)

    def accept(self, session_id: str) -> "Taker":
        assert isinstance(self.queue, SessionQueue)
        self.granted(self.queue.accept(session_id, self))
        return self

    def bodies(self) -> list[str]:
        return [body_of(message) for message in self.got]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    numbers = iter(range(1, 1_000_000))
    return World(clock, lambda: UUID(int=next(numbers)), Forgetful(), lambda _when: None)


@pytest.fixture
def make_queue(world: World) -> Callable[..., Queue]:
    """Makes a queue with the settings given; its dead-letter queue is `.dead_letters`."""

    def make(**settings: object) -> Queue:
        chosen = QueueSettings(**settings)  # type: ignore[arg-type]  # each test knows the names
        dead_letters = Queue("q/$deadletterqueue", QueueSettings(), world)
        kind = SessionQueue if chosen.requires_session else Queue
        return kind("q", chosen, world, dead_letters)

    return make
