"""The ticket desk's REST interface.

POST  /tickets        {key, title, body, team, priority, details} with Idempotency-Key -> 201, then 200
PATCH /tickets/{id}   {title, body, team, priority, details, status, comment}, each of them optional
GET   /tickets        ?status=open|closed &key=
GET   /tickets/{id}   with its history
GET   /               for a person
GET   /health         200 when ready
/admin/faults         see local.loopback.faults

A write needs a bearer token: the one in `--api-key-file` when given, else any.
"""

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from local.desk.page import render
from local.desk.tickets import SCHEMA, InvalidTicket, Tickets
from local.loopback.database import open_database
from local.loopback.faults import Faults
from local.loopback.server import LoopbackServer


def _now() -> datetime:
    return datetime.now(UTC)


def _refused(status: HTTPStatus, reason: str) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else {}
    return JSONResponse({"error": reason}, status, headers)


def _number(request: Request) -> int:
    prefix, _, digits = request.path_params["id"].partition("-")
    return int(digits) if prefix == "T" and digits.isascii() and digits.isdigit() else 0


class Desk:
    """The routes over the tickets."""

    def __init__(self, tickets: Tickets, api_key_file: Path | None) -> None:
        self._tickets = tickets
        self._api_key_file = api_key_file

    def _may_write(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return False
        if self._api_key_file is None:
            return True
        # Read each time, so that a rotated key counts from the next request on.
        return secrets.compare_digest(token.encode(), self._api_key_file.read_bytes().strip())

    async def tickets(self, request: Request) -> Response:
        """Open a ticket, or list them."""
        if request.method == "GET":
            query = request.query_params
            return JSONResponse(
                {"tickets": self._tickets.listed(query.get("status", ""), query.get("key", ""))}
            )
        if not self._may_write(request):
            return _refused(HTTPStatus.UNAUTHORIZED, "a write needs the desk's bearer token")
        try:
            ticket, new = self._tickets.open(
                await _fields(request), request.headers.get("idempotency-key") or None
            )
        except InvalidTicket as invalid:
            return _refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(invalid))
        status = HTTPStatus.CREATED if new else HTTPStatus.OK
        return JSONResponse(ticket, status, {"Location": f"/tickets/{ticket['id']}"})

    async def ticket(self, request: Request) -> Response:
        """Read or change one ticket."""
        if request.method == "PATCH" and not self._may_write(request):
            return _refused(HTTPStatus.UNAUTHORIZED, "a write needs the desk's bearer token")
        try:
            if request.method == "PATCH":
                return JSONResponse(self._tickets.change(_number(request), await _fields(request)))
            return JSONResponse(self._tickets.read(_number(request)))
        except InvalidTicket as invalid:
            return _refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(invalid))
        except LookupError as missing:
            return _refused(HTTPStatus.NOT_FOUND, str(missing))

    async def page(self, _request: Request) -> Response:
        """Show the whole desk to a person."""
        listed = self._tickets.listed()
        return HTMLResponse(render(self._tickets.read(int(each["id"].removeprefix("T-"))) for each in listed))


async def _fields(request: Request) -> Any:
    try:
        return await request.json()
    except json.JSONDecodeError as invalid:
        raise InvalidTicket("the body is not JSON") from invalid


async def _health(_request: Request) -> Response:
    return JSONResponse({"state": "Running"})


def application(
    store: Path | None, api_key_file: Path | None = None, now: Callable[[], datetime] = _now
) -> ASGIApp:
    """The desk as an ASGI application over a SQLite file, or over memory when `store` is None."""
    desk = Desk(Tickets(open_database(store, SCHEMA), now), api_key_file)
    faults = Faults()
    routes = [
        Route("/", desk.page),
        Route("/tickets", desk.tickets, methods=["GET", "POST"]),
        Route("/tickets/{id}", desk.ticket, methods=["GET", "PATCH"]),
        Route("/health", _health),
        *faults.routes(),
    ]
    return faults.wrap(Starlette(routes=routes))


def start(
    port: int = 0,
    store: Path | None = None,
    api_key_file: Path | None = None,
    now: Callable[[], datetime] = _now,
) -> LoopbackServer:
    """Serve the desk from a thread."""
    return LoopbackServer(application(store, api_key_file, now), port)
