"""From a merge to a verdict: what is agreed now, at which versions, and what the message is called for it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from shared.core.change import Change
from shared.core.identity import DATAVERSE, RecordKey
from shared.core.mapping.columns import Option, Table, Value
from shared.core.mapping.lifecycle import STATUS
from shared.core.mapping.spec import EntityMap
from shared.core.merge import Merge, Side, marks_after
from shared.core.outcome import Outcome
from shared.core.ownership import Ownership
from shared.core.shadow import Mark, Moment, Shadow
from shared.core.verdict import Collision, ColumnChange, Verdict

_DIGITS = re.compile(r"\d+")


def row_moment(at: datetime, version: str) -> Moment:
    """A Dataverse row's moment: its modification time and the row version inside its ETag `W/"4711"`."""
    digits = _DIGITS.search(version)
    return Moment(at, int(digits[0]) if digits else 0)


def agreed(
    shadow: Shadow, decision: Merge, ours: Side, answered: Side | None, versions: Mapping[str, str | None]
) -> Shadow:
    """The shadow once the decision was carried out.

    `answered` is the other side after the write (None: nothing was written, or what it holds by now is not
    known); `versions` the versions at which each system is now known to equal the shadow, or None for a
    system about which that is no longer known.
    """
    marks = marks_after(shadow, decision, ours, answered)
    kept = {**shadow.versions, **versions}
    known = {system: version for system, version in kept.items() if version is not None}
    return replace(shadow, marks=marks, versions=known, deleted_at=None, ended={}, parted=None, making="")


def taken_back(after: Shadow, ours: Side, seen: Mapping[str, Moment]) -> Shadow:
    """The shadow once our own side was made to take values back; `seen` is when it held them again.

    Its version is no longer the one the message told of.
    """
    marks = {
        column: _agreeing(mark, ours.system, max(seen[column], ours.moment)) if column in seen else mark
        for column, mark in after.marks.items()
    }
    versions = {system: version for system, version in after.versions.items() if system != ours.system}
    return replace(after, marks=marks, versions=versions)


def _agreeing(mark: Mark, system: str, at: Moment) -> Mark:
    apart = {name: held for name, held in mark.apart.items() if name != system}
    return replace(mark, seen={**mark.seen, system: at}, apart=apart)


def begun(shadow: Shadow, decision: Merge, ours: Side, making: str = "") -> Shadow:
    """The shadow once a write was tried and nobody knows whether it happened.

    Nothing new is agreed, but what our side said earlier about those columns comes too late from now on: it
    must not be written over a later value while that waits to be tried again. Where our side has not spoken
    of a column before, what is tried is its first word still. `making` names the message if the write was a
    create.
    """
    tried = {
        column: mark
        for column in decision.write
        if (mark := shadow.marks.get(column)) is not None and ours.system in mark.seen
    }
    marks = {
        column: replace(mark, seen={**mark.seen, ours.system: ours.moment}) for column, mark in tried.items()
    }
    return replace(shadow, marks={**shadow.marks, **marks}, making=making or shadow.making)


def read_since(after: Shadow, held: Side) -> Shadow:
    """The shadow once a record was read to which a write of what its row holds may have come unheard.

    Where it holds neither that nor what it was known to hold, somebody has written since. It is taken for
    told: its word of our own write says nothing new then, and its last word is its own.
    """
    told = {
        name: replace(mark, apart={other: kept for other, kept in mark.apart.items() if other != held.system})
        for name, mark in after.marks.items()
        if held.system in mark.apart and name in held.values and name not in held.alike
        if held.values[name] not in (mark.value, mark.apart[held.system])
    }
    return replace(after, marks={**after.marks, **told})


def verdict(change: Change, entry: EntityMap, before: Shadow, decision: Merge, after: Shadow) -> Verdict:
    """The verdict on a change that went through."""
    outcome, reason = _named(decision, moved(before, after))
    return Verdict(
        outcome,
        reason,
        change.subject,
        collisions=decision.collisions,
        shadow=after,
        map_version=entry.revision,
        ended=dict.fromkeys(decision.ended, "both sides agree"),
    )


def paired(result: Verdict, pairs: tuple[tuple[RecordKey, UUID], ...]) -> Verdict:
    """The same verdict, with crosswalk entries that are certain now."""
    return replace(result, pairs=pairs)


