"""Open connections by their addresses, so that an answer can be lost on purpose."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

_OPEN: dict[tuple[Any, Any], asyncio.Transport] = {}


class TrackedProtocol(H11Protocol):
    """uvicorn's HTTP protocol, remembered while the connection is open."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Remember the connection."""
        super().connection_made(transport)
        _OPEN[self.server, self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        _OPEN.pop((self.server, self.client), None)
        super().connection_lost(exc)


def abort(server: Any, client: Any) -> None:
    """Close a connection at once, without a word."""
    transport = _OPEN.get((tuple(server), tuple(client)))
    if transport is not None:
        transport.abort()
