"""`Rows`, `RowChanges` and `Directory` without Dataverse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.connectors.memory.trouble import Trouble
from shared.core.codes import Code
from shared.core.errors import Gone, MovedOn, Refused
from shared.core.mapping.columns import Option, Table, Value, placeholder_id
from shared.core.mapping.lifecycle import STATUS, NoWay
from shared.core.mapping.references import DirectoryRef, RowRef
from shared.core.ports import Clock, Row
from shared.core.row_changes import ChangedRow, RowPage

MASTER = "masterid"
"""The column that tells the row another one was merged into."""

_OWN = {"tandem_sourcekey", "ownerid", "statecode", "statuscode", MASTER, "overriddencreatedon"}
"""What a row keeps when it is merged: who and where it is."""


@dataclass(frozen=True, slots=True)
class _Kept:
    values: Mapping[str, Value]
    number: int
    modified_at: datetime


class MemoryRows:
    """A twin of the tables. `trouble` arranges failures; `put` and `remove` are what people do there.

    Versions grow over all tables, times are the clock's, to the second, and a lookup must point at a row
    that exists, and no two rows have one key. Limits of columns are not checked.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[tuple[str, UUID], _Kept] = {}
        self._removed: list[tuple[int, str, UUID]] = []
        self._number = 0
        self.trouble = Trouble()

    async def read(self, table: Table, row_id: UUID) -> Row | None:
        """The row with every column that can be read back, blank ones as None; or None."""
        self.trouble.strike()
        kept = self._rows.get((table.name, row_id))
        return None if kept is None else _row(kept, _readable(table, kept))

    async def read_many(self, table: Table, row_ids: Sequence[UUID]) -> Mapping[UUID, Row | None]:
        """Rows by id, None where there is none."""
        return {row_id: await self.read(table, row_id) for row_id in row_ids}

    async def create(self, table: Table, row_id: UUID, values: Mapping[str, Value]) -> Row:
        """Create under a GUID we chose; raises MovedOn when the row is already there."""
        self.trouble.strike()
        if (table.name, row_id) in self._rows:
            raise MovedOn("a row with this id is already there")
        self._check_lookups(values)
        self._check_keys(table, row_id, values)
        begun: dict[str, Value] = {} if table.lifecycle is None else {STATUS: Option(table.lifecycle.start)}
        return _row(self._keep(table.name, row_id, {**begun, **values}), {})

    async def update(self, table: Table, row_id: UUID, values: Mapping[str, Value], version: str) -> Row:
        """Write columns if still at `version`; raises MovedOn when not, Gone when deleted."""
        self.trouble.strike()
        kept = self._present(table, row_id, version)
        self._check_lookups(values)
        self._check_keys(table, row_id, values)
        _check_way(table, kept.values, values)
        return _row(self._keep(table.name, row_id, {**kept.values, **values}), {})

    async def delete(self, table: Table, row_id: UUID, version: str) -> None:
        """Delete if still at `version`; a row already gone is fine."""
        self.trouble.strike()
        if (table.name, row_id) in self._rows:
            self._present(table, row_id, version)
            self.remove(table.name, row_id)

    async def merge(self, table: Table, heir: UUID, loser: UUID) -> None:
        """Put a row aside for its heir; one merged so already is fine. Raises Gone when one is not there."""
        self.trouble.strike()
        kept, lost = self._rows.get((table.name, heir)), self._rows.get((table.name, loser))
        if kept is None or lost is None:
            raise Gone("the row does not exist")
        if lost.values.get(MASTER) == RowRef(table.name, heir):
            return
        if lost.values.get("statecode") or kept.values.get("statecode"):
            raise Refused("a row is deactive", answer="0x80040233")
        self.unite(table.name, heir, loser)

    def unite(self, table: str, heir: UUID, loser: UUID) -> list[tuple[str, UUID]]:
        """Merge two rows as people do: the heir's blanks are filled, what points at the loser is moved.

        Returns every row that changed by it, the loser last.
        """
        old, new = RowRef(table, loser), RowRef(table, heir)
        changed: list[tuple[str, UUID]] = []
        lost, held = self._rows[table, loser].values, self._rows[table, heir].values
        lacking = {
            name: value
            for name, value in lost.items()
            if held.get(name) is None and name not in _OWN and value != new
        }
        if lacking:
            self.put(table, heir, lacking)
            changed.append((table, heir))
        for (name, row_id), kept in list(self._rows.items()):
            moved = [column for column, value in kept.values.items() if value == old and column != MASTER]
            if moved:
                itself = (name, row_id) == (table, heir)
                self.put(name, row_id, dict.fromkeys(moved, None if itself else new))
                changed.append((name, row_id))
        self.put(table, loser, {"statecode": Option(1), MASTER: new})
        return [*dict.fromkeys(changed), (table, loser)]

    async def changes(self, table: Table, since: str) -> RowPage:
        """The rows of a table that changed after a position, all in one page, and those that are gone."""
        self.trouble.strike()
        number = int(since or "0")
        changed = [
            ChangedRow(row_id, _readable(table, kept), _version(kept), kept.modified_at)
            for (name, row_id), kept in self._rows.items()
            if name == table.name and kept.number > number
        ]
        gone = dict.fromkeys(
            row_id
            for at, name, row_id in self._removed
            if name == table.name and at > number and (name, row_id) not in self._rows
        )
        return RowPage(
            sorted(changed, key=lambda row: self._rows[table.name, row.id].number),
            list(gone) if since else [],
            str(self._number),
        )

    def put(self, table: str, row_id: UUID, values: Mapping[str, Value]) -> None:
        """Set columns of a row, whatever its version; a row that is not there is made."""
        kept = self._rows.get((table, row_id))
        self._keep(table, row_id, {**(kept.values if kept else {}), **values})

    def remove(self, table: str, row_id: UUID) -> None:
        """Delete a row, if it is there."""
        if self._rows.pop((table, row_id), None) is not None:
            self._number += 1
            self._removed.append((self._number, table, row_id))

    def changed_at(self, table: str, row_id: UUID) -> datetime:
        """When a row was last changed."""
        return self._rows[table, row_id].modified_at

    def of(self, table: str) -> dict[UUID, dict[str, Value]]:
        """Every row of a table: its values by id."""
        return {row_id: dict(kept.values) for (name, row_id), kept in self._rows.items() if name == table}

    def _present(self, table: Table, row_id: UUID, version: str) -> _Kept:
        kept = self._rows.get((table.name, row_id))
        if kept is None:
            raise Gone("the row does not exist")
        if _version(kept) != version:
            raise MovedOn("the row is at another version")
        return kept

    def _check_lookups(self, values: Mapping[str, Value]) -> None:
        for column, value in values.items():
            told = [party.row for party in value] if isinstance(value, tuple) else [value]
            if any(isinstance(row, RowRef) and (row.table, row.id) not in self._rows for row in told):
                raise Refused(
                    "the row this points at does not exist",
                    answer="0x80040217",
                    code=Code.VALUE_UNKNOWN_REFERENCE,
                    field=column,
                )

    def _check_keys(self, table: Table, row_id: UUID, values: Mapping[str, Value]) -> None:
        """A blank is no key; a row that was put aside keeps its own."""
        for names in table.keys.values():
            said = [values.get(name) for name in names]
            if None in said:
                continue
            for other, held in self.of(table.name).items():
                if other != row_id and [held.get(name) for name in names] == said:
                    raise Refused("another row has this key", answer="0x80060892", field=names[0])

    def _keep(self, table: str, row_id: UUID, values: Mapping[str, Value]) -> _Kept:
        self._number += 1
        kept = _Kept(dict(values), self._number, self._clock.now().replace(microsecond=0))
        self._rows[table, row_id] = kept
        return kept