def link_follows(result: Verdict, without: frozenset[RecordKey]) -> Verdict:
    """The same verdict, if nothing had to be left out; else one that waits for what was left out.

    It was carried out without links to records that wait for this one in turn. Once the first of them is
    there, the same change is decided again, and the link is what is left to write.
    """
    if not without or not result.outcome.is_final or result.outcome is Outcome.REJECTED:
        return result
    missing = min(without)
    told = f"{result.reason}; without its link to {missing}, which waits for this record: the link follows"
    return replace(result, outcome=Outcome.PARKED, reason=told.removeprefix("; "), waits_for=missing)


def still_open(table: Table, values: Mapping[str, Value], shadow: Shadow) -> dict[str, Value]:
    """The same values, but of a row that stays in its first state; one that has left it stays where it is."""
    kept = {name: value for name, value in values.items() if name != STATUS}
    if table.lifecycle is not None and STATUS not in shadow.marks:
        kept[STATUS] = Option(table.lifecycle.start)
    return kept


def status_follows(result: Verdict, missing: RecordKey | None) -> Verdict:
    """The same verdict, if no part of the record is missing; else one that waits for the part.

    A row that is closed to writes takes no parts any more: so they come first, and the status last.
    """
    if missing is None or not result.outcome.is_final or result.outcome is Outcome.REJECTED:
        return result
    told = f"{result.reason}; its status follows once {missing} is there"
    return replace(result, outcome=Outcome.PARKED, reason=told.removeprefix("; "), waits_for=missing)


_WEIGHT = (
    Outcome.PARKED,
    Outcome.FAILED,
    Outcome.CONFLICT,
    Outcome.APPLIED,
    Outcome.MERGED,
    Outcome.STALE,
    Outcome.SUPERSEDED,
    Outcome.ECHO,
)
"""What a change is called that came to several things: by the first of these."""


def together(first: Verdict, second: Verdict) -> Verdict:
    """One verdict on a change that was told to several records, in this order."""
    both = sorted((first, second), key=lambda one: _WEIGHT.index(one.outcome))
    return replace(
        both[0],
        reason="; ".join(dict.fromkeys(one.reason for one in (first, second) if one.reason)),
        collisions=(*first.collisions, *second.collisions),
        shadow=_both_ended(first.shadow, second.shadow),
        pairs=(*first.pairs, *second.pairs),
        ended={**first.ended, **second.ended},
        absorbs=first.absorbs or second.absorbs,
        case=first.case or second.case,
        concludes=first.concludes or second.concludes,
        decided_in={**first.decided_in, **second.decided_in},
    )


def _both_ended(first: Shadow | None, second: Shadow | None) -> Shadow | None:
    """The later shadow; of an end that was told to both, with what either knows of it."""
    if first is None or second is None or first.deleted_at is None or second.deleted_at is None:
        return second or first
    at = max(first.deleted_at, second.deleted_at)
    return replace(second, deleted_at=at, ended={**first.ended, **second.ended})


def recognised(change: Change, result: Verdict) -> Verdict:
    """The verdict on an echo, with the second sign of one: who made it (N-06)."""
    if result.outcome is not Outcome.ECHO or not change.is_own:
        return result
    return replace(result, reason=f"our own write, told back: {result.reason}")


def moved(before: Shadow, after: Shadow) -> dict[str, ColumnChange]:
    """Before and after of every column whose agreed value moves."""
    old = {column: mark.value for column, mark in before.marks.items()}
    new = {column: mark.value for column, mark in after.marks.items()}
    return {
        column: ColumnChange(old.get(column), new.get(column))
        for column in (*new, *(old.keys() - new.keys()))
        if old.get(column) != new.get(column)
    }


def told(result: Verdict, before: Shadow) -> Verdict:
    """The verdict with all that the shadow learns by it: the journal alone is to tell the shadow (N-03)."""
    if result.shadow is None:
        return result
    lost = {each.column for each in result.collisions if each.winner not in {"", result.subject.system}}
    changes = {
        column: replace(change, is_lost=column in lost)
        for column, change in moved(before, result.shadow).items()
    }
    return replace(result, changes=changes)


def under(owned: Ownership, result: Verdict) -> Verdict:
    """The same verdict, saying in which phase it was decided, where that was over by then (ADR 0013)."""
    if not owned.overtaken:
        return result
    return replace(result, decided_in={**result.decided_in, **owned.phases})


def noting(result: Verdict, missed: str | None) -> Verdict:
    """The same verdict, saying what the change waited for in vain: the gap is recorded with it (E-07)."""
    if missed is None:
        return result
    told = f"{result.reason}; {missed} did not come in time"
    return replace(result, reason=told.removeprefix("; "))


