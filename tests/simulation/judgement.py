"""What must be true of every run once it has come to rest."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from mappers.allegory import ALLEGORY
from shared.connectors.sqlstore import tables
from shared.connectors.sqlstore.disputes import dispute
from shared.connectors.sqlstore.operations.history import lines_of
from shared.connectors.sqlstore.values import changes_of, shadow_of, value_of
from shared.core.history import rebuild
from shared.core.identity import DATAVERSE, RecordKey, chosen_row_id
from shared.core.mapping.columns import Value, placeholder_id
from shared.core.mapping.references import DirectoryRef, PlaceholderRef, RecordRef, RowRef
from shared.core.mapping.spec import Flow
from tests.simulation.governance import PERSONAL
from tests.simulation.people import ENTITY, TEXTS, Edit
from tests.simulation.run import World
from tests.simulation.sides import OWNER
from tests.simulation.weather import Fault


@dataclass
class Books:
    """The state's own account of a run."""

    pairs: Mapping[RecordKey, UUID]
    journal: list[Any]
    conflicts: list[Any]
    items: list[Any]
    messages: list[Any]
    shadows: list[Any]
    heirs: Mapping[UUID, UUID]
    claims: Mapping[RecordKey, UUID]

    @cached_property
    def merging(self) -> set[UUID]:
        """The rows of merges that cannot be followed before a person has seen to what is before them."""
        waiting = {item.number: item.record for item in self.items if item.state != "done"}
        rows: set[UUID] = set()
        for row in self.messages:
            if row.operation == "absorb" and row.number in waiting:
                key = RecordKey(row.source, row.entity, row.source_id)
                own = UUID(key.id) if key.system == DATAVERSE else self.pairs.get(key, chosen_row_id(key))
                rows |= {waiting[row.number], own}
        return rows

    def heir(self, row: UUID) -> UUID:
        """The row that a row is now."""
        while row in self.heirs:
            row = self.heirs[row]
        return row


def judge(world: World) -> list[str]:
    """Every broken promise, in words that begin with the row it concerns."""
    books = _books(world)
    found = [
        *_conserved(world, books),
        *_let_go(books),
        *_paired_once(world, books),
        *_converged(world, books),
        *_nothing_lost(world, books),
        *_in_order(world, books),
        *_few_writes(world),
        *_told_by_history(world, books),
        *_settled(world, books),
        *_asked(world, books),
        *_followed(world, books),
        *world.line.overlaps,
    ]
    return list(dict.fromkeys(found))


def _books(world: World) -> Books:
    with world.store.engine.connect() as connection:

        def everything(table: sa.Table) -> list[Any]:
            return list(connection.execute(sa.select(table).order_by(*table.primary_key.columns)).all())

        pairs = {
            RecordKey(row.system, row.entity, row.legacy_id): row.row_id
            for row in everything(tables.crosswalk)
            if row.state == "paired"
        }
        return Books(
            pairs,
            everything(tables.journal),
            everything(tables.conflict),
            everything(tables.lane_item),
            everything(tables.message),
            everything(tables.shadow),
            {row.row_id: row.heir for row in everything(tables.absorbed_row)},
            {
                RecordKey(row.system, row.entity, row.legacy_id): row.row_id
                for row in everything(tables.crosswalk)
            },
        )


def _conserved(world: World, books: Books) -> Iterator[str]:
    """Every message that was put on a queue has exactly one outcome or one place."""
    kept = {(row.queue, row.message_id, row.body) for row in books.messages}
    for queue, message_id, body in sorted(world.queues.put - kept):
        del body
        yield f"message {message_id} of {queue} was never kept"
    if len(kept) != len(books.messages):
        yield "a message was kept twice"
    states = {row.number: row.state for row in books.items}
    final = {"applied", "merged", "echo", "stale", "duplicate", "superseded", "conflict", "rejected"}
    for row in books.messages:
        is_open = states.get(row.number, "done") != "done"
        if is_open == (row.outcome in final):
            yield f"{row.record}: {row.message_id} is {states.get(row.number)} and {row.outcome}"
        if states.get(row.number) in {"waiting", "retrying"} and not _behind(books, row.record):
            yield f"{row.record}: {row.message_id} is left behind"


