"""What it means for the state that one record has taken the place of another (ADR 0030).

The loser's lane is seized before anything is written, and everything it had becomes the heir's. Pure
decisions; the flows do what each side needs besides.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from shared.core import decision as deciding
from shared.core.change import Change
from shared.core.codes import Code
from shared.core.errors import Transient
from shared.core.heartbeat import kept_alive
from shared.core.identity import DATAVERSE, RecordKey
from shared.core.mapping.columns import Value
from shared.core.mapping.references import RowRef
from shared.core.mapping.spec import EntityMap
from shared.core.outcome import Outcome
from shared.core.ports import Hold, LegacyRecords, Row
from shared.core.shadow import Mark, Shadow
from shared.core.verdict import Collision, Lease, Verdict


class Seizing(Protocol):
    """What merging asks of `Lanes`."""

    async def seize(self, record: UUID) -> Lease | None:
        """See `Lanes.seize`."""
        ...

    async def confirm(self, lease: Lease) -> None:
        """See `Lanes.confirm`."""
        ...

    async def keep(self, lease: Lease) -> None:
        """See `Lanes.keep`."""
        ...

    async def release(self, lease: Lease) -> None:
        """See `Lanes.release`."""
        ...


@asynccontextmanager
async def seized(lanes: Seizing, row: UUID, hold: Hold) -> AsyncIterator[tuple[Lease, Hold]]:
    """The loser's lane, taken, and what to ask before each write; given back when nothing comes of it.

    Raises Transient while somebody works it: nobody waits for a lane while holding another.
    """
    lease = await lanes.seize(row)
    if lease is None:
        raise Transient(Code.RECORD_BUSY, "the record that was merged into another is worked just now")

    async def both() -> None:
        await hold()
        await lanes.confirm(lease)

    async with given_back(lanes, lease):
        yield lease, both


@asynccontextmanager
async def given_back(lanes: Seizing, lease: Lease) -> AsyncIterator[None]:
    """A seized lane while something is done under it: given back when nothing comes of that."""
    try:
        with kept_alive(lanes, lease):
            yield
    except BaseException:
        await lanes.release(lease)
        raise


@dataclass(frozen=True, slots=True)
class Estate:
    """What a loser leaves: records that `end`, each with the heir's that speaks for it now, and others."""

    ended: Mapping[RecordKey, RecordKey]
    moved: tuple[RecordKey, ...]

    @classmethod
    def of(cls, losers: Iterable[RecordKey], heirs: Sequence[RecordKey]) -> "Estate":
        """A system speaks with one record of a row: the heir's, where it has one."""
        speaking = {key.system: key for key in heirs}
        ended: dict[RecordKey, RecordKey] = {}
        moved: list[RecordKey] = []
        for key in losers:
            if key.system not in speaking:
                speaking[key.system] = key
                moved.append(key)
            elif key != speaking[key.system]:
                ended[key] = speaking[key.system]
        return cls(ended, tuple(moved))


def merged_into(values: Mapping[str, Value]) -> UUID | None:
    """The row that a row was merged into, by its columns; None while it stands for itself."""
    master = values.get("masterid")
    return master.id if isinstance(master, RowRef) and values.get("statecode") else None


def merged_elsewhere(row: Row | None, heir: UUID) -> bool:
    """Whether people have merged a row away in Dataverse, and not into `heir`."""
    return row is not None and merged_into(row.values) not in {None, heir}


def unheard(shadow: Shadow, system: str) -> Shadow:
    """The shadow as if a system had said nothing yet: another record of it speaks for the row from now on."""
    marks = {
        column: replace(
            mark,
            seen={name: moment for name, moment in mark.seen.items() if name != system},
            apart={name: value for name, value in mark.apart.items() if name != system},
        )
        for column, mark in shadow.marks.items()
    }
    versions = {name: version for name, version in shadow.versions.items() if name != system}
    return replace(shadow, marks=marks, versions=versions)


