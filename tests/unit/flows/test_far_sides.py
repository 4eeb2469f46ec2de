"""A row is a record of two systems, and one of them does not take an edit: everybody is told which."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from mappers.allegory import ALLEGORY
from shared.core.errors import Refused, Unavailable
from shared.core.outcome import Outcome
from shared.ops.commands import failures, record
from shared.recovery.teams import Teams
from tests.unit.flows.conftest import desk_with
from tests.unit.flows.test_shared_rows import BOREALIS, shared

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

TEAMS = Teams({}, (ALLEGORY, BOREALIS))


@pytest.fixture
def desk() -> "Iterator[Desk]":
    with desk_with(ALLEGORY, BOREALIS) as made:
        yield made


def refusing(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch, system: str, error: type[Refused | Unavailable]
) -> None:
    async def refused(*_: object) -> Any:
        raise Refused("no", answer="422") if error is Refused else Unavailable("no answer in time")

    monkeypatch.setattr(desk.others[system], "update", refused)


@pytest.mark.parametrize("system", ["allegory", "borealis"])
@pytest.mark.parametrize(
    ("error", "state"), [(Refused, "held"), (Unavailable, "retrying")], ids=["refused", "not answered"]
)
async def test_the_system_that_did_not_take_an_edit_is_named_wherever_the_failure_is_told(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch, system: str, error: type[Refused | Unavailable], state: str
) -> None:
    row = await shared(desk, {"name": "Nordwind", "phone": "1"}, {"name": "Nordwind", "phone": "1"})
    refusing(desk, monkeypatch, system, error)

    assert await desk.edit_row(row, telephone1="2") is Outcome.FAILED

    page = (await desk.store.operations.failures.page(10)).entries
    (group,) = await desk.store.operations.groups.open()
    (told,) = await desk.store.operations.history.of(str(row))
    assert [(entry["state"], entry["far_side"]) for entry in page] == [(state, system)]
    assert (group["systems"], group["targets"]) == ({"dataverse": 1}, {system: 1})
    assert TEAMS.of(group) == f"{system}-support"
    assert f"1 {state}; 1 from dataverse, 1 to {system}; failed" in failures.groups_screen(
        {"groups": [group]}
    )
    assert f"not taken by {system}" in record.screen({"records": [told], "messages": []})

    monkeypatch.undo()
    await desk.store.operations.repair.replay(page[0]["message_id"], "ann")
    await desk.later(2, row)

    (told,) = await desk.store.operations.history.of(str(row))
    assert [
        each.of("company")[of]["phone"] for of, each in zip(("A-1", "B-1"), desk.others.values(), strict=True)
    ] == ["2", "2"]
    assert "not taken by" not in record.screen({"records": [told], "messages": []})


async def test_a_value_that_one_of_them_cannot_hold_is_that_ones_too(desk: "Desk") -> None:
    row = await shared(desk, {"name": "Nordwind"}, {"name": "Nordwind"})

    assert await desk.row_changed(row, tandem_tier=99999) is Outcome.REJECTED

    (entry,) = (await desk.store.operations.failures.page(10)).entries
    assert entry["far_side"] in desk.others


def test_what_a_system_refuses_is_its_teams_whoever_told_of_it() -> None:
    group = {"table": "account", "sender": None, "systems": {"borealis": 3}, "targets": {}, "units": {}}

    assert TEAMS.of(group) == "borealis-support"
    assert TEAMS.of(group | {"targets": {"allegory": 3}}) == "allegory-support"
