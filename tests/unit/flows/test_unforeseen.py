"""A fault of Tandem's own: its message is held for a person, others of its record wait, no other notices."""

from typing import TYPE_CHECKING

from shared.core.lane import OUTCOME_EVENT
from shared.core.outcome import Outcome

if TYPE_CHECKING:
    import pytest

    from tests.unit.flows.conftest import Desk


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

    (failure,) = await desk.store.operations.failures.newest(10)
    told = desk.gate.telemetry.told  # type: ignore[attr-defined]  # the twin that remembers
    assert (failure["code"], failure["state"], failure["followers"]) == ("tandem.unexpected", "held", 1)
    assert [event.dimensions["error"].partition(":")[0] for event in told if "error" in event.dimensions] == [
        "KeyError at breaks"
    ]
    outcomes = [(event.dimensions["outcome"], event.error) for event in told if event.name == OUTCOME_EVENT]
    assert outcomes == [("applied", False), ("failed", True), ("applied", False)]
    assert "Secret" not in f"{failure} {told}"
    assert desk.rows.of("account")[row]["telephone1"] == "1"
