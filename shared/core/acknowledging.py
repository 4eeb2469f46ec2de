"""What an acknowledgement means for a record: what is agreed by it, and the verdicts around it."""

from dataclasses import replace

from shared.core.change import Change
from shared.core.codes import Code
from shared.core.identity import DATAVERSE, RecordKey
from shared.core.mapping.spec import EntityMap
from shared.core.outcome import Outcome
from shared.core.pending import Acknowledged, Answer, PendingWrite, Posted, acknowledgement_of
from shared.core.shadow import NEVER, Mark, Moment, Shadow
from shared.core.verdict import Failing, Verdict

GONE = "no_such_record"
"""The word of every system for a row that names a record it does not have."""


def folded(shadow: Shadow, posted: Posted | None) -> Shadow:
    """The shadow with what an accepted write made both sides agree on; else as it is.

    The system held the values when it imported them: what its earlier exports say about them is older.
    """
    if posted is None or posted.answered is None or posted.answered.answer is not Answer.ACCEPTED:
        return shadow
    write, system = posted.write, posted.write.system
    marks = dict(shadow.marks)
    others = sorted(shadow.sharing - {DATAVERSE, system})
    for column, value in write.values.items():
        before = marks.get(column)
        seen = dict(before.seen) if before else {}
        seen[DATAVERSE] = max(write.moment, seen.get(DATAVERSE, NEVER))
        seen[system] = max(Moment(posted.answered.at), seen.get(system, NEVER))
        held = {name: before.told_by(name) if before else None for name in others}
        apart = {name: other for name, other in held.items() if other != value}
        if before is not None and before.value == value:
            marks[column] = replace(before, seen=seen, apart=apart)
        else:
            marks[column] = Mark(value, write.moment.at, DATAVERSE, seen, apart=apart)
    return replace(shadow, marks=marks)


def record_of(posted: Posted | None) -> RecordKey | None:
    """The record that an accepted write is about; None when none was accepted."""
    if posted is None or posted.answered is None or posted.answered.answer is not Answer.ACCEPTED:
        return None
    known = posted.write.id or posted.answered.id
    return RecordKey(posted.write.system, posted.write.entity, known) if known else None


def awaiting(change: Change, entry: EntityMap, write: PendingWrite, latency: str) -> Verdict:
    """The verdict on a change whose write is handed over now."""
    columns = ", ".join(sorted(write.values)) or write.asked.value
    reason = f"handed to {write.system} with its next import ({latency}): {columns}"
    return replace(still_awaiting(change, entry, write, latency), reason=reason, posts=write)


def still_awaiting(change: Change, entry: EntityMap, write: PendingWrite, latency: str) -> Verdict:
    """The verdict on a change of a record that has a pending write."""
    return Verdict(
        Outcome.PARKED,
        f"waits until {write.system} acknowledges what was handed to it ({latency})",
        change.subject,
        map_version=entry.revision,
        waits_for=acknowledgement_of(write.system, write.record),
    )


def refused(change: Change, entry: EntityMap, posted: Posted, answered: Acknowledged) -> Verdict:
    """The verdict on a change whose row the system did not take: a failure as any other, by its cause."""
    gone = answered.code == GONE
    code = Code.TARGET_GONE if gone else Code.TARGET_REFUSED
    rule = "the record no longer exists" if gone else "a row it takes"
    failing = Failing(
        kind="Gone" if gone else "Refused",
        code=code,
        rule=f"{posted.write.system}: {rule}",
        table=entry.table.name,
        field=answered.field,
        answer=answered.code,
        far_side=posted.write.system,
    )
    said = f"{code}: {posted.write.system} answered {answered.code}"
    about = f" for {answered.field}" if answered.field else ""
    return Verdict(
        Outcome.FAILED,
        said + about,
        change.subject,
        failing=failing,
        map_version=entry.revision,
        concludes=posted.number,
    )
