"""The desk at which this machine's people use a CRM that has no interface for programs.

GET    /health                          200 when ready
GET    /admin/records/{module}          every record
PUT    /admin/records/{module}/{id}     create (201) or replace (200); a PATCH writes the columns given
GET, DELETE the same                    404 when it is not there
                                        a document's bytes are its Content, as base64; the files attached to
                                        an activity are named in its Attachments by their documents' ids
POST   /admin/export                    an export drop: {"folder", "quirks": [...], "module", "rows"}
POST   /admin/import                    every workbook that waits in the import place: {"quirks": [...]}

Quirks of an export: half_written, no_comments, title_rows, truncated (after `rows`), renamed_sheet; the last
three show in the sheet of `module`. Of an import: refuses (its first row), late (answers with the next run),
partly (answers every other row), mute (answers none), loses (the workbooks), shuffled (columns), half_written
(answers). Whoever brings credentials is no person: 403, there is no API.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from local.crm.sheets.declaration import Module, SheetSystem
from local.crm.sheets.drop import QUIRKS, Wanted, write_drop
from local.crm.sheets.importer import IMPORT_QUIRKS, IMPORTED, Importer
from local.crm.sheets.records import SCHEMA, Records, WrongError
from local.loopback.database import open_database
from local.loopback.server import LoopbackServer

Handler = Callable[[Request], Awaitable[Response]]


def _now() -> datetime:
    return datetime.now(UTC)


class JobClock:
    """Exports and imports run one after the other, each in a second of its own."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._last = datetime.min.replace(tzinfo=UTC)

    def begin(self) -> datetime:
        """When the next job begins."""
        self._last = max(self._now().replace(microsecond=0), self._last + timedelta(seconds=1))
        return self._last


class Desk:
    """The routes over the records."""

    def __init__(
        self,
        system: SheetSystem,
        records: Records,
        importer: Importer | None,
        drop_url: str,
        clock: JobClock,
    ) -> None:
        self._system = system
        self._records = records
        self._importer = importer
        self._drop_url = drop_url
        self._clock = clock

    def guarded(self, handler: Handler) -> Handler:
        """`handler` for people alone, with what goes wrong told as HTTP says it."""

        async def answered(request: Request) -> Response:
            if "authorization" in request.headers:
                return _refused(HTTPStatus.FORBIDDEN, f"{self._system.name} has no API")
            try:
                return await handler(request)
            except WrongError as wrong:
                return _refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(wrong))
            except LookupError as missing:
                return _refused(HTTPStatus.NOT_FOUND, str(missing.args[0]))

        return answered

    async def module(self, request: Request) -> Response:
        """Every record of a module."""
        return JSONResponse({"records": self._records.all(self._of(request))})

    async def record(self, request: Request) -> Response:
        """Read, write or delete one record."""
        module, record_id = self._of(request), request.path_params["id"]
        before = self._records.read(module, record_id)
        if request.method == "PUT":
            self._records.write(module, record_id, await _fields(request), before)
            status = HTTPStatus.OK if before else HTTPStatus.CREATED
            return JSONResponse(self._records.read(module, record_id), status)
        if before is None:
            raise LookupError("no such record")
        if request.method == "PATCH":
            self._records.write(module, record_id, {**before, **await _fields(request)}, before)
        elif request.method == "DELETE":
            self._records.delete(module, record_id)
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return JSONResponse(self._records.read(module, record_id))

    async def export(self, request: Request) -> Response:
        """Write an export drop."""
        given = await _fields(request) if await request.body() else {}
        at = self._clock.begin()
        folder = given.get("folder") or f"{at:%Y%m%dT%H%M%S.%fZ}"
        quirks = frozenset(given.get("quirks", ()))
        if ".." in folder or quirks - QUIRKS:
            raise WrongError("folder: a name; quirks: " + ", ".join(sorted(QUIRKS)))
        wanted = Wanted(quirks, given.get("module", "companies"), int(given.get("rows", Wanted().rows)))
        url = f"{self._drop_url.rstrip('/')}/{folder}"
        records = {module.name: self._records.all(module) for module in self._system.all_modules}
        written = await run_in_threadpool(write_drop, url, self._system, at, records, wanted)
        return JSONResponse({"url": url, "files": written}, HTTPStatus.CREATED)

    async def imports(self, request: Request) -> Response:
        """Run the imports that wait."""
        given = await _fields(request) if await request.body() else {}
        quirks = frozenset(given.get("quirks", ()))
        if self._importer is None:
            raise LookupError(f"{self._system.name} was given no place to import from")
        if quirks - IMPORT_QUIRKS:
            raise WrongError("quirks: " + ", ".join(sorted(IMPORT_QUIRKS)))
        run = self._importer.run
        return JSONResponse({"files": await run_in_threadpool(run, self._clock.begin(), quirks)})

    def _of(self, request: Request) -> Module:
        return self._records.module(request.path_params["module"])


async def _fields(request: Request) -> dict[str, Any]:
    try:
        given = await request.json()
    except json.JSONDecodeError as invalid:
        raise WrongError("the body is not JSON") from invalid
    if not isinstance(given, dict):
        raise WrongError("the body is not an object")
    return given


def _refused(status: HTTPStatus, reason: str) -> Response:
    return JSONResponse({"error": reason}, status)


async def _health(_request: Request) -> Response:
    return JSONResponse({"state": "Running"})


def application(
    system: SheetSystem,
    drop_url: str,
    *,
    store: Path | None = None,
    now: Callable[[], datetime] = _now,
    import_url: str | None = None,
) -> ASGIApp:
    """The desk as an ASGI application over a SQLite file, or over memory when `store` is None."""
    database = open_database(store, SCHEMA + IMPORTED)
    records = Records(system, database, now)
    importer = Importer(system, records, database, import_url) if import_url else None
    desk = Desk(system, records, importer, drop_url, JobClock(now))
    people = desk.guarded
    return Starlette(
        routes=[
            Route("/health", _health),
            Route("/admin/export", people(desk.export), methods=["POST"]),
            Route("/admin/import", people(desk.imports), methods=["POST"]),
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
    import_url: str | None = None,
) -> LoopbackServer:
    """Serve the desk from a thread."""
    app = application(system, drop_url, store=store, now=now, import_url=import_url)
    return LoopbackServer(app, port)
