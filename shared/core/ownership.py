"""Who decides a column: the phase a system is in, and what is laid down for its objects and columns.

A change is decided by ownership first; where that names neither side, the newer change wins; where it names
a person, both values stay where they are until one has decided (N-05, N-08).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from shared.core.mapping.spec import EntityMap, Flow, Owner
from shared.core.unit import AskUnits


class Phase(StrEnum):
    """How far the move from a legacy system to Dataverse has come, per business unit and entity (E-22)."""

    LEGACY_MASTER = "legacy_master"
    """People work in the legacy system; Dataverse is filled from it."""
    SHADOW_READ = "shadow_read"
    """As before, and people already look things up in Dataverse."""
    COEXIST = "coexist"
    """People work in both."""
    DYNAMICS_MASTER = "dynamics_master"
    """People work in Dataverse; the legacy system is kept in step for those who still read it."""
    RETIRED = "retired"
    """Nothing crosses any more."""


class PhaseRefused(Exception):
    """The phase cannot be set; the text says why."""


EVERY = "*"
"""What stands for every entity."""

ORDER = tuple(Phase)
"""The way from the first phase to the last."""

_MASTERS = {
    Phase.LEGACY_MASTER: Owner.LEGACY,
    Phase.SHADOW_READ: Owner.LEGACY,
    Phase.DYNAMICS_MASTER: Owner.DATAVERSE,
    Phase.RETIRED: Owner.DATAVERSE,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the ownership matrix: who decides a column of an entity; a blank `phase` means any."""

    system: str
    entity: str
    column: str
    owner: Owner
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who decides each column of one record now; a column that is not named goes to the newer change.

    It is `overtaken` where the phase is no longer the present one (see `standing`).
    """

    phase: Phase = Phase.COEXIST
    columns: Mapping[str, Owner] = field(default_factory=dict)
    system: str = "legacy"
    overtaken: bool = False

    def of(self, column: str) -> Owner:
        """Who decides a column."""
        return self.columns.get(column, Owner.NEWEST)

    @property
    def phases(self) -> Mapping[str, str]:
        """The phase it is decided in, by the system's name."""
        return {self.system: self.phase.value}

    @property
    def is_retired(self) -> bool:
        """Whether nothing crosses any more."""
        return self.phase is Phase.RETIRED


class Owners(Protocol):
    """Who decides what, as it stands now."""

    async def of(self, system: str, entry: EntityMap, units: AskUnits, begun: str = "") -> Ownership:
        """Who decides the columns of a record; its business unit is asked for only where it matters.

        `begun` is the phase to decide in instead of the present one (see `standing`).
        """
        ...

    async def by_unit(self, system: str) -> bool:
        """Whether anything is laid down for a business unit of its own."""
        ...


class Declared:
    """`Owners` where every system coexists and the maps alone say who decides."""

    async def of(self, system: str, entry: EntityMap, units: AskUnits, begun: str = "") -> Ownership:
        """See `Owners.of`."""
        del units
        return ownership(system, entry, Phase.COEXIST, begun=begun)

    async def by_unit(self, system: str) -> bool:
        """See `Owners.by_unit`."""
        del system
        return False


@dataclass(frozen=True, slots=True)
class Phases:
    """The phases as laid down, by (system, entity, unit).

    A blank unit is every one without a line of its own, and so is the entity `*`.
    """

    lines: Mapping[tuple[str, str, str], Phase] = field(default_factory=dict)

    def of(self, system: str, entity: str, units: Sequence[str] = ()) -> Phase:
        """The phase of a record in a unit, given with those above it: the nearest unit's word counts."""
        for unit in (*units, ""):
            for name in (entity, EVERY):
                if (found := self.lines.get((system, name, unit))) is not None:
                    return found
        return Phase.COEXIST

    def by_unit(self, system: str) -> bool:
        """Whether a unit of the system has a line of its own."""
        return any(unit and named == system for named, _, unit in self.lines)


def may_follow(before: Phase, after: Phase) -> bool:
    """Whether a phase may be set: one step on or back at a time, and nothing comes after the last."""
    if before is Phase.RETIRED:
        return False
    return abs(ORDER.index(after) - ORDER.index(before)) == 1


def standing(present: Phase, begun: str) -> Phase:
    """The phase to decide a change in of which a write has begun in that phase, and nobody has answered it.

    That one: decided otherwise, the write could still arrive, and undo what was decided. But nothing crosses
    once a system is retired.
    """
    return present if not begun or present is Phase.RETIRED else Phase(begun)


def ownership(
    system: str, entry: EntityMap, present: Phase, rules: Sequence[Rule] = (), begun: str = ""
) -> Ownership:
    """Who decides each column that crosses both ways, in the present phase, or in the one `begun` in.

    A rule for the phase goes before a rule for any phase, which goes before what the phase itself says, which
    goes before what the map declares. A column that crosses one way belongs to the side it comes from anyway.
    """
    phase = standing(present, begun)
    laid_down = {
        (rule.column, rule.phase): rule.owner
        for rule in rules
        if (rule.system, rule.entity) == (system, entry.entity)
    }
    columns: dict[str, Owner] = {}
    for line in entry.fields:
        if line.flow is not Flow.BOTH:
            continue
        name = line.column.name
        owner = laid_down.get((name, phase.value)) or laid_down.get((name, ""))
        columns[name] = owner or _MASTERS.get(phase, line.owner)
    return Ownership(phase, columns, system, overtaken=phase is not present)
