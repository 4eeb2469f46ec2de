"""Links: one direction of messages between a client and a node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.broker.amqp.composites import (
    AmqpError,
    Attach,
    Coordinator,
    Detach,
    Flow,
    Source,
    Target,
)

if TYPE_CHECKING:
    from local.broker.engine.ports import Receives, Sends
    from local.broker.engine.session import Session

# The most a standard-tier message may weigh (bytes); what the official emulator accepts, too.
MAX_MESSAGE_SIZE = 262144

# Messages a client may send before it needs new credit. Refreshed when half is used.
INCOMING_CREDIT = 1000


class Attaching:
    """A link a client asks for, until it is accepted or refused. The answer may come much later."""

    def __init__(self, session: Session, frame: Attach) -> None:
        self.session = session
        self.frame = frame
        self.gone = False
        self.on_gone: Callable[[], None] | None = None

    @property
    def client_sends(self) -> bool:
        """Whether the client is the sender on this link."""
        return not self.frame.role

    @property
    def address(self) -> Any:
        """The node the client names, as it wrote it; None when the frame names none."""
        terminus = self.frame.target if self.client_sends else self.frame.source
        return None if isinstance(terminus, Coordinator) or terminus is None else terminus.address

    def accept_incoming(self, endpoint: Receives, properties: dict[Any, Any] | None = None) -> IncomingLink:
        """The client may send: messages go to `endpoint`."""
        link = IncomingLink(self.session, self.frame, endpoint)
        self._answer(self.frame.source, properties, MAX_MESSAGE_SIZE)
        self.session.established(link)
        link.grant()
        return link

    def accept_outgoing(
        self, endpoint: Sends, properties: dict[Any, Any] | None = None, filters: dict[Any, Any] | None = None
    ) -> OutgoingLink:
        """The client may receive: it is fed by `endpoint`. `filters` are the ones that took effect."""
        link = OutgoingLink(self.session, self.frame, endpoint)
        source = self.frame.source or Source()
        self._answer(source._replace(filter=filters), properties, None)
        self.session.established(link)
        return link

    def refuse(self, condition: str, description: str) -> None:
        """No such link: an answer without a terminus, then a detach that says why."""
        if self.gone:
            return
        self.gone = True
        frame = self.frame
        answer = Attach(
            name=frame.name,
            handle=frame.handle,
            role=not frame.role,
            source=None if frame.role else frame.source,
            target=frame.target if frame.role else None,
            initial_delivery_count=0 if frame.role else None,
        )
        self.session.send(answer)
        self.session.send(Detach(frame.handle, closed=True, error=AmqpError(condition, description)))
        self.session.refused(frame.handle)

    def vanish(self) -> None:
        """The client is gone: nothing may be answered any more."""
        self.gone = True
        if self.on_gone is not None:
            self.on_gone()

    def _answer(self, source: Source | None, properties: dict[Any, Any] | None, max_size: int | None) -> None:
        frame = self.frame
        answer = Attach(
            name=frame.name,
            handle=frame.handle,
            role=not frame.role,
            snd_settle_mode=frame.snd_settle_mode,
            rcv_settle_mode=frame.rcv_settle_mode,
            source=source or Source(),
            target=frame.target or Target(),
            initial_delivery_count=0 if frame.role else None,
            max_message_size=max_size,
            properties=properties,
        )
        self.session.send(answer)


class Link:
    """A link that both sides agreed on."""

    def __init__(self, session: Session, frame: Attach, endpoint: Receives | Sends) -> None:
        self.session = session
        self.name = frame.name
        self.handle = frame.handle
        self.frame = frame
        self.endpoint = endpoint
        self.open = True

    def detach(self, condition: str, description: str) -> None:
        """End the link from this side, with the reason."""
        if self.open:
            self.session.send(Detach(self.handle, closed=True, error=AmqpError(condition, description)))
            self.session.abandon(self)

    def ended(self) -> None:
        """The link is gone, whoever ended it."""
        if self.open:
            self.open = False
            self.endpoint.closed()


@dataclass(slots=True)
class Delivery:
    """A whole message from a client."""

    link: IncomingLink
    delivery_id: int
    settled: bool
    message_format: int
    payload: bytes

    def settle(self, outcome: Any) -> None:
        """Tell the client what became of it, unless it does not want to know or is gone."""
        if not self.settled and self.link.open:
            self.link.session.settle_incoming(self.delivery_id, outcome)


class IncomingLink(Link):
    """The client sends."""

    endpoint: Receives

    def __init__(self, session: Session, frame: Attach, endpoint: Receives) -> None:
        super().__init__(session, frame, endpoint)
        self._delivery_count = frame.initial_delivery_count or 0
        self._credit = 0
        self._parts = bytearray()
        self._first: Any = None

    def grant(self) -> None:
        """Give the client fresh credit."""
        self._credit = INCOMING_CREDIT
        self.session.send_flow(self.handle, self._delivery_count, self._credit)

    def transfer(self, transfer: Any, payload: bytes) -> None:
        """A frame of a message came."""
        if self._first is None:
            self._first = transfer
        if transfer.aborted:
            self._forget()
            return
        if transfer.more or self._parts:
            self._parts += payload
            self.session.connection.holds(len(payload))
            if len(self._parts) > MAX_MESSAGE_SIZE + 65536:
                self._forget()
                self.detach("amqp:link:message-size-exceeded", f"a message may have {MAX_MESSAGE_SIZE} bytes")
                return
        if transfer.more:
            return
        first, whole = self._first, bytes(self._parts) or payload
        self._forget()
        self._delivery_count += 1
        self._credit -= 1
        settled = bool(first.settled or transfer.settled)
        self.endpoint.receive(
            Delivery(self, first.delivery_id or 0, settled, first.message_format or 0, whole)
        )
        if self._credit <= INCOMING_CREDIT // 2 and self.open:
            self.grant()

    def _forget(self) -> None:
        self.session.connection.holds(-len(self._parts))
        self._parts = bytearray()
        self._first = None

    def ended(self) -> None:
        """The link is gone, and half a message with it."""
        self._forget()
        super().ended()

    def flow(self, flow: Flow) -> None:
        """The sender's view of the link; only an echo needs an answer."""
        if flow.echo:
            self.session.send_flow(self.handle, self._delivery_count, self._credit)


class OutgoingLink(Link):
    """The client receives."""

    endpoint: Sends

    def __init__(self, session: Session, frame: Attach, endpoint: Sends) -> None:
        super().__init__(session, frame, endpoint)
        self.credit = 0
        self._delivery_count = 0

    def capacity(self) -> int:
        """How many messages the client would take now."""
        return self.credit if self.open and self.session.can_send() else 0

    def send(self, payload: bytes, tag: bytes, item: Any = None) -> None:
        """Send one message. With an `item`, the client's settlement of it comes back to the endpoint."""
        self.credit -= 1
        self._delivery_count = (self._delivery_count + 1) & 0xFFFFFFFF
        self.session.send_message(self, payload, tag, item)

    def flow(self, flow: Flow) -> None:
        """The client grants credit, or takes it back (drain)."""
        if flow.link_credit is not None:
            ahead = (flow.delivery_count or 0) + flow.link_credit - self._delivery_count
            self.credit = max(0, min(ahead, 0x7FFFFFFF))
        self.endpoint.credited()
        if not self.open:
            return
        if flow.drain and not self.session.backlog:
            self._delivery_count = (self._delivery_count + self.credit) & 0xFFFFFFFF
            self.credit = 0
        if flow.drain or flow.echo:
            self.session.send_flow(self.handle, self._delivery_count, self.credit, drain=flow.drain)
