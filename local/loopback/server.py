"""One ASGI application on one loopback port: as a process of its own, or on a thread of a test."""

import signal
import socket
import threading
from collections.abc import MutableMapping
from types import FrameType, TracebackType
from typing import Any, Self

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

# The key under which a request's scope carries the way to cut its connection; see `faults`.
DROP_CONNECTION = "local.drop"

_LOOPBACK = "127.0.0.1"
_GRACE_S = 1
_START_DEADLINE_S = 10.0


class _CuttableProtocol(H11Protocol):
    """HTTP/1.1 whose application may cut the connection instead of answering."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        answered_by = self.app

        async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[DROP_CONNECTION] = transport.close
            await answered_by(scope, receive, send)

        self.app = app


class _Server(uvicorn.Server):
    """A server that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


def _bind(port: int) -> socket.socket:
    # asyncio turns Nagle's delay off only for sockets that say they are TCP; with it, an answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((_LOOPBACK, port))
    return listener


def _server(app: ASGIApp) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            http=_CuttableProtocol,
            log_level="error",
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )


class LoopbackServer:
    """An ASGI application served from a thread of this process until stopped.

    `port` 0 picks a free one; `url` says which. Use it as a context manager, or call `stop`.
    Raises OSError when the port is taken and TimeoutError when the server does not come up.
    """

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        self._listener = _bind(port)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{_LOOPBACK}:{self.port}"
        self._server = _server(app)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._listener]},
            name=f"http-{self.port}",
            daemon=True,
        )
        self._thread.start()
        if not self._server.listening.wait(_START_DEADLINE_S):
            self.stop()
            raise TimeoutError(f"the server on port {self.port} did not start")

    def shut(self) -> None:
        """Take no more requests; those that run have a second."""
        self._server.should_exit = True

    def stop(self) -> None:
        """End the server; a request still held (a hanging fault) is cut after a second."""
        self.shut()
        self._thread.join()
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _leave_to_the_server(_signal: int, _frame: FrameType | None) -> None:
    """Receive the signal that uvicorn raises again after its own graceful end, so the process ends with 0."""


def serve(name: str, app: ASGIApp, port: int) -> None:
    """Serve `app` on the main thread until SIGTERM or SIGINT, with one line on start and one on stop."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave_to_the_server)
    listener = _bind(port)
    with listener:
        # From here on who connects waits for the server; before it they would be turned away.
        listener.listen()
        print(f"{name}: listening on http://{_LOOPBACK}:{listener.getsockname()[1]}", flush=True)
        _server(app).run(sockets=[listener])
    print(f"{name}: stopped", flush=True)


def in_scope(scope: Scope, prefixes: tuple[str, ...]) -> bool:
    """Whether an HTTP request's path lies under one of the prefixes."""
    path: str = scope.get("path", "")
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)
