"""The host's HTTP side: the app's HTTP functions, and the admin routes of the real host that are of use here.

GET  /admin/host/status         {"state": "Running", "functions": [...]}
GET  /admin/functions           the functions with their triggers
POST /admin/functions/{name}    runs a timer now (202), as the real host does
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from local.host.function import TIMER, Function
from local.host.invocation import Call, Completion, HttpCall, trace_parent
from local.host.routes import HttpRoute

Invoke = Callable[[Call], Awaitable[Completion]]


class Web:
    """Routes over the enabled functions."""

    def __init__(
        self,
        functions: Sequence[Function],
        disabled: frozenset[str],
        routes: Sequence[HttpRoute],
        invoke: Invoke,
        tick: Callable[[str], None],
    ) -> None:
        self._functions = functions
        self._disabled = disabled
        self._routes = sorted(routes, key=lambda route: route.rank)
        self._invoke = invoke
        self._tick = tick

    def application(self) -> ASGIApp:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/admin/host/status", self._status),
                Route("/admin/functions", self._listed),
                Route("/admin/functions/{name}", self._run, methods=["POST"]),
                Route("/{path:path}", self._call, methods=list(_METHODS)),
            ]
        )

    async def _status(self, _request: Request) -> Response:
        return JSONResponse({"state": "Running", "functions": self._shown()})

    async def _listed(self, _request: Request) -> Response:
        return JSONResponse(self._shown())

    def _shown(self) -> list[dict[str, Any]]:
        return [
            {
                "name": function.name,
                "trigger": function.kind,
                "disabled": function.name in self._disabled,
                "config": {"bindings": [function.trigger]},
            }
            for function in self._functions
        ]

    async def _run(self, request: Request) -> Response:
        name = request.path_params["name"]
        function = next((each for each in self._functions if each.name == name), None)
        if function is None:
            return JSONResponse({"error": "no such function"}, HTTPStatus.NOT_FOUND)
        if function.kind != TIMER:
            return JSONResponse({"error": "only timers are run by hand here"}, HTTPStatus.BAD_REQUEST)
        self._tick(name)
        return Response(status_code=HTTPStatus.ACCEPTED)

    async def _call(self, request: Request) -> Response:
        path = request.path_params["path"]
        for route in self._routes:
            values = route.match(request.method, path)
            if values is not None:
                return await self._answer(route.function, request, values)
        return Response(status_code=HTTPStatus.NOT_FOUND)

    async def _answer(self, function: Function, request: Request, values: Mapping[str, str]) -> Response:
        # The host forwards a body by its Content-Length; one sent in chunks arrives empty, as in Azure.
        sized = int(request.headers.get("content-length") or 0) > 0
        call = Call(
            function,
            HttpCall(
                method=request.method,
                url=str(request.url),
                headers=_joined(request.headers.items()),
                query=_joined(parse_qsl(request.url.query, keep_blank_values=True)),
                route=values,
                body=await request.body() if sized else b"",
            ),
            trace_parent=trace_parent(request.headers.get("traceparent", "")),
        )
        try:
            completion = await self._invoke(call)
        except asyncio.CancelledError:
            # Only the end of the host's patience with a request cancels it, when the host is being stopped.
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        if completion.error:
            return Response(status_code=HTTPStatus.INTERNAL_SERVER_ERROR)
        if completion.http is None:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        answer = Response(completion.http.body, completion.http.status, dict(completion.http.headers))
        for cookie in completion.http.cookies:
            answer.headers.append("set-cookie", cookie)
        return answer


_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def _joined(pairs: Any) -> dict[str, str]:
    """Pairs as a mapping; what repeats is joined with a comma."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
