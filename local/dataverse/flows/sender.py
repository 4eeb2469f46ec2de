"""The thread that empties the outbox: at least once, in order, through broker outages and restarts."""

import base64
import json
import logging
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.exceptions import MessageSizeExceededError, ServiceBusError

from local.dataverse.store.database import Outbox, Pending

_log = logging.getLogger(__name__)
_BATCH = 50
_LONGEST_PAUSE = 5.0
_PATIENCE = 1.0


class BusUnavailable(Exception):
    """The broker did not take the messages; later it may."""


class MessageRefused(Exception):
    """The broker will never take this message."""


class Bus(Protocol):
    """Where messages go."""

    def send(self, queue: str, messages: Sequence[dict[str, Any]]) -> None:
        """Hand messages over in order; raises BusUnavailable or MessageRefused."""

    def close(self) -> None:
        """Let connections go."""


class ServiceBus:
    """A Service Bus namespace, reached through the real SDK."""

    def __init__(self, connection_string: str) -> None:
        self._connection_string = connection_string
        self._client: ServiceBusClient | None = None
        self._senders: dict[str, Any] = {}

    def send(self, queue: str, messages: Sequence[dict[str, Any]]) -> None:
        """Send through a kept link; after a failure the next call connects anew."""
        try:
            self._sender(queue).send_messages([_service_bus_message(message) for message in messages])
        except MessageSizeExceededError as wrong:
            # Of several messages only some may be too big: the sender tries them one by one.
            raise MessageRefused(str(wrong)) from wrong
        except (ServiceBusError, OSError) as wrong:
            self.close()
            raise BusUnavailable(str(wrong)) from wrong

    def close(self) -> None:
        """Close the client and its links."""
        client, self._client = self._client, None
        self._senders.clear()
        if client is not None:
            client.close()

    def _sender(self, queue: str) -> Any:
        if self._client is None:
            # Our own loop retries; the SDK's would only hold the thread.
            self._client = ServiceBusClient.from_connection_string(self._connection_string, retry_total=0)
        if queue not in self._senders:
            self._senders[queue] = self._client.get_queue_sender(queue)
        return self._senders[queue]


def _service_bus_message(message: dict[str, Any]) -> ServiceBusMessage:
    return ServiceBusMessage(
        base64.b64decode(message["body"]),
        message_id=message.get("messageId"),
        session_id=message.get("sessionId"),
        subject=message.get("subject"),
        content_type=message.get("contentType"),
        correlation_id=message.get("correlationId"),
        application_properties=message.get("applicationProperties") or None,
    )


@dataclass(slots=True)
class Delivery:
    """How faithfully the outbox is emptied; tests make the bus as unkind as the real one may be."""

    held: bool = False
    duplicate: int = 0
    shuffle: bool = False


class Sender:
    """Empties an outbox into a bus until stopped."""

    def __init__(self, path: Path, bus: Bus) -> None:
        self.delivery = Delivery()
        self._path = path
        self._bus = bus
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="dataverse-sender", daemon=True)
        self._random = random.Random(0)  # noqa: S311 - disorder for tests, repeatable

    def start(self) -> None:
        """Begin sending."""
        self._thread.start()

    def wake(self) -> None:
        """Messages may be waiting."""
        self._wake.set()

    def stop(self) -> None:
        """Finish the batch in hand and stop; the rest stays in the outbox.

        A send that hangs on a dead broker is left behind: its messages are still there at the next start.
        """
        self._stopping = True
        self._wake.set()
        self._thread.join(_PATIENCE)

    def _work(self) -> None:
        outbox = Outbox(self._path)
        pause = 0.0
        try:
            while not self._stopping:
                pending = [] if self.delivery.held else outbox.pending(_BATCH)
                if pending and self._deliver(outbox, pending):
                    pause = 0.0
                    continue
                pause = min(max(pause * 2, 0.1), _LONGEST_PAUSE) if pending else _LONGEST_PAUSE
                self._wake.wait(pause)
                self._wake.clear()
        finally:
            outbox.close()
            self._bus.close()

    def _deliver(self, outbox: Outbox, pending: list[Pending]) -> bool:
        if self.delivery.shuffle:
            self._random.shuffle(pending)
        for queue, group in groupby(pending, key=lambda message: message.queue):
            batch = list(group)
            try:
                self._bus.send(queue, self._bodies(batch))
            except BusUnavailable as wrong:
                _log.warning("the broker did not take %d messages: %s", len(batch), wrong)
                outbox.failed([message.sequence for message in batch])
                return False
            except MessageRefused as wrong:
                self._one_by_one(outbox, batch, wrong)
                continue
            outbox.sent(message.sequence for message in batch)
        return True

    def _one_by_one(self, outbox: Outbox, batch: list[Pending], wrong: MessageRefused) -> None:
        if len(batch) == 1:
            _log.error("the broker refuses a message for %s: %s", batch[0].queue, wrong)
            outbox.refuse(batch[0].sequence, str(wrong))
            return
        for message in batch:
            try:
                self._bus.send(message.queue, self._bodies([message]))
            except MessageRefused as alone:
                self._one_by_one(outbox, [message], alone)
            else:
                outbox.sent([message.sequence])

    def _bodies(self, batch: list[Pending]) -> list[dict[str, Any]]:
        bodies = [json.loads(message.message) for message in batch]
        if self.delivery.duplicate > 0:
            self.delivery.duplicate -= 1
            bodies += bodies
        return bodies
