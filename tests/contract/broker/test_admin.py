"""The official administration client, and our own JSON routes."""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.servicebus import ServiceBusClient, ServiceBusMessage, ServiceBusSubQueue
from azure.servicebus.exceptions import (
    MessagingEntityNotFoundError,
    ServiceBusConnectionError,
    ServiceBusError,
    ServiceBusServerBusyError,
    SessionLockLostError,
)
from azure.servicebus.management import ServiceBusAdministrationClient

from local.broker.server import Broker
from local.stack.certificates import Certificates

ENTRY = (
    b'<entry xmlns="http://www.w3.org/2005/Atom"><content><QueueDescription xmlns='
    b'"http://schemas.microsoft.com/netservices/2010/10/servicebus/connect">%s</QueueDescription></content></entry>'
)


@pytest.fixture
def management(broker: Broker, certificates: Certificates) -> Iterator[ServiceBusAdministrationClient]:
    """The Python client knows https only, whatever the connection string says: the port speaks both."""
    with ServiceBusAdministrationClient.from_connection_string(
        broker.admin_connection_string, connection_verify=str(certificates.authority), retry_total=0
    ) as connected:
        yield connected


def test_queues_are_created_read_changed_listed_and_deleted(
    management: ServiceBusAdministrationClient,
) -> None:
    management.create_queue(
        "made",
        requires_session=True,
        lock_duration=timedelta(seconds=30),
        default_message_time_to_live="PT10M",
        max_delivery_count=4,
        dead_lettering_on_message_expiration=True,
    )
    found = management.get_queue("MADE")
    assert (found.requires_session, found.lock_duration, found.default_message_time_to_live) == (
        True,
        timedelta(seconds=30),
        timedelta(minutes=10),
    )
    assert (found.max_delivery_count, found.dead_lettering_on_message_expiration) == (4, True)

    found.max_delivery_count = 7
    management.update_queue(found)
    assert management.get_queue("made").max_delivery_count == 7
    assert [queue.name for queue in management.list_queues(max_page_size=2)][-2:] == ["unique", "made"]

    management.delete_queue("made")
    with pytest.raises(ResourceNotFoundError):
        management.get_queue("made")


def test_counts_are_what_is_in_the_queue(
    management: ServiceBusAdministrationClient, client: ServiceBusClient, admin: Callable[..., Any]
) -> None:
    with client.get_queue_sender("plain") as sender:
        sender.send_messages([ServiceBusMessage(str(number)) for number in range(3)])
    with client.get_queue_receiver("plain") as receiver:
        receiver.dead_letter_message(receiver.receive_messages(1, max_wait_time=5)[0])

    counted = management.get_queue_runtime_properties("plain")

    assert (counted.active_message_count, counted.dead_letter_message_count) == (2, 1)
    assert (counted.total_message_count, counted.scheduled_message_count) == (3, 0)
    assert (counted.size_in_bytes or 0) > 0
    row = next(queue for queue in admin("GET", "admin/queues")["queues"] if queue["name"] == "plain")
    assert (row["active"], row["dead_letter"]) == (2, 1)


def test_what_cannot_be_is_refused(management: ServiceBusAdministrationClient) -> None:
    with pytest.raises(ResourceExistsError):
        management.create_queue("Plain")
    with pytest.raises(ResourceNotFoundError):
        management.delete_queue("nowhere")
    with pytest.raises(HttpResponseError, match="EnablePartitioning: not supported"):
        management.create_queue("parted", enable_partitioning=True)
    with pytest.raises(ResourceNotFoundError):
        management.create_queue("forwards", forward_to="nowhere")
    with pytest.raises(HttpResponseError, match="queues only"):
        management.create_topic("topic")
    found = management.get_queue("plain")
    found.requires_session = True
    with pytest.raises(HttpResponseError, match="cannot be changed"):
        management.update_queue(found)


