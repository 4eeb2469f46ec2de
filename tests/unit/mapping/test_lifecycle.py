"""Every way through every table's life, walked on a machine that obeys Dataverse's rules."""

from typing import Any

import pytest

from mappers.dataverse import lifecycles
from shared.core.mapping.lifecycle import STATUS, Close, Lifecycle, NoWay, Write

TABLES = {name.lower(): value for name, value in vars(lifecycles).items() if isinstance(value, Lifecycle)}
TRIPS = [
    pytest.param(life, current, wanted, id=f"{name}-{current}-{wanted}")
    for name, life in TABLES.items()
    for current in life.states
    for wanted in life.states
]


class Row:
    """A row that refuses what Dataverse refuses."""

    def __init__(self, life: Lifecycle, status: int) -> None:
        self.life = life
        self.values: dict[str, Any] = {STATUS: status}

    @property
    def state(self) -> int:
        return self.life.states[self.values[STATUS]]

    def do(self, step: Write | Close) -> None:
        if isinstance(step, Close):
            assert self.state not in self.life.locked or self.life.after is not None
            if self.life.after is not None:
                assert self.state == self.life.states[self.life.after]
            assert self.life.closings[self.life.states[step.status]] is step.closing
            self.values[STATUS] = step.status
            return
        status = step.values.get(STATUS, self.values[STATUS])
        target = self.life.states[status]
        if target != self.state:
            assert target not in self.life.closings
            assert self.state not in self.life.final
        rest = set(step.values) - {STATUS}
        assert not (rest and self.state in self.life.locked and target in self.life.locked)
        self.values |= step.values


@pytest.mark.parametrize("values", [{}, {"name": "new"}], ids=["status-alone", "with-columns"])
@pytest.mark.parametrize(("life", "current", "wanted"), TRIPS)
def test_a_row_gets_where_it_shall_be_or_dataverse_knows_no_way(
    life: Lifecycle, current: int, wanted: int, values: dict[str, Any]
) -> None:
    row = Row(life, current)

    try:
        steps = life.way(current, {**values, STATUS: wanted})
    except NoWay:
        assert life.states[current] in life.final
        return
    assert isinstance(steps[0], Write)
    for step in steps:
        row.do(step)

    assert row.values == {STATUS: wanted, **values}


def test_columns_of_a_won_opportunity_are_written_while_it_is_open_for_a_moment() -> None:
    life = lifecycles.OPPORTUNITY

    assert life.way(3, {"name": "new"}) == (
        Write({"name": "new", STATUS: 1}),
        Close(life.closings[1], 3),
    )


def test_a_draft_quote_is_activated_before_it_is_won() -> None:
    life = lifecycles.QUOTE

    assert life.way(1, {"name": "new", STATUS: 4}) == (
        Write({"name": "new", STATUS: 3}),
        Close(life.closings[2], 4),
    )
