"""Who may speak in Tandem's name: nobody else, through no door."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from shared.core.change import Message
from shared.core.envelope import drain
from shared.core.errors import Unavailable
from shared.core.mapping.spec import Owner
from shared.core.outcome import Outcome
from shared.core.ownership import Rule
from shared.inbound.intake import Intake

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

OTHER = UUID("7c9e6679-7425-40de-944b-e07fc1f90ae7")


async def contested(desk: "Desk") -> tuple[UUID, int]:
    """A company whose telephone number both sides changed; its row, and the conflict's number."""
    rule = Rule("allegory", "company", "telephone1", Owner.PERSON)
    await desk.store.owners.set_rule(rule, "ann", "as agreed")
    row = await desk.company(phone="1")
    desk.rows.put("account", row, {"telephone1": "3"})
    assert await desk.edit_record(phone="2") is Outcome.CONFLICT
    (found,) = (await desk.settle.waiting())["conflicts"]
    return row, found["id"]


def numbers(desk: "Desk", row: UUID) -> tuple[Any, Any]:
    return desk.records.of("company")["C-1"]["phone"], desk.rows.of("account")[row]["telephone1"]


def settlement(row: UUID, number: int, **properties: str) -> Message:
    body = {
        "schemaVersion": "1.0",
        "kind": "settlement",
        "source": "allegory",
        "entity": "company",
        "sourceKey": "C-1",
        "record": str(row),
        "conflict": number,
        "decidedOn": "2026-05-04T10:00:00Z",
    }
    return Message(
        f"forged-{number}",
        "inbound",
        str(row),
        json.dumps(body).encode(),
        sender="eve",
        application_properties=properties,
    )


async def test_a_settlement_that_tandem_did_not_send_is_refused_although_a_person_has_decided(
    desk: "Desk",
) -> None:
    row, number = await contested(desk)
    await desk.settle.settle(number, "inbound", None, "ann", "it is so")

    receipt = await desk.gate.receive(settlement(row, number))
    sealed = desk.store.seal.on(settlement(row, number)).application_properties["tandem-seal"]
    again = await desk.gate.receive(settlement(row, number + 1, **{"tandem-seal": str(sealed)}))

    assert receipt is not None
    assert again is not None
    assert [str(fault.code) for fault in (*receipt.faults, *again.faults)] == ["message.not_ours"] * 2
    assert numbers(desk, row) == ("2", "3")


async def test_the_journal_names_the_operator_who_decided(desk: "Desk") -> None:
    row, number = await contested(desk)
    await desk.settle.settle(number, "inbound", None, "ann", "it is so")
    (sent,) = desk.bus.sent

    await desk.delivered()

    found = await desk.store.operations.messages.find(sent.message.id)
    assert found is not None
    assert (found["outcome"], found["reason"]) == ("applied", "telephone1: settled by ann")
    assert numbers(desk, row) == ("2", "2")


async def test_a_settlement_of_another_records_conflict_does_nothing(desk: "Desk") -> None:
    row, number = await contested(desk)
    await desk.settle.settle(number, "inbound", None, "ann", "it is so")
    body = json.loads(settlement(row, number).body) | {"record": str(OTHER), "sourceKey": "C-9"}
    forged = replace(settlement(row, number), session_id=str(OTHER), body=json.dumps(body).encode())

    receipt = await desk.gate.receive(desk.store.seal.on(forged))

    assert receipt is not None
    assert receipt.record == OTHER
    assert numbers(desk, row) == ("2", "3")
    assert await desk.store.crosswalk.claims_on(OTHER) == []


async def test_a_settlement_that_could_not_be_sent_is_sent_by_the_timer_once(desk: "Desk") -> None:
    row, number = await contested(desk)
    desk.bus.trouble.next(Unavailable("the queue is out of reach"))
    with pytest.raises(Unavailable):
        await desk.settle.settle(number, "inbound", None, "ann", "it is so")
    assert desk.bus.sent == []

    assert await desk.settle.run() == 0
    desk.clock.advance(timedelta(seconds=31))
    assert await desk.settle.run() == 1
    await desk.delivered()

    assert await desk.settle.run() == 0
    assert numbers(desk, row) == ("2", "2")


async def test_a_wake_that_tandem_did_not_send_wakes_nothing_and_is_kept(desk: "Desk") -> None:
    wake = drain(OTHER, UUID(int=1), "inbound")

    receipt = await desk.gate.receive(wake)

    assert receipt is not None
    assert receipt.outcome is Outcome.REJECTED
    assert [str(fault.code) for fault in receipt.faults] == ["message.not_ours"]
    assert await desk.gate.receive(desk.store.seal.on(replace(wake, id="another"))) is None


@pytest.mark.parametrize("kind", ["settlement", "drain", "dataverse"])
async def test_the_http_door_takes_no_message_that_is_not_a_senders(desk: "Desk", kind: str) -> None:
    row, number = await contested(desk)
    bodies: dict[str, Any] = {
        "settlement": json.loads(settlement(row, number).body),
        "drain": json.loads(drain(row, OTHER, "inbound").body),
        "dataverse": {
            "schemaVersion": "1.0",
            "source": "dataverse",
            "table": "account",
            "recordId": str(row),
            "operation": "Delete",
            "changedOn": "2026-05-04T10:00:00Z",
            "rowVersion": "99",
        },
    }
    intake = Intake(desk.gate, desk.bus, "inbound")

    receipt = await intake.submit(f"posted-{kind}", json.dumps(bodies[kind]).encode(), "eve")

    assert receipt is not None
    assert receipt.outcome is Outcome.REJECTED
    assert desk.bus.sent == []
    assert "C-1" in desk.records.of("company")


def test_a_sender_may_not_take_the_ids_of_messages_to_come(desk: "Desk") -> None:
    intake = Intake(desk.gate, desk.bus, "inbound")

    taken = ("settle-1-x", "healed-allegory-company-C-1-7", "Allegory-feed-12")
    assert [intake.may_use(message_id) for message_id in taken] == [False] * 3
    assert intake.may_use("allegory-7")
