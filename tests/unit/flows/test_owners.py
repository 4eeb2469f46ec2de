"""Who decides: edits that are taken back, columns that wait for a person, and the person's word."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from shared.core.change import Json
from shared.core.conflict import NotOpen
from shared.core.errors import InvalidMessage
from shared.core.mapping.spec import Owner
from shared.core.outcome import Outcome
from shared.core.ownership import Phase, PhaseRefused, Rule
from shared.core.trace import traced

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

COMPANY = ("allegory", "company", "")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


async def in_phase(desk: "Desk", *steps: Phase) -> None:
    for phase in steps:
        await desk.store.owners.set_phase(COMPANY, phase, "ann", "on we go")


async def personal(desk: "Desk") -> None:
    await desk.store.owners.set_rule(
        Rule("allegory", "company", "telephone1", Owner.PERSON), "ann", "as agreed"
    )


async def contested(desk: "Desk") -> UUID:
    """A company whose telephone number both sides changed, and its town one of them."""
    await personal(desk)
    row = await desk.company(phone="1", city="Kiel")
    desk.rows.put("account", row, {"telephone1": "3"})
    assert await desk.edit_record(phone="2", city="Lübeck") is Outcome.CONFLICT
    return row


async def open_conflict(desk: "Desk") -> dict[str, Any]:
    (found,) = (await desk.settle.waiting())["conflicts"]
    return dict(found)


def both(desk: "Desk", row: UUID, column: str, field: str) -> tuple[Any, Any]:
    return desk.records.of("company")["C-1"].get(field), desk.rows.of("account")[row].get(column)


async def test_while_the_legacy_system_is_the_master_an_edit_in_dataverse_is_kept_and_taken_back(
    desk: "Desk",
) -> None:
    row = await desk.company(phone="1")
    await in_phase(desk, Phase.SHADOW_READ, Phase.LEGACY_MASTER)

    assert await desk.edit_row(row, telephone1="9") is Outcome.CONFLICT
    assert await desk.tell_row(row) is Outcome.ECHO

    assert both(desk, row, "telephone1", "phone") == ("1", "1")
    assert await desk.edit_record(phone="2") is Outcome.APPLIED
    assert both(desk, row, "telephone1", "phone") == ("2", "2")


async def test_while_dynamics_is_the_master_an_edit_in_the_legacy_system_is_kept_and_taken_back(
    desk: "Desk",
) -> None:
    row = await desk.company(phone="1")
    await in_phase(desk, Phase.DYNAMICS_MASTER)

    assert await desk.edit_record(phone="9") is Outcome.CONFLICT
    assert await desk.record_changed("C-1", desk.records.of("company")["C-1"]) is Outcome.ECHO

    assert both(desk, row, "telephone1", "phone") == ("1", "1")
    assert await desk.edit_row(row, telephone1="2") is Outcome.APPLIED
    assert both(desk, row, "telephone1", "phone") == ("2", "2")


async def test_once_retired_nothing_crosses(desk: "Desk") -> None:
    row = await desk.company(phone="1")
    await in_phase(desk, Phase.DYNAMICS_MASTER, Phase.RETIRED)

    assert await desk.edit_record(phone="8") is Outcome.SUPERSEDED
    assert await desk.edit_row(row, telephone1="9") is Outcome.SUPERSEDED

    assert both(desk, row, "telephone1", "phone") == ("8", "9")


async def test_a_phase_is_not_jumped_over(desk: "Desk") -> None:
    with pytest.raises(PhaseRefused, match="does not follow"):
        await in_phase(desk, Phase.RETIRED)


async def test_a_delete_by_the_side_that_does_not_decide_leaves_the_other_alone(desk: "Desk") -> None:
    row = await desk.company(phone="1")
    await in_phase(desk, Phase.DYNAMICS_MASTER)
    desk.records.remove("company", "C-1")

    assert await desk.record_changed("C-1", None) is Outcome.SUPERSEDED
    assert await desk.edit_row(row, telephone1="2") is Outcome.SUPERSEDED

    assert desk.rows.of("account")[row]["telephone1"] == "2"


async def test_a_persons_column_stays_on_both_sides_and_the_others_cross(desk: "Desk") -> None:
    row = await contested(desk)

    assert both(desk, row, "telephone1", "phone") == ("2", "3")
    assert both(desk, row, "address1_city", "city") == ("Lübeck", "Lübeck")
    found = await open_conflict(desk)
    assert (await desk.store.operations.standing.take())["asked"] == {"conflicts": 1, "matches": 0}
    told = {name: found[name] for name in ("column", "state", "agreed", "inbound", "outbound", "subject")}
    assert told == {
        "column": "telephone1",
        "state": "open",
        "agreed": "1",
        "inbound": "2",
        "outbound": "3",
        "subject": "allegory:company:C-1",
    }


@pytest.mark.parametrize(
    ("take", "value", "after"), [("inbound", None, "2"), ("outbound", None, "3"), ("value", "4", "4")]
)
async def test_what_a_person_decides_is_written_to_both_sides(
    desk: "Desk", take: str, value: str | None, after: str
) -> None:
    row = await contested(desk)
    number = (await open_conflict(desk))["id"]

    await desk.settle.settle(number, take, value, "ann", "she called")
    assert both(desk, row, "telephone1", "phone") == ("2", "3"), "nothing is written past the lane"
    await desk.delivered()

    assert both(desk, row, "telephone1", "phone") == (after, after)
    assert (await desk.settle.waiting())["conflicts"] == []
    assert (await desk.store.operations.standing.take())["asked"] == {"conflicts": 0, "matches": 0}
    assert await desk.tell_row(row) is Outcome.ECHO
    assert await desk.edit_record(phone="5") is Outcome.APPLIED
    assert both(desk, row, "telephone1", "phone") == ("5", "5")


async def test_a_decision_over_a_value_nobody_saw_is_asked_again(desk: "Desk") -> None:
    row = await contested(desk)
    first = await open_conflict(desk)
    await desk.settle.settle(first["id"], "outbound", None, "ann", "she called")
    desk.save_record(phone="7")

    await desk.delivered()

    assert both(desk, row, "telephone1", "phone") == ("7", "3")
    again = await open_conflict(desk)
    assert (again["id"], again["state"], again["inbound"]) == (first["id"], "open", "7")
    await desk.settle.settle(again["id"], "inbound", None, "ann", "so be it")
    await desk.delivered()
    assert both(desk, row, "telephone1", "phone") == ("7", "7")


async def test_a_conflict_ends_when_both_sides_agree_by_themselves(desk: "Desk") -> None:
    row = await contested(desk)
    number = (await open_conflict(desk))["id"]

    await desk.edit_row(row, telephone1="2")

    assert (await desk.settle.waiting())["conflicts"] == []
    ended = await desk.settle.one(number)
    assert ended is not None
    assert (ended["state"], ended["ended"]) == ("over", "both sides agree")
    with pytest.raises(NotOpen):
        await desk.settle.settle(number, "inbound", None, "ann", "too late")


@pytest.mark.parametrize("value", [5, True, [1], {"a": 1}, "a\x00b", "\ud800", "9" * 5000])
async def test_a_value_that_no_column_can_hold_is_refused_before_anything_is_decided(
    desk: "Desk", value: Json
) -> None:
    await contested(desk)
    number = (await open_conflict(desk))["id"]

    with pytest.raises(InvalidMessage) as refused:
        await desk.settle.settle(number, "value", value, "ann", "no such number")

    assert [fault.field for fault in refused.value.faults] == ["/value"]
    assert (await open_conflict(desk))["state"] == "open"
    assert desk.bus.sent == []


async def test_a_value_is_settled_as_both_sides_hold_it(desk: "Desk") -> None:
    row = await contested(desk)
    number = (await open_conflict(desk))["id"]

    await desk.settle.settle(number, "value", "  +49 40 7\r\n", "ann", "typed with blanks")
    await desk.delivered()

    assert both(desk, row, "telephone1", "phone") == ("+49 40 7", "+49 40 7")


async def test_settling_twice_is_settling_once(desk: "Desk") -> None:
    row = await contested(desk)
    number = (await open_conflict(desk))["id"]

    for take in ("inbound", "outbound"):
        await desk.settle.settle(number, take, None, "ann", "on second thoughts")
    await desk.delivered()

    assert both(desk, row, "telephone1", "phone") == ("3", "3")


async def test_a_decision_reaches_its_lane_under_the_operation_in_which_it_was_made(desk: "Desk") -> None:
    await contested(desk)
    found = await open_conflict(desk)

    with traced(f"00-{TRACE}-00f067aa0ba902b7-01"):
        await desk.settle.settle(found["id"], "inbound", None, "ann", "by phone")

    message = desk.bus.sent[-1].message
    assert message.properties["correlationId"] == TRACE
    await desk.delivered()
    assert (await desk.settle.waiting())["conflicts"] == []
    kept = await desk.store.operations.messages.find(message.id)
    assert kept is not None
    assert kept["correlation_id"] == TRACE
