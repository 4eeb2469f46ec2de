"""The client's end of one link, receiving or sending."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from local.broker.amqp.composites import Attach, Detach, Flow, Source, Target, Transfer
from local.host.servicebus.port import Disconnected, LockLost

if TYPE_CHECKING:
    from local.host.servicebus.amqp.connection import Connection

_SESSION_LOST = "com.microsoft:session-lock-lost"
_SETTLE_SECOND = 1


class Refused(Exception):
    """The broker did not give the link; `condition` says why."""

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition


class Delivery(NamedTuple):
    """A message as it came: its id within the connection, its tag and its bytes."""

    id: int
    tag: bytes
    payload: bytes


class Link:
    """One link. It is attached with `attach`, and gone after `detach` or when the broker says so."""

    def __init__(self, connection: "Connection") -> None:
        self.detaching = False
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._attached: asyncio.Future[Attach] = self._loop.create_future()
        self._lost: Exception | None = None
        self._ready: deque[Delivery] = deque()
        self._arrival: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._credit = 0
        self._count = 0
        self._parts = bytearray()
        self._first: Transfer | None = None
        self._unsettled: set[int] = set()
        self._settling: set[asyncio.Future[Any]] = set()
        self.handle, self.name = connection.add(self)

    async def attach(
        self,
        source: str,
        target: str,
        *,
        receives: bool,
        filters: dict[Any, Any] | None = None,
        properties: dict[Any, Any] | None = None,
        wait_s: float = 30.0,
    ) -> Attach:
        """Ask for the link. Raises Refused and Disconnected; a wait that is cancelled gives the link up."""
        frame = Attach(
            self.name,
            self.handle,
            receives,
            snd_settle_mode=0 if receives else 1,
            rcv_settle_mode=_SETTLE_SECOND if receives else 0,
            source=Source(source, filter=filters),
            target=Target(target),
            initial_delivery_count=None if receives else 0,
            properties=properties,
        )
        self._connection.send(frame)
        try:
            answer: Attach = await self._connection.bounded(self._attached, wait_s)
        except asyncio.CancelledError:
            self.detach()
            raise
        return answer

    def on_attach(self, attach: Attach) -> None:
        """The broker answered; one that refuses says why in the detach that follows."""
        given = attach.target if attach.role else attach.source
        if given is not None and not self._attached.done():
            self._attached.set_result(attach)

    def on_flow(self, flow: Flow) -> None:
        """The broker used up, or gave back, the credit."""
        if flow.drain and flow.delivery_count is not None:
            self._count, self._credit = flow.delivery_count, 0
            if self._drained is not None and not self._drained.done():
                self._drained.set_result(None)

    def on_transfer(self, transfer: Transfer, payload: bytes) -> None:
        """A message came, or a part of one."""
        first = self._first or transfer
        if transfer.more or self._parts:
            self._parts += payload
            self._first = first
            if transfer.more:
                return
            payload = bytes(self._parts)
            self._parts, self._first = bytearray(), None
        self._count = (self._count + 1) & 0xFFFFFFFF
        self._credit -= 1
        delivery = Delivery(first.delivery_id or 0, first.delivery_tag or b"", payload)
        self._ready.append(delivery)
        if not first.settled:
            self._unsettled.add(delivery.id)
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    def on_detach(self, detach: Detach) -> None:
        """The broker ended the link, or agrees that it is ended."""
        condition = "" if detach.error is None else str(detach.error.condition)
        if not self._attached.done():
            self._attached.set_exception(Refused(condition))
        if condition == _SESSION_LOST:
            self.on_gone(LockLost(condition))
        else:
            self.on_gone(Disconnected(condition or "the link was ended"))

    def on_gone(self, reason: Exception) -> None:
        """The link is no more: every wait on it ends."""
        self._lost = self._lost or reason
        for waiting in (self._attached, self._arrival, self._drained, *self._settling):
            if waiting is not None and not waiting.done():
                waiting.set_exception(reason)
        if not self._attached.cancelled():
            # Nobody may be waiting for the answer to an attach that was given up.
            self._attached.exception()

    async def receive(self, wait_s: float) -> Delivery | None:
        """The next message, granting credit for one if none is out. Raises LockLost and Disconnected."""
        if self._ready:
            return self._ready.popleft()
        self.check()
        if self._credit <= 0:
            self.grant(1)
        self._arrival = self._loop.create_future()
        # A timer and a future, not asyncio.timeout: this is the wait every idle session sits in.
        timer = self._loop.call_later(wait_s, _give_up, self._arrival)
        try:
            await self._arrival
        finally:
            timer.cancel()
            self._arrival = None
        return self._ready.popleft() if self._ready else None

    def check(self) -> None:
        """Raise what ended the link, if something has."""
        if self._lost is not None:
            raise self._lost

    def grant(self, credit: int) -> None:
        """Let the broker send so many messages. Raises Disconnected."""
        self._credit = credit
        self._connection.send_flow(self.handle, self._count, credit)

    def send(self, payload: bytes) -> None:
        """Send a message that needs no answer. Raises Disconnected."""
        self.check()
        number = self._connection.next_delivery()
        frame = Transfer(self.handle, number, number.to_bytes(4, "big"), 0, settled=True)
        self._connection.send(frame, payload)

    async def settle(self, delivery: Delivery, outcome: Any) -> Any:
        """Tell the broker what became of a delivery; returns what it says of that. Raises as `check`."""
        self.check()
        self._unsettled.discard(delivery.id)
        answer = self._connection.settle(delivery.id, outcome)
        self._settling.add(answer)
        try:
            return await self._connection.bounded(answer)
        finally:
            self._settling.discard(answer)

    async def drain(self) -> None:
        """Take back the credit, so that nothing comes any more. Raises as `check`."""
        if self._credit > 0 and self._lost is None:
            self._drained = self._loop.create_future()
            self._connection.send_flow(self.handle, self._count, self._credit, drain=True)
            await self._connection.bounded(self._drained)

    def give_back(self) -> None:
        """Let others have what was not settled, without a count, as Microsoft's clients do on leaving.

        Raises as `check`.
        """
        self.check()
        for delivery_id in sorted(self._unsettled):
            self._connection.give_back(delivery_id)

    def detach(self) -> None:
        """End the link, without waiting for the broker to agree."""
        if self._lost is None and not self.detaching:
            self.detaching = True
            self._connection.send(Detach(self.handle, closed=True))


def _give_up(arrival: "asyncio.Future[None]") -> None:
    if not arrival.done():
        arrival.set_result(None)