def deleted(
    change: Change, entry: EntityMap, shadow: Shadow, counterpart: tuple[str, datetime | None]
) -> Verdict:
    """The verdict on a delete that went through; every value the record had is kept in the journal.

    `counterpart` is the system it was deleted in, too, and when that last changed what was deleted there
    (None: it was gone, perhaps by a delete of ours that nobody answered). What that system tells of until
    then is older than the delete, our own writes included; where nobody knows, what it tells of until the
    delete by whichever clock is the later. Where it was deleted first, nothing after the delete is older
    than it, though it was seen: then it was brought back.
    """
    ours, (other, last) = change.subject.system, counterpart
    seen = [(system, moment.at) for mark in shadow.marks.values() for system, moment in mark.seen.items()]
    ended = {ours: change.changed_at}
    if last is not None:
        ended[other] = max([last, *(at for system, at in seen if system == other)])
    others = [at for system, at in seen if system != ours]
    return Verdict(
        Outcome.APPLIED,
        "deleted",
        change.subject,
        # Nothing is agreed any more but that it is gone: a record created anew starts from nothing.
        shadow=Shadow(deleted_at=max([*ended.values(), *others]), ended=ended),
        map_version=entry.revision,
        ended={column: "the record is gone" for column, mark in shadow.marks.items() if mark.disputed},
    )


def nothing_to_delete(change: Change, entry: EntityMap, shadow: Shadow, reason: str) -> Verdict:
    """The verdict on a delete of what the other side never had; what is told of it later is too old."""
    system, at = change.subject.system, change.changed_at
    ended = {**shadow.ended, system: max(at, shadow.ended.get(system, at))}
    after = replace(shadow, deleted_at=max([at, *ended.values()]), ended=ended)
    return unchanged(change, Outcome.STALE, reason, entry, after)


def unchanged(
    change: Change,
    outcome: Outcome,
    reason: str,
    entry: EntityMap | None = None,
    shadow: Shadow | None = None,
) -> Verdict:
    """The verdict on a change that asks for nothing."""
    version = entry.revision if entry else ""
    return Verdict(outcome, reason, change.subject, shadow=shadow, map_version=version)


def elsewhere(change: Change, entry: EntityMap, row: UUID) -> Verdict:
    """The verdict on a merge whose heir is another row already: everything here is that row's to decide."""
    return replace(unchanged(change, Outcome.PARKED, f"its heir is row {row}", entry), goes_to=row)


def came_late(change: Change, shadow: Shadow) -> bool:
    """Whether a create of ours, told back, made a row that had been there before.

    It was given up, and arrived after somebody had deleted the row: on purpose a row is created once, and is
    known at no earlier version than that.
    """
    if not shadow.marks:
        return shadow.deleted_at is not None
    seen = [mark.seen[DATAVERSE].version for mark in shadow.marks.values() if DATAVERSE in mark.seen]
    return any(0 < version < change.version for version in (*seen, number_of(shadow)))


def too_old_to_delete(change: Change, shadow: Shadow) -> bool:
    """Whether the other side changed the record after it was deleted here: then people decide, not clocks."""
    other = [mark.changed_at for mark in shadow.marks.values() if mark.origin != change.subject.system]
    return any(at > change.changed_at for at in other)


def _named(decision: Merge, changes: Mapping[str, ColumnChange]) -> tuple[Outcome, str]:
    columns = ", ".join(sorted(changes))
    if decision.collisions:
        return Outcome.CONFLICT, "; ".join(_told(entry, decision) for entry in decision.collisions)
    if decision.behind and not changes:
        return Outcome.APPLIED, f"{decision.other} is told of {', '.join(sorted(decision.behind))}"
    if changes or decision.write:
        if decision.stale:
            return Outcome.MERGED, f"{columns}; older than what is known: {', '.join(sorted(decision.stale))}"
        if not decision.complete:
            return Outcome.MERGED, f"{columns}; the other side changed other columns"
        return Outcome.APPLIED, columns
    if decision.stale:
        return Outcome.STALE, f"older than what is known: {', '.join(sorted(decision.stale))}"
    return Outcome.ECHO, "equal to what both sides hold"


def _told(collision: Collision, decision: Merge) -> str:
    if collision.is_open:
        return f"both sides changed {collision.column}: a person decides"
    if collision.column in decision.back:
        return f"{collision.column} is taken back ({collision.rule})"
    return f"both sides changed {collision.column} ({collision.winner}, {collision.rule})"


def number_of(shadow: Shadow) -> int:
    """The Dataverse row version a shadow was agreed at; 0 when unknown."""
    digits = _DIGITS.search(shadow.versions.get(DATAVERSE, ""))
    return int(digits[0]) if digits else 0
