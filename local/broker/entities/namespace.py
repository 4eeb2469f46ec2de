"""The namespace: all queues by name, each with its two dead-letter queues."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from local.broker.entities.errors import (
    EntityExists,
    EntityNotFound,
    InvalidArgument,
    NotAllowed,
    NotImplementedHere,
    Refusal,
)
from local.broker.entities.message import Message
from local.broker.entities.ports import World
from local.broker.entities.queue import Queue
from local.broker.entities.session_queue import SessionQueue
from local.broker.entities.settings import QueueSettings

DEAD_LETTER = "$deadletterqueue"
TRANSFER_DEAD_LETTER = "$transfer/$deadletterqueue"

# What the official emulator allows.
MAX_QUEUES = 50
MAX_NAME_LENGTH = 260

# How many queues may hand on one message; the next one keeps it among what could not be forwarded.
MAX_HOPS = 4


@dataclass(slots=True)
class Entry:
    """A queue as it was created. Times are ms since 1970 UTC."""

    name: str
    queue: Queue
    transfer_dead_letters: Queue
    created_at: int
    updated_at: int
    # From the configuration file: created anew at each start, so the store does not keep it.
    configured: bool

    @property
    def dead_letters(self) -> Queue:
        """Where the queue buries messages."""
        if self.queue.dead_letters is None:
            raise LookupError("a queue has a dead-letter queue")
        return self.queue.dead_letters

    def queues(self) -> tuple[Queue, Queue, Queue]:
        """The queue and its two dead-letter queues."""
        return self.queue, self.dead_letters, self.transfer_dead_letters


class Namespace:
    """Queues by name, which compare without case."""

    def __init__(self, world: World, max_queues: int = MAX_QUEUES) -> None:
        self.world = world
        self._max_queues = max_queues
        self._entries: dict[str, Entry] = {}

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def create(self, name: str, settings: QueueSettings, *, configured: bool = False) -> Entry:
        """A new queue. Raises EntityExists, InvalidArgument.

        A queue it forwards to must be there, unless it is `configured`: then both are made at one time.
        """
        for target in () if configured else (settings.forward_to, settings.forward_dead_letters_to):
            if target is not None:
                self.entry(target)
        entry = self._made(name, settings, self.world.now(), configured=configured)
        if not configured:
            self.world.journal.keep_queue(name, settings, entry.created_at)
        return entry

    def restore(self, name: str, settings: QueueSettings, created_at: int) -> None:
        """Take back a queue that the store kept; one that the configuration names by now is the
        configuration's.
        """
        if name.lower() not in self._entries:
            self._made(name, settings, created_at, configured=False)

    def _made(self, name: str, settings: QueueSettings, now: int, *, configured: bool) -> Entry:
        key = name.lower()
        if not name or len(name) > MAX_NAME_LENGTH or "$" in name or name.strip("/ ") != name:
            raise InvalidArgument("a queue's name has 1 to 260 characters, no $ and no slash at its ends")
        if key in self._entries:
            raise EntityExists("there is a queue of that name")
        if len(self._entries) >= self._max_queues:
            raise InvalidArgument(f"a namespace has at most {self._max_queues} queues")
        buried = QueueSettings(lock_duration_ms=settings.lock_duration_ms)
        dead_letters = Queue(f"{key}/{DEAD_LETTER}", buried, self.world)
        kind = SessionQueue if settings.requires_session else Queue
        entry = Entry(
            name,
            kind(key, settings, self.world, dead_letters),
            Queue(f"{key}/{TRANSFER_DEAD_LETTER}", buried, self.world),
            now,
            now,
            configured,
        )
        self._entries[key] = entry
        if settings.forward_to is not None:
            entry.queue.onward = partial(self._hand_on, entry, settings.forward_to)
        if settings.forward_dead_letters_to is not None:
            dead_letters.onward = partial(self._hand_on, entry, settings.forward_dead_letters_to)
        return entry

    def _hand_on(self, source: Entry, target: str, message: Message) -> None:
        """Give a message to the queue it is meant for; what that does not take stays with the source."""
        try:
            if message.hops == MAX_HOPS:
                raise NotAllowed(f"a message is handed on {MAX_HOPS} times at most")
            self.entry(target).queue.take_over(message)
        except Refusal as no:
            why = {"DeadLetterReason": type(no).__name__, "DeadLetterErrorDescription": no.description}
            source.transfer_dead_letters.bury(message, why, source.queue.path)

    def update(self, name: str, settings: QueueSettings) -> Entry:
        """New settings for a queue. Raises EntityNotFound, InvalidArgument (what cannot change)."""
        entry = self.entry(name)
        old = entry.queue.settings
        fixed = replace(
            settings,
            requires_session=old.requires_session,
            requires_duplicate_detection=old.requires_duplicate_detection,
            forward_to=old.forward_to,
            forward_dead_letters_to=old.forward_dead_letters_to,
        )
        if fixed != settings:
            raise InvalidArgument("sessions, duplicate detection and forwarding cannot be changed")
        entry.queue.settings = settings
        for buried in (entry.dead_letters, entry.transfer_dead_letters):
            buried.settings = replace(buried.settings, lock_duration_ms=settings.lock_duration_ms)
        entry.updated_at = self.world.now()
        if not entry.configured:
            self.world.journal.keep_queue(entry.name, settings, entry.created_at)
        return entry

    def delete(self, name: str) -> Entry:
        """Remove a queue and everything in it. Raises EntityNotFound."""
        entry = self.entry(name)
        del self._entries[name.lower()]
        for queue in entry.queues():
            queue.close()
        self.world.journal.drop_queue(entry.name)
        return entry

    def entry(self, name: str) -> Entry:
        """The queue of that name, and what belongs to it. Raises EntityNotFound."""
        entry = self._entries.get(name.lower())
        if entry is None:
            # The service's own words: the JavaScript client knows a missing entity by them.
            raise EntityNotFound(f"The messaging entity '{name}' could not be found.")
        return entry

    def queue(self, path: str) -> Queue:
        """The queue, or dead-letter queue, at a path. Raises EntityNotFound, NotImplementedHere."""
        key = path.lower()
        if "/subscriptions/" in key:
            raise NotImplementedHere("this broker has queues, no topics and subscriptions")
        for suffix, which in ((TRANSFER_DEAD_LETTER, 2), (DEAD_LETTER, 1)):
            if key.endswith("/" + suffix):
                return self.entry(key.removesuffix("/" + suffix)).queues()[which]
        return self.entry(key).queue

    def expire(self) -> int | None:
        """Do what is due in every queue; when there is something to do next (ms since 1970 UTC)."""
        queues = [queue for entry in self for queue in entry.queues()]
        for queue in queues:
            queue.expire()
        return min((when for queue in queues if (when := queue.next_deadline()) is not None), default=None)
