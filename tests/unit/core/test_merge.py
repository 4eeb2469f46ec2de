"""The three-way merge, over its whole truth table."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.mapping.columns import Value
from shared.core.mapping.spec import Owner
from shared.core.merge import Merge, Side, marks_after, merge
from shared.core.ownership import Ownership
from shared.core.shadow import Mark, Moment, Shadow

START = datetime(2026, 1, 1, tzinfo=UTC)
COLUMN = "name"
CASES = list(product((None, "a", "b"), repeat=3))


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def agreed(value: Value, seconds: int = 0) -> Shadow:
    seen = {"allegory": Moment(at(seconds)), "dataverse": Moment(at(seconds))}
    return Shadow({COLUMN: Mark(value, at(seconds), "allegory", seen)})


def allegory(value: Value, seconds: int) -> Side:
    return Side("allegory", {COLUMN: value}, Moment(at(seconds)))


def dataverse(value: Value, seconds: int) -> Side:
    return Side("dataverse", {COLUMN: value}, Moment(at(seconds), seconds))


@pytest.mark.parametrize(("base", "mine", "held"), CASES)
def test_every_case_of_base_mine_and_theirs_is_decided(
    base: str | None, mine: str | None, held: str | None
) -> None:
    decision = merge(agreed(base), allegory(mine, 20), dataverse(held, 10))

    after = decision.write.get(COLUMN, held)
    if mine == base:
        assert after == held, "who changed nothing overwrites nothing"
        assert not decision.collisions
    elif held in {base, mine}:
        assert after == mine, "the only change, or the same change on both sides, stands"
        assert not decision.collisions
    else:
        assert after == mine, "of two changes the newer one stands"
        (collision,) = decision.collisions
        assert (collision.base, collision.inbound, collision.outbound) == (base, mine, held)
        assert (collision.winner, collision.rule) == ("allegory", "newest")
    assert (COLUMN in decision.write) == (after != held)


@pytest.mark.parametrize(("base", "legacy", "row"), CASES)
@pytest.mark.parametrize("legacy_first", [True, False])
def test_both_orders_of_arrival_end_in_the_same_state(
    base: str | None, legacy: str | None, row: str | None, *, legacy_first: bool
) -> None:
    assert settle(base, legacy, row, legacy_first=legacy_first) == settle(
        base, legacy, row, legacy_first=not legacy_first
    )


def settle(
    base: str | None, legacy: str | None, row: str | None, *, legacy_first: bool
) -> tuple[Value, Value]:
    """Both sides changed at their own time; each message is decided on what the other side holds then."""
    held: dict[str, Value] = {"allegory": legacy, "dataverse": row}
    times = {"allegory": 10, "dataverse": 20}
    shadow = agreed(base)
    order = ("allegory", "dataverse") if legacy_first else ("dataverse", "allegory")
    for number, (mine, other) in enumerate((order, order[::-1])):
        told = {"allegory": legacy, "dataverse": row}[mine]
        if told == base and number == 0:
            continue
        ours = Side(mine, {COLUMN: told}, Moment(at(times[mine])))
        theirs = Side(other, {COLUMN: held[other]}, Moment(at(times[other])))
        decision = merge(shadow, ours, theirs)
        held[other] = decision.write.get(COLUMN, held[other])
        answered = Side(other, {}, Moment(at(30 + number)))
        shadow = Shadow(marks_after(shadow, decision, ours, answered))
    return held["allegory"], held["dataverse"]


def test_a_late_change_keeps_the_columns_nobody_wrote_since() -> None:
    seen = {"dataverse": Moment(at(20), 20)}
    shadow = Shadow({"telephone1": Mark("3", at(20), "dataverse", seen)})
    late = Side("dataverse", {"telephone1": "2", "fax": "9"}, Moment(at(10), 10))

    decision = merge(shadow, late, None)

    assert decision.stale == ("telephone1",)
    assert decision.write == {"fax": "9"}


def test_a_snapshot_older_than_our_own_write_cannot_undo_it() -> None:
    """A user's edit was written to Allegory at 12; a row it sent at 11 still has the old value."""
    seen = {"dataverse": Moment(at(10)), "allegory": Moment(at(12))}
    shadow = Shadow({COLUMN: Mark("new", at(10), "dataverse", seen)})

    assert merge(shadow, allegory("old", 11), None).stale == (COLUMN,)
    assert merge(shadow, allegory("newer", 13), None).write == {COLUMN: "newer"}


def test_within_one_second_the_row_version_tells_the_order() -> None:
    shadow = Shadow({COLUMN: Mark("ours", at(5), "allegory", {"dataverse": Moment(at(6), 200)})})

    before = Side("dataverse", {COLUMN: "theirs"}, Moment(at(6), 199))
    after = Side("dataverse", {COLUMN: "theirs"}, Moment(at(6), 201))

    assert merge(shadow, before, None).stale == (COLUMN,)
    assert merge(shadow, after, None).write == {COLUMN: "theirs"}


