"""Business units over the Web API: whose is which, and what is above it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.connectors.dataverse.refusal import answered, is_absent
from shared.connectors.web.client import WebClient
from shared.core.identity import guid
from shared.core.mapping.references import RowRef
from shared.core.ports import Clock
from shared.core.record_owner import spelled
from shared.core.unit import Chain, Unit

_SETS = {"systemuser": "systemusers", "team": "teams"}
_COLUMN = "_businessunitid_value"
_ABOVE = "_parentbusinessunitid_value"

_MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class _Tree:
    units: Mapping[UUID, Unit]
    above: Mapping[UUID, UUID]
    until: datetime

    def chain(self, unit: UUID) -> Chain:
        """A unit and those above it; a ring, which Dataverse refuses, would end where it closes."""
        found: list[Unit] = []
        while unit in self.units and self.units[unit] not in found:
            found.append(self.units[unit])
            unit = self.above.get(unit, unit)
        return tuple(found)


@dataclass(slots=True)
class DataverseUnits:
    """`Units` over the Web API. What was read is believed for `lasting`: people seldom change units."""

    client: WebClient
    clock: Clock
    lasting: timedelta = timedelta(minutes=5)
    _tree: _Tree | None = field(default=None, init=False)
    _whose: dict[RowRef, tuple[UUID | None, datetime]] = field(default_factory=dict, init=False)

    async def of(self, owner: RowRef) -> Chain:
        """See `Units.of`."""
        unit = await self._unit_of(owner)
        return (await self._all()).chain(unit) if unit else ()

    async def named(self, name: str) -> Chain:
        """See `Units.named`; always read anew, because somebody is about to lay something down."""
        self._tree = None
        tree = await self._all()
        wanted = guid(name)
        name = spelled(name)
        found = [unit.id for unit in tree.units.values() if wanted == unit.id or spelled(unit.name) == name]
        return tree.chain(found[0]) if len(found) == 1 else ()

    async def _unit_of(self, owner: RowRef) -> UUID | None:
        now = self.clock.now()
        known = self._whose.get(owner)
        if known is None or now >= known[1]:
            if len(self._whose) >= _MOST_KEPT:
                self._whose.clear()
            known = self._whose[owner] = await self._asked(owner), now + self.lasting
        return known[0]

    async def _asked(self, owner: RowRef) -> UUID | None:
        address = f"{_SETS[owner.table]}({owner.id})"
        answer = await self.client.send("GET", address, params={"$select": _COLUMN})
        if not answer.is_success:
            if is_absent(answer):
                return None
            raise answered(answer)
        told = json.loads(answer.content).get(_COLUMN)
        return UUID(told) if told else None

    async def _all(self) -> _Tree:
        now = self.clock.now()
        if self._tree is None or now >= self._tree.until:
            query = {"$select": f"businessunitid,name,{_ABOVE}"}
            answer = await self.client.send("GET", "businessunits", params=query)
            if not answer.is_success:
                raise answered(answer)
            rows: list[dict[str, Any]] = json.loads(answer.content)["value"]
            units = [Unit(UUID(row["businessunitid"]), row["name"]) for row in rows]
            above = {UUID(row["businessunitid"]): UUID(row[_ABOVE]) for row in rows if row.get(_ABOVE)}
            self._tree = _Tree({unit.id: unit for unit in units}, above, now + self.lasting)
        return self._tree
