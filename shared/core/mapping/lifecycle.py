"""The life of a row: its states, what locks it, and the way from one status to another.

A map knows one column, `statuscode`; it says what the row shall be in the end. How Dataverse lets a row get
there differs per table: a plain write, an action that closes it (win, lose, close, qualify), a state to pass
through on the way, or no way back at all. That is declared here, on the table, and followed by the writer:
whatever else changes is written first, the state last, because a closed row takes no writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STATUS = "statuscode"
"""The column that tells a row's status reason, and with it its state."""


class NoWay(ValueError):
    """The row cannot get there from where it is; says the rule, never a value."""


@dataclass(frozen=True, slots=True)
class Closing:
    """An action that brings a row into a closed state.

    `about` names the parameter that holds the closing activity and `pointer` its lookup to the row; without
    them the action is bound to the row. `carries` tells which columns of the row travel in the closing
    activity, because Dataverse sets them from there and from nowhere else. `arguments` go along as they are.
    """

    action: str
    about: str = ""
    pointer: str = ""
    carries: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Write:
    """A step: columns written the plain way, the status perhaps among them."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Close:
    """A step: the closing action, and the status reason it shall leave."""

    closing: Closing
    status: int


Step = Write | Close


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """How the rows of one table live.

    `states` gives the state of each status reason. A row begins in status `start`. In a `locked` state it
    takes no writes but the one that opens it again; from a `final` one nothing opens it. `closings` are the
    actions into a state; a state without one is written. `after` names the status a row must be in before
    its closing, where not any open one will do.
    """

    states: Mapping[int, int]
    start: int
    locked: frozenset[int] = frozenset()
    final: frozenset[int] = frozenset()
    closings: Mapping[int, Closing] = field(default_factory=dict)
    after: int | None = None

    def way(self, current: int, values: Mapping[str, Any]) -> tuple[Step, ...]:
        """The steps from a row in status `current` to one that holds `values`; the first is always a Write,
        which carries the condition of them all.

        Raises NoWay when Dataverse knows none, KeyError for a status that is none of the table's.
        """
        wanted = current if (said := values.get(STATUS)) is None else int(said)
        rest = {name: value for name, value in values.items() if name != STATUS}
        here, there = self.states[current], self.states[wanted]
        if wanted == current and not (rest and here in self.locked):
            return (Write(rest),)
        if here in self.final:
            raise NoWay("a row in this state cannot be opened again")
        at = current
        steps: list[Step] = []
        if here in self.locked:
            at = self.start if there in self.locked else wanted
            # The columns go along with the opening: the row is open once more for exactly that long.
            steps.append(Write({**rest, STATUS: at}))
            rest = {}
        if wanted == at:
            return tuple(steps)
        return (*steps, *self._onwards(at, wanted, rest, begun=bool(steps)))

    def _onwards(self, at: int, wanted: int, rest: Mapping[str, Any], *, begun: bool) -> tuple[Step, ...]:
        closing = self.closings.get(self.states[wanted])
        if closing is None:
            return (Write({**rest, STATUS: wanted}),)
        if self.after is not None and self.states[at] != self.states[self.after]:
            return (Write({**rest, STATUS: self.after}), Close(closing, wanted))
        if begun and not rest:
            return (Close(closing, wanted),)
        return (Write(rest or {STATUS: at}), Close(closing, wanted))
