"""Inbound: a change in a legacy system, decided against the shadow and written to Dataverse.

No write is blind (E-19): a row is created under the GUID its record was given, and updated only at the
version the decision was made on. When the row moved on meanwhile it is read and the decision made again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from shared.core import decision as deciding
from shared.core.change import Change, Operation
from shared.core.errors import Gone, InvalidMessage, MovedOn, Transient
from shared.core.identity import DATAVERSE, RecordKey
from shared.core.legacy import LegacySide
from shared.core.lookups import Lookups
from shared.core.mapping.authorship import authorship
from shared.core.mapping.columns import Unresolved, Value
from shared.core.mapping.lifecycle import STATUS
from shared.core.mapping.spec import EntityMap, OnDelete
from shared.core.merge import Merge, Side, already_made, merge
from shared.core.outcome import Outcome
from shared.core.ownership import Declared, Owners, Ownership
from shared.core.policy import alone, filled_in, on_delete, parted
from shared.core.ports import Hold, LegacyRecords, MarketingLists, Row, Rows, Shadows
from shared.core.shadow import NEVER, Moment, Shadow
from shared.core.survivorship import NEWEST, Survivorship
from shared.core.system import LegacySystem
from shared.core.takeback import TakeBack
from shared.core.turns import LoopBudget
from shared.core.unit import Undivided, UnitFinder
from shared.core.verdict import Verdict
from shared.inbound import shared_rows as shared
from shared.inbound.absorbing import Absorbing, left_alone
from shared.inbound.assigning import Assigning, ownerless
from shared.inbound.by_import import ByImport
from shared.inbound.said import Said, after_write, is_made_by, speaks_anew, worthwhile
from shared.inbound.satellites import Followers
from shared.inbound.settling import Settling
from shared.inbound.splitting import Splitting

_ROUNDS = 4
"""How often a row may move on under us before the change is given to the retry timer."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """Applies changes of legacy systems to Dataverse."""

    systems: Mapping[str, LegacySystem]
    lookups: Mapping[str, Lookups]
    rows: Rows
    shadows: Shadows
    assigning: Assigning
    records: Mapping[str, LegacyRecords] = field(default_factory=dict)
    owners: Owners = field(default_factory=Declared)
    budget: LoopBudget = field(default_factory=LoopBudget)
    settling: Settling | None = None
    by_import: ByImport | None = None
    absorbing: Absorbing | None = None
    survivorship: Mapping[str, Survivorship] = field(default_factory=dict)
    splitting: Splitting | None = None
    units: UnitFinder = field(default_factory=Undivided)
    lists: MarketingLists | None = None

    async def apply(self, change: Change, record: UUID, shadow: Shadow, hold: Hold) -> Verdict:
        """Map, decide and write one change; raises SyncError for what did not go through."""
        system = self.systems[change.subject.system]
        entry = system.map_of(change.subject.entity)
        if entry is None:
            raise LookupError(f"{change.subject.system} has no map for {change.subject.entity}")
        if change.operation in {Operation.SETTLE, Operation.SPLIT}:
            return await self._decided(change, entry, record, shadow, hold)
        if (ended := await self._ended(change, entry, record, shadow, hold)) is not None:
            return ended
        mapped = entry.to_columns(change.data)
        if mapped.faults:
            raise InvalidMessage(*mapped.faults)
        units = partial(self.units.of, system.name, entry, shadow, mapped.values)
        owned = await self.owners.of(system.name, entry, units, change.phases.get(system.name, ""))
        settled = alone(change, entry, shadow, owned)
        return deciding.under(owned, settled or await self._told(change, entry, record, shadow, owned, hold))

    async def _told(
        self, change: Change, entry: EntityMap, record: UUID, shadow: Shadow, owned: Ownership, hold: Hold
    ) -> Verdict:
        """A record was merged, deleted, made or changed."""
        if change.operation is Operation.ABSORB:
            return await self._absorbed(change, entry, record, shadow, owned, hold)
        if change.operation is Operation.DELETE:
            return await self._delete(change, entry, record, shadow, owned, hold)
        return await self._upserted(change, entry, record, shadow, owned, hold)

    async def _upserted(
        self, change: Change, entry: EntityMap, record: UUID, shadow: Shadow, owned: Ownership, hold: Hold
    ) -> Verdict:
        values = entry.to_columns(change.data).values
        assigned = await self.assigning.assigned(change, entry, shadow, values, owned)
        ours = Side(change.subject.system, {}, NEVER)
        said = Said(change, entry, record, ours, owned, assigned.stands_in)
        return assigned.told(await self._changed(said, shared.back(change, shadow), assigned.values, hold))

    async def _absorbed(
        self, change: Change, entry: EntityMap, record: UUID, shadow: Shadow, owned: Ownership, hold: Hold
    ) -> Verdict:
        """Follow a merge. An heir nobody has told of yet is asked what it holds, and has its row first; one
        that takes over a row is asked then.
        """
        if await self._followed().is_the_end(change, record):
            ended = await self._delete(replace(change, heir=None), entry, record, shadow, owned, hold)
            heir = change.heir.id if change.heir else ""
            return replace(ended, reason=f"{ended.reason}; it was merged into {heir}, which has ended")
        if (heir_is := await self._followed().heir_without_row(change, record)) is not None:
            return left_alone(change, entry, shadow, heir_is)
        made = None
        if (said := await self._heir_says(change, entry, record, shadow)) is not None:
            if (elsewhere := await self._followed().row_of_heir(said, entry, record)) is not None:
                return deciding.elsewhere(change, entry, elsewhere)
            made = await self._upserted(said, entry, record, shadow, owned, hold)
            if not made.outcome.is_final or made.shadow is None:
                return replace(made, subject=change.subject)
            shadow = made.shadow
        followed = await self._followed().apply(change, entry, record, shadow, owned, hold)
        if followed.pairs and followed.shadow and (said := await self._held(change, entry, record)):
            told = await self._upserted(said, entry, record, followed.shadow, owned, hold)
            followed = deciding.together(followed, told)
        if made is not None:
            followed = deciding.together(made, followed)
        return replace(followed, subject=change.subject)

    async def _heir_says(
        self, change: Change, entry: EntityMap, record: UUID, shadow: Shadow
    ) -> Change | None:
        """What an heir holds of which nothing is agreed; None where it cannot be asked, or not here."""
        return None if shadow.marks else await self._held(change, entry, record)

    async def _held(self, change: Change, entry: EntityMap, record: UUID) -> Change | None:
        """What an heir holds, as if it told of that; None where it cannot be asked, or not here."""
        heir, records = change.heir, self.records.get(change.subject.system)
        if heir is None or records is None:
            return None
        known = await self.lookups[heir.system].crosswalk.entry(heir)
        found = await records.read(heir.entity, heir.id) if known is None or known.row == record else None
        if found is None or entry.to_columns(found.fields).faults:
            return None
        said = replace(change, subject=heir, operation=Operation.UPSERT, heir=None, data=found.fields)
        return replace(said, changed_at=found.changed_at, version=0)

    async def _changed(
        self, said: Said, shadow: Shadow, mapped: Mapping[str, Unresolved], hold: Hold
    ) -> Verdict:
        """A record is new, or changed."""
        change, entry, record, system = said.change, said.entry, said.record, said.ours.system
        values = await self.lookups[system].to_rows(entry, mapped, change.without)
        values = entry.as_agreed(values, _agreed(shadow))
        values |= shared.identity(entry, change.subject, shadow) | authorship(entry.table, change)
        missing = await self._part_missing(change, entry, values)
        if missing is not None:
            values = deciding.still_open(entry.table, values, shadow)
        await self._followers(system, entry).expect(record, {**_agreed(shadow), **values})
        moment = Moment(change.changed_at, change.version)
        said = replace(said, ours=Side(system, values, moment))
        result = await self._write(said, replace(shadow, parted=None), hold)
        return deciding.status_follows(result, missing)

    async def _decided(
        self, change: Change, entry: EntityMap, record: UUID, shadow: Shadow, hold: Hold
    ) -> Verdict:
        """Carry out what a person decided."""
        deciding_it = self.settling if change.operation is Operation.SETTLE else self.splitting
        if deciding_it is None:
            raise LookupError("nobody carries out people's decisions here")
        return await deciding_it.apply(change, entry, record, shadow, hold)

    def _followed(self) -> Absorbing:
        if self.absorbing is None:
            raise LookupError("nobody follows merges here")
        return self.absorbing

    async def _ended(
        self, change: Change, entry: EntityMap, record: UUID, shadow: Shadow, hold: Hold
    ) -> Verdict | None:
        """The verdict on what is said of a record that has ended, by a merge or a delete."""
        is_over = shadow.heir is not None or str(change.subject) in shadow.absorbed
        if is_over or (self.absorbing and await self.absorbing.is_surplus(change, entry, record)):
            return await self._of_a_loser(change, entry, record, shadow, hold)
        if change.operation is Operation.DELETE and change.is_own and shadow.marks:
            return deciding.unchanged(change, Outcome.ECHO, "our own delete, told back", entry)
        if shadow.has_ended(change.subject.system, change.changed_at):
            if change.operation is Operation.ABSORB:
                return await self._followed().into_what_ended(change, entry, record, shadow, hold)
            return deciding.unchanged(change, Outcome.STALE, "older than its delete", entry)
        return None

    async def _of_a_loser(
        self, change: Change, entry: EntityMap, record: UUID, shadow: Shadow, hold: Hold
    ) -> Verdict:
        """What a record says whose place another one has taken, or whose row was merged away."""
        known = self.lookups[change.subject.system]
        said = await known.known(entry, entry.to_columns(change.data).values)
        if change.operation is Operation.ABSORB:
            merged = deciding.unchanged(change, Outcome.ECHO, "merged already", entry)
            return replace(merged, outcome=Outcome.PARKED, goes_to=shadow.heir) if shadow.heir else merged
        return await self._followed().late(change, entry, record, shadow, said, hold)

    async def _part_missing(
        self, change: Change, entry: EntityMap, values: Mapping[str, Value]
    ) -> RecordKey | None:
        """The first part of the record that is not there yet, where its row shall leave its first state."""
        life, status = entry.table.lifecycle, values.get(STATUS)
        if entry.parts is None or life is None or not isinstance(status, int):
            return None
        if life.states[status] == life.states[life.start]:
            return None
        return await self.lookups[change.subject.system].missing(
            entry.parts.keys(change.subject, change.data)
        )

    def map_version(self, change: Change) -> str:
        """See `Applier.map_version`."""
        entry = self.systems[change.subject.system].map_of(change.subject.entity)
        return entry.revision if entry else ""

    async def unit_of(self, change: Change, record: UUID, shadow: Shadow) -> str:
        """See `Applier.unit_of`."""
        del record
        system = self.systems[change.subject.system]
        entry = system.map_of(change.subject.entity)
        if entry is None or not (self.units.always or await self.owners.by_unit(system.name)):
            return ""
        chain = await self.units.of(system.name, entry, shadow, entry.to_columns(change.data).values)
        return chain[0].name if chain else ""

    async def _write(self, said: Said, shadow: Shadow, hold: Hold) -> Verdict:
        change, entry, record, ours = said.change, said.entry, said.record, said.ours
        new, made = not shadow.marks, False
        version = shadow.versions.get(DATAVERSE)
        held: Side | None = None
        followers = self._followers(ours.system, entry)
        if not new and (version is None or speaks_anew(shadow, ours, entry)):
            held, version = await self._read(entry, record, shadow, ours)
        for _ in range(_ROUNDS):
            rules = self.survivorship.get(entry.table.name, NEWEST)
            decision = (
                merge(shadow, ours, held, said.owned)
                if new
                else worthwhile(shadow, said, held, entry.table, rules)
            )
            if made:
                decision = already_made(decision, ours)
            spent = self.budget.spend(shadow, change, decision)
            if new or decision.write:
                await hold()
            if decision.collisions and decision.write:
                await self.shadows.overrule(change, record, decision.collisions, said.owned.phases)
            try:
                row = await self._carry_out(entry, record, decision, None if new else version)
                after = after_write(spent, decision, ours, row, version if held else None)
                await followers.follow(record, _agreed(shadow), _agreed(after), hold)
            except MovedOn:
                held, version = await self._read(entry, record, shadow, ours)
                new, made = False, made or (new and is_made_by(change, ours, held, entry, shadow))
                if said.stands_in and not made:
                    said = replace(said, ours=ownerless(ours))
                    ours = said.ours
                continue
            except Transient as error:
                error.begun = deciding.begun(shadow, decision, ours, change.message_id if new else "")
                error.phases = said.owned.phases
                raise
            after = await self._take_back(said, decision, after, hold)
            decided = deciding.verdict(change, entry, shadow, decision, after)
            result = deciding.recognised(change, decided)
            result = deciding.paired(result, ((change.subject, record),))
            if decision.back and self.by_import is not None and self.by_import.takes(ours.system):
                return await self.by_import.back(change, entry, record, decision.back, result)
            return result
        raise MovedOn(f"the row changed {_ROUNDS} times while it was written")

    async def _take_back(self, said: Said, decision: Merge, after: Shadow, hold: Hold) -> Shadow:
        """Put back in the legacy record what was not for it to change, where it can be written."""
        subject = said.change.subject
        if not decision.back or subject.system not in self.records:
            return after
        await self.shadows.overrule(said.change, said.record, decision.collisions, said.owned.phases)
        seen = await TakeBack(decision.back, said.ours.values).from_record(
            self.records[subject.system],
            LegacySide(self.lookups[subject.system]),
            said.entry,
            subject.id,
            hold,
        )
        return deciding.taken_back(after, said.ours, seen)

    def _followers(self, system: str, entry: EntityMap) -> Followers:
        return Followers(entry, self.rows, self.lookups[system], self.lists)

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
        self,
        change: Change,
        entry: EntityMap,
        record: UUID,
        shadow: Shadow,
        owned: Ownership,
        hold: Hold,
    ) -> Verdict:
        if not shadow.marks:
            return deciding.nothing_to_delete(change, entry, shadow, "there is no such row")
        if (left := shared.left(change, entry, shadow)) is not None:
            return left
        if deciding.too_old_to_delete(change, shadow):
            return deciding.unchanged(change, Outcome.CONFLICT, "deleted there, changed here later", entry)
        policy = on_delete(change, entry, owned)
        if policy is OnDelete.IGNORE:
            return parted(change, entry, shadow, deactivated=False)
        row = await self.rows.read(entry.table, record)
        if row is not None:
            known = shadow.marks.keys() & row.values.keys()
            if any(row.values[name] != shadow.marks[name].value for name in known):
                return deciding.unchanged(change, Outcome.CONFLICT, "deleted there, changed here", entry)
            if filled := filled_in(entry, shadow, row.values):
                reason = f"deleted there, filled in here: {', '.join(filled)}"
                return deciding.unchanged(change, Outcome.CONFLICT, reason, entry)
            if policy is OnDelete.DEACTIVATE:
                await hold()
                await self.rows.update(entry.table, record, entry.inactive_row, row.version)
                return parted(change, entry, shadow, deactivated=True)
            followers = self._followers(change.subject.system, entry)
            await followers.undo(record, _agreed(shadow), hold)
            await hold()
            await self.rows.delete(entry.table, record, row.version)
        return deciding.deleted(change, entry, shadow, (DATAVERSE, row.modified_at if row else None))


def _agreed(shadow: Shadow) -> dict[str, Value]:
    """What both sides are known to hold."""
    return {name: mark.value for name, mark in shadow.marks.items()}
