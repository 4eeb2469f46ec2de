"""What a person may do about one message, and what was done."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.core.change import Direction, Message
from shared.core.outcome import Outcome


class Done(StrEnum):
    """What was done about a message."""

    QUEUED = "queued"
    """It is in its lane and workable: wake the lane."""
    READMIT = "readmit"
    """It was refused at the gate and has no lane: send `message` through the gate again."""
    SKIPPED = "skipped"
    """It is superseded: wake the lane for those behind it."""
    FINISHED = "finished"
    """Nothing: it has its `outcome`."""
    PURGED = "purged"
    """Nothing: it was refused and its body is no longer kept."""
    UNKNOWN = "unknown"
    """Nothing: no such message."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """The answer to a replay or skip: what was done, and what the caller needs to go on."""

    done: Done
    record: UUID | None = None
    direction: Direction | None = None
    outcome: Outcome | None = None
    message: Message | None = None
