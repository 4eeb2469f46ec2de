"""What a person decides about a conflict, and where that is kept until the record's lane carries it out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.core.identity import RecordKey
from shared.core.mapping.columns import Value


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a person decided about a conflict: the value, and what they saw both sides hold when they did."""

    record: UUID
    column: str
    value: Value
    inbound: Value
    outbound: Value
    by: str


TOLD = "settle-"
"""How the ids of the messages begin that carry a decision to its lane."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the lane of a record is told of a decision: the conflict, the record, and the id of the message.

    The id cannot be known beforehand, or another message could take its place.
    """

    number: int
    record: UUID
    key: RecordKey
    message_id: str
    by: str
    at: datetime


class NotOpen(Exception):
    """The conflict is over, there is none of that number, or it is no longer what the person saw."""


class Conflicts(Protocol):
    """The conflicts that wait for a person."""

    async def decided(self, number: int) -> Settlement | None:
        """What a person decided about a conflict; None when nobody has, or it is over."""
        ...
