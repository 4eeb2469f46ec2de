"""Faults on demand: what a far side does on its bad days, armed through `/admin/faults`.

POST /admin/faults {"kind", "count", "status", "seconds", "retry_after", "method", "path"} arms one fault for
the next `count` matching requests; GET lists what is still armed; DELETE disarms everything.

kind          the request is                      the caller sees
status        refused before any work             `status`, with Retry-After when `retry_after` is given
slow          done after `seconds`                a late, good answer
hang          not done                            nothing for `seconds`, then a cut connection
lost_answer   done                                a cut connection
"""

import asyncio
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.loopback.server import DROP_CONNECTION, in_scope

KINDS = ("status", "slow", "hang", "lost_answer")

_NEVER_FAULTED = ("/admin", "/health")
_HIGHEST = 1_000_000


@dataclass(slots=True)
class Fault:
    """One armed fault; `count` is how many requests it has left, `method` and `path` narrow it ("" any)."""

    kind: str
    count: int = 1
    status: int = 500
    seconds: float = 60.0
    retry_after: float | None = None
    method: str = ""
    path: str = ""

    def fits(self, scope: Scope) -> bool:
        """Whether the request is one this fault was armed for; `path` is a prefix."""
        return (
            self.count > 0
            and self.method.upper() in {"", scope["method"]}
            and scope["path"].startswith(self.path)
        )


class InvalidFault(ValueError):
    """The fault asked for is not one of the kinds, or a field of it is not of its type."""


def parse_fault(fields: Any) -> Fault:
    """Read a fault from JSON. Raises InvalidFault naming the field."""
    if not isinstance(fields, dict):
        raise InvalidFault("a fault is a JSON object")
    unknown = sorted(set(fields) - set(Fault.__dataclass_fields__))
    if unknown:
        raise InvalidFault(f"{', '.join(unknown)}: unknown")
    if fields.get("kind") not in KINDS:
        raise InvalidFault(f"kind: one of {', '.join(KINDS)}")
    for name, kinds in (
        ("count", int),
        ("status", int),
        ("seconds", int | float),
        ("retry_after", int | float),
    ):
        value = fields.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, kinds) or not 0 <= value <= _HIGHEST:
            raise InvalidFault(f"{name}: a number, zero or more")
    for name in ("method", "path"):
        if not isinstance(fields.get(name, ""), str):
            raise InvalidFault(f"{name}: text")
    if not HTTPStatus.BAD_REQUEST <= fields.get("status", 500) < 600:
        raise InvalidFault("status: 400 to 599")
    return Fault(**fields)


class Faults:
    """The faults armed for one server; wraps its application."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []

    def arm(self, fault: Fault) -> None:
        """Add a fault behind those already armed."""
        self._armed.append(fault)

    def disarm(self) -> None:
        """Forget every armed fault."""
        self._armed.clear()

    def armed(self) -> list[dict[str, Any]]:
        """What is still armed, oldest first."""
        return [asdict(fault) for fault in self._armed if fault.count > 0]

    def take(self, scope: Scope) -> Fault | None:
        """Use up one count of the oldest fault that fits the request."""
        fault = next((fault for fault in self._armed if fault.fits(scope)), None)
        if fault is None:
            return None
        fault.count -= 1
        self._armed = [each for each in self._armed if each.count > 0]
        return fault

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """`app` with the armed faults in front of it; admin and health routes are never faulted."""

        async def faulted(scope: Scope, receive: Receive, send: Send) -> None:
            fault = None
            if scope["type"] == "http" and not in_scope(scope, _NEVER_FAULTED):
                fault = self.take(scope)
            if fault is None:
                await app(scope, receive, send)
            else:
                await _strike(fault, app, scope, receive, send)

        return faulted

    def routes(self) -> list[Route]:
        """The routes under which a test or a person arms, lists and disarms."""

        async def switch(request: Request) -> Response:
            if request.method == "DELETE":
                self.disarm()
            elif request.method == "POST":
                try:
                    self.arm(parse_fault(await request.json()))
                except ValueError as invalid:
                    return JSONResponse({"error": str(invalid)}, HTTPStatus.UNPROCESSABLE_ENTITY)
            return JSONResponse({"faults": self.armed()})

        return [Route("/admin/faults", switch, methods=["GET", "POST", "DELETE"])]


async def _strike(fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    if fault.kind == "status":
        headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        answer = JSONResponse({"error": "a fault was asked for"}, fault.status, headers)
        await answer(scope, receive, send)
    elif fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
        await app(scope, receive, send)
    elif fault.kind == "hang":
        await asyncio.sleep(fault.seconds)
        await _cut(scope, receive)
    else:
        await app(scope, receive, _unheard)
        await _cut(scope, receive)


async def _unheard(_message: Message) -> None:
    """Take the answer of work that was done and let nobody have it."""


async def _cut(scope: Scope, receive: Receive) -> None:
    scope["extensions"][DROP_CONNECTION]()
    # Returning before the connection is gone would make the server answer 500 on it.
    while (await receive())["type"] != "http.disconnect":
        continue
