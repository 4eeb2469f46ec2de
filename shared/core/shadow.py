"""The shadow: what both sides were last known to hold, per column, and who said so when.

From it come echo, stale columns, the three-way merge, and reconciliation. One shadow belongs to one
canonical record (one Dataverse row).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from shared.core.identity import DATAVERSE, RecordKey
from shared.core.mapping.columns import Value


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A point in one system's own history: its clock, then its row version (0 where it has none)."""

    at: datetime
    version: int = 0


NEVER = Moment(datetime.min.replace(tzinfo=UTC))
"""Before everything."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One column's agreed value.

    `changed_at` and `origin` tell the last change that was agreed (origin is a system's name); `seen` tells,
    per system, the newest moment at which that system is known to have held this value: a message of an
    earlier moment from the same system cannot undo it (the late-snapshot rule). `disputed` is what each
    system holds instead while a person is to decide between them; empty otherwise. `apart` is what a legacy
    system is known to hold instead because the row holds another system's value, or because it has yet to be
    told; only where several records are one row (ADR 0031).
    """

    value: Value
    changed_at: datetime
    origin: str
    seen: Mapping[str, Moment] = field(default_factory=dict)
    disputed: Mapping[str, Value] = field(default_factory=dict)
    apart: Mapping[str, Value] = field(default_factory=dict)

    def held_by(self, system: str) -> Value:
        """What a system is taken to hold."""
        return self.disputed.get(system, self.apart.get(system, self.value))

    @property
    def rival(self) -> str:
        """The legacy system whose value is in dispute with the row's; blank where none is."""
        return next((system for system in self.disputed if system != DATAVERSE), "")

    def told_by(self, system: str) -> Value:
        """What a system is known to hold; None where it never spoke of the column, nor was told of it."""
        return self.held_by(system) if {system} & (self.seen.keys() | self.apart.keys()) else None


@dataclass(frozen=True, slots=True)
class Turn:
    """A change crossed, the other way than the one before it: when it was made, and in which system.

    `is_own` tells that it was our own write, come back different.
    """

    at: datetime
    system: str
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class Parting:
    """A system's record is gone, since when by its clock, and its counterpart lives on alone."""

    at: datetime
    system: str


@dataclass(frozen=True, slots=True)
class Owed:
    """The owner a record names is no user yet: its row has somebody else until then (P-06, P-07).

    `key` is the owner's, `subject` the record that names them, `moment` when it did.
    """

    key: RecordKey
    subject: RecordKey
    moment: Moment


@dataclass(frozen=True, slots=True)
class Shadow:
    """Everything agreed about one record.

    `versions` holds, per system, the version (ETag) at which its record is known to equal the shadow; without
    one the record is read before it is written. `deleted_at` is when a delete was agreed, and `ended` the
    last moment before it by the clock of each system that is known (see `has_ended`). `parted` tells whose
    record is gone while its counterpart lives on alone. `turns` are the latest crossings that went the other
    way than the one before: what goes round in a loop shows there. `owed` is set while the row does not
    belong to whom its record names. `making` names the message whose create nobody has answered.

    `gone` tells whose record left a row that others still hold, and when. `absorbed` names the records whose
    place another one of their system has taken, and `heir` the row this one was merged into: nothing is
    agreed about it any more.
    """

    marks: Mapping[str, Mark] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    deleted_at: datetime | None = None
    parted: Parting | None = None
    turns: tuple[Turn, ...] = ()
    gone: Mapping[str, datetime] = field(default_factory=dict)
    absorbed: frozenset[str] = frozenset()
    heir: UUID | None = None
    owed: Owed | None = None
    making: str = ""
    ended: Mapping[str, datetime] = field(default_factory=dict)

    def has_ended(self, system: str, at: datetime) -> bool:
        """Whether what happened in a system at an instant of its clock was over when the record ended.

        Two systems' clocks may differ by minutes: where its own tells, the other's does not count.
        """
        return self.deleted_at is not None and at <= self.ended.get(system, self.deleted_at)

    @property
    def sharing(self) -> frozenset[str]:
        """Every system that has spoken of this row and still holds it, Dataverse among them."""
        spoken = {system for mark in self.marks.values() for system in (*mark.seen, *mark.apart)}
        return frozenset(spoken - self.gone.keys())
