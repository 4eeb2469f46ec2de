"""What a person may do about one message, and what was done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from shared.core.change import Change, Direction, Json, Message
from shared.core.outcome import Outcome


class Done(StrEnum):
    """What was done about a message."""

    QUEUED = "queued"
    """It is in its lane and workable: wake the lane."""
    READMIT = "readmit"
    """It was refused at the gate and has no lane: send `message` through the gate again."""
    SKIPPED = "skipped"
    """It is superseded: wake the lane for those behind it."""
    REPLACED = "replaced"
    """An edited copy has its place: wake the lane."""
    ACKNOWLEDGED = "acknowledged"
    """It stays refused, and no longer counts as something to see to."""
    FINISHED = "finished"
    """Nothing: it has its `outcome`."""
    NOT_ASIDE = "not_aside"
    """Nothing: only what was set aside for its time can be released."""
    UNRELATED = "unrelated"
    """Nothing: the message named in its place is not there, or is of another record."""
    PURGED = "purged"
    """Nothing: its body is no longer kept."""
    UNKNOWN = "unknown"
    """Nothing: no such message."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """The answer to a repair: what was done, and what the caller needs to go on."""

    done: Done
    record: UUID | None = None
    direction: Direction | None = None
    outcome: Outcome | None = None
    message: Message | None = None


@dataclass(frozen=True, slots=True)
class FieldEdit:
    """One field of a body before and after; None for a field that is not there."""

    before: Json
    after: Json


@dataclass(frozen=True, slots=True)
class Edited:
    """An edited copy, examined and ready to take its original's place."""

    original: int
    message: Message
    change: Change
    record: UUID
    fields: Mapping[str, FieldEdit] = field(default_factory=dict)
