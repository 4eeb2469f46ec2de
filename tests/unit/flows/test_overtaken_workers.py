"""A worker stands still until its lease has run out, and goes on as if nothing had happened."""

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.core.identity import RecordKey, chosen_row_id
from shared.core.outcome import Outcome

if TYPE_CHECKING:
    from uuid import UUID

    import pytest

    from shared.core.shadow import Shadow
    from tests.unit.flows.conftest import Desk

C1 = RecordKey("allegory", "company", "C-1")
ROW = chosen_row_id(C1)


async def test_it_does_not_write_over_what_was_agreed_meanwhile(
    desk: "Desk", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    """It comes to at the worst moment: with an old message in hand, about to read the newest shadow."""
    await desk.record_changed("C-1", {"name": "First"})
    desk.clock.advance(timedelta(seconds=1))
    load = type(desk.store.shadows).load

    async def standing_still(shadows: object, record: "UUID") -> "Shadow":
        monkeypatch.undo()
        await desk.later(3600, ROW)
        desk.rows.put("account", ROW, {"name": "Typed by a person"})
        desk.clock.advance(timedelta(seconds=1))
        await desk.row_changed(ROW, name="Typed by a person")
        return await load(desk.store.shadows, record)

    desk.records.put("company", "C-1", {"name": "Second"})
    monkeypatch.setattr(type(desk.store.shadows), "load", standing_still)

    assert await desk.record_changed("C-1", {"name": "Second"}) is Outcome.APPLIED

    assert desk.rows.of("account")[ROW]["name"] == "Typed by a person"
