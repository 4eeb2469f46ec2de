"""One client's TCP connection: protocol headers, SASL, frames, keep-alive and a tidy end."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

from local.broker.amqp.composites import (
    AmqpError,
    Begin,
    Close,
    End,
    Open,
    SaslInit,
    SaslMechanisms,
    SaslOutcome,
)
from local.broker.amqp.frames import (
    AMQP,
    AMQP_HEADER,
    EMPTY_FRAME,
    MAX_FRAME_SIZE,
    SASL,
    SASL_HEADER,
    Frame,
    take_frame,
    write_frame,
)
from local.broker.amqp.shortcuts import write_accepted, write_transfer
from local.broker.amqp.values import SYMBOL_ARRAY, Array, Malformed, Symbol
from local.broker.engine.ports import Router, Violation
from local.broker.engine.session import Session
from local.broker.engine.turn import Turn

_LOG = logging.getLogger(__name__)

# Seconds: to finish the handshake; of silence before a client counts as gone (what the cloud allows).
HANDSHAKE_LIMIT = 15.0
SILENCE_LIMIT = 240.0

MAX_CHANNEL = 4095
MAX_LINKS = 5000

# Bytes of half-received messages and of answers without room that one connection may keep here.
MAX_HELD = 16 * 1024 * 1024

# Bytes of messages that leave in one turn, so that a client with much credit neither fills memory nor keeps
# others waiting; and bytes of anything that a client may leave unread before it is cut off.
MAX_TURN = 1024 * 1024
MAX_UNREAD = 16 * 1024 * 1024

# The .NET client asks for MSSBCBS, the others for ANONYMOUS. Any of them opens the door: this broker has no
# lock.
MECHANISMS = ("MSSBCBS", "PLAIN", "ANONYMOUS", "EXTERNAL")

_NO_WEBSOCKETS = b"HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Connection(asyncio.BufferedProtocol):
    """The server's end of one connection."""

    def __init__(self, router: Router, turn: Turn, connections: set[Connection]) -> None:
        self.router = router
        self.peer_frame_size = 512
        self._reads = True
        self._turn = turn
        self._connections = connections
        self._sessions: dict[int, Session] = {}
        self._in = bytearray()
        self._out = bytearray()
        self._phase = self._sasl_header
        self._opened = False
        self._closing = False
        self._held = False
        self._links = 0
        self._kept = 0
        self._heard = False
        self._timers: list[asyncio.TimerHandle] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()
        self._connections.add(self)
        self._later(HANDSHAKE_LIMIT, self._check_handshake)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """The client is gone: sessions end, and with them the locks that belong to links."""
        self._connections.discard(self)
        self._closing = True
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._end_sessions()
        self._turn.touch()

    def pause_writing(self) -> None:
        """The client does not read as fast as it is sent to."""
        self._reads = False

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._reads = True
        self._feed()

    @property
    def writable(self) -> bool:
        """Whether there is room for a message."""
        return self._reads and len(self._out) < MAX_TURN

    def _feed(self) -> None:
        for session in list(self._sessions.values()):
            session.writable_again()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # asyncio's signature
        """Where to put what comes: one place for all connections of a loop, emptied at once."""
        return self._turn.inbox

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes came."""
        self.receive(self._turn.inbox[:nbytes])

    def receive(self, data: bytes | memoryview) -> None:
        """Act on bytes of the client."""
        self._heard = True
        if self._closing:
            return
        self._in += data
        if not self._held:
            with self._turn:
                self._work()

    def flush(self) -> None:
        """Hand what was said in this turn to the network, unless the connection is held."""
        if self._held and not self._closing:
            return
        out, self._out = self._out, bytearray()
        if out and not self._transport.is_closing():
            self._transport.write(out)
        if self._closing:
            self._transport.close()
        elif self._transport.get_write_buffer_size() > MAX_UNREAD:
            self.drop()
        elif len(out) >= MAX_TURN and self._reads:
            self._feed()

    def send(self, channel: int, performative: Any, payload: bytes = b"") -> None:
        """Queue a frame; it leaves at the end of this turn, after what it speaks of is durable."""
        if not self._closing:
            write_frame(self._out, channel, performative, payload)
            self._turn.speak(self)

    def send_whole(
        self, channel: int, handle: int, delivery_id: int, tag: bytes, payload: bytes, *, settled: bool
    ) -> None:
        """Queue a message that fits one frame."""
        if not self._closing:
            write_transfer(self._out, channel, handle, delivery_id, tag, payload, settled=settled)
            self._turn.speak(self)

    def send_accepted(self, channel: int, delivery_id: int, *, receiver: bool) -> None:
        """Queue the settlement of one delivery as accepted; `receiver`: it was the client that sent it."""
        if not self._closing:
            write_accepted(self._out, channel, delivery_id, receiver=receiver)
            self._turn.speak(self)

    def drop(self) -> None:
        """Cut the line without a word."""
        self._closing = True
        self._transport.abort()

    def hold(self, seconds: float) -> None:
        """Say nothing and act on nothing for a while; what comes in meanwhile waits, in order."""
        self._held = True
        self._transport.pause_reading()
        self._later(seconds, self._release)

    def count_link(self, change: int) -> None:
        """Keep the number of links. Raises Violation when there are too many."""
        self._links += change
        if change > 0 and self._links > MAX_LINKS:
            raise Violation("amqp:resource-limit-exceeded", f"a connection may have {MAX_LINKS} links")

    def holds(self, change: int) -> None:
        """Count the bytes that are kept for the client. Raises Violation when there are too many."""
        self._kept += change
        if change > 0 and self._kept > MAX_HELD:
            raise Violation("amqp:resource-limit-exceeded", "too much is unfinished or unread")

    def shut(self, condition: str, description: str) -> None:
        """End the connection with a reason, as far as the client is still able to hear one."""
        if self._closing:
            return
        if self._phase == self._frames:
            if not self._opened:
                write_frame(self._out, 0, Open("tandem-broker"))
            write_frame(self._out, 0, Close(AmqpError(condition, description)))
        self._end_sessions()
        self._closing = True
        self._turn.speak(self)

    def _work(self) -> None:
        try:
            while self._phase():
                pass
        except Malformed as wrong:
            self.shut("amqp:decode-error", str(wrong))
        except Violation as wrong:
            self.shut(wrong.condition, wrong.description)
        except Exception:  # noqa: BLE001  # a fault of ours must cost one client its line, not all
            _LOG.exception("a frame met a fault of the broker; its connection is closed")
            self.shut("amqp:internal-error", "the broker failed on this frame")

    def _header(self, expected: bytes) -> bool:
        """Whether the expected protocol header is there; anything else is answered with it and the door."""
        if len(self._in) < 8:
            return False
        received = bytes(self._in[:8])
        del self._in[:8]
        if received != expected:
            self._out += _NO_WEBSOCKETS if received.startswith(b"GET ") else expected
            self._closing = True
            self._turn.speak(self)
            return False
        self._out += expected
        self._turn.speak(self)
        return True

    def _sasl_header(self) -> bool:
        if not self._header(SASL_HEADER):
            return False
        offered = Array(SYMBOL_ARRAY, tuple(Symbol(name) for name in MECHANISMS))
        write_frame(self._out, 0, SaslMechanisms(offered), kind=SASL)
        self._phase = self._sasl
        return True

    def _sasl(self) -> bool:
        frame = take_frame(self._in)
        if frame is None:
            return False
        if frame.kind != SASL or not isinstance(frame.performative, SaslInit):
            raise Malformed("expected sasl-init")
        known = frame.performative.mechanism in MECHANISMS
        write_frame(self._out, 0, SaslOutcome(0 if known else 1), kind=SASL)
        self._turn.speak(self)
        self._phase = self._amqp_header
        self._closing = not known
        return known

    def _amqp_header(self) -> bool:
        if not self._header(AMQP_HEADER):
            return False
        self._phase = self._frames
        return True

    def _frames(self) -> bool:
        frame = take_frame(self._in)
        if frame is None:
            return False
        if frame.kind != AMQP:
            raise Malformed("a SASL frame after the handshake")
        if frame.performative is not None:
            self._on_frame(frame)
        return not (self._held or self._closing)

    def _on_frame(self, frame: Frame) -> None:
        performative = frame.performative
        kind = type(performative)
        if kind is Open:
            self._on_open(performative)
            return
        if not self._opened:
            raise Violation("amqp:illegal-state", "the first frame is open")
        if kind is Close:
            self.send(0, Close())
            self._end_sessions()
            self._closing = True
            return
        if kind is Begin:
            self._on_begin(frame.channel, performative)
            return
        session = self._sessions.get(frame.channel)
        if session is None:
            raise Violation("amqp:not-allowed", "a frame on a channel without a session")
        if kind is End:
            del self._sessions[frame.channel]
            session.close()
            self.send(frame.channel, End())
            return
        session.handle(performative, frame.payload)

    def _on_open(self, peer: Open) -> None:
        if self._opened:
            raise Violation("amqp:illegal-state", "open came twice")
        if peer.max_frame_size < 512:
            raise Violation("amqp:invalid-field", "max-frame-size is at least 512")
        self._opened = True
        self.peer_frame_size = min(peer.max_frame_size, MAX_FRAME_SIZE)
        self.send(
            0,
            Open(
                "tandem-broker",
                max_frame_size=MAX_FRAME_SIZE,
                channel_max=MAX_CHANNEL,
                idle_time_out=int(SILENCE_LIMIT * 500),
            ),
        )
        self._later(SILENCE_LIMIT, self._check_silence)
        if peer.idle_time_out:
            self._keep_alive(max(peer.idle_time_out / 1000 * 0.4, 0.05))

    def _on_begin(self, channel: int, begin: Begin) -> None:
        if channel in self._sessions or channel > MAX_CHANNEL:
            raise Violation("amqp:not-allowed", "the channel is in use or too high")
        self._sessions[channel] = Session(self, channel, begin)

    def _end_sessions(self) -> None:
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            session.withdraw()
        for session in sessions.values():
            session.close()

    def _later(self, seconds: float, call: Any, *args: Any) -> None:
        # A connection has at most four timers; those that ran are dropped as new ones come.
        self._timers = [timer for timer in self._timers if timer.when() > self._loop.time()]
        self._timers.append(self._loop.call_later(seconds, call, *args))

    def _release(self) -> None:
        self._held = False
        if not self._closing:
            self._transport.resume_reading()
            self._turn.speak(self)
            self._work()

    def _keep_alive(self, seconds: float) -> None:
        self._out += EMPTY_FRAME
        self._turn.speak(self)
        self._later(seconds, self._keep_alive, seconds)

    def _check_handshake(self) -> None:
        if not self._opened:
            self._transport.abort()

    def _check_silence(self) -> None:
        if not self._heard:
            self.shut("amqp:resource-limit-exceeded", "silent for too long")
            return
        self._heard = False
        self._later(SILENCE_LIMIT, self._check_silence)
