"""Where a row's change goes, and what is agreed once it went there."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from shared.core import decision as deciding
from shared.core.absorption import merged_into
from shared.core.change import Change
from shared.core.identity import DATAVERSE, RecordKey
from shared.core.legacy import going_out
from shared.core.mapping.columns import Table, Value
from shared.core.mapping.references import RowRef
from shared.core.mapping.spec import EntityMap
from shared.core.merge import ANYBODY, Merge, Side
from shared.core.ownership import Ownership
from shared.core.policy import filled_in
from shared.core.ports import LegacyRecord, Rows
from shared.core.shadow import Mark, Moment, Shadow
from shared.core.system import LegacySystem

Written: TypeAlias = "tuple[str, LegacyRecord | None]"
"""The legacy system written to, and its record afterwards; None when nothing was written."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a row's change goes: a system, the map, the record (None: one is made), and who decides."""

    system: LegacySystem
    entry: EntityMap
    key: RecordKey | None
    owned: Ownership = ANYBODY


def agreed_after(
    entry: EntityMap, change: Change, shadow: Shadow, decision: Merge, ours: Side, written: Written
) -> Shadow:
    """The shadow after the write; the legacy version is kept only where its record equals the shadow."""
    name, record = written
    versions: dict[str, str | None] = {DATAVERSE: _row_version(entry, change, shadow, decision, ours)}
    if record is None:
        return deciding.agreed(shadow, decision, ours, None, versions)
    versions[name] = record.version if decision.complete else None
    answered = Side(name, {}, Moment(record.changed_at))
    return deciding.agreed(shadow, decision, ours, answered, versions)


def with_defaults(change: Change, shadow: Shadow, ours: Side) -> Shadow:
    """The shadow with what Dataverse filled in by itself when we wrote the row.

    A message about our own create, or about a version we know of, tells nobody's change: values in columns
    never agreed on are the platform's defaults. They become known, so that a later edit of them is seen as
    one, and go nowhere.
    """
    is_known = 0 < ours.moment.version <= deciding.number_of(shadow)
    if not (is_known or (change.is_own and change.is_create)):
        return shadow
    seen = {DATAVERSE: ours.moment}
    fresh = {
        name: Mark(value, ours.moment.at, DATAVERSE, seen)
        for name, value in ours.values.items()
        if name not in shadow.marks
    }
    return replace(shadow, marks={**shadow.marks, **fresh})


async def followed(
    rows: Rows, tables: Mapping[str, Table], change: Change, shadow: Shadow, write: Mapping[str, Value]
) -> frozenset[str]:
    """The columns of our own write in which a link went from a row to the one it was merged into.

    The merge did that, by Dataverse's own action; nobody answered what we wrote.
    """
    found = set()
    for name, value in write.items() if change.is_own else ():
        was = shadow.marks[name].value if name in shadow.marks else None
        if not (isinstance(value, RowRef) and isinstance(was, RowRef) and was.table in tables):
            continue
        row = await rows.read(tables[was.table], was.id)
        if row is not None and merged_into(row.values) == value.id:
            found.add(name)
    return frozenset(found)


def unseen(entry: EntityMap, shadow: Shadow, held: Side, *, is_known: bool = False) -> str:
    """Why a record is not to be deleted with its row: it holds what Dataverse has not seen. Blank: it is.

    `is_known` says that it is at the version that was agreed on.
    """
    known = (shadow.marks.keys() & held.values.keys()) - held.alike
    if any(held.values[name] != shadow.marks[name].held_by(held.system) for name in known):
        return "deleted here, changed there"
    filled = [] if is_known else filled_in(entry, shadow, held.values)
    return f"deleted here, filled in there: {', '.join(filled)}" if filled else ""


def _row_version(entry: EntityMap, change: Change, shadow: Shadow, decision: Merge, ours: Side) -> str | None:
    """The newest row version at which the row is known to equal the shadow.

    The one that was told of, when that speaks of the whole row, everything it says is agreed now and it is
    newer than what was known. Of the columns that a message leaves out an earlier one may still have to tell.
    """
    known, told = shadow.versions.get(DATAVERSE), ours.moment.version
    if told <= deciding.number_of(shadow):
        return known
    is_whole = ours.values.keys() >= going_out(entry)
    if decision.stale or decision.collisions or change.without or not is_whole:
        return None
    return f'W/"{told}"'
