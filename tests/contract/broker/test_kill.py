"""The broker is killed, for real, and started again: what was acknowledged is there, and nothing else."""

import signal
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from azure.servicebus import NEXT_AVAILABLE_SESSION, ServiceBusClient, ServiceBusMessage
from azure.servicebus.exceptions import OperationTimeoutError, ServiceBusError

if TYPE_CHECKING:
    from tests.contract.broker.conftest import Process


def connect(process: "Process") -> ServiceBusClient:
    return ServiceBusClient.from_connection_string(process.connection_string, retry_total=0)


def send_until_killed(process: "Process", acknowledged: list[str], attempted: list[str], name: str) -> None:
    """One sender; the kill may meet it before its link is open, in a send, or while it closes."""
    try:
        with connect(process) as client, client.get_queue_sender("inbound") as sender:
            for number in range(100_000):
                body = f"{name}-{number}"
                attempted.append(body)
                sender.send_messages(ServiceBusMessage(body, session_id=name))
                acknowledged.append(body)
    except ServiceBusError:
        return


def drain(process: "Process") -> list[str]:
    """Everything in the queue; a session or a message that is slow to come is not taken for the end."""
    found = []
    with connect(process) as client:
        while process.waiting("inbound"):
            with (
                suppress(OperationTimeoutError),
                client.get_queue_receiver(
                    "inbound",
                    session_id=NEXT_AVAILABLE_SESSION,
                    max_wait_time=1,
                    prefetch_count=50,
                    keep_alive=0,
                ) as link,
            ):
                for message in link:
                    found.append(str(message))
                    link.complete_message(message)
    return found


@pytest.mark.parametrize("after", [1, 50, 400])
def test_a_kill_while_messages_come_in_loses_none_and_invents_none(process: "Process", after: int) -> None:
    acknowledged: list[str] = []
    attempted: list[str] = []
    senders = [
        threading.Thread(target=send_until_killed, args=(process, acknowledged, attempted, name))
        for name in ("a", "b")
    ]
    for sender in senders:
        sender.start()
    glance = threading.Event()
    while len(acknowledged) < after:
        assert any(sender.is_alive() for sender in senders)
        glance.wait(0.001)

    process.end(signal.SIGKILL)
    for sender in senders:
        sender.join()
    process.start()
    found = drain(process)

    assert len(found) == len(set(found))
    assert set(acknowledged) <= set(found) <= set(attempted)
    for name in ("a", "b"):
        numbers = [int(body.split("-")[1]) for body in found if body.startswith(name)]
        assert numbers == sorted(numbers)


def test_what_was_completed_stays_completed_and_the_rest_keeps_its_place_and_count(
    process: "Process",
) -> None:
    with connect(process) as client:
        with client.get_queue_sender("inbound") as sender:
            sender.send_messages(
                [ServiceBusMessage(body, session_id="A") for body in ("1", "2", "3", "4", "5")]
            )
        with client.get_queue_receiver("inbound", session_id="A", max_wait_time=5) as link:
            found: list[Any] = []
            while len(found) < 5:
                found += link.receive_messages(5, max_wait_time=5)
            link.complete_message(found[0])
            link.dead_letter_message(found[1], reason="Broken")
            link.defer_message(found[2])
            link.abandon_message(found[3])
            link.session.set_state("kept")

            process.end(signal.SIGKILL)

    process.start()
    with connect(process) as client:
        with client.get_queue_receiver("inbound", session_id="A", max_wait_time=5) as link:
            assert link.session.get_state() == b"kept"
            rest: list[Any] = []
            while len(rest) < 2:
                rest += link.receive_messages(2 - len(rest), max_wait_time=5)
            assert [(str(message), message.delivery_count) for message in rest] == [("4", 1), ("5", 0)]
            (deferred,) = link.receive_deferred_messages(found[2].sequence_number)
            assert str(deferred) == "3"
        with client.get_queue_receiver("inbound", sub_queue="deadletter", max_wait_time=5) as dead:
            (message,) = dead.receive_messages(1, max_wait_time=5)
            assert (str(message), message.dead_letter_reason) == ("2", "Broken")


def test_a_stop_is_clean_and_quick(process: "Process") -> None:
    with connect(process) as client, client.get_queue_sender("inbound") as sender:
        sender.send_messages(ServiceBusMessage("x", session_id="A"))
        assert process.end(signal.SIGTERM) == 0
