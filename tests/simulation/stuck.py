"""Who waits for a person at the end of a run: what no machine may decide, and what waits for that."""

from uuid import UUID

from shared.core.codes import Code
from shared.core.identity import DATAVERSE, RecordKey, chosen_row_id
from shared.core.verdict import ItemState
from tests.simulation.books import Books
from tests.simulation.world import World


def stuck(world: World, books: Books) -> set[UUID]:
    """Records that wait for a person, because people deleted what their changes were to be written to or to
    point at, and the records that wait for those.
    """
    ended = {end.row for end in world.people.ends}
    orphans = {row for row, parents in world.people.parents.items() if parents & ended}
    held = {(item.record, item.code) for item in books.items if item.state == ItemState.HELD}
    found = {row for row, code in held if code == Code.TARGET_GONE and row in ended}
    found |= {row for row, code in held if code == Code.VALUE_UNKNOWN_REFERENCE and row in orphans}
    waiting = [item for item in books.items if item.state == ItemState.PARKED]
    # What hangs from a customer of the other system alone has no place where its own record is.
    found |= {item.record for item in waiting if item.code == Code.PARENT_ELSEWHERE}
    while more := {item.record for item in waiting if _row_of(world, item.waits_on) in found} - found:
        found |= more
    return found | among_merges(world, books)


def among_merges(world: World, books: Books) -> set[UUID]:
    """Records that wait for a person in a run with merges; nothing where nobody merges.

    What cannot go on because people deleted or merged what it is about, or what it names, may hold up a
    merge, and that its heir, its loser and whoever waits for one of them.
    """
    if not world.people.merges:
        return set()
    gone = {end.row for end in world.people.ends} | world.allegory.merged
    gone |= {row for pair in books.heirs.items() for row in pair}
    failing = [item for item in books.items if item.is_failing]
    found = {item.record for item in failing if item.code == Code.TARGET_GONE and item.record in gone}
    found |= {item.record for item in failing if item.code == Code.VALUE_UNKNOWN_REFERENCE}
    waiting = [item for item in books.items if item.state == ItemState.PARKED]
    merges = _open_merges(books)
    while True:
        more = {item.record for item in waiting if _row_of(world, item.waits_on) in found}
        more |= {row for merge in merges if merge & found for row in merge}
        more |= {row for row in books.heirs if books.heir(row) in found}
        if more <= found:
            return found
        found |= more


def _open_merges(books: Books) -> list[set[UUID]]:
    """The loser of each merge that is not done yet, and the record in whose lane it is."""
    lanes = {item.number: item.record for item in books.items if item.state != ItemState.DONE}
    found: list[set[UUID]] = []
    for message in books.messages:
        if message.operation == "absorb" and message.number in lanes:
            key = RecordKey(message.source, message.entity, message.source_id)
            loser = UUID(key.id) if key.system == DATAVERSE else books.claims.get(key, chosen_row_id(key))
            found.append({loser, lanes[message.number]})
    return found


def _row_of(world: World, key: str) -> UUID:
    """The row that a parked item waits for, by the key of its record or of the row itself."""
    if ":" not in key:
        return UUID(key)
    system, entity, name = key.split(":", 2)
    return world.legacy[system].row_of(entity, name) if system in world.legacy else UUID(name)
