"""The three-way merge: base is the shadow, one side speaks, the other is what its record holds now.

A pure decision per column. It is the same in both directions and does not depend on the order of arrival:

- the same side said something newer already          -> stale, left alone
- it says what is agreed                               -> nothing to do
- it changed the column, the other side did not        -> written
- both changed it to the same value                    -> agreed
- both changed it to different values                  -> the newer change wins, the losing value is kept

Where the other side wins, what ours says becomes the agreed value: the winner's change then counts as made on
top of it, so its own message writes it over here whatever the clocks say by then, and nobody decides twice.

A column without a mark has nothing agreed, so any value the other side holds counts as its change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.core.identity import DATAVERSE
from shared.core.mapping.columns import Value
from shared.core.shadow import NEVER, Mark, Moment, Shadow
from shared.core.verdict import Collision, ColumnChange


@dataclass(frozen=True, slots=True)
class Side:
    """What one side says: its columns, the moment it speaks of, and the system's name."""

    system: str
    values: Mapping[str, Value]
    moment: Moment


@dataclass(frozen=True, slots=True)
class Merge:
    """The decision: what to write to the other side, and what becomes agreed by it.

    `agreed` holds new marks for columns that need no write; `write` the columns to write; `stale` the columns
    left alone; `collisions` what both sides changed; `complete` whether, once written, the other side holds
    exactly the agreed values.
    """

    write: Mapping[str, Value]
    agreed: Mapping[str, Mark]
    stale: tuple[str, ...]
    collisions: tuple[Collision, ...]
    complete: bool


def merge(shadow: Shadow, ours: Side, theirs: Side | None) -> Merge:
    """Decide every column that `ours` speaks of.

    `theirs` is what the other side holds now, when it had to be read; None means it is known to hold the
    agreed values.
    """
    write: dict[str, Value] = {}
    agreed: dict[str, Mark] = {}
    stale: list[str] = []
    collisions: list[Collision] = []
    for column, value in ours.values.items():
        mark = shadow.marks.get(column)
        base = mark.value if mark else None
        held = theirs.values.get(column, base) if theirs else base
        if mark and ours.moment < mark.seen.get(ours.system, ours.moment):
            stale.append(column)
        elif mark and value == base:
            agreed[column] = _seen(mark, ours)
        elif held == value:
            agreed[column] = _mark(value, ours, mark)
        elif held == base or theirs is None:
            write[column] = value
        else:
            collision = _collide(column, (base, value, held), ours, theirs)
            collisions.append(collision)
            if collision.winner == ours.system:
                write[column] = value
            else:
                agreed[column] = _mark(value, ours, mark)
    if theirs is not None:
        agreed |= _confirmed({**shadow.marks, **agreed}, theirs, write)
    settled = {**shadow.marks, **agreed}
    complete = theirs is None or all(
        held == (settled[column].value if column in settled else None)
        for column, held in theirs.values.items()
        if column not in write
    )
    return Merge(write, agreed, tuple(stale), tuple(collisions), complete=complete)


def marks_after(shadow: Shadow, decision: Merge, ours: Side, other: Side | None) -> dict[str, Mark]:
    """The shadow's marks once the write succeeded.

    `other` is what the other side answered to it; None when that tells nothing of when it held the values.
    """
    marks = {**shadow.marks, **decision.agreed}
    for column, value in decision.write.items():
        mark = _mark(value, ours, shadow.marks.get(column))
        seen = {**mark.seen, other.system: other.moment} if other else mark.seen
        marks[column] = Mark(mark.value, mark.changed_at, mark.origin, seen)
    return marks


def changes(shadow: Shadow, decision: Merge) -> dict[str, ColumnChange]:
    """Before and after of every column whose agreed value moves."""
    lost = {collision.column for collision in decision.collisions}
    moved = {column: mark.value for column, mark in decision.agreed.items() if column not in lost}
    moved.update(decision.write)
    return {
        column: ColumnChange(before, value)
        for column, value in moved.items()
        if (before := shadow.marks[column].value if column in shadow.marks else None) != value
    }


def _confirmed(marks: Mapping[str, Mark], theirs: Side, write: Mapping[str, Value]) -> dict[str, Mark]:
    """The marks of columns that the other side was just read to hold: no earlier word of it can undo them."""
    return {
        column: Mark(mark.value, mark.changed_at, mark.origin, {**mark.seen, theirs.system: theirs.moment})
        for column, mark in marks.items()
        if column in theirs.values
        and column not in write
        and theirs.values[column] == mark.value
        and theirs.moment > mark.seen.get(theirs.system, NEVER)
    }


def _mark(value: Value, ours: Side, mark: Mark | None) -> Mark:
    seen = {**(mark.seen if mark else {}), ours.system: ours.moment}
    return Mark(value, ours.moment.at, ours.system, seen)


def _seen(mark: Mark, ours: Side) -> Mark:
    return Mark(mark.value, mark.changed_at, mark.origin, {**mark.seen, ours.system: ours.moment})


def _collide(column: str, values: tuple[Value, Value, Value], ours: Side, theirs: Side) -> Collision:
    base, value, held = values
    winner, rule = _winner(ours, theirs)
    inbound, outbound = (held, value) if ours.system == DATAVERSE else (value, held)
    return Collision(column, base, inbound, outbound, winner, rule)


def _winner(ours: Side, theirs: Side) -> tuple[str, str]:
    """The newer change wins; at the same second Dataverse does, so that both orders of arrival agree."""
    mine, yours = _second(ours.moment.at), _second(theirs.moment.at)
    if mine == yours:
        return DATAVERSE, "same second: Dataverse"
    return (ours.system if mine > yours else theirs.system), "newest"


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)
