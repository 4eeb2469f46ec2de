"""Who took part in an activity: people and addresses in their roles, before and after they are resolved.

Dataverse keeps them as rows of `activityparty` that come and go with their activity. A party that is nobody
Dataverse knows is kept as the address it was (A-09).
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from shared.core.identity import RecordKey
from shared.core.mapping.references import RowRef


class Role(IntEnum):
    """What a party did; the numbers are Dataverse's own (`participationtypemask`)."""

    SENDER = 1
    TO = 2
    CC = 3
    REQUIRED = 5
    OPTIONAL = 6
    ORGANIZER = 7


@dataclass(frozen=True, slots=True)
class Party:
    """A party as it is written: its row, or the address alone when it is nobody Dataverse knows."""

    role: Role
    address: str
    row: RowRef | None = None

    def __str__(self) -> str:
        found = f" = {self.row}" if self.row else ""
        return f"{self.role.name.lower()} {self.address}{found}".rstrip()


@dataclass(frozen=True, slots=True)
class PartyRef:
    """A party as a legacy record names it: by address, or by number for a call, and perhaps by a record.

    The record decides where it is known; it is never waited for, because a party is no parent.
    """

    role: Role
    address: str
    record: RecordKey | None = None


Parties: TypeAlias = tuple[Party, ...]
PartyRefs: TypeAlias = tuple[PartyRef, ...]

SOUGHT = (
    ("systemuser", "internalemailaddress"),
    ("contact", "emailaddress1"),
    ("lead", "emailaddress1"),
)
"""Where an address is looked for, in this order. Found twice in one table it is nobody's: a guess is none."""
