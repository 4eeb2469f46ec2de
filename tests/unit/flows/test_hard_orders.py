"""Two questions of order that no clock answers: one instant twice, and a record not yet known by its row."""

from typing import TYPE_CHECKING

from shared.core.identity import RecordKey, chosen_row_id
from shared.core.outcome import Outcome

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

KEY = RecordKey("allegory", "company", "C-1")


async def test_of_two_edits_at_one_instant_the_later_arrival_stands_and_the_other_is_in_the_journal(
    desk: "Desk",
) -> None:
    row = await desk.company(phone="1")
    at = desk.clock.now()

    first = await desk.record_changed("C-1", {"name": "Nordwind", "phone": "2"}, at=at)
    second = await desk.record_changed("C-1", {"name": "Nordwind", "phone": "3"}, at=at)

    assert (first, second) == (Outcome.APPLIED, Outcome.APPLIED)
    assert desk.rows.of("account")[row]["telephone1"] == "3"
    mark = (await desk.store.shadows.load(row)).marks["telephone1"]
    assert (mark.value, mark.origin) == ("3", "allegory")


async def test_a_change_without_its_row_that_comes_before_the_record_is_paired_keeps_the_row_it_made(
    desk: "Desk",
) -> None:
    """The record made in Dataverse is told of by a sender that does not say which row it is."""
    chosen = chosen_row_id(KEY)
    assert await desk.record_changed("C-1", {"name": "Nordwind", "phone": "1"}) is Outcome.APPLIED

    assert await desk.store.crosswalk.row_of(KEY) == chosen
    assert list(desk.rows.of("account")) == [chosen]
    assert await desk.record_changed("C-1", {"name": "Nordwind", "phone": "1"}) is Outcome.ECHO


async def test_what_is_reserved_by_a_change_without_its_row_moves_when_the_record_says_which_row_it_is(
    desk: "Desk",
) -> None:
    row = await desk.store.crosswalk.claim(KEY, None, chosen_row_id(KEY))
    named = chosen_row_id(RecordKey("allegory", "company", "C-elsewhere"))
    assert row == chosen_row_id(KEY)

    assert await desk.store.crosswalk.claim(KEY, named, chosen_row_id(KEY)) == named

    assert await desk.store.crosswalk.claims_on(row) == []
    assert await desk.store.crosswalk.claims_on(named) == [KEY]
