"""What Dataverse tells of its own rows, page by page: the port of change tracking."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.core.mapping.columns import Table, Value


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row that is new or changed: what `Row` says, under its id.

    `values` has the table's mapped columns; one that Dataverse answers with something unreadable is absent.
    """

    id: UUID
    values: Mapping[str, Value]
    version: str
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class RowPage:
    """What changed after a position, and the position after it; with `more` there is another page already."""

    changed: Sequence[ChangedRow]
    removed: Sequence[UUID]
    next: str
    more: bool = False


class StartOver(Exception):
    """The position is too old, or of other columns: read the table from the beginning again."""


class RowChanges(Protocol):
    """What Dataverse tells of its own rows, ours and everybody's changes alike."""

    async def changes(self, table: Table, since: str) -> RowPage:
        """What changed after a position; "" is the beginning, where every row counts as changed.

        A row shows as it is now, once, however often it changed. Raises StartOver, or Throttled, Unavailable
        and Refused.
        """
        ...
