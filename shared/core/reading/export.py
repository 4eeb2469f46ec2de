"""The declaration of a system's export: files, columns, keys, references, owners, states. Data, no code."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.core.reading.codes import FindingCode
from shared.core.reading.kinds import Kind
from shared.core.reading.moments import Clock
from shared.core.reading.rules import Rule

_BLOCKED = """
bat chm cmd com cpl dll exe hta inf ins jar js jse lnk mdb mde msi msp mst pif ps1 reg scr sct shb shs vb vbe
vbs wsf wsh
"""
BLOCKED = frozenset(_BLOCKED.split())
"""Extensions that an organisation blocks until its administrator says otherwise; its own list decides."""


class Format(StrEnum):
    """How a file of an export is written."""

    CSV = "csv"
    JSON = "json"
    WORKBOOK = "workbook"
    TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the export and how its cells are read.

    A `required` one has a value in every record; an `optional` one may be missing from the file altogether.
    """

    name: str
    kind: Kind
    required: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that names a record by its key, or several, parted by `separator`.

    `also` are the columns with the rest of a key of several parts. A `parent` points into the same entity and
    may run in circles; a blank one is told when a `placeholder` stands in for it.
    """

    field: str
    entity: str
    separator: str | None = None
    also: tuple[str, ...] = ()
    parent: bool = False
    placeholder: bool = False


@dataclass(frozen=True, slots=True)
class KindReference:
    """Two columns that name a record: the kind of record, by the words in `entities`, and its key."""

    field: str
    kind: str
    entities: Mapping[str, str]

    def entity_of(self, word: Any) -> str | None:
        """The entity a word means, letter case aside; None for none."""
        return _meant(self.entities, word)


@dataclass(frozen=True, slots=True)
class NameReference:
    """A column that names a record by a text: the value of `column` there.

    `within` is a pair of columns, here and there, that have to agree; `unless` a column here that settles it.
    """

    field: str
    entity: str
    column: str
    within: tuple[str, str] | None = None
    unless: str | None = None


@dataclass(frozen=True, slots=True)
class Participants:
    """A column of e-mail addresses: users of Dataverse or people of the export."""

    field: str
    separator: str = ";"
    expected: bool = False


class Absence(StrEnum):
    """What it means that a record a complete export held is not in the next one."""

    DELETED = "deleted"
    NOTHING = "nothing"


class OwnerBy(StrEnum):
    """How an export names the owner of a record."""

    EMAIL = "email"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Owner:
    """The column that names the owner, or another user; only an `owner` is missed when it is blank."""

    field: str
    by: OwnerBy
    required: bool = True


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A column whose equal values make two records suspects, across all files that name the same `group`."""

    field: str
    code: FindingCode
    group: str


@dataclass(frozen=True, slots=True)
class Attachments:
    """Which columns of an object tell of files; `folder` is what the paths begin with on disk.

    Of a `shared` file other records may tell as well: a document may also be attached to an e-mail.
    """

    folder: str
    path: str
    size: str
    prefix: str = ""
    sha256: str | None = None
    folder_column: str | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Kinds:
    """The column that tells which entity a record is, by its words, where one file holds several."""

    column: str
    entities: Mapping[str, str]

    def of(self, word: Any) -> str:
        """The entity a word means, letter case aside; blank for none."""
        return _meant(self.entities, word) or ""


@dataclass(frozen=True, slots=True)
class Each:
    """A record for each entry of a column, instead of one for each row: the files that an e-mail names.

    An entry stands in the column `name`; `size` is the column that gets the bytes of the file of that name.
    """

    column: str
    name: str
    size: str
    separator: str = ";"


@dataclass(frozen=True, slots=True)
class Object:
    """One kind of record of an export.

    `file` names the file, or the folder of a text per record. Objects stand in the order in which they depend
    on each other. `entity` is the word of the maps, or `kinds` tell it of each record. A `people` object
    lends its addresses to participants. With `each`, the records are the entries of a column of the file.
    """

    entity: str
    file: str
    format: Format
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    sheet: str | None = None
    references: tuple[Reference | KindReference | NameReference, ...] = ()
    participants: tuple[Participants, ...] = ()
    owners: tuple[Owner, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    rules: tuple[Rule, ...] = ()
    attachments: Attachments | None = None
    people: str | None = None
    absence: Absence = Absence.DELETED
    kinds: Kinds | None = None
    each: Each | None = None

    def column(self, name: str) -> Column | None:
        """The declared column of that name."""
        return next((entry for entry in self.columns if entry.name == name), None)


@dataclass(frozen=True, slots=True)
class Inventory:
    """The list that completes an export: which file holds how many records, bytes, and their hash.

    `rows` is the path to the entries in a JSON list; a CSV list is its rows. `exported` is where it says when
    a file was written, in its entry or for all of them beside the entries; `clock` how it writes times.
    """

    file: str
    format: Format
    name: str
    count: str
    rows: str | None = None
    sheet: str | None = None
    size: str | None = None
    sha256: str | None = None
    exported: str | None = None
    clock: Clock | None = None


@dataclass(frozen=True, slots=True)
class Directory:
    """The object that lists the system's own users: how a name becomes an address, and who has left."""

    entity: str
    name: str
    email: str
    active: str
    active_words: frozenset[str]


@dataclass(frozen=True, slots=True)
class CustomFields:
    """The file that defines custom fields: the words of its entries, and of the entities they belong to."""

    file: str
    entity: str
    key: str


@dataclass(frozen=True, slots=True)
class CustomObjects:
    """The file that defines custom objects; more than `most` do not fit the smallest edition (A-10b)."""

    file: str
    name: str
    count: str
    most: int = 15


@dataclass(frozen=True, slots=True)
class Export:
    """Everything that is known beforehand about a system's export.

    `modified` is the column in which a record says when it last changed, in the objects that have it.
    """

    system: str
    objects: tuple[Object, ...]
    inventory: Inventory
    directory: Directory
    custom_fields: CustomFields | None = None
    custom_objects: CustomObjects | None = None
    largest_attachment: int = 26_214_400
    blocked: frozenset[str] = BLOCKED
    modified: str | None = None

    def object_of(self, entity: str) -> Object:
        """The object of an entity; KeyError when there is none."""
        for entry in self.objects:
            if entry.entity == entity:
                return entry
        raise KeyError(entity)


def _meant(entities: Mapping[str, str], word: Any) -> str | None:
    said = str(word).casefold() if word is not None else None
    return next((entity for known, entity in entities.items() if known.casefold() == said), None)
