"""Lookups resolved: from what a map names to the row it means, and back."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from shared.core.attendance import Attendance
from shared.core.codes import Code
from shared.core.crosswalk import Crosswalk
from shared.core.errors import Fault, InvalidMessage, ParentElsewhere, ParentMissing
from shared.core.identity import RecordKey, row_key
from shared.core.mapping.columns import Table, Unresolved, Value, placeholder_id
from shared.core.mapping.references import DirectoryRef, PlaceholderRef, RecordRef, RowRef
from shared.core.mapping.spec import EntityMap, Flow, ToDirectory, pointer
from shared.core.owner_lookup import ADDRESS, USER, Aliases, NoAliases
from shared.core.ports import Directory
from shared.core.system import LegacySystem

_NAMED_BY = {
    "systemuser": "internalemailaddress",
    "transactioncurrency": "isocurrencycode",
    "pricelevel": "name",
}


@dataclass(frozen=True, slots=True)
class Lookups:
    """Resolves the lookups of one legacy system's records."""

    system: LegacySystem
    tables: Mapping[str, Table]
    crosswalk: Crosswalk
    directory: Directory
    aliases: Aliases = field(default_factory=NoAliases)

    async def to_rows(
        self,
        entry: EntityMap,
        values: Mapping[str, Unresolved],
        without: frozenset[RecordKey] = frozenset(),
    ) -> dict[str, Value]:
        """Every reference turned into a row; what cannot be is told by the name of its legacy field.

        A record that has not arrived raises ParentMissing, or leaves its column out if it is one of those to
        do `without`; an unknown but required directory entry raises
        InvalidMessage; an unknown one that is not required leaves its column out.
        """
        resolved: dict[str, Value] = {}
        for column, value in values.items():
            resolved |= await self._resolved(entry, column, value, without)
        return resolved | await self._scoped(entry, values, resolved)

    async def known(self, entry: EntityMap, values: Mapping[str, Unresolved]) -> dict[str, Value]:
        """The values that have a place in Dataverse by now; the others are left out.

        For looking at what a record says, not for writing it: nothing waits and nothing is refused.
        """
        resolved: dict[str, Value] = {}
        for column, value in values.items():
            with suppress(ParentMissing, InvalidMessage):
                resolved |= await self._resolved(entry, column, value, frozenset())
        return resolved | await self._scoped(entry, values, resolved)

    async def _scoped(
        self, entry: EntityMap, values: Mapping[str, Unresolved], resolved: Mapping[str, Value]
    ) -> dict[str, Value]:
        """What is named within another column's row (an opportunity of a company), once that is resolved."""
        found: dict[str, Value] = {}
        for column, value in values.items():
            if isinstance(value, DirectoryRef) and value.within is not None:
                scope = resolved.get(value.within[1])
                # Whatever has no company shares the placeholder, and nothing else.
                if isinstance(scope, RowRef) and scope.id != placeholder_id(scope.table):
                    found |= await self._found(entry, column, replace(value, scope=scope))
        return found

    async def missing(self, keys: Iterable[RecordKey]) -> RecordKey | None:
        """The first of these records that has no row yet; None when all have."""
        for key in keys:
            if await self.crosswalk.row_of(key) is None:
                return key
        return None

    async def to_refs(self, entry: EntityMap, values: Mapping[str, Value]) -> dict[str, Unresolved]:
        """Every row turned back into what the legacy system calls it.

        A row whose record the legacy system does not have yet raises ParentMissing, one that only others have
        ParentElsewhere; a user or currency without a name there leaves its column out.
        """
        refs: dict[str, Unresolved] = {}
        for column, value in values.items():
            if not isinstance(value, RowRef):
                refs[column] = value
            elif value.table == "team":
                # No legacy system knows teams: to be one's row says nothing to it.
                continue
            elif value.table in _NAMED_BY:
                by = _named_by(entry, column) or _NAMED_BY[value.table]
                name = await self._name_of(value, by)
                if name is not None:
                    refs[column] = DirectoryRef(value.table, by, name, required=False)
            elif value.id == placeholder_id(value.table):
                refs[column] = PlaceholderRef(value.table)
            else:
                refs[column] = RecordRef(await self._record_of(column, value))
        return refs

    async def _resolved(
        self, entry: EntityMap, column: str, value: Unresolved, without: frozenset[RecordKey]
    ) -> dict[str, Value]:
        """What a value becomes, whatever the row's other values are."""
        if isinstance(value, RecordRef):
            try:
                return {column: await self.row_of(entry.field_of(column), value.key)}
            except ParentMissing:
                if value.key not in without:
                    raise
                return {}
        if isinstance(value, PlaceholderRef):
            return {column: RowRef(value.table, await self.directory.placeholder(self.tables[value.table]))}
        if isinstance(value, DirectoryRef):
            return {} if value.within else await self._found(entry, column, value)
        if isinstance(value, tuple):
            attendance = Attendance(self.system, self.crosswalk, self.directory)
            return await attendance.resolved(entry.table.columns[column], value)
        return {column: value}

    async def _found(self, entry: EntityMap, column: str, ref: DirectoryRef) -> dict[str, Value]:
        found = await self.directory.find(ref)
        if found is not None:
            return {column: RowRef(ref.table, found)}
        if ref.required:
            expected = f"the {ref.column} of a {ref.table}"
            where = pointer(entry.field_of(column))
            raise InvalidMessage(Fault(where, Code.VALUE_UNKNOWN_REFERENCE, expected))
        return {}

    async def row_of(self, field: str, key: RecordKey) -> RowRef:
        """The row a record is; raises ParentMissing, by the field that names it, while it has none."""
        parent = self.system.map_of(key.entity)
        row_id = await self.crosswalk.row_of(key)
        if row_id is None or parent is None:
            raise ParentMissing(field, key)
        return RowRef(parent.table.name, row_id)

    async def _name_of(self, row: RowRef, by: str) -> str | None:
        """What the legacy system calls a user or a currency: by an alias, where people said so."""
        name = await self.directory.value_of(row, by)
        if name is None or row.table != USER:
            return name
        address = name if by == ADDRESS else await self.directory.value_of(row, ADDRESS)
        alias = await self.aliases.name_of(self.system.name, address) if address else None
        return alias or name

    async def _record_of(self, column: str, row: RowRef) -> RecordKey:
        holders: set[str] = set()
        for key in await self.crosswalk.records_of(row.id):
            if key.system == self.system.name:
                return key
            holders.add(key.system)
        heir = await self.crosswalk.heir_of(row.id)
        for key in await self.crosswalk.records_of(heir) if heir is not None else ():
            if key.system == self.system.name:
                return key
            holders.add(key.system)
        # A row that was merged away gets no record any more: what names it waits for its heir's.
        wanted = row_key(row.table, heir or row.id)
        if holders:
            raise ParentElsewhere(column, wanted, self.system.name, tuple(sorted(holders)))
        raise ParentMissing(column, wanted)


def _named_by(entry: EntityMap, column: str) -> str | None:
    """By which of its columns a map calls a row of the directory: one system knows users by name alone."""
    lines = (line for line in entry.fields if line.column.name == column and line.flow is not Flow.INBOUND)
    refers = (line.via.refers for line in lines)
    return next((to.column for to in refers if isinstance(to, ToDirectory)), None)
