"""The Web API as an ASGI application: from bytes on a connection to an operation and back."""

import asyncio
import logging
import re
import time
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from local.dataverse.api.organisation import Organisation, sighting
from local.dataverse.api.request import Request
from local.dataverse.api.router import dispatch
from local.dataverse.calls import Answer, Call, read_preferences, read_query, refused
from local.dataverse.edge.connections import abort
from local.dataverse.edge.identity import Identity
from local.dataverse.edge.latency import Latency
from local.dataverse.edge.limits import Limits
from local.dataverse.edge.request_log import RequestLog
from local.dataverse.errors import Refusal, unknown_segment
from local.dataverse.faults import Fault
from local.dataverse.rows.caller import Caller, Origin

_PATH = re.compile(r"^/api/data/v9\.[0-2](?:/(.*))?$", re.IGNORECASE | re.DOTALL)
_BYPASSES = {
    "mscrm.bypassbusinesslogicexecution": "prvBypassCustomBusinessLogic",
    "mscrm.bypassbusinesslogicexecutionstepids": "prvBypassCustomBusinessLogic",
    "mscrm.bypasscustompluginexecution": "prvBypassCustomPlugins",
}
_log = logging.getLogger(__name__)


class WebApi:
    """Answers everything below /api/data, under the limits, faults and latencies in force."""

    def __init__(self, organisation: Organisation, identity: Identity) -> None:
        self.organisation = organisation
        self.log = RequestLog()
        self.faults = organisation.faults
        self.limits = Limits()
        self.latency = Latency()
        self._identity = identity

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """One HTTP exchange."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await _body(receive)
        if body is None:
            return
        call = read_call(scope, headers, body)
        if isinstance(call, Refusal):
            await _send(send, refused(call, read_preferences("")), headers)
            return
        fault = self._fault(call)
        if fault is not None and fault.latency_ms:
            await asyncio.sleep(fault.latency_ms / 1000)
        if fault is not None and fault.drop == "before":
            abort(scope["server"], scope["client"])
            return
        answer = await self._timed(call, fault.refusal() if fault is not None else None)
        if fault is not None and fault.drop == "after":
            abort(scope["server"], scope["client"])
            return
        await _send(send, answer, headers)

    def _fault(self, call: Call) -> Fault | None:
        if not self.faults.active:
            return None
        try:
            user = self._identity.caller(call.headers, _base(call)).real
        except Refusal:
            # Who is nobody meets the faults meant for everybody.
            user = ""
        return self.faults.take(call, sighting(self.organisation, call, user))

    async def _timed(self, call: Call, refusal: Refusal | None) -> Answer:
        """The answer, accounted to its user and delayed by the execution-time model."""
        started = time.perf_counter()
        try:
            caller = self._identity.caller(call.headers, _base(call))
        except Refusal as unknown:
            return self._logged(call, refused(unknown, call.preferences), "", started)
        server = self.limits.server_of(call.headers.get("cookie", ""))
        place = f"{caller.real}@{server}"
        try:
            self.limits.enter(place, time.monotonic())
        except Refusal as throttled:
            return self._logged(call, refused(throttled, call.preferences), caller.real, started)
        answer = self._answer(call, caller) if refusal is None else refused(refusal, call.preferences)
        milliseconds = _since(started)
        if self.latency.is_modelled:
            milliseconds = self.latency.of(call, answer)
            if self.latency.sleep:
                await asyncio.sleep(max(0.0, milliseconds - _since(started)) / 1000)
        self.limits.leave(place, time.monotonic(), milliseconds)
        answer.headers |= self.limits.headers(place, time.monotonic()) | self.limits.affinity(server)
        return self._logged(call, answer, caller.real, started)

    def _logged(self, call: Call, answer: Answer, user: str, started: float) -> Answer:
        self.log.add(call, answer, user, _since(started))
        return answer

    def _answer(self, call: Call, caller: Caller) -> Answer:
        try:
            self._check_bypass(call, caller)
            return dispatch(Request(call, self.organisation, origin_of(call, caller)))
        except Refusal as refusal:
            return refused(refusal, call.preferences)
        except Exception as failure:  # noqa: BLE001 - the service answers 500, it never lets a caller hang
            _log.exception("%s %s failed", call.method, call.path)
            unexpected = Refusal(
                500, "0x80040216", f"An unexpected error occurred: {type(failure).__name__}."
            )
            return refused(unexpected, call.preferences)

    def _check_bypass(self, call: Call, caller: Caller) -> None:
        """Leaving custom logic out needs a privilege of its own; there is none here to leave out."""
        for header, privilege in _BYPASSES.items():
            if header in call.headers:
                self.organisation.privileges.check_named(caller, privilege)


def origin_of(call: Call, caller: Caller) -> Origin:
    """What changes remember of a call."""
    silent = call.headers.get("mscrm.suppresscallbackregistrationexpanderjob", "").lower() == "true"
    correlation = call.headers.get("x-ms-correlation-id") or call.headers.get("x-ms-client-request-id") or ""
    return Origin(caller, silent, call.query.get("tag", ""), correlation)


def read_call(scope: Mapping[str, Any], headers: Mapping[str, str], body: bytes) -> Call | Refusal:
    """The call behind an ASGI scope; a Refusal when the path is not below a version of the service."""
    raw = scope.get("raw_path") or scope["path"].encode()
    match = _PATH.match(raw.decode("latin-1"))
    if match is None:
        return unknown_segment(scope["path"])
    version = raw.decode("latin-1").split("/")[3]
    host = headers.get("host", "localhost")
    return Call(
        method=scope["method"],
        path=unquote(match[1] or ""),
        query=read_query(scope["query_string"].decode("latin-1")),
        headers=headers,
        body=body,
        root=f"{scope['scheme']}://{host}/api/data/{version}/",
        preferences=read_preferences(headers.get("prefer", "")),
    )


async def _body(receive: Any) -> bytes | None:
    """The whole body; None when the caller went away before it was sent, for half a request asks nothing."""
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _send(send: Any, answer: Answer, asked: Mapping[str, str]) -> None:
    request_id = asked.get("x-ms-client-request-id") or str(uuid4())
    headers = {
        "OData-Version": "4.0",
        "x-ms-service-request-id": str(uuid4()),
        "REQ_ID": request_id,
        "Cache-Control": "no-cache",
        **answer.headers,
    }
    if answer.status not in {204, 304}:
        headers["Content-Length"] = str(len(answer.body))
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": answer.body})


def _base(call: Call) -> str:
    """Scheme and host of the service."""
    return call.root.partition("/api/data/")[0]


def _since(started: float) -> float:
    """Milliseconds since a perf_counter reading."""
    return (time.perf_counter() - started) * 1000