def _let_go(books: Books) -> Iterator[str]:
    """Nothing waits for what is there."""
    there = {str(key) for key in books.pairs} | {str(row) for row in books.pairs.values()}
    there |= {str(row) for row in books.heirs if books.heir(row) in books.pairs.values()}
    for item in books.items:
        if item.state == "parked" and item.waits_on in there:
            yield f"{item.record}: still waits for {item.waits_on}"


def _behind(books: Books, record: UUID) -> bool:
    return any(item.record == record and item.state in {"held", "parked"} for item in books.items)


def _listed(books: Books, row: UUID) -> str | None:
    """Why a record may differ: what a person sees about it."""
    row = books.heir(row)
    if row in books.merging:
        return "its merge waits behind what is held"
    for item in books.items:
        if item.record == row and (item.state in {"held", "parked"} or item.is_failing):
            return f"{item.state} {item.code or item.waits_on}"
    for line in books.journal:
        told = line.outcome in {"conflict", "superseded"} and line.reason.startswith("deleted")
        if line.record == row and told:
            return str(line.reason)
    return None


def _paired_once(world: World, books: Books) -> Iterator[str]:
    """Every record is one row, every row is one record."""
    for row, times in Counter(books.pairs.values()).items():
        if times > 1:
            yield f"{row}: paired with {times} records"
    key_of = {row: key for key, row in books.pairs.items()}
    for table in ENTITY:
        for row in world.dataverse.twin.of(table):
            key = key_of.get(row)
            there = key is not None and key.id in world.allegory.twin.of(key.entity)
            if world.dataverse.twin.of(table)[row].get("statecode"):
                continue
            if not there and row != placeholder_id(table) and not _listed(books, row):
                yield f"{row}: the {table} has no record ({key})"
    for entity in TEXTS:
        for record_id, fields in world.allegory.twin.of(entity).items():
            yield from _has_row(world, books, RecordKey(ALLEGORY.name, entity, record_id), fields)


def _has_row(world: World, books: Books, key: RecordKey, fields: Mapping[str, Any]) -> Iterator[str]:
    row = books.claims.get(key, world.allegory.row_of(key.entity, key.id))
    if _listed(books, row):
        return
    if not any(row in world.dataverse.twin.of(table) for table in ENTITY):
        yield f"{row}: {key} has no row"
    told = fields.get("cf_dataverse_id")
    if told and told != str(row):
        yield f"{row}: {key} says it is row {told}"


def _converged(world: World, books: Books) -> Iterator[str]:
    """Both sides hold the same, column by column."""
    for key, row in books.pairs.items():
        entry = next(entry for entry in ALLEGORY.maps if entry.entity == key.entity)
        fields = world.allegory.twin.of(key.entity).get(key.id)
        values = world.dataverse.twin.of(entry.table.name).get(row)
        if fields is None or values is None or _listed(books, row):
            continue
        mapped = entry.to_columns(fields).values
        for line in entry.fields:
            name = line.column.name
            if line.flow is not Flow.BOTH or (name not in mapped and name in {"ownerid", "statuscode"}):
                continue
            legacy = _resolved(mapped.get(name), books)
            in_dataverse = _of_heir(values.get(name), books)
            if legacy != in_dataverse:
                yield f"{row}: {name} is {legacy} in Allegory and {in_dataverse} in Dataverse"


def _of_heir(value: Value, books: Books) -> Value:
    """What points at a row that was merged away means its heir: it may be older than our knowing."""
    return replace(value, id=books.heir(value.id)) if isinstance(value, RowRef) else value


def _resolved(value: Any, books: Books) -> Value:
    if isinstance(value, RecordRef):
        # What names a record that was merged away means its heir.
        found = books.claims.get(value.key)
        table = next(entry.table.name for entry in ALLEGORY.maps if entry.entity == value.key.entity)
        return RowRef(table, found) if found else str(value.key)
    if isinstance(value, PlaceholderRef):
        return RowRef(value.table, placeholder_id(value.table))
    if isinstance(value, DirectoryRef):
        return RowRef(value.table, OWNER)
    resolved: Value = value
    return resolved


