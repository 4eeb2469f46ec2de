"""A delete overtakes the create of the same record."""

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.core.outcome import Outcome

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk


async def test_a_record_deleted_before_it_was_told_of_does_not_become_a_row(desk: "Desk") -> None:
    created = desk.clock.now()
    deleted = created + timedelta(seconds=1)

    assert await desk.record_changed("C-1", None, at=deleted) is Outcome.STALE
    assert await desk.record_changed("C-1", {"name": "Nordwind"}, at=created) is Outcome.STALE

    assert desk.rows.of("account") == {}


async def test_a_row_deleted_before_it_was_told_of_does_not_become_a_record(desk: "Desk") -> None:
    created = desk.clock.now()
    deleted = created + timedelta(seconds=1)

    assert await desk.row_changed(operation="Delete", at=deleted) is Outcome.STALE
    assert await desk.row_changed(operation="Create", at=created, name="Nordwind") is Outcome.STALE

    assert desk.records.of("company") == {}


async def test_a_record_made_anew_after_its_delete_becomes_a_row(desk: "Desk") -> None:
    deleted = desk.clock.now()

    await desk.record_changed("C-1", None, at=deleted)
    anew = deleted + timedelta(seconds=1)

    assert await desk.record_changed("C-1", {"name": "Nordwind"}, at=anew) is Outcome.APPLIED
