"""Phases: how far each entity's move has come, and who decides its columns meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from shared.core.mapping.spec import EntityMap, Flow, Owner
from shared.core.ownership import EVERY, Phase, PhaseRefused, Rule
from shared.core.ports import Report
from shared.core.record_owner import OWNER
from shared.core.system import LegacySystem
from shared.core.unit import Chain, Units

C = TypeVar("C", bound=StrEnum)


class Unfitting(ValueError):
    """What was asked for cannot be; the text says why."""


class Register(Protocol):
    """Where phases and the matrix are kept."""

    async def phases(self) -> Sequence[Report]:
        """Every phase that was set."""
        ...

    async def rules(self) -> Sequence[Report]:
        """Every line of the matrix."""
        ...

    async def history(self) -> Sequence[Report]:
        """The last changes of phases, newest first."""
        ...

    async def set_phase(
        self, key: tuple[str, str, str], after: Phase, actor: str, reason: str, units: Chain = ()
    ) -> Phase:
        """Set a phase, of a unit with those above it; returns the one before. Raises PhaseRefused."""
        ...

    async def set_rule(self, rule: Rule, actor: str, reason: str) -> None:
        """Lay down a line of the matrix."""
        ...


@dataclass(frozen=True, slots=True)
class Phases:
    """Shows phases, moves them on, and lays down who decides a column."""

    register: Register
    systems: Mapping[str, LegacySystem]
    units: Units

    async def all(self) -> Report:
        """Every entity with its phase (`coexist` where none was set), units of their own, and the matrix."""
        known = await self.register.phases()
        told = {(line["system"], line["entity"]): line["phase"] for line in known if not line["unit"]}
        unset: list[Report] = [
            {
                "system": system.name,
                "entity": entry.entity,
                "unit": "",
                "unit_name": None,
                "phase": told.get((system.name, EVERY), Phase.COEXIST.value),
                "changed_at": None,
                "changed_by": None,
                "reason": None,
            }
            for system in self.systems.values()
            for entry in system.maps
            if (system.name, entry.entity) not in told
        ]
        return {
            "phases": [*known, *unset],
            "owners": await self.register.rules(),
            "history": await self.register.history(),
        }

    async def move(self, asked: Mapping[str, str], actor: str) -> Report:
        """Set a phase; raises Unfitting, or Transient when Dataverse cannot say which unit is meant."""
        entity = self._entity(asked)
        named = asked.get("unit", "").strip()
        units = await self.units.named(named) if named else ()
        if named and not units:
            raise Unfitting("Dataverse has no business unit, or several, of that name")
        after = _one_of(Phase, asked, "phase")
        key = (asked["system"], entity, str(units[0].id) if units else "")
        try:
            before = await self.register.set_phase(key, after, actor, _reason(asked), units)
        except PhaseRefused as refused:
            raise Unfitting(str(refused)) from refused
        return {
            "system": key[0],
            "entity": key[1],
            "unit": key[2],
            "unit_name": units[0].name if units else None,
            "before": before.value,
            "phase": after.value,
        }

    async def own(self, asked: Mapping[str, str], actor: str) -> Report:
        """Lay down who decides a column; raises Unfitting."""
        entry = self._entry(asked)
        both_ways = {line.column.name for line in entry.fields if line.flow is Flow.BOTH}
        column = asked.get("column", "")
        if column not in both_ways:
            raise Unfitting(f"{entry.entity} has no such column that crosses both ways")
        owner = _one_of(Owner, asked, "owner")
        phase = _one_of(Phase, asked, "phase").value if asked.get("phase") else ""
        rule = Rule(asked["system"], entry.entity, column, owner, phase)
        await self.register.set_rule(rule, actor, _reason(asked))
        return {
            "system": rule.system,
            "entity": rule.entity,
            "column": column,
            "phase": phase,
            "owner": owner.value,
        }

    def _entity(self, asked: Mapping[str, str]) -> str:
        """An entity whose records can be told apart by unit, where one is named; or every one."""
        if asked.get("entity") == EVERY and asked.get("system") in self.systems:
            return EVERY
        entry = self._entry(asked)
        if asked.get("unit", "").strip() and entry.unit is None and not _owned(entry):
            raise Unfitting(f"a {entry.entity} has no owner, and so no business unit")
        return entry.entity

    def _entry(self, asked: Mapping[str, str]) -> EntityMap:
        system = self.systems.get(asked.get("system", ""))
        entry = system.map_of(asked.get("entity", "")) if system else None
        if entry is None:
            raise Unfitting("name a system and one of its entities, as `tandem phases list` shows them")
        return entry


def _owned(entry: EntityMap) -> bool:
    return any(line.column.name == OWNER for line in entry.fields)


def _one_of(choices: type[C], asked: Mapping[str, str], name: str) -> C:
    try:
        return choices(asked.get(name, ""))
    except ValueError as unknown:
        raise Unfitting(f"{name} is one of {', '.join(choices)}") from unknown


def _reason(asked: Mapping[str, str]) -> str:
    reason = asked.get("reason", "").strip()
    if not reason:
        raise Unfitting("say why")
    return reason
