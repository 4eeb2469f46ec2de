"""The client's end of one AMQP connection: handshake, frames, links by handle, settlements that come back.

One AMQP session carries every link. Everything runs on the event loop the connection was opened on.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import Any, Self, cast

from local.broker.amqp.composites import (
    Attach,
    Begin,
    Close,
    Detach,
    Disposition,
    End,
    Flow,
    Open,
    Released,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
    Transfer,
    lift,
)
from local.broker.amqp.frames import (
    AMQP_HEADER,
    EMPTY_FRAME,
    MAX_FRAME_SIZE,
    SASL,
    SASL_HEADER,
    Frame,
    take_frames,
    write_frame,
)
from local.broker.amqp.values import Malformed
from local.host.servicebus.amqp.link import Link
from local.host.servicebus.port import Disconnected

_CHANNEL = 0
_WINDOW = 65536
_WRAP = 0xFFFFFFFF
_OPEN_S = 10.0
# What a broker that is alive answers within.
_ANSWER_S = 30.0


class Connection(asyncio.Protocol):
    """One connection, opened with `connect`. Every wait raises Disconnected once it is gone."""

    def __init__(self, container: str, host: str) -> None:
        self._container = container
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._in = bytearray()
        self._out = bytearray()
        self._flushing = False
        self._header: bytes | None = SASL_HEADER
        self.ready: asyncio.Future[None] = self._loop.create_future()
        self._gone = ""
        self._next_incoming = 0
        self._next_outgoing = 0
        self._next_delivery = 0
        self._links: dict[int, Link] = {}
        self._free: list[int] = []
        self._names = itertools.count()
        self._settling: dict[int, asyncio.Future[Any]] = {}
        self._beat: asyncio.TimerHandle | None = None
        self._acts: dict[type, Callable[[Any], None]] = {
            Disposition: self._on_disposition,
            Attach: self._on_link_frame,
            Detach: self._on_link_frame,
            Flow: self._on_link_frame,
            SaslMechanisms: self._on_mechanisms,
            SaslOutcome: self._on_outcome,
            Open: self._on_open,
            Begin: self._on_begin,
            Close: self._on_end,
            End: self._on_end,
        }

    @classmethod
    async def connect(cls, host: str, port: int, container: str) -> Self:
        """Open a connection and its session. Raises Disconnected."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_OPEN_S):
                _, connection = await loop.create_connection(lambda: cls(container, host), host, port)
                await connection.ready
        except (OSError, TimeoutError) as unreachable:
            raise Disconnected(f"no AMQP on {host}:{port}") from unreachable
        return connection

    @property
    def gone(self) -> str:
        """Why the connection is gone; "" while it is there."""
        return self._gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(SASL_HEADER)

    def connection_lost(self, _error: Exception | None) -> None:
        """The socket is gone, and every link with it."""
        self._end(self._gone or "the connection was lost")

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._in += data
        try:
            for frame in self._frames():
                self._on_frame(frame)
        except Malformed as wrong:
            self._end(f"not AMQP: {wrong}")

    def _frames(self) -> Iterator[Frame]:
        while True:
            if self._header is not None:
                if len(self._in) < len(self._header):
                    return
                if not self._in.startswith(self._header):
                    raise Malformed("another protocol header than asked for")
                del self._in[: len(self._header)]
                first, self._header = self._header, None
                if first == AMQP_HEADER:
                    self._begin()
            frame = next(take_frames(self._in), None)
            if frame is None:
                return
            yield frame

    def _begin(self) -> None:
        self.send(Open(self._container, self._host, max_frame_size=MAX_FRAME_SIZE))
        self.send(Begin(None, 0, _WINDOW, _WINDOW))

    def _on_frame(self, frame: Frame) -> None:
        performative = frame.performative
        if type(performative) is Transfer:
            self._next_incoming = (self._next_incoming + 1) & _WRAP
            if performative.handle in self._links:
                self._links[performative.handle].on_transfer(performative, frame.payload)
            return
        act = self._acts.get(type(performative))
        if act is not None:
            act(performative)

    def _on_mechanisms(self, _offered: SaslMechanisms) -> None:
        out = bytearray()
        write_frame(out, 0, SaslInit("ANONYMOUS", b"", self._host), kind=SASL)
        self._transport.write(bytes(out))

    def _on_outcome(self, outcome: SaslOutcome) -> None:
        if outcome.code != 0:
            raise Malformed("the broker lets nobody in")
        self._header = AMQP_HEADER
        self._transport.write(AMQP_HEADER)

    def _on_open(self, opened: Open) -> None:
        if opened.idle_time_out:
            self._keep_alive(opened.idle_time_out / 1000 * 0.4)

    def _on_begin(self, _begun: Begin) -> None:
        if not self.ready.done():
            self.ready.set_result(None)

    def _on_end(self, ended: Close | End) -> None:
        self._end(f"the broker closed: {ended.error.condition}" if ended.error else "the broker closed")

    def _on_link_frame(self, performative: Attach | Detach | Flow) -> None:
        handle = performative.handle
        link = None if handle is None else self._links.get(handle)
        if link is None:
            if isinstance(performative, Flow) and performative.echo:
                self.send_flow(None, 0, 0)
        elif isinstance(performative, Attach):
            link.on_attach(performative)
        elif isinstance(performative, Flow):
            link.on_flow(performative)
        else:
            if not link.detaching:
                self.send(Detach(link.handle, closed=True))
            self._forget(link)
            link.on_detach(performative)

    def _on_disposition(self, disposition: Disposition) -> None:
        if disposition.role:
            return
        last = disposition.first if disposition.last is None else disposition.last
        for offset in range(((last - disposition.first) & _WRAP) + 1):
            waiting = self._settling.pop((disposition.first + offset) & _WRAP, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(lift(disposition.state))

    def send(self, performative: Any, payload: bytes = b"") -> None:
        """Send a frame with all others of this turn of the loop. Raises Disconnected."""
        if self._gone:
            raise Disconnected(self._gone)
        write_frame(self._out, _CHANNEL, performative, payload)
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._out and not self._transport.is_closing():
            self._transport.write(bytes(self._out))
        self._out.clear()

    def _keep_alive(self, seconds: float) -> None:
        self._beat = self._loop.call_later(seconds, self._keep_alive, seconds)
        self._out += EMPTY_FRAME
        self._flush()

    def add(self, link: Link) -> tuple[int, str]:
        """A handle and a name for a new link."""
        handle = self._free.pop() if self._free else len(self._links)
        self._links[handle] = link
        return handle, f"{self._container}-{next(self._names)}"

    def _forget(self, link: Link) -> None:
        if self._links.pop(link.handle, None) is not None:
            self._free.append(link.handle)

    def next_delivery(self) -> int:
        """The id of the next message sent."""
        self._next_delivery += 1
        self._next_outgoing += 1
        return self._next_delivery - 1

    def send_flow(self, handle: int | None, delivery_count: int, credit: int, *, drain: bool = False) -> None:
        """Grant a link's credit, and with it a fresh window. Raises Disconnected."""
        windows = (self._next_incoming, _WINDOW, self._next_outgoing, _WINDOW)
        if handle is None:
            self.send(Flow(*windows))
        else:
            self.send(Flow(*windows, handle, delivery_count, credit, drain=drain))

    def settle(self, delivery_id: int, outcome: Any) -> "asyncio.Future[Any]":
        """Say what became of a delivery; the future is what the broker says of that. Raises Disconnected."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        self.send(Disposition(role=True, first=delivery_id, last=delivery_id, state=outcome))
        self._settling[delivery_id] = answer
        return answer

    def give_back(self, delivery_id: int) -> None:
        """Return a delivery as if it had never come, and ask for no answer. Raises Disconnected."""
        self.send(Disposition(role=True, first=delivery_id, last=delivery_id, settled=True, state=Released()))

    async def bounded(self, answer: "asyncio.Future[Any]", seconds: float = _ANSWER_S) -> Any:
        """Wait for an answer; a broker that gives none in time is taken for gone. Raises Disconnected."""
        try:
            async with asyncio.timeout(seconds):
                return await answer
        except TimeoutError:
            self._end("the broker does not answer")
            raise Disconnected(self._gone) from None

    def close(self) -> None:
        """End the connection; the broker frees what was held on it."""
        if not self._gone:
            self.send(Close())
            self._flush()
        self._end("closed")

    def _end(self, reason: str) -> None:
        self._gone = self._gone or reason
        if self._beat is not None:
            self._beat.cancel()
        self._transport.close()
        lost = Disconnected(self._gone)
        for waiting in (self.ready, *self._settling.values()):
            if not waiting.done():
                waiting.set_exception(lost)
        self._settling.clear()
        links, self._links = self._links, {}
        for link in links.values():
            link.on_gone(lost)
