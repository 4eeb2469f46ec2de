"""A merge in a legacy system, followed in Dataverse; and what the loser's record says afterwards (C-33)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from shared.core import decision as deciding
from shared.core.absorption import (
    Estate,
    Seizing,
    inherited,
    left_over,
    merged_elsewhere,
    seized,
    too_late,
    unheard,
)
from shared.core.change import Change, Operation
from shared.core.crosswalk import Crosswalk, Entry
from shared.core.identity import DATAVERSE, RecordKey, guid, merge_of
from shared.core.mapping.columns import Value
from shared.core.mapping.spec import EntityMap, OnDelete
from shared.core.outcome import Outcome
from shared.core.ownership import Ownership
from shared.core.policy import on_merge
from shared.core.ports import Hold, LegacyRecords, Row, Rows, Shadows
from shared.core.shadow import Parting, Shadow
from shared.core.verdict import Absorption, Collision, Verdict
from shared.inbound import shared_rows as shared


@dataclass(frozen=True, slots=True)
class Absorbing:
    """Follows merges of one direction."""

    rows: Rows
    shadows: Shadows
    crosswalk: Crosswalk
    lanes: Seizing
    records: Mapping[str, LegacyRecords] = field(default_factory=dict)

    async def apply(
        self, change: Change, entry: EntityMap, record: UUID, shadow: Shadow, owned: Ownership, hold: Hold
    ) -> Verdict:
        """Merge the loser's row into the heir's, as the policy says, and take over what it leaves."""
        heir, loser = change.heir, change.subject
        if heir is None:
            raise LookupError("a merge names its heir")
        if str(loser) in shadow.absorbed:
            return deciding.unchanged(change, Outcome.ECHO, f"merged into {heir.id} already", entry)
        lost = await self.crosswalk.entry(loser)
        known = await self.crosswalk.entry(heir)
        if lost is not None and lost.is_absorbed and lost.row != record:
            return deciding.unchanged(change, Outcome.SUPERSEDED, "it was merged into another before", entry)
        is_guess = known is None or known.is_guess(heir)
        if known is not None and not is_guess and known.row != record:
            return deciding.elsewhere(change, entry, known.row)
        if lost is None or lost.row == record:
            return _on_one_row(change, entry, record, shadow, lost)
        if is_guess and lost.is_paired and not shadow.marks:
            # Nobody can tell what the heir holds, so it has no row: the loser's lives on as its own.
            result = deciding.unchanged(change, Outcome.PARKED, "its heir takes over the loser's row", entry)
            return replace(result, goes_to=lost.row)
        if lost.is_paired and shadow.parted is not None and shadow.parted.system == DATAVERSE:
            result = deciding.unchanged(change, Outcome.PARKED, "its heir has no row any more", entry)
            return replace(result, goes_to=lost.row, goes_alone=True)
        return await self._absorb(
            change, entry, (record, lost.row), shadow, on_merge(change, entry, owned), hold
        )

    async def into_what_ended(
        self, change: Change, entry: EntityMap, record: UUID, shadow: Shadow, hold: Hold
    ) -> Verdict:
        """A merge older than its heir's delete: the loser has ended, too.

        Without a row it never gets one; else its own lane is to end it.
        """
        stale = deciding.unchanged(change, Outcome.STALE, "older than its heir's delete", entry)
        lost = await self.crosswalk.entry(change.subject)
        if lost is None or lost.row == record:
            return _on_one_row(change, entry, record, shadow, None)
        if lost.is_absorbed:
            return stale
        if lost.is_paired:
            return replace(stale, outcome=Outcome.PARKED, goes_to=lost.row, goes_alone=True)
        return await self._absorb(change, entry, (record, lost.row), shadow, OnDelete.IGNORE, hold)

    async def heir_without_row(self, change: Change, record: UUID) -> Shadow | None:
        """What is known of a merge's heir, told in its loser's lane because the heir has no row any more.

        None where that is not so.
        """
        row = await self._heirs_row(change, record)
        held = await self.shadows.load(row) if row is not None else None
        return held if held and held.parted and held.parted.system == DATAVERSE else None

    async def is_the_end(self, change: Change, record: UUID) -> bool:
        """Whether a merge is told in its loser's lane, because its heir has ended since."""
        row = await self._heirs_row(change, record)
        if row is None:
            return False
        return (await self.shadows.load(row)).has_ended(change.subject.system, change.changed_at)

    async def _heirs_row(self, change: Change, record: UUID) -> UUID | None:
        """The heir's row, where a merge is told in its loser's lane."""
        known = await self.crosswalk.entry(change.heir) if change.heir else None
        if known is None or known.row == record:
            return None
        lost = await self.crosswalk.entry(change.subject)
        return known.row if lost is not None and lost.row == record else None

    async def _absorb(
        self,
        change: Change,
        entry: EntityMap,
        rows: tuple[UUID, UUID],
        shadow: Shadow,
        policy: OnDelete,
        hold: Hold,
    ) -> Verdict:
        record, row = rows
        heirs = [*await self.crosswalk.records_of(record)] or [change.heir or change.subject]
        async with seized(self.lanes, row, hold) as (lease, both):
            gone = await self.shadows.load(row)
            losers = dict.fromkeys((change.subject, *await self.crosswalk.records_of(row)))
            estate = Estate.of(losers, heirs)
            own = await self.rows.read(entry.table, record) if estate.moved or shadow.parted else None
            told = "the loser has no row"
            if gone.marks:
                if (elsewhere := await self._merged_elsewhere(entry, record, row)) is not None:
                    await self.lanes.release(lease)
                    return _after(change, entry, elsewhere)
                if shadow.parted is not None and policy is OnDelete.PROPAGATE and not _is_active(own):
                    # Dataverse merges nothing into what is not in use.
                    policy = OnDelete.DEACTIVATE if entry.inactive_row else OnDelete.IGNORE
                told = await self._tell(entry, (record, row), policy, both)
            after = inherited(shadow, gone, estate, own)
            heir = change.heir.id if change.heir else ""
            held = await self.rows.read(entry.table, record) if after.parted else None
            lost = (
                left_over(entry, gone, held.values, f"merged into {heir}, which was deleted") if held else ()
            )
            return Verdict(
                _outcome(gone, lost),
                f"merged into {heir}: {told}{_also(estate)}{_lost(lost, heir)}",
                change.subject,
                collisions=lost,
                shadow=after,
                map_version=entry.revision,
                absorbs=Absorption(tuple(estate.ended), estate.moved, row, lease),
            )

    async def _merged_elsewhere(self, entry: EntityMap, heir: UUID, loser: UUID) -> UUID | None:
        """A row that people have merged otherwise in Dataverse."""
        for row, into in ((heir, heir), (loser, heir)):
            if merged_elsewhere(await self.rows.read(entry.table, row), into):
                return row
        return None

    async def _tell(self, entry: EntityMap, rows: tuple[UUID, UUID], policy: OnDelete, hold: Hold) -> str:
        """Do in Dataverse what the policy says; returns it in words."""
        heir, loser = rows
        if policy is OnDelete.IGNORE:
            return "its row is left as it is"
        if policy is OnDelete.PROPAGATE:
            await hold()
            await self.rows.merge(entry.table, heir, loser)
            return "its row is merged, too"
        held: Row | None = await self.rows.read(entry.table, loser)
        if held is not None:
            await hold()
            await self.rows.update(entry.table, loser, entry.inactive_row, held.version)
        return "its row is deactivated"

    async def late(
        self,
        change: Change,
        entry: EntityMap,
        record: UUID,
        shadow: Shadow,
        values: Mapping[str, Value],
        hold: Hold,
    ) -> Verdict:
        """A loser's record speaks: it ends here with what it says kept, or its row's heir is to decide.

        One that we were making while its row was merged is merged after all, where its system takes it.
        """
        heir, subject = shadow.heir, change.subject
        speaking = {key.system: key for key in await self.crosswalk.records_of(heir or record)}
        twin = speaking.get(subject.system)
        if str(subject) in shadow.absorbed:
            return too_late(change, entry, shadow, values, twin.id if twin else str(heir or record))
        if twin is None or twin == subject:
            result = deciding.unchanged(change, Outcome.PARKED, f"its row was merged into {heir}", entry)
            return replace(result, goes_to=heir)
        writable = self.records.get(subject.system)
        may_tell = change.operation is Operation.UPSERT and entry.on_row_merge is OnDelete.PROPAGATE
        if writable is not None and may_tell and await writable.read(subject.entity, subject.id) is not None:
            await hold()
            await writable.merge(subject.entity, twin.id, subject.id)
        ended = too_late(change, entry, shadow, values, twin.id)
        if heir is not None:
            return ended
        after = replace(shadow, absorbed=shadow.absorbed | {str(subject)})
        return replace(ended, shadow=after, absorbs=Absorption((subject,)))

    async def row_of_heir(self, said: Change, entry: EntityMap, record: UUID) -> UUID | None:
        """Another row that an heir itself says it is, of which nobody has told yet; None: it is this one.

        It was made for that row, and the answer to its create was lost. As at the door, one that names a row
        of another record of its system is a copy, and a customer of its own.
        """
        told = said.data.get(entry.row_id) if entry.row_id else None
        row = guid(told) if isinstance(told, str) else None
        if row is None or row == record:
            return None
        known = await self.crosswalk.entry(said.subject)
        if known is not None and known.is_paired:
            return None
        holders = await self.crosswalk.records_of(row)
        return None if any(key.system == said.subject.system for key in holders) else row

    async def is_surplus(self, change: Change, entry: EntityMap, record: UUID) -> bool:
        """Whether a record was made for a row that was merged into this one, which has another of its system.

        It says so itself: the answer to its create was lost, and so it was not known when its row was merged.
        """
        told = change.data.get(entry.row_id) if entry.row_id else None
        if change.operation is not Operation.UPSERT or not told or told == str(record):
            return False
        holders = await self.crosswalk.records_of(record)
        return change.subject not in holders and any(key.system == change.subject.system for key in holders)


