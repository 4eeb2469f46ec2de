"""The journal played from its beginning."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.core.change import Operation
from shared.core.history import Line, rebuild
from shared.core.outcome import Outcome
from shared.core.verdict import ColumnChange

START = datetime(2030, 1, 1, tzinfo=UTC)


def line(number: int, operation: Operation = Operation.UPSERT, **columns: tuple[Any, Any]) -> Line:
    at = START + timedelta(minutes=number)
    changes = {name: ColumnChange(*change) for name, change in columns.items()}
    return Line(number, at, "allegory", Outcome.APPLIED, operation, at, changes)


def test_a_deleted_record_holds_nothing_and_a_new_one_starts_anew() -> None:
    lines = [
        line(1, name=(None, "a"), phone=(None, "1")),
        line(2, Operation.DELETE, name=("a", None), phone=("1", None)),
        line(3, name=(None, "b")),
    ]

    deleted, anew = rebuild(lines[:2]), rebuild(lines)

    assert (deleted.values, deleted.deleted_at) == ({}, START + timedelta(minutes=2))
    assert (anew.values, anew.deleted_at) == ({"name": "b"}, None)


def test_in_whatever_order_the_lines_are_read_the_state_is_the_same() -> None:
    lines = [line(1, name=(None, "a")), line(2, name=("a", "b")), line(3, phone=(None, "1"))]

    assert rebuild(reversed(lines)) == rebuild(lines)


def test_a_state_in_two_steps_is_the_state_in_one() -> None:
    lines = [
        line(1, name=(None, "a"), phone=(None, "1")),
        line(2, phone=("1", None)),
        line(3, name=("a", "b")),
    ]

    assert rebuild(lines[1:], rebuild(lines[:1])) == rebuild(lines)
    assert rebuild(lines[:1], rebuild(lines[1:])).values == rebuild(lines).values
