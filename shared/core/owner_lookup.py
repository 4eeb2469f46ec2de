"""From the name a record gives its owner to the user that is: by address or name, or by an alias (P-05)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from shared.core.identity import RecordKey
from shared.core.mapping.references import DirectoryRef, RowRef
from shared.core.record_owner import OwnerPolicy, Person, Unfound, Unmatched, names_of, owner_key, sole

USER = "systemuser"
ADDRESS = "internalemailaddress"


class People(Protocol):
    """Who can own rows in Dataverse."""

    async def named(self, column: str, name: str, *, fresh: bool = False) -> Sequence[Person]:
        """The users whose column equals the name, letter case aside, disabled ones included.

        The enabled ones come first, and three stand for more. `fresh` asks again what is remembered.
        """
        ...

    async def team(self, name: str) -> UUID | None:
        """The one team of a name."""
        ...

    async def myself(self) -> UUID:
        """The user under whom Tandem itself works."""
        ...


class Aliases(Protocol):
    """Who people say an owner is whose name no user has."""

    async def user_of(self, owner: RecordKey) -> str | None:
        """The address of the user an owner is; None when nobody said."""
        ...

    async def name_of(self, system: str, address: str) -> str | None:
        """The way back: what a system calls the user of an address, where it has another name for them."""
        ...


class NoAliases:
    """`Aliases` where nobody has another name."""

    async def user_of(self, owner: RecordKey) -> str | None:
        """See `Aliases.user_of`."""
        del owner
        return None

    async def name_of(self, system: str, address: str) -> str | None:
        """See `Aliases.name_of`."""
        del system, address
        return None


@dataclass(frozen=True, slots=True)
class OwnerLookup:
    """Finds owners, and who stands in for one that is not found."""

    people: People
    aliases: Aliases = field(default_factory=NoAliases)
    policy: OwnerPolicy = field(default_factory=OwnerPolicy)

    async def find(self, system: str, ref: DirectoryRef, *, fresh: bool = False) -> RowRef | Unmatched:
        """The user an owner is, else why there is none; `fresh` asks again what was just asked.

        An alias is looked at only when no user has the name: nobody's own address is given to another.
        """
        own = await self.own(ref, fresh=fresh)
        if isinstance(own, UUID):
            return RowRef(USER, own)
        key = owner_key(system, ref.value)
        alias = await self.aliases.user_of(key)
        found = await self._user(ADDRESS, alias, fresh=fresh) if alias else own
        return RowRef(USER, found) if isinstance(found, UUID) else Unmatched(key, ref.value.strip(), found)

    async def own(self, ref: DirectoryRef, *, fresh: bool = False) -> UUID | Unfound:
        """The one enabled user who has the name, aliases aside."""
        why = Unfound.UNKNOWN
        for name in names_of(ref.value):
            found = await self._user(ref.column, name, fresh=fresh)
            if isinstance(found, UUID):
                return found
            why = found if why is Unfound.UNKNOWN else why
        return why

    async def fallback(self, system: str, entity: str) -> RowRef:
        """Who owns a record of an owner nobody is: as laid down, else Tandem's own user."""
        return await self.laid_down(system, entity) or RowRef(USER, await self.people.myself())

    async def laid_down(self, system: str, entity: str) -> RowRef | None:
        """The fallback owner that was laid down, if there is one and it is a user or a team."""
        name = self.policy.fallback(system, entity)
        if name is None:
            return None
        if "@" in name:
            user = await self._user(ADDRESS, name)
            return RowRef(USER, user) if isinstance(user, UUID) else None
        team = await self.people.team(name)
        return RowRef("team", team) if team else None

    async def _user(self, column: str, name: str, *, fresh: bool = False) -> UUID | Unfound:
        return sole(await self.people.named(column, name, fresh=fresh))
