"""The messages that wait for a receiver, in sequence order, whatever order they come back in."""

from collections.abc import Mapping
from heapq import heappop, heappush

from local.broker.entities.message import Message


class Waiting:
    """A heap of sequence numbers: an abandoned message returns to its own place, never to the end."""

    __slots__ = ("_messages", "_sequences")

    def __init__(self, messages: Mapping[int, Message]) -> None:
        """`messages` are all messages of the queue; one that left it, or is not waiting, is passed over."""
        self._messages = messages
        self._sequences: list[int] = []

    def add(self, message: Message) -> None:
        """The message waits (again)."""
        heappush(self._sequences, message.sequence)

    def head(self) -> Message | None:
        """The first message that waits."""
        while self._sequences:
            message = self._messages.get(self._sequences[0])
            if message is not None and message.waiting:
                return message
            heappop(self._sequences)
        return None

    def take(self) -> None:
        """Remove the head, which `head` has just shown."""
        heappop(self._sequences)
