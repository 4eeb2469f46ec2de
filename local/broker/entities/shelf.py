"""What a queue holds: its messages by sequence number, their deadlines, and the ids it has seen lately."""

from collections import OrderedDict
from collections.abc import Iterator

from local.broker.amqp.sections import Content
from local.broker.entities.deadlines import Deadlines
from local.broker.entities.errors import MessageNotFound
from local.broker.entities.message import Message, State
from local.broker.entities.ports import World


class Shelf:
    """Messages in sequence order. Every change is written to the journal in the same call."""

    def __init__(self, path: str, world: World) -> None:
        self.messages: dict[int, Message] = {}
        self.size = 0
        self.last_sequence = 0
        self._path = path
        self._world = world
        self._expiring = Deadlines(self._expires_at)
        self._scheduled = Deadlines(self._scheduled_for)
        self._seen: OrderedDict[str, int] = OrderedDict()

    def next_sequence(self) -> int:
        """A number that no message of this queue has had, or will have after a restart."""
        self.last_sequence += 1
        self._world.journal.count(self._path, self.last_sequence)
        return self.last_sequence

    def add(self, message: Message) -> None:
        """Keep a new message."""
        self.restore(message)
        self._world.journal.put(self._path, message)

    def restore(self, message: Message) -> None:
        """Keep a message that the journal knows already."""
        self.messages[message.sequence] = message
        self.size += message.content.size
        living = len(self.messages)
        if message.state is State.SCHEDULED and message.scheduled_for is not None:
            self._scheduled.add(message.scheduled_for, message.sequence, living)
            self._world.wake_at(message.scheduled_for)
        if message.expires_at is not None:
            self._expiring.add(message.expires_at, message.sequence, living)
            self._world.wake_at(message.expires_at)

    def changed(self, message: Message, content: Content | None = None) -> None:
        """Keep what changed about a message, its content included."""
        if content is not None:
            self.size += content.size - message.content.size
            message.content = content
        self._world.journal.put(self._path, message)

    def remove(self, message: Message) -> None:
        """The message is gone from here."""
        del self.messages[message.sequence]
        self.size -= message.content.size
        self._world.journal.remove(self._path, message.sequence)

    def find(self, sequence: int, state: State) -> Message:
        """The message of that number in that state. Raises MessageNotFound."""
        message = self.messages.get(sequence)
        if message is None or message.state is not state:
            raise MessageNotFound(f"no {state.name.lower()} message has that sequence number")
        return message

    def seen(self, message_id: str, window_ms: int) -> bool:
        """Whether a message of that id came within the window; from now on it did."""
        now = self._world.now()
        while self._seen and next(iter(self._seen.values())) <= now:
            self._seen.popitem(last=False)
        if message_id in self._seen:
            return True
        self.restore_seen(message_id, now + window_ms)
        self._world.journal.remember(self._path, message_id, now + window_ms)
        return False

    def restore_seen(self, message_id: str, until: int) -> None:
        """An id the journal remembers."""
        self._seen[message_id] = until

    def to_enqueue(self, now: int) -> Iterator[Message]:
        """The scheduled messages whose time has come."""
        return (self.messages[sequence] for sequence in self._scheduled.due(now))

    def to_expire(self, now: int) -> Iterator[Message]:
        """The messages whose life is over; one that is locked is left to its receiver."""
        found = (self.messages[sequence] for sequence in self._expiring.due(now))
        return (message for message in found if message.lock is None)

    def next_deadline(self) -> int | None:
        """When one of the two has something (ms since 1970 UTC)."""
        ends = [self._expiring.next(), self._scheduled.next()]
        return min((end for end in ends if end is not None), default=None)

    def _expires_at(self, sequence: int) -> int | None:
        message = self.messages.get(sequence)
        return None if message is None else message.expires_at

    def _scheduled_for(self, sequence: int) -> int | None:
        message = self.messages.get(sequence)
        return message.scheduled_for if message is not None and message.state is State.SCHEDULED else None
