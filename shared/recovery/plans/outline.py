"""A plan in outline: its records by their keys, and which of them hang from which others.

It holds keys and ids alone, never a message, so a plan of many thousands fits into memory. It is drawn page
by page, and drawn again by a worker that takes a plan over.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from shared.core.identity import RecordKey
from shared.core.mapping.columns import Unresolved
from shared.core.mapping.references import RecordRef, RowRef
from shared.core.plan_order import levels


@dataclass(slots=True)
class Outline:
    """What a prediction knows of a whole plan; `after` is the last record that was drawn."""

    rows: dict[RecordKey, UUID] = field(default_factory=dict)
    records: dict[UUID, list[RecordKey]] = field(default_factory=dict)
    wanted: dict[UUID, list[RecordKey | UUID]] = field(default_factory=dict)
    after: UUID | None = None
    is_whole: bool = False

    def draw(self, record: UUID, keys: Iterable[RecordKey], wanted: list[RecordKey | UUID]) -> None:
        """Add a record: the keys its messages speak of, and what they point at."""
        self.wanted[record] = wanted
        for key in dict.fromkeys(keys):
            self.rows[key] = record
            self.records.setdefault(record, []).append(key)
        self.after = record

    def depths(self) -> dict[UUID, int]:
        """How deep each record hangs."""
        needs = {
            record: [
                parent
                for each in points
                if (parent := each if isinstance(each, UUID) else self.rows.get(each)) is not None
                and parent != record
            ]
            for record, points in self.wanted.items()
        }
        return levels(needs)


def needed(values: Mapping[str, Unresolved]) -> list[RecordKey | UUID]:
    """What lookups point at: records by key, rows by id."""
    found: list[RecordKey | UUID] = []
    for value in values.values():
        if isinstance(value, RecordRef):
            found.append(value.key)
        elif isinstance(value, RowRef):
            found.append(value.id)
    return found
