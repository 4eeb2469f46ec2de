"""A person's decision on a conflict, carried out on both sides in the record's own lane.

It counts only while both sides hold what the person saw. Where one has moved on, the conflict stays open with
what they hold now, and the person is asked again: nobody decides over a value they have not seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from shared.core import decision as deciding
from shared.core.acknowledging import awaiting, refused, still_awaiting
from shared.core.change import Change
from shared.core.conflict import Conflicts, Settlement
from shared.core.errors import OneWay
from shared.core.identity import DATAVERSE
from shared.core.legacy import LegacySide
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Value
from shared.core.mapping.spec import EntityMap
from shared.core.outcome import Outcome
from shared.core.pending import Acknowledged, Answer, Posted
from shared.core.ports import Hold, LegacyRecord, LegacyRecords, Row, Rows
from shared.core.shadow import Mark, Moment, Shadow
from shared.core.verdict import Collision, Verdict
from shared.inbound.by_import import ByImport


@dataclass(frozen=True, slots=True)
class Settling:
    """Settles conflicts."""

    conflicts: Conflicts
    rows: Rows
    records: Mapping[str, LegacyRecords]
    lookups: Mapping[str, Lookups]
    by_import: ByImport | None = None

    async def apply(
        self, change: Change, entry: EntityMap, record: UUID, shadow: Shadow, hold: Hold
    ) -> Verdict:
        """Write what was decided to whichever side does not hold it."""
        decided = await self.conflicts.decided(change.settles or 0)
        mark = shadow.marks.get(decided.column) if decided and decided.record == record else None
        if decided is None or mark is None or not mark.disputed:
            return deciding.unchanged(change, Outcome.ECHO, "the conflict is over", entry)
        change, entry = await self._told_of(change, entry, record, mark)
        system, column = change.subject.system, decided.column
        if self.by_import is not None and self.by_import.takes(system):
            handing = _Handing(self.by_import, self.rows, change, entry, decided)
            return await handing.settled(shadow, mark, hold)
        if system not in self.records:
            return await self._on_the_row(change, entry, decided, shadow, hold)
        side = LegacySide(self.lookups[system])
        row = await self.rows.read(entry.table, record)
        found = await self.records[system].read(entry.entity, change.subject.id)
        if row is None or found is None:
            return _gone(change, entry, shadow, column)
        legacy = (await side.held(entry, found)).values.get(column, mark.held_by(system))
        held = {system: legacy, DATAVERSE: row.values.get(column)}
        if not _as_seen(decided, held[system], held[DATAVERSE]):
            seen = {system: Moment(found.changed_at), DATAVERSE: _moment(row)}
            return _asked_again(change, entry, shadow, column, held, seen)
        fields = await side.fields(entry, {column: decided.value})
        if held[DATAVERSE] != decided.value or _untold(shadow, system, decided):
            # A row that holds it already is written all the same where others are to hear: its message tells.
            await hold()
            row = await self.rows.update(entry.table, record, {column: decided.value}, row.version)
        if held[system] != decided.value:
            await hold()
            found = await self.records[system].update(entry.entity, change.subject.id, fields, found.version)
        return _settled(change, entry, shadow, decided, (row, found))

    async def _told_of(
        self, change: Change, entry: EntityMap, record: UUID, mark: Mark
    ) -> tuple[Change, EntityMap]:
        """The change as one of the record whose value is in dispute, and that one's map.

        The decision names the row's first record; where several records are the row, it may be about another.
        """
        if change.subject.system == mark.rival or mark.rival not in self.lookups:
            return change, entry
        known = self.lookups[mark.rival]
        keys = await known.crosswalk.records_of(record)
        rival = next((key for key in keys if key.system == mark.rival), change.subject)
        return replace(change, subject=rival), known.system.map_of(rival.entity) or entry

    async def _on_the_row(
        self, change: Change, entry: EntityMap, decided: Settlement, shadow: Shadow, hold: Hold
    ) -> Verdict:
        """Settle where nothing can be written to the record: it has to hold already what was decided.

        Raises OneWay where it does not: the two sides would differ, and be taken for agreed.
        """
        system, column = change.subject.system, decided.column
        mark = shadow.marks[column]
        row = await self.rows.read(entry.table, decided.record)
        if row is None:
            return _gone(change, entry, shadow, column)
        held = {system: mark.held_by(system), DATAVERSE: row.values.get(column)}
        if not _as_seen(decided, held[system], held[DATAVERSE]):
            return _asked_again(change, entry, shadow, column, held, {DATAVERSE: _moment(row)})
        if held[system] != decided.value:
            raise OneWay(system, column)
        if held[DATAVERSE] != decided.value or _untold(shadow, system, decided):
            await hold()
            row = await self.rows.update(entry.table, decided.record, {column: decided.value}, row.version)
        at = mark.seen[system].at if system in mark.seen else change.changed_at
        return _settled(change, entry, shadow, decided, (row, LegacyRecord(change.subject.id, {}, "", at)))


@dataclass(frozen=True, slots=True)
class _Handing:
    """A decision that is carried out by import: the row at once, the record once it is acknowledged."""

    by_import: ByImport
    rows: Rows
    change: Change
    entry: EntityMap
    decided: Settlement

    async def settled(self, shadow: Shadow, mark: Mark, hold: Hold) -> Verdict:
        """The verdict as far as the decision has come."""
        change, entry, decided = self.change, self.entry, self.decided
        system, column, record = change.subject.system, decided.column, decided.record
        posted = await self.by_import.writes.of(record)
        answered = posted.answered if posted else None
        row = await self.rows.read(entry.table, record)
        if row is None:
            return _gone(change, entry, shadow, column)
        if posted is not None and answered is None:
            return still_awaiting(change, entry, posted.write, self.by_import.latency(change))
        if posted is not None and answered is not None and answered.answer is Answer.REFUSED:
            return refused(change, entry, posted, answered)
        held = {system: mark.held_by(system), DATAVERSE: row.values.get(column)}
        at = mark.seen[system].at if system in mark.seen else change.changed_at
        if posted is not None and answered is not None:
            at = answered.at
            held[system] = await self._held(posted, answered, held[system])
        concludes = posted.number if posted else None
        if not _as_seen(decided, held[system], held[DATAVERSE]):
            again = _asked_again(change, entry, shadow, column, held, {DATAVERSE: _moment(row)})
            return replace(again, concludes=concludes)
        if held[DATAVERSE] != decided.value or _untold(shadow, system, decided):
            await hold()
            row = await self.rows.update(entry.table, record, {column: decided.value}, row.version)
        if held[system] == decided.value:
            ends = (row, LegacyRecord(change.subject.id, {}, "", at))
            return replace(_settled(change, entry, shadow, decided, ends), concludes=concludes)
        was = await self.by_import.side(change).fields(entry, {column: held[system]})
        told = answered.held if answered else {}
        values = {column: decided.value}
        write = await self.by_import.write(change, entry, record, values, was | dict(told))
        waits = awaiting(change, entry, write, self.by_import.latency(change))
        return replace(waits, concludes=concludes)

    async def _held(self, posted: Posted, answered: Acknowledged, before: Value) -> Value:
        """What the record holds in the column by now, as far as the acknowledgement tells."""
        if answered.answer is Answer.ACCEPTED:
            return posted.write.values.get(self.decided.column, before)
        told = await self.by_import.told(self.change, self.entry, answered)
        return told.get(self.decided.column, before)


def _as_seen(decided: Settlement, legacy: Value, row: Value) -> bool:
    """Whether both sides hold what the person saw, or what an earlier try has already written."""
    return legacy in (decided.inbound, decided.value) and row in (decided.outbound, decided.value)


def _settled(
    change: Change,
    entry: EntityMap,
    shadow: Shadow,
    decided: Settlement,
    ends: tuple[Row, LegacyRecord],
) -> Verdict:
    row, found = ends
    system, column, before = change.subject.system, decided.column, shadow.marks[decided.column]
    seen = {
        **before.seen,
        system: Moment(found.changed_at),
        DATAVERSE: _moment(row),
    }
    apart = _untold(shadow, system, decided)
    mark = Mark(decided.value, change.changed_at, "person", seen, apart=apart)
    # Either side may hold other news by now: each is read again before it is next written.
    after = replace(shadow, marks={**shadow.marks, column: mark}, versions={})
    return Verdict(
        Outcome.APPLIED,
        f"{column}: settled by {decided.by}",
        change.subject,
        shadow=after,
        map_version=entry.revision,
        ended={column: f"settled by {decided.by}"},
    )


def _untold(shadow: Shadow, system: str, decided: Settlement) -> dict[str, Value]:
    """What the row's other records hold that have yet to be told of a decision."""
    mark, others = shadow.marks[decided.column], sorted(shadow.sharing - {system, DATAVERSE})
    return {name: held for name in others if (held := mark.told_by(name)) != decided.value}


