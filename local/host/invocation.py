"""One call of a function, and what came of it, in words both engines share."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from uuid import uuid4

from local.host.function import Function


class Datum(NamedTuple):
    """A value as the host hands it to the worker: how it is carried, and the value."""

    kind: Literal["string", "bytes", "json"]
    value: str | bytes


@dataclass(frozen=True, slots=True)
class HttpCall:
    """An HTTP request as the worker sees it. Query keys that repeat are joined with a comma."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    route: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What an HTTP function returned. `cookies` are whole Set-Cookie values."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation. A None in `metadata` is a field the host sends empty."""

    function: Function
    data: Datum | HttpCall
    metadata: Mapping[str, Datum | None] = field(default_factory=dict)
    trace_parent: str = ""
    id: str = field(default_factory=lambda: str(uuid4()))


@dataclass(frozen=True, slots=True)
class Completion:
    """How a call ended: `error` is "" or `Type: text`, `trace` the traceback with it."""

    error: str = ""
    trace: str = ""
    http: HttpAnswer | None = None


def trace_parent(inherited: str = "") -> str:
    """A W3C traceparent with a span of its own, in the trace of `inherited` when that is one."""
    parts = inherited.split("-")
    known = len(parts) == 4 and len(parts[1]) == 32 and set(parts[1]) <= set("0123456789abcdef")
    trace = parts[1] if known else secrets.token_hex(16)
    return f"00-{trace}-{secrets.token_hex(8)}-01"
