"""A write was begun and nobody answered it, and the phase is another one when its change is tried again."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.connectors.sqlstore.lanes import SqlLanes
from shared.core.errors import MovedOn, Refused, Unavailable
from shared.core.outcome import Outcome
from shared.core.ownership import Phase
from shared.core.ports import StoreUnavailable
from shared.ops.commands.record import screen

if TYPE_CHECKING:
    from uuid import UUID

    from tests.unit.flows.conftest import Desk


async def in_phase(desk: "Desk", *steps: Phase) -> None:
    for phase in steps:
        await desk.store.owners.set_phase(("allegory", "company", ""), phase, "ann", "on we go")
    desk.clock.advance(timedelta(seconds=15))


def both(desk: "Desk", row: "UUID", column: str, field: str) -> tuple[Any, Any]:
    return desk.records.of("company")["C-1"].get(field), desk.rows.of("account")[row].get(column)


def unanswered(of: object, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A system does not answer one write; returns its arguments, with which it may still arrive."""
    sent: list[Any] = []

    async def unheard(*arguments: object) -> object:
        sent.append(arguments)
        monkeypatch.undo()
        raise Unavailable("no answer in time")

    monkeypatch.setattr(of, "update", unheard)
    return sent


async def half_told(desk: "Desk", monkeypatch: pytest.MonkeyPatch) -> "UUID":
    """A company that came by a message with its telephone alone; the write of its name is not answered."""
    desk.records.put("company", "C-1", {"name": "Nordwind", "phone": "1"})
    created = desk.clock.now()
    assert await desk.record_changed("C-1", {"phone": "1"}) is Outcome.APPLIED
    ((row, _),) = desk.rows.of("account").items()
    assert await desk.tell_row(row, operation="Create") is Outcome.ECHO
    unanswered(desk.rows, monkeypatch)
    assert await desk.record_changed("C-1", {"name": "Nordwind"}, at=created) is Outcome.FAILED
    return row


