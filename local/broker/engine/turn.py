"""One turn of the event loop: what it changed is made durable before what it says leaves the process."""

import asyncio
from collections.abc import Callable
from typing import Protocol


class Flushes(Protocol):
    """A connection with bytes waiting."""

    def flush(self) -> None:
        """Hand the waiting bytes to the network."""


class Turn:
    """Collects the connections that want to speak; at the end of the turn commits once, then lets them.

    That is the group commit: a client never sees an acknowledgement of something that a kill could undo.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, commit: Callable[[], None]) -> None:
        self._loop = loop
        self._commit = commit
        self._waiting: dict[Flushes, None] = {}
        self._planned = False

    def speak(self, connection: Flushes) -> None:
        """Flush this connection at the end of the turn."""
        self._waiting[connection] = None
        self.touch()

    def touch(self) -> None:
        """Commit at the end of the turn, even if nobody is told."""
        if not self._planned:
            self._planned = True
            self._loop.call_soon(self._end)

    def _end(self) -> None:
        self._planned = False
        waiting, self._waiting = self._waiting, {}
        # A commit that fails must be heard: the loop's exception handler stops the broker, and nobody is answered.
        self._commit()
        for connection in waiting:
            connection.flush()
