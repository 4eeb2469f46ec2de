"""What the listeners ask of Service Bus."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class LockLost(Exception):
    """The message or the session is no longer locked for this receiver; what was done may be done again."""


class Disconnected(Exception):
    """The broker, the connection or the link is gone; a new receiver may do better."""


@dataclass(frozen=True, slots=True)
class Message:
    """A locked message. `delivery_count` is 1 the first time; `token` is what its receiver settles it by."""

    body: bytes
    message_id: str
    sequence_number: int
    delivery_count: int
    enqueued_at: datetime
    expires_at: datetime
    locked_until: datetime
    lock_token: str
    token: Any = field(repr=False, compare=False)
    session_id: str | None = None
    content_type: str | None = None
    correlation_id: str | None = None
    subject: str | None = None
    to: str | None = None
    reply_to: str | None = None
    reply_to_session_id: str | None = None
    partition_key: str | None = None
    transaction_partition_key: str | None = None
    dead_letter_source: str | None = None
    application_properties: Mapping[str, Any] = field(default_factory=dict)


class Receiver(Protocol):
    """Messages, locked, of a queue or of the one session it holds. One at a time; may raise Disconnected."""

    @property
    def session_id(self) -> str | None:
        """The session held; None for a queue without sessions."""
        ...

    @property
    def locked_until(self) -> datetime | None:
        """Until when the session is held."""
        ...

    async def receive(self, wait_s: float) -> Message | None:
        """The next message, or None if none comes in time. Raises LockLost when the session is lost."""
        ...

    async def complete(self, message: Message) -> None:
        """Done with it. Raises LockLost."""
        ...

    async def abandon(self, message: Message) -> None:
        """Back to its place in the queue at once, one delivery more on its count. Raises LockLost."""
        ...

    async def renew(self, message: Message | None = None) -> datetime:
        """Hold the session (or, without one, the message) longer; returns until when. Raises LockLost."""
        ...

    async def close(self) -> None:
        """Give up the session and every message not settled. Never raises."""
        ...


class Bus(Protocol):
    """One namespace."""

    async def accept_session(self, queue: str, wait_s: float) -> Receiver | None:
        """The next session that has messages and no holder, or None if there is none in time."""
        ...

    async def open(self, path: str) -> Receiver:
        """A receiver of a queue without sessions, or of `queue/$deadletterqueue`."""
        ...

    async def close(self) -> None:
        """Close everything."""
        ...
