"""`People` without Dataverse."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.connectors.memory.dataverse import MemoryRows
from shared.core.owner_lookup import ADDRESS, USER
from shared.core.record_owner import Named, Person, spelled

MYSELF = UUID("00000000-0000-4000-8000-00000000a11e")
"""The user under whom Tandem works, where no other is given."""

_NAMES = (ADDRESS, "domainname", "fullname")


class MemoryPeople:
    """A twin of the users and teams, over a `MemoryRows`: `put` them there.

    Tandem's own user is made on first use. Answers are never remembered.
    """

    def __init__(self, rows: MemoryRows, myself: UUID = MYSELF) -> None:
        self._rows = rows
        self._myself = myself

    async def named(self, column: str, name: str, *, fresh: bool = False) -> Sequence[Person]:
        """The users whose column equals the name, letter case aside, the enabled ones first, at most 3."""
        del fresh
        columns = (column, "domainname") if column == ADDRESS else (column,)
        found = [
            Person(user, enabled=not values.get("isdisabled"))
            for user, values in self._rows.of(USER).items()
            if any(spelled(str(values.get(one) or "")) == spelled(name) for one in columns)
        ]
        return sorted(found, key=lambda person: not person.enabled)[:3]

    async def team(self, name: str) -> UUID | None:
        """The one team of a name."""
        rows = self._rows.of("team").items()
        found = [team for team, values in rows if spelled(str(values.get("name") or "")) == spelled(name)]
        return found[0] if len(found) == 1 else None

    async def myself(self) -> UUID:
        """The user under whom Tandem itself works."""
        if self._myself not in self._rows.of(USER):
            self._rows.put(USER, self._myself, {"fullname": "Tandem"})
        return self._myself

    async def changed(self, since: datetime | None) -> Sequence[Named]:
        """Enabled users that are new or changed since an instant; all for None."""
        return [
            Named(
                frozenset(spelled(str(values[name])) for name in _NAMES if values.get(name)),
                self._rows.changed_at(USER, user),
            )
            for user, values in self._rows.of(USER).items()
            if not values.get("isdisabled") and (since is None or self._rows.changed_at(USER, user) >= since)
        ]
