"""What a change says of a row, and what of that is to be written to it."""

from dataclasses import dataclass, replace
from uuid import UUID

from shared.core import decision as deciding
from shared.core.change import Change
from shared.core.identity import DATAVERSE
from shared.core.mapping.columns import Table, Value
from shared.core.mapping.spec import EntityMap
from shared.core.merge import Merge, Side, merge
from shared.core.ownership import Ownership
from shared.core.ports import Row
from shared.core.shadow import Shadow
from shared.core.survivorship import Survivorship


@dataclass(frozen=True, slots=True)
class Said:
    """What a change says, who may say it, and whether its owner is one for a new row alone."""

    change: Change
    entry: EntityMap
    record: UUID
    ours: Side
    owned: Ownership
    stands_in: bool = False


def speaks_anew(shadow: Shadow, ours: Side, entry: EntityMap) -> bool:
    """Whether a column is spoken of that was never agreed on: what the row holds there may be a person's.

    The row's known version says only that it equals the shadow, where the shadow says anything.
    """
    columns = entry.table.columns
    kept = {name for name in ours.values if columns[name].create_only or columns[name].incidental}
    own = {entry.source_key.name} if entry.source_key else set()
    return bool(ours.values.keys() - shadow.marks.keys() - kept - own)


def is_made_by(change: Change, ours: Side, held: Side, entry: EntityMap, shadow: Shadow) -> bool:
    """Whether a row found where one was to be made is this change's own, made before its answer was lost."""
    if shadow.making:
        return shadow.making == change.message_id
    # Whoever wrote it died before that was noted.
    told = {name for name in ours.values if entry.table.columns[name].incidental}
    own = {entry.source_key.name} if entry.source_key else set()
    # The key alone would do for any change of the record; with the time of this one it is this one.
    return own < told and all(held.values.get(name) == ours.values[name] for name in told)


def worthwhile(shadow: Shadow, said: Said, held: Side | None, table: Table, rules: Survivorship) -> Merge:
    """The merge with a row that exists: without columns that Dataverse takes on create alone, and without a
    write that would change nothing but incidental columns (our own write coming back with a new time).
    """
    values: dict[str, Value] = {
        name: value for name, value in said.ours.values.items() if not table.columns[name].create_only
    }
    decision = merge(shadow, replace(said.ours, values=values), held, said.owned, rules)
    if all(table.columns[name].incidental for name in decision.write):
        return replace(decision, write={})
    return decision


def after_write(shadow: Shadow, decision: Merge, ours: Side, row: Row | None, read_at: str | None) -> Shadow:
    """The shadow after the write; the row's version is kept only where the row equals the shadow."""
    if row is None:
        known = {DATAVERSE: read_at if decision.complete else None} if read_at else {}
        return deciding.agreed(shadow, decision, ours, None, known)
    answered = Side(DATAVERSE, {}, deciding.row_moment(row.modified_at, row.version))
    return deciding.agreed(
        shadow, decision, ours, answered, {DATAVERSE: (row.version or None) if decision.complete else None}
    )
