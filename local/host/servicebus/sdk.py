"""Receives with Microsoft's SDK: works with every namespace, at about one session a second and slot.

The SDK's receiver opens a connection of its own and looks every 50 ms whether it is ready, nine times, so a
session costs half a second before its first message, and another to close. `amqp` is the fast one for the
local broker.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from azure.servicebus import (
    NEXT_AVAILABLE_SESSION,
    ServiceBusClient,
    ServiceBusReceivedMessage,
    ServiceBusReceiver,
    ServiceBusSubQueue,
)
from azure.servicebus.exceptions import (
    MessageAlreadySettled,
    MessageLockLostError,
    OperationTimeoutError,
    ServiceBusError,
    SessionLockLostError,
)

from local.host.servicebus.port import Disconnected, LockLost, Message

_DEAD_LETTER = "/$deadletterqueue"
# A thread inside the SDK cannot be called back, so no wait may outlast the patience for a stop.
_LONGEST_WAIT_S = 0.5
_FOREVER = datetime.max.replace(tzinfo=UTC)

T = TypeVar("T")


class SdkBus:
    """A namespace by its connection string; blocking calls run on a pool of `threads`."""

    def __init__(self, connection_string: str, threads: int) -> None:
        # One attempt: a retry of an accept that found nothing is the listener's next turn.
        self._client = ServiceBusClient.from_connection_string(connection_string, retry_total=0)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="servicebus")

    async def call(self, work: Callable[[], T]) -> T:
        """Run a blocking call, with its errors in the port's words."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except (SessionLockLostError, MessageLockLostError, MessageAlreadySettled) as lost:
            raise LockLost(type(lost).__name__) from lost
        except (ServiceBusError, OSError, ValueError) as gone:
            # ValueError: a handler that was shut down meanwhile.
            raise Disconnected(type(gone).__name__) from gone

    async def accept_session(self, queue: str, wait_s: float) -> "SdkReceiver | None":
        """The next session with messages."""
        wait = min(wait_s, _LONGEST_WAIT_S)

        def accept() -> ServiceBusReceiver | None:
            receiver = self._client.get_queue_receiver(
                queue,
                session_id=NEXT_AVAILABLE_SESSION,
                max_wait_time=wait,
                # A message fetched ahead would be handled before one that is abandoned.
                prefetch_count=0,
            )
            try:
                return receiver.__enter__()
            except OperationTimeoutError:
                receiver.close()
                return None

        receiver = await self.call(accept)
        return None if receiver is None else SdkReceiver(self, receiver)

    async def open(self, path: str) -> "SdkReceiver":
        """A receiver without sessions."""
        queue, dead = (
            (path[: -len(_DEAD_LETTER)], True) if path.lower().endswith(_DEAD_LETTER) else (path, False)
        )
        options: dict[str, Any] = {"sub_queue": ServiceBusSubQueue.DEAD_LETTER} if dead else {}
        receiver = self._client.get_queue_receiver(queue, prefetch_count=0, **options)
        return SdkReceiver(self, await self.call(receiver.__enter__))

    async def close(self) -> None:
        """Close the client and its threads."""
        try:
            await self.call(self._client.close)
        except (Disconnected, LockLost):
            return
        finally:
            self._pool.shutdown(wait=False)


class SdkReceiver:
    """One SDK receiver."""

    def __init__(self, bus: SdkBus, receiver: ServiceBusReceiver) -> None:
        self._bus = bus
        self._receiver = receiver

    @property
    def session_id(self) -> str | None:
        """The session held."""
        session = self._receiver.session
        return None if session is None else session.session_id

    @property
    def locked_until(self) -> datetime | None:
        """Until when the session is held."""
        session = self._receiver.session
        return None if session is None else session.locked_until_utc

    async def receive(self, wait_s: float) -> Message | None:
        """The next message."""
        end = asyncio.get_running_loop().time() + wait_s
        while True:
            left = max(end - asyncio.get_running_loop().time(), 0.01)
            wait = min(left, _LONGEST_WAIT_S)
            receive = partial(self._receiver.receive_messages, max_message_count=1, max_wait_time=wait)
            found = await self._bus.call(receive)
            if found:
                return _message(found[0])
            if left <= _LONGEST_WAIT_S:
                return None

    async def complete(self, message: Message) -> None:
        """Done with it."""
        await self._bus.call(partial(self._receiver.complete_message, message.token))

    async def abandon(self, message: Message) -> None:
        """Back to its place."""
        await self._bus.call(partial(self._receiver.abandon_message, message.token))

    async def renew(self, message: Message | None = None) -> datetime:
        """Hold longer."""
        if message is not None and self._receiver.session is None:
            return await self._bus.call(partial(self._receiver.renew_message_lock, message.token))
        return await self._bus.call(self._receiver.session.renew_lock)

    async def close(self) -> None:
        """Give up what is held."""
        try:
            await self._bus.call(self._receiver.close)
        except (Disconnected, LockLost):
            return


def _message(received: ServiceBusReceivedMessage) -> Message:
    body = b"".join(received.body) if received.body is not None else b""
    properties = received.application_properties or {}
    return Message(
        body=body,
        message_id=str(received.message_id or ""),
        sequence_number=received.sequence_number or 0,
        delivery_count=(received.delivery_count or 0) + 1,
        enqueued_at=received.enqueued_time_utc or datetime.now(UTC),
        expires_at=received.expires_at_utc or _FOREVER,
        locked_until=received.locked_until_utc or _FOREVER,
        lock_token=str(received.lock_token),
        token=received,
        session_id=received.session_id,
        content_type=received.content_type,
        correlation_id=received.correlation_id,
        subject=received.subject,
        to=received.to,
        reply_to=received.reply_to,
        reply_to_session_id=received.reply_to_session_id,
        partition_key=received.partition_key,
        transaction_partition_key=None,
        dead_letter_source=received.dead_letter_source,
        # The SDK leaves keys and texts as the bytes they came in.
        application_properties={_plain(key): _plain(value) for key, value in properties.items()},
    )


def _plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