def test_a_tie_goes_to_dataverse_from_both_directions() -> None:
    from_legacy = merge(agreed("base"), allegory("a", 10), dataverse("d", 10))
    from_row = merge(agreed("base"), dataverse("d", 10), allegory("a", 10))

    assert from_legacy.write == {}
    assert from_row.write == {COLUMN: "d"}
    assert from_legacy.collisions == from_row.collisions


def test_what_equals_the_shadow_is_an_echo() -> None:
    decision = merge(agreed("a"), dataverse("a", 9), None)

    assert decision == Merge({}, decision.agreed, (), (), complete=True)
    assert marks_after(agreed("a"), decision, dataverse("a", 9), None)[COLUMN].value == "a"


def test_a_row_with_edits_not_told_yet_is_not_taken_for_the_agreed_state() -> None:
    shadow = Shadow({**agreed("a").marks, "fax": Mark("1", at(0), "allegory")})
    held = Side("dataverse", {COLUMN: "a", "fax": "2"}, Moment(at(5)))

    assert not merge(shadow, allegory("b", 9), held).complete


def test_an_edit_not_told_yet_counts_even_in_a_column_the_message_repeats_unchanged() -> None:
    """A whole row says the agreed name again while the record already holds a newer one."""
    shadow = Shadow({**agreed("a").marks, "fax": Mark("1", at(0), "allegory")})
    ours = Side("dataverse", {COLUMN: "a", "fax": "2"}, Moment(at(9), 9))
    held = Side("allegory", {COLUMN: "edited", "fax": "1"}, Moment(at(5)))

    decision = merge(shadow, ours, held)

    assert decision.write == {"fax": "2"}
    assert not decision.complete


def test_what_the_other_side_was_read_to_hold_cannot_be_undone_by_its_earlier_word() -> None:
    """Our write had arrived though its answer was lost; the row's older versions are still to be told."""
    shadow = Shadow({**agreed("a").marks, "fax": Mark("1", at(0), "allegory")})
    held = Side("dataverse", {COLUMN: "b", "fax": "1"}, Moment(at(12), 7))

    decision = merge(shadow, allegory("b", 10), held)

    assert decision.write == {}
    assert decision.agreed[COLUMN].seen == {"allegory": Moment(at(10)), "dataverse": Moment(at(12), 7)}
    assert decision.agreed["fax"].seen == {"dataverse": Moment(at(12), 7)}


def test_the_winner_of_a_conflict_is_decided_once() -> None:
    """Both records were touched since: each looks newer than the other's message, and both would win."""
    found = merge(agreed("base"), allegory("a", 10), dataverse("d", 80))
    shadow = Shadow(marks_after(agreed("base"), found, allegory("a", 10), dataverse(None, 0)))

    told = merge(shadow, dataverse("d", 40), allegory("a", 90))

    assert (found.write, [entry.winner for entry in found.collisions]) == ({}, ["dataverse"])
    assert not found.complete
    assert shadow.marks[COLUMN].value == "a", "the winner's own message is a change on top of it"
    assert (told.write, told.collisions) == ({COLUMN: "d"}, ())


def test_a_word_that_means_what_is_agreed_too_is_no_change() -> None:
    """A blank of ours is read as another value: it is no person's, however late it was written."""
    ours, value = dataverse("d", 40), {COLUMN: "a"}

    alike = merge(agreed(None), ours, Side("allegory", value, Moment(at(90)), frozenset({COLUMN})))
    other = merge(agreed(None), ours, Side("allegory", value, Moment(at(90))))

    assert (alike.write, alike.collisions) == ({COLUMN: "d"}, ())
    assert (other.write, [entry.winner for entry in other.collisions]) == ({}, ["allegory"])


def test_what_a_side_said_before_it_was_read_does_not_end_a_dispute() -> None:
    """The row moved on from the value that Allegory holds; its message about that value comes late."""
    theirs_to_decide = Ownership(columns={COLUMN: Owner.PERSON}, system="allegory")
    found = merge(agreed("base"), allegory("a", 10), dataverse("d", 80), theirs_to_decide)
    shadow = Shadow(marks_after(agreed("base"), found, allegory("a", 10), None))

    late = merge(shadow, dataverse("a", 40), None, theirs_to_decide)
    agrees = merge(shadow, dataverse("a", 90), None, theirs_to_decide)

    assert shadow.marks[COLUMN].disputed == {"allegory": "a", "dataverse": "d"}
    assert (late.stale, late.ended) == ((COLUMN,), ())
    assert (agrees.stale, agrees.ended) == ((), (COLUMN,))


VALUES = st.sampled_from([None, "a", "b", "c"])


@given(base=VALUES, mine=VALUES, seconds=st.integers(1, 50))
def test_deciding_twice_is_deciding_once(base: str | None, mine: str | None, seconds: int) -> None:
    ours = allegory(mine, seconds)
    first = merge(agreed(base), ours, None)
    shadow = Shadow(marks_after(agreed(base), first, ours, dataverse(None, seconds + 1)))

    again = merge(shadow, ours, None)

    assert again.write == {}
    assert marks_after(shadow, again, ours, None)[COLUMN].value == shadow.marks[COLUMN].value
