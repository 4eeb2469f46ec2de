"""Enough HTTP/1.1 for an administration client and a health check: one request, one answer, then close or
wait.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

# Bytes of a request's head and of its body; seconds a client may take for one.
MAX_HEAD = 16 * 1024
MAX_BODY = 256 * 1024
PATIENCE = 30.0

MAX_CONNECTIONS = 100

_TLS_HANDSHAKE = b"\x16"

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


class HttpServer:
    """Listens on the loopback interface and speaks HTTP, or HTTPS to a client that begins with a TLS
    handshake.

    One port for both: the official Python administration client knows only https, health checks only http.
    """

    def __init__(self, handler: Handler, port: int, tls: ssl.SSLContext | None) -> None:
        """Port 0 picks a free one; without `tls` a client that wants it is turned away."""
        self._handler = handler
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket = socket.create_server(("127.0.0.1", port))
        self._socket.setblocking(False)  # noqa: FBT003  # the standard library's own signature
        self._start(self._accept())

    @property
    def port(self) -> int:
        """The port it listens on."""
        port: int = self._socket.getsockname()[1]
        return port

    async def close(self) -> None:
        """Stop listening, and leave every conversation."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._socket.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        while True:
            client, _ = await asyncio.get_running_loop().sock_accept(self._socket)
            if len(self._tasks) > MAX_CONNECTIONS:
                client.close()
            else:
                self._start(self._converse(client))

    async def _converse(self, client: socket.socket) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                first = await _peek(client)
            if not first or (first == _TLS_HANDSHAKE and self._tls is None):
                client.close()
                return
            tls = self._tls if first == _TLS_HANDSHAKE else None
            await self._answer_all(client, tls)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            client.close()  # the client left, or took too long: nobody is there to be told

    async def _answer_all(self, client: socket.socket, tls: ssl.SSLContext | None) -> None:
        reader = asyncio.StreamReader(limit=MAX_HEAD)
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, client, ssl=tls)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            while await asyncio.wait_for(_exchange(reader, writer, self._handler), PATIENCE):
                pass
            writer.close()
        except BaseException:
            # A polite end of TLS takes two: the other side has gone silent, or this one is stopping.
            transport.abort()
            raise


async def _peek(client: socket.socket) -> bytes:
    """The first byte a client sends, left where it is; empty when it leaves instead."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(client, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(client)
    return client.recv(1, socket.MSG_PEEK)


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
    if "transfer-encoding" in headers:
        raise BadRequest("a body comes with its length")
    body = await reader.readexactly(_length(headers.get("content-length", "0")))
    url = urlsplit(parts[1])
    query = {name: values[-1] for name, values in parse_qs(url.query).items()}
    return HttpRequest(parts[0], unquote(url.path).strip("/"), query, headers, body)


def _length(text: str) -> int:
    try:
        length = int(text)
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
