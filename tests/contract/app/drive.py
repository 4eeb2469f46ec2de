"""Runs our function_app.py on one of the host's engines: indexes it, loads it, makes the calls it is told.

`python drive.py ENGINE ASKED ANSWERED`, from the app's folder. ASKED is a file with a list of calls, each
with a `function` and one of `message`, `timer` and `http`; into ANSWERED go the listing and what came of
each call. A process of its own, because the official library keeps one app per process.
"""

import asyncio
import importlib
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl
from uuid import NAMESPACE_OID, uuid5

from local.host.engines import protos
from local.host.engines.direct import DirectEngine
from local.host.engines.official import VERSION, OfficialEngine
from local.host.engines.port import Engine
from local.host.function import Function
from local.host.invocation import Call, Completion, Datum, HttpCall, trace_parent
from local.host.routes import route_of
from local.host.servicebus.metadata import call_for
from local.host.servicebus.port import Message


def check_version() -> None:
    """End with a sentence when the official library is not the one all this was made for."""
    installed = importlib.import_module("azure_functions_runtime.version").VERSION
    if installed != VERSION:
        sys.exit(
            f"runtime version changed: azure-functions-runtime is {installed}, the pinned one is {VERSION}; "
            "see whether local/host/engines/protos.py and official.py still fit, then move the pins"
        )


async def official_listing() -> dict[str, list[Any]]:
    """Name and bindings of every function as the official library indexed them, each of them loaded."""
    runtime = importlib.import_module("azure_functions_runtime")
    index = (await runtime.functions_metadata_request(None)).function_metadata_results
    for each in index:
        wanted = SimpleNamespace(function_id=str(uuid5(NAMESPACE_OID, each.name)), metadata=each)
        loaded = await runtime.function_load_request(
            SimpleNamespace(request=SimpleNamespace(function_load_request=wanted), properties={})
        )
        assert loaded.result.status == protos.StatusResult.Success, each.name
        assert each.function_id == loaded.function_id, each.name
    return {each.name: [json.loads(raw) for raw in each.raw_bindings] for each in index}


def direct_listing() -> dict[str, list[Any]]:
    """The same from azure-functions' own index, of a second app: one can be asked for its functions once."""
    functions = importlib.reload(importlib.import_module("function_app")).app.get_functions()
    return {each.get_function_name(): [*map(json.loads, each.get_raw_bindings())] for each in functions}


def call(function: Function, asked: Mapping[str, Any]) -> Call:
    """One call as the host would make it."""
    if "message" in asked:
        return call_for(function, message(asked["message"]))
    if "timer" in asked:
        given = asked.get("trace", trace_parent())
        return Call(function, Datum("json", json.dumps(asked["timer"])), trace_parent=given)
    http = asked["http"]
    path, _, query = http["path"].strip("/").partition("?")
    route = route_of(function, "api").match(http["method"], path)
    assert route is not None, path
    return Call(
        function,
        HttpCall(
            http["method"],
            f"http://127.0.0.1:7071/{path}",
            http.get("headers", {}),
            dict(parse_qsl(query)),
            route,
            http.get("body", "").encode(),
        ),
        trace_parent=trace_parent(http.get("headers", {}).get("traceparent", "")),
    )


def message(told: Mapping[str, Any]) -> Message:
    """A locked message as the host's receiver has it."""
    times = {name: datetime.fromisoformat(told[name]) for name in ("enqueued_at", "expires_at")}
    return Message(
        **{
            **told,
            **times,
            "body": told["body"].encode(),
            "locked_until": times["expires_at"],
            "lock_token": "7a2d0000-0000-4000-8000-000000000001",
            "token": None,
        }
    )


def outcome(completion: Completion) -> dict[str, Any]:
    """How a call ended, as JSON."""
    http = completion.http
    if http is None:
        return {"error": completion.error}
    return {
        "error": completion.error,
        "status": http.status,
        "body": json.loads(http.body or b"null"),
        "operation": http.headers.get("x-correlation-id") or http.headers.get("X-Correlation-Id"),
    }


async def drive(name: str, asked: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Index, load, call."""
    engine: Engine = OfficialEngine() if name == "official" else DirectEngine()
    functions = {function.name: function for function in await engine.load(Path.cwd())}
    listing = await official_listing() if name == "official" else direct_listing()
    ended = [outcome(await engine.run(call(functions[each["function"]], each))) for each in asked]
    return {"python": list(sys.version_info[:2]), "listing": listing, "ended": ended}


if __name__ == "__main__":
    engine_name, asked_file, answered_file = sys.argv[1:]
    if engine_name == "official":
        check_version()
    answered = asyncio.run(drive(engine_name, json.loads(Path(asked_file).read_text())))
    Path(answered_file).write_text(json.dumps(answered))
