"""Which legacy record is which Dataverse row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from shared.core.identity import RecordKey, chosen_row_id


@dataclass(frozen=True, slots=True)
class Entry:
    """A record's place in the crosswalk: its row, whether that exists, whether another one speaks for it."""

    row: UUID
    is_paired: bool
    is_absorbed: bool = False

    def is_guess(self, key: RecordKey) -> bool:
        """Whether the row is only the one that would be made for the record, and nobody has named another."""
        return not self.is_paired and self.row == chosen_row_id(key)


class Crosswalk(Protocol):
    """Which legacy record is which Dataverse row."""

    async def claim(self, key: RecordKey, row_id: UUID | None, chosen: UUID) -> UUID:
        """The canonical row of a record: the paired one, else `row_id`, else `chosen`, then reserved.

        A reserved (not yet written) row gives way to an explicit `row_id`; the lane moves with it. A paired
        one does not: raises `InvalidMessage` (`message.identity_mismatch`).
        """
        ...

    async def row_of(self, key: RecordKey) -> UUID | None:
        """The row a record is paired with; None until its row really exists."""
        ...

    async def records_of(self, row_id: UUID) -> Sequence[RecordKey]:
        """The legacy records paired with a row."""
        ...

    async def claims_on(self, row_id: UUID) -> Sequence[RecordKey]:
        """The legacy records paired with a row, and those it was promised to before it was written."""
        ...

    async def heir_of(self, row_id: UUID) -> UUID | None:
        """The row that a row was merged into; None for one that stands for itself."""
        ...

    async def entry(self, key: RecordKey) -> Entry | None:
        """What is known of a record; None for one nobody has told of."""
        ...
