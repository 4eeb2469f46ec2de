"""The users of the destination, and which of them an export's owner is (P-05)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.core.reading import text
from shared.core.reading.codes import FindingCode, Severity
from shared.core.reading.finding import Remark
from shared.core.reading.people import same_address, without_alias
from shared.core.reading.source import Unreadable

_PERSON = 0
"""The access mode of a user who signs in and works (systemuser.accessmode)."""

UNUSABLE = frozenset(
    {
        FindingCode.OWNER_BLANK,
        FindingCode.OWNER_UNKNOWN,
        FindingCode.OWNER_DISABLED,
        FindingCode.OWNER_AMBIGUOUS,
    }
)
"""What keeps a record waiting for an owner."""


@dataclass(frozen=True, slots=True)
class User:
    """A user of the destination, as far as owning is concerned."""

    id: str
    enabled: bool
    person: bool


@dataclass(slots=True)
class Users:
    """Users by every address they are known by; addresses differ in letter case alone."""

    by_address: dict[str, list[User]] = field(default_factory=dict)
    aliases: dict[str, list[User]] = field(default_factory=dict)

    @classmethod
    def read(cls, content: bytes) -> "Users":
        """The users in a list answer of the Web API; raises Unreadable when it is not the whole list."""
        try:
            answer = json.loads(content)
        except ValueError as error:
            raise Unreadable(Remark(FindingCode.USERS_INCOMPLETE, "the list of users is not JSON")) from error
        rows = answer.get("value") if isinstance(answer, dict) else None
        if not isinstance(rows, list) or any(not isinstance(row, dict) for row in rows):
            raise Unreadable(
                Remark(FindingCode.USERS_INCOMPLETE, "the list of users has no list under “value”")
            )
        if "@odata.nextLink" in answer:
            raise Unreadable(
                Remark(FindingCode.USERS_INCOMPLETE, "the list of users goes on under its next link")
            )
        users = cls()
        for row in rows:
            users.add(row)
        return users

    def add(self, row: Mapping[str, Any]) -> None:
        """One row of systemuser."""
        user = User(
            id=str(row.get("systemuserid")),
            enabled=not row.get("isdisabled"),
            person=row.get("accessmode", _PERSON) == _PERSON,
        )
        own = same_address(row.get("internalemailaddress"))
        signed_in = same_address(row.get("domainname"))
        for address, book in ((own, self.by_address), (signed_in, self.aliases)):
            if address:
                book.setdefault(address, []).append(user)

    def owner(self, address: str | None) -> tuple[Remark, ...]:
        """What is to be said about an owner with that address; nothing when one enabled person has it."""
        address = same_address(address)
        if address is None:
            return (Remark(FindingCode.OWNER_UNKNOWN),)
        remarks: list[Remark] = []
        found = self.by_address.get(address, [])
        if not found:
            bare = without_alias(address)
            found = self.aliases.get(address) or self.by_address.get(bare) or self.aliases.get(bare) or []
            remarks += [Remark(FindingCode.OWNER_ALIAS)] if found else []
        if not found:
            return (Remark(FindingCode.OWNER_UNKNOWN),)
        enabled = [user for user in found if user.enabled]
        if not enabled:
            return (*remarks, Remark(FindingCode.OWNER_DISABLED))
        if len(found) > 1:
            detail = f"{len(found)} users have the address, {len(enabled)} enabled"
            alone = len(enabled) == 1
            remarks.append(
                Remark(FindingCode.OWNER_AMBIGUOUS, detail, severity=Severity.FLAG if alone else None)
            )
        if not any(user.person for user in enabled):
            remarks.append(Remark(FindingCode.OWNER_NOT_A_PERSON))
        return tuple(remarks)

    def knows(self, address: str) -> bool:
        """Whether anybody has that address, enabled or not."""
        return address in self.by_address or address in self.aliases


@dataclass(slots=True)
class OwnUsers:
    """The legacy system's own users: how names become addresses, and who has left."""

    addresses: dict[str, set[str]] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    keys: dict[str, str] = field(default_factory=dict)

    def add(self, key: str, name: Any, address: str | None, *, active: bool) -> None:
        """One user of the legacy system."""
        address = same_address(address)
        if address is None:
            return
        self.keys.setdefault(address, key)
        if isinstance(name, str) and name:
            self.addresses.setdefault(text.comparable(name), set()).add(address)
        if not active:
            self.left.add(address)

    def told(self, address: str | None) -> str:
        """The user of an address as findings name one: by the key, never by name or address."""
        known = self.keys.get(same_address(address) or "")
        return f"user {known}" if known else "no user of the export"

    def named(self, name: str) -> set[str]:
        """The addresses of the users of that name."""
        return self.addresses.get(text.comparable(name), set())


def tallied(remarks: Iterable[Remark]) -> Remark | None:
    """The remark that keeps a record waiting, if one does."""
    return next(
        (remark for remark in remarks if remark.code in UNUSABLE and remark.severity is not Severity.FLAG),
        None,
    )
