"""A record's owner: the person it belongs to, as its system names them, and the user that is (P-05, P-07).

*Owner* alone is about columns (`ownership`). An owner who is no one enabled user is *unmatched*, and known by
a key made of their name: keys reach lanes, journals and tickets, names do not.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.core.identity import RecordKey

OWNER = "ownerid"
"""The column that tells whose a row is, on every table whose rows belong to somebody."""

KIND = "owner"
"""What stands where the entity stands in the key of an owner: `allegory:owner:1f0c93ab54e2`."""

_BLANKS = re.compile(r"\s+")
_LABEL = re.compile(r"\+[^@]*@")


class Unfound(StrEnum):
    """Why a name is no user."""

    UNKNOWN = "unknown"
    """Nobody has it."""
    DISABLED = "disabled"
    """Whoever has it is disabled, and can own nothing."""
    AMBIGUOUS = "ambiguous"
    """Several enabled users have it: to give a record to one of them would be a guess."""


class OnUnmatched(StrEnum):
    """What a new record does whose owner is unmatched (C-30)."""

    WAIT = "wait"
    """It waits in its lane until its owner is a user."""
    FALLBACK = "fallback"
    """It goes through, belongs to the fallback owner meanwhile, and to its own as soon as that is a user."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user found by name, as far as owning is concerned."""

    id: UUID
    enabled: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A user's names and addresses, as `spelled`, and when the user was last changed by Dataverse's clock."""

    names: frozenset[str]
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Unmatched:
    """An owner who is no user: `name` is what the record says, `why` what is in the way."""

    key: RecordKey
    name: str
    why: Unfound


def sole(found: Sequence[Person]) -> UUID | Unfound:
    """The one enabled user among those of a name; a disabled namesake is in nobody's way."""
    enabled = [person.id for person in found if person.enabled]
    if len(enabled) == 1:
        return enabled[0]
    if enabled:
        return Unfound.AMBIGUOUS
    return Unfound.DISABLED if found else Unfound.UNKNOWN


def spelled(name: str) -> str:
    """A name or address in the form in which two of them are compared: letter case and blanks aside."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFC", name)).strip().casefold()


def names_of(name: str) -> tuple[str, ...]:
    """What to look for: the name as it is, and an address without its `+label`."""
    bare = _LABEL.sub("@", name)
    return (name,) if bare == name else (name, bare)


def owner_key(system: str, name: str) -> RecordKey:
    """The key of an owner; the same for every way of writing their name, and telling nothing of it."""
    digest = hashlib.sha256(f"{system}\x1f{spelled(name)}".encode()).hexdigest()[:12]
    return RecordKey(system, KIND, digest)


def is_owner(wanted: RecordKey | None) -> bool:
    """Whether what is waited for is an owner."""
    return wanted is not None and wanted.entity == KIND


_WAITING = frozenset({"contact", "lead", "opportunity"})
"""Tables whose new rows wait where nothing is laid down: the owner says who may see them (C-30, L-03c)."""


@dataclass(frozen=True, slots=True)
class OwnerPolicy:
    """What is laid down, by `system/entity`, `*/entity`, `system` or `*`; the closest entry counts.

    `fallbacks` names users by their address, or a team by its name.
    """

    waits: Mapping[str, OnUnmatched] = field(default_factory=dict)
    fallbacks: Mapping[str, str] = field(default_factory=dict)

    def of(self, system: str, entity: str, table: str) -> OnUnmatched:
        """What a new record of an unmatched owner does."""
        laid_down = next(
            (self.waits[place] for place in _places(system, entity) if place in self.waits), None
        )
        return laid_down or (OnUnmatched.WAIT if table in _WAITING else OnUnmatched.FALLBACK)

    def fallback(self, system: str, entity: str) -> str | None:
        """Who owns such a record meanwhile; None: Tandem's own user."""
        places = _places(system, entity)
        return next((self.fallbacks[place] for place in places if place in self.fallbacks), None)


def _places(system: str, entity: str) -> tuple[str, ...]:
    return f"{system}/{entity}", f"*/{entity}", system, "*"
