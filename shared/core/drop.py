"""A drop of an export, how far it has come, and what its modules came to."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.core.reading.finding import Finding


class DropState(StrEnum):
    """How far a drop has come."""

    SETTLING = "settling"
    """Its files may still change: it has to look the same for a while."""
    INCOMPLETE = "incomplete"
    READING = "reading"
    READ = "read"
    LATE = "late"
    """Older than one that was read; its differences would undo newer changes."""


class ModuleState(StrEnum):
    """What became of one module of a drop."""

    READING = "reading"
    READ = "read"
    STOPPED = "stopped"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Seen:
    """A drop as it lies there now; `print` changes when any of its files does."""

    name: str
    print: str


@dataclass(frozen=True, slots=True)
class Known:
    """A drop as it is remembered: `number` grows with every drop, and with every change of one."""

    number: int
    seen_at: datetime
    state: DropState


@dataclass(frozen=True, slots=True)
class Accepted:
    """A record of the last snapshot: the hash of what it said, and how many changes of it were told."""

    id: str
    content: bytes
    version: int
    is_present: bool = True


@dataclass(slots=True)
class Tally:
    """What reading a module came to; `listed` is what the export's own list says."""

    listed: int | None = None
    found: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    kept_out: int = 0
    doubted: int = 0
    note: str = ""
    findings: list[Finding] = field(default_factory=list)
