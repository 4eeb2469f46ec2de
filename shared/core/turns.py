"""What goes round in a loop: a record whose changes cross back and forth is held and told of (N-06).

A map that is not its own inverse, a plug-in or another integration that answers each of our writes with one
of its own: each crossing looks like a person's change. Whatever the cause, it shows as turns.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.core.change import Change
from shared.core.codes import Code
from shared.core.errors import Looping
from shared.core.merge import Merge
from shared.core.shadow import Shadow, Turn


@dataclass(frozen=True, slots=True)
class LoopBudget:
    """How often a record may turn within a window.

    Times are those at which changes were made, so a backlog that is worked at once turns no faster than it
    did when it arose.
    """

    turns: int = 20
    window: timedelta = timedelta(minutes=10)

    def spend(
        self, shadow: Shadow, change: Change, decision: Merge, followed: Collection[str] = ()
    ) -> Shadow:
        """The shadow with the turn that carrying out the decision is; raises Looping when it is one too many.

        Our own write that comes back different may cross back once: the far side has its own way of writing a
        value. If that comes back different as well, nothing will ever be equal. A link in `followed` is no
        such answer: it was moved by a merge of what it points at, which happens once to a row.
        """
        news = decision.write.keys() - set(decision.behind)
        if not (news or decision.back):
            return shadow
        recent = tuple(turn for turn in shadow.turns if change.changed_at - turn.at < self.window)
        last = recent[-1] if recent else None
        said = change.subject.system
        differs = [name for name in news if name not in followed and _was_written(shadow, name, said)]
        is_own = change.is_own and bool(differs)
        if last is not None and last.is_own and is_own:
            rule = "comes back different from what was written"
            raise Looping(Code.NOT_SETTLING, rule, min(differs), shadow)
        if last is not None and last.system == change.subject.system and not (is_own or decision.back):
            return shadow
        if len(recent) >= self.turns:
            minutes = round(self.window.total_seconds() / 60)
            raise Looping(Code.LOOPING, f"at most {self.turns} turns in {minutes} minutes", None, shadow)
        turn = Turn(change.changed_at, change.subject.system, is_own=is_own)
        return replace(shadow, turns=(*recent, turn))


def _was_written(shadow: Shadow, column: str, system: str) -> bool:
    """Whether a column's agreed value came to a system by a write of ours."""
    mark = shadow.marks.get(column)
    return mark is not None and mark.origin != system
