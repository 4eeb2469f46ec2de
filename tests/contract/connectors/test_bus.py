"""What the recovery and the doors may rely on when they put something on a queue."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import pytest
from azure.servicebus import NEXT_AVAILABLE_SESSION
from azure.servicebus.aio import ServiceBusClient, ServiceBusSender

from local.broker.entities.settings import QueueSettings
from local.broker.server import Broker, in_thread, serve
from shared.connectors.memory.bus import MemoryBus
from shared.connectors.memory.clock import SettableClock
from shared.connectors.servicebus.bus import Address, ServiceBus
from shared.connectors.web.trust import trust
from shared.core.change import Direction, Message
from shared.core.errors import Refused, Unavailable
from shared.core.ports import Bus
from shared.core.trace import traced

QUEUES = {Direction.INBOUND: "q-in", Direction.OUTBOUND: "q-out"}
RECORD = UUID("11111111-2222-4333-8444-555555555555")
POSTED = Message(
    id="m-1",
    queue="q-in",
    session_id="allegory:company:C-0001",
    body=b'{"a": "\xc3\xa9"}  \n',
    properties={"contentType": "application/json", "correlationId": "c-1", "subject": "company"},
    application_properties={"tandem-sender": "erp", "count": 3, "flag": True},
)


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Yard(Protocol):
    @property
    def bus(self) -> Bus: ...

    def now(self) -> datetime: ...

    async def receive(self, queue: str) -> dict[str, Any]:
        """The next message of the queue, once it may be seen, as a receiver has it."""
        ...


class MemoryYard:
    def __init__(self) -> None:
        self._clock = SettableClock()
        self.bus = MemoryBus(QUEUES, self._clock)
        self._seen = 0

    def now(self) -> datetime:
        return self._clock.now()

    async def receive(self, queue: str) -> dict[str, Any]:
        while len(visible := self.bus.visible(queue)) == self._seen:
            self._clock.advance(timedelta(milliseconds=100))
        message = visible[self._seen]
        self._seen += 1
        return {
            "id": message.id,
            "session": message.session_id,
            "body": message.body,
            "content_type": message.properties.get("contentType"),
            "correlation_id": message.properties.get("correlationId"),
            "subject": message.properties.get("subject"),
            "application": dict(message.application_properties),
        }


class BrokerYard:
    def __init__(self, broker: Broker, bus: ServiceBus, client: ServiceBusClient) -> None:
        self.broker, self.bus, self._client = broker, bus, client

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def receive(self, queue: str) -> dict[str, Any]:
        async with self._client.get_queue_receiver(
            queue, session_id=NEXT_AVAILABLE_SESSION, max_wait_time=10
        ) as receiver:
            (message,) = await receiver.receive_messages(1, max_wait_time=10)
            await receiver.complete_message(message)
        application = {
            _text(key): _text(value) for key, value in (message.application_properties or {}).items()
        }
        return {
            "id": message.message_id,
            "session": message.session_id,
            "body": b"".join(message.body),
            "content_type": message.content_type,
            "correlation_id": message.correlation_id,
            "subject": message.subject,
            "application": application,
        }


def _waiting(broker: Broker) -> int:
    return broker.namespace.queue("q-in").counts()["active"]


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


@asynccontextmanager
async def broker_yard() -> AsyncIterator[BrokerYard]:
    settings = QueueSettings(requires_session=True, requires_duplicate_detection=True)
    async with serve(dict.fromkeys(QUEUES.values(), settings)) as broker:
        bus = ServiceBus(QUEUES, Address(connection_string=broker.connection_string), SystemClock())
        client = ServiceBusClient.from_connection_string(
            broker.connection_string, ssl_context=trust(), retry_total=0
        )
        async with client:
            try:
                yield BrokerYard(broker, bus, client)
            finally:
                await bus.aclose()


@pytest.fixture(params=["memory", "servicebus"])
async def yard(request: pytest.FixtureRequest) -> AsyncIterator[Yard]:
    if request.param == "memory":
        yield MemoryYard()
        return
    async with broker_yard() as real:
        yield real


async def test_a_wake_reaches_the_records_own_session_as_a_drain_message(yard: Yard) -> None:
    await yard.bus.wake(Direction.OUTBOUND, RECORD, yard.now())

    message = await yard.receive("q-out")
    body = json.loads(message.pop("body"))
    UUID(message.pop("id"))
    assert body == {"schemaVersion": "1.0", "kind": "drain", "record": str(RECORD)}
    assert message == {
        "session": str(RECORD),
        "content_type": "application/json",
        "correlation_id": None,
        "subject": None,
        "application": {"kind": "drain"},
    }


async def test_a_wake_carries_on_the_operation_it_was_sent_in(yard: Yard) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    parent = f"00-{trace}-00f067aa0ba902b7-01"
    with traced(parent):
        await yard.bus.wake(Direction.OUTBOUND, RECORD, yard.now())

    message = await yard.receive("q-out")
    assert message["correlation_id"] == trace
    assert message["application"] == {"kind": "drain", "traceparent": parent, "Diagnostic-Id": parent}


async def test_a_wake_for_later_is_not_seen_before_its_time(yard: Yard) -> None:
    at = yard.now() + timedelta(milliseconds=700)

    await yard.bus.wake(Direction.INBOUND, RECORD, at)
    message = await yard.receive("q-in")

    assert message["session"] == str(RECORD)
    assert yard.now() >= at


async def test_two_wakes_of_one_record_are_two_messages(yard: Yard) -> None:
    await yard.bus.wake(Direction.INBOUND, RECORD, yard.now())
    await yard.bus.wake(Direction.INBOUND, RECORD, yard.now())

    first, second = await yard.receive("q-in"), await yard.receive("q-in")

    assert first["id"] != second["id"]


async def test_a_posted_message_arrives_as_its_sender_would_have_put_it(yard: Yard) -> None:
    await yard.bus.post(POSTED)

    assert await yard.receive("q-in") == {
        "id": "m-1",
        "session": "allegory:company:C-0001",
        "body": POSTED.body,
        "content_type": "application/json",
        "correlation_id": "c-1",
        "subject": "company",
        "application": dict(POSTED.application_properties),
    }


async def test_many_senders_at_once_all_get_through() -> None:
    async with broker_yard() as yard:
        wakes = [yard.bus.wake(Direction.INBOUND, UUID(int=number), yard.now()) for number in range(20)]
        await asyncio.gather(*wakes)

        assert _waiting(yard.broker) == 20


async def test_wakes_that_come_together_travel_together(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    send = ServiceBusSender.send_messages

    async def counting(sender: ServiceBusSender, messages: Any, **how: Any) -> None:
        sent.append(len(messages))
        await send(sender, messages, **how)

    monkeypatch.setattr(ServiceBusSender, "send_messages", counting)
    async with broker_yard() as yard:
        wakes = [yard.bus.wake(Direction.INBOUND, UUID(int=number), yard.now()) for number in range(20)]
        await asyncio.gather(*wakes)

        # The first opens the sender while the others come.
        assert (_waiting(yard.broker), sent) == (20, [1, 19])


async def test_a_bus_goes_on_after_the_broker_cut_its_connections() -> None:
    async with broker_yard() as yard:
        await yard.bus.post(POSTED)
        for connection in list(yard.broker.connections):
            connection.shut("amqp:connection:forced", "a bad day")

        await yard.bus.wake(Direction.INBOUND, RECORD, yard.now())

        assert (await yard.receive("q-in"))["id"] == "m-1"


async def test_a_broker_that_is_not_there_is_unavailable() -> None:
    nowhere = "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=n;SharedAccessKey=a;UseDevelopmentEmulator=true;"
    bus = ServiceBus(QUEUES, Address(connection_string=nowhere), SystemClock(), timeout=1)

    with pytest.raises(Unavailable, match=r"^queue q-in cannot be reached$"):
        await bus.post(POSTED)
    await bus.aclose()


async def test_a_queue_that_does_not_exist_is_refused() -> None:
    async with broker_yard() as yard:
        bus = ServiceBus(
            {Direction.INBOUND: "no-such"},
            Address(connection_string=yard.broker.connection_string),
            SystemClock(),
        )
        with pytest.raises(Refused) as refused:
            await bus.wake(Direction.INBOUND, RECORD, yard.now())
        await bus.aclose()

    assert refused.value.answer == "entity_not_found"


def test_one_bus_serves_one_event_loop_after_the_other() -> None:
    clock = SystemClock()

    async def once(bus: ServiceBus) -> None:
        await bus.wake(Direction.INBOUND, RECORD, clock.now())
        await bus.aclose()

    with in_thread({"q-in": QueueSettings(requires_session=True)}) as broker:
        bus = ServiceBus(QUEUES, Address(connection_string=broker.connection_string), clock)
        asyncio.run(once(bus))
        asyncio.run(once(bus))

        assert _waiting(broker) == 2
