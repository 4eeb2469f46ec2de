"""What the end of a record means for its counterpart: the map's policy, as the phase leaves it (C-33)."""

from collections.abc import Mapping
from dataclasses import replace

from shared.core import decision as deciding
from shared.core.change import Change, Operation
from shared.core.identity import DATAVERSE
from shared.core.mapping.columns import Value, placeholder_id
from shared.core.mapping.references import RowRef
from shared.core.mapping.spec import EntityMap, Flow, OnDelete
from shared.core.outcome import Outcome
from shared.core.ownership import Ownership, Phase
from shared.core.shadow import Parting, Shadow
from shared.core.verdict import Verdict

_LEGACY_ALONE = {Phase.LEGACY_MASTER, Phase.SHADOW_READ}


def on_delete(change: Change, entry: EntityMap, owned: Ownership) -> OnDelete:
    """What becomes of the counterpart; a side that may not change a record cannot end its counterpart."""
    if change.subject.system == DATAVERSE:
        return OnDelete.IGNORE if owned.phase in _LEGACY_ALONE else entry.on_row_delete
    return OnDelete.IGNORE if owned.phase is Phase.DYNAMICS_MASTER else entry.on_record_delete


def on_merge(change: Change, entry: EntityMap, owned: Ownership) -> OnDelete:
    """What becomes of the loser's counterpart; a side that may not change a record cannot merge it away."""
    if change.subject.system == DATAVERSE:
        return OnDelete.IGNORE if owned.phase in _LEGACY_ALONE else entry.on_row_merge
    return OnDelete.IGNORE if owned.phase is Phase.DYNAMICS_MASTER else entry.on_record_merge


def never_agreed(entry: EntityMap, shadow: Shadow) -> frozenset[str]:
    """The columns on which nothing was ever agreed, of those that cross both ways and are people's to fill.

    Not those in which a side puts something by itself: an owner, a state, when it was made and by whom.
    """
    columns = [line.column for line in entry.fields if line.flow is Flow.BOTH]
    return frozenset(
        column.name
        for column in columns
        if column.name not in shadow.marks
        and column.clearable
        and not (column.create_only or column.incidental)
    )


def filled_in(entry: EntityMap, shadow: Shadow, held: Mapping[str, Value]) -> list[str]:
    """The columns on which nothing was ever agreed and in which a side holds something: a person's change."""
    return sorted(
        name
        for name in never_agreed(entry, shadow) & held.keys()
        if (value := held[name]) is not None
        and not (isinstance(value, RowRef) and value.id == placeholder_id(value.table))
    )


def parted(change: Change, entry: EntityMap, shadow: Shadow, *, deactivated: bool) -> Verdict:
    """The verdict on a delete after which the counterpart lives on alone."""
    after = replace(shadow, parted=Parting(change.changed_at, change.subject.system), versions={})
    if deactivated:
        return deciding.unchanged(change, Outcome.APPLIED, "its counterpart is deactivated", entry, after)
    reason = "deleted here alone: its counterpart is left as it is"
    return deciding.unchanged(change, Outcome.SUPERSEDED, reason, entry, after)


def alone(change: Change, entry: EntityMap, shadow: Shadow, owned: Ownership) -> Verdict | None:
    """The verdict on a change that has nothing to cross to; None when it has, or may have again."""
    if owned.is_retired:
        reason = f"{owned.system} is retired: nothing crosses any more"
        return deciding.unchanged(change, Outcome.SUPERSEDED, reason, entry)
    if shadow.parted is None or change.operation is Operation.ABSORB:
        # A merge into what lives on alone is followed all the same (see `Absorbing`).
        return None
    if shadow.parted.system == change.subject.system:
        if change.operation is Operation.DELETE or change.changed_at <= shadow.parted.at:
            return deciding.unchanged(change, Outcome.STALE, "older than its delete", entry)
        return None
    if change.operation is Operation.DELETE:
        return deciding.deleted(change, entry, shadow, ("", None))
    reason = "its counterpart was deleted: it lives on alone"
    return deciding.unchanged(change, Outcome.SUPERSEDED, reason, entry)
