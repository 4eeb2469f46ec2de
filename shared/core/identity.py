"""Who a record is: its key in its own system, its row in Dataverse, and the session its messages share."""

import re
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

DATAVERSE = "dataverse"
_MERGE = "merge"
"""The name Dataverse has where a system is named."""

_NAMESPACE = UUID("5f0c6b0e-4d0e-5c43-9d5b-7a2d00000001")
_BRACED_GUID = re.compile(r"\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?")


@dataclass(frozen=True, slots=True, order=True)
class RecordKey:
    """A record in its own system: `allegory:company:C-0001`; a row is `dataverse:account:<guid>`."""

    system: str
    entity: str
    id: str

    def __str__(self) -> str:
        return f"{self.system}:{self.entity}:{self.id}"

    @classmethod
    def parse(cls, text: str) -> "RecordKey | None":
        """The key written as `system:entity:id`, or None when the text is not of that form."""
        parts = text.split(":", 2)
        return cls(*parts) if len(parts) == 3 and all(parts) else None


def row_key(table: str, row_id: UUID) -> RecordKey:
    """The key of a Dataverse row."""
    return RecordKey(DATAVERSE, table, str(row_id))


def chosen_row_id(key: RecordKey) -> UUID:
    """The GUID under which a legacy record is created in Dataverse.

    Derived from the key alone, so a create repeated after a lost answer meets its own row.
    """
    return uuid.uuid5(_NAMESPACE, str(key))


def guid(text: str) -> UUID | None:
    """The GUID written with or without braces, in any letter case; None when it is not one (E-03)."""
    match = _BRACED_GUID.fullmatch(text.strip())
    return UUID(match[1]) if match else None


def master_of(row: Mapping[str, object]) -> UUID | None:
    """The row that a row of Dataverse was merged into and put aside for; None while it stands for itself.

    One that was made active again keeps the name of its master, and is its own all the same.
    """
    master = row.get("_masterid_value")
    is_aside = row.get("statecode") not in (0, "0")
    return guid(master) if isinstance(master, str) and is_aside else None


def normalised_id(text: str) -> str:
    """A legacy id as it is kept: NFC, without surrounding blanks.

    SQL Server ignores trailing blanks when it compares and SQLite does not; so they never get in.
    """
    return unicodedata.normalize("NFC", text).strip()


def session_of(key: RecordKey, row_id: UUID | None = None) -> str:
    """The session id of a record's messages: its row's GUID if known, else its own key."""
    return str(row_id) if row_id else str(key)


def merge_of(row_id: UUID) -> RecordKey:
    """What an item waits for until a merge of a row, which people have made in Dataverse, is followed."""
    return RecordKey(DATAVERSE, _MERGE, str(row_id))


def is_merge(key: RecordKey) -> bool:
    """Whether what is waited for is a merge, and no record."""
    return key.system == DATAVERSE and key.entity == _MERGE
