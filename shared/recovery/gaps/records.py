"""A legacy system's side: everything it has, page by page, against what is agreed.

Only a snapshot that was seen from its beginning to its end tells what is no longer there; each record it
lacks is asked for by its id before anything is done. The ids of one snapshot are kept in memory meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from shared.core.change import Message, Operation
from shared.core.crosswalk import Crosswalk
from shared.core.feed import Cursors, LegacySnapshot
from shared.core.gap import Suspect, differs, last_held, message_of_record
from shared.core.identity import RecordKey
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Unresolved, Value
from shared.core.mapping.spec import EntityMap, Flow
from shared.core.ports import Clock, LegacyRecord, LegacyRecords, Shadows
from shared.core.shadow import Shadow
from shared.core.system import LegacySystem
from shared.recovery.gaps.cycle import Suspects, Tally
from shared.recovery.gaps.position import Position

_PAGES = 1000
"""Pages of one look; the next cycle goes on, but judges no deletes then."""

_PAGE = 200
"""Records of a page."""

_MARGIN = timedelta(minutes=15)
"""How far the system's clock may be behind ours before a change escapes the look that follows it."""


@dataclass(frozen=True, slots=True)
class RecordGaps:
    """Looks at one entity of one system."""

    system: LegacySystem
    entry: EntityMap
    snapshot: LegacySnapshot
    records: LegacyRecords
    lookups: Lookups
    shadows: Shadows
    crosswalk: Crosswalk
    suspects: Suspects
    cursors: Cursors
    clock: Clock
    queue: str
    _seen: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """See `Look.name`."""
        return f"gaps-{self.system.name}-{self.entry.entity}"

    @property
    def place(self) -> tuple[str, str]:
        """See `Look.place`."""
        return self.system.name, self.entry.entity

    async def compare(self, tally: Tally) -> None:
        """Read on from where the last look stopped; a look that begins anew can tell what was deleted."""
        self._seen.clear()
        from_start = False
        for _ in range(_PAGES):
            seen = await self.cursors.load(self.name)
            now = self.clock.now()
            position = Position.of(seen.position, now)
            if not position.token:
                from_start = True
                position = replace(position, at=now)
            page = await self.snapshot.page(self.entry.entity, position.token, _PAGE)
            for record in page.records:
                self._seen.add(record.id)
                tally.noticed += await self._suspicious(record, position)
            tally.compared += len(page.records)
            after = replace(position, token=page.next or "")
            if page.next is None:
                after = replace(after, whole_at=position.at, at=None)
            if await self.cursors.move(self.name, seen, after.text()) is None:
                return
            if page.next is None:
                tally.whole = from_start
                if from_start:
                    tally.noticed += await self._gone()
                return

    async def missing(self, found: Suspect) -> tuple[Suspect, Message] | None:
        """See `Look.missing`: the record is asked for by its id."""
        shadow = await self._shadow(found.subject)
        record = await self.records.read(self.entry.entity, found.subject.id)
        if found.operation is Operation.DELETE:
            if record is not None or not shadow.marks:
                return None
            return found, message_of_record(found, self.queue, {})
        if record is None or not differs(shadow, await self._values(record, shadow), self.system.name):
            return None
        now_missing = replace(found, changed_at=record.changed_at, known_at=record.changed_at)
        if record.changed_at != found.known_at and await self.suspects.heard(now_missing):
            return None
        return now_missing, message_of_record(now_missing, self.queue, record.fields)

    async def _suspicious(self, record: LegacyRecord, position: Position) -> bool:
        """Notice a record that holds what is not agreed, unless a message told of it."""
        if position.whole_at is not None and record.changed_at < position.whole_at - _MARGIN:
            return False
        subject = RecordKey(self.system.name, self.entry.entity, record.id)
        found = Suspect(subject, Operation.UPSERT, record.changed_at, record.changed_at)
        if await self.suspects.heard(found):
            return False
        shadow = await self._shadow(subject)
        is_new = not shadow.marks and shadow.deleted_at is None
        if is_new and record.changed_at < position.began - _MARGIN:
            return False
        if not differs(shadow, await self._values(record, shadow), self.system.name):
            return False
        return await self.suspects.notice(found)

    async def _gone(self) -> int:
        """Notice paired records that a whole snapshot lacks; how many."""
        noticed, after = 0, ""
        while paired := await self.suspects.paired(*self.place, after):
            for record_id, row_id in paired:
                if record_id not in self._seen:
                    shadow = await self.shadows.load(row_id)
                    noticed += await self._deleted(record_id, shadow)
            after = paired[-1][0]
        return noticed

    async def _deleted(self, record_id: str, shadow: Shadow) -> bool:
        if not shadow.marks:
            return False
        subject = RecordKey(self.system.name, self.entry.entity, record_id)
        found = Suspect(subject, Operation.DELETE, self.clock.now(), last_held(shadow, self.system.name))
        if await self.suspects.heard(found):
            return False
        if await self.records.read(self.entry.entity, record_id) is not None:
            return False
        return await self.suspects.notice(found)

    async def _shadow(self, subject: RecordKey) -> Shadow:
        row_id = await self.crosswalk.row_of(subject)
        return Shadow() if row_id is None else await self.shadows.load(row_id)

    async def _values(self, record: LegacyRecord, shadow: Shadow) -> Mapping[str, Value]:
        """What the record says in the columns that come in; what cannot be read or resolved is left out.

        Columns that Dataverse takes on create alone, and those that only tell of a change, are no difference.
        """
        mapped = self.entry.to_columns(record.fields).values
        said: dict[str, Unresolved] = {}
        for line in self.entry.fields:
            column = line.column
            if column.name not in mapped or line.flow is Flow.OUTBOUND or column.incidental:
                continue
            if column.create_only and column.name in shadow.marks:
                continue
            said[column.name] = mapped[column.name]
        return await self.lookups.known(self.entry, said)
