"""One HTTP/1.1 connection to one far side, behind httpx's transport interface.

httpx's own transport takes a pool, a lock and a dozen objects for each request: most of what a request to
Dataverse costs us (docs/reference/performance.md). A client of ours never has more than one request on a
connection, so there is nothing to pool.
"""

import asyncio
import ssl
from contextlib import suppress
from http import HTTPMethod, HTTPStatus

import httpx

_LONGEST_HEAD = 64 * 1024
_CLOSING_S = 1.0
_NO_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}

Headers = list[tuple[bytes, bytes]]


class Stream(asyncio.Protocol):
    """The bytes of one connection, as they come and go."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.ended = False
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # what create_connection makes
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self.buffer += data
        self._wake()

    def eof_received(self) -> None:
        """No more bytes will come."""
        self.ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        del exc
        self.ended = True
        if not self.gone.done():
            self.gone.set_result(None)
        self._wake()

    def pause_writing(self) -> None:
        """The far side reads more slowly than we write."""
        self._full = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self._full = False
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _change(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    async def send(self, data: bytes, seconds: float | None) -> None:
        """Write everything; raises WriteTimeout, and WriteError when the far side is gone."""
        if self._transport is None or self.ended:
            raise httpx.WriteError("the connection was closed")
        self._transport.write(data)
        while self._full:
            if self.ended:
                raise httpx.WriteError("the connection was closed")
            try:
                async with asyncio.timeout(seconds):
                    await self._change()
            except TimeoutError as late:
                raise httpx.WriteTimeout("the far side does not read") from late

    async def more(self, seconds: float | None) -> bool:
        """Wait for more bytes than there are; False when no more will come. Raises ReadTimeout."""
        have = len(self.buffer)
        try:
            async with asyncio.timeout(seconds):
                while len(self.buffer) == have and not self.ended:
                    await self._change()
        except TimeoutError as late:
            raise httpx.ReadTimeout("the far side does not answer") from late
        return len(self.buffer) > have

    def take(self, count: int) -> bytes:
        """The next so many bytes, which are there."""
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def abort(self) -> None:
        """Close at once; what is under way is lost."""
        if self._transport is not None:
            self._transport.abort()

    async def close(self) -> None:
        """Close in good order, but not for ever."""
        if self._transport is not None:
            self._transport.close()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSING_S):
                    await self.gone


class Wire(httpx.AsyncBaseTransport):
    """A connection that is opened by the first request, and again after the far side closed it.

    One request at a time: who shares a wire takes turns (`Lines`). A request that is cancelled, or fails,
    takes its connection along. Raises httpx's own exceptions, as its own transport does.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._stream: Stream | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, read whole."""
        seconds = request.extensions["timeout"]
        written = _written(request, await request.aread())
        stream = self._stream
        if stream is None or stream.ended or stream.buffer:
            self._drop()
            stream = self._stream = await self._opened(request.url, seconds["connect"])
        try:
            await stream.send(written, seconds["write"])
            answer = await _Answer(stream, seconds["read"]).to(request.method)
        except BaseException:
            self._drop()
            raise
        if not answer.keeps:
            self._drop()
        return httpx.Response(answer.status, headers=answer.headers, stream=httpx.ByteStream(answer.body))

    async def _opened(self, url: httpx.URL, seconds: float | None) -> Stream:
        secure = url.scheme == "https"
        host = url.raw_host.decode("ascii")
        try:
            async with asyncio.timeout(seconds):
                _, stream = await asyncio.get_running_loop().create_connection(
                    Stream,
                    host,
                    url.port or (443 if secure else 80),
                    ssl=self._context if secure else None,
                    server_hostname=host if secure else None,
                    happy_eyeballs_delay=0.25,
                )
        except TimeoutError as late:
            raise httpx.ConnectTimeout("no connection in time") from late
        except OSError as refused:
            raise httpx.ConnectError(str(refused)) from refused
        return stream

    def _drop(self) -> None:
        if self._stream is not None:
            self._stream.abort()
            self._stream = None

    async def aclose(self) -> None:
        """Close the connection."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()


def _written(request: httpx.Request, body: bytes) -> bytes:
    """The request as it goes over the wire; raises LocalProtocolError for a line break inside a line."""
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [b"%s: %s" % header for header in request.headers.raw]
    head = b"\r\n".join(lines)
    breaks = len(lines) - 1
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head:
        raise httpx.LocalProtocolError("a header may not hold a line break")
    return b"%s\r\n\r\n%s" % (head, body)


class _Answer:
    """One answer, as it is read."""

    def __init__(self, stream: Stream, seconds: float | None) -> None:
        self._stream = stream
        self._seconds = seconds
        self.status = 0
        self.headers: Headers = []
        self.body = b""
        self.keeps = False

    async def to(self, method: str) -> "_Answer":
        """Read it whole; raises RemoteProtocolError for what is no HTTP, and for an answer cut short."""
        while self.status < HTTPStatus.OK:
            # What comes before the answer (100 Continue, 103 Early Hints) says nothing we need.
            self._begin(await self._until(b"\r\n\r\n"))
        coding = self._said(b"transfer-encoding")
        length = self._said(b"content-length")
        if method == HTTPMethod.HEAD or self.status in _NO_BODY:
            return self
        if coding:
            if coding[-1].lower() != b"chunked":
                raise _garbled("an unknown transfer coding")
            self.body = await self._chunks()
        elif length:
            if len(set(length)) > 1:
                raise _garbled("two lengths")
            self.body = await self._exactly(_number(length[0], 10))
        else:
            self.keeps = False
            while await self._stream.more(self._seconds):
                continue
            self.body = self._stream.take(len(self._stream.buffer))
        return self

    def _begin(self, head: bytes) -> None:
        first, *lines = head.split(b"\r\n")
        version, _, rest = first.partition(b" ")
        if version not in {b"HTTP/1.1", b"HTTP/1.0"} or not rest[:3].isdigit():
            raise _garbled("no HTTP")
        self.status = int(rest[:3])
        if self.status == HTTPStatus.SWITCHING_PROTOCOLS:
            raise _garbled("another protocol")
        self.headers = []
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon or not name or name != name.strip():
                raise _garbled("a header that is none")
            self.headers.append((name, value.strip()))
        options = [option.lower() for option in self._said(b"connection")]
        self.keeps = b"keep-alive" in options if version == b"HTTP/1.0" else b"close" not in options

    def _said(self, name: bytes) -> list[bytes]:
        """The members of a header, however many lines it is spread over."""
        found = (value for key, value in self.headers if key.lower() == name)
        return [member for value in found for part in value.split(b",") if (member := part.strip())]

    async def _until(self, mark: bytes) -> bytes:
        """What comes before a mark."""
        sought = 0
        while (at := self._stream.buffer.find(mark, sought)) < 0:
            sought = max(0, len(self._stream.buffer) - len(mark) + 1)
            if len(self._stream.buffer) > _LONGEST_HEAD:
                raise _garbled("a head without end")
            if not await self._stream.more(self._seconds):
                raise _garbled("closed before it was whole")
        found = self._stream.take(at)
        self._stream.take(len(mark))
        return found

    async def _exactly(self, count: int) -> bytes:
        while len(self._stream.buffer) < count:
            if not await self._stream.more(self._seconds):
                raise _garbled("closed before it was whole")
        return self._stream.take(count)

    async def _chunks(self) -> bytes:
        chunks: list[bytes] = []
        while size := _number((await self._until(b"\r\n")).partition(b";")[0].strip(), 16):
            chunks.append(await self._exactly(size))
            if await self._exactly(2) != b"\r\n":
                raise _garbled("a chunk of another length")
        while await self._until(b"\r\n"):
            continue
        return b"".join(chunks)


def _number(digits: bytes, base: int) -> int:
    """A length; only digits, because Python would take signs, blanks and underscores, too."""
    if not digits.isalnum():
        raise _garbled("a length that is no number")
    try:
        return int(digits, base)
    except ValueError as wrong:
        raise _garbled("a length that is no number") from wrong


def _garbled(what: str) -> httpx.RemoteProtocolError:
    return httpx.RemoteProtocolError(f"the answer is garbled: {what}")
