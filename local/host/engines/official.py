"""The engine that drives Microsoft's own Python runtime library (azure-functions-runtime) in this process.

The library keeps the indexed app in module globals: one app per process, as in Azure.
"""

import importlib
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from local.host.engines import protos
from local.host.engines.cookies import Cookie
from local.host.engines.direct import text_answer
from local.host.engines.port import BrokenApp
from local.host.function import Function, function_of
from local.host.invocation import Call, Completion, Datum, HttpAnswer, HttpCall

# The contract of the injected message classes is the library's own affair, so a version is pinned.
VERSION = "1.3.0"


class RuntimeMissing(BrokenApp):
    """azure-functions-runtime is not installed, or is not the version this engine was made for."""


class OfficialEngine:
    """Runs functions as the cloud's worker does, with its indexing rules and its decoding."""

    def __init__(self) -> None:
        self._runtime: Any = None

    async def load(self, app: Path) -> tuple[Function, ...]:
        """Index the app. Raises RuntimeMissing, BrokenApp and UnsupportedFunction."""
        try:
            self._runtime = importlib.import_module("azure_functions_runtime")
            version = importlib.import_module("azure_functions_runtime.version").VERSION
        except ImportError as missing:
            raise RuntimeMissing(f"azure-functions-runtime=={VERSION} is not installed") from missing
        if version != VERSION:
            raise RuntimeMissing(f"azure-functions-runtime is {version}; this engine was made for {VERSION}")
        folder = str(app)
        if folder not in sys.path:
            sys.path.insert(0, folder)
        self._runtime.start_threadpool_executor()
        init = SimpleNamespace(capabilities={}, function_app_directory=folder)
        answer = await self._runtime.worker_init_request(
            SimpleNamespace(
                request=SimpleNamespace(worker_init_request=init), properties={"protos": protos, "host": ""}
            )
        )
        if answer.result.status != protos.StatusResult.Success:
            raise BrokenApp(f"function_app.py: {answer.result.exception.message}")
        index = (await self._runtime.functions_metadata_request(None)).function_metadata_results
        return tuple(function_of(each.name, each.raw_bindings) for each in index or ())

    async def run(self, call: Call) -> Completion:
        """Run one call to its end."""
        request = SimpleNamespace(
            invocation_id=call.id,
            function_id=str(uuid5(NAMESPACE_OID, call.function.name)),
            input_data=[protos.Input(name=call.function.parameter, data=_data(call.data))],
            trigger_metadata={name: _typed(value) for name, value in call.metadata.items()},
            trace_context=SimpleNamespace(trace_parent=call.trace_parent, trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
        answer = await self._runtime.invocation_request(
            SimpleNamespace(request=SimpleNamespace(invocation_request=request), properties={})
        )
        if answer.result.status != protos.StatusResult.Success:
            raised = answer.result.exception
            return Completion(raised.message, raised.stack_trace)
        return Completion(http=_answer(answer.return_value))


def _typed(value: Datum | None) -> protos.TypedData:
    return protos.TypedData() if value is None else protos.TypedData(**{value.kind: value.value})


def _data(data: Datum | HttpCall) -> protos.TypedData:
    if isinstance(data, Datum):
        return _typed(data)
    http = protos.RpcHttp(
        method=data.method,
        url=data.url,
        headers=data.headers,
        query=data.query,
        params=data.route,
        body=protos.TypedData(bytes=data.body),
    )
    return protos.TypedData(http=http)


def _answer(returned: Any) -> HttpAnswer | None:
    if returned is None:
        return None
    if returned.http is None:
        return text_answer(returned.string or "")
    http = returned.http
    body = http.body.bytes if http.body.bytes is not None else (http.body.string or "").encode()
    cookies = tuple(_cookie(cookie) for cookie in http.cookies or ())
    return HttpAnswer(int(http.status_code), _plain(http.headers), body, cookies)


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    return dict(headers)


def _cookie(cookie: Any) -> str:
    def text(nullable: Any) -> str:
        return "" if nullable is None else str(nullable.value)

    age = cookie.max_age
    return Cookie(
        cookie.name,
        cookie.value,
        expires="" if cookie.expires is None else format_datetime(_instant(cookie.expires), usegmt=True),
        domain=text(cookie.domain),
        path=text(cookie.path),
        max_age="" if age is None else f"{age.value:g}",
        http_only=cookie.http_only is not None and cookie.http_only.value,
        secure=cookie.secure is not None and cookie.secure.value,
        same_site={1: "Lax", 2: "Strict", 3: "None"}.get(cookie.same_site, ""),
    ).header()


def _instant(nullable: Any) -> datetime:
    return datetime.fromtimestamp(nullable.value.seconds, UTC)
