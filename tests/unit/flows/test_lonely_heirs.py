"""A merge into what lives on alone because its counterpart was deleted: followed, and people are told."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.legrand import LEGRAND
from shared.core.change import Json
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Option
from shared.core.mapping.references import RowRef
from shared.core.mapping.spec import OnDelete
from shared.core.outcome import Outcome
from shared.core.system import LegacySystem
from tests.unit.flows.conftest import desk_with

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

SECOND = timedelta(seconds=1)


def deleting(policy: OnDelete, system: LegacySystem = ALLEGORY) -> "AbstractContextManager[Desk]":
    """A desk whose companies outlive their counterparts; merges are followed by both sides."""
    before = system.map_of("company")
    assert before is not None
    company = replace(
        before,
        on_record_delete=policy,
        on_row_delete=policy,
        inactive_row={"statecode": Option(1)},
        inactive_record={"tags": "inactive"},
    )
    maps = tuple(company if entry is before else entry for entry in system.maps)
    return desk_with(*(replace(each, maps=maps) if each is system else each for each in (ALLEGORY, LEGRAND)))


@pytest.fixture
def desk() -> "Iterator[Desk]":
    with deleting(OnDelete.IGNORE) as made:
        yield made


async def two(desk: "Desk") -> tuple[UUID, UUID]:
    """Two companies that both sides hold: the heir's row and the loser's."""
    heir = await desk.company("C-1", phone="1")
    desk.clock.advance(SECOND)
    loser = await desk.company("C-2", name="Nord Wind", city="Kiel")
    desk.clock.advance(SECOND)
    return heir, loser


async def merged_and_deleted(desk: "Desk") -> Outcome | None:
    """People in Allegory merge C-2 into C-1 and delete that; the merge is told last."""
    merged = desk.clock.now()
    desk.records.unite("company", "C-1", "C-2")
    desk.clock.advance(SECOND)
    desk.records.remove("company", "C-1")
    await desk.record_changed("C-1", None)
    return await desk.record_changed("C-2", None, heir="C-1", at=merged)


async def last(desk: "Desk", row: UUID) -> tuple[str, str]:
    """Outcome and reason of the last decision about a row."""
    (told,) = await desk.store.operations.history.of(str(row))
    line = told["journal"][-1]
    return line["outcome"], line["reason"]


async def lost(desk: "Desk", row: UUID) -> dict[str, tuple[Any, Any]]:
    """Per column the value that was kept because it lost, and what stands."""
    (told,) = await desk.store.operations.history.of(str(row))
    return {one["column"]: (one["inbound"], one["outbound"]) for one in told["conflicts"]}


async def test_the_losers_row_is_merged_into_the_row_that_lives_on_alone(desk: "Desk") -> None:
    heir, loser = await two(desk)

    assert await merged_and_deleted(desk) is Outcome.CONFLICT

    aside = desk.rows.of("account")[loser]
    assert (aside["statecode"], aside["masterid"]) == (1, RowRef("account", heir))
    assert desk.rows.of("account")[heir]["address1_city"] == "Kiel"
    assert await desk.store.crosswalk.row_of(RecordKey("allegory", "company", "C-2")) == heir


async def test_what_nobody_takes_over_from_it_is_named_and_kept(desk: "Desk") -> None:
    heir, _ = await two(desk)

    await merged_and_deleted(desk)

    assert await lost(desk, heir) == {"name": ("Nord Wind", "Nordwind")}
    assert await last(desk, heir) == (
        "conflict",
        (
            "merged into C-1: its row is merged, too; C-1 was deleted, "
            "its row lives on alone, and nobody takes over name"
        ),
    )


async def test_into_a_row_out_of_use_nothing_is_merged_and_all_it_held_is_named() -> None:
    with deleting(OnDelete.DEACTIVATE) as desk:
        heir, loser = await two(desk)

        assert await merged_and_deleted(desk) is Outcome.CONFLICT

        row = desk.rows.of("account")[loser]
        assert (row["statecode"], row.get("masterid"), row["address1_city"]) == (1, None, "Kiel")
        assert await lost(desk, heir) == {
            "address1_city": ("Kiel", None),
            "name": ("Nord Wind", "Nordwind"),
        }


async def test_a_merge_that_leaves_nothing_behind_is_no_conflict(desk: "Desk") -> None:
    await desk.company("C-1", phone="1")
    desk.clock.advance(SECOND)
    await desk.company("C-2", city="Kiel")
    desk.clock.advance(SECOND)

    assert await merged_and_deleted(desk) is Outcome.APPLIED


async def heirs_row_deleted(desk: "Desk", heir: UUID) -> None:
    """A person deletes the heir's row, whose record stays; then people in Allegory merge C-2 into that."""
    desk.rows.remove("account", heir)
    await desk.row_changed(heir, operation="Delete")
    desk.clock.advance(SECOND)
    desk.records.unite("company", "C-1", "C-2")
    await desk.record_changed("C-2", None, heir="C-1")
    await desk.delivered()


