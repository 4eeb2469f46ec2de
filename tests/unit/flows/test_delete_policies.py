"""What the end of a record on one side means for its counterpart: a policy per object, both ways (C-33)."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from shared.core.mapping.columns import Option
from shared.core.mapping.spec import OnDelete
from shared.core.outcome import Outcome
from tests.unit.flows.conftest import desk_with

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk


def desk_of(policy: OnDelete) -> Any:
    """A desk whose companies end by one policy on either side."""
    company = replace(
        COMPANY,
        on_record_delete=policy,
        on_row_delete=policy,
        inactive_row={"statecode": Option(1)},
        inactive_record={"tags": "inactive"},
    )
    maps = tuple(company if entry is COMPANY else entry for entry in ALLEGORY.maps)
    return desk_with(replace(ALLEGORY, maps=maps))


async def record_ends(desk: "Desk") -> Outcome | None:
    """A person deletes the company in Allegory, which tells of it."""
    desk.clock.advance(timedelta(seconds=5))
    desk.records.remove("company", "C-1")
    return await desk.record_changed("C-1", None)


async def row_ends(desk: "Desk") -> Outcome | None:
    """A person deletes the row in Dataverse, whose flow tells of it."""
    desk.clock.advance(timedelta(seconds=5))
    (row,) = desk.rows.of("account")
    desk.rows.remove("account", row)
    return await desk.row_changed(row, operation="Delete")


@pytest.mark.parametrize(
    ("policy", "outcome", "left"),
    [
        (OnDelete.PROPAGATE, Outcome.APPLIED, []),
        (OnDelete.DEACTIVATE, Outcome.APPLIED, [("Nordwind", 1)]),
        (OnDelete.IGNORE, Outcome.SUPERSEDED, [("Nordwind", None)]),
    ],
)
async def test_a_deleted_record_means_for_its_row_what_the_policy_says(
    policy: OnDelete, outcome: Outcome, left: list[Any]
) -> None:
    with desk_of(policy) as desk:
        await desk.company()

        assert await record_ends(desk) is outcome

        rows = desk.rows.of("account").values()
        assert [(row["name"], row.get("statecode")) for row in rows] == left


@pytest.mark.parametrize(
    ("policy", "outcome", "left"),
    [
        (OnDelete.PROPAGATE, Outcome.APPLIED, []),
        (OnDelete.DEACTIVATE, Outcome.APPLIED, [("Nordwind", "inactive")]),
        (OnDelete.IGNORE, Outcome.SUPERSEDED, [("Nordwind", None)]),
    ],
)
async def test_a_deleted_row_means_for_its_record_what_the_policy_says(
    policy: OnDelete, outcome: Outcome, left: list[Any]
) -> None:
    with desk_of(policy) as desk:
        await desk.company()

        assert await row_ends(desk) is outcome

        records = desk.records.of("company").values()
        assert [(record["name"], record.get("tags")) for record in records] == left


@pytest.mark.parametrize("policy", [OnDelete.DEACTIVATE, OnDelete.IGNORE])
async def test_what_lives_on_alone_crosses_no_more_until_its_counterpart_is_back(policy: OnDelete) -> None:
    with desk_of(policy) as desk:
        row = await desk.company(phone="1")
        await record_ends(desk)

        assert await desk.edit_row(row, telephone1="2") is Outcome.SUPERSEDED
        assert desk.records.of("company") == {}

        desk.clock.advance(timedelta(seconds=5))
        back = desk.records.put("company", "C-1", {"name": "Nordwind", "phone": "3"})
        await desk.record_changed("C-1", back.fields)
        assert desk.rows.of("account")[row]["telephone1"] == "3"


@pytest.mark.parametrize("policy", list(OnDelete))
async def test_an_edit_nobody_has_told_of_keeps_its_record(policy: OnDelete) -> None:
    with desk_of(policy) as desk:
        row = await desk.company(phone="1")
        desk.rows.put("account", row, {"telephone1": "2"})

        await record_ends(desk)

        assert desk.rows.of("account")[row]["telephone1"] == "2"
        assert desk.rows.of("account")[row].get("statecode") is None
