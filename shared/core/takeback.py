"""Taking back: a value that its own side had no right to change is put back there, if it still holds it.

The value itself was kept before as a conflict. Whatever that side holds by now instead is told by a message
of its own, which is decided in its turn.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from shared.core import decision as deciding
from shared.core.errors import MovedOn
from shared.core.legacy import LegacySide
from shared.core.mapping.columns import Table, Value
from shared.core.mapping.spec import EntityMap
from shared.core.ports import Hold, LegacyRecords, Rows
from shared.core.shadow import Moment

_ROUNDS = 4
"""How often the record may move on under us before the change is given to the retry timer."""

Seen = Mapping[str, Moment]
"""Per column, the moment at which its own side was seen to hold the agreed value again."""


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Puts agreed values back: `said` is what the side said in their place."""

    back: Mapping[str, Value]
    said: Mapping[str, Value]

    def _due(self, held: Mapping[str, Value]) -> tuple[dict[str, Value], list[str]]:
        """What is still to be put back, and what holds the agreed value already."""
        due = {
            name: value for name, value in self.back.items() if name in held and held[name] == self.said[name]
        }
        return due, [name for name, value in self.back.items() if name in held and held[name] == value]

    async def from_row(self, rows: Rows, table: Table, row_id: UUID, hold: Hold) -> Seen:
        """Put them back into a row of Dataverse; a blank that its column cannot hold is left."""
        for _ in range(_ROUNDS):
            row = await rows.read(table, row_id)
            if row is None:
                return {}
            due, right = self._due(row.values)
            due = {
                name: value
                for name, value in due.items()
                if value is not None or table.columns[name].clearable
            }
            seen = dict.fromkeys(right, deciding.row_moment(row.modified_at, row.version))
            if not due:
                return seen
            await hold()
            try:
                answer = await rows.update(table, row_id, due, row.version)
            except MovedOn:
                continue
            return seen | dict.fromkeys(due, deciding.row_moment(answer.modified_at, answer.version))
        raise MovedOn(f"the row changed {_ROUNDS} times while a value was taken back")

    async def from_record(
        self, records: LegacyRecords, side: LegacySide, entry: EntityMap, record_id: str, hold: Hold
    ) -> Seen:
        """Put them back into a record of a legacy system."""
        for _ in range(_ROUNDS):
            found = await records.read(entry.entity, record_id)
            if found is None:
                return {}
            due, right = self._due((await side.held(entry, found)).values)
            seen = dict.fromkeys(right, Moment(found.changed_at))
            if not due:
                return seen
            fields = await side.fields(entry, due)
            if all(found.fields.get(name) == value for name, value in fields.items()):
                # Its system has one word for both, as for a row and the heir it was merged into.
                return seen | dict.fromkeys(due, Moment(found.changed_at))
            await hold()
            try:
                answer = await records.update(entry.entity, record_id, fields, found.version)
            except MovedOn:
                continue
            return seen | dict.fromkeys(due, Moment(answer.changed_at))
        raise MovedOn(f"the record changed {_ROUNDS} times while a value was taken back")
