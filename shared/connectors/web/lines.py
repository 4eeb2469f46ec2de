"""The connections to one far side, each an HTTP client of its own.

httpx looks at every connection of a pool for every request, with a system call or two for each, so that a
request through a wide pool costs several times its own work. A pool of one has nothing to look through.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


class Lines:
    """At most `most` connections of one event loop, opened as they are needed.

    The one given back last is taken first, so that no more of them stay warm than the traffic needs.
    """

    def __init__(self, opened: "Callable[[], httpx.AsyncClient]", most: int) -> None:
        self._opened = opened
        self._room = asyncio.Semaphore(most)
        self._free: list[httpx.AsyncClient] = []
        self._closed = False

    @asynccontextmanager
    async def line(self, patience_s: float) -> "AsyncIterator[httpx.AsyncClient]":
        """A connection for one request; raises TimeoutError when none becomes free in time."""
        async with asyncio.timeout(patience_s):
            await self._room.acquire()
        client = self._free.pop() if self._free else self._opened()
        try:
            yield client
        finally:
            self._free.append(client)
            self._room.release()
            if self._closed:
                await self.aclose()

    async def aclose(self) -> None:
        """Close every connection; one that is in use when it is given back."""
        self._closed = True
        while self._free:
            await self._free.pop().aclose()
