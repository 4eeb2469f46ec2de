"""The engine that calls the app's functions itself, through azure-functions' own converters."""

import asyncio
import contextvars
import importlib
import inspect
import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http.cookies import Morsel
from pathlib import Path
from typing import Any

import azure.functions as func
from azure.functions import meta

from local.host.engines.cookies import Cookie
from local.host.engines.port import BrokenApp
from local.host.function import HTTP, Function, UnsupportedFunction, function_of
from local.host.invocation import Call, Completion, Datum, HttpAnswer, HttpCall

_thread_local = threading.local()


@dataclass(frozen=True, slots=True)
class _Trace:
    trace_parent: str
    trace_state: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Retry:
    retry_count: int
    max_retry_count: int
    exception: None


@dataclass(frozen=True, slots=True)
class _Context:
    """The `context` parameter, as far as a worker fills it."""

    function_name: str
    function_directory: str
    invocation_id: str
    trace_context: _Trace
    retry_context: _Retry
    thread_local_storage: threading.local = _thread_local


@dataclass(frozen=True, slots=True)
class _Loaded:
    function: Function
    code: Callable[..., Any]
    wants_context: bool


class DirectEngine:
    """Runs functions with azure-functions alone; needs nothing of the worker."""

    def __init__(self) -> None:
        threads = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT")
        self._pool = ThreadPoolExecutor(int(threads) if threads else None, thread_name_prefix="function")
        self._loaded: dict[str, _Loaded] = {}
        self._folder = ""

    async def load(self, app: Path) -> tuple[Function, ...]:
        """Index the app. Raises BrokenApp and UnsupportedFunction."""
        self._folder = str(app)
        if self._folder not in sys.path:
            sys.path.insert(0, self._folder)
        try:
            module = importlib.import_module("function_app")
            for indexed in _app_of(module).get_functions():
                self._add(indexed)
        except (BrokenApp, UnsupportedFunction):
            raise
        except Exception as broken:
            # Whatever the app's own code raises while it is imported.
            raise BrokenApp(f"function_app.py: {type(broken).__name__}: {broken}") from broken
        return tuple(loaded.function for loaded in self._loaded.values())

    def _add(self, indexed: Any) -> None:
        function = function_of(indexed.get_function_name(), indexed.get_raw_bindings())
        code = indexed.get_user_function()
        parameters = set(inspect.signature(code).parameters)
        if parameters - {"context"} != {function.parameter}:
            raise BrokenApp(f"{function.name}: its parameters are not its bindings")
        self._loaded[function.name] = _Loaded(function, code, "context" in parameters)

    async def run(self, call: Call) -> Completion:
        """Run one call to its end."""
        try:
            loaded = self._loaded[call.function.name]
            returned = await self._called(loaded, call)
            if call.function.kind == HTTP:
                return Completion(http=_answer(returned))
            _check_nothing(returned)
            return Completion()
        except Exception as raised:  # noqa: BLE001  # whatever the app's code raises is the call's end
            trace = "".join(traceback.format_exception(raised))
            return Completion(f"{type(raised).__name__}: {raised}", trace)

    async def _called(self, loaded: _Loaded, call: Call) -> Any:
        converter: Any = func.get_binding_registry().get(call.function.kind)
        metadata = {name: _datum(value) for name, value in call.metadata.items()}
        data = _http(call.data) if isinstance(call.data, HttpCall) else _datum(call.data)
        arguments: dict[str, Any] = {
            call.function.parameter: converter.decode(data, trigger_metadata=metadata)
        }
        _thread_local.invocation_id = call.id
        if loaded.wants_context:
            arguments["context"] = _Context(
                call.function.name,
                self._folder,
                call.id,
                _Trace(call.trace_parent, "", {}),
                _Retry(0, 0, None),
            )
        if inspect.iscoroutinefunction(loaded.code):
            return await loaded.code(**arguments)
        # As in the worker, a function that is not async has a thread of a small pool to block.
        run = partial(contextvars.copy_context().run, partial(loaded.code, **arguments))
        return await asyncio.get_running_loop().run_in_executor(self._pool, run)


def _app_of(module: Any) -> Any:
    registers = [value for value in vars(module).values() if isinstance(value, func.FunctionRegister)]
    if len(registers) != 1:
        raise BrokenApp("function_app.py: exactly one FunctionApp at module level")
    return registers[0]


def _datum(value: Datum | None) -> meta.Datum | None:
    return None if value is None else meta.Datum(value.value, value.kind)


def _texts(values: Mapping[str, str]) -> dict[str, meta.Datum]:
    return {name: meta.Datum(value, "string") for name, value in values.items()}


def _http(call: HttpCall) -> meta.Datum:
    return meta.Datum(
        {
            "method": meta.Datum(call.method, "string"),
            "url": meta.Datum(call.url, "string"),
            "headers": _texts(call.headers),
            "query": _texts(call.query),
            "params": _texts(call.route),
            "body": meta.Datum(call.body, "bytes"),
        },
        "http",
    )


def _answer(returned: Any) -> HttpAnswer:
    encoder: Any = func.get_binding_registry().get("http")
    try:
        encoded = encoder.encode(returned, expected_type=None)
    except NotImplementedError as unfit:
        kind = type(returned).__name__
        raise TypeError(
            f'unable to encode outgoing TypedData: unsupported type "http" for Python type "{kind}"'
        ) from unfit
    if encoded.type == "string":
        return text_answer(encoded.value)
    fields = encoded.value
    cookies = tuple(_cookie(morsel) for jar in fields["cookies"] or () for morsel in jar.values())
    headers = {name: value.value for name, value in fields["headers"].items()}
    return HttpAnswer(int(fields["status_code"].value), headers, fields["body"].value, cookies)


def _cookie(morsel: Morsel[str]) -> str:
    return Cookie(
        morsel.key,
        morsel.value,
        expires=morsel["expires"],
        domain=morsel["domain"],
        path=morsel["path"],
        max_age=str(morsel["max-age"]),
        http_only=bool(morsel["httponly"]),
        secure=bool(morsel["secure"]),
        same_site=morsel["samesite"].capitalize(),
    ).header()


def _check_nothing(returned: Any) -> None:
    if returned is not None:
        raise RuntimeError("a function without a $return binding returned a value")


def text_answer(text: str) -> HttpAnswer:
    """What the host answers for a function that returned plain text."""
    return HttpAnswer(200, {"content-type": "text/plain; charset=utf-8"}, text.encode())
