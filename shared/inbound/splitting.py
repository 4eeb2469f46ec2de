"""A record that shares a row gets its own again, as a person decided (C-32).

It gets what it held before and what its own system has said since. Nothing is guessed: what the history does
not tell stays blank, and a record that its system no longer has is not brought back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from shared.core import decision as deciding
from shared.core.absorption import Seizing, merged_into, renamed, seized, unheard
from shared.core.change import Change
from shared.core.crosswalk import Crosswalk
from shared.core.customers import Before, Case, Cases, Sayings
from shared.core.identity import DATAVERSE, RecordKey
from shared.core.legacy import going_out
from shared.core.mapping.columns import Option, Value
from shared.core.mapping.spec import EntityMap, Flow
from shared.core.outcome import Outcome
from shared.core.ports import Hold, LegacyRecords, Row, Rows
from shared.core.shadow import Mark, Shadow
from shared.core.system import LegacySystem
from shared.core.verdict import ColumnChange, Lease, Split, Verdict

_ACTIVE: Mapping[str, Value] = {"statecode": Option(0)}


@dataclass(frozen=True, slots=True)
class Splitting:
    """Carries out decisions that a record leaves a row."""

    cases: Cases
    sayings: Sayings
    rows: Rows
    crosswalk: Crosswalk
    lanes: Seizing
    records: Mapping[str, LegacyRecords]
    systems: Mapping[str, LegacySystem]

    async def apply(
        self, change: Change, entry: EntityMap, record: UUID, shadow: Shadow, hold: Hold
    ) -> Verdict:
        """Give the record its own row, if it still shares this one and is still there."""
        case = await self.cases.decided(change.case or 0)
        if case is None or case.key != change.subject or case.loser is None:
            return deciding.unchanged(change, Outcome.ECHO, "the decision is over", entry)
        if case.heir != record:
            reason = f"{case.heir} was merged into this row before: who shares it now is for a person to see"
            return replace(deciding.unchanged(change, Outcome.SUPERSEDED, reason, entry), case=case.number)
        known = await self.crosswalk.entry(change.subject)
        before = await self.sayings.before(change.subject, record)
        why_not = await self._why_not(change, before, has_left=known is None or known.row != record)
        if why_not is not None:
            result = deciding.unchanged(change, Outcome.SUPERSEDED, why_not, entry)
            return replace(result, case=case.number)
        async with seized(self.lanes, case.loser, hold) as (lease, both):
            shadow = await self._without_key(change, entry, record, shadow, both)
            row = await self._write(change, entry, case.loser, before, both)
            if (records := self.records.get(change.subject.system)) is not None:
                shadow = await renamed(records, entry, (change.subject, case.loser), shadow, both)
            await self._left_behind(change.subject, record, shadow, both)
            after = replace(shadow, absorbed=shadow.absorbed - {str(change.subject)})
            ended: Mapping[str, str] = {}
            if str(change.subject) not in shadow.absorbed:
                after = unheard(
                    await self._undisputed(change, entry, record, after, both), change.subject.system
                )
                over = f"{change.subject}, with which it was in dispute, left this row"
                ended = dict.fromkeys(_disputed_with(change.subject.system, shadow), over)
            result = deciding.unchanged(
                change, Outcome.APPLIED, f"{change.subject} has a row of its own again", entry, after
            )
            result = replace(result, ended=ended)
            columns = {**dict.fromkeys(_told(entry, change.subject.system, shadow)), **before.values}
            splits = _split(change, case, (lease, row), replace(before, values=columns), shadow)
            return replace(result, case=case.number, splits=splits)

    async def _why_not(self, change: Change, before: Before, *, has_left: bool) -> str | None:
        subject = change.subject
        if has_left:
            return "it has left this row already"
        if not before.is_shared:
            return "no other record is this row"
        if not before.values:
            return "the history does not tell what it was by itself"
        system = self.records.get(subject.system)
        if system is not None and await system.read(subject.entity, subject.id) is None:
            return f"{subject.system} no longer has the record, and nothing is made up"
        return None

    async def _undisputed(
        self, change: Change, entry: EntityMap, shared: UUID, shadow: Shadow, hold: Hold
    ) -> Shadow:
        """The shared row keeps what it held in a dispute with the record that leaves: nobody contests it now.

        The row is written with that once more where other records are to hear it: its message tells.
        """
        leaves = change.subject.system
        stands = {name: shadow.marks[name].disputed[DATAVERSE] for name in _disputed_with(leaves, shadow)}
        untold = {
            name: {
                other: held
                for other in sorted(shadow.sharing - {leaves, DATAVERSE})
                if (held := shadow.marks[name].told_by(other)) != value
            }
            for name, value in stands.items()
        }
        row = await self.rows.read(entry.table, shared) if any(untold.values()) else None
        if row is not None:
            # What a person has typed since is told by its own message.
            told = {name: stands[name] for name in stands if untold[name]}
            told = {name: value for name, value in told.items() if row.values.get(name) == value}
            if told:
                await hold()
                await self.rows.update(entry.table, shared, told, row.version)
        marks = {name: _held_by_row(shadow.marks[name], untold[name]) for name in stands}
        versions = {} if stands else shadow.versions
        return replace(shadow, marks={**shadow.marks, **marks}, versions=versions)

    async def _left_behind(self, leaves: RecordKey, shared: UUID, shadow: Shadow, hold: Hold) -> None:
        """Records that were merged away and left as they are say which row they are now: the shared one.

        One that came with the row that is given back still names that, and would lead to another customer.
        """
        keys = [RecordKey.parse(name) for name in sorted(shadow.absorbed - {str(leaves)})]
        for key in (key for key in keys if key is not None and key.system in self.records):
            system = self.systems[key.system]
            entry = system.map_of(key.entity)
            if entry is not None and key.entity in system.collections:
                # Its version is none of this row's: another record of its system speaks for that.
                await renamed(self.records[key.system], entry, (key, shared), shadow, hold)

    async def _without_key(
        self, change: Change, entry: EntityMap, shared: UUID, shadow: Shadow, hold: Hold
    ) -> Shadow:
        """The shared row lets go of the record's key, if it was made for that record: no two rows have one.

        It is left without: the key of the record that stays is on the row that was put aside for this one.
        """
        identity = entry.identity(change.subject)
        held = await self.rows.read(entry.table, shared)
        if (
            held is None
            or not identity
            or any(held.values.get(name) != key for name, key in identity.items())
        ):
            return shadow
        await hold()
        row = await self.rows.update(entry.table, shared, dict.fromkeys(identity), held.version)
        moment = deciding.row_moment(row.modified_at, row.version)
        blank = {
            name: replace(mark, value=None, seen={**mark.seen, DATAVERSE: moment})
            for name, mark in shadow.marks.items()
            if name in identity
        }
        versions = {system: told for system, told in shadow.versions.items() if system != DATAVERSE}
        return replace(shadow, marks={**shadow.marks, **blank}, versions=versions)

    async def _write(self, change: Change, entry: EntityMap, own: UUID, before: Before, hold: Hold) -> Row:
        """The row it had, active again and with its own values; or a new one.

        What it holds otherwise than it was left with is a person's, and stays: somebody typed it as the row
        was merged away, or after an earlier try whose answer was lost had made it active. The row's own
        message tells of that. Where nobody knows what it was left with, it is a person's once it is active.
        """
        coming_in = {line.column.name for line in entry.fields if line.flow is not Flow.OUTBOUND}
        values = {name: value for name, value in before.values.items() if name in coming_in}
        held = await self.rows.read(entry.table, own)
        await hold()
        if held is None:
            filled = {name: value for name, value in values.items() if value is not None}
            return await self.rows.create(entry.table, own, filled | entry.identity(change.subject))
        is_aside = merged_into(held.values) is not None
        due = {
            name: value
            for name, value in values.items()
            if held.values.get(name) != value
            and (held.values.get(name) == before.left[name] if name in before.left else is_aside)
            and not entry.table.columns[name].create_only
        }
        row = await self.rows.update(entry.table, own, {**due, **_ACTIVE}, held.version)
        return replace(row, values={**held.values, **due})


def _disputed_with(system: str, shadow: Shadow) -> list[str]:
    """The columns in which a record of a system and the row wait for a person."""
    return [name for name, mark in shadow.marks.items() if mark.disputed and mark.rival == system]


def _held_by_row(mark: Mark, untold: Mapping[str, Value]) -> Mark:
    """The mark of a column in dispute once what the row holds stands; who has yet to hear it is apart."""
    value, at = mark.disputed[DATAVERSE], mark.seen[DATAVERSE].at
    return replace(mark, value=value, changed_at=at, origin=DATAVERSE, disputed={}, apart=untold)


def _told(entry: EntityMap, system: str, shadow: Shadow) -> list[str]:
    """The columns in which a record was told what others said.

    Where it never said anything, it is to be blank again, and not to keep the other customer's value.
    """
    crossing = going_out(entry)
    return [name for name, mark in shadow.marks.items() if name in crossing and system in mark.seen]


def _split(change: Change, case: Case, written: tuple[Lease, Row], before: Before, shadow: Shadow) -> Split:
    """What is agreed of the own row: its values, and what the record was made to hold meanwhile."""
    (lease, row), system = written, change.subject.system
    in_dataverse = deciding.row_moment(row.modified_at, row.version)
    marks: dict[str, Mark] = {}
    for name, value in before.values.items():
        known = shadow.marks.get(name)
        heard = {system: known.seen[system]} if known and system in known.seen else {}
        holds = known.held_by(system) if known and heard else value
        marks[name] = Mark(
            value,
            change.changed_at,
            system,
            {DATAVERSE: in_dataverse, **heard},
            apart={system: holds} if holds != value else {},
        )
    is_equal = all(row.values.get(name, mark.value) == mark.value for name, mark in marks.items())
    versions = {DATAVERSE: row.version} if row.version and is_equal else {}
    if system in shadow.versions:
        versions[system] = shadow.versions[system]
    changes = {name: ColumnChange(None, value) for name, value in before.values.items()}
    return Split(change.subject, case.loser or lease.record, lease, Shadow(marks, versions), changes)
