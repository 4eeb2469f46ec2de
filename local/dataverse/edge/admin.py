"""`/admin`: what tests and operators of the local stack steer. Answers callers on this machine only."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields, replace
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.dataverse.edge.gateway import WebApi
from local.dataverse.faults import Faults
from local.dataverse.flows.sender import Sender
from local.dataverse.flows.subscribers import FlowSubscribers
from local.dataverse.security import apply_security, shown_security
from local.dataverse.store.database import Outbox

S = TypeVar("S")
Handler = Callable[[Request], Awaitable[Response]]


class Admin:
    """The administration routes of one simulator."""

    def __init__(
        self,
        api: WebApi,
        reset: Callable[[], None],
        sender: Sender | None,
        flows: FlowSubscribers | None,
        outbox: Callable[[], Outbox],
    ) -> None:
        self._api = api
        self._reset = reset
        self._sender = sender
        self._flows = flows
        self._outbox = outbox

    def routes(self) -> list[Route]:
        """All routes below /admin."""
        table: list[tuple[str, str, Handler]] = [
            ("/requests", "GET", self._requests),
            ("/requests", "DELETE", self._forget_requests),
            ("/faults", "GET", self._faults),
            ("/faults", "POST", self._add_fault),
            ("/faults", "DELETE", self._clear_faults),
            ("/limits", "GET", self._limits),
            ("/limits", "PUT", self._set_limits),
            ("/latency", "GET", self._latency),
            ("/latency", "PUT", self._set_latency),
            ("/privileges", "GET", self._privileges),
            ("/privileges", "PUT", self._set_privileges),
            ("/security", "GET", self._security),
            ("/security", "PUT", self._set_security),
            ("/flows", "GET", self._delivery),
            ("/flows", "PUT", self._set_delivery),
            ("/store", "GET", self._store),
            ("/reset", "POST", self._reset_all),
        ]
        return [Route(path, _local_only(handler), methods=[method]) for path, method, handler in table]

    async def _requests(self, _request: Request) -> Response:
        return JSONResponse({**self._api.log.summary(), "rows_written": dict(self._api.organisation.written)})

    async def _forget_requests(self, _request: Request) -> Response:
        self._forget()
        return Response(status_code=204)

    def _forget(self) -> None:
        self._api.log.reset()
        self._api.organisation.written.clear()

    async def _faults(self, _request: Request) -> Response:
        return JSONResponse([asdict(fault) for fault in self._api.faults.active])

    async def _add_fault(self, request: Request) -> Response:
        faults: Faults = self._api.faults
        return JSONResponse(asdict(faults.add(await request.json())), status_code=201)

    async def _clear_faults(self, _request: Request) -> Response:
        self._api.faults.clear()
        return Response(status_code=204)

    async def _limits(self, _request: Request) -> Response:
        return JSONResponse(asdict(self._api.limits.settings))

    async def _set_limits(self, request: Request) -> Response:
        limits = self._api.limits
        limits.settings = _changed(limits.settings, await request.json())
        limits.reset()
        return JSONResponse(asdict(limits.settings))

    async def _latency(self, _request: Request) -> Response:
        return JSONResponse(asdict(self._api.latency))

    async def _set_latency(self, request: Request) -> Response:
        self._api.latency = _changed(self._api.latency, await request.json())
        return JSONResponse(asdict(self._api.latency))

    async def _privileges(self, _request: Request) -> Response:
        denied = self._api.organisation.privileges.denied
        return JSONResponse({user: sorted(names) for user, names in denied.items()})

    async def _set_privileges(self, request: Request) -> Response:
        body = await request.json()
        self._api.organisation.privileges.deny(str(body["user"]).lower(), set(body["denied"]))
        return await self._privileges(request)

    async def _security(self, _request: Request) -> Response:
        return JSONResponse(shown_security(self._api.organisation))

    async def _set_security(self, request: Request) -> Response:
        apply_security(self._api.organisation, await request.json())
        return await self._security(request)

    async def _delivery(self, _request: Request) -> Response:
        outbox = self._outbox()
        try:
            counts = outbox.counts()
        finally:
            outbox.close()
        delivery = asdict(self._sender.delivery) if self._sender is not None else None
        failures = self._flows.failures if self._flows is not None else []
        return JSONResponse({"outbox": counts, "delivery": delivery, "failures": failures})

    async def _set_delivery(self, request: Request) -> Response:
        if self._sender is None:
            raise ValueError("there is no bus to deliver to")
        self._sender.delivery = _changed(self._sender.delivery, await request.json())
        self._sender.wake()
        return await self._delivery(request)

    async def _store(self, _request: Request) -> Response:
        store = self._api.organisation.store
        return JSONResponse(
            {
                "version": store.version,
                "rows": {name: len(rows) for name, rows in sorted(store.rows.items()) if rows},
                "deleted": {name: len(rows) for name, rows in sorted(store.tombstones.items()) if rows},
                "dangling": [
                    {"table": table, "column": column, "id": row_id}
                    for table, column, row_id in store.dangling()
                ],
            }
        )

    async def _reset_all(self, _request: Request) -> Response:
        self._reset()
        self._forget()
        self._api.faults.clear()
        self._api.limits.reset()
        return Response(status_code=204)


def _local_only(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        if request.client is None or request.client.host != "127.0.0.1":
            return JSONResponse({"error": "only callers on this machine"}, status_code=403)
        try:
            return await handler(request)
        except (KeyError, TypeError, ValueError) as wrong:
            return JSONResponse({"error": str(wrong)}, status_code=400)

    return guarded


def _changed(settings: S, changes: dict[str, Any]) -> S:
    """The settings with some fields replaced; ValueError for a field they do not have."""
    known = {field.name for field in fields(settings)}  # type: ignore[arg-type]
    unknown = changes.keys() - known
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
    return replace(settings, **changes)  # type: ignore[type-var]
