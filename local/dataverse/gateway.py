"""The Web API as an ASGI application: from bytes on a connection to an operation and back."""

import logging
import re
import time
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from local.dataverse.api.organisation import Organisation
from local.dataverse.api.request import Request
from local.dataverse.api.router import dispatch
from local.dataverse.calls import Answer, Call, read_preferences, read_query, refused
from local.dataverse.errors import Refusal, unknown_segment
from local.dataverse.identity import Identity
from local.dataverse.rows.caller import Caller, Origin

_PATH = re.compile(r"^/api/data/v9\.[0-2](?:/(.*))?$", re.IGNORECASE | re.DOTALL)
_log = logging.getLogger(__name__)


class WebApi:
    """Answers everything below /api/data."""

    def __init__(self, organisation: Organisation, identity: Identity) -> None:
        self._organisation = organisation
        self._identity = identity

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """One HTTP exchange."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await _body(receive)
        call = read_call(scope, headers, body)
        answer = self.answer(call)
        await _send(send, answer, headers)

    def answer(self, call: Call | Refusal) -> Answer:
        """The answer to a call, errors included."""
        if isinstance(call, Refusal):
            return refused(call, read_preferences(""))
        try:
            caller = self._identity.caller(call.headers, call.root.partition("/api/data/")[0])
            return dispatch(Request(call, self._organisation, origin_of(call, caller)))
        except Refusal as refusal:
            return refused(refusal, call.preferences)
        except Exception as failure:  # noqa: BLE001 - the service answers 500, it never lets a caller hang
            _log.exception("%s %s failed", call.method, call.path)
            unexpected = Refusal(
                500, "0x80040216", f"An unexpected error occurred: {type(failure).__name__}."
            )
            return refused(unexpected, call.preferences)


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


async def _body(receive: Any) -> bytes:
    chunks = []
    while True:
        message = await receive()
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


def elapsed_ms(started: float) -> float:
    """Milliseconds since a perf_counter reading."""
    return (time.perf_counter() - started) * 1000
