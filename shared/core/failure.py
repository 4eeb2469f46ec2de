"""What a failure is: its class, its group, and when it is tried again.

A group is a cause, not a text: the same class, code, far side and its answer, table, field and rule (E-14).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.core.change import Change
from shared.core.codes import Code
from shared.core.errors import (
    Fault,
    InvalidMessage,
    Looping,
    OwnerUnmatched,
    ParentElsewhere,
    ParentMissing,
    Refused,
    SyncError,
    Transient,
)
from shared.core.identity import RecordKey
from shared.core.outcome import Outcome
from shared.core.verdict import Failing, LaneItem, Verdict


@dataclass(frozen=True, slots=True)
class Backoff:
    """How the pauses between tries grow: `first`, doubled each time, at most `longest`, less some jitter.

    `jitter` gives a share between 0 and 1; a pause is shortened by up to a fifth of itself, so that a crowd
    of records does not come back in step.
    """

    first: timedelta
    longest: timedelta
    jitter: Callable[[], float]

    def pause(self, attempts: int, retry_after: timedelta | None) -> timedelta:
        """The pause after this many tries; never shorter than what the far side asked for (E-13)."""
        grown = min(self.longest, self.first * float(2 ** min(attempts, 20)))
        return max(grown * (1 - 0.2 * self.jitter()), retry_after or timedelta())


def verdict_of(error: SyncError, change: Change, item: LaneItem, backoff: Backoff) -> Verdict:
    """What becomes of an item whose change raised `error`.

    | raised         | outcome  | then                                        |
    |----------------|----------|---------------------------------------------|
    | ParentMissing  | parked   | goes on when the parent is paired           |
    | ParentElsewhere | parked  | the same, in its system; ticket at once     |
    | OwnerUnmatched | parked   | goes on when the owner is a user            |
    | InvalidMessage | rejected | the record goes on without it; ticket       |
    | Transient      | failed   | tried again by the timer, followers wait    |
    | Permanent      | failed   | held for a person with its followers; ticket |
    """
    if isinstance(error, ParentElsewhere):
        return _elsewhere(error, change)
    if isinstance(error, ParentMissing):
        whose = error.unmatched if isinstance(error, OwnerUnmatched) else None
        return Verdict(Outcome.PARKED, str(error), change.subject, waits_for=error.key, unmatched=whose)
    retry_in = backoff.pause(item.attempts, error.retry_after) if isinstance(error, Transient) else None
    failing = Failing(
        kind=type(error).__name__,
        code=error.code,
        rule=error.rule,
        table=change.subject.entity,
        field=error.field,
        answer=error.answer if isinstance(error, Refused) else None,
        retry_in=retry_in,
        faults=error.faults if isinstance(error, InvalidMessage) else (),
        request_id=error.request_id,
        far_side=error.far_side,
    )
    outcome = Outcome.REJECTED if isinstance(error, InvalidMessage) else Outcome.FAILED
    begun = error.begun if isinstance(error, Transient | Looping) else None
    if change.heir is not None:
        # Of a merge that failed nothing is agreed, least of all what its heir would have taken over.
        begun = replace(item.agreed, turns=()) if isinstance(error, Looping) else None
    phases = error.phases if isinstance(error, Transient) else {}
    told = f"{error.code}: {error}"
    return Verdict(outcome, told, change.subject, failing=failing, shadow=begun, phases=phases)


def _elsewhere(error: ParentElsewhere, change: Change) -> Verdict:
    """What waits for a record that nothing brings by itself: people are told now; it goes on if it comes."""
    failing = Failing(
        kind="ParentElsewhere",
        code=error.code,
        rule=error.expected,
        table=change.subject.entity,
        field=error.field,
        far_side=error.far_side,
    )
    return Verdict(
        Outcome.PARKED,
        f"{error.code}: {error}, {error.expected}. {error.advice}",
        change.subject,
        waits_for=error.key,
        waits_in=error.system,
        failing=failing,
    )


def early(change: Change) -> Verdict:
    """What becomes of an item that claims to have happened later than now: set aside for a person.

    It is not applied, because everything that happens until then would count as older; it is not refused,
    because nothing else may be wrong with it; and nobody waits behind it.
    """
    failing = Failing(
        kind="FromTheFuture",
        code=Code.FROM_THE_FUTURE,
        rule="no later than now, but for the difference between two clocks",
        table=change.subject.entity,
        field="/changedOn",
    )
    return Verdict(Outcome.HELD, f"{failing.code}: {failing.rule}", change.subject, failing=failing)


def unexpected(error: Exception, subject: RecordKey) -> Verdict:
    """What becomes of an item on which Tandem itself failed: held, under the name of the fault."""
    failing = Failing(
        kind=type(error).__name__,
        code=Code.UNEXPECTED,
        rule=f"{type(error).__name__} in Tandem",
        table=subject.entity,
    )
    return Verdict(Outcome.FAILED, f"{failing.code}: {failing.rule}", subject, failing=failing)


def refusal(faults: Sequence[Fault], change: Change | None) -> Failing:
    """What a message that was refused at the gate failed on: its first fault, in the record's own words."""
    first = faults[0]
    subject = f"{change.subject.system}:{change.subject.entity}"[:128] if change else "message"
    return Failing("InvalidMessage", first.code, first.expected, subject, first.field, faults=tuple(faults))


def group_of(failing: Failing, sender: str | None = None) -> str:
    """The stable id of the group a failure belongs to: 12 hexadecimal digits.

    Made of the cause alone, never of a text that may hold a value; of the `sender`, too, for what was refused
    at the gate, because each sender has its own to correct; and of the legacy system that did not take it,
    because each has a team of its own.
    """
    cause = (failing.kind, failing.code, failing.answer or "", failing.table, failing.field or "")
    rule = failing.rule if failing.field else ""
    of_whom = () if sender is None else (sender,)
    of_whom = (*of_whom, failing.far_side) if failing.far_side else of_whom
    return hashlib.sha256("\x1f".join((*cause, rule, *of_whom)).encode()).hexdigest()[:12]
