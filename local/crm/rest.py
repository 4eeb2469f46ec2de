"""The legacy CRM's REST interface.

GET    /{collection}        ?limit= &cursor=   {"records": [...], "etags": {id: etag}, "next": cursor}
POST   /{collection}        Idempotency-Key    201 with Location and ETag; same key again: 200, same record
GET    /{collection}/{id}                      200 with ETag; 404
PUT    /{collection}/{id}   If-(None-)Match    create (201) or replace (200): what an import or a person does
PATCH  /{collection}/{id}   If-Match           200 with the new ETag; 404; 412 stale
DELETE /{collection}/{id}   If-Match           204; 404; 412
POST   /{collection}/{id}/merge  {"loser": id}  200: that record is merged into this one; again: 200; 404; 412
GET    /changes             ?since= &limit=    {"changes": [...], "next": cursor}
GET    /health                                 200 when ready
POST   /admin/export        {"folder"}         an export drop in that folder; default: named by the instant
GET    /admin/requests                         see local.crm.traffic
/admin/faults                                  see local.loopback.faults

These are Allegory's words. Another system's headers, parameters, feed and members are called as its
declaration says (`shared/core/rest.py`).

A record is a JSON object of text, one member per column of the file export. A wrong column is 422 by name.
`Authorization: Bearer <key>` is the integration; a wrong key is 401; no Authorization is a person at this
machine, named by `X-User` if at all.
"""

import json
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from local.crm.declaration import Collection, System
from local.crm.drop import file_of, laid_out, write_drop
from local.crm.records import SCHEMA, Condition, InvalidRecord, Records, StaleVersion, Stored, instant
from local.crm.traffic import RequestLog
from local.loopback.database import open_database
from local.loopback.faults import Faults
from local.loopback.server import LoopbackServer
from shared.core.rest import ChangeFeed, Event, Rest

INTEGRATION = "integration"
PERSON = "person"

_PAGE = 100
_LONGEST_PAGE = 1000
_EVERYTHING = 1_000_000_000

Handler = Callable[[Request], Awaitable[Response]]


def _now() -> datetime:
    return datetime.now(UTC)


_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class _BadRequest(ValueError):
    """A query parameter, header or body cannot be read."""


def _refused(status: HTTPStatus, reason: str) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else {}
    return JSONResponse({"error": reason}, status, headers)


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name) or str(default)
    if not text.isascii() or not text.isdigit():
        raise _BadRequest(f"{name}: not one of ours")
    return int(text)


def _limit(request: Request, name: str) -> int:
    return min(max(_number(request, name, _PAGE), 1), _LONGEST_PAGE)


def _condition(request: Request, rest: Rest) -> Condition:
    match, none_match = request.headers.get(rest.condition), request.headers.get("if-none-match")
    if none_match is not None and none_match != "*":
        raise _BadRequest("If-None-Match: only *")
    if match is None or match == "*":
        return Condition(present=match == "*", absent=none_match == "*")
    version = match.removeprefix('"').removesuffix('"')
    # An ETag of some other make fits no version.
    return Condition(version=int(version) if version.isascii() and version.isdigit() else -1)


async def _fields(request: Request) -> Any:
    try:
        return await request.json()
    except json.JSONDecodeError as invalid:
        raise _BadRequest("the body is not JSON") from invalid


def _etag(stored: Stored) -> str:
    return f'"{stored.version}"'


