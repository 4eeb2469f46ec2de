"""A worker stands still until its lease has run out, and goes on as if nothing had happened."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from shared.core.outcome import Outcome

if TYPE_CHECKING:
    import pytest

    from shared.core.mapping.spec import EntityMap
    from shared.core.ownership import Ownership
    from shared.core.unit import AskUnits
    from tests.unit.flows.conftest import Desk

ROW = UUID("00000000-0000-4000-8000-000000000001")


async def test_it_does_not_write_over_what_was_agreed_meanwhile(
    desk: "Desk", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    """It comes to at the worst moment: with an old message in hand, and the shadow as it was then."""
    desk.rows.put("account", ROW, {"name": "First"})
    await desk.row_changed(operation="Create", name="First")
    ((record_id, fields),) = desk.records.of("company").items()
    asked = type(desk.store.owners).of

    async def standing_still(
        owners: object, system: str, entry: "EntityMap", units: "AskUnits", begun: str = ""
    ) -> "Ownership":
        monkeypatch.undo()
        await desk.later(3600)
        desk.records.put("company", record_id, {**fields, "name": "Typed in Allegory"})
        typed = desk.clock.now()
        desk.clock.advance(timedelta(seconds=10))
        desk.rows.put("account", ROW, {"name": "Typed in Dataverse, not told yet"})
        told = await desk.record_changed(record_id, {"name": "Typed in Allegory"}, at=typed)
        assert told is Outcome.CONFLICT
        return await asked(desk.store.owners, system, entry, units, begun)

    desk.clock.advance(timedelta(seconds=1))
    monkeypatch.setattr(type(desk.store.owners), "of", standing_still)

    assert await desk.row_changed(name="First") is Outcome.ECHO

    assert desk.records.of("company")[record_id]["name"] == "Typed in Allegory"
