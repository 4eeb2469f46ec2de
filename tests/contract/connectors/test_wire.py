"""What a transport makes of bytes: ours, and httpx's own, to which it must be equal."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx
import pytest

from local.stack.certificates import Certificates, certificates_in
from shared.connectors.web.trust import trust
from shared.connectors.web.wire import Wire

Make = Callable[[], httpx.AsyncBaseTransport]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TIMES = httpx.Timeout(60)
IMPATIENT = httpx.Timeout(60, read=0.3)


@dataclass
class FarSide:
    """Says what it was told to, once for each request, and remembers what it heard."""

    says: list[bytes]
    closes: bool = False
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    open: list[tuple[asyncio.Future[None], asyncio.StreamWriter]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open.append((asyncio.ensure_future(self._talk(reader, writer)), writer))
        await asyncio.wait([self.open[-1][0]])

    async def end(self) -> None:
        """Hang up whatever is still open."""
        for talk, writer in self.open:
            talk.cancel()
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await talk
                await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while self.says:
                await self._answer(reader, writer)
                if self.closes:
                    break
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = (line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: "))
        length = next((int(line[16:]) for line in lengths), 0)
        self.heard.append(head + await reader.readexactly(length))
        said = self.says.pop(0)
        # Byte by byte, unless it is long: an answer must not depend on how it is cut.
        size = 1 if len(said) < 1000 else 1000
        for start in range(0, len(said), size):
            writer.write(said[start : start + size])
            await writer.drain()


@asynccontextmanager
async def far_side(
    *says: bytes, closes: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[FarSide]:
    side = FarSide(list(says), closes)
    server = await asyncio.start_server(side.serve, "127.0.0.1", 0, ssl=tls)
    side.port = server.sockets[0].getsockname()[1]
    try:
        yield side
    finally:
        server.close()
        await side.end()


def wire() -> httpx.AsyncBaseTransport:
    return Wire(trust())


def of_httpx() -> httpx.AsyncBaseTransport:
    return httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=1))


@pytest.fixture(params=[wire, of_httpx], ids=["wire", "httpx"])
def transport(request: pytest.FixtureRequest) -> Make:
    make: Make = request.param
    return make


async def asked(
    transport: Make, side: FarSide, ask: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]
) -> httpx.Response:
    async with httpx.AsyncClient(
        transport=transport(), base_url=f"http://127.0.0.1:{side.port}", timeout=TIMES
    ) as client:
        return await ask(client)


async def get(client: httpx.AsyncClient) -> httpx.Response:
    return await client.get("/")


async def get_soon(client: httpx.AsyncClient) -> httpx.Response:
    return await client.get("/", timeout=IMPATIENT)


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;note=x\r\nhello\r\nA\r\n, dear all\r\n0\r\nEnd: x\r\n\r\n"
)
PACKED = gzip.compress(b"packed")


@pytest.mark.parametrize(
    ("said", "status", "body"),
    [
        (OK, 200, b"ok"),
        (CHUNKED, 200, b"hello, dear all"),
        (b'HTTP/1.1 204 No Content\r\nETag: W/"1"\r\n\r\n', 204, b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\ncontent-length: 1\r\n\r\nx", 201, b"x"),
        (b"HTTP/1.1 500 \r\nContent-Length:  3  \r\nX-A: 1\r\nX-A: 2\r\n\r\nbad", 500, b"bad"),
        (b"HTTP/1.1 200\r\nContent-Length: 2, 2\r\n\r\nok", 200, b"ok"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s"
            % (len(PACKED), PACKED),
            200,
            b"packed",
        ),
    ],
    ids=[
        "length",
        "chunks",
        "no content",
        "not modified",
        "empty",
        "continue",
        "no reason",
        "same length twice",
        "packed",
    ],
)
async def test_an_answer_is_what_was_said(transport: Make, said: bytes, status: int, body: bytes) -> None:
    async with far_side(said) as side:
        answer = await asked(transport, side, get)

    assert (answer.status_code, answer.content) == (status, body)


async def test_an_answer_without_a_length_ends_with_its_connection(transport: Make) -> None:
    async with far_side(b"HTTP/1.1 200 OK\r\n\r\nall of it", closes=True) as side:
        answer = await asked(transport, side, get)

    assert answer.content == b"all of it"


async def test_headers_come_as_they_were_said(transport: Make) -> None:
    said = (
        b'HTTP/1.1 200 OK\r\nETag: W/"7"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n'
    )
    async with far_side(said) as side:
        answer = await asked(transport, side, get)

    assert answer.headers["etag"] == 'W/"7"'
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


async def test_a_request_arrives_as_it_was_asked(transport: Make) -> None:
    async def write(client: httpx.AsyncClient) -> httpx.Response:
        return await client.request(
            "PATCH", "/rows(1)?$select=a b", content=b'{"a":1}', headers={"If-Match": 'W/"1"'}
        )

    async with far_side(OK) as side:
        await asked(transport, side, write)

    (heard,) = side.heard
    head, _, body = heard.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    assert (first, body) == (b"PATCH /rows(1)?$select=a%20b HTTP/1.1", b'{"a":1}')
    assert {b'if-match: w/"1"', b"content-length: 7"} <= {line.lower() for line in lines}


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhellothere\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
        b"SSH-2.0-other\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"",
    ],
    ids=[
        "cut short",
        "cut chunk",
        "long chunk",
        "negative chunk",
        "negative length",
        "two lengths",
        "no header",
        "no http",
        "cut head",
        "nothing",
    ],
)
async def test_a_garbled_answer_is_none(transport: Make, said: bytes) -> None:
    async with far_side(said, closes=True) as side:
        with pytest.raises(httpx.RemoteProtocolError):
            await asked(transport, side, get)


async def test_a_head_without_end_is_given_up(transport: Make) -> None:
    async with far_side(b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"x" * 200_000, closes=True) as side:
        with pytest.raises(httpx.RemoteProtocolError):
            await asked(transport, side, get)


async def test_an_answer_that_does_not_come_is_late(transport: Make) -> None:
    async with far_side(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nsome", b"never") as side:
        with pytest.raises(httpx.ReadTimeout):
            await asked(transport, side, get_soon)


async def test_nobody_there_is_said_so(transport: Make) -> None:
    async with far_side() as side:
        pass
    with pytest.raises(httpx.ConnectError):
        await asked(transport, side, get)


async def test_a_line_break_in_a_header_is_never_sent(transport: Make) -> None:
    async def smuggle(client: httpx.AsyncClient) -> httpx.Response:
        return await client.get("/", headers={"If-Match": "1\r\nX-Other: 2"})

    async with far_side(OK) as side:
        with pytest.raises(httpx.LocalProtocolError):
            await asked(transport, side, smuggle)
    assert side.heard == []


async def twice(client: httpx.AsyncClient) -> httpx.Response:
    await client.get("/")
    return await client.get("/")


async def test_a_connection_is_kept(transport: Make) -> None:
    async with far_side(OK, CHUNKED) as side:
        answer = await asked(transport, side, twice)

    assert (answer.content, side.connections) == (b"hello, dear all", 1)


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
    ids=["said to close", "old"],
)
async def test_a_connection_that_ends_is_opened_again(transport: Make, first: bytes) -> None:
    async with far_side(first, OK, closes=True) as side:
        answer = await asked(transport, side, twice)

    assert (answer.content, side.connections) == (b"ok", 2)


async def test_a_connection_the_far_side_closed_meanwhile_is_opened_again(transport: Make) -> None:
    async def later(client: httpx.AsyncClient) -> httpx.Response:
        await client.get("/")
        # The far side has hung up after its first answer; what tells us is in our socket, and read in turn.
        await asyncio.wait([side.open[0][0]])
        await side.open[0][1].wait_closed()
        for _ in range(10):
            await asyncio.sleep(0)
        return await client.get("/")

    async with far_side(OK, OK, closes=True) as side:
        answer = await asked(transport, side, later)

    assert (answer.content, side.connections) == (b"ok", 2)


async def test_a_request_that_was_given_up_takes_its_connection_along(transport: Make) -> None:
    """Or the next request would be given the answer to this one."""

    async def impatient(client: httpx.AsyncClient) -> httpx.Response:
        given_up = asyncio.ensure_future(client.get("/"))
        while not side.heard:  # noqa: ASYNC110  # the far side is no event
            await asyncio.sleep(0)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        return await client.get("/")

    async with far_side(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nlate", OK) as side:
        answer = await asked(transport, side, impatient)

    assert (answer.content, side.connections) == (b"ok", 2)


async def test_a_body_of_some_megabytes_arrives_whole(transport: Make) -> None:
    async def upload(client: httpx.AsyncClient) -> httpx.Response:
        return await client.put("/", content=bytes(range(256)) * 16_384)

    async with far_side(OK) as side:
        await asked(transport, side, upload)

    assert side.heard[0].endswith(bytes(range(256)) * 16_384)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates_in(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize("make", [Wire, httpx.AsyncHTTPTransport], ids=["wire", "httpx"])
async def test_a_far_side_is_spoken_to_under_its_own_name_alone(
    make: Callable[[ssl.SSLContext], httpx.AsyncBaseTransport], certificates: Certificates
) -> None:
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificates.certificate, certificates.key)
    ours = ssl.create_default_context(cafile=str(certificates.bundle))
    async with far_side(OK, CHUNKED, tls=served) as side:
        url = f"https://127.0.0.1:{side.port}/"
        async with httpx.AsyncClient(transport=make(ours)) as client:
            first, second = await client.get(url), await client.get(url)
        async with httpx.AsyncClient(transport=make(ssl.create_default_context())) as stranger:
            with pytest.raises(httpx.ConnectError):
                await stranger.get(url)

    assert (first.content, second.content) == (b"ok", b"hello, dear all")