def test_a_queue_that_forwards_is_made_and_hands_its_messages_on(
    management: ServiceBusAdministrationClient, client: ServiceBusClient
) -> None:
    management.create_queue("forwards", forward_to="plain", forward_dead_lettered_messages_to="unique")
    made = management.get_queue("forwards")
    targets = (made.forward_to, made.forward_dead_lettered_messages_to)
    assert [urlsplit(target or "").path for target in targets] == ["/plain", "/unique"]

    with client.get_queue_sender("forwards") as sender:
        sender.send_messages(ServiceBusMessage("handed on"))

    with client.get_queue_receiver("plain") as receiver:
        assert [str(message) for message in receiver.receive_messages(1, max_wait_time=5)] == ["handed on"]
    for sub_queue in (None, ServiceBusSubQueue.DEAD_LETTER):
        link = client.get_queue_receiver("forwards", sub_queue=sub_queue)
        with pytest.raises(ServiceBusError, match="hands its messages on"), link:
            pass


def test_a_deleted_queue_sends_its_receivers_away(
    management: ServiceBusAdministrationClient, client: ServiceBusClient
) -> None:
    with client.get_queue_receiver("plain") as receiver:
        management.delete_queue("plain")
        with pytest.raises(MessagingEntityNotFoundError):
            receiver.receive_messages(max_wait_time=5)


def test_a_busy_server_is_told_as_often_as_asked(client: ServiceBusClient, admin: Callable[..., Any]) -> None:
    armed = admin("POST", "admin/faults", {"kind": "server-busy", "entity": "plain", "operation": "send"})
    assert armed == {
        "id": 1,
        "kind": "server-busy",
        "entity": "plain",
        "operation": "send",
        "count": 1,
        "delay_ms": 1000,
    }
    with client.get_queue_sender("plain") as sender:
        with pytest.raises(ServiceBusServerBusyError):
            sender.send_messages(ServiceBusMessage("refused"))
        sender.send_messages(ServiceBusMessage("taken"))
    assert admin("GET", "admin/faults") == {"faults": []}


def test_a_fault_strikes_its_own_queue_alone_and_as_often_as_asked(
    client: ServiceBusClient, admin: Callable[..., Any]
) -> None:
    wish = {"kind": "server-busy", "entity": "PLAIN", "operation": "send", "count": 2}
    admin("POST", "admin/faults", wish)
    with client.get_queue_sender("plain") as struck, client.get_queue_sender("expiring") as spared:
        spared.send_messages(ServiceBusMessage("taken"))
        for _ in range(2):
            with pytest.raises(ServiceBusServerBusyError):
                struck.send_messages(ServiceBusMessage("refused"))
        struck.send_messages(ServiceBusMessage("taken"))
    assert [queue["active"] for queue in admin("GET", "admin/queues")["queues"] if queue["active"]] == [1, 1]


@pytest.mark.parametrize(
    ("kind", "error"), [("server-busy", ServiceBusServerBusyError), ("detach", ServiceBusConnectionError)]
)
def test_a_receiver_that_is_turned_away_is_told_why(
    client: ServiceBusClient, admin: Callable[..., Any], kind: str, error: type[Exception]
) -> None:
    admin("POST", "admin/faults", {"kind": kind, "entity": "plain", "operation": "attach"})
    with pytest.raises(error), client.get_queue_receiver("plain"):
        pass
    with client.get_queue_receiver("plain"):
        assert admin("GET", "admin/faults") == {"faults": []}


def test_a_settlement_whose_link_was_cut_gets_through_beside_it(
    client: ServiceBusClient, broker: Broker, admin: Callable[..., Any]
) -> None:
    with client.get_queue_sender("plain") as sender:
        sender.send_messages(ServiceBusMessage("done once"))
    admin("POST", "admin/faults", {"kind": "detach", "entity": "plain", "operation": "settle"})
    with client.get_queue_receiver("plain") as receiver:
        (message,) = receiver.receive_messages(1, max_wait_time=5)
        # The client tries again on the management link, where the lock still counts.
        receiver.complete_message(message)
    assert broker.namespace.queue("plain").counts()["active"] == 0


