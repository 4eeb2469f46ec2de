"""Inbound: a change in a legacy system, decided against the shadow and written to Dataverse.

No write is blind (E-19): a row is created under the GUID its record was given, and updated only at the
version the decision was made on. When the row moved on meanwhile it is read and the decision made again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from shared.core import decision as deciding
from shared.core.change import Change, Operation
from shared.core.errors import Gone, InvalidMessage, MovedOn, Transient
from shared.core.identity import DATAVERSE
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Table, Value
from shared.core.mapping.spec import EntityMap
from shared.core.merge import Merge, Side, merge
from shared.core.outcome import Outcome
from shared.core.ports import Hold, Row, Rows, Shadows
from shared.core.shadow import Moment, Shadow
from shared.core.system import LegacySystem
from shared.core.verdict import Verdict

_ROUNDS = 4
"""How often a row may move on under us before the change is given to the retry timer."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """Applies changes of legacy systems to Dataverse."""

    systems: Mapping[str, LegacySystem]
    lookups: Mapping[str, Lookups]
    rows: Rows
    shadows: Shadows

    async def apply(self, change: Change, record: UUID, hold: Hold) -> Verdict:
        """Map, decide and write one change; raises SyncError for what did not go through."""
        system = self.systems[change.subject.system]
        entry = system.map_of(change.subject.entity)
        if entry is None:
            raise LookupError(f"{change.subject.system} has no map for {change.subject.entity}")
        shadow = await self.shadows.load(record)
        if shadow.deleted_at is not None and change.changed_at <= shadow.deleted_at:
            return deciding.unchanged(change, Outcome.STALE, "older than its delete", entry)
        if change.operation is Operation.DELETE:
            return await self._delete(change, entry, record, shadow, hold)
        mapped = entry.to_columns(change.data)
        if mapped.faults:
            raise InvalidMessage(*mapped.faults)
        values = await self.lookups[system.name].to_rows(entry, mapped.values)
        values |= entry.identity(change.subject)
        moment = Moment(change.changed_at, change.version)
        return await self._write(change, entry, record, shadow, Side(system.name, values, moment), hold)

    def map_version(self, change: Change) -> str:
        """See `Applier.map_version`."""
        entry = self.systems[change.subject.system].map_of(change.subject.entity)
        return entry.revision if entry else ""

    async def _write(
        self, change: Change, entry: EntityMap, record: UUID, shadow: Shadow, ours: Side, hold: Hold
    ) -> Verdict:
        pairs = ((change.subject, record),)
        new = not shadow.marks
        version = shadow.versions.get(DATAVERSE)
        held: Side | None = None
        if not new and version is None:
            held, version = await self._read(entry, record, shadow, ours)
        for _ in range(_ROUNDS):
            decision = merge(shadow, ours, held) if new else _worthwhile(shadow, ours, held, entry.table)
            if new or decision.write:
                await hold()
            if decision.collisions and decision.write:
                await self.shadows.overrule(change, record, decision.collisions)
            try:
                row = await self._carry_out(entry, record, decision, None if new else version)
            except MovedOn:
                held, version = await self._read(entry, record, shadow, ours)
                new = False
                continue
            except Transient as error:
                error.begun = deciding.begun(shadow, decision, ours)
                raise
            after = _after(shadow, decision, ours, row, version if held else None)
            result = deciding.verdict(change, entry, shadow, decision, after)
            return deciding.paired(result, pairs)
        raise MovedOn(f"the row changed {_ROUNDS} times while it was written")

    async def _carry_out(
        self, entry: EntityMap, record: UUID, decision: Merge, version: str | None
    ) -> Row | None:
        if version is None:
            return await self.rows.create(entry.table, record, decision.write)
        if decision.write:
            return await self.rows.update(entry.table, record, decision.write, version)
        return None

    async def _read(self, entry: EntityMap, record: UUID, shadow: Shadow, ours: Side) -> tuple[Side, str]:
        row = await self.rows.read(entry.table, record)
        if row is None:
            raise Gone("the row no longer exists in Dataverse")
        columns = shadow.marks.keys() | ours.values.keys()
        held = {column: value for column, value in row.values.items() if column in columns}
        return Side(DATAVERSE, held, deciding.row_moment(row.modified_at, row.version)), row.version

    async def _delete(
        self, change: Change, entry: EntityMap, record: UUID, shadow: Shadow, hold: Hold
    ) -> Verdict:
        if not shadow.marks:
            return deciding.nothing_to_delete(change, entry, shadow, "there is no such row")
        if deciding.too_old_to_delete(change, shadow):
            return deciding.unchanged(change, Outcome.CONFLICT, "deleted there, changed here later", entry)
        row = await self.rows.read(entry.table, record)
        if row is not None:
            known = shadow.marks.keys() & row.values.keys()
            if any(row.values[name] != shadow.marks[name].value for name in known):
                return deciding.unchanged(change, Outcome.CONFLICT, "deleted there, changed here", entry)
            await hold()
            await self.rows.delete(entry.table, record, row.version)
        return deciding.deleted(change, entry, shadow, row.modified_at if row else None)


def _worthwhile(shadow: Shadow, ours: Side, held: Side | None, table: Table) -> Merge:
    """The merge with a row that exists: without columns that Dataverse takes on create alone, and without a
    write that would change nothing but incidental columns (our own write coming back with a new time).
    """
    values: dict[str, Value] = {
        name: value for name, value in ours.values.items() if not table.columns[name].create_only
    }
    decision = merge(shadow, replace(ours, values=values), held)
    if all(table.columns[name].incidental for name in decision.write):
        return replace(decision, write={})
    return decision


def _after(shadow: Shadow, decision: Merge, ours: Side, row: Row | None, read_at: str | None) -> Shadow:
    """The shadow after the write; the row's version is kept only where the row equals the shadow."""
    if row is None:
        known = {DATAVERSE: read_at if decision.complete else None} if read_at else {}
        return deciding.agreed(shadow, decision, ours, None, known)
    answered = Side(DATAVERSE, {}, deciding.row_moment(row.modified_at, row.version))
    return deciding.agreed(
        shadow, decision, ours, answered, {DATAVERSE: (row.version or None) if decision.complete else None}
    )
