"""The log of requests this CRM was sent, with exact counts, for tests that prove how often it was asked."""

from collections import Counter, deque
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.loopback.server import in_scope

_UNCOUNTED = ("/admin", "/health")
_KEPT = 10_000


class RequestLog:
    """Counts by method, collection and status; the last requests one by one. Status 0 is a cut connection."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, int]] = Counter()
        self._last: deque[dict[str, Any]] = deque(maxlen=_KEPT)

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """`app`, with each of its requests counted once it is over."""

        async def logged(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or in_scope(scope, _UNCOUNTED):
                await app(scope, receive, send)
                return
            seen = {"method": scope["method"], "path": scope["path"], "status": 0}

            async def heard(message: Message) -> None:
                if message["type"] == "http.response.start":
                    seen["status"] = message["status"]
                    self._count(seen)
                await send(message)

            await app(scope, receive, heard)
            if seen["status"] == 0:
                self._count(seen)

        return logged

    def _count(self, seen: dict[str, Any]) -> None:
        # Counted before the answer leaves: who has the answer finds the request in the log.
        self._last.append(seen)
        self._counts[seen["method"], seen["path"].split("/")[1], seen["status"]] += 1

    def routes(self) -> list[Route]:
        """`GET /admin/requests` shows the log, `DELETE` starts it anew."""

        async def log(request: Request) -> Response:
            if request.method == "DELETE":
                self._counts.clear()
                self._last.clear()
            counts = [
                {"method": method, "collection": collection, "status": status, "count": count}
                for (method, collection, status), count in sorted(self._counts.items())
            ]
            return JSONResponse(
                {"total": self._counts.total(), "counts": counts, "requests": list(self._last)}
            )

        return [Route("/admin/requests", log, methods=["GET", "DELETE"])]
