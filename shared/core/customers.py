"""What people decide about customers: that two rows are one, or that a record gets a row of its own again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from shared.core.identity import RecordKey
from shared.core.mapping.columns import Value

TOLD = "customer-"
"""How the ids of the messages begin that carry a decision to its lane."""


class CaseKind(StrEnum):
    """What a case is about."""

    MATCH = "match"
    """Two rows that may be one customer."""
    SPLIT = "split"
    """A record that shares a row and gets its own again."""


class CaseState(StrEnum):
    """How far a case has come."""

    OPEN = "open"
    ACCEPTED = "accepted"
    """Decided; the lane has yet to carry it out."""
    REFUSED = "refused"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Case:
    """A decision that a lane is to carry out.

    `heir` is the row that lives on, or that a record leaves; `loser` the row that is merged into it. `key` is
    the record that gets a row of its own. `told_as` is the id of the message that tells the lane.
    """

    number: int
    kind: CaseKind
    table: str
    heir: UUID
    loser: UUID | None
    key: RecordKey | None
    by: str
    at: datetime
    told_as: str


class NotOpen(Exception):
    """The case is decided or over, or there is none of that number."""


class Unfitting(ValueError):
    """What was asked for cannot be; the text says why, without a customer's value."""


@dataclass(frozen=True, slots=True)
class Before:
    """What a record was before it shared a row, and what its own system has said since.

    `row` is the row it had, None if it never had one, and `left` what that held when it was merged away;
    `is_shared` tells whether another record is that row, too.
    """

    row: UUID | None
    values: Mapping[str, Value]
    is_shared: bool
    left: Mapping[str, Value] = field(default_factory=dict)


class Sayings(Protocol):
    """What the history tells of single records."""

    async def before(self, key: RecordKey, row: UUID) -> Before:
        """What a record that shares `row` would be by itself."""
        ...


class Cases(Protocol):
    """The decisions that lanes carry out."""

    async def decided(self, number: int) -> Case | None:
        """A decision that has yet to be carried out."""
        ...

    async def is_coming_to(self, row: UUID) -> bool:
        """Whether a record is to get a row for itself, by a decision that has yet to be carried out."""
        ...
