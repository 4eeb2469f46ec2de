"""A legacy record in Dataverse's terms, and the way back."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.core.change import Json
from shared.core.errors import InvalidMessage
from shared.core.lookups import Lookups
from shared.core.mapping.columns import Value
from shared.core.mapping.spec import EntityMap, Flow
from shared.core.merge import Side
from shared.core.ports import LegacyRecord
from shared.core.shadow import Moment


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


def going_out(entry: EntityMap) -> set[str]:
    """The columns that go out to the legacy system."""
    return {line.column.name for line in entry.fields if line.flow is not Flow.INBOUND}
