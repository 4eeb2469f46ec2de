"""The fast way to receive from the local broker: every session is a link on one connection.

Opening a session costs one round trip instead of a connection, so hundreds are turned over in a second.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from local.broker.amqp.composites import Accepted, Modified, Rejected
from local.broker.amqp.values import Malformed, Symbol, UInt
from local.host.servicebus.amqp.connection import Connection
from local.host.servicebus.amqp.incoming import message_of
from local.host.servicebus.amqp.link import Delivery, Link, Refused
from local.host.servicebus.amqp.management import Management
from local.host.servicebus.port import Disconnected, LockLost, Message

_SESSION_FILTER = Symbol("com.microsoft:session-filter")
_TIMEOUT = Symbol("com.microsoft:timeout")
_LOCKED_UNTIL = "com.microsoft:locked-until-utc"
_NOTHING_THERE = "com.microsoft:timeout"

# How much later than its own limit the broker may answer an accept.
_PATIENCE_S = 10.0
_TICKS_OF_1970 = 621_355_968_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AmqpBus:
    """A broker on this machine by host and port; connects when first needed, and again after a loss."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()
        self._managements: dict[str, Management] = {}

    async def _connected(self) -> Connection:
        async with self._connecting:
            if self._connection is None or self._connection.gone:
                self._managements.clear()
                name = f"host-{uuid4().hex[:8]}"
                self._connection = await Connection.connect(self._host, self._port, name)
            return self._connection

    def _management(self, connection: Connection, path: str) -> Management:
        if path not in self._managements:
            self._managements[path] = Management(connection, path)
        return self._managements[path]

    async def accept_session(self, queue: str, wait_s: float) -> "AmqpReceiver | None":
        """The next session with messages."""
        connection = await self._connected()
        management = self._management(connection, queue)
        link = Link(connection)
        try:
            attached = await link.attach(
                queue,
                link.name,
                receives=True,
                filters={_SESSION_FILTER: None},
                properties={_TIMEOUT: UInt(int(wait_s * 1000))},
                wait_s=wait_s + _PATIENCE_S,
            )
        except Refused as refused:
            if refused.condition == _NOTHING_THERE:
                return None
            raise Disconnected(refused.condition) from refused
        filters = attached.source.filter if attached.source and attached.source.filter else {}
        ticks = int((attached.properties or {}).get(_LOCKED_UNTIL, _TICKS_OF_1970))
        until = _EPOCH + timedelta(microseconds=(ticks - _TICKS_OF_1970) // 10)
        return AmqpReceiver(connection, link, management, str(filters.get(_SESSION_FILTER)), until)

    async def open(self, path: str) -> "AmqpReceiver":
        """A receiver without sessions."""
        connection = await self._connected()
        management = self._management(connection, path)
        link = Link(connection)
        try:
            await link.attach(path, link.name, receives=True)
        except Refused as refused:
            raise Disconnected(refused.condition) from refused
        return AmqpReceiver(connection, link, management)

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()


class AmqpReceiver:
    """One link: a session, or a queue without sessions."""

    def __init__(
        self,
        connection: Connection,
        link: Link,
        management: Management,
        session_id: str | None = None,
        locked_until: datetime | None = None,
    ) -> None:
        self._connection = connection
        self._link = link
        self._management = management
        self._session_id = session_id
        self._locked_until = locked_until

    @property
    def session_id(self) -> str | None:
        """The session held."""
        return self._session_id

    @property
    def locked_until(self) -> datetime | None:
        """Until when the session is held."""
        return self._locked_until

    async def receive(self, wait_s: float) -> Message | None:
        """The next message."""
        delivery = await self._link.receive(wait_s)
        if delivery is None:
            return None
        try:
            return message_of(delivery)
        except Malformed as unreadable:
            raise Disconnected("a message that is not AMQP") from unreadable

    async def complete(self, message: Message) -> None:
        """Done with it."""
        await self._settle(message, Accepted())

    async def abandon(self, message: Message) -> None:
        """Back to its place."""
        await self._settle(message, Modified(delivery_failed=True, undeliverable_here=False))

    async def _settle(self, message: Message, outcome: Any) -> None:
        delivery: Delivery = message.token
        said = await self._link.settle(delivery, outcome)
        if isinstance(said, Rejected) and said.error is not None:
            condition = str(said.error.condition)
            raise LockLost(condition) if condition.endswith("lock-lost") else Disconnected(condition)

    async def renew(self, message: Message | None = None) -> datetime:
        """Hold longer."""
        # The broker knows the connection only, and another link of it may hold the session by now.
        self._link.check()
        if self._session_id is not None:
            self._locked_until = await self._management.renew_session(self._session_id)
            return self._locked_until
        if message is None:
            raise ValueError("a queue without sessions has message locks only")
        return await self._management.renew_message(message.lock_token)

    async def close(self) -> None:
        """Give up what is held; what was not settled goes back without a count."""
        try:
            if self._session_id is None:
                # A session gives its messages back as it closes; a queue would keep them locked.
                await self._link.drain()
                self._link.give_back()
            self._link.detach()
        except (Disconnected, LockLost):
            return
