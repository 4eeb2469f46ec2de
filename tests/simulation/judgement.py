"""What must be true of every run once it has come to rest.

Nothing is excused but what people did themselves: a record that they deleted on one side while it was edited
on the other may live on alone, if the journal or a held message says so.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from uuid import UUID

import sqlalchemy as sa

from mappers.allegory import ALLEGORY
from shared.connectors.sqlstore.disputes import dispute
from shared.connectors.sqlstore.operations.history import lines_of
from shared.connectors.sqlstore.values import changes_of, shadow_of, value_of
from shared.core.history import rebuild
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Value, placeholder_id
from shared.core.mapping.spec import Flow
from shared.core.outcome import Outcome
from shared.core.verdict import ItemState
from tests.simulation.accounts import accounted
from tests.simulation.app import WATCHED
from tests.simulation.books import Books, books_of
from tests.simulation.governance import PERSONAL
from tests.simulation.people import ENTITY, TEXTS, Edit
from tests.simulation.stuck import among_merges, stuck
from tests.simulation.weather import Fault
from tests.simulation.world import World

_ONE_MORE = re.compile("both sides changed|is taken back|the link follows")


def judge(world: World) -> list[str]:
    """Every broken promise, in words that begin with the row it concerns."""
    books = books_of(world)
    found = [
        *_conserved(world, books),
        *_all_done(world, books),
        *_paired_once(world, books),
        *_converged(world, books),
        *_nothing_lost(world, books),
        *_in_order(world, books),
        *_few_writes(world, books),
        *_told_by_history(world, books),
        *_settled(world, books),
        *_asked(world, books),
        *accounted(world),
        *world.line.overlaps,
    ]
    return list(dict.fromkeys(found))


def _conserved(world: World, books: Books) -> Iterator[str]:
    """Whatever was put on a queue, and whatever the feed tells of, has exactly one outcome or one place."""
    kept = {(row.queue, row.message_id, row.body) for row in books.messages}
    for queue, message_id, _ in sorted(world.queues.put - kept):
        yield f"message {message_id} of {queue} was never kept"
    if len(kept) != len(books.messages):
        yield "a message was kept twice"
    told = {row.message_id for row in books.messages}
    for change in (change for each in world.legacy.values() for change in each.cursors()):
        if change not in told:
            yield f"{change} was never kept"
    states = {row.number: row.state for row in books.items}
    for row in books.messages:
        is_open = states.get(row.number, ItemState.DONE) != ItemState.DONE
        if is_open == (row.outcome is not None and Outcome(row.outcome).is_final):
            yield f"{row.record}: {row.message_id} is {states.get(row.number)} and {row.outcome}"


def _all_done(world: World, books: Books) -> Iterator[str]:
    """Nothing is left but what has to wait for a person."""
    waiting = stuck(world, books)
    for item in books.items:
        if item.state != ItemState.DONE and item.record not in waiting:
            yield f"{item.record}: message {item.number} is left {item.state}: {item.code or item.waits_on}"


def _alone(world: World, books: Books) -> set[UUID]:
    """Records that one side may lack: people deleted them there, and it can be looked up what for."""
    told = {
        line.record
        for line in books.journal
        if line.outcome in {Outcome.CONFLICT, Outcome.SUPERSEDED} and line.reason.startswith("deleted")
    }
    return stuck(world, books) | (told & {end.row for end in world.people.ends})


def _paired_once(world: World, books: Books) -> Iterator[str]:
    """Every record is one row, every row is one record of a system."""
    for (row, system), times in Counter((row, key.system) for key, row in books.pairs.items()).items():
        if times > 1:
            yield f"{row}: paired with {times} records of {system}"
    alone = _alone(world, books)
    yield from _rows_have_records(world, books, alone)
    yield from _records_have_rows(world, books, alone)


def _rows_have_records(world: World, books: Books, alone: set[UUID]) -> Iterator[str]:
    keys_of: dict[UUID, list[RecordKey]] = {}
    for key, row in books.pairs.items():
        keys_of.setdefault(row, []).append(key)
    if Fault.PHASE in world.weather.rates:
        # Where Dataverse alone decides, a row is left as it is when people merge its record in Allegory.
        alone = alone | (world.allegory.merged & books.heirs.keys())
    for table in ENTITY:
        for row, values in world.dataverse.twin.of(table).items():
            keys = keys_of.get(row, [])
            there = any(key.id in world.legacy[key.system].twin.of(key.entity) for key in keys)
            if row in alone or row == placeholder_id(table):
                continue
            if values.get("statecode"):
                yield from _followed(books, row, values.get("masterid"))
            elif not there:
                yield f"{row}: the {table} has no record ({keys})"


def _records_have_rows(world: World, books: Books, alone: set[UUID]) -> Iterator[str]:
    for (system, side), entity in product(world.legacy.items(), TEXTS):
        for record_id, fields in side.twin.of(entity).items():
            key = RecordKey(system, entity, record_id)
            row = books.claims.get(key, side.row_of(entity, record_id))
            there = any(row in world.dataverse.twin.of(table) for table in ENTITY)
            if not there and row not in alone:
                yield f"{row}: {key} has no row"
            told = fields.get("cf_dataverse_id")
            if told and books.heir(UUID(str(told))) != row:
                yield f"{row}: {key} says it is row {told}"


def _followed(books: Books, row: UUID, master: Value) -> Iterator[str]:
    """A row that was merged away is merged in the state, too, and no record speaks for it any more."""
    if row not in books.heirs:
        yield f"{row}: it was merged into {master}, and nobody followed"
    if row in books.pairs.values():
        yield f"{row}: it was merged into {master}, and still has a record"


def _converged(world: World, books: Books) -> Iterator[str]:
    """Both sides hold the same, column by column."""
    waiting = stuck(world, books)
    for key, row in books.pairs.items():
        entry = next(entry for entry in ALLEGORY.maps if entry.entity == key.entity)
        fields = world.legacy[key.system].twin.of(key.entity).get(key.id)
        values = world.dataverse.twin.of(entry.table.name).get(row)
        if fields is None or values is None or row in waiting:
            continue
        mapped = entry.to_columns(fields).values
        for line in entry.fields:
            name = line.column.name
            if line.flow is not Flow.BOTH or (name not in mapped and name in {"ownerid", "statuscode"}):
                continue
            legacy = books.resolved(mapped.get(name))
            in_dataverse = books.of_heir(values.get(name))
            if legacy != in_dataverse:
                yield f"{row}: {name} is {legacy} in {key.system} and {in_dataverse} in Dataverse"


def _nothing_lost(world: World, books: Books) -> Iterator[str]:
    """What a person wrote was agreed, or lost a conflict that is kept, or is there still, unless it was
    overwritten or deleted on its own side.
    """
    told: dict[tuple[UUID, str], set[Value]] = {}
    customer = _customers(world, books)
    for line in books.journal:
        for column, change in changes_of(line.changes).items():
            known = told.setdefault((customer(line.record), column), set())
            # That a column was blank before it was first filled tells nothing of a person's blank.
            known.update({change.after} if change.before is None else {change.after, change.before})
    for line in books.conflicts:
        values = {value_of(line.inbound), value_of(line.outbound), value_of(line.base)}
        told.setdefault((customer(line.record), line.column_name), set()).update(values)
    merging, cut = among_merges(world, books), {customer(row) for row in world.weather.cut}
    for number, edit in enumerate(world.people.edits):
        if edit.row in merging:
            continue
        if edit.value in told.get((customer(edit.row), edit.column), set()):
            continue
        # Whoever merges sees both records and chooses; Allegory keeps nothing of the loser.
        is_merged = edit.side == "allegory" and edit.row in world.allegory.merged
        if is_merged or world.people.overwrote(number):
            continue
        held = _held(world, books, edit)
        # A blank where nothing was agreed is no news; what shows that it was lost is an older value. Over a
        # write of this record that nobody heard of it looks as if nothing had happened at all.
        if edit.value is None and customer(edit.row) in cut:
            continue
        is_back = any(value in world.people.wrote(edit, number) - {None} for value in held)
        if is_back if edit.value is None else held != [edit.value]:
            yield f"{edit.row}: {edit.value} in {edit.column}, written in {edit.side}, is lost"


def _customers(world: World, books: Books) -> Callable[[UUID], UUID]:
    """The one row that stands for all that people ever took for one customer, taken apart again or not."""
    of: dict[UUID, UUID] = {}

    def customer(row: UUID) -> UUID:
        row = books.heir(row)
        while row in of:
            row = of[row]
        return row

    for one, other in world.people.kin:
        if (first := customer(one)) != (second := customer(other)):
            of[second] = first
    for key in books.pairs:
        # What a record was before it was taken out of a row, it told under its first one.
        if (first := customer(books.pairs[key])) != (
            second := customer(world.legacy[key.system].row_of(key.entity, key.id))
        ):
            of[second] = first
    return customer


def _held(world: World, books: Books, edit: Edit) -> list[Value]:
    """What the side a person wrote on holds there by now; nothing when it no longer has the record."""
    if edit.side == "dataverse":
        rows = (world.dataverse.twin.of(table).get(edit.row) for table in ENTITY)
        return [values.get(edit.column) for values in rows if values is not None]
    side = world.legacy[edit.side]
    return [
        books.resolved(entry.to_columns(fields).values.get(edit.column))
        for entry in WATCHED
        for record_id, fields in side.twin.of(entry.entity).items()
        if side.row_of(entry.entity, record_id) == edit.row
    ]


def _in_order(world: World, books: Books) -> Iterator[str]:
    """What one side wrote into a column is agreed in the order in which it was written."""
    order = {(e.row, e.column, e.value): (e.side, n) for n, e in enumerate(world.people.edits)}
    last: dict[tuple[UUID, str, str], int] = {}
    late: set[tuple[UUID, str, Value]] = set()
    # The echo of a write that nobody heard of agrees on its value before the value's own message does.
    for line in (line for line in books.journal if line.outcome != Outcome.ECHO):
        for column, change in changes_of(line.changes).items():
            known = order.get((line.record, column, change.after))  # type: ignore[arg-type]
            if known is None or change.after is None or (line.record, column, change.after) in late:
                continue
            side, number = known
            if change.is_lost:
                # The other side told an earlier value once more, and lost: it may have been written before.
                late.update({(line.record, column, change.after)} if line.source != side else ())
                continue
            if number < last.get((line.record, column, side), -1):
                yield f"{line.record}: {change.after} of {side} is agreed after a later value of {column}"
            last[line.record, column, side] = number


def _few_writes(world: World, books: Books) -> Iterator[str]:
    """Whatever a person does to a record is one write to the other side, a conflict that is settled two; a
    collision, what is taken back, and a link that waits for its record may be one more. Only what was cut off
    is written again.
    """
    allowed = world.people.saves + Counter(end.row for end in world.people.ends)
    allowed += world.settled + world.settled
    allowed += Counter(line.record for line in books.journal if _ONE_MORE.search(line.reason))
    writes = world.dataverse.writes
    for each in world.legacy.values():
        writes = writes + each.writes
    cuts = world.weather.cuts + world.deaths
    for row, times in writes.items():
        if times > allowed[row] and row not in world.weather.cut and not world.people.merges:
            yield f"{row}: {times} writes where {allowed[row]} would do"
    # A merge moves what points at the loser, and each side tells the other of all that moved.
    cuts += 2 * world.people.merges + world.dataverse.moved + world.allegory.moved
    if world.second is not None:
        # What is one customer in two systems is told to both, and what is taken apart gets a row of its own.
        cuts += allowed.total() + 6 * world.apart
    if writes.total() > allowed.total() + cuts:
        yield f"{writes.total()} writes where {allowed.total()} would do, and {cuts} cuts"


def _settled(world: World, books: Books) -> Iterator[str]:
    """No conflict is left open once a person has decided each of them, unless one side lacks the record."""
    alone = _alone(world, books)
    with world.store.engine.connect() as connection:
        for row in connection.execute(sa.select(dispute).where(dispute.c.state != "over")):
            if row.record not in alone:
                yield f"{row.record}: {row.column_name} is still in dispute"


def _asked(world: World, books: Books) -> Iterator[str]:
    """Nobody but a person decides a column that is a person's."""
    if Fault.PERSON not in world.weather.rates:
        return
    of = {row: key.entity for key, row in books.pairs.items()}
    for line in books.conflicts:
        is_personal = line.column_name == PERSONAL.get(of.get(line.record, ""))
        # Between the records of one row the rules decide, before anybody is asked.
        if (
            is_personal
            and line.rule != "person"
            and not line.rule.startswith(("merged into", "survivorship"))
        ):
            yield f"{line.record}: {line.column_name} was decided by rule: {line.rule}"


def _told_by_history(world: World, books: Books) -> Iterator[str]:
    """The journal alone gives what is agreed of every record, and so what both sides hold (N-03)."""
    with world.store.engine.connect() as connection:
        lines = {shadow.record: lines_of(connection, shadow.record) for shadow in books.shadows}
    for shadow in books.shadows:
        agreed = shadow_of(shadow.document, shadow.deleted_at).marks
        marks = {name: mark.value for name, mark in agreed.items() if mark.value is not None}
        told = rebuild(lines[shadow.record]).values
        for name in sorted(marks.keys() | told.keys()):
            if marks.get(name) != told.get(name):
                yield (
                    f"{shadow.record}: {name} is {marks.get(name)} by the shadow "
                    f"and {told.get(name)} by the journal"
                )
