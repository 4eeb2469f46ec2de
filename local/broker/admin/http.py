"""Enough HTTP/1.1 for an administration client and a health check: one request, one answer, then close or wait."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

# Bytes of a request's head and of its body; seconds a client may take for one.
MAX_HEAD = 16 * 1024
MAX_BODY = 256 * 1024
PATIENCE = 30.0

_REASONS = {200: "OK", 201: "Created", 204: "No Content", 400: "Bad Request", 404: "Not Found"}


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. `path` is decoded and has no slash in front; header names are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One answer."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


class BadRequest(Exception):
    """What came is no request."""


Handler = Callable[[HttpRequest], HttpResponse]


async def serve_http(handler: Handler, port: int) -> asyncio.Server:
    """Listen on the loopback interface; port 0 picks a free one."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await asyncio.wait_for(_exchange(reader, writer, handler), PATIENCE):
                pass
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the client left, or took too long: nobody is there to be told
        finally:
            writer.close()

    return await asyncio.start_server(converse, "127.0.0.1", port, limit=MAX_HEAD)


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> bool:
    """Answer one request; whether the client may send another."""
    try:
        request = await _read(reader)
    except (BadRequest, asyncio.LimitOverrunError, UnicodeDecodeError) as wrong:
        writer.write(_encoded(HttpResponse(400, str(wrong).encode(), "text/plain")))
        await writer.drain()
        return False
    writer.write(_encoded(handler(request)))
    await writer.drain()
    return request.headers.get("connection", "").lower() != "close"


async def _read(reader: asyncio.StreamReader) -> HttpRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest("not an HTTP request")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(_length(headers.get("content-length", "0"), 10))
    url = urlsplit(parts[1])
    query = {name: values[-1] for name, values in parse_qs(url.query).items()}
    return HttpRequest(parts[0], unquote(url.path).strip("/"), query, headers, body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := _length((await reader.readline()).decode("latin-1").strip(), 16):
        _length(str(len(body) + size), 10)
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readline()
    return bytes(body)


def _length(text: str, base: int) -> int:
    try:
        length = int(text, base)
    except ValueError as wrong:
        raise BadRequest("a length that is no number") from wrong
    if not 0 <= length <= MAX_BODY:
        raise BadRequest(f"a body may have {MAX_BODY} bytes")
    return length


def _encoded(response: HttpResponse) -> bytes:
    headers = {
        "Content-Type": response.content_type,
        "Content-Length": str(len(response.body)),
        **response.headers,
    }
    lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Error')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + response.body
