"""What the entities ask of the world: who receives, where changes are written down, and what time it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from local.broker.entities.errors import Refusal
from local.broker.entities.settings import QueueSettings

if TYPE_CHECKING:
    from local.broker.entities.message import Lock, Message
    from local.broker.entities.session import Hold


class Receiver(Protocol):
    """A receiving link."""

    @property
    def deletes(self) -> bool:
        """Whether what is delivered is gone at once (receive-and-delete)."""

    def capacity(self) -> int:
        """How many messages it would take now."""

    def deliver(self, message: "Message", lock: "Lock | None") -> None:
        """Take one message."""

    def evict(self, reason: Refusal) -> None:
        """The queue ends the reception."""


class SessionReceiver(Receiver, Protocol):
    """A receiving link that wants a session, or has one."""

    @property
    def owner(self) -> object:
        """The connection: what is asked about a session must come from the one that holds it."""

    def granted(self, hold: "Hold") -> None:
        """It has a session now."""


class Journal(Protocol):
    """Where changes are written down. Nothing is durable before the next commit."""

    def put(self, path: str, message: "Message") -> None:
        """A message is new, or changed."""

    def remove(self, path: str, sequence: int) -> None:
        """A message is gone."""

    def count(self, path: str, last_sequence: int) -> None:
        """A sequence number was given out."""

    def session_state(self, path: str, session_id: str, state: bytes | None, updated_at: int) -> None:
        """A session's state changed; None clears it."""

    def remember(self, path: str, message_id: str, until: int) -> None:
        """A message id counts as seen until then."""

    def keep_queue(self, name: str, settings: QueueSettings, created_at: int) -> None:
        """A queue that the configuration does not name was created or updated."""

    def drop_queue(self, name: str) -> None:
        """A queue was deleted, with everything under its name."""


class Forgetful:
    """The journal of a broker without a store."""

    def put(self, path: str, message: "Message") -> None:
        """Nothing is written down."""

    def remove(self, path: str, sequence: int) -> None:
        """Nothing is written down."""

    def count(self, path: str, last_sequence: int) -> None:
        """Nothing is written down."""

    def session_state(self, path: str, session_id: str, state: bytes | None, updated_at: int) -> None:
        """Nothing is written down."""

    def remember(self, path: str, message_id: str, until: int) -> None:
        """Nothing is written down."""

    def keep_queue(self, name: str, settings: QueueSettings, created_at: int) -> None:
        """Nothing is written down."""

    def drop_queue(self, name: str) -> None:
        """Nothing is written down."""


@dataclass(frozen=True, slots=True)
class World:
    """Time, tokens, the journal, and an alarm clock (`wake_at` takes ms since 1970 UTC)."""

    now: Callable[[], int]
    new_token: Callable[[], UUID]
    journal: Journal
    wake_at: Callable[[int], None]
