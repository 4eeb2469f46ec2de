"""Starting and stopping the simulator: one store, an HTTP and an HTTPS listener on the loopback interface."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from local.dataverse.api.metadata.changes import apply
from local.dataverse.api.organisation import Nobody, Organisation
from local.dataverse.edge.admin import Admin
from local.dataverse.edge.connections import TrackedProtocol
from local.dataverse.edge.gateway import WebApi
from local.dataverse.edge.identity import Identity
from local.dataverse.flows.definition import load_flows
from local.dataverse.flows.execution_context import ServiceEndpoint
from local.dataverse.flows.sender import Bus, Sender, ServiceBus
from local.dataverse.flows.subscribers import FlowSubscribers
from local.dataverse.schema.catalog import load_catalog
from local.dataverse.security import apply_security
from local.dataverse.seed import plant
from local.dataverse.store.database import Database, Outbox
from local.dataverse.store.rows import RowStore


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the simulator listens and what it loads; port 0 means any free port.

    `control` opens `/admin`; without it the service has no other face than the real one.
    """

    store: Path | None = None
    http_port: int = 0
    https_port: int | None = None
    cert: Path | None = None
    key: Path | None = None
    customisations: Path | None = None
    flows: Path | None = None
    servicebus: str | None = None
    service_endpoint: ServiceEndpoint | None = None
    organisation: Path | None = None
    security: Path | None = None
    control: bool = True


class Simulator:
    """A running simulator; use as a context manager or call `stop`."""

    def __init__(
        self, settings: Settings, clock: Callable[[], datetime] | None = None, bus: Bus | None = None
    ) -> None:
        self.settings = settings
        # Without a store the file lives as long as the simulator: the sender reads it from its own thread.
        self._folder = TemporaryDirectory(prefix="dataverse-") if settings.store is None else None
        self.path = path = (
            settings.store or Path(self._folder.name if self._folder is not None else ".") / "store.db"
        )
        self.catalog = load_catalog(settings.customisations, settings.organisation)
        self.database = Database(path)
        for kind, name, body in self.database.metadata():
            apply(self.catalog, kind, name, body)
        self.store = RowStore(self.database, self.catalog)
        plant(self.store)
        self.organisation = Organisation(
            self.store, clock or (lambda: datetime.now(UTC)), lambda: str(uuid4()), Nobody()
        )
        self._secure()
        if bus is None and settings.servicebus is not None:
            bus = ServiceBus(settings.servicebus)
        self.sender = Sender(path, bus) if bus is not None else None
        self.flows = self._subscribe(self.sender) if self.sender is not None else None
        self.api = WebApi(self.organisation, Identity(self.store, self.organisation.privileges))
        self._servers: list[uvicorn.Server] = []
        self._thread: threading.Thread | None = None
        self.http_url = ""
        self.https_url: str | None = None

    def start(self) -> Self:
        """Bind the ports and answer; returns when both listeners are ready."""
        admin = Admin(self.api, self.reset, self.sender, self.flows, lambda: Outbox(self.path))
        control = [Mount("/admin", routes=admin.routes())] if self.settings.control else []
        app = Starlette(routes=[Route("/health", _health), *control, Mount("/api/data", app=self.api)])
        plain = _bind(self.settings.http_port)
        self.http_url = f"http://127.0.0.1:{plain.getsockname()[1]}"
        bound = [(_server(app, None, None), plain)]
        if self.settings.cert is not None and self.settings.key is not None:
            secure = _bind(self.settings.https_port or 0)
            self.https_url = f"https://127.0.0.1:{secure.getsockname()[1]}"
            bound.append((_server(app, self.settings.cert, self.settings.key), secure))
        self._servers = [server for server, _ in bound]
        self._thread = threading.Thread(
            target=asyncio.run, args=(_serve(bound),), name="dataverse", daemon=True
        )
        self._thread.start()
        _wait_until_started(self._servers, self._thread)
        if self.sender is not None:
            self.sender.start()
        return self

    def stop(self) -> None:
        """Stop listening, then close the store."""
        for server in self._servers:
            server.should_exit = True
        if self._thread is not None:
            self._thread.join()
        if self.sender is not None:
            self.sender.stop()
        self.database.close()
        if self._folder is not None:
            self._folder.cleanup()

    def reset(self) -> None:
        """Back to the seed: every row, file, message and metadata change is gone."""
        self.database.clear()
        fresh = load_catalog(self.settings.customisations, self.settings.organisation)
        self.catalog.become(fresh)
        self.store.load()
        plant(self.store)
        self._secure()

    def _secure(self) -> None:
        """The roles of the security file; what was assigned at run time stays until a reset."""
        if self.settings.security is not None:
            apply_security(self.organisation, json.loads(self.settings.security.read_text("utf-8")))

    def _subscribe(self, sender: Sender) -> FlowSubscribers:
        organisation = self.organisation
        subscribers = FlowSubscribers(
            load_flows(self.settings.flows),
            organisation,
            organisation.clock,
            organisation.new_id,
            self.settings.service_endpoint,
            sender.wake,
        )
        organisation.subscribers = subscribers
        return subscribers

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    settings: Settings | None = None,
    *,
    clock: Callable[[], datetime] | None = None,
    bus: Bus | None = None,
) -> Simulator:
    """Start a simulator; its `http_url` and `https_url` say where it answers.

    `clock` gives the time of the service; `bus` takes the messages of flows in place of a Service Bus
    namespace.
    """
    return Simulator(settings or Settings(), clock, bus).start()


async def _health(_request: HttpRequest) -> JSONResponse:
    return JSONResponse({"status": "ok"})


def _bind(port: int) -> socket.socket:
    # Named outright: asyncio turns Nagle's delay off only for a socket that says it is TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def _server(app: Starlette, cert: Path | None, key: Path | None) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="asyncio",
            http=TrackedProtocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            server_header=False,
            ssl_certfile=str(cert) if cert is not None else None,
            ssl_keyfile=str(key) if key is not None else None,
            h11_max_incomplete_event_size=256 * 1024,  # GET addresses may be 64 KiB long
            timeout_keep_alive=75,
            timeout_graceful_shutdown=1,
        )
    )


async def _serve(bound: list[tuple[uvicorn.Server, socket.socket]]) -> None:
    await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in bound))


def _wait_until_started(servers: list[uvicorn.Server], thread: threading.Thread) -> None:
    pause = threading.Event()
    while not all(server.started for server in servers):
        if not thread.is_alive():
            raise RuntimeError("the simulator could not start; its log says why")
        pause.wait(0.01)
