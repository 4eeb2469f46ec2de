"""Serves one part's HTTP application on the loopback interface until it is told to stop."""

import signal
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.applications import Starlette


def _ignore(_signal: int, _frame: FrameType | None) -> None:
    """Uvicorn raises the signal again once it has stopped; the stop was asked for, so it is not a fault."""


def serve(name: str, app: Starlette, *, port: int, certificate: Path, key: Path) -> None:
    """Serves `app` over HTTPS on 127.0.0.1:`port`; SIGTERM and SIGINT end it within a second, status 0."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ignore)
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        log_level="warning",
        # Query strings and headers of these parts carry credentials.
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    print(f"{name}: answering on https://127.0.0.1:{port}", flush=True)
    uvicorn.Server(config).run()
    print(f"{name}: stopped", flush=True)
