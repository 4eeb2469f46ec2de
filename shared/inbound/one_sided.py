"""Whether the legacy side alone writes a table now, so that its rows need no guard against people."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from shared.core.mapping.columns import Table
from shared.core.mapping.spec import Owner
from shared.core.ownership import EVERY, Owners
from shared.core.ports import Clock, Report
from shared.core.system import LegacySystem
from shared.core.unit import AskUnits, Chain, Unit

_FRESH = timedelta(seconds=2)
"""How long an answer is believed: with what ownership itself believes, a phase that ends is known in four."""


@dataclass(slots=True)
class OneSided:
    """Asks ownership about every record that could become a row of a table.

    All maps onto the table, in every business unit that has a phase of its own, must give every column that
    crosses both ways to the legacy side; a table whose columns cross one way needs no phase for that.
    `phases` lists the phases that were ever set, as `SqlOwners` does.
    """

    owners: Owners
    phases: Callable[[], Awaitable[Sequence[Report]]]
    systems: Mapping[str, LegacySystem]
    clock: Clock
    _known: dict[str, tuple[bool, datetime]] = field(default_factory=dict, init=False)

    async def __call__(self, table: Table) -> bool:
        """Whether rows of the table are written by the legacy side alone."""
        now = self.clock.now()
        known = self._known.get(table.name)
        if known is None or not timedelta() <= now - known[1] < _FRESH:
            known = self._known[table.name] = await self._asked(table), now
        return known[0]

    async def _asked(self, table: Table) -> bool:
        entries = [
            (system, entry)
            for system in self.systems.values()
            for entry in system.maps
            if entry.table.name == table.name
        ]
        set_phases = await self.phases()
        for system, entry in entries:
            mine = {(system.name, entry.entity), (system.name, EVERY)}
            units = {str(one["unit"]) for one in set_phases if (one["system"], one["entity"]) in mine}
            for unit in units | {""}:
                owned = await self.owners.of(system.name, entry, _only(unit))
                if any(owner is not Owner.LEGACY for owner in owned.columns.values()):
                    return False
        return bool(entries)


def _only(unit: str) -> AskUnits:
    """A unit by itself: whatever is laid down for those above it is asked on its own."""

    async def chain() -> Chain:
        return (Unit(UUID(unit), ""),) if unit else ()

    return chain
