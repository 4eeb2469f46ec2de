"""Business units, and which one a record belongs to: that of its owner (E-22, ADR 0038).

A record without an owner of its own shares the unit of what it hangs from. To find out may cost requests, so
it is asked only where something is laid down by unit.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from shared.core.lookups import Lookups
from shared.core.mapping.references import DirectoryRef, RecordRef, RowRef
from shared.core.mapping.spec import EntityMap
from shared.core.owner_lookup import OwnerLookup
from shared.core.ports import Shadows
from shared.core.record_owner import OWNER
from shared.core.shadow import Shadow


@dataclass(frozen=True, slots=True)
class Unit:
    """A business unit of Dataverse. Its id is what is laid down for it; its name may change."""

    id: UUID
    name: str


Chain: TypeAlias = Sequence[Unit]
"""A unit, the one above it, and so on up to the organisation's own; empty when nobody knows."""

AskUnits: TypeAlias = Callable[[], Awaitable[Chain]]
"""Finds out which unit a record belongs to."""


class Units(Protocol):
    """The business units of Dataverse."""

    async def of(self, owner: RowRef) -> Chain:
        """The unit of a user or team."""
        ...

    async def named(self, name: str) -> Chain:
        """The unit of a name, letter case aside, or of a GUID; empty unless there is exactly one."""
        ...


class UnitFinder(Protocol):
    """Finds out which unit records belong to."""

    @property
    def always(self) -> bool:
        """Whether it is to be known also where no phase is laid down by unit."""
        ...

    async def of(self, system: str, entry: EntityMap, shadow: Shadow, said: Mapping[str, Any]) -> Chain:
        """The unit of a record, with those above it."""
        ...


class Undivided:
    """`UnitFinder` of an organisation that does not tell units apart."""

    always = False

    async def of(self, system: str, entry: EntityMap, shadow: Shadow, said: Mapping[str, Any]) -> Chain:
        """See `UnitFinder.of`."""
        del system, entry, shadow, said
        return ()


@dataclass(frozen=True, slots=True)
class RecordUnits:
    """`UnitFinder` by owners."""

    units: Units
    owners: OwnerLookup
    lookups: Mapping[str, Lookups]
    shadows: Shadows
    always: bool = False

    async def of(self, system: str, entry: EntityMap, shadow: Shadow, said: Mapping[str, Any]) -> Chain:
        """The unit of the agreed owner; of the one who is named while nothing is agreed.

        So nobody gets a record out of a unit by giving it to somebody of another one: that is a change like
        any other, and the unit it is in decides about it.
        """
        owner = await self._owner(system, _held(shadow, OWNER) or said.get(OWNER))
        if owner is None and entry.unit is not None:
            parent = await self._row(system, _held(shadow, entry.unit.name) or said.get(entry.unit.name))
            above = await self.shadows.load(parent) if parent else Shadow()
            owner = await self._owner(system, _held(above, OWNER))
        return await self.units.of(owner) if owner else ()

    async def _owner(self, system: str, named: Any) -> RowRef | None:
        if isinstance(named, DirectoryRef):
            found = await self.owners.find(system, named)
            return found if isinstance(found, RowRef) else None
        return named if isinstance(named, RowRef) else None

    async def _row(self, system: str, named: Any) -> UUID | None:
        if isinstance(named, RecordRef):
            return await self.lookups[system].crosswalk.row_of(named.key)
        return named.id if isinstance(named, RowRef) else None


def _held(shadow: Shadow, column: str) -> Any:
    mark = shadow.marks.get(column)
    return mark.value if mark else None
