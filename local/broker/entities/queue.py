"""A queue: messages in order, each with at most one receiver at a time, none forgotten.

This one has no sessions; `session_queue` adds them.

Everything happens in a call and at the time the world tells; `expire` does what has become due.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any
from uuid import UUID

from local.broker.amqp.sections import Content, with_application
from local.broker.entities.errors import (
    EntityNotFound,
    InvalidArgument,
    MessageLockLost,
    MessageNotFound,
    NotAllowed,
    QuotaExceeded,
    SessionLockLost,
)
from local.broker.entities.message import Lock, Message, State
from local.broker.entities.ports import Receiver, World
from local.broker.entities.session import Hold
from local.broker.entities.settings import QueueSettings
from local.broker.entities.shelf import Shelf
from local.broker.entities.waiting import Waiting

# Longer ids are refused by the service, too.
MAX_ID_LENGTH = 128


class Queue:
    """One queue, or one dead-letter queue (which has no `dead_letters` of its own)."""

    def __init__(
        self, path: str, settings: QueueSettings, world: World, dead_letters: Queue | None = None
    ) -> None:
        self.path = path
        self.settings = settings
        self.dead_letters = dead_letters
        # Where what comes here goes at once, when it does not stay.
        self.onward: Callable[[Message], None] | None = None
        self.accessed_at = world.now()
        self.shelf = Shelf(path, world)
        self._world = world
        self._waiting = Waiting(self.shelf.messages)
        self._receivers: deque[Receiver] = deque()
        # Message locks outside sessions, the one that ends first in front.
        self._locks: OrderedDict[UUID, Lock] = OrderedDict()

    def send(self, content: Content, scheduled_for: int | None = None) -> int:
        """Take a message, or drop it as a duplicate; its sequence number either way.

        Raises NotAllowed (no session id where one is needed), InvalidArgument, QuotaExceeded.
        """
        self.check(content)
        now = self.accessed_at = self._world.now()
        if self.settings.requires_duplicate_detection and self._seen(content):
            return self.shelf.last_sequence
        message = Message(self.shelf.next_sequence(), content, now)
        if scheduled_for is not None and scheduled_for > now:
            message.state, message.scheduled_for = State.SCHEDULED, scheduled_for
        else:
            message.expires_at = self._expiry(content, now)
        self.add(message)
        return message.sequence

    def take_over(self, message: Message) -> None:
        """Take a message that another queue hands on. Raises what `send` would raise."""
        self.check(message.content)
        now = self._world.now()
        if self.settings.requires_duplicate_detection and self._seen(message.content):
            return
        arrived = Message(self.shelf.next_sequence(), message.content, now)
        arrived.enqueued_sequence = message.enqueued_sequence
        arrived.source = message.source
        arrived.hops = message.hops + 1
        arrived.expires_at = self._expiry(message.content, now)
        self.add(arrived)

    def bury(self, message: Message, changes: dict[Any, Any], source: str) -> None:
        """Take a message that died in another queue, or that it could not hand on."""
        content = with_application(message.content, changes)
        buried = Message(self.shelf.next_sequence(), content, message.enqueued_at)
        buried.enqueued_sequence = message.enqueued_sequence
        buried.delivery_count = message.delivery_count
        buried.source = source
        self.add(buried)

    def check(self, content: Content) -> None:
        """Raise what `send` would raise."""
        if self.settings.requires_session and content.session_id is None:
            raise NotAllowed("the queue requires sessions: a message needs a session id")
        for name, value in (("session id", content.session_id), ("message id", content.message_id)):
            if isinstance(value, str) and len(value) > MAX_ID_LENGTH:
                raise InvalidArgument(f"{name}: at most {MAX_ID_LENGTH} characters")
        if self.shelf.size + content.size > self.settings.max_size_bytes:
            raise QuotaExceeded("the queue is full")

    def _seen(self, content: Content) -> bool:
        return self.shelf.seen(str(content.message_id), self.settings.duplicate_window_ms)

    def cancel(self, sequences: list[int]) -> None:
        """Remove scheduled messages: all or, when one is not there, none. Raises MessageNotFound."""
        for message in [self.shelf.find(sequence, State.SCHEDULED) for sequence in dict.fromkeys(sequences)]:
            self._remove(message)

    def subscribe(self, receiver: Receiver) -> None:
        """From now on the receiver gets messages, in turn with the others."""
        self._receivers.append(receiver)

    def unsubscribe(self, receiver: Receiver) -> None:
        """The receiver is gone; its message locks live until they expire."""
        if receiver in self._receivers:
            self._receivers.remove(receiver)

    def pump(self) -> None:
        """Deliver as long as a message waits and a receiver has room."""
        while self._receivers and (message := self._head(self._waiting)) is not None:
            receiver = self._next_receiver()
            if receiver is None:
                return
            self._deliver(message, self._waiting, receiver, None)

    def _next_receiver(self) -> Receiver | None:
        for _ in range(len(self._receivers)):
            receiver = self._receivers[0]
            self._receivers.rotate(-1)
            if receiver.capacity() > 0:
                return receiver
        return None

    def _head(self, waiting: Waiting) -> Message | None:
        """The first message that may be delivered; those that died waiting are put where they belong."""
        while (message := waiting.head()) is not None and self._expired(message, self._world.now()):
            self._expire(message)
        return message

    def _deliver(self, message: Message, waiting: Waiting, receiver: Receiver, hold: Hold | None) -> None:
        waiting.take()
        self.accessed_at = self._world.now()
        if receiver.deletes:
            self._remove(message)
            receiver.deliver(message, None)
        else:
            receiver.deliver(message, self._lock(message, hold))

    def complete(self, lock: Lock) -> None:
        """Done: the message is gone. Raises MessageLockLost, as the other settlements do."""
        message = self._claim(lock)
        self._unlock(lock)
        self._remove(message)

    def abandon(self, lock: Lock, changes: dict[Any, Any]) -> None:
        """Back to its place, one failed delivery richer; `changes` are application properties to set."""
        self._change(self._claim(lock), changes)
        self._give_back(lock, failed=True)

    def give_back(self, lock: Lock) -> None:
        """Back to its place as if it had never been delivered."""
        self._claim(lock)
        self._give_back(lock, failed=False)

    def defer(self, lock: Lock, changes: dict[Any, Any]) -> None:
        """Aside, until somebody asks for it by its sequence number."""
        message = self._claim(lock)
        message.state = State.DEFERRED
        message.delivery_count += 1
        self._unlock(lock)
        self.shelf.changed(message, with_application(message.content, changes))

    def dead_letter(self, lock: Lock, changes: dict[Any, Any]) -> None:
        """To the dead-letter queue. Raises NotAllowed when this is one."""
        message = self._claim(lock)
        if self.dead_letters is None:
            raise NotAllowed("a dead-lettered message cannot be dead-lettered again")
        self._unlock(lock)
        self._bury(message, self.dead_letters, changes)

    def renew(self, token: UUID) -> int:
        """Renew a message's lock; its new end (ms since 1970 UTC). Raises MessageLockLost."""
        lock = self.find_lock(token)
        self._claim(lock)
        lock.extend(self._world.now() + self.settings.lock_duration_ms)
        self._locks.move_to_end(token)
        return lock.until

    def find_lock(self, token: UUID, hold: Hold | None = None) -> Lock:
        """The lock of that token, under a hold on a session queue. Raises MessageLockLost."""
        lock = self._locks.get(token) if hold is None else hold.locks.get(token)
        if lock is None:
            raise MessageLockLost("no message is locked with that token")
        return lock

    def _change(self, message: Message, changes: dict[Any, Any]) -> None:
        if changes:
            self.shelf.changed(message, with_application(message.content, changes))

    def _lock(self, message: Message, hold: Hold | None) -> Lock:
        until = self._world.now() + self.settings.lock_duration_ms
        lock = message.lock = Lock(self._world.new_token(), message, until, hold)
        if hold is None:
            self._locks[lock.token] = lock
            self._world.wake_at(until)
        else:
            hold.locks[lock.token] = lock
        return lock

    def _claim(self, lock: Lock) -> Message:
        if lock.live(self._world.now()):
            return lock.message
        if lock.hold is not None:
            raise SessionLockLost("the lock on the session has expired")
        raise MessageLockLost("the lock on the message has expired")

    def _unlock(self, lock: Lock) -> None:
        lock.message.lock = None
        (self._locks if lock.hold is None else lock.hold.locks).pop(lock.token, None)

    def _give_back(self, lock: Lock, *, failed: bool) -> None:
        message = lock.message
        self._unlock(lock)
        if failed:
            message.delivery_count += 1
            limit = self.settings.max_delivery_count
            if self.dead_letters is not None and message.delivery_count >= limit:
                why = f"Message could not be consumed after {limit} delivery attempts."
                self._bury(message, self.dead_letters, _reason("MaxDeliveryCountExceeded", why))
                return
            self.shelf.changed(message)
        if self._expired(message, self._world.now()):
            self._expire(message)
        else:
            self._offer(message)

    def peek(self, start: int, count: int, session_id: str | None = None) -> list[Message]:
        """Up to `count` messages from a sequence number on, whatever their state, without locking any."""
        found: list[Message] = []
        now = self._world.now()
        for sequence, message in self.shelf.messages.items():
            if len(found) >= count:
                break
            if sequence < start or (session_id is not None and message.content.session_id != session_id):
                continue
            if message.lock is not None or not self._expired(message, now):
                found.append(message)
        return found

    def receive_deferred(
        self, sequences: list[int], hold: Hold | None, *, delete: bool
    ) -> list[tuple[Message, Lock]]:
        """Deferred messages by sequence number, locked, or removed when `delete`: all of them or none.

        Raises MessageNotFound.
        """
        messages = [self.shelf.find(sequence, State.DEFERRED) for sequence in dict.fromkeys(sequences)]
        for message in messages:
            if message.lock is not None or (
                hold is not None and message.content.session_id != hold.session.id
            ):
                raise MessageNotFound("no such deferred message here, or somebody has it")
        locked = [(message, self._lock(message, hold)) for message in messages]
        if delete:
            for _, lock in locked:
                self.complete(lock)
        return locked

    def counts(self) -> dict[str, int]:
        """How many messages are active, deferred and scheduled; how many of them are locked."""
        counted = {"active": 0, "deferred": 0, "scheduled": 0, "locked": 0}
        for message in self.shelf.messages.values():
            counted[message.state.name.lower()] += 1
            counted["locked"] += message.lock is not None
        return counted

    def expire(self) -> None:
        """Do what has become due: locks end, messages expire or are enqueued, waiting accepts give up."""
        now = self._world.now()
        while self._locks:
            lock = next(iter(self._locks.values()))
            if lock.until > now:
                break
            self._give_back(lock, failed=True)
        for message in self.shelf.to_enqueue(now):
            self._enqueue(message, now)
        for message in self.shelf.to_expire(now):
            self._expire(message)

    def next_deadline(self) -> int | None:
        """When `expire` has something to do next (ms since 1970 UTC)."""
        ends = [self.shelf.next_deadline()]
        if self._locks:
            ends.append(next(iter(self._locks.values())).until)
        return min((end for end in ends if end is not None), default=None)

    def close(self) -> None:
        """The queue is deleted: everybody leaves, nothing stays."""
        for receiver in self._everybody():
            receiver.evict(EntityNotFound("the entity was deleted"))
        for message in list(self.shelf.messages.values()):
            self._remove(message)

    def _enqueue(self, message: Message, now: int) -> None:
        """A scheduled message becomes an active one, under a new number."""
        self._remove(message)
        enqueued = Message(self.shelf.next_sequence(), message.content, now)
        enqueued.enqueued_sequence = message.enqueued_sequence
        enqueued.expires_at = self._expiry(message.content, now)
        enqueued.scheduled_for = message.scheduled_for
        self.add(enqueued)

    def _expire(self, message: Message) -> None:
        if self.settings.dead_letter_on_expiration and self.dead_letters is not None:
            why = "The message expired and was dead lettered."
            self._bury(message, self.dead_letters, _reason("TTLExpiredException", why))
        else:
            self._remove(message)

    def _expiry(self, content: Content, now: int) -> int | None:
        lives = [ttl for ttl in (content.ttl_ms, self.settings.default_ttl_ms) if ttl]
        return now + min(lives) if lives else None

    @staticmethod
    def _expired(message: Message, now: int) -> bool:
        return message.expires_at is not None and message.expires_at <= now

    def restore(self, message: Message) -> None:
        """Take back a message that the store kept."""
        self.shelf.restore(message)
        self._arrange(message)

    def add(self, message: Message) -> None:
        """Take a message that is complete, as it is; one that may be received is handed on if need be."""
        if self.onward is not None and message.state is not State.SCHEDULED:
            self.onward(message)
            return
        self.shelf.add(message)
        self._arrange(message)

    def _arrange(self, message: Message) -> None:
        """A message has come, new or from the store."""
        self._offer(message)

    def _remove(self, message: Message) -> None:
        """A message leaves the queue."""
        self.shelf.remove(message)

    def _offer(self, message: Message) -> None:
        """The message may go to a receiver now, if it is one that waits."""
        if message.waiting:
            self._waiting.add(message)
            self.pump()

    def _everybody(self) -> list[Receiver]:
        """Whoever receives, or wants to."""
        return list(self._receivers)

    def _bury(self, message: Message, dead_letters: Queue, changes: dict[Any, Any]) -> None:
        self._remove(message)
        dead_letters.bury(message, changes, self.path)


def _reason(reason: str, description: str) -> dict[str, str]:
    return {"DeadLetterReason": reason, "DeadLetterErrorDescription": description}