class MemoryDirectory:
    """A twin of the reference data, over the rows of a `MemoryRows`: `put` users and currencies there."""

    def __init__(self, rows: MemoryRows) -> None:
        self._rows = rows

    async def find(self, ref: DirectoryRef) -> UUID | None:
        """The one row whose column equals the value, letter case aside; disabled users do not count."""
        found = await self.matches(ref)
        return found[0] if len(found) == 1 else None

    async def matches(self, ref: DirectoryRef) -> Sequence[UUID]:
        """The rows whose column equals the value, as `find` counts them; two stand for more than one."""
        wanted = ref.value.strip().casefold()
        columns = (ref.column, "domainname") if ref.column == "internalemailaddress" else (ref.column,)
        return [
            row_id
            for row_id, values in self._rows.of(ref.table).items()
            if any(str(values.get(column) or "").casefold() == wanted for column in columns)
            and not values.get("isdisabled")
            and (ref.within is None or values.get(ref.within[0]) == ref.scope)
        ][:2]

    async def value_of(self, row: RowRef, column: str) -> str | None:
        """The way back: what a row holds in a column (a user's e-mail)."""
        value = self._rows.of(row.table).get(row.id, {}).get(column)
        return None if value is None else str(value)

    async def placeholder(self, table: Table) -> UUID:
        """The table's placeholder row, created on first use."""
        row_id = placeholder_id(table.name)
        if row_id not in self._rows.of(table.name):
            await self._rows.create(table, row_id, {"name": "(no company)"})
        return row_id


def _check_way(table: Table, held: Mapping[str, Value], values: Mapping[str, Value]) -> None:
    current = held.get(STATUS)
    if table.lifecycle is None or not isinstance(current, int):
        return
    try:
        table.lifecycle.way(current, values)
    except NoWay as none:
        raise Refused(str(none), answer="0x80040233", code=Code.TARGET_STATE, field=STATUS) from none


def _version(kept: _Kept) -> str:
    return f'W/"{kept.number}"'


def _readable(table: Table, kept: _Kept) -> dict[str, Value]:
    """Every column that can be read back, blank ones as None."""
    return {name: kept.values.get(name) for name, column in table.columns.items() if not column.create_only}


def _row(kept: _Kept, values: Mapping[str, Value]) -> Row:
    return Row(values, _version(kept), kept.modified_at)
