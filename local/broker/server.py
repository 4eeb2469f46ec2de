"""The broker as a whole: listeners, clock and alarm around the layers."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from uuid import UUID, uuid4

from local.broker.admin.http import HttpServer
from local.broker.admin.routes import Admin
from local.broker.engine.connection import Connection
from local.broker.engine.turn import Turn
from local.broker.entities.namespace import MAX_QUEUES, Namespace
from local.broker.entities.ports import Forgetful, World
from local.broker.entities.settings import QueueSettings
from local.broker.faults import Faults
from local.broker.service.router import Services
from local.broker.store import Store

HOST = "127.0.0.1"

# More than any stack on one machine opens.
MAX_CONNECTIONS = 2000

_KEY = "SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE"


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen, on the loopback interface only. Port 0 picks a free one; None leaves TLS out."""

    amqp_port: int = 0
    admin_port: int = 0
    amqps_port: int | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker that runs. The ports are the ones it listens on."""

    namespace: Namespace
    faults: Faults
    amqp_port: int
    admin_port: int
    amqps_port: int | None
    connections: set[Connection]
    # Fails when the store does: then nothing more is acknowledged, and the broker should be stopped.
    failed: asyncio.Future[None]

    @property
    def connection_string(self) -> str:
        """What a Service Bus client needs."""
        return f"Endpoint=sb://{HOST}:{self.amqp_port};{_KEY};UseDevelopmentEmulator=true;"

    @property
    def tls_connection_string(self) -> str:
        """The same over TLS: without the emulator's word, as in the cloud."""
        return f"Endpoint=sb://{HOST}:{self.amqps_port};{_KEY}"

    @property
    def admin_connection_string(self) -> str:
        """What a Service Bus administration client needs."""
        return f"Endpoint=sb://{HOST}:{self.admin_port};{_KEY};UseDevelopmentEmulator=true;"


class Alarm:
    """Wakes the queues when something is due: one timer, set to the earliest deadline anybody named."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._at: int | None = None
        self.namespace: Namespace | None = None
        self.turn: Turn | None = None

    def wake_at(self, when: int) -> None:
        """Wake no later than `when` (ms since 1970 UTC)."""
        if self._at is not None and self._at <= when:
            return
        self.stop()
        self._at = when
        # A timer may fire a hair early; one millisecond more and what is due is due.
        self._timer = self._loop.call_later(max(0, when - now_ms() + 1) / 1000, self._ring)

    def stop(self) -> None:
        """Sleep."""
        if self._timer is not None:
            self._timer.cancel()
        self._at = None

    def _ring(self) -> None:
        self._at = None
        if self.namespace is None or self.turn is None:
            return
        due = self.namespace.expire()
        self.turn.touch()
        if due is not None:
            self.wake_at(max(due, now_ms()))


def now_ms() -> int:
    """The time, in ms since 1970 UTC."""
    return time.time_ns() // 1_000_000


def tokens() -> Callable[[], UUID]:
    """Makes lock tokens: unique in this process and, by a random beginning, in any other. They guard
    nothing.
    """
    numbers = count(uuid4().int >> 48 << 48)
    return lambda: UUID(int=next(numbers))


@asynccontextmanager
async def serve(
    queues: Mapping[str, QueueSettings],
    listen: Listen | None = None,
    *,
    store: Path | None = None,
    max_queues: int = MAX_QUEUES,
) -> AsyncIterator[Broker]:
    """A broker with these queues, as long as the context lasts; with a `store` file it remembers.

    Raises StoreUnusable.
    """
    listen = listen or Listen()
    loop = asyncio.get_running_loop()
    alarm = Alarm(loop)
    kept = None if store is None else Store(store, lambda: turn.touch(), now_ms)  # noqa: PLW0108  # the turn needs the store first
    turn = Turn(loop, None if kept is None else kept.commit)
    namespace = Namespace(World(now_ms, tokens(), kept or Forgetful(), alarm.wake_at), max_queues)
    alarm.namespace, alarm.turn = namespace, turn
    for name, settings in queues.items():
        namespace.create(name, settings, configured=True)
    if kept is not None:
        kept.load(namespace)
    faults = Faults()
    services = Services(namespace, faults)
    connections: set[Connection] = set()

    def connect() -> asyncio.BaseProtocol:
        return Connection(services, turn, connections) if len(connections) < MAX_CONNECTIONS else Busy()

    servers = [await loop.create_server(connect, HOST, listen.amqp_port)]
    tls = _tls(listen)
    if listen.amqps_port is not None:
        if tls is None:
            raise ValueError("an AMQPS port needs a certificate and a key")
        servers.append(await loop.create_server(connect, HOST, listen.amqps_port, ssl=tls))
    admin = HttpServer(Admin(namespace, faults, turn.end).handle, listen.admin_port, tls)
    try:
        amqps_port = _port(servers[1]) if listen.amqps_port is not None else None
        yield Broker(namespace, faults, _port(servers[0]), admin.port, amqps_port, connections, turn.failed)
    finally:
        await admin.close()
        for server in servers:
            server.close()
        for connection in list(connections):
            connection.shut("amqp:connection:forced", "the broker stops")
        # One turn of the loop lets the last words out; who does not take them is cut off in the next.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for connection in list(connections):
            connection.drop()
        await asyncio.sleep(0)
        alarm.stop()
        if kept is not None:
            kept.close()


class Busy(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it."""
        transport.close()


@contextmanager
def in_thread(
    queues: Mapping[str, QueueSettings], listen: Listen | None = None, *, store: Path | None = None
) -> Iterator[Broker]:
    """A broker in a thread of this process: for tests that use a blocking client."""
    ready = threading.Event()
    started: list[Broker] = []
    failed: list[BaseException] = []
    halt: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        stop = asyncio.Event()
        halt.append((asyncio.get_running_loop(), stop))
        async with serve(queues, listen, store=store) as broker:
            started.append(broker)
            ready.set()
            await stop.wait()

    def main() -> None:
        try:
            asyncio.run(run())
        except BaseException as wrong:  # noqa: BLE001  # carried over to the thread that waits
            failed.append(wrong)
        finally:
            ready.set()

    thread = threading.Thread(target=main, name="broker", daemon=True)
    thread.start()
    ready.wait()
    if not started:
        thread.join()
        raise RuntimeError("the broker did not start") from failed[0]
    try:
        yield started[0]
    finally:
        loop, stop = halt[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        if failed:
            raise RuntimeError("the broker failed") from failed[0]


def _port(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


def _tls(listen: Listen) -> ssl.SSLContext | None:
    if listen.certificate is None or listen.key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(listen.certificate, listen.key)
    return context