async def test_a_loser_of_an_heir_without_a_row_keeps_its_row_and_people_are_told(desk: "Desk") -> None:
    heir, loser = await two(desk)

    await heirs_row_deleted(desk, heir)

    assert desk.rows.of("account")[loser].get("statecode") is None
    assert await last(desk, loser) == (
        "conflict",
        (
            "merged into C-1, whose row was deleted: this row lives on alone, "
            "and what it holds in address1_city, name is nobody's there"
        ),
    )
    assert await lost(desk, loser) == {"address1_city": ("Kiel", None), "name": ("Nord Wind", "Nordwind")}


async def test_such_a_row_is_not_ended_when_its_record_is_found_gone(desk: "Desk") -> None:
    heir, loser = await two(desk)
    await heirs_row_deleted(desk, heir)
    desk.clock.advance(SECOND)

    assert await desk.record_changed("C-2", None) is Outcome.STALE
    assert await desk.edit_row(loser, telephone1="7") is Outcome.SUPERSEDED
    await desk.record_changed("C-2", None, heir="C-1")
    await desk.delivered()

    assert await last(desk, loser) == (
        "echo",
        "merged into C-1, whose row was deleted: it lives on alone already",
    )
    assert desk.rows.of("account")[loser]["telephone1"] == "7"


async def test_a_row_alone_into_which_people_merge_another_has_that_ones_record(desk: "Desk") -> None:
    """In Dataverse; before, the row went on as if nobody had it, and the record was told nothing any more."""
    heir, loser = await two(desk)
    desk.records.remove("company", "C-1")
    assert await desk.record_changed("C-1", None) is Outcome.SUPERSEDED
    desk.clock.advance(SECOND)
    desk.rows.unite("account", heir, loser)

    assert await desk.tell_row(loser) is Outcome.APPLIED

    assert await desk.edit_row(heir, telephone1="9") is Outcome.APPLIED
    (record,) = desk.records.of("company").values()
    assert (record["company_id"], record["name"], record["phone"]) == ("C-2", "Nordwind", "9")


async def test_a_record_of_files_whose_rival_is_gone_speaks_for_the_row_it_was_merged_into() -> None:
    """Nobody can be asked whether the heir's record is there; that it was deleted is known."""
    with deleting(OnDelete.IGNORE, LEGRAND) as desk:
        rows = []
        for record in ("CMP1", "CMP2"):
            fields: dict[str, Json] = {"Company Name": f"Nordwind {record}", "Phone": "1"}
            assert await desk.record_changed(record, fields, system="legrand") is Outcome.APPLIED
            row = await desk.store.crosswalk.row_of(RecordKey("legrand", "company", record))
            assert row is not None
            rows.append(row)
            desk.clock.advance(SECOND)
        heir, loser = rows
        assert await desk.record_changed("CMP1", None, system="legrand") is Outcome.SUPERSEDED
        desk.clock.advance(SECOND)
        desk.rows.unite("account", heir, loser)
        assert await desk.tell_row(loser) is Outcome.APPLIED
        desk.clock.advance(SECOND)

        told: dict[str, Json] = {"Company Name": "Nordwind CMP2", "Phone": "2"}
        assert await desk.record_changed("CMP2", told, system="legrand") is Outcome.APPLIED

        assert desk.rows.of("account")[heir]["telephone1"] == "2"