class Crm:
    """The routes over the records."""

    def __init__(
        self,
        system: System,
        records: Records,
        api_key_file: Path | None,
        drop_url: str | None,
        now: Callable[[], datetime],
    ) -> None:
        self._collections = {collection.name: collection for collection in system.collections}
        self._system = system
        self._rest = system.rest
        self._records = records
        self._api_key_file = api_key_file
        self._drop_url = drop_url
        self._now = now

    def _who(self, request: Request) -> str | None:
        """Who is asking; None when the key is wrong."""
        authorization = request.headers.get("authorization")
        if authorization is None:
            return request.headers.get("x-user") or PERSON
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        # Read each time, so that a rotated key counts from the next request on.
        key = token.encode() if self._api_key_file is None else self._api_key_file.read_bytes().strip()
        return INTEGRATION if secrets.compare_digest(token.encode(), key) else None

    def guarded(self, handler: Handler) -> Handler:
        """`handler` behind the key, with what records and requests raise told as HTTP says it."""

        async def answered(request: Request) -> Response:
            who = self._who(request)
            if who is None:
                return _refused(HTTPStatus.UNAUTHORIZED, "the API key is wrong")
            request.state.who = who
            try:
                return await handler(request)
            except InvalidRecord as invalid:
                return _refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(invalid))
            except _BadRequest as bad:
                return _refused(HTTPStatus.BAD_REQUEST, str(bad))
            except StaleVersion:
                return _refused(HTTPStatus.PRECONDITION_FAILED, "the record is at another version")
            except LookupError as missing:
                return _refused(HTTPStatus.NOT_FOUND, str(missing.args[0]))

        return answered

    def _collection(self, request: Request) -> Collection:
        collection = self._collections.get(request.path_params["collection"])
        if collection is None:
            raise LookupError("no such collection")
        return collection

    def _answer(self, stored: Stored, status: HTTPStatus = HTTPStatus.OK, location: str = "") -> Response:
        headers = {self._rest.version: _etag(stored)} | ({"Location": location} if location else {})
        return JSONResponse(stored.fields, status, headers)

    async def collection(self, request: Request) -> Response:
        """List a collection, or create in it."""
        collection = self._collection(request)
        if request.method == "POST":
            stored, new = self._records.create(
                collection,
                await _fields(request),
                request.state.who,
                request.headers.get(self._rest.idempotency) or None,
            )
            status = HTTPStatus.CREATED if new else HTTPStatus.OK
            return self._answer(stored, status, f"/{collection.name}/{stored.id}")
        words = self._rest.listing
        after, limit = _number(request, words.cursor, 0), _limit(request, words.limit)
        page, more = self._records.page(collection, after, limit)
        return JSONResponse(
            {
                words.records: [stored.fields for stored in page],
                "etags": {stored.id: _etag(stored) for stored in page},
                words.next: None if more is None else str(more),
            }
        )

    async def record(self, request: Request) -> Response:
        """Read, replace, merge or delete one record."""
        collection, record_id = self._collection(request), request.path_params["id"]
        who, condition = request.state.who, _condition(request, self._rest)
        if request.method == "PUT":
            fields = await _fields(request)
            stored, new = self._records.replace(collection, record_id, fields, who, condition)
            return self._answer(stored, HTTPStatus.CREATED if new else HTTPStatus.OK)
        if request.method == "PATCH":
            fields = await _fields(request)
            return self._answer(self._records.merge(collection, record_id, fields, who, condition))
        if request.method == "DELETE":
            self._records.delete(collection, record_id, who, condition)
            return Response(status_code=HTTPStatus.NO_CONTENT)
        found = self._records.read(collection, record_id)
        if found is None:
            raise LookupError("no such record")
        return self._answer(found)

    async def merge(self, request: Request) -> Response:
        """Merge another record of the collection into this one."""
        collection, given = self._collection(request), await _fields(request)
        loser = given.get("loser") if isinstance(given, dict) else None
        if not isinstance(loser, str) or not loser:
            raise _BadRequest("loser: the id of a record")
        pair = (request.path_params["id"], loser)
        united = self._records.unite(
            self._collections.values(), collection, pair, request.state.who, _condition(request, self._rest)
        )
        return self._answer(united)

    async def content(self, request: Request) -> Response:
        """Read an attachment's file, or a part of it (`Range: bytes=a-b`), or put it there."""
        attachment = request.path_params["id"]
        if request.method == "PUT":
            self._records.put_content(attachment, await request.body())
            return Response(status_code=HTTPStatus.NO_CONTENT)
        content = self._records.content(attachment)
        span = _RANGE.fullmatch(request.headers.get("range", ""))
        if span is None:
            return Response(content, media_type="application/octet-stream")
        start, end = int(span[1]), int(span[2])
        if start >= len(content):
            return _refused(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "Range: behind the end of the file")
        part = content[start : end + 1]
        told = {"Content-Range": f"bytes {start}-{start + len(part) - 1}/{len(content)}"}
        return Response(part, HTTPStatus.PARTIAL_CONTENT, told, "application/octet-stream")

    async def changes(self, request: Request) -> Response:
        """Tell what changed after a cursor."""
        feed = self._rest.feed
        if feed is None:
            raise LookupError("no feed")
        since = _number(request, feed.since, 0)
        found = self._records.changes(since, _limit(request, feed.limit))
        entities = {name: collection.entity for name, collection in self._collections.items()}
        changes = [_told(feed, entities[change["collection"]], change) for change in found]
        after = found[-1]["cursor"] if found else str(since)
        return JSONResponse({feed.changes: changes, feed.next: after})

    async def export(self, request: Request) -> Response:
        """Write an export drop and answer with its manifest."""
        if self._drop_url is None:
            return _refused(HTTPStatus.CONFLICT, "started without --drop-url")
        given = await _fields(request) if await request.body() else {}
        folder = given.get("folder") if isinstance(given, dict) else None
        exported_at = self._now()
        if folder is None:
            folder = f"{exported_at:%Y%m%dT%H%M%S.%fZ}"
        if not isinstance(folder, str) or ".." in folder:
            raise _BadRequest("folder: a name")
        files, contents = [], {}
        for collection in self._system.collections:
            live, _ = self._records.page(collection, 0, _EVERYTHING)
            told = ((each.id, each.fields) for each in live)
            rows, more = laid_out(collection, told, self._records.content)
            files.append(file_of(collection, rows))
            contents.update(more)
        url = f"{self._drop_url.rstrip('/')}/{folder}".rstrip("/")
        manifest = await run_in_threadpool(
            write_drop, url, self._system, instant(exported_at), files, contents
        )
        return JSONResponse({"url": url, "manifest": manifest}, HTTPStatus.CREATED)