def _moment(row: Row) -> Moment:
    return deciding.row_moment(row.modified_at, row.version)


def _asked_again(
    change: Change,
    entry: EntityMap,
    shadow: Shadow,
    column: str,
    held: Mapping[str, Value],
    seen: Mapping[str, Moment],
) -> Verdict:
    """The conflict stays open with what both sides hold now; `seen` is when they were seen to hold it."""
    before = shadow.marks[column]
    mark = replace(before, disputed=held, seen={**before.seen, **seen})
    now = Collision(column, mark.value, held[change.subject.system], held[DATAVERSE], "", "person")
    return Verdict(
        Outcome.CONFLICT,
        f"{column} was changed again before it was settled: a person looks once more",
        change.subject,
        collisions=(now,),
        shadow=replace(shadow, marks={**shadow.marks, column: mark}),
        map_version=entry.revision,
    )


def _gone(change: Change, entry: EntityMap, shadow: Shadow, column: str) -> Verdict:
    """One side has no such record any more: its end is a message of its own."""
    mark = replace(shadow.marks[column], disputed={})
    return Verdict(
        Outcome.STALE,
        f"{column}: one side no longer has the record",
        change.subject,
        shadow=replace(shadow, marks={**shadow.marks, column: mark}, versions={}),
        map_version=entry.revision,
        ended={column: "one side no longer has the record"},
    )
