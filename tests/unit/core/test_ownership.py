"""Who decides a column: phases, the matrix, and the merge under each of them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappers.allegory.companies import COMPANY
from shared.core.mapping.columns import Value
from shared.core.mapping.spec import EntityMap, OnDelete, Owner
from shared.core.merge import Side, marks_after, merge
from shared.core.ownership import Ownership, Phase, Rule, may_follow, ownership
from shared.core.shadow import Mark, Moment, Shadow

START = datetime(2026, 1, 1, tzinfo=UTC)
COLUMN = "name"
VALUES = (None, "a", "b")
CASES = list(product(VALUES, repeat=3))


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def agreed(value: Value) -> Shadow:
    seen = {"allegory": Moment(at(0)), "dataverse": Moment(at(0))}
    return Shadow({COLUMN: Mark(value, at(0), "allegory", seen)})


def owned(owner: Owner) -> Ownership:
    return Ownership(Phase.COEXIST, {COLUMN: owner}, "allegory")


class Sides:
    """Both systems and what is agreed, brought to rest by handing over what each tells."""

    def __init__(self, base: Value, legacy: Value, row: Value, owner: Owner) -> None:
        self.held: dict[str, Value] = {"allegory": legacy, "dataverse": row}
        self.times = {"allegory": at(10), "dataverse": at(20)}
        self.shadow = agreed(base)
        self.owner = owned(owner)
        self.clock = 30
        self.lost: set[Value] = set()

    def edit(self, system: str, value: Value) -> None:
        self.clock += 1
        self.held[system], self.times[system] = value, at(self.clock)

    def tell(self, system: str) -> bool:
        """One message: what the system holds now; whether anything was written for it."""
        other = "dataverse" if system == "allegory" else "allegory"
        ours = Side(system, {COLUMN: self.held[system]}, Moment(self.times[system]))
        theirs = Side(other, {COLUMN: self.held[other]}, Moment(self.times[other]))
        decision = merge(self.shadow, ours, theirs, self.owner)
        for collision in decision.collisions:
            self.lost |= {collision.inbound, collision.outbound}
        marks = marks_after(self.shadow, decision, ours, None)
        self.shadow = Shadow(marks)
        for side, values in ((other, decision.write), (system, decision.back)):
            if COLUMN in values:
                self.edit(side, values[COLUMN])
        return bool(decision.write or decision.back)

    def rest(self, first: str) -> int:
        """Each system tells in turn until nothing moves; how many writes that took."""
        second = "dataverse" if first == "allegory" else "allegory"
        writes = 0
        for _ in range(4):
            moved = [self.tell(first), self.tell(second)]
            writes += sum(moved)
            if not any(moved):
                return writes
        pytest.fail("it does not come to rest")


@pytest.mark.parametrize("first", ["allegory", "dataverse"])
@pytest.mark.parametrize("owner", list(Owner))
@pytest.mark.parametrize(("base", "legacy", "row"), CASES)
def test_each_of_the_27_cases_comes_to_rest_as_its_owner_says_in_either_order(
    base: Value, legacy: Value, row: Value, owner: Owner, first: str
) -> None:
    sides = Sides(base, legacy, row, owner)

    writes = sides.rest(first)

    legacy_moved, row_moved = legacy != base, row != base
    contested = legacy_moved and row_moved and legacy != row
    if contested and owner is Owner.PERSON:
        expected = {"allegory": legacy, "dataverse": row}
        assert sides.shadow.marks[COLUMN].disputed == expected
        assert sides.shadow.marks[COLUMN].value == base
    else:
        after = {
            Owner.LEGACY: legacy,
            Owner.DATAVERSE: row,
            Owner.NEWEST: row if row_moved else legacy,
            Owner.PERSON: row if row_moved else legacy,
        }[owner]
        if legacy == row:
            after = legacy
        expected = {"allegory": after, "dataverse": after}
    assert sides.held == expected
    assert writes <= 2
    if expected["allegory"] == expected["dataverse"] and legacy != row:
        gone = ({legacy} if legacy_moved else set()) | ({row} if row_moved else set())
        assert gone - {expected["allegory"]} <= sides.lost, "a value that lost is kept"


EDITS = st.lists(
    st.tuples(st.sampled_from(["allegory", "dataverse"]), st.sampled_from(VALUES), st.booleans()), max_size=6
)


@given(edits=EDITS, owner=st.sampled_from([Owner.LEGACY, Owner.DATAVERSE, Owner.NEWEST]))
def test_whatever_is_edited_and_told_when_both_sides_end_alike(
    edits: list[tuple[str, Value, bool]], owner: Owner
) -> None:
    sides = Sides("a", "a", "a", owner)
    for system, value, is_told in edits:
        sides.edit(system, value)
        if is_told:
            sides.tell(system)

    sides.rest("allegory")

    assert sides.held["allegory"] == sides.held["dataverse"]


@given(edits=EDITS)
def test_a_persons_column_is_never_written_while_both_sides_differ_from_what_was_agreed(
    edits: list[tuple[str, Value, bool]],
) -> None:
    sides = Sides("a", "b", None, Owner.PERSON)
    sides.tell("allegory")
    assert sides.shadow.marks[COLUMN].disputed

    for system, value, _ in edits:
        sides.edit(system, value)
        before = dict(sides.held)
        sides.tell(system)
        assert sides.held == before
        if not sides.shadow.marks[COLUMN].disputed:
            assert sides.held["allegory"] == sides.held["dataverse"]
            return


def test_other_columns_cross_while_one_waits_for_a_person() -> None:
    shadow = Shadow({**agreed("a").marks, "fax": Mark("1", at(0), "allegory")})
    ours = Side("allegory", {COLUMN: "b", "fax": "2"}, Moment(at(10)))
    theirs = Side("dataverse", {COLUMN: "c", "fax": "1"}, Moment(at(9)))

    decision = merge(shadow, ours, theirs, owned(Owner.PERSON))

    assert decision.write == {"fax": "2"}
    assert [entry.is_open for entry in decision.collisions] == [True]
    assert decision.complete, "the row holds what it is taken to hold"


def test_a_late_change_of_an_owned_record_keeps_the_columns_nobody_wrote_since() -> None:
    seen = {"dataverse": Moment(at(20), 20)}
    shadow = Shadow({COLUMN: Mark("c", at(20), "dataverse", seen)})
    late = Side("dataverse", {COLUMN: "b", "fax": "9"}, Moment(at(10), 10))

    decision = merge(shadow, late, None, owned(Owner.DATAVERSE))

    assert (decision.stale, dict(decision.write)) == ((COLUMN,), {"fax": "9"})


def named(phase: Phase, *rules: Rule, entry: EntityMap = COMPANY) -> Mapping[str, Owner]:
    return ownership("allegory", entry, phase, rules).columns


def test_a_phase_says_who_decides_what_nobody_else_speaks_of() -> None:
    told = {phase: set(named(phase).values()) for phase in Phase}

    assert told == {
        Phase.LEGACY_MASTER: {Owner.LEGACY},
        Phase.SHADOW_READ: {Owner.LEGACY},
        Phase.COEXIST: {Owner.NEWEST},
        Phase.DYNAMICS_MASTER: {Owner.DATAVERSE},
        Phase.RETIRED: {Owner.DATAVERSE},
    }


def test_a_column_that_crosses_one_way_is_not_taken_back() -> None:
    assert "tandem_legacymodifiedon" not in named(Phase.DYNAMICS_MASTER)


def test_the_rule_for_the_phase_goes_first_then_the_one_for_any_then_the_phase_then_the_map() -> None:
    fields = tuple(
        replace(line, owner=Owner.PERSON) if line.column.name in {"name", "telephone1"} else line
        for line in COMPANY.fields
    )
    entry = replace(COMPANY, fields=fields)
    anytime = Rule("allegory", "company", "name", Owner.LEGACY)
    now = replace(anytime, owner=Owner.DATAVERSE, phase="coexist")

    assert named(Phase.COEXIST, entry=entry)["name"] is Owner.PERSON
    assert named(Phase.LEGACY_MASTER, entry=entry)["telephone1"] is Owner.LEGACY
    assert named(Phase.COEXIST, anytime, entry=entry)["name"] is Owner.LEGACY
    assert named(Phase.COEXIST, anytime, now, entry=entry)["name"] is Owner.DATAVERSE
    assert named(Phase.COEXIST, replace(now, entity="deal"), entry=entry)["name"] is Owner.PERSON


def test_phases_follow_each_other_one_step_at_a_time_and_nothing_follows_the_last() -> None:
    allowed = {(one.value, other.value) for one in Phase for other in Phase if may_follow(one, other)}

    assert allowed == {
        ("legacy_master", "shadow_read"),
        ("shadow_read", "legacy_master"),
        ("shadow_read", "coexist"),
        ("coexist", "shadow_read"),
        ("coexist", "dynamics_master"),
        ("dynamics_master", "coexist"),
        ("dynamics_master", "retired"),
    }


def test_a_map_that_deactivates_says_how() -> None:
    with pytest.raises(ValueError, match="does not say how"):
        replace(COMPANY, on_row_delete=OnDelete.DEACTIVATE)
