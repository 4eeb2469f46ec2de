"""What a lookup column holds, before and after it is resolved."""

from dataclasses import dataclass
from uuid import UUID

from shared.core.identity import RecordKey


@dataclass(frozen=True, slots=True)
class RowRef:
    """A resolved lookup: one row of one Dataverse table. Written `account/<guid>` in shadow and journal."""

    table: str
    id: UUID

    def __str__(self) -> str:
        return f"{self.table}/{self.id}"


@dataclass(frozen=True, slots=True)
class RecordRef:
    """A lookup to a synced record: resolved through the crosswalk, and worth waiting for when unknown."""

    key: RecordKey


@dataclass(frozen=True, slots=True)
class DirectoryRef:
    """A lookup to reference data that Dataverse owns: a user by e-mail, a currency by ISO code.

    `value` is compared without regard to letter case. A miss is not worth waiting for; `required` says
    whether it is a fault or leaves the column to its default.

    `within` narrows the search to the rows whose first column points where the second column of our own row
    does: an opportunity of the quote's company. `scope` is that row, once it is known.
    """

    table: str
    column: str
    value: str
    required: bool
    within: tuple[str, str] | None = None
    scope: RowRef | None = None


@dataclass(frozen=True, slots=True)
class PlaceholderRef:
    """The one placeholder row of a table, for records that must hang from something (A-01b)."""

    table: str