def _told(feed: ChangeFeed, entity: str, change: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of the feed, in the system's words."""
    words = {event: word for word, event in feed.events.items()}
    event = Event(change["operation"])
    if event not in words:
        event = Event.DELETED if event is Event.MERGED else Event.UPDATED
    entry = {
        "collection": change["collection"],
        feed.cursor: change["cursor"],
        feed.entity: entity,
        feed.id: change["id"],
        feed.operation: words[event],
        feed.at: change["changed_at"],
        feed.by: change["changed_by"],
        feed.record: change["record"],
    }
    return entry | ({feed.into: change["into"]} if event is Event.MERGED else {})


async def _health(_request: Request) -> Response:
    return JSONResponse({"state": "Running"})


def application(
    system: System,
    *,
    store: Path | None = None,
    api_key_file: Path | None = None,
    drop_url: str | None = None,
    now: Callable[[], datetime] = _now,
    random: Random | None = None,
) -> ASGIApp:
    """The CRM as an ASGI application over a SQLite file, or over memory when `store` is None."""
    records = Records(open_database(store, SCHEMA), now, random or Random())  # noqa: S311  # ids, not secrets
    crm = Crm(system, records, api_key_file, drop_url, now)
    faults, log, files = Faults(), RequestLog(), system.rest.files or "attachments"
    routes = [
        Route("/health", _health),
        *faults.routes(),
        *log.routes(),
        Route("/admin/export", crm.guarded(crm.export), methods=["POST"]),
        *([Route(f"/{feed.path}", crm.guarded(crm.changes))] if (feed := system.rest.feed) else []),
        Route(f"/{files}/{{id}}/content", crm.guarded(crm.content), methods=["GET", "PUT"]),
        Route("/{collection}", crm.guarded(crm.collection), methods=["GET", "POST"]),
        Route("/{collection}/{id:path}/merge", crm.guarded(crm.merge), methods=["POST"]),
        Route("/{collection}/{id:path}", crm.guarded(crm.record), methods=["GET", "PUT", "PATCH", "DELETE"]),
    ]
    return log.wrap(faults.wrap(Starlette(routes=routes)))


def start(
    system: System,
    port: int = 0,
    *,
    store: Path | None = None,
    api_key_file: Path | None = None,
    drop_url: str | None = None,
    now: Callable[[], datetime] = _now,
    random: Random | None = None,
) -> LoopbackServer:
    """Serve the CRM from a thread."""
    return LoopbackServer(
        application(
            system, store=store, api_key_file=api_key_file, drop_url=drop_url, now=now, random=random
        ),
        port,
    )
