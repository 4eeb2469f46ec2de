"""A message in a queue, and the lock a receiver holds on it."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING
from uuid import UUID

from local.broker.amqp.sections import Content

if TYPE_CHECKING:
    from local.broker.entities.session import Hold


class State(IntEnum):
    """The numbers are the ones on the wire (`x-opt-message-state`)."""

    ACTIVE = 0
    DEFERRED = 1
    SCHEDULED = 2


class Message:
    """One message. All times are milliseconds since 1970 UTC."""

    __slots__ = (
        "content",
        "delivery_count",
        "enqueued_at",
        "enqueued_sequence",
        "expires_at",
        "hops",
        "lock",
        "scheduled_for",
        "sequence",
        "source",
        "state",
    )

    def __init__(self, sequence: int, content: Content, enqueued_at: int) -> None:
        self.sequence = sequence
        self.enqueued_sequence = sequence
        self.content = content
        self.enqueued_at = enqueued_at
        self.expires_at: int | None = None
        self.delivery_count = 0
        self.state = State.ACTIVE
        self.scheduled_for: int | None = None
        self.source: str | None = None
        self.lock: Lock | None = None
        # How many queues have handed it on.
        self.hops = 0

    @property
    def waiting(self) -> bool:
        """Whether a receiver could get it now."""
        return self.lock is None and self.state is State.ACTIVE


class Lock:
    """One receiver's claim on one message. Within a session the session's lock decides how long it lives."""

    __slots__ = ("_until", "hold", "message", "token")

    def __init__(self, token: UUID, message: Message, until: int, hold: Hold | None) -> None:
        self.token = token
        self.message = message
        self.hold = hold
        self._until = until

    @property
    def until(self) -> int:
        """When the lock ends (ms since 1970 UTC)."""
        return self._until if self.hold is None else self.hold.until

    def extend(self, until: int) -> None:
        """Move the end of the lock."""
        self._until = until

    def live(self, now: int) -> bool:
        """Whether the lock still counts."""
        if self.message.lock is not self or now >= self.until:
            return False
        return self.hold is None or self.hold.session.hold is self.hold