def test_a_session_whose_holder_died_is_free_at_once_and_its_message_uncounted(
    client: ServiceBusClient, admin: Callable[..., Any]
) -> None:
    with client.get_queue_sender("sessions") as sender:
        sender.send_messages(ServiceBusMessage("in hand", session_id="A"))
    admin("POST", "admin/faults", {"kind": "drop", "entity": "sessions", "operation": "settle"})
    with client.get_queue_receiver("sessions", session_id="A") as dying:
        (message,) = dying.receive_messages(1, max_wait_time=5)
        with pytest.raises((ServiceBusConnectionError, SessionLockLostError)):
            dying.complete_message(message)
        with client.get_queue_receiver("sessions", session_id="A") as heir:
            (again,) = heir.receive_messages(1, max_wait_time=5)
            assert (str(again), again.delivery_count) == ("in hand", 0)


@pytest.mark.parametrize("kind", ["detach", "drop"])
def test_a_lost_link_is_a_connection_error_and_a_retry_gets_through(
    client: ServiceBusClient, broker: Broker, admin: Callable[..., Any], kind: str
) -> None:
    admin("POST", "admin/faults", {"kind": kind, "entity": "plain", "operation": "send"})
    with client.get_queue_sender("plain") as sender, pytest.raises(ServiceBusConnectionError):
        sender.send_messages(ServiceBusMessage("lost"))

    admin("POST", "admin/faults", {"kind": kind, "entity": "plain", "operation": "send"})
    with (
        ServiceBusClient.from_connection_string(
            broker.connection_string, retry_backoff_factor=0.01
        ) as patient,
        patient.get_queue_sender("plain") as sender,
    ):
        sender.send_messages(ServiceBusMessage("through"))
    assert broker.namespace.queue("plain").counts()["active"] == 1


def test_a_delay_delays_and_loses_nothing(client: ServiceBusClient, admin: Callable[..., Any]) -> None:
    with client.get_queue_sender("plain") as sender:
        sender.send_messages(ServiceBusMessage("at once"))
        admin("POST", "admin/faults", {"kind": "delay", "operation": "send", "delay_ms": 300, "count": 2})
        began = time.monotonic()
        for body in ("late", "late again"):
            sender.send_messages(ServiceBusMessage(body))
        delayed = time.monotonic() - began

    assert delayed >= 0.6
    assert admin("GET", "admin/faults") == {"faults": []}
    with client.get_queue_receiver("plain") as receiver:
        assert [str(message) for message in receiver.peek_messages(10)] == ["at once", "late", "late again"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"kind": "flood"}, "kind: one of server-busy, detach, drop, delay"),
        ({"kind": "drop", "operation": "x"}, "operation: one of any, attach, send, settle, manage"),
        ({"kind": "drop", "count": 0}, "count: a number from 1"),
        ([], "the body is a JSON object"),
    ],
)
def test_a_fault_that_is_none_is_refused(admin: Callable[..., Any], body: Any, error: str) -> None:
    assert admin("POST", "admin/faults", body) == (400, {"error": error})


def test_health_and_unknown_routes(admin: Callable[..., Any]) -> None:
    assert admin("GET", "health") == {"status": "healthy"}
    assert admin("GET", "admin/nothing") == (404, {"error": "no such route"})


@pytest.mark.parametrize(
    "said",
    [
        b"nonsense\r\n\r\n",
        b"GET /health HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"GET /health HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n",
        b"PUT /q HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /health HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_request_is_told_so_and_let_go(broker: Broker, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", broker.admin_port), timeout=60) as client:
        client.sendall(said)
        heard = b""
        while more := client.recv(65536):
            heard += more

    assert heard.startswith(b"HTTP/1.1 400 Bad Request")


@pytest.mark.parametrize(
    ("document", "status"),
    [(b"no xml", 400), (b"<entry/>", 501), (ENTRY % b"<MaxDeliveryCount>x</MaxDeliveryCount>", 400)],
)
def test_a_queue_that_is_described_wrongly_is_refused(broker: Broker, document: bytes, status: int) -> None:
    url = f"http://127.0.0.1:{broker.admin_port}/made"
    request = urllib.request.Request(url, document, method="PUT")

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)  # noqa: S310  # our own broker

    assert refused.value.code == status
