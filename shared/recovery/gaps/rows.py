"""Dataverse's side: what its change tracking tells, against what is agreed.

A row that Tandem never heard of counts only if it changed after the detector first looked: what was there
before is for a migration to bring over, not for a timer.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from shared.core.absorption import merged_into
from shared.core.change import Message, Operation
from shared.core.decision import number_of, row_moment
from shared.core.feed import Cursors
from shared.core.gap import Suspect, differs, last_held, left_behind, message_of_row
from shared.core.identity import DATAVERSE, row_key
from shared.core.mapping.columns import Table, Value, placeholder_id
from shared.core.mapping.spec import EntityMap, Flow
from shared.core.ports import Clock, Row, Rows, Shadows
from shared.core.row_changes import ChangedRow, RowChanges, StartOver
from shared.core.shadow import Shadow
from shared.recovery.gaps.cycle import Suspects, Tally
from shared.recovery.gaps.position import Position

_PAGES = 200
"""Pages of one look; the next cycle goes on."""

_UNHEARD = datetime(1970, 1, 1, tzinfo=UTC)
"""When a row was last known to be there of which nothing is known."""


@dataclass(frozen=True, slots=True)
class RowGaps:
    """Looks at one table. `entry` is the map that sends its rows out, `takers` its takers' columns."""

    entry: EntityMap
    changes: RowChanges
    rows: Rows
    shadows: Shadows
    suspects: Suspects
    cursors: Cursors
    clock: Clock
    queue: str
    takers: Mapping[str, Collection[str]] = field(default_factory=dict)

    @property
    def table(self) -> Table:
        """The table."""
        return self.entry.table

    @property
    def name(self) -> str:
        """See `Look.name`."""
        return f"gaps-{DATAVERSE}-{self.table.name}"

    @property
    def place(self) -> tuple[str, str]:
        """See `Look.place`."""
        return DATAVERSE, self.table.name

    async def compare(self, tally: Tally) -> None:
        """Read what changed since the last look; the watermark moves once its suspects are kept."""
        for _ in range(_PAGES):
            seen = await self.cursors.load(self.name)
            position = Position.of(seen.position, self.clock.now())
            try:
                page = await self.changes.changes(self.table, position.token)
            except StartOver:
                position = replace(position, token="")
                page = await self.changes.changes(self.table, "")
            for row in page.changed:
                tally.noticed += await self._suspicious(row, position)
            for row_id in page.removed:
                tally.noticed += await self._removed(row_id)
            tally.compared += len(page.changed) + len(page.removed)
            moved = await self.cursors.move(self.name, seen, replace(position, token=page.next).text())
            if not page.more or moved is None:
                tally.whole = not page.more
                return

    async def missing(self, found: Suspect) -> tuple[Suspect, Message] | None:
        """See `Look.missing`: the row is read again."""
        row_id = UUID(found.subject.id)
        shadow = await self.shadows.load(row_id)
        is_end = found.operation is Operation.DELETE
        if is_end and not shadow.marks and not await self.suspects.awaited(row_id):
            return None
        row = await self.rows.read(self.table, row_id)
        if is_end:
            return None if row is not None else (found, message_of_row(found, self.queue))
        if row is None or not self._is_untold(shadow, row):
            return None
        version = row_moment(row.modified_at, row.version).version
        now_missing = replace(found, changed_at=row.modified_at, known_at=row.modified_at, version=version)
        if version != found.version and await self.suspects.heard(now_missing):
            return None
        return now_missing, message_of_row(now_missing, self.queue, merged_into(row.values))

    async def _suspicious(self, row: ChangedRow, position: Position) -> bool:
        """Notice a row that holds what is not agreed, unless a message told of it; whether it was noticed."""
        if row.id == placeholder_id(self.table.name):
            return False
        shadow = await self.shadows.load(row.id)
        is_new = not shadow.marks and shadow.deleted_at is None
        # Dataverse tells whole seconds.
        is_older = row.modified_at < position.began.replace(microsecond=0)
        if (is_new and is_older) or not self._is_untold(shadow, row):
            return False
        version = row_moment(row.modified_at, row.version).version
        subject = row_key(self.table.name, row.id)
        found = Suspect(subject, Operation.UPSERT, row.modified_at, row.modified_at, version)
        return not await self.suspects.heard(found) and await self.suspects.notice(found)

    async def _removed(self, row_id: UUID) -> bool:
        """Notice a row that is gone, unless a message told of it; whether it was noticed."""
        shadow = await self.shadows.load(row_id)
        if shadow.deleted_at is not None:
            return False
        # It was deleted after it was last seen, and before it was noticed. Of one that nobody has heard of
        # the create may be on its way yet.
        last = last_held(shadow, DATAVERSE) if shadow.marks else _UNHEARD
        found = Suspect(row_key(self.table.name, row_id), Operation.DELETE, self.clock.now(), last)
        return not await self.suspects.heard(found) and await self.suspects.notice(found)

    def _is_untold(self, shadow: Shadow, row: Row | ChangedRow) -> bool:
        """Whether somebody has yet to hear of it: what a row holds, or that it was merged into another.

        Not of what Dataverse filled in as we wrote the row: its version is known to equal the shadow.
        """
        if shadow.heir is not None:
            # Of one that was made too late to be merged nothing is known but that.
            return not shadow.marks and not row.values.get("statecode")
        if merged_into(row.values) is not None:
            return True
        is_newer = row_moment(row.modified_at, row.version).version > number_of(shadow)
        differs_here = is_newer and differs(shadow, self._crossing(row.values), DATAVERSE)
        return differs_here or left_behind(shadow, self.takers)

    def _crossing(self, values: Mapping[str, Value]) -> dict[str, Value]:
        crossing = {line.column.name for line in self.entry.fields if line.flow is not Flow.INBOUND}
        return {name: value for name, value in values.items() if name in crossing}
