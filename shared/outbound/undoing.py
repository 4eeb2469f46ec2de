"""A create of ours that was given up, and came late all the same (ADR 0018)."""

from uuid import UUID

from shared.core import decision as deciding
from shared.core.change import Change
from shared.core.mapping.spec import EntityMap
from shared.core.outcome import Outcome
from shared.core.ports import Hold, Rows
from shared.core.verdict import Verdict


async def undone(rows: Rows, change: Change, entry: EntityMap, record: UUID, hold: Hold) -> Verdict:
    """Remove a row that such a create made again after somebody had deleted it.

    What people want with the deleted row is told by its delete, and by nothing else. It is removed while
    nobody has touched it since.
    """
    row = await rows.read(entry.table, record)
    if row is None:
        return deciding.unchanged(change, Outcome.STALE, "older than its delete", entry)
    if deciding.row_moment(row.modified_at, row.version).version != change.version:
        reason = "the row was changed since; its own message follows"
        return deciding.unchanged(change, Outcome.SUPERSEDED, reason, entry)
    await hold()
    await rows.delete(entry.table, record, row.version)
    reason = "a create that was given up came late and brought back what was deleted: it is undone"
    return deciding.unchanged(change, Outcome.APPLIED, reason, entry)
