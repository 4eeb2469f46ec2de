"""What goes round: maps that are not their own inverse, and automation that answers each of our writes."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from shared.connectors.sqlstore.tables import journal
from shared.core.mapping.spec import EntityMap, OnDelete
from shared.core.outcome import Outcome
from shared.core.system import LegacySystem
from shared.recovery.replay import Replay
from tests.unit.flows.conftest import ROW, US, desk_with

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk


def with_companies(entry: EntityMap) -> LegacySystem:
    """Allegory with another map of its companies."""
    return replace(ALLEGORY, maps=tuple(entry if one is COMPANY else one for one in ALLEGORY.maps))


async def code_of(desk: "Desk") -> str | None:
    failures = (await desk.store.operations.failures.page(10)).entries
    return failures[0]["code"] if failures else None


async def test_a_value_the_far_side_writes_its_own_way_settles_in_two_hops(desk: "Desk") -> None:
    row = await desk.company(phone="1")
    assert await desk.edit_record(phone="02 03") is Outcome.APPLIED

    assert await desk.edit_row(row, actor=US, telephone1="0203") is Outcome.APPLIED

    assert desk.records.of("company")["C-1"]["phone"] == "0203"
    assert await desk.record_changed("C-1", desk.records.of("company")["C-1"]) is Outcome.ECHO


async def test_a_value_that_both_sides_write_their_own_way_is_held_after_two_hops(desk: "Desk") -> None:
    row = await desk.company(phone="1")
    await desk.edit_record(phone="02 03")
    assert await desk.edit_row(row, actor=US, telephone1="0203") is Outcome.APPLIED

    desk.clock.advance(timedelta(seconds=1))
    again = await desk.record_changed("C-1", desk.save_record(phone="02 03"), actor=US)

    assert again is Outcome.FAILED
    assert await code_of(desk) == "map.not_settling"
    assert desk.rows.of("account")[row]["telephone1"] == "0203"


async def test_a_record_that_goes_back_and_forth_is_held_whoever_it_is(desk: "Desk") -> None:
    row = await desk.company(phone="0")
    outcomes = []
    for number in range(10):
        outcomes.append(await desk.edit_row(row, telephone1=f"a{number}"))
        outcomes.append(await desk.edit_record(phone=f"b{number}"))
        if Outcome.FAILED in outcomes:
            break

    assert await code_of(desk) == "record.looping"
    assert outcomes.index(Outcome.FAILED) == 5, "the company itself was the first of six turns"


async def test_a_merge_that_was_held_as_a_loop_goes_on_when_a_person_lets_it(desk: "Desk") -> None:
    """Its moment stays what it was, and so would the turns that were counted before it."""
    loser = await desk.company("C-2", name="Nord Wind", city="Kiel")
    desk.clock.advance(timedelta(seconds=1))
    desk.rows.put("account", ROW, {"name": "Nordwind", "telephone1": "0"})
    await desk.tell_row(ROW, operation="Create")
    heir = next(record for record in desk.records.of("company") if record != "C-2")
    for number in range(3):
        if number:
            assert await desk.edit_row(ROW, telephone1=f"a{number}") is Outcome.APPLIED
        desk.clock.advance(timedelta(seconds=1))
        said = desk.records.put("company", heir, {**desk.records.of("company")[heir], "phone": f"b{number}"})
        assert await desk.record_changed(heir, said.fields) is Outcome.APPLIED
    desk.clock.advance(timedelta(seconds=1))
    desk.rows.put("account", ROW, {"telephone1": "7"})
    desk.rows.unite("account", ROW, loser)
    assert await desk.tell_row(loser) is Outcome.FAILED
    (failure,) = (await desk.store.operations.failures.page(10)).entries
    assert (failure["code"], failure["state"]) == ("record.looping", "held")

    replay = Replay(desk.store.operations.repair, desk.gate, desk.bus, desk.clock)
    await replay.message(failure["message_id"], "ann")
    await desk.delivered()

    assert (await desk.store.operations.failures.page(10)).entries == []
    assert desk.records.of("company").keys() == {heir}
    assert desk.records.of("company")[heir]["phone"] == "7"


async def test_one_side_may_write_as_often_as_it_likes(desk: "Desk") -> None:
    await desk.company(phone="0")

    outcomes = {await desk.edit_record(phone=str(number)) for number in range(1, 40)}

    assert outcomes == {Outcome.APPLIED}


async def test_a_row_that_a_person_brings_back_is_left_and_told_of(desk: "Desk") -> None:
    row = await desk.company(phone="1")
    desk.rows.remove("account", row)
    desk.clock.advance(timedelta(seconds=1))
    await desk.row_changed(row, operation="Delete")

    assert await desk.edit_row(row, actor="ann", name="Nordwind", telephone1="1") is Outcome.FAILED

    assert list(desk.rows.of("account")) == [row]
    assert await code_of(desk) == "target.gone"


async def test_a_deleted_record_leaves_its_row_deactivated_where_the_map_says_so() -> None:
    company = replace(COMPANY, on_record_delete=OnDelete.DEACTIVATE, inactive_row={"tandem_tags": "inactive"})
    with desk_with(with_companies(company)) as desk:
        row = await desk.company(phone="1")
        desk.records.remove("company", "C-1")

        assert await desk.record_changed("C-1", None) is Outcome.APPLIED
        assert await desk.edit_row(row, telephone1="2") is Outcome.SUPERSEDED

        assert desk.rows.of("account")[row]["tandem_tags"] == "inactive"


async def test_a_deleted_row_leaves_its_record_where_the_map_says_so() -> None:
    with desk_with(with_companies(replace(COMPANY, on_row_delete=OnDelete.IGNORE))) as desk:
        row = await desk.company(phone="1")
        desk.rows.remove("account", row)

        assert await desk.row_changed(row, operation="Delete") is Outcome.SUPERSEDED
        assert await desk.edit_record(phone="2") is Outcome.SUPERSEDED

        assert desk.records.of("company")["C-1"]["phone"] == "2"
        assert desk.rows.of("account") == {}


async def test_an_echo_is_told_by_who_made_it(desk: "Desk") -> None:
    row = await desk.company(phone="1")
    desk.clock.advance(timedelta(seconds=1))

    assert await desk.tell_row(row, actor=US.upper()) is Outcome.ECHO
    assert await desk.tell_row(row, actor="ann") is Outcome.ECHO

    with desk.store.engine.connect() as connection:
        told = connection.execute(sa.select(journal.c.reason).order_by(journal.c.id)).scalars().all()
    assert told[1:] == [
        "our own write, told back: equal to what both sides hold",
        "equal to what both sides hold",
    ]
