"""One turn of the event loop: what it changed is made durable before what it says leaves the process."""

import asyncio
from collections.abc import Callable
from typing import Protocol


class Flushes(Protocol):
    """A connection with bytes waiting."""

    def flush(self) -> None:
        """Hand the waiting bytes to the network."""

    def drop(self) -> None:
        """Cut the line."""


class Turn:
    """Collects the connections that want to speak; at the end of the turn commits once, then lets them.

    That is the group commit: a client never sees an acknowledgement of something that a kill could undo.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, commit: Callable[[], None] | None) -> None:
        """Without anything to `commit` there is nothing to gather: each input is answered at once."""
        self.inbox = memoryview(bytearray(65536))
        self._loop = loop
        self._commit = commit
        self._waiting: dict[Flushes, None] = {}
        self._planned = False
        self._inside = False
        self.failed: asyncio.Future[None] = loop.create_future()

    def __enter__(self) -> None:
        """An input is worked on."""
        self._inside = True

    def __exit__(self, *details: object) -> None:
        """It is done with."""
        self._inside = False
        if self._commit is None:
            self.end()
        else:
            self.touch()

    def speak(self, connection: Flushes) -> None:
        """Flush this connection at the end of the turn."""
        self._waiting[connection] = None
        self.touch()

    def touch(self) -> None:
        """Commit at the end of the turn, even if nobody is told."""
        if not self._planned and not self._inside:
            self._planned = True
            self._loop.call_soon(self._end_planned)

    def end(self) -> None:
        """Commit now, and let everybody speak. When the commit fails nobody is answered, and the broker
        must stop.
        """
        self._planned = False
        waiting, self._waiting = self._waiting, {}
        try:
            if self._commit is not None:
                self._commit()
        except Exception as wrong:  # noqa: BLE001  # whatever it was, `failed` carries it to who runs the broker
            for connection in waiting:
                connection.drop()
            if not self.failed.done():
                self.failed.set_exception(wrong)
            return
        for connection in waiting:
            connection.flush()

    def _end_planned(self) -> None:
        if self._planned:
            self.end()
