"""The admin port: health, counts and faults as JSON of our own, and queues as the administration client
wants them.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from local.broker.admin.atom import entry_document, error_document, feed_document, read_settings
from local.broker.admin.http import HttpRequest, HttpResponse
from local.broker.entities.errors import EntityNotFound, InvalidArgument, NotImplementedHere, Refusal
from local.broker.entities.namespace import Entry, Namespace
from local.broker.faults import Faults

# Queues on one page of a listing, at most.
MAX_PAGE = 100

_XML = "application/atom+xml;type=entry;charset=utf-8"


class Admin:
    """Answers every request on the admin port."""

    def __init__(self, namespace: Namespace, faults: Faults, commit: Callable[[], None]) -> None:
        self._namespace = namespace
        self._faults = faults
        self._commit = commit

    def handle(self, request: HttpRequest) -> HttpResponse:
        """One answer to one request."""
        ours = request.path == "health" or request.path.startswith("admin/")
        try:
            response = self._ours(request) if ours else self._atom(request)
        except Refusal as no:
            if ours:
                return _json(no.status, {"error": no.description})
            return HttpResponse(no.status, error_document(no.status, no.description), _XML)
        self._commit()
        return response

    def _ours(self, request: HttpRequest) -> HttpResponse:
        route = (request.method, request.path)
        if route == ("GET", "health"):
            return _json(200, {"status": "healthy"})
        if route == ("GET", "admin/queues"):
            return _json(200, {"queues": [_counts(entry) for entry in self._namespace]})
        if route == ("GET", "admin/faults"):
            return _json(200, {"faults": [asdict(fault) for fault in self._faults.armed.values()]})
        if route == ("POST", "admin/faults"):
            return _json(201, asdict(self._faults.arm(_object(request.body))))
        if route == ("DELETE", "admin/faults"):
            self._faults.disarm()
            return HttpResponse(204)
        raise EntityNotFound("no such route")

    def _atom(self, request: HttpRequest) -> HttpResponse:
        namespace, name = self._namespace, request.path
        if request.method == "GET" and name.lower() == "$resources/queues":
            return _page(list(namespace), request)
        if request.method == "GET":
            return HttpResponse(200, entry_document(namespace.entry(name)), _XML)
        if request.method == "PUT" and request.headers.get("if-match"):
            return HttpResponse(
                200, entry_document(namespace.update(name, read_settings(request.body))), _XML
            )
        if request.method == "PUT":
            return HttpResponse(
                201, entry_document(namespace.create(name, read_settings(request.body))), _XML
            )
        if request.method == "DELETE":
            namespace.delete(name)
            return HttpResponse(200)
        raise NotImplementedHere("no such operation on a queue")


def _page(entries: list[Entry], request: HttpRequest) -> HttpResponse:
    skip, top = (_number(request, name, default) for name, default in (("$skip", 0), ("$top", MAX_PAGE)))
    end = skip + min(top, MAX_PAGE)
    more = f"$Resources/queues?$skip={end}&$top={top}" if end < len(entries) else None
    return HttpResponse(200, feed_document(entries[skip:end], more), _XML)


def _number(request: HttpRequest, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not text.isdecimal():
        raise InvalidArgument(f"{name}: a number")
    return int(text)


def _json(status: int, value: Any) -> HttpResponse:
    return HttpResponse(status, json.dumps(value).encode())


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError as wrong:
        raise InvalidArgument("the body is JSON") from wrong
    if not isinstance(value, dict):
        raise InvalidArgument("the body is a JSON object")
    return value


def _counts(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        **entry.queue.counts(),
        "dead_letter": len(entry.dead_letters.shelf.messages),
        "size_bytes": entry.queue.shelf.size,
    }
