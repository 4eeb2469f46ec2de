"""Writes what follows from a record beside its own row: companions, entries in lists of others, memberships.

Nothing is written blindly: a companion is created under its own GUID or updated at the version it was read
at, a list is read, changed and written at that version, and both are done again when somebody was quicker.
A repeated delivery finds everything in place and writes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from shared.core.codes import Code
from shared.core.errors import Fault, Gone, InvalidMessage, MovedOn, ParentMissing, Refused
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Value
from shared.core.mapping.references import RowRef
from shared.core.mapping.satellites import (
    Companion,
    Element,
    Following,
    following,
    points_at,
    with_element,
    without_element,
)
from shared.core.mapping.spec import EntityMap
from shared.core.mapping.transforms.text import length
from shared.core.ports import Hold, MarketingLists, Rows

_ROUNDS = 4
"""How often a row may move on under us before the change is given to the retry timer."""


@dataclass(frozen=True, slots=True)
class Followers:
    """What follows from the rows of one map, for one legacy system."""

    entry: EntityMap
    rows: Rows
    lookups: Lookups
    lists: MarketingLists | None = None

    async def expect(self, row_id: UUID, values: Mapping[str, Value]) -> None:
        """Nothing, if what would follow can be written; raises ParentMissing for a record to wait for.

        Asked before the record's own row is written: a record that must wait leaves nothing behind.
        """
        expected = following(self.entry.satellites, row_id, values)
        for companion in expected.companions:
            await self.lookups.to_rows(self.entry, companion.values)
        for element in expected.elements:
            await self._listing(element)

    async def follow(
        self, row_id: UUID, before: Mapping[str, Value], after: Mapping[str, Value], hold: Hold
    ) -> None:
        """Write what follows from `after`, and take away what followed from `before` alone."""
        if not self.entry.satellites or before == after:
            return
        was = following(self.entry.satellites, row_id, before)
        now = following(self.entry.satellites, row_id, after)
        if was == now:
            return
        kept = await self._written(now, hold)
        for companion in was.companions:
            if companion.row_id not in kept:
                await self._remove(companion, hold)
        for element in was.elements:
            if element not in now.elements:
                await self._leave(element, hold)
        await self._move(was, now, hold)

    async def undo(self, row_id: UUID, values: Mapping[str, Value], hold: Hold) -> None:
        """Take away everything that followed from a record that is deleted."""
        await self.follow(row_id, values, {}, hold)

    async def _move(self, was: Following, now: Following, hold: Hold) -> None:
        """Out of the marketing lists that are no longer the record's, and into those that are now."""
        if self.lists is None:
            if now.memberships:
                raise LookupError("nobody keeps marketing lists here")
            return
        # What was agreed before was in its list before: nobody is put back whom a person took out.
        for place in now.memberships:
            if place not in was.memberships:
                await hold()
                await self.lists.join(place)
        for place in was.memberships:
            if place not in now.memberships:
                await hold()
                await self.lists.leave(place)

    async def _written(self, now: Following, hold: Hold) -> set[UUID]:
        kept = set()
        for companion in now.companions:
            if await self._place(companion, hold):
                kept.add(companion.row_id)
        for element in now.elements:
            await self._join(element, hold)
        return kept

    async def _place(self, companion: Companion, hold: Hold) -> bool:
        """Whether there is such a row now."""
        values = await self.lookups.to_rows(self.entry, companion.values)
        if points_at(values, companion.besides):
            return False
        if companion.needs is not None and await self.rows.read(*companion.needs) is None:
            return False
        try:
            await self._put(companion, values, hold)
        except Refused as refused:
            # The organisation has the process, but this stage of it was never made there.
            if companion.needs is None or refused.code is not Code.VALUE_UNKNOWN_REFERENCE:
                raise
            return False
        return True

    async def _put(self, companion: Companion, values: Mapping[str, Value], hold: Hold) -> None:
        table, onto = companion.table, companion.onto
        for _ in range(_ROUNDS):
            held = await self.rows.read(table, companion.row_id)
            wanted = {**values, **(onto(held.values if held else {}) if onto else {})}
            try:
                if held is None:
                    await hold()
                    await self.rows.create(table, companion.row_id, wanted)
                    return
                due = {name: value for name, value in wanted.items() if held.values.get(name) != value}
                if due:
                    await hold()
                    await self.rows.update(table, companion.row_id, due, held.version)
            except MovedOn:
                continue
            return
        raise MovedOn(f"a row of {table.name} changed {_ROUNDS} times while it was written")

    async def _remove(self, companion: Companion, hold: Hold) -> None:
        for _ in range(_ROUNDS):
            # Where the organisation lacks what it needs there never was one, nor perhaps its table.
            if companion.needs is not None and await self.rows.read(*companion.needs) is None:
                return
            held = await self.rows.read(companion.table, companion.row_id)
            if held is None:
                return
            await hold()
            try:
                await self.rows.delete(companion.table, companion.row_id, held.version)
            except MovedOn:
                continue
            return
        raise MovedOn(f"a row of {companion.table.name} changed {_ROUNDS} times while it was removed")

    async def _listing(self, element: Element) -> RowRef:
        """The row that keeps the list; raises ParentMissing while it has not arrived."""
        found = await self.lookups.row_of(element.column.name, element.record)
        table = self.lookups.tables[found.table]
        if table.columns.get(element.column.name) is not element.column:
            raise InvalidMessage(
                Fault("/data", Code.VALUE_UNKNOWN_REFERENCE, f"a record with {element.column.name}")
            )
        return found

    async def _join(self, element: Element, hold: Hold) -> None:
        await self._rewrite(element, await self._listing(element), hold, joining=True)

    async def _leave(self, element: Element, hold: Hold) -> None:
        try:
            row = await self._listing(element)
        except ParentMissing:
            return
        try:
            await self._rewrite(element, row, hold, joining=False)
        except Gone:
            return

    async def _rewrite(self, element: Element, row: RowRef, hold: Hold, *, joining: bool) -> None:
        table, name = self.lookups.tables[row.table], element.column.name
        for _ in range(_ROUNDS):
            held = await self.rows.read(table, row.id)
            if held is None:
                raise Gone(f"the row that keeps {name} no longer exists")
            text = held.values.get(name)
            wanted = with_element(text, element) if joining else without_element(text, element)
            if wanted == text:
                return
            if joining and length(wanted or "") > (element.column.max_length or 0):
                rule = f"room in a list of at most {element.column.max_length} characters"
                raise InvalidMessage(Fault("/data", Code.VALUE_TOO_LONG, rule))
            await hold()
            try:
                await self.rows.update(table, row.id, {name: wanted}, held.version)
            except MovedOn:
                continue
            return
        raise MovedOn(f"{name} changed {_ROUNDS} times while it was written")
