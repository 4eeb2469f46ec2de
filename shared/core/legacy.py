"""A legacy record in Dataverse's terms, and the way back."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from shared.core.change import Json
from shared.core.errors import InvalidMessage, ParentMissing, in_system
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Value
from shared.core.mapping.spec import EntityMap, Flow
from shared.core.merge import Side
from shared.core.ports import LegacyRecord
from shared.core.shadow import Moment, Shadow


@dataclass(frozen=True, slots=True)
class LegacySide:
    """Translates the records of one legacy system."""

    lookups: Lookups

    @property
    def name(self) -> str:
        """The system's name."""
        return self.lookups.system.name

    async def fields(self, entry: EntityMap, values: Mapping[str, Value]) -> dict[str, Json]:
        """The fields that columns become; raises InvalidMessage or ParentMissing for what has no place."""
        with in_system(self.name):
            mapped = entry.to_fields(await self.lookups.to_refs(entry, values))
            if mapped.faults:
                raise InvalidMessage(*mapped.faults)
        return dict(mapped.values)

    async def held(self, entry: EntityMap, found: LegacyRecord) -> Side:
        """What a record says, in the columns that go out.

        A value there that has no place in Dataverse is left out: it counts as what was agreed.
        """
        mapped = entry.to_columns(found.fields)
        crossing = going_out(entry)
        said = {column: value for column, value in mapped.values.items() if column in crossing}
        return Side(self.name, await self.lookups.known(entry, said), Moment(found.changed_at))

    async def compared(self, entry: EntityMap, found: LegacyRecord, shadow: Shadow) -> Side:
        """What a record says, and where that is its word for what is agreed, too.

        A blank company is the placeholder's and nobody's: that it was written as a blank is no change there.
        """
        side = await self.held(entry, found)
        known = {name: mark.held_by(self.name) for name, mark in shadow.marks.items()}
        differ = [name for name, value in side.values.items() if name in known and value != known[name]]
        alike = [name for name in differ if await self._says(entry, found, name, known[name])]
        return replace(side, alike=frozenset(alike))

    async def _says(self, entry: EntityMap, found: LegacyRecord, column: str, value: Value) -> bool:
        """Whether a record's fields are what a column's value becomes; no field at all says nothing."""
        fields: Mapping[str, Json] = {}
        with suppress(InvalidMessage, ParentMissing):
            fields = await self.fields(entry, {column: value})
        return bool(fields) and all(found.fields.get(name) == word for name, word in fields.items())


def going_out(entry: EntityMap) -> set[str]:
    """The columns that go out to the legacy system."""
    return {line.column.name for line in entry.fields if line.flow is not Flow.INBOUND}
