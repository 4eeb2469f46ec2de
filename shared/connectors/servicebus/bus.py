"""`Bus` over Azure Service Bus, or anything that speaks its protocol."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4
from weakref import WeakKeyDictionary

from shared.connectors.servicebus import envelope
from shared.connectors.web.trust import trust
from shared.core.change import Direction, Message
from shared.core.codes import Code
from shared.core.envelope import drain
from shared.core.errors import Refused, SyncError, Throttled, Unavailable
from shared.core.ports import Clock
from shared.core.seal import Seal
from shared.core.trace import carried_on

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.servicebus import ServiceBusMessage
    from azure.servicebus.aio import ServiceBusClient, ServiceBusSender

_TOGETHER = 100
"""Wakes that travel together: each has a few hundred bytes, and a batch may have 256 KB."""

Act = Callable[["ServiceBusSender"], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Address:
    """Where the namespace is and how to get in: a connection string, or a host name and a credential."""

    connection_string: str | None = field(default=None, repr=False)
    namespace: str | None = None
    credential: "AsyncTokenCredential | None" = None

    def __post_init__(self) -> None:
        if (self.connection_string is None) == (self.namespace is None or self.credential is None):
            raise ValueError("a connection string, or a namespace with a credential")


@dataclass(slots=True)
class _Line:
    """One queue on one event loop: the SDK's sender is not safe for two tasks at once."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    sender: "ServiceBusSender | None" = None
    wakes: "list[ServiceBusMessage]" = field(default_factory=list)


@dataclass(slots=True)
class _Station:
    """Everything that belongs to one event loop."""

    client: "ServiceBusClient"
    lines: dict[str, _Line] = field(default_factory=dict)


class ServiceBus:
    """One open sender per queue, opened on first use and again after an error.

    Wakes that wait for the sender's turn travel together: a plan wakes dozens of lanes at once.

    `queues` names the queue of each direction. A send that fails is repeated once on a fresh sender (a
    link the service closed for idling fails once); the repetition is harmless, because every message has
    an id. `seal` goes on every wake: the gate takes none without. Raises Unavailable, Throttled or Refused.
    """

    def __init__(
        self,
        queues: Mapping[Direction, str],
        address: Address,
        clock: Clock,
        *,
        new_id: Callable[[], UUID] = uuid4,
        timeout: float = 20.0,
        ca_file: str | None = None,
        seal: Seal | None = None,
    ) -> None:
        self._queues = dict(queues)
        self._address = address
        self._clock = clock
        self._new_id = new_id
        self._timeout = timeout
        self._ca_file = ca_file
        self._seal = seal
        self._stations: WeakKeyDictionary[asyncio.AbstractEventLoop, _Station] = WeakKeyDictionary()

    async def wake(self, direction: Direction, record: UUID, at: datetime) -> None:
        """Send the lane of `record` a drain message, in the record's own session, not before `at`."""
        wake = carried_on(drain(record, self._new_id(), self._queues[direction]))
        queue, message = self._queues[direction], envelope.posted(self._seal.on(wake) if self._seal else wake)
        if at > self._clock.now():
            timeout = self._timeout
            await self._on(queue, lambda sender: sender.schedule_messages(message, at, timeout=timeout))
            return
        waiting = self._line(queue).wakes
        waiting.append(message)

        async def send(sender: "ServiceBusSender") -> None:
            # Whoever had the turn before may have sent ours along.
            if message in waiting:
                together = waiting[:_TOGETHER]
                await sender.send_messages(together, timeout=self._timeout)
                waiting[:] = [each for each in waiting if each not in together]

        try:
            await self._on(queue, send)
        finally:
            if message in waiting:
                waiting.remove(message)

    async def post(self, message: Message) -> None:
        """Put a message on its queue as the sender would have."""
        outgoing = envelope.posted(message)
        await self._on(message.queue, lambda sender: sender.send_messages(outgoing, timeout=self._timeout))

    async def _on(self, queue: str, act: Act) -> None:
        from azure.core.exceptions import AzureError  # noqa: PLC0415  # paid by the first call

        line = self._line(queue)
        async with line.turn:
            for last in (False, True):
                try:
                    if line.sender is None:
                        line.sender = self._station().client.get_queue_sender(queue)
                    await act(line.sender)
                except (AzureError, OSError) as error:
                    await _drop(line)
                    refusal = _failure(error, queue)
                    if last or isinstance(refusal, Refused):
                        raise refusal from error
                except BaseException:
                    # A cancelled send leaves the link in an unknown state.
                    await _drop(line)
                    raise
                else:
                    return

    def _line(self, queue: str) -> _Line:
        return self._station().lines.setdefault(queue, _Line())

    def _station(self) -> _Station:
        loop = asyncio.get_running_loop()
        station = self._stations.get(loop)
        if station is None:
            station = self._stations[loop] = _Station(self._client())
        return station

    def _client(self) -> "ServiceBusClient":
        from azure.servicebus.aio import ServiceBusClient  # noqa: PLC0415  # 116 ms that a start need not pay

        # Without a context of ours the SDK loads the authorities for every sender, even without TLS.
        options: dict[str, Any] = {
            "ssl_context": trust(self._ca_file),
            "retry_total": 1,
            "retry_backoff_factor": 0.2,
        }
        if self._address.connection_string is not None:
            return ServiceBusClient.from_connection_string(self._address.connection_string, **options)
        assert self._address.namespace is not None  # noqa: S101  # Address holds one or the other
        assert self._address.credential is not None  # noqa: S101  # likewise
        return ServiceBusClient(self._address.namespace, self._address.credential, **options)

    async def aclose(self) -> None:
        """Close this event loop's senders; the next call opens new ones."""
        station = self._stations.pop(asyncio.get_running_loop(), None)
        if station is None:
            return
        for line in station.lines.values():
            await _drop(line)
        await station.client.close()


async def _drop(line: _Line) -> None:
    sender, line.sender = line.sender, None
    if sender is not None:
        # What a broken link says while it is closed adds nothing to the error that broke it.
        with contextlib.suppress(Exception):
            await sender.close()


def _failure(error: Exception, queue: str) -> SyncError:
    from azure.core.exceptions import ClientAuthenticationError  # noqa: PLC0415  # paid by the first call
    from azure.servicebus import exceptions as said  # noqa: PLC0415  # paid by the first call

    match error:
        case said.MessageSizeExceededError():
            return Refused(f"the message is too large for queue {queue}", answer="message_size_exceeded")
        case said.MessagingEntityNotFoundError() | said.MessagingEntityDisabledError():
            return Refused(f"queue {queue} does not exist or is disabled", answer="entity_not_found")
        case said.ServiceBusAuthenticationError() | said.ServiceBusAuthorizationError():
            return Refused(
                f"queue {queue} does not accept our credentials",
                answer="unauthorized",
                code=Code.TARGET_UNAUTHORISED,
            )
        case said.ServiceBusServerBusyError() | said.ServiceBusQuotaExceededError():
            return Throttled(f"queue {queue} is busy or full")
        case ClientAuthenticationError():
            return Unavailable("no token could be had for the app's identity")
        case _:
            return Unavailable(f"queue {queue} cannot be reached")
