"""A fault of Tandem's own: its message is held for a person, others of its record wait, no other notices."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from shared.core.change import Message
from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.lane import OUTCOME_EVENT
from shared.core.outcome import Outcome
from shared.recovery.replay import Replay

if TYPE_CHECKING:
    import pytest

    from tests.unit.flows.conftest import Desk


async def failing(desk: "Desk") -> list[Any]:
    return list((await desk.store.operations.failures.page(10)).entries)


async def test_a_fault_of_our_own_holds_one_record_and_is_told_without_a_value(
    desk: "Desk", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    row = await desk.company(phone="1")

    async def breaks(*_: object) -> None:
        raise KeyError("Ms Secret")

    with monkeypatch.context() as patch:
        patch.setattr(desk.rows, "update", breaks)
        assert await desk.edit_record(phone="2") is Outcome.FAILED
        assert await desk.edit_record(phone="3") is None
        await desk.company("C-2", name="Another one")

    (failure,) = (await desk.store.operations.failures.page(10)).entries
    told = desk.gate.telemetry.told  # type: ignore[attr-defined]  # the twin that remembers
    assert (failure["code"], failure["state"], failure["followers"]) == ("tandem.unexpected", "held", 1)
    assert [event.dimensions["error"].partition(":")[0] for event in told if "error" in event.dimensions] == [
        "KeyError at breaks"
    ]
    outcomes = [(event.dimensions["outcome"], event.error) for event in told if event.name == OUTCOME_EVENT]
    assert outcomes == [("applied", False), ("failed", True), ("applied", False)]
    assert "Secret" not in f"{failure} {told}"
    assert desk.rows.of("account")[row]["telephone1"] == "1"


async def test_what_an_older_release_admitted_and_this_one_cannot_read_is_held_and_told(desk: "Desk") -> None:
    def strict(message: Message) -> NoReturn:
        raise InvalidMessage(Fault("/schemaVersion", Code.SCHEMA_VERSION, f"not {message.id}"))

    row = await desk.company(phone="1")
    other = await desk.company("C-2", name="Another one")
    reading = desk.gate
    desk.gate = replace(reading, worker=replace(reading.worker, parse=strict))

    assert await desk.edit_record(phone="2") is Outcome.FAILED
    assert await desk.edit_row(row, telephone1="3") is None
    assert await desk.edit_row(other, telephone1="4") is Outcome.FAILED

    told = [(each["code"], each["state"], each["followers"]) for each in await failing(desk)]
    assert told == [("tandem.unexpected", "held", 0), ("tandem.unexpected", "held", 1)]

    desk.gate = reading
    replay = Replay(desk.store.operations.repair, reading, desk.bus, desk.clock)
    for each in await failing(desk):
        await replay.message(each["message_id"], "ann")
    for record in (row, other):
        await reading.worker.drain(record)
    assert await failing(desk) == []
    assert [desk.rows.of("account")[each]["telephone1"] for each in (row, other)] == ["3", "4"]
