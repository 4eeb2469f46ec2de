"""Outbound: a user's change in Dataverse, decided against the shadow and written to the legacy system.

What equals the shadow is our own write coming back and goes no further (N-06). A record is updated only at
the version the decision was made on; a create carries the row's GUID as its key, so that a repeated one
meets its own record.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from shared.core import decision as deciding
from shared.core.absorption import Seizing, given_back
from shared.core.change import Change, Json, Operation
from shared.core.crosswalk import Crosswalk
from shared.core.customers import Cases
from shared.core.errors import Gone, MovedOn, ParentElsewhere, Transient, in_system
from shared.core.identity import DATAVERSE, RecordKey, row_key
from shared.core.legacy import LegacySide, going_out
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Table, placeholder_id
from shared.core.mapping.references import RowRef
from shared.core.mapping.rows import read_row
from shared.core.mapping.spec import EntityMap, OnDelete
from shared.core.merge import Merge, Side, merge
from shared.core.outcome import Outcome
from shared.core.ownership import Declared, Owners
from shared.core.policy import alone, on_delete, parted
from shared.core.ports import Hold, LegacyRecord, LegacyRecords, Rows, Shadows
from shared.core.shadow import Moment, Shadow
from shared.core.survivorship import Survivorship
from shared.core.system import LegacySystem
from shared.core.takeback import TakeBack
from shared.core.turns import LoopBudget
from shared.core.unit import Undivided, UnitFinder
from shared.core.verdict import Absorption, Verdict
from shared.outbound.absorbing import Absorbing
from shared.outbound.placing import Placing
from shared.outbound.posting import Posting
from shared.outbound.target import Target, agreed_after, followed, unseen, with_defaults
from shared.outbound.undoing import undone

_ROUNDS = 4
"""How often a record may move on under us before the change is given to the retry timer."""


@dataclass(frozen=True, slots=True)
class Outbound:
    """Applies changes of Dataverse rows to the legacy system that holds, or should hold, the record."""

    systems: Mapping[str, LegacySystem]
    lookups: Mapping[str, Lookups]
    records: Mapping[str, LegacyRecords]
    tables: Mapping[str, Table]
    rows: Rows
    crosswalk: Crosswalk
    shadows: Shadows
    lanes: Seizing
    owners: Owners = field(default_factory=Declared)
    budget: LoopBudget = field(default_factory=LoopBudget)
    posting: Posting | None = None
    cases: Cases | None = None
    units: UnitFinder = field(default_factory=Undivided)
    survivorship: Mapping[str, Survivorship] = field(default_factory=dict)

    @property
    def absorbing(self) -> Absorbing:
        """What follows merges."""
        return Absorbing(
            self.systems,
            self.records,
            self.rows,
            self.crosswalk,
            self.shadows,
            self.owners,
            self.lanes,
            self.cases,
            self.units,
            self.survivorship,
        )

    @property
    def placing(self) -> Placing:
        """What finds where a row's changes go."""
        writes = self.posting.writes if self.posting else None
        return Placing(self.systems, self.crosswalk, writes, self.cases)

    async def apply(self, change: Change, record: UUID, shadow: Shadow, hold: Hold) -> Verdict:
        """Map back, decide and write one change; raises SyncError for what did not go through."""
        table = change.subject.entity
        if record == placeholder_id(table):
            return deciding.unchanged(change, Outcome.ECHO, "the placeholder is Tandem's own")
        if change.heir is None:
            return await self._changed(change, record, shadow, hold)
        if shadow.heir is not None:
            reason = f"the row was merged into {shadow.heir} itself"
            return replace(deciding.unchanged(change, Outcome.PARKED, reason), goes_to=shadow.heir)
        if change.subject.id == str(record):
            return await self.absorbing.turned_round(change, self.tables[table], record)
        done = await self.absorbing.apply(change, self.tables[table], record, shadow, hold)
        absorbed = done.absorbs if done is not None and done.absorbs is not None else Absorption()
        if absorbed.lease is None:
            return await self._tell_on(change, record, done, shadow, absorbed, hold)
        async with given_back(self.lanes, absorbed.lease):
            return await self._tell_on(change, record, done, shadow, absorbed, hold)

    async def _changed(self, change: Change, record: UUID, shadow: Shadow, hold: Hold) -> Verdict:
        """A row is new, changed, or gone."""
        target, *more = await self.placing.targets(change.subject.entity, record)
        entry = target.entry
        if not entry.outbound:
            reason = f"{target.system.name} takes no changes of its {entry.entity}"
            return deciding.unchanged(change, Outcome.ECHO, reason, entry)
        if shadow.heir is not None or change.subject.id != str(record):
            return await self.absorbing.late(change, target, record, shadow, hold)
        if (over := await self._over(change, entry, record, shadow, hold)) is not None:
            return over
        ours = None
        if change.operation is not Operation.DELETE:
            ours = await self._ours(change, entry, record)
            if ours is None:
                return deciding.unchanged(
                    change, Outcome.SUPERSEDED, "the row is gone; its delete follows", entry
                )
        living = [one for one in (target, *more) if one.system.name not in shadow.gone] or [target]
        if ours is None:
            return await self._all_end(change, living, shadow, hold)
        result: Verdict | None = None
        for each in living:
            if each is not target:
                ours = await self._ours(change, each.entry, record) or ours
            known = result.shadow or shadow if result is not None else shadow
            told = await self._tell_or_make(change, each, known, ours, hold)
            result = told if result is None else deciding.together(result, told)
        return result or deciding.unchanged(change, Outcome.ECHO, "no record of it is left", entry)

    async def _all_end(self, change: Change, targets: list[Target], shadow: Shadow, hold: Hold) -> Verdict:
        """The row is gone, and so is each of its records; what has to be acknowledged comes first."""
        result: Verdict | None = None
        for each in reversed(targets):
            told = await self._tell(change, each, shadow, None, hold)
            if told.outcome is Outcome.PARKED:
                return told
            result = told if result is None else deciding.together(result, told)
        return result or deciding.unchanged(change, Outcome.ECHO, "no record of it is left")

    async def _tell_or_make(
        self, change: Change, target: Target, shadow: Shadow, ours: Side, hold: Hold
    ) -> Verdict:
        """Tell one record of the row; a new one is made where what it hangs from is (ADR 0043)."""
        try:
            return await self._tell(change, target, shadow, ours, hold)
        except ParentElsewhere as missing:
            for other in self.placing.beside(target, missing):
                said = await self._ours(change, other.entry, UUID(change.subject.id))
                if said is None:
                    break
                with suppress(ParentElsewhere):
                    return await self._tell(change, other, shadow, said, hold)
            raise

    async def _tell(
        self, change: Change, target: Target, shadow: Shadow, ours: Side | None, hold: Hold
    ) -> Verdict:
        """Tell one record of the row; None of ours: the row is gone."""
        entry = target.entry
        system, said = target.system.name, ours.values if ours else {}
        units = partial(self.units.of, system, entry, shadow, said)
        owned = await self.owners.of(system, entry, units, change.phases.get(system, ""))
        settled = alone(change, entry, shadow, owned)
        owning = replace(target, owned=owned)
        return deciding.under(owned, settled or await self._cross(change, owning, shadow, ours, hold))

    async def _cross(
        self, change: Change, target: Target, shadow: Shadow, ours: Side | None, hold: Hold
    ) -> Verdict:
        """Send the change over, in the way its system takes changes; `ours` is None after a delete."""
        if target.system.by_import:
            return await self._post(change, target, shadow, ours, hold)
        if ours is None:
            return await self._delete(change, target, shadow, hold)
        shadow, record = replace(shadow, parted=None), UUID(change.subject.id)
        if target.key is None:
            return await self._create(change, target, shadow, ours, hold)
        known = with_defaults(change, shadow, ours)
        decided = await self._update(change, target, target.key, known, ours, hold)
        result = deciding.recognised(change, decided)
        return result if shadow.marks else deciding.paired(result, ((target.key, record),))

    async def _post(
        self, change: Change, target: Target, shadow: Shadow, ours: Side | None, hold: Hold
    ) -> Verdict:
        """Hand the change over by import; nothing is sent to a system that has no place for imports."""
        if self.posting is None or target.system.name not in self.posting.places:
            reason = f"{target.system.name} has no place for imports: nothing is sent to it"
            return deciding.unchanged(change, Outcome.ECHO, reason, target.entry)
        return await self.posting.apply(change, target, shadow, ours, hold)

    async def _tell_on(
        self,
        change: Change,
        record: UUID,
        done: Verdict | None,
        held: Shadow,
        absorbed: Absorption,
        hold: Hold,
    ) -> Verdict:
        """After a merge: the heir's row is told to every record of it that holds something else."""
        table = change.subject.entity
        heir = row_key(table, record)
        told = replace(change, subject=heir, operation=Operation.UPSERT, partial=True, data={}, heir=None)
        told = replace(told, version=0)
        result = done or deciding.unchanged(change, Outcome.ECHO, f"merged into {record} already")
        shadow = result.shadow or held
        keys = dict.fromkeys((*await self.crosswalk.claims_on(record), *absorbed.moved))
        for target in [self.placing.holding(key) for key in keys if key not in absorbed.ended]:
            is_taker = target is not None and target.entry.outbound
            if target is None or not is_taker or target.system.name in shadow.gone or not shadow.marks:
                continue
            ours = await self._ours(told, target.entry, record)
            if ours is None:
                break
            crossed = await self._tell(told, target, shadow, ours, hold)
            shadow = crossed.shadow or shadow
            result = deciding.together(result, replace(crossed, subject=change.subject))
        return result

    async def _over(
        self, change: Change, entry: EntityMap, record: UUID, shadow: Shadow, hold: Hold
    ) -> Verdict | None:
        """The verdict on what is told of a row's end, or of before it, where nobody's wish is in it."""
        if change.is_own:
            if change.operation is Operation.DELETE:
                return deciding.unchanged(change, Outcome.ECHO, "our own delete, told back", entry)
            if change.is_create and deciding.came_late(change, shadow):
                return await undone(self.rows, change, entry, record, hold)
        if shadow.has_ended(DATAVERSE, change.changed_at):
            return deciding.unchanged(change, Outcome.STALE, "older than its delete", entry)
        return None

    def map_version(self, change: Change) -> str:
        """See `Applier.map_version`; of the first system that takes rows of the table."""
        maps = (system.map_to(change.subject.entity) for system in self.systems.values())
        return next((entry.revision for entry in maps if entry is not None and entry.outbound), "")

    async def unit_of(self, change: Change, record: UUID, shadow: Shadow) -> str:
        """See `Applier.unit_of`."""
        target, *_ = await self.placing.targets(change.subject.entity, record)
        system = target.system.name
        if not (self.units.always or await self.owners.by_unit(system)):
            return ""
        chain = await self.units.of(system, target.entry, shadow, {})
        return chain[0].name if chain else ""

    async def _ours(self, change: Change, entry: EntityMap, record: UUID) -> Side | None:
        """What Dataverse says, in the columns that cross; a partial message is completed from the row."""
        crossing = going_out(entry)
        if change.partial:
            row = await self.rows.read(entry.table, record)
            if row is None:
                return None
            moment = deciding.row_moment(row.modified_at, row.version)
            values = row.values
        else:
            values = read_row(entry.table, change.data)
            moment = Moment(change.changed_at, change.version)
        crossed = {name: value for name, value in values.items() if name in crossing}
        for name, value in tuple(crossed.items()):
            # What waits for this record is done without until it is there (see `link_follows`).
            skipped = isinstance(value, RowRef) and row_key(value.table, value.id) in change.without
            if skipped and isinstance(value, RowRef) and not await self.crosswalk.records_of(value.id):
                del crossed[name]
        return Side(DATAVERSE, crossed, moment)

    async def _create(
        self, change: Change, target: Target, shadow: Shadow, ours: Side, hold: Hold
    ) -> Verdict:
        entry, system, record = target.entry, target.system, UUID(change.subject.id)
        decision = merge(shadow, ours, None, target.owned)
        spent = self.budget.spend(shadow, change, decision)
        filled = {name: value for name, value in ours.values.items() if value is not None}
        fields = await self._side(target).fields(entry, filled) | entry.row_field(record)
        await hold()
        made = await self.records[system.name].create(entry.entity, fields, str(record))
        key = RecordKey(system.name, entry.entity, made.id)
        as_sent = _holds(entry, made, fields, ours)
        after = agreed_after(entry, change, spent, decision, ours, (system.name, made if as_sent else None))
        return deciding.paired(deciding.verdict(change, entry, shadow, decision, after), ((key, record),))

    async def _update(
        self, change: Change, target: Target, key: RecordKey, shadow: Shadow, ours: Side, hold: Hold
    ) -> Verdict:
        entry = target.entry
        records = self.records[target.system.name]
        version = shadow.versions.get(target.system.name)
        held: Side | None = None
        written: LegacyRecord | None = None
        for _ in range(_ROUNDS):
            decision = merge(shadow, ours, held, target.owned)
            moved = await followed(self.rows, self.tables, change, shadow, decision.write)
            spent = self.budget.spend(shadow, change, decision, moved)
            if not decision.write:
                break
            if version is None:
                held, version = await self._read(target, key, shadow)
                continue
            fields = await self._side(target).fields(entry, decision.write)
            await hold()
            if decision.collisions or decision.behind:
                await self._overrule(change, target, decision)
            try:
                written = await records.update(entry.entity, key.id, fields, version)
            except MovedOn:
                version = None
                continue
            except Transient as error:
                error.begun = deciding.begun(shadow, decision, ours)
                error.phases = target.owned.phases
                raise
            break
        else:
            raise MovedOn(f"the record changed {_ROUNDS} times while it was written")
        after = agreed_after(entry, change, spent, decision, ours, (target.system.name, written))
        if held is not None and decision.third and change.phases.get(target.system.name):
            # A write of this change had begun there before, of what another record of the row may have said.
            after = deciding.read_since(after, held)
        if decision.back:
            await self._overrule(change, target, decision)
            back = TakeBack(decision.back, ours.values)
            seen = await back.from_row(self.rows, entry.table, UUID(change.subject.id), hold)
            after = deciding.taken_back(after, ours, seen)
        return deciding.verdict(change, entry, shadow, decision, after)

    async def _overrule(self, change: Change, target: Target, decision: Merge) -> None:
        record = UUID(change.subject.id)
        await self.shadows.overrule(change, record, decision.collisions, target.owned.phases)

    def _side(self, target: Target) -> LegacySide:
        return LegacySide(self.lookups[target.system.name])

    async def _read(self, target: Target, key: RecordKey, shadow: Shadow) -> tuple[Side, str]:
        """What the legacy system holds now, in Dataverse's terms, and its version."""
        found = await self.records[target.system.name].read(target.entry.entity, key.id)
        if found is None:
            with in_system(target.system.name):
                raise Gone(f"the record no longer exists in {target.system.name}")
        return await self._side(target).compared(target.entry, found, shadow), found.version

    async def _delete(self, change: Change, target: Target, shadow: Shadow, hold: Hold) -> Verdict:
        if target.key is None:
            return deciding.nothing_to_delete(change, target.entry, shadow, "no legacy system has the record")
        if deciding.too_old_to_delete(change, shadow):
            return deciding.unchanged(
                change, Outcome.CONFLICT, "deleted here, changed there later", target.entry
            )
        policy = on_delete(change, target.entry, target.owned)
        if policy is OnDelete.IGNORE:
            return parted(change, target.entry, shadow, deactivated=False)
        entity, records = target.entry.entity, self.records[target.system.name]
        found = await records.read(entity, target.key.id)
        if found is not None:
            held = await self._side(target).compared(target.entry, found, shadow)
            # At the version that was agreed on there is what the system itself put into a record we made.
            is_known = found.version == shadow.versions.get(target.system.name)
            if reason := unseen(target.entry, shadow, held, is_known=is_known):
                return deciding.unchanged(change, Outcome.CONFLICT, reason, target.entry)
            await hold()
            if policy is OnDelete.DEACTIVATE:
                await records.update(entity, target.key.id, target.entry.inactive_record, found.version)
                return parted(change, target.entry, shadow, deactivated=True)
            await records.delete(entity, target.key.id, found.version)
        last = found.changed_at if found else None
        return deciding.deleted(change, target.entry, shadow, (target.system.name, last))


def _holds(entry: EntityMap, made: LegacyRecord, fields: Mapping[str, Json], ours: Side) -> bool:
    """Whether a record is as it was sent, blanks included: a repeated create answers with what people made
    of it since.
    """
    held = entry.to_columns(made.fields).values
    sent = {name: None for name, value in ours.values.items() if value is None}
    sent |= entry.to_columns(fields).values
    return all(held.get(name) == value for name, value in sent.items())
