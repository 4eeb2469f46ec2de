"""What the end of a record means for its counterpart: the map's policy, as the phase leaves it (C-33)."""

from dataclasses import replace

from shared.core import decision as deciding
from shared.core.change import Change, Operation
from shared.core.identity import DATAVERSE
from shared.core.mapping.spec import EntityMap, OnDelete
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
