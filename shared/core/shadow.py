"""The shadow: what both sides were last known to hold, per column, and who said so when.

From it come echo, stale columns, the three-way merge, and reconciliation. One shadow belongs to one
canonical record (one Dataverse row).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.core.mapping.columns import Value


@dataclass(frozen=True, slots=True)
class Mark:
    """One column's agreed value.

    `changed_at` and `origin` tell the last change that was agreed (origin is a system's name); `seen` tells,
    per system, the newest time for which that system is known to have held this value: a later message of an
    earlier time from the same system cannot undo it (the late-snapshot rule).
    """

    value: Value
    changed_at: datetime
    origin: str
    seen: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shadow:
    """Everything agreed about one record.

    `row_version` is the Dataverse ETag the agreed state was last seen at (None: unknown);
    `deleted` is set once a delete was agreed.
    """

    marks: Mapping[str, Mark] = field(default_factory=dict)
    row_version: str | None = None
    deleted: bool = False
