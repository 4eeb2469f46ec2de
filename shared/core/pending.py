"""Pending writes: what is handed to a system that takes files only, and waits for its acknowledgement.

A record has one pending write at a time, and its lane waits for it: what is told of the record meanwhile
keeps its order. Each field carries the value it replaces, so that no import writes over what people did.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from shared.core.change import Json
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Value
from shared.core.shadow import Moment

_KIND = "acknowledgement"


class Asked(StrEnum):
    """What a row of an import asks for."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Answer(StrEnum):
    """What a system says about one row of an import."""

    ACCEPTED = "accepted"
    """The record is as asked for, by this row or already."""
    CHANGED = "changed"
    """A field no longer holds what it was said to hold; nothing was done."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """A write to be handed over: `fields` by their names there, with what each was (`was`).

    `values` are the columns that both sides agree on once it is accepted, as Dataverse said them at `moment`.
    `id` is the record's own; a create has none and names the row instead.
    """

    system: str
    entity: str
    record: UUID
    asked: Asked
    id: str | None
    fields: Mapping[str, Json]
    was: Mapping[str, Json]
    values: Mapping[str, Value]
    moment: Moment


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What became of a row: `at` by the system's clock, and the record as it is there after the import.

    `changed_at` is when the record last changed there, as far as it tells. `code` and `field` say why a row
    was refused, in the system's own stable words.
    """

    answer: Answer
    at: datetime
    id: str | None = None
    held: Mapping[str, Json] = field(default_factory=dict)
    changed_at: datetime | None = None
    code: str = ""
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A pending write by its number, and what was answered, if anything yet."""

    number: int
    write: PendingWrite
    answered: Acknowledged | None = None


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A workbook with writes of one entity; `written_at` is None until it surely lies in its place."""

    number: int
    entity: str
    name: str
    written_at: datetime | None = None


class PendingWrites(Protocol):
    """The queue of pending writes."""

    async def of(self, record: UUID) -> Posted | None:
        """The write of a record that is not over yet, or None."""
        ...


def acknowledgement_of(system: str, record: UUID) -> RecordKey:
    """What an item waits for while its write is pending."""
    return RecordKey(system, _KIND, str(record))


def is_acknowledgement(key: RecordKey) -> bool:
    """Whether what is waited for is an acknowledgement, and no record."""
    return key.entity == _KIND
