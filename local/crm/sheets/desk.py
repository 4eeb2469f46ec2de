"""The desk at which this machine's people use a CRM that has no interface for programs.

GET    /health                          200 when ready
GET    /admin/records/{module}          every record
PUT    /admin/records/{module}/{id}     create (201) or replace (200); a PATCH writes the columns given
GET, DELETE the same                    404 when it is not there
POST   /admin/export                    an export drop: {"folder", "quirks": [...], "module", "rows"}

Quirks: half_written, no_comments, title_rows, truncated (after `rows`), renamed_sheet; the last three show in
the file of `module`. Whoever brings credentials is no person: 403, there is no API.
"""

import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from local.crm.sheets.declaration import Module, SheetSystem
from local.crm.sheets.drop import QUIRKS, Wanted, write_drop
from local.loopback.database import open_database
from local.loopback.server import LoopbackServer

_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    module TEXT NOT NULL,
    id TEXT NOT NULL,
    fields TEXT NOT NULL,
    UNIQUE (module, id)
);
"""

Handler = Callable[[Request], Awaitable[Response]]


def _now() -> datetime:
    return datetime.now(UTC)


class _Wrong(ValueError):
    """What a person typed cannot be kept."""


class Desk:
    """The routes over the records."""

    def __init__(
        self, system: SheetSystem, database: sqlite3.Connection, drop_url: str, now: Callable[[], datetime]
    ) -> None:
        self._system = system
        self._modules = {module.name: module for module in system.modules}
        self._database = database
        self._drop_url = drop_url
        self._now = now

    def guarded(self, handler: Handler) -> Handler:
        """`handler` for people alone, with what goes wrong told as HTTP says it."""

        async def answered(request: Request) -> Response:
            if "authorization" in request.headers:
                return _refused(HTTPStatus.FORBIDDEN, f"{self._system.name} has no API")
            try:
                return await handler(request)
            except _Wrong as wrong:
                return _refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(wrong))
            except LookupError as missing:
                return _refused(HTTPStatus.NOT_FOUND, str(missing.args[0]))

        return answered

    async def module(self, request: Request) -> Response:
        """Every record of a module."""
        return JSONResponse({"records": self._records(self._of(request))})

    async def record(self, request: Request) -> Response:
        """Read, write or delete one record."""
        module, record_id = self._of(request), request.path_params["id"]
        before = self._read(module, record_id)
        if request.method == "PUT":
            self._write(module, record_id, await _fields(request), before)
            status = HTTPStatus.OK if before else HTTPStatus.CREATED
            return JSONResponse(self._read(module, record_id), status)
        if before is None:
            raise LookupError("no such record")
        if request.method == "PATCH":
            self._write(module, record_id, {**before, **await _fields(request)}, before)
        elif request.method == "DELETE":
            self._database.execute("DELETE FROM record WHERE module = ? AND id = ?", (module.name, record_id))
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return JSONResponse(self._read(module, record_id))

    async def export(self, request: Request) -> Response:
        """Write an export drop."""
        given = await _fields(request) if await request.body() else {}
        at = self._now()
        folder = given.get("folder") or f"{at:%Y%m%dT%H%M%S.%fZ}"
        quirks = frozenset(given.get("quirks", ()))
        if ".." in folder or quirks - QUIRKS:
            raise _Wrong("folder: a name; quirks: " + ", ".join(sorted(QUIRKS)))
        wanted = Wanted(quirks, given.get("module", "companies"), int(given.get("rows", Wanted().rows)))
        url = f"{self._drop_url.rstrip('/')}/{folder}"
        records = {module.name: self._records(module) for module in self._system.modules}
        written = await run_in_threadpool(write_drop, url, self._system, at, records, wanted)
        return JSONResponse({"url": url, "files": written}, HTTPStatus.CREATED)

    def _of(self, request: Request) -> Module:
        module = self._modules.get(request.path_params["module"])
        if module is None:
            raise LookupError("no such module")
        return module

    def _records(self, module: Module) -> list[dict[str, str]]:
        rows = self._database.execute(
            "SELECT fields FROM record WHERE module = ? ORDER BY position", (module.name,)
        )
        return [json.loads(row["fields"]) for row in rows]

    def _read(self, module: Module, record_id: str) -> dict[str, str] | None:
        row = self._database.execute(
            "SELECT fields FROM record WHERE module = ? AND id = ?", (module.name, record_id)
        ).fetchone()
        return None if row is None else dict(json.loads(row["fields"]))

    def _write(
        self, module: Module, record_id: str, given: Mapping[str, Any], before: Mapping[str, str] | None
    ) -> None:
        if unknown := sorted(set(given) - set(module.columns)):
            raise _Wrong(f"unknown columns: {', '.join(unknown)}")
        if wrong := sorted(name for name, value in given.items() if not isinstance(value, str)):
            raise _Wrong(f"not text: {', '.join(wrong)}")
        parts = record_id.split("/")
        if len(parts) != len(module.key):
            raise _Wrong(f"an id is {'/'.join(module.key)}")
        local = self._now().astimezone(ZoneInfo(self._system.zone))
        fields = {**dict.fromkeys(module.columns, ""), **given, **dict(zip(module.key, parts, strict=True))}
        stamp = f"{local:%Y-%m-%d}" if module.created in module.days else f"{local:%Y-%m-%dT%H:%M:%S}"
        if module.created and not fields[module.created]:
            fields[module.created] = before[module.created] if before else stamp
        if module.modified:
            fields[module.modified] = stamp
        self._database.execute(
            """INSERT INTO record (module, id, fields) VALUES (?, ?, ?)
               ON CONFLICT (module, id) DO UPDATE SET fields = excluded.fields""",
            (module.name, record_id, json.dumps(fields)),
        )


async def _fields(request: Request) -> dict[str, Any]:
    try:
        given = await request.json()
    except json.JSONDecodeError as invalid:
        raise _Wrong("the body is not JSON") from invalid
    if not isinstance(given, dict):
        raise _Wrong("the body is not an object")
    return given


def _refused(status: HTTPStatus, reason: str) -> Response:
    return JSONResponse({"error": reason}, status)


async def _health(_request: Request) -> Response:
    return JSONResponse({"state": "Running"})


def application(
    system: SheetSystem, drop_url: str, *, store: Path | None = None, now: Callable[[], datetime] = _now
) -> ASGIApp:
    """The desk as an ASGI application over a SQLite file, or over memory when `store` is None."""
    desk = Desk(system, open_database(store, _SCHEMA), drop_url, now)
    people = desk.guarded
    return Starlette(
        routes=[
            Route("/health", _health),
            Route("/admin/export", people(desk.export), methods=["POST"]),
            Route("/admin/records/{module}", people(desk.module)),
            Route(
                "/admin/records/{module}/{id:path}",
                people(desk.record),
                methods=["GET", "PUT", "PATCH", "DELETE"],
            ),
        ]
    )


def start(
    system: SheetSystem,
    drop_url: str,
    port: int = 0,
    *,
    store: Path | None = None,
    now: Callable[[], datetime] = _now,
) -> LoopbackServer:
    """Serve the desk from a thread."""
    return LoopbackServer(application(system, drop_url, store=store, now=now), port)
