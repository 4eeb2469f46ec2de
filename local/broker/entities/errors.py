"""Every refusal of the broker, with the condition the official clients turn into their typed exceptions.

Refusal
├── MessageLockLost          the lock expired, or was never held
├── SessionLockLost          the session's lock expired, or somebody else holds it
├── SessionCannotBeLocked    somebody holds the session now
├── MessageNotFound          no such deferred or scheduled message
├── AcceptTimeout            no session became free in time
├── QuotaExceeded            the entity is full
├── MessageTooLarge          one message, or a batch, above the limit
├── EntityNotFound           no such queue
├── EntityExists             a queue of that name is there already
├── NotAllowed               the entity does not work that way
├── InvalidArgument          a value is missing, of the wrong type or out of range
├── NotImplementedHere       a part of Service Bus this broker leaves out
├── ServerBusy               only ever injected
└── Detached                 only ever injected
"""

from typing import ClassVar


class Refusal(Exception):
    """The broker understood and says no. `status` is the code of an answer on `$management`."""

    condition: ClassVar[str] = "amqp:internal-error"
    status: ClassVar[int] = 500

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class MessageLockLost(Refusal):
    """The lock on a message expired, or was never held."""

    condition = "com.microsoft:message-lock-lost"
    status = 410


class SessionLockLost(Refusal):
    """The lock on a session expired, or somebody else holds it."""

    condition = "com.microsoft:session-lock-lost"
    status = 410


class SessionCannotBeLocked(Refusal):
    """Somebody holds the session now."""

    condition = "com.microsoft:session-cannot-be-locked"
    status = 409


class MessageNotFound(Refusal):
    """No deferred or scheduled message has that sequence number."""

    condition = "com.microsoft:message-not-found"
    status = 404


class AcceptTimeout(Refusal):
    """No session became free in time."""

    condition = "com.microsoft:timeout"
    status = 408


class QuotaExceeded(Refusal):
    """The entity is full."""

    condition = "amqp:resource-limit-exceeded"
    status = 403


class MessageTooLarge(Refusal):
    """A message, or a batch, is above the limit."""

    condition = "amqp:link:message-size-exceeded"
    status = 413


class EntityNotFound(Refusal):
    """There is no such queue."""

    condition = "amqp:not-found"
    status = 404


class EntityExists(Refusal):
    """A queue of that name is there already."""

    condition = "com.microsoft:entity-already-exists"
    status = 409


class NotAllowed(Refusal):
    """The entity does not work that way."""

    condition = "amqp:not-allowed"
    status = 400


class InvalidArgument(Refusal):
    """A value is missing, of the wrong type or out of range."""

    condition = "com.microsoft:argument-error"
    status = 400


class NotImplementedHere(Refusal):
    """A part of Service Bus that this broker leaves out."""

    condition = "amqp:not-implemented"
    status = 501


class ServerBusy(Refusal):
    """The service asks for patience. Only ever injected."""

    condition = "com.microsoft:server-busy"
    status = 503


class Detached(Refusal):
    """The service ends a link for its own reasons. Only ever injected."""

    condition = "amqp:link:detach-forced"
    status = 503
