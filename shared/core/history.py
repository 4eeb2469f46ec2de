"""What the journal alone tells: the agreed state of a record, now or at an earlier instant (N-03).

The journal is every decision with before and after per column. Played from its beginning it gives the shadow,
and so what both sides hold once they are at rest; played up to an instant it gives what was believed then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.core.change import Operation
from shared.core.mapping.columns import Value
from shared.core.outcome import Outcome
from shared.core.verdict import ColumnChange


@dataclass(frozen=True, slots=True)
class Line:
    """One decision: `id` orders the journal, `at` is when it was made, `changed_at` what it is about.

    `origin` is the system that changed the record, `changes` what became agreed by it.
    """

    id: int
    at: datetime
    origin: str
    outcome: Outcome
    operation: Operation
    changed_at: datetime | None
    changes: Mapping[str, ColumnChange]
    message_id: str = ""
    map_version: str = ""

    @property
    def values(self) -> dict[str, Value]:
        """What is agreed by it, column by column."""
        return {name: change.after for name, change in self.changes.items()}


@dataclass(frozen=True, slots=True)
class Belief:
    """One column's agreed value: who said it, when it was changed there, and the decision that agreed it."""

    value: Value
    origin: str
    changed_at: datetime | None
    at: datetime
    line: int
    message_id: str = ""
    map_version: str = ""


@dataclass(frozen=True, slots=True)
class Believed:
    """What was believed of a record: its columns, blank ones left out, and when it was deleted if it was.

    `since` is the instant of the newest decision in it; `blank` the columns that were emptied, with the
    decision that did it.
    """

    columns: Mapping[str, Belief] = field(default_factory=dict)
    deleted_at: datetime | None = None
    since: datetime | None = None
    blank: Mapping[str, int] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, Value]:
        """The columns' values."""
        return {name: belief.value for name, belief in self.columns.items()}


NOTHING = Believed()
"""Before the first decision."""


def rebuild(lines: Iterable[Line], base: Believed = NOTHING, until: datetime | None = None) -> Believed:
    """The agreed state after these lines of one record, on top of `base`; only decisions made by `until`.

    A line that is older than what `base` knows of a column leaves that column alone: lines are folded into a
    base when their messages are purged, which is by arrival and not by decision.
    """
    columns, blank = dict(base.columns), dict(base.blank)
    deleted_at, since = base.deleted_at, base.since
    for line in sorted(lines, key=lambda line: line.id):
        if until is not None and line.at > until:
            continue
        for name, value in line.values.items():
            known = columns[name].line if name in columns else blank.get(name, 0)
            if line.id < known:
                continue
            columns.pop(name, None)
            blank.pop(name, None)
            if value is None:
                blank[name] = line.id
            else:
                columns[name] = _belief(line, value)
        if _deletes(line):
            deleted_at = line.changed_at or line.at
        elif any(value is not None for value in line.values.values()):
            deleted_at = None
        since = line.at if since is None else max(since, line.at)
    return Believed(columns, deleted_at, since, blank)


def _belief(line: Line, value: Value) -> Belief:
    return Belief(value, line.origin, line.changed_at, line.at, line.id, line.message_id, line.map_version)


def _deletes(line: Line) -> bool:
    return line.operation is Operation.DELETE and line.outcome is Outcome.APPLIED
