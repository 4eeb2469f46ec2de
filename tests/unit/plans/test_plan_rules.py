"""The rules of replay plans: waves, stop rule, levels, canary, what a later message makes needless."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.plan import (
    IN_FLIGHT,
    MOVES,
    RAMP,
    Budget,
    Halt,
    PlanState,
    Policy,
    Progress,
    Send,
    Wait,
    allowed_by,
    halt,
    next_step,
    seconds_needed,
    wave_size,
)
from shared.core.plan_order import Told, covered, levels, spread


def progress(**parts: int) -> Progress:
    nothing = dict.fromkeys(Progress.__slots__, 0)
    return Progress(**(nothing | parts))


def run_through(policy: Policy, by_level: Sequence[int]) -> list[tuple[int, int, int]]:
    """A plan driven to its end, each wave decided before the next look: (wave, level, count) per send."""
    left = list(by_level)
    wave, sent = 0, 0
    told: list[tuple[int, int, int]] = []
    in_flight = 0
    level = 0
    while True:
        # What is waiting on the level of the wave under way; the next level begins when this one is empty.
        step = next_step(
            policy,
            progress(
                waiting=sum(left),
                in_flight=in_flight,
                level=left[level] if level < len(left) else 0,
                wave=wave,
                sent=sent,
            ),
            1000,
        )
        if step is Wait.OVER:
            return told
        if isinstance(step, Send):
            if step.wave != wave:
                wave, sent = step.wave, 0
            while left[level] == 0:
                level += 1
            count = min(step.count, left[level])
            left[level] -= count
            sent += count
            in_flight += count
            told.append((wave, level, count))
        else:
            assert in_flight, "a plan that waits has something to wait for"
            in_flight = 0


def test_a_plan_grows_from_the_canary_in_waves() -> None:
    sends = run_through(Policy(canary=5), [40])

    assert sends == [(0, 0, 5), (1, 0, 1), (2, 0, 5), (3, 0, 20), (4, 0, 9)]


def test_without_a_canary_it_begins_with_one_record() -> None:
    assert run_through(Policy(canary=0), [7]) == [(1, 0, 1), (2, 0, 5), (3, 0, 1)]


def test_after_the_ramp_waves_stay_as_large() -> None:
    assert [wave_size(Policy(), wave) for wave in (0, 1, 5, 6, 60)] == [5, 1, 500, 500, 500]


@given(st.integers(0, 9), st.lists(st.integers(0, 90), min_size=1, max_size=4))
def test_every_record_is_sent_once_and_no_level_before_the_one_it_hangs_from(
    canary: int, by_level: list[int]
) -> None:
    sends = run_through(Policy(canary=canary), by_level)

    assert [sum(n for _, at, n in sends if at == level) for level in range(len(by_level))] == by_level
    assert [level for _, level, _ in sends] == sorted(level for _, level, _ in sends)


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 600), st.integers(0, 100))
def test_never_more_are_on_their_way_than_are_left_to_a_plan(
    waiting: int, in_flight: int, sent: int, allowed: int
) -> None:
    asked = progress(waiting=waiting, in_flight=in_flight, level=waiting, wave=5, sent=sent)

    step = next_step(Policy(), asked, allowed)

    if isinstance(step, Send):
        assert 0 < step.count <= min(allowed, waiting, RAMP[-1])
        assert in_flight + step.count <= IN_FLIGHT


def test_the_canary_is_read_back_before_anything_else_goes() -> None:
    done = progress(waiting=9, level=9, sent=5)

    assert next_step(Policy(), progress(waiting=9, level=9, sent=5, unproven=1), 50) is Wait.FOR_PROOF
    assert next_step(Policy(), done, 50) == Send(1, 1)


def test_a_plan_is_over_when_nothing_waits_flies_or_has_to_be_read_back() -> None:
    assert next_step(Policy(), progress(), 9) is Wait.OVER
    assert next_step(Policy(), progress(in_flight=1), 9) is Wait.FOR_WAVE
    assert next_step(Policy(), progress(unproven=1), 9) is Wait.FOR_WAVE


@pytest.mark.parametrize(
    ("decided", "failed", "lag", "halts"),
    [
        (0, 0, None, None),
        (100, 1, 30, None),
        (100, 2, None, Halt("2 of 100 messages failed, which is over 1 %")),
        (5, 1, None, Halt("1 of 5 messages failed, which is over 1 %")),
        (5, 0, 31, Halt("live traffic lags 31 s (p95), which is over 30 s")),
    ],
)
def test_the_stop_rule_is_taken_at_its_word(
    decided: int, failed: int, lag: int | None, halts: Halt | None
) -> None:
    found = halt(
        Policy(), progress(decided=decided, failed=failed), None if lag is None else timedelta(seconds=lag)
    )

    assert found == halts


def test_a_pause_saves_up_a_seconds_worth_at_most() -> None:
    assert [allowed_by(50, timedelta(seconds=s)) for s in (-1, 0, 0.1, 1, 3600)] == [0, 0, 5, 50, 50]


def test_a_canary_takes_as_many_kinds_as_there_are() -> None:
    records = ["a1", "a2", "a3", "a4", "b1", "b2", "c1"]

    assert spread(records, [r[0] for r in records], 5) == ["a1", "b1", "c1", "a2", "b2"]
    assert spread(records, [r[0] for r in records], 2) == ["a1", "b1"]
    assert sorted(spread(records, [r[0] for r in records], 99)) == records


@given(st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 12)), max_size=12))
def test_a_record_is_deeper_than_what_it_hangs_from_unless_they_need_each_other(
    needs: dict[int, list[int]],
) -> None:
    found = levels(needs)

    assert found.keys() == needs.keys()

    def reaches(start: int, end: int, seen: frozenset[int] = frozenset()) -> bool:
        return any(
            each == end or (each in needs and each not in seen and reaches(each, end, seen | {each}))
            for each in needs.get(start, ())
        )

    for record, wanted in needs.items():
        for parent in wanted:
            if parent in needs and not reaches(parent, record):
                assert found[record] > found[parent]


def test_levels_of_a_small_tree() -> None:
    assert levels({"deal": ["contact", "company"], "contact": ["company"], "company": ["elsewhere"]}) == {
        "company": 0,
        "contact": 1,
        "deal": 2,
    }


def told(key: int, columns: str, subject: str = "a", *, plain: bool = True, **once: int) -> Told:
    return Told(key, subject, frozenset(columns), plain, once)


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([told(1, "xy"), told(2, "xyz")], {1: 2}),
        ([told(1, "xyz"), told(2, "xy")], {}),
        ([told(1, "x"), told(2, "x"), told(3, "x")], {1: 3, 2: 3}),
        ([told(1, "x"), told(2, "x", "b"), told(3, "x")], {}),
        ([told(1, "x"), told(2, "", plain=False), told(3, "x")], {}),
        ([told(1, "x", plain=False), told(2, "x")], {}),
        ([told(1, "x", c=1), told(2, "x", c=1)], {1: 2}),
        ([told(1, "x", c=1), told(2, "x", c=2)], {}),
        ([told(1, "x", c=1), told(2, "x")], {}),
    ],
)
def test_a_message_is_needless_only_where_a_later_one_says_all_of_it(
    messages: list[Told], expected: Mapping[int, int]
) -> None:
    assert covered(messages) == expected


@given(st.lists(st.tuples(st.sampled_from("ab"), st.dictionaries(st.sampled_from("xyz"), st.integers(0, 3)))))
def test_leaving_out_what_is_covered_changes_no_columns_end(
    changes: list[tuple[str, dict[str, int]]],
) -> None:
    messages = [
        Told(n, who, frozenset(values), is_plain=True, once={}) for n, (who, values) in enumerate(changes)
    ]
    needless = covered(messages)

    def end(kept: Sequence[int]) -> dict[str, tuple[str, int]]:
        state: dict[str, tuple[str, int]] = {}
        for n in kept:
            who, values = changes[n]
            state |= {column: (who, value) for column, value in values.items()}
        return state

    everything = range(len(changes))
    assert end([n for n in everything if n not in needless]) == end(everything)
    assert not needless.keys() & set(needless.values())


def test_a_plan_that_is_over_takes_no_order() -> None:
    assert {
        action: [state for state in PlanState if state.is_over and state in moves]
        for action, moves in MOVES.items()
    } == {"run": [], "resume": [], "pause": [], "cancel": []}


def test_the_time_needed_is_the_slower_of_rate_and_requests() -> None:
    budget = Budget(requests=6000, window=300, live=1500)

    assert seconds_needed(Policy(rate=50), 4000, 4000, budget) == 80
    assert seconds_needed(Policy(rate=50), 4000, 9000, budget) == 300
