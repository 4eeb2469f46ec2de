"""An AMQP session: the links on one channel and the windows they share. (Not a session of a queue.)"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from local.broker.amqp.composites import Accepted, Attach, Begin, Detach, Disposition, Flow, Transfer
from local.broker.engine.link import Attaching, IncomingLink, Link, OutgoingLink
from local.broker.engine.ports import Violation

if TYPE_CHECKING:
    from local.broker.engine.connection import Connection

# Frames a client may send before the window is refreshed, which happens when half is used.
INCOMING_WINDOW = 2048

MAX_HANDLE = 4095

_WRAP = 0xFFFFFFFF


class Session:
    """One session of a connection. Handles and the channel are numbered as the client numbers them."""

    def __init__(self, connection: Connection, channel: int, begin: Begin) -> None:
        self.connection = connection
        self.channel = channel
        self.backlog: deque[tuple[Transfer, bytes]] = deque()
        self._links: dict[int, Link | Attaching | None] = {}
        self._next_incoming = begin.next_outgoing_id
        self._incoming_window = INCOMING_WINDOW
        self._next_outgoing = 0
        self._remote_window = begin.incoming_window
        self._next_delivery = 0
        self._unsettled: dict[int, tuple[OutgoingLink, Any]] = {}
        self.send(
            Begin(
                remote_channel=channel,
                next_outgoing_id=0,
                incoming_window=INCOMING_WINDOW,
                outgoing_window=INCOMING_WINDOW,
                handle_max=MAX_HANDLE,
            )
        )

    def send(self, performative: Any) -> None:
        """Send one frame on this session's channel."""
        self.connection.send(self.channel, performative)

    def handle(self, performative: Any, payload: bytes) -> None:
        """Act on one frame of the client. Raises Violation."""
        kind = type(performative)
        if kind is Transfer:
            self._on_transfer(performative, payload)
        elif kind is Disposition:
            self._on_disposition(performative)
        elif kind is Flow:
            self._on_flow(performative)
        elif kind is Attach:
            self._on_attach(performative)
        elif kind is Detach:
            self._on_detach(performative)
        else:
            raise Violation("amqp:not-allowed", f"{kind.__name__} does not belong into a session")

    def withdraw(self) -> None:
        """Drop every open question: what a link gives back as it ends must not be granted to this client."""
        for handle, link in list(self._links.items()):
            if isinstance(link, Attaching):
                del self._links[handle]
                self.connection.count_link(-1)
                link.vanish()

    def close(self) -> None:
        """The session is over: every open question is dropped, then every link ends."""
        self.withdraw()
        links, self._links = self._links, {}
        self._unsettled.clear()
        self.backlog.clear()
        self.connection.count_link(-len(links))
        for link in links.values():
            if isinstance(link, Link):
                link.ended()

    def established(self, link: Link) -> None:
        """An attach was accepted."""
        self._links[link.handle] = link

    def refused(self, handle: int) -> None:
        """An attach was refused; its handle counts until the client says that it heard."""
        self._links[handle] = None

    def abandon(self, link: Link) -> None:
        """This side ended the link; its handle counts until the client says that it heard."""
        self._links[link.handle] = None
        self._end(link)

    def outgoing_links(self) -> list[OutgoingLink]:
        """The links on which the client receives."""
        return [link for link in self._links.values() if isinstance(link, OutgoingLink)]

    def _on_attach(self, attach: Attach) -> None:
        if attach.handle > MAX_HANDLE or self._links.get(attach.handle) is not None:
            raise Violation("amqp:session:handle-in-use", "the handle is in use or too high")
        attaching = Attaching(self, attach)
        self._links[attach.handle] = attaching
        self.connection.count_link(1)
        self.connection.router.attach(attaching)

    def _on_detach(self, detach: Detach) -> None:
        if detach.handle not in self._links:
            raise Violation("amqp:session:unattached-handle", "detach of a handle without a link")
        link = self._links.pop(detach.handle)
        self.connection.count_link(-1)
        if link is None:
            return
        if isinstance(link, Attaching):
            # The client gave up before it was answered, and now wants no answer: some take one as a fault.
            link.vanish()
        else:
            self.send(Detach(detach.handle, closed=detach.closed))
            self._end(link)

    def _end(self, link: Link) -> None:
        for delivery_id in [key for key, (owner, _) in self._unsettled.items() if owner is link]:
            del self._unsettled[delivery_id]
        link.ended()

    def can_send(self) -> bool:
        """Whether a message would leave at once: the client's window and its socket have room."""
        return self._remote_window > 0 and not self.backlog and self.connection.writable

    def send_flow(self, handle: int, delivery_count: int, credit: int, *, drain: bool = False) -> None:
        """Tell the client a link's credit, and the session's windows with it."""
        self._incoming_window = INCOMING_WINDOW
        self.send(
            Flow(
                next_incoming_id=self._next_incoming,
                incoming_window=self._incoming_window,
                next_outgoing_id=self._next_outgoing,
                outgoing_window=INCOMING_WINDOW,
                handle=handle,
                delivery_count=delivery_count,
                link_credit=credit,
                drain=drain,
            )
        )

    def writable_again(self) -> None:
        """There is room for messages again: tell whoever feeds the links."""
        for link in self.outgoing_links():
            if link.credit > 0 and link.open:
                link.endpoint.credited()

    def _on_flow(self, flow: Flow) -> None:
        ahead = (self._next_outgoing - (flow.next_incoming_id or 0)) & _WRAP
        self._remote_window = flow.incoming_window - ahead
        while self.backlog and self._remote_window > 0:
            self._transmit(*self.backlog.popleft())
        if flow.handle is None:
            if flow.echo:
                self._send_windows()
            self.writable_again()
            return
        link = self._links.get(flow.handle)
        if isinstance(link, (IncomingLink, OutgoingLink)):
            link.flow(flow)
        elif flow.handle not in self._links:
            raise Violation("amqp:session:unattached-handle", "flow for a handle without a link")

    def _send_windows(self) -> None:
        self._incoming_window = INCOMING_WINDOW
        self.send(Flow(self._next_incoming, INCOMING_WINDOW, self._next_outgoing, INCOMING_WINDOW))

    def send_message(self, link: OutgoingLink, payload: bytes, tag: bytes, item: Any) -> None:
        """Send a message in as many frames as it needs; they wait when the client's window is full."""
        delivery_id = self._next_delivery
        self._next_delivery = (delivery_id + 1) & _WRAP
        if item is not None:
            self._unsettled[delivery_id] = (link, item)
        room = self.connection.peer_frame_size - 96
        if len(payload) <= room and self._remote_window > 0 and not self.backlog:
            self._count_frame()
            self.connection.send_whole(
                self.channel, link.handle, delivery_id, tag, payload, settled=item is None
            )
            return
        first = Transfer(
            link.handle,
            delivery_id=delivery_id,
            delivery_tag=tag,
            message_format=0,
            settled=item is None,
            more=len(payload) > room,
        )
        self._queue_frame(first, payload[:room])
        for start in range(room, len(payload), room):
            part = payload[start : start + room]
            self._queue_frame(Transfer(link.handle, more=start + room < len(payload)), part)

    def _queue_frame(self, transfer: Transfer, payload: bytes) -> None:
        if self.backlog or self._remote_window <= 0:
            self.backlog.append((transfer, payload))
        else:
            self._transmit(transfer, payload)

    def _transmit(self, transfer: Transfer, payload: bytes) -> None:
        self._count_frame()
        self.connection.send(self.channel, transfer, payload)

    def _count_frame(self) -> None:
        self._next_outgoing = (self._next_outgoing + 1) & _WRAP
        self._remote_window -= 1

    def settle_incoming(self, delivery_id: int, outcome: Any) -> None:
        """Tell the client what became of a message it sent."""
        self._settle(delivery_id, outcome, receiver=True)

    def _settle(self, delivery_id: int, outcome: Any, *, receiver: bool) -> None:
        if type(outcome) is Accepted:
            self.connection.send_accepted(self.channel, delivery_id, receiver=receiver)
        else:
            settled = Disposition(
                role=receiver, first=delivery_id, last=delivery_id, settled=True, state=outcome
            )
            self.send(settled)

    def _on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        self._next_incoming = (self._next_incoming + 1) & _WRAP
        self._incoming_window -= 1
        link = self._links.get(transfer.handle)
        if isinstance(link, IncomingLink):
            link.transfer(transfer, payload)
        elif transfer.handle not in self._links or link is not None:
            raise Violation("amqp:session:unattached-handle", "transfer on a handle that takes none")
        if self._incoming_window <= INCOMING_WINDOW // 2:
            self._send_windows()

    def _on_disposition(self, disposition: Disposition) -> None:
        if not disposition.role:
            return  # the sender's word on messages that were settled when they came
        last = disposition.first if disposition.last is None else disposition.last
        if last == disposition.first:
            self._settle_outgoing(last, disposition)
            return
        count = ((last - disposition.first) & _WRAP) + 1
        if count > len(self._unsettled):
            # The range is the client's claim: walk what was sent, never what was claimed.
            ids = [key for key in self._unsettled if (key - disposition.first) & _WRAP < count]
        else:
            ids = [(disposition.first + offset) & _WRAP for offset in range(count)]
        for delivery_id in ids:
            self._settle_outgoing(delivery_id, disposition)

    def _settle_outgoing(self, delivery_id: int, disposition: Disposition) -> None:
        found = self._unsettled.get(delivery_id)
        if found is None or (disposition.state is None and not disposition.settled):
            return
        del self._unsettled[delivery_id]
        link, item = found
        outcome = link.endpoint.settled(item, disposition.state)
        if outcome is not None and not disposition.settled:
            self._settle(delivery_id, outcome, receiver=False)