def _nothing_lost(world: World, books: Books) -> Iterator[str]:
    """A value a person wrote was agreed, or lost a conflict that is kept, or was overwritten by its side."""
    told: dict[tuple[UUID, str], set[Value]] = {}
    for line in books.journal:
        for column, change in changes_of(line.changes).items():
            told.setdefault((books.heir(line.record), column), set()).update((change.after, change.before))
    for line in books.conflicts:
        values = {value_of(line.inbound), value_of(line.outbound), value_of(line.base)}
        told.setdefault((books.heir(line.record), line.column_name), set()).update(values)
    edits = world.people.edits
    for number, edit in enumerate(edits):
        later = edits[number + 1 :]
        if edit.value is None or edit.value in told.get((books.heir(edit.row), edit.column), set()):
            continue
        if _kept_aside(world, books, edit):
            continue
        if _overwritten(edit, later) or _gone(world, edit.row) or _listed(books, edit.row):
            continue
        yield f"{edit.row}: {edit.value} in {edit.column}, written in {edit.side}, is lost without a trace"


def _kept_aside(world: World, books: Books, edit: Edit) -> bool:
    """Whether the value stands in a row that was put aside, or went with a record that its own people merged.

    Whoever merges sees both and chooses; Dataverse keeps the loser's row, Allegory nothing.
    """
    aside = [world.dataverse.twin.of(table).get(edit.row, {}) for table in ENTITY]
    if any(values.get("statecode") and values.get(edit.column) == edit.value for values in aside):
        return True
    return edit.side == "allegory" and edit.row in world.allegory.merged


def _followed(world: World, books: Books) -> Iterator[str]:
    """A row that people merged away is merged in the state, too, and no record speaks for it any more."""
    for table in ENTITY:
        for row, values in world.dataverse.twin.of(table).items():
            master = values.get("masterid")
            if not values.get("statecode") or not isinstance(master, RowRef) or _listed(books, row):
                continue
            if row not in books.heirs:
                yield f"{row}: it was merged into {master.id}, and nobody followed"
            if row in books.pairs.values():
                yield f"{row}: it was merged into {master.id}, and still has a record"


def _overwritten(edit: Edit, later: list[Edit]) -> bool:
    return any((other.side, other.row, other.column) == (edit.side, edit.row, edit.column) for other in later)


def _gone(world: World, row: UUID) -> bool:
    return not any(row in world.dataverse.twin.of(table) for table in ENTITY)


def _in_order(world: World, books: Books) -> Iterator[str]:
    """What one side wrote into a column is agreed in the order in which it was written."""
    order = {(e.row, e.column, e.value): (e.side, n) for n, e in enumerate(world.people.edits)}
    last: dict[tuple[UUID, str, str], int] = {}
    for line in books.journal:
        for column, change in changes_of(line.changes).items():
            known = order.get((line.record, column, change.after))  # type: ignore[arg-type]
            if known is None or change.after is None:
                continue
            side, number = known
            if number < last.get((line.record, column, side), -1):
                yield f"{line.record}: {change.after} of {side} is agreed after a later value of {column}"
            last[line.record, column, side] = number


def _few_writes(world: World) -> Iterator[str]:
    """An edit crosses each link once; only what was cut off may be written again."""
    writes = world.dataverse.writes + world.allegory.writes
    cut = world.weather.lost_answers + world.crashes + world.weather.cut
    moved = world.people.merges * 2 + world.dataverse.moved + world.allegory.moved
    allowed = (world.people.acts + world.settlements) * 2 + len(world.people.edits) + cut + moved
    if writes > allowed:
        yield f"{writes} writes for {world.people.acts} acts and {cut} cuts: it echoes"


def _settled(world: World, books: Books) -> Iterator[str]:
    """No conflict is left open once a person has decided each of them, unless its lane is held."""
    with world.store.engine.connect() as connection:
        for row in connection.execute(sa.select(dispute).where(dispute.c.state != "over")):
            if not _listed(books, row.record):
                yield f"{row.record}: {row.column_name} is still in dispute"


def _asked(world: World, books: Books) -> Iterator[str]:
    """Nobody but a person decides a column that is a person's."""
    if Fault.PERSON not in world.weather.rates:
        return
    of = {row: key.entity for key, row in books.pairs.items()}
    for line in books.conflicts:
        is_personal = line.column_name == PERSONAL.get(of.get(line.record, ""))
        if is_personal and line.rule != "person" and not line.rule.startswith("merged into"):
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
