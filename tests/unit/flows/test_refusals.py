"""What is refused is told to the team that can help: one ticket per cause, closed when seen to (E-14)."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mappers.allegory import ALLEGORY
from mappers.legrand import LEGRAND
from shared.connectors.memory.telemetry import MemoryTelemetry
from shared.connectors.memory.tickets import MemoryTicketDesk
from shared.core.change import Message
from shared.core.errors import Refused, Unavailable
from shared.core.outcome import Outcome
from shared.core.ports import StoreUnavailable
from shared.inbound.intake import Intake
from shared.recovery.alert import Alerts
from shared.recovery.teams import Teams

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
    groups, jobs = desk.store.operations.groups, desk.store.jobs
    return Alerts(groups, tickets, jobs, MemoryTelemetry(), "w", desk.clock, timedelta(hours=1))


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


async def test_an_edit_that_a_system_refuses_is_a_ticket_of_that_systems_team(
    desk: "Desk", tickets: MemoryTicketDesk
) -> None:
    row = await desk.company(phone="1")
    desk.records.trouble.next(Refused("not today", answer="no"))
    assert await desk.edit_row(row, telephone1="2") is Outcome.FAILED
    groups, jobs = desk.store.operations.groups, desk.store.jobs
    teams = Teams(systems=(LEGRAND, ALLEGORY))
    alerts = Alerts(groups, tickets, jobs, MemoryTelemetry(), "w", desk.clock, timedelta(hours=1), teams)

    await alerts.run()

    (ticket,) = tickets.tickets.values()
    assert (ticket.title, ticket.team) == ("account: target.refused", "allegory-support")
    assert "Messages: 1 (1 from dataverse, 1 to allegory)" in ticket.body


async def test_what_is_tried_again_needs_nobody_unless_it_lasts(
    desk: "Desk", alerts: Alerts, tickets: MemoryTicketDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await desk.company(phone="1")

    async def down(*_: object) -> None:
        raise Unavailable("down")

    with monkeypatch.context() as patch:
        patch.setattr(desk.rows, "update", down)
        assert await desk.edit_record(phone="2") is Outcome.FAILED
        await desk.later(59 * 60, row)
        await alerts.run()
        assert tickets.tickets == {}
        await desk.later(60, row)
        await alerts.run()
        await alerts.run()
    (ticket,) = tickets.tickets.values()
    assert (ticket.title, ticket.status) == ("company: target.unavailable", "open")

    await desk.later(60, row)
    await alerts.run()
    assert (desk.rows.of("account")[row]["telephone1"], ticket.status) == ("2", "closed")


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


@pytest.mark.parametrize(
    ("wrong", "faults"),
    [
        (
            {"changedOn": None, "data": {"employees": "many", "citty": "Bonn"}},
            {
                "/changedOn": "is required",
                "/data/employees": "digits with a point, no thousands sign, no unit",
                "/data/citty": "a field of company",
            },
        ),
        ({"source": "allegry", "changedOn": "now"}, {
            "/changedOn": "an ISO 8601 instant with an offset", "/source": "one of allegory"
        }),
        ({"source": None, "data": {"citty": "Bonn"}}, {"/source": "is required"}),
        ({"operation": "remove", "sourceKey": None}, {
            "/operation": "one of upsert, delete, merge", "/sourceKey": "is required"
        }),
        ({"sourceKey": None, "data": {"company_id": "C-1", "citty": "Bonn"}}, {
            "/sourceKey": "is required", "/data/citty": "a field of company"
        }),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_the_envelope_and_with_its_data_is_told_at_once(
    desk: "Desk", wrong: dict[str, Any], faults: dict[str, str]
) -> None:
    body = json.dumps({**BODY, "data": {"name": "X"}, **wrong}).encode()

    receipt = await Intake(desk.gate, desk.bus, "inbound").submit("m-1", body, "erp")

    assert receipt is not None
    assert {fault.field: fault.expected for fault in receipt.faults} == faults


async def test_an_unknown_entity_is_answered_with_the_known_ones(desk: "Desk") -> None:
    body = json.dumps({**BODY, "entity": "compny", "data": {"name": "X"}}).encode()

    receipt = await Intake(desk.gate, desk.bus, "inbound").submit("m-1", body, "erp")

    assert receipt is not None
    (fault,) = receipt.faults
    assert fault.field == "/entity"
    assert fault.expected.startswith("one of custom_field, company, contact, ")


async def test_a_key_used_for_another_body_is_refused_while_its_sender_listens(desk: "Desk") -> None:
    intake = Intake(desk.gate, desk.bus, "inbound")
    await send(desk, "m-1", "erp", company(name="X"))

    assert await intake.submit("m-1", company(name="X"), "erp") is None
    refused = await intake.submit("m-1", company(name="Y"), "erp")
    again = await intake.submit("m-1", company(name="Y"), "erp")

    assert refused is not None
    assert [str(fault) for fault in refused.faults] == [
        "(message): message.body_changed: the body this message id was first used with"
    ]
    assert again == replace(refused, first=False)
    assert [sent.message.body for sent in desk.bus.sent] == [company(name="X")]


async def test_a_post_is_queued_while_the_state_cannot_be_asked(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*asked: object) -> bool:
        del asked
        raise StoreUnavailable

    monkeypatch.setattr(type(desk.store.inbox), "is_other_body", away)

    assert await Intake(desk.gate, desk.bus, "inbound").submit("m-1", company(name="X"), "erp") is None
    assert [sent.message.id for sent in desk.bus.sent] == ["m-1"]


async def test_both_doors_count_a_refused_value_in_one_group_of_its_record(desk: "Desk") -> None:
    await send(desk, "on-the-bus", "erp", company(employees="many"))
    await Intake(desk.gate, desk.bus, "inbound").submit("posted", company(employees="many"), "erp")

    (group,) = await desk.store.operations.groups.open()
    assert (group["table"], group["rejected"], group["systems"]) == ("allegory:company", 2, {"allegory": 2})
    told = await desk.store.operations.messages.find("posted")
    assert told is not None
    assert told["subject"] == "allegory:company:C-1"
