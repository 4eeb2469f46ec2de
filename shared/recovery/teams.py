"""Which support team a group of failures belongs to (E-14).

What was refused at the gate is its sender's to correct; everything else goes to the team of the system that
most of the group comes from, unless its object has a team of its own. Nobody must be listed to have a team.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.core.ports import Report

FALLBACK = "sync-support"
"""Who is told when nobody knows whose it is."""


@dataclass(frozen=True, slots=True)
class Teams:
    """The routing table: `allegory`, `allegory/deal`, `*/deal` or `sender:erp`, each with a team's name."""

    routes: Mapping[str, str] = field(default_factory=dict)

    def of(self, group: Report) -> str:
        """The team of a group; the closest entry wins."""
        sender = group["sender"]
        if sender is not None:
            listed = self.routes.get(f"sender:{sender}", self.routes.get(sender))
            return listed or (f"{sender}-support" if sender != "unknown" else FALLBACK)
        systems: Mapping[str, int] = group["systems"]
        if not systems:
            return FALLBACK
        system = max(sorted(systems), key=lambda name: systems[name])
        for entry in (f"{system}/{group['table']}", f"*/{group['table']}", system):
            if entry in self.routes:
                return self.routes[entry]
        return f"{system}-support"


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