def left_alone(change: Change, entry: EntityMap, shadow: Shadow, heir: Shadow) -> Verdict:
    """The verdict in a loser's lane whose heir lives on without its row: this row stays, and people are told.

    To end it would take the customer away from Dataverse for good, where only the heir's row was deleted.
    """
    system, into = change.subject.system, change.heir.id if change.heir else ""
    told = f"merged into {into}, whose row was deleted"
    if shadow.parted is not None and shadow.parted.system == system:
        return deciding.unchanged(change, Outcome.ECHO, f"{told}: it lives on alone already", entry)
    if (left := shared.left(change, entry, shadow)) is not None:
        return replace(left, reason=f"{told}; {left.reason}")
    held = {name: mark.value for name, mark in heir.marks.items()}
    lost = left_over(entry, shadow, held, told)
    reason = f"{told}: this row lives on alone"
    if lost:
        columns = ", ".join(collision.column for collision in lost)
        reason = f"{reason}, and what it holds in {columns} is nobody's there"
    after = replace(shadow, parted=Parting(change.changed_at, system), versions={})
    result = deciding.unchanged(
        change, Outcome.CONFLICT if lost else Outcome.SUPERSEDED, reason, entry, after
    )
    return replace(result, collisions=lost)


def _on_one_row(
    change: Change, entry: EntityMap, record: UUID, shadow: Shadow, lost: Entry | None
) -> Verdict:
    """Nothing to tell Dataverse: the loser has no row, or the heir's is its own."""
    heir = change.heir or change.subject
    takes_over = bool(shadow.marks) and lost is not None and lost.is_paired
    after = replace(shadow, absorbed=shadow.absorbed | {str(change.subject)})
    if takes_over:
        # The heir is another record than the one that has spoken so far: nothing is known of it. One that was
        # merged into that before, and left as it was, speaks again.
        after = unheard(replace(after, absorbed=after.absorbed - {str(heir)}), change.subject.system)
    result = Verdict(
        Outcome.SUPERSEDED,
        f"merged into {heir.id}, which lives on as this row" if shadow.marks else f"merged into {heir.id}",
        change.subject,
        shadow=after,
        map_version=entry.revision,
        absorbs=Absorption((change.subject,)),
    )
    return deciding.paired(result, ((heir, record),)) if takes_over else result


def _is_active(row: Row | None) -> bool:
    return row is not None and not row.values.get("statecode")


def _outcome(gone: Shadow, lost: tuple[Collision, ...]) -> Outcome:
    if lost:
        return Outcome.CONFLICT
    return Outcome.APPLIED if gone.marks else Outcome.SUPERSEDED


def _lost(lost: tuple[Collision, ...], heir: str) -> str:
    columns = ", ".join(collision.column for collision in lost)
    return f"; {heir} was deleted, its row lives on alone, and nobody takes over {columns}" if lost else ""


def _also(estate: Estate) -> str:
    keys: list[RecordKey] = [*estate.moved]
    return f"; it has {', '.join(str(key) for key in keys)} now, too" if keys else ""


def _after(change: Change, entry: EntityMap, row: UUID) -> Verdict:
    """What people have merged otherwise in Dataverse is followed first, so that both sides agree on it."""
    waits = deciding.unchanged(change, Outcome.PARKED, "its row was merged in Dataverse meanwhile", entry)
    return replace(waits, waits_for=merge_of(row))