async def test_a_value_that_is_being_taken_back_is_taken_back_after_dynamics_has_ceased_to_decide(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decided otherwise on the next try, it would cross, and the late write would then undo it."""
    row = await desk.company(phone="1")
    await in_phase(desk, Phase.DYNAMICS_MASTER)
    sent = unanswered(desk.records, monkeypatch)
    assert await desk.edit_record(phone="9") is Outcome.FAILED
    await in_phase(desk, Phase.COEXIST)

    await desk.later(2, row)

    assert both(desk, row, "telephone1", "phone") == ("1", "1")
    with pytest.raises(MovedOn):
        await desk.records.update(*sent[0])
    assert await desk.edit_record(phone="2") is Outcome.APPLIED
    assert both(desk, row, "telephone1", "phone") == ("2", "2")


@pytest.mark.parametrize(("then", "over"), [(Phase.COEXIST, True), (None, False)])
async def test_a_decision_in_a_phase_that_was_over_says_so_in_a_line_of_its_own(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch, then: Phase | None, *, over: bool
) -> None:
    row = await desk.company(phone="1")
    await in_phase(desk, Phase.DYNAMICS_MASTER)
    unanswered(desk.records, monkeypatch)
    await desk.edit_record(phone="9")
    begun = await told(desk, row)
    await in_phase(desk, *([then] if then else []))

    await desk.later(2, row)

    after = await told(desk, row)
    phases = {"allegory": "dynamics_master"}
    unanswered_yet = "a write begun in phase dynamics_master of allegory is not answered"
    assert (begun["begun_in"], after["begun_in"]) == (phases, {})
    assert (unanswered_yet in shown(begun), unanswered_yet in shown(after)) == (True, False)
    first, second = after["decisions"]
    assert (first["decided_in"], second["decided_in"]) == ({}, phases if over else {})
    line = "        decided in phase dynamics_master of allegory, in which its write had begun"
    assert (line in shown(after).splitlines()) is over


async def told(desk: "Desk", row: "UUID") -> Any:
    """What is told of the row's newest message from Allegory."""
    (record,) = await desk.store.operations.history.of(str(row))
    return [each for each in record["messages"] if each["queue"] == "inbound"][-1]


def shown(message: Any) -> str:
    record = {"record": "r", "crosswalk": [], "lane": None, "conflicts": [], "messages": [message]}
    return screen({"records": [record], "messages": []})


async def test_nor_is_it_forgotten_where_nobody_could_note_that_the_write_failed(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await desk.company(phone="1")
    await in_phase(desk, Phase.DYNAMICS_MASTER)
    unanswered(desk.records, monkeypatch)

    async def out_of_reach(*_: object) -> object:
        raise StoreUnavailable

    with pytest.MonkeyPatch.context() as state:
        state.setattr(SqlLanes, "settle", out_of_reach)
        with pytest.raises(StoreUnavailable):
            await desk.edit_record(phone="9")
    await in_phase(desk, Phase.COEXIST)

    await desk.later(60, row)

    assert both(desk, row, "telephone1", "phone") == ("1", "1")


async def test_so_is_an_edit_in_dataverse_after_allegory_has_ceased_to_decide(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await desk.company(phone="1")
    await in_phase(desk, Phase.SHADOW_READ)
    unanswered(desk.rows, monkeypatch)
    assert await desk.edit_row(row, telephone1="9") is Outcome.FAILED
    await in_phase(desk, Phase.COEXIST)

    await desk.later(2, row)

    assert both(desk, row, "telephone1", "phone") == ("1", "1")


async def test_a_value_that_was_being_written_is_written_after_dynamics_has_begun_to_decide(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The company came by a message that named no more than its telephone, so its row has no name yet."""
    row = await half_told(desk, monkeypatch)
    await in_phase(desk, Phase.DYNAMICS_MASTER)

    await desk.later(2, row)

    assert both(desk, row, "name", "name") == ("Nordwind", "Nordwind")
    assert await desk.edit_record(name="Südwind") is Outcome.CONFLICT
    assert both(desk, row, "name", "name") == ("Nordwind", "Nordwind")


async def test_what_could_not_be_written_at_once_is_still_the_first_word_about_a_column(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dynamics decides all along; the blank name is nobody's edit, Allegory left it out at first."""
    await in_phase(desk, Phase.DYNAMICS_MASTER)
    row = await half_told(desk, monkeypatch)

    await desk.later(2, row)

    assert both(desk, row, "name", "name") == ("Nordwind", "Nordwind")


async def test_what_was_being_written_as_its_system_retired_does_not_cross(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await desk.company(phone="1")
    await in_phase(desk, Phase.DYNAMICS_MASTER)
    unanswered(desk.records, monkeypatch)
    assert await desk.edit_row(row, telephone1="2") is Outcome.FAILED
    await in_phase(desk, Phase.RETIRED)

    await desk.later(2, row)

    assert both(desk, row, "telephone1", "phone") == ("1", "2")


async def test_what_people_let_go_on_after_it_was_refused_is_decided_in_the_phase_of_that_day(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second try had its answer, so no write of it is on its way any more."""
    row = await desk.company(phone="1")
    await in_phase(desk, Phase.DYNAMICS_MASTER)
    unanswered(desk.records, monkeypatch)
    assert await desk.edit_record(phone="9") is Outcome.FAILED

    async def refuses(*_: object) -> object:
        monkeypatch.undo()
        raise Refused("not now", answer="422")

    monkeypatch.setattr(desk.records, "update", refuses)
    await desk.later(2, row)
    (held,) = (await desk.store.operations.failures.page(2)).entries
    await in_phase(desk, Phase.COEXIST)
    await desk.store.operations.repair.replay(held["message_id"], "ann")

    await desk.later(2, row)

    assert both(desk, row, "telephone1", "phone") == ("9", "9")
