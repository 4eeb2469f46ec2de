"""A change: what one message says happened to one record, whatever door it came through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from shared.core.identity import DATAVERSE, RecordKey

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
"""A JSON value."""


class Operation(StrEnum):
    """What the source did to its record."""

    UPSERT = "upsert"
    DELETE = "delete"
    ABSORB = "absorb"
    """It merged it into another one, its heir."""
    SPLIT = "split"
    """A person gave a record a row of its own again."""
    SETTLE = "settle"
    """A person decided a conflict; no system did anything to its record."""


class Direction(StrEnum):
    """Which way a change crosses: into Dataverse, or out of it. Also the name of its queue's role."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it arrived: body bytes untouched, every property kept (E-12).

    `id` is the sender's message id, `position` the broker's sequence number (0 through HTTP), `sender` the
    authenticated caller where the door knows one.
    """

    id: str
    queue: str
    session_id: str | None
    body: bytes
    position: int = 0
    delivery_count: int = 1
    sender: str | None = None
    properties: Mapping[str, Json] = field(default_factory=dict)
    application_properties: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """What one message says happened to one record.

    `subject` is the record in the system that changed it; `changed_at` is when it happened there (UTC);
    `version` orders changes of equal time (a row version, else 0); `data` holds only what the source sent;
    `row_id` is the Dataverse row the sender names; `actor` is who made the change, as the source knows them;
    `is_create` says that the source tells of a record it did not have before, `is_own` that it names Tandem
    as the one who made the change.
    `partial` says that the data is no full picture of the record: what else is needed must be read again.
    `is_early` says that it claims to have happened later than now, by more than clocks may differ. `without`
    names records that are not waited for: links to them are left out as long as they have not arrived.
    `settles` is the number of the conflict that a person decided, `case` that of their decision about
    customers. `heir` is the record that this one was merged into, in the same system. `created_by` and
    `changed_by` are who made and changed a record of a legacy system, where that system says so. `phases`
    names the phase, per system, in which a write of it has begun that nobody has answered.
    """

    message_id: str
    subject: RecordKey
    operation: Operation
    changed_at: datetime
    data: Mapping[str, Json]
    version: int = 0
    row_id: UUID | None = None
    partial: bool = False
    actor: str | None = None
    is_create: bool = False
    is_own: bool = False
    correlation_id: str | None = None
    is_early: bool = False
    without: frozenset[RecordKey] = frozenset()
    settles: int | None = None
    case: int | None = None
    heir: RecordKey | None = None
    created_by: str | None = None
    changed_by: str | None = None
    phases: Mapping[str, str] = field(default_factory=dict)

    @property
    def direction(self) -> Direction:
        """Into Dataverse unless Dataverse is where it happened."""
        return Direction.OUTBOUND if self.subject.system == DATAVERSE else Direction.INBOUND


@dataclass(frozen=True, slots=True)
class Drain:
    """A control message: nothing changed, but the lane of `record` has work to do."""

    record: UUID
