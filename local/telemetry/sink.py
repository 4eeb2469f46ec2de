"""The ingestion endpoint of Application Insights, and a read side of our own.

POST /v2/track, /v2.1/track   a JSON array, one object, or one object per line; gzip accepted
GET  /items                   ?type= &message_id= &since= &limit=   what was kept, oldest first
DELETE /items                 forget everything
GET  /health                  200 when ready
/admin/faults                 see local.loopback.faults
"""

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from local.loopback.database import open_database
from local.loopback.faults import Faults
from local.loopback.server import LoopbackServer
from local.telemetry.items import SCHEMA, InvalidItem, Item, Items, parse_item

# An ingestion endpoint written with its closing slash, as Azure writes it, makes exporters send two.
_TRACK = ("/v2/track", "/v2.1/track", "//v2/track", "//v2.1/track")
_DEFAULT_LIMIT = 10_000


def _now() -> datetime:
    return datetime.now(UTC)


def _envelopes(body: bytes, encoding: str) -> list[Any]:
    text = (gzip.decompress(body) if encoding == "gzip" else body).decode()
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    return whole if isinstance(whole, list) else [whole]


class Sink:
    """The routes over the kept items."""

    def __init__(self, items: Items, now: Callable[[], datetime]) -> None:
        self._items = items
        self._now = now

    async def track(self, request: Request) -> Response:
        """Keep what is well formed, and answer as the service does: 200 all, 206 some, 400 none of it."""
        try:
            envelopes = _envelopes(await request.body(), request.headers.get("content-encoding", ""))
        except (ValueError, OSError, EOFError, zlib.error):
            return JSONResponse(
                {
                    "itemsReceived": 0,
                    "itemsAccepted": 0,
                    "errors": [{"index": 0, "statusCode": 400, "message": "not JSON"}],
                },
                HTTPStatus.BAD_REQUEST,
            )
        items: list[Item] = []
        errors: list[dict[str, Any]] = []
        for index, envelope in enumerate(envelopes):
            try:
                items.append(parse_item(envelope))
            except InvalidItem as invalid:
                errors.append({"index": index, "statusCode": 400, "message": str(invalid)})
        self._items.keep(self._now(), items)
        status = HTTPStatus.OK
        if errors:
            status = HTTPStatus.PARTIAL_CONTENT if items else HTTPStatus.BAD_REQUEST
        return JSONResponse(
            {"itemsReceived": len(envelopes), "itemsAccepted": len(items), "errors": errors}, status
        )

    async def items(self, request: Request) -> Response:
        """List or forget."""
        if request.method == "DELETE":
            return JSONResponse({"forgotten": self._items.forget()})
        query = request.query_params
        try:
            since = datetime.fromisoformat(query["since"]).astimezone(UTC) if query.get("since") else None
            limit = int(query.get("limit", _DEFAULT_LIMIT))
        except ValueError:
            return JSONResponse(
                {"error": "since is an ISO 8601 instant, limit a number"}, HTTPStatus.BAD_REQUEST
            )
        listed = self._items.listed(query.get("type", ""), query.get("message_id", ""), since, limit)
        return JSONResponse({"count": len(listed), "items": listed})


async def _health(_request: Request) -> Response:
    return JSONResponse({"state": "Running"})


def application(store: Path | None, now: Callable[[], datetime] = _now) -> ASGIApp:
    """The sink as an ASGI application over a SQLite file, or over memory when `store` is None."""
    sink = Sink(Items(open_database(store, SCHEMA)), now)
    faults = Faults()
    routes = [
        *(Route(path, sink.track, methods=["POST"]) for path in _TRACK),
        Route("/items", sink.items, methods=["GET", "DELETE"]),
        Route("/health", _health),
        *faults.routes(),
    ]
    return faults.wrap(Starlette(routes=routes))


def start(port: int = 0, store: Path | None = None) -> LoopbackServer:
    """Serve the sink from a thread; point an exporter at `url` as its IngestionEndpoint."""
    return LoopbackServer(application(store), port)
