"""Which support team a group of failures belongs to (E-14).

What was refused at the gate is its sender's to correct; everything else goes to the team of the business unit
and the system that most of the group comes from, unless its object has a team of its own. What a legacy
system did not take is its business, wherever it came from; so is an edit from Dataverse that does not go
out. Nobody must be listed to have a team.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.core.identity import DATAVERSE
from shared.core.ports import Report
from shared.core.system import LegacySystem

FALLBACK = "sync-support"
"""Who is told when nobody knows whose it is."""


@dataclass(frozen=True, slots=True)
class Teams:
    """The routing table: `allegory/deal`, `*/deal`, `allegory`, `*` or `sender:erp`, each with a team's name.

    Behind all but a sender may stand a business unit, `allegory/deal@North`: such an entry goes first. An
    object is called as in its system, or by its table. `systems` tell where rows go out to.
    """

    routes: Mapping[str, str] = field(default_factory=dict)
    systems: Sequence[LegacySystem] = ()

    def of(self, group: Report) -> str:
        """The team of a group; the closest entry wins."""
        sender = group["sender"]
        if sender is not None:
            listed = self.routes.get(f"sender:{sender}", self.routes.get(sender))
            return listed or (f"{sender}-support" if sender != "unknown" else FALLBACK)
        system, unit = self._whose(group), _most(group["units"])
        if system is None:
            return FALLBACK
        objects = self._objects(system, group["table"])
        places = (*(f"{whose}/{name}" for whose in (system, "*") for name in objects), system, "*")
        closest = [f"{place}@{unit}" for place in places] if unit is not None else []
        for entry in (*closest, *places):
            if entry in self.routes:
                return self.routes[entry]
        return f"{system}-support"

    @property
    def by_unit(self) -> bool:
        """Whether a business unit has a team of its own."""
        return any("@" in entry for entry in self.routes if not entry.startswith("sender:"))

    def _whose(self, group: Report) -> str | None:
        """The system that can help: the one that did not take it, or that has the record, or shall."""
        system = _most(group["systems"])
        if system != DATAVERSE:
            return _most(group["targets"]) or system
        takers = [one.name for one in self.systems if _takes(one, group["table"])]
        of_records = {name: size for name, size in group["targets"].items() if name in takers}
        # A row that nobody has yet is made in the first system that takes it.
        return _most(of_records) or next(iter(takers), system)

    def _objects(self, system: str, table: str) -> tuple[str, ...]:
        """What the group's object is called: in its system's words, and by its table."""
        for one in self.systems:
            entry = one.map_to(table) if one.name == system else None
            if entry is not None:
                return entry.entity, table
        return (table,)


def _takes(system: LegacySystem, table: str) -> bool:
    """Whether rows of a table go out to a system."""
    entry = system.map_to(table)
    return entry is not None and bool(entry.outbound)


def _most(sizes: Mapping[str, int]) -> str | None:
    """Whichever most of a group comes from."""
    return max(sorted(sizes), key=lambda name: sizes[name]) if sizes else None


def routes_of(text: str) -> dict[str, str]:
    """The routing table written as `allegory/deal=sales-support, sender:erp=erp-support`.

    Raises ValueError for an entry that is not of that form.
    """
    routes: dict[str, str] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        who, equals, team = (part.strip() for part in entry.partition("="))
        if not (who and equals and team):
            raise ValueError("entries of the form system[/object]=team or sender:name=team")
        routes[who] = team
    return routes
