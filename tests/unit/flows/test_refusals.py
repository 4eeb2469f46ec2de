"""What the gate refuses is told to its sender's team: one ticket per cause, closed when seen to (E-14)."""

import json
from typing import TYPE_CHECKING

import pytest

from shared.connectors.memory.telemetry import MemoryTelemetry
from shared.connectors.memory.tickets import MemoryTicketDesk
from shared.core.change import Message
from shared.recovery.alert import Alerts

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

BODY = {
    "schemaVersion": "1.0",
    "source": "allegory",
    "entity": "company",
    "sourceKey": "C-1",
    "operation": "upsert",
    "changedOn": "2026-03-01T07:00:00Z",
}


@pytest.fixture
def tickets() -> MemoryTicketDesk:
    return MemoryTicketDesk()


@pytest.fixture
def alerts(desk: "Desk", tickets: MemoryTicketDesk) -> Alerts:
    return Alerts(desk.store.operations.groups, tickets, desk.store.jobs, MemoryTelemetry(), "w")


async def send(desk: "Desk", name: str, sender: str | None, body: bytes) -> None:
    await desk.gate.receive(Message(name, "inbound", "allegory:company:C-1", body, sender=sender))


def company(**data: str) -> bytes:
    return json.dumps({**BODY, "data": data}).encode()


async def test_one_ticket_per_cause_and_sender_follows_its_group(
    desk: "Desk", alerts: Alerts, tickets: MemoryTicketDesk
) -> None:
    for number in range(3):
        await send(desk, f"cut-{number}", "erp", b'{"schemaVersion": ')
    await send(desk, "cut-9", "shop", b'{"schemaVersion": ')
    await send(desk, "odd", "erp", company(name="X", no_such_field="y"))
    await alerts.run()
    await send(desk, "cut-3", "erp", b"[]")
    await alerts.run()
    await alerts.run()

    assert sorted((ticket.title, ticket.team) for ticket in tickets.tickets.values()) == [
        ("allegory:company: message.unknown_field in /data/no_such_field", "erp-support"),
        ("message: message.not_json", "erp-support"),
        ("message: message.not_json", "shop-support"),
    ]
    (cut,) = (
        t for t in tickets.tickets.values() if t.title == "message: message.not_json" and "erp" in t.team
    )
    assert "Messages: 4" in cut.body
    for number in range(4):
        await desk.store.operations.repair.skip(f"cut-{number}", "the sender knows", "bea")
    await alerts.run()
    assert cut.status == "closed"


async def test_an_id_used_twice_is_the_senders_too(
    desk: "Desk", alerts: Alerts, tickets: MemoryTicketDesk
) -> None:
    await send(desk, "m-1", "erp", company(name="X"))
    await send(desk, "m-1", "erp", company(name="Y"))
    await send(desk, "m-1", "erp", company(name="Y"))

    await alerts.run()

    (group,) = await desk.store.operations.groups.open()
    assert (group["code"], group["open"], group["sender"]) == ("message.body_changed", 1, "erp")
    assert [ticket.team for ticket in tickets.tickets.values()] == ["erp-support"]
