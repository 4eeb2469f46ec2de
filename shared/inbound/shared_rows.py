"""Rows that several records are: what one of them may say of the row, and what its end means (ADR 0031)."""

from dataclasses import replace

from shared.core import decision as deciding
from shared.core.change import Change, Operation
from shared.core.identity import DATAVERSE, RecordKey
from shared.core.mapping.columns import Value
from shared.core.mapping.spec import EntityMap
from shared.core.outcome import Outcome
from shared.core.shadow import Moment, Shadow
from shared.core.verdict import Verdict


def systems(shadow: Shadow) -> set[str]:
    """The legacy systems whose records are the row, as far as they have said anything of it."""
    seen = {system for mark in shadow.marks.values() for system in mark.seen}
    return seen - {DATAVERSE} - shadow.gone.keys()


def identity(entry: EntityMap, key: RecordKey, shadow: Shadow) -> dict[str, Value]:
    """The column that tells a row which record it is; it goes on naming the first.

    On a shared row, and on one that a record has taken over: its key may be on a row that was put aside, and
    no two rows have one.
    """
    values = entry.identity(key)
    named = {name: mark.value for name, mark in shadow.marks.items() if name in values}
    is_others = any(named.get(name) not in {None, value} for name, value in values.items())
    return {} if is_others or systems(shadow) - {key.system} else values


def back(change: Change, shadow: Shadow) -> Shadow:
    """The shadow for a record that had left the row and is there again."""
    left_at = shadow.gone.get(change.subject.system)
    if left_at is None or change.operation is Operation.DELETE or change.changed_at <= left_at:
        return shadow
    return replace(
        shadow, gone={name: at for name, at in shadow.gone.items() if name != change.subject.system}
    )


def left(change: Change, entry: EntityMap, shadow: Shadow) -> Verdict | None:
    """The verdict on the end of one of several records: the row lives on with the others.

    None for the last.
    """
    system = change.subject.system
    remaining = systems(shadow) - {system}
    if not remaining:
        return None
    moment = Moment(change.changed_at)
    marks = {
        column: replace(
            mark,
            seen={**mark.seen, system: max(moment, mark.seen[system])} if system in mark.seen else mark.seen,
            apart={name: value for name, value in mark.apart.items() if name != system},
        )
        for column, mark in shadow.marks.items()
    }
    after = replace(
        shadow,
        marks=marks,
        versions={name: version for name, version in shadow.versions.items() if name != system},
        gone={**shadow.gone, system: change.changed_at},
    )
    reason = f"deleted in {system} alone: the row lives on as a record of {', '.join(sorted(remaining))}"
    return deciding.unchanged(change, Outcome.SUPERSEDED, reason, entry, after)