def inherited(
    shadow: Shadow,
    lost: Shadow,
    estate: Estate,
    row: Row | None,
    takers: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Shadow:
    """The heir's shadow once it has the loser's records: what each holds is known, and mostly apart.

    `row` is the heir's own row as it was read, where records moved: it holds what nobody has agreed on yet.
    `takers` are the systems of the heir's own records with the columns they take: of one that nobody has
    spoken of so far they have yet to be told.
    """
    systems = [key.system for key in estate.moved]
    for system in systems:
        shadow = unheard(shadow, system)
    marks = dict(shadow.marks)
    blank: dict[str, Value] = dict.fromkeys(systems)
    for column, agreed in shadow.marks.items():
        if column not in lost.marks and agreed.value is not None:
            # The loser never spoke of it: its records have yet to be told.
            marks[column] = replace(agreed, apart={**agreed.apart, **blank})
    for column, gone in lost.marks.items():
        speaking = [system for system in systems if system in gone.seen]
        untold = {name: None for name, columns in takers.items() if column in columns and name not in systems}
        mark = marks.get(column) or _unagreed(column, row, untold)
        if not speaking or mark is None:
            continue
        seen = {**mark.seen, **{system: gone.seen[system] for system in speaking}}
        held = {system: gone.held_by(system) for system in speaking}
        apart = {**mark.apart, **{name: value for name, value in held.items() if value != mark.value}}
        marks[column] = replace(mark, seen=seen, apart=apart)
    known = {system: lost.versions[system] for system in systems if system in lost.versions}
    left, parted = dict(shadow.gone), shadow.parted
    if systems and parted is not None and parted.system != DATAVERSE:
        # It has a counterpart again, and lives on alone no more.
        left, parted = {**left, parted.system: parted.at}, None
    return replace(
        shadow,
        marks=marks,
        versions={**shadow.versions, **known},
        gone={system: at for system, at in left.items() if system not in systems},
        parted=parted,
        absorbed=shadow.absorbed | lost.absorbed | {str(key) for key in estate.ended},
    )


def _unagreed(column: str, row: Row | None, untold: Mapping[str, None]) -> Mark | None:
    if row is None or column not in row.values:
        return None
    moment = deciding.row_moment(row.modified_at, row.version)
    apart = untold if row.values[column] is not None else {}
    return Mark(row.values[column], row.modified_at, DATAVERSE, {DATAVERSE: moment}, apart=apart)


async def renamed(
    records: LegacyRecords, entry: EntityMap, pair: tuple[RecordKey, UUID], shadow: Shadow, hold: Hold
) -> Shadow:
    """Have a record say which row it is now, where its system keeps that and it has said one; the shadow then
    knows.
    """
    key, row = pair
    found = await records.read(key.entity, key.id) if entry.row_id else None
    if found is None or not entry.row_id or found.fields.get(entry.row_id) in {None, "", str(row)}:
        return shadow
    await hold()
    written = await records.update(key.entity, key.id, entry.row_field(row), found.version)
    known = shadow.versions.get(key.system) == found.version
    versions = {**shadow.versions, key.system: written.version} if known else shadow.versions
    return replace(shadow, versions=versions)


def left_over(entry: EntityMap, lost: Shadow, held: Mapping[str, Value], rule: str) -> tuple[Collision, ...]:
    """A loser's values that nobody has taken over, where nobody will: what its heir holds stands."""
    columns, own = entry.table.columns, entry.source_key.name if entry.source_key else ""
    return tuple(
        Collision(column, mark.value, mark.value, held.get(column), DATAVERSE, rule)
        for column, mark in sorted(lost.marks.items())
        if mark.value is not None and mark.value != held.get(column) and column != own
        if not (columns[column].incidental or columns[column].create_only)
    )


def too_late(
    change: Change, entry: EntityMap, shadow: Shadow, values: Mapping[str, Value], heir: str
) -> Verdict:
    """The verdict on a change of a loser's record: it ends here, and what it says otherwise is kept."""
    rule = f"merged into {heir}"
    columns = entry.table.columns
    lost = tuple(
        Collision(column, held, value, held, mark.origin if mark else DATAVERSE, rule)
        for column, value in values.items()
        if (held := mark.value if (mark := shadow.marks.get(column)) else None) != value
        if not (columns[column].incidental or columns[column].create_only)
    )
    result = deciding.unchanged(change, Outcome.SUPERSEDED, f"it was {rule}", entry)
    return replace(result, collisions=lost)
