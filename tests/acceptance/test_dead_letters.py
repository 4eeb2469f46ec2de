"""What the broker itself gave up on: moved to its place in its lane, without the broker's marks."""

import json
from typing import Any

from azure.servicebus import ServiceBusMessage, ServiceBusReceivedMessage, ServiceBusSubQueue

from tests.acceptance.conftest import Stack, company, edit, eventually, row_id, session_of
from tests.acceptance.trouble import Trouble

DELIVERIES = 10
"""`MaxDeliveryCount` of the queues."""


def given_up_by_the_broker(stack: Stack, body: dict[str, Any], message_id: str) -> None:
    """Send a message to a reader that never settles it: the broker moves it aside after its last delivery.

    The session is taken before the message is there, so that no other reader gets it.
    """
    session = session_of(body)
    with stack.bus.get_queue_receiver("inbound", session_id=session) as reader:
        sender = stack.bus.get_queue_sender("inbound")
        with sender:
            sender.send_messages(
                ServiceBusMessage(
                    json.dumps(body),
                    message_id=message_id,
                    session_id=session,
                    content_type="application/json",
                    correlation_id="c-7",
                    application_properties={"source": "allegory", "tries": 3},
                )
            )
        for _ in range(DELIVERIES):
            (delivered,) = reader.receive_messages(1, max_wait_time=20)
            reader.abandon_message(delivered)


def dead_letters(stack: Stack) -> list[ServiceBusReceivedMessage]:
    with stack.bus.get_queue_receiver("inbound", sub_queue=ServiceBusSubQueue.DEAD_LETTER) as reader:
        return reader.peek_messages(100)


def test_what_the_broker_gave_up_on_goes_to_its_place_in_its_lane(
    stack: Stack, trouble: Trouble, tag: str
) -> None:
    trouble.dataverse(times=None, status=400, code="0x80040001", path=row_id(tag, 1))
    first = company(tag, 1, phone="1")
    head = stack.send("inbound", first, session=session_of(first))
    stack.outcome(head, "failed")
    last = stack.send("inbound", edit(first, 9, phone="3"), session=session_of(first))
    stack.outcome(last, "held")
    between = f"{tag}-given-up"

    given_up_by_the_broker(stack, edit(first, 5, phone="2", city="Kiel"), between)

    assert stack.outcome(between, "held")["behind"] == head
    shown = stack.tandem("record", "show", head).stdout
    order = [line.split()[2] for line in shown.split("in this order:")[1].splitlines()[1:4]]
    assert order == [head, between, last]
    eventually("an empty dead-letter queue", lambda: dead_letters(stack) == [] or None)
    (kept,) = stack.kept("SELECT * FROM message WHERE message_id = ?", between)
    assert json.loads(kept["application_properties"]) == {"source": "allegory", "tries": 3}
    properties = json.loads(kept["properties"])
    assert (properties["correlationId"], properties["contentType"]) == ("c-7", "application/json")
    assert not any("dead" in name.lower() for name in properties), "nothing of the broker's own"
    trouble.over()
    stack.tandem("replay", head)
    for message in (head, between, last):
        stack.outcome(message, "applied")
    row = stack.row_of(f"allegory:company:{tag}-C1", "accounts")
    assert row is not None
    assert (row["telephone1"], row["address1_city"]) == ("3", "Kiel")
    (after,) = stack.kept("SELECT * FROM message WHERE message_id = ?", between)
    for name in ("body", "properties", "application_properties", "session_id", "delivery_count"):
        assert after[name] == kept[name], f"{name} is as it came"
    assert stack.now()["conserved"]


def test_what_the_broker_gave_up_on_alone_is_applied_by_itself(stack: Stack, tag: str) -> None:
    body = company(tag, 1, phone="1")

    given_up_by_the_broker(stack, body, f"{tag}-alone")

    assert stack.outcome(f"{tag}-alone", "applied")["subject"] == f"allegory:company:{tag}-C1"
    eventually("an empty dead-letter queue", lambda: dead_letters(stack) == [] or None)
    assert stack.now()["conserved"]


def test_a_record_whose_messages_come_in_two_sessions_keeps_its_order(stack: Stack, tag: str) -> None:
    """A sender hands over from the key it used to the row's id; both sessions are worked at once."""
    first = company(tag, 1, phone="0")
    stack.outcome(stack.send("inbound", first, session=session_of(first)), "applied")
    record = row_id(tag, 1)
    bodies = [edit(first, second, phone=str(second)) for second in range(1, 31)]
    sessions = (session_of(first), record)
    sent = [(f"{tag}-{n}", sessions[n % 2], body) for n, body in enumerate(bodies)]

    stack.send_all("inbound", list(sent))

    for message, _, _ in sent:
        stack.outcome(message, "applied", "stale", "superseded", "merged", "echo")
    row = stack.row_of(f"allegory:company:{tag}-C1", "accounts")
    assert row is not None
    assert row["telephone1"] == "30"
    applied = stack.kept(
        "SELECT m.changed_at FROM journal j JOIN message m ON m.number = j.number "
        "WHERE m.source_id = ? AND j.outcome IN ('applied', 'merged') ORDER BY j.id",
        f"{tag}-C1",
    )
    times = [line["changed_at"] for line in applied]
    assert times == sorted(times), "never an older change after a newer one"
    assert stack.now()["conserved"]
