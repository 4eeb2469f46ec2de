"""What became of a message: a closed list."""

from enum import StrEnum


class Outcome(StrEnum):
    """What became of one message. Parked, held and failed messages keep their place in the lane.

    A message that comes twice is one message, and has one outcome.
    """

    APPLIED = "applied"
    MERGED = "merged"
    ECHO = "echo"
    STALE = "stale"
    SUPERSEDED = "superseded"
    PARKED = "parked"
    HELD = "held"
    CONFLICT = "conflict"
    REJECTED = "rejected"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the message by itself or after its lane moves."""
        return self not in {Outcome.PARKED, Outcome.HELD, Outcome.FAILED}
