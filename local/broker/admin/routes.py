"""The admin port: health, counts and faults as JSON of our own."""

import json
from typing import Any

from local.broker.admin.http import HttpRequest, HttpResponse
from local.broker.entities.errors import InvalidArgument, Refusal
from local.broker.entities.namespace import Entry, Namespace
from local.broker.faults import Faults


class Admin:
    """Answers every request on the admin port."""

    def __init__(self, namespace: Namespace, faults: Faults) -> None:
        self._namespace = namespace
        self._faults = faults

    def handle(self, request: HttpRequest) -> HttpResponse:
        """One answer to one request."""
        try:
            return self._route(request)
        except Refusal as no:
            return _json(no.status, {"error": no.description})

    def _route(self, request: HttpRequest) -> HttpResponse:
        route = (request.method, request.path)
        if route == ("GET", "health"):
            return _json(200, {"status": "healthy"})
        if route == ("GET", "admin/queues"):
            return _json(200, {"queues": [_counts(entry) for entry in self._namespace]})
        if route == ("GET", "admin/faults"):
            return _json(200, {"faults": [_fault(fault) for fault in self._faults]})
        if route == ("POST", "admin/faults"):
            return _json(201, _fault(self._faults.arm(_object(request.body))))
        if route == ("DELETE", "admin/faults"):
            self._faults.disarm()
            return HttpResponse(204)
        return _json(404, {"error": "no such route"})


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


def _fault(fault: Any) -> dict[str, Any]:
    return {name: getattr(fault, name) for name in ("id", "kind", "entity", "operation", "count", "delay_ms")}
