"""A merge in Dataverse, followed in the legacy systems (C-33)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

from shared.core import decision as deciding
from shared.core.absorption import Estate, Seizing, inherited, merged_into, renamed, seized
from shared.core.change import Change, Operation
from shared.core.crosswalk import Crosswalk
from shared.core.customers import Cases
from shared.core.identity import DATAVERSE, RecordKey
from shared.core.legacy import going_out
from shared.core.mapping.columns import Table
from shared.core.mapping.spec import EntityMap, OnDelete
from shared.core.outcome import Outcome
from shared.core.ownership import Owners
from shared.core.policy import on_merge
from shared.core.ports import Hold, LegacyRecords, Row, Rows, Shadows
from shared.core.shadow import Shadow
from shared.core.survivorship import NEWEST, Survivorship, surviving
from shared.core.system import LegacySystem
from shared.core.unit import Undivided, UnitFinder
from shared.core.verdict import Absorption, Collision, Verdict
from shared.outbound.target import Target


@dataclass(frozen=True, slots=True)
class Absorbing:
    """Tells the legacy systems that one row has taken the place of another."""

    systems: Mapping[str, LegacySystem]
    records: Mapping[str, LegacyRecords]
    rows: Rows
    crosswalk: Crosswalk
    shadows: Shadows
    owners: Owners
    lanes: Seizing
    cases: Cases | None = None
    units: UnitFinder = field(default_factory=Undivided)
    survivorship: Mapping[str, Survivorship] = field(default_factory=dict)

    async def apply(
        self, change: Change, table: Table, record: UUID, shadow: Shadow, hold: Hold
    ) -> Verdict | None:
        """Take over what the loser leaves, each record as its policy says; None when that was done before."""
        loser = UUID(change.subject.id)
        if (await self.shadows.load(loser)).heir is not None:
            return None
        if change.case is not None and not await self._is_decided(change.case, loser, record):
            return deciding.unchanged(change, Outcome.ECHO, "the decision is over")
        if change.case is None and await self._stands_again(table, loser):
            return deciding.unchanged(change, Outcome.SUPERSEDED, "the row stands for itself again")
        async with seized(self.lanes, loser, hold) as (lease, both):
            gone = await self.shadows.load(loser)
            if gone.heir is not None:
                await self.lanes.release(lease)
                return None
            if change.case is not None:
                await both()
                await self.rows.merge(table, record, loser)
            losers = await self.crosswalk.claims_on(loser)
            heirs = await self.crosswalk.records_of(record)
            living = await self._living(heirs, losers, shadow)
            estate = Estate.of([*losers, *(key for key in heirs if key not in living)], living)
            own = await self.rows.read(table, record) if estate.moved else None
            after = inherited(shadow, gone, estate, own, self._takers(living))
            told: list[str] = []
            lost: tuple[Collision, ...] = ()
            if change.case is not None and own is not None:
                after, lost = await self._survive(table, record, (after, gone), estate, own, both)
            for key, heir in estate.ended.items():
                told.append(await self._end(change, gone, (key, heir), both))
            for key in estate.moved:
                after = await self._rename(key, record, after, both)
                told.append(f"{key} is a record of this row now")
            return Verdict(
                Outcome.APPLIED,
                f"the row was merged into {record}: {'; '.join(told) or 'no legacy system has it'}",
                change.subject,
                shadow=after,
                collisions=lost,
                map_version=self._entry(estate),
                absorbs=Absorption(tuple(estate.ended), estate.moved, loser, lease),
                case=change.case,
            )

    async def _survive(
        self,
        table: Table,
        record: UUID,
        known: tuple[Shadow, Shadow],
        estate: Estate,
        own: Row,
        hold: Hold,
    ) -> tuple[Shadow, tuple[Collision, ...]]:
        """Give the row the values that its rules choose from the records it has now; what lost is kept.

        Only where Tandem merges by a person's word: who merges in Dataverse has chosen the values there.
        """
        after, gone = known
        decided = {name: mark for name, mark in after.marks.items() if not _is_beside(table, name)}
        rules = self.survivorship.get(table.name, NEWEST)
        who = {key.system for key in estate.moved}
        found = surviving(rules, replace(after, marks=decided), gone.marks, who, own.values)
        if not found.marks:
            return after, found.lost
        row = own
        if found.write:
            await hold()
            row = await self.rows.update(table, record, found.write, own.version)
        marks = {**after.marks, **found.held_at(deciding.row_moment(row.modified_at, row.version))}
        versions = {system: told for system, told in after.versions.items() if system != DATAVERSE}
        return replace(after, marks=marks, versions=versions), found.lost

    async def _stands_again(self, table: Table, loser: UUID) -> bool:
        """Whether a merge is told after a person has taken its record out again; only who shares can be."""
        row = await self.rows.read(table, loser) if len(self.systems) > 1 else None
        return row is not None and merged_into(row.values) is None

    async def turned_round(self, change: Change, table: Table, record: UUID) -> Verdict:
        """A merge into a row that was itself merged into its loser: people's last word is Dataverse's.

        The heir stands for itself again, and follows the merge in its own lane.
        """
        row, heir = await self.rows.read(table, record), change.heir
        if heir is None or row is None or merged_into(row.values) != UUID(heir.id):
            return deciding.unchanged(change, Outcome.SUPERSEDED, "the row is not merged into that any more")
        waits = deciding.unchanged(change, Outcome.PARKED, f"{heir.id} was merged into this row before")
        return replace(waits, goes_to=UUID(heir.id), goes_alone=True)

    async def late(self, change: Change, target: Target, record: UUID, shadow: Shadow, hold: Hold) -> Verdict:
        """What is told of a row that was merged away; one that was made too late for that is merged now."""
        loser, reason = UUID(change.subject.id), f"the row was merged into {shadow.heir or record}"
        ended = deciding.unchanged(change, Outcome.SUPERSEDED, reason, target.entry)
        known = shadow if loser == record else await self.shadows.load(loser)
        if known.marks or change.operation is Operation.DELETE:
            return ended
        if shadow.heir is not None:
            return replace(ended, outcome=Outcome.PARKED, goes_to=shadow.heir)
        return await self._after_all(change, target, record, shadow, hold) or ended

    async def _after_all(
        self, change: Change, target: Target, record: UUID, shadow: Shadow, hold: Hold
    ) -> Verdict | None:
        """Do with a loser's row what its merge would have done, had it been there; None: it is not there now.

        A create that nobody answered may make it after its record was merged.
        """
        entry, loser = target.entry, UUID(change.subject.id)
        row, own = [await self.rows.read(entry.table, each) for each in (loser, record)]
        if row is None or own is None or any(each.values.get("statecode") for each in (row, own)):
            return None
        system = target.system.name
        units = partial(self.units.of, system, entry, shadow, {})
        owned = await self.owners.of(system, entry, units, change.phases.get(system, ""))
        by_record = replace(change, subject=RecordKey(system, entry.entity, ""))
        policy = on_merge(by_record, entry, owned)
        if policy is OnDelete.IGNORE:
            return None
        await hold()
        if policy is OnDelete.DEACTIVATE:
            await self.rows.update(entry.table, loser, entry.inactive_row, row.version)
        else:
            await self.rows.merge(entry.table, record, loser)
        reason = f"the row was made after its record had been merged: it follows that into {record}"
        return deciding.under(owned, deciding.unchanged(change, Outcome.APPLIED, reason, entry))

    async def _is_decided(self, number: int, loser: UUID, heir: UUID) -> bool:
        """Whether a person's decision stands, and is about these rows."""
        case = await self.cases.decided(number) if self.cases is not None else None
        return case is not None and (case.loser, case.heir) == (loser, heir)

    async def _living(
        self, heirs: Sequence[RecordKey], losers: Sequence[RecordKey], shadow: Shadow
    ) -> list[RecordKey]:
        """The heir's records that are there. One that people have ended meanwhile, perhaps by merging it into
        the loser's, makes room for that; where its system cannot be asked, one that is known to be gone.
        """
        living: list[RecordKey] = []
        gone = {*shadow.gone, *([shadow.parted.system] if shadow.parted else [])}
        for key in heirs:
            rivals = [loser for loser in losers if loser.system == key.system]
            records = self.records.get(key.system)
            asks = rivals and records is not None and key.entity in self.systems[key.system].collections
            if asks and records:
                is_there = await records.read(key.entity, key.id) is not None
            else:
                is_there = not rivals or key.system not in gone
            if is_there:
                living.append(key)
        return living

    def _takers(self, heirs: Sequence[RecordKey]) -> dict[str, set[str]]:
        maps = {key.system: self._map_of(key) for key in heirs}
        return {system: going_out(entry) for system, entry in maps.items() if entry and entry.outbound}

    def _entry(self, estate: Estate) -> str:
        entries = (self._map_of(key) for key in (*estate.ended, *estate.moved))
        return next((entry.revision for entry in entries if entry is not None), "")

    def _map_of(self, key: RecordKey) -> EntityMap | None:
        return self.systems[key.system].map_of(key.entity)

    async def _end(self, change: Change, gone: Shadow, pair: tuple[RecordKey, RecordKey], hold: Hold) -> str:
        """End a loser's record as its map's policy says; returns what was done, in words."""
        loser, heir = pair
        entry, records = self._map_of(loser), self.records.get(loser.system)
        if entry is None or records is None or loser.entity not in self.systems[loser.system].collections:
            return f"{loser} cannot be told and is absorbed"
        units = partial(self.units.of, loser.system, entry, gone, {})
        owned = await self.owners.of(loser.system, entry, units, change.phases.get(loser.system, ""))
        policy = OnDelete.IGNORE if owned.is_retired else on_merge(change, entry, owned)
        if policy is OnDelete.IGNORE:
            return f"{loser} is left as it is"
        found = await records.read(loser.entity, loser.id)
        if found is None:
            return f"{loser} is gone already"
        rest = self.systems[loser.system].rest
        if policy is OnDelete.PROPAGATE and rest is not None and not rest.merges:
            return f"{loser} cannot be told and is absorbed"
        await hold()
        if policy is OnDelete.DEACTIVATE:
            await records.update(loser.entity, loser.id, entry.inactive_record, found.version)
            return f"{loser} is deactivated"
        await records.merge(loser.entity, heir.id, loser.id)
        return f"{loser} is merged into {heir.id}, too"

    async def _rename(self, key: RecordKey, record: UUID, after: Shadow, hold: Hold) -> Shadow:
        """Have a record say which row it is now, where its system keeps that; the shadow then knows."""
        entry, records = self._map_of(key), self.records.get(key.system)
        if entry is None or records is None:
            return after
        return await renamed(records, entry, (key, record), after, hold)


def _is_beside(table: Table, name: str) -> bool:
    """Whether a column tells of a record's history, which is its own, and no value to choose."""
    column = table.columns.get(name)
    return column is None or column.incidental or column.create_only
