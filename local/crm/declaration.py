"""What a legacy system declares of itself: its collections, their columns and how their ids look."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from shared.core.rest import ChangeFeed, Rest

# Columns a customer added; every collection takes them, whatever they are called after the prefix.
CUSTOM_PREFIX = "cf_"

CREATED_AT = "created_at"
UPDATED_AT = "updated_at"


@dataclass(frozen=True, slots=True)
class Collection:
    """One kind of record.

    `name` is the path and the export file's stem, `entity` the word the change feed uses. `new_id` makes the
    next id from how many records there ever were and a source of randomness; the store asks again if taken.
    `references` names the columns that hold ids of another collection, one or several between bars.
    `updated` is the column that tells of the last write.
    `file` is the export's file where it is called otherwise; one that ends in `.json` is an array of records,
    in which `lists` are the columns that are arrays; everywhere else they are text with semicolons or line
    ends between. `folder` and `content` are of a collection that tells of files: where the export puts them,
    under the record's id, and the column with a file's name.
    """

    name: str
    entity: str
    key: str
    new_id: Callable[[int, Random], str]
    columns: tuple[str, ...]
    references: Mapping[str, str] = field(default_factory=dict)
    updated: str = UPDATED_AT
    file: str = ""
    lists: frozenset[str] = frozenset()
    folder: str = ""
    content: str = ""

    @property
    def exported(self) -> str:
        """The name of its file in an export."""
        return self.file or f"{self.name}.csv"

    def unknown(self, columns: object) -> list[str]:
        """Those of `columns` that this collection does not have, sorted; custom columns are always had."""
        given = columns if isinstance(columns, dict) else {}
        return sorted(
            name for name in given if name not in self.columns and not name.startswith(CUSTOM_PREFIX)
        )


@dataclass(frozen=True, slots=True)
class System:
    """A legacy system: its name in the manifest, its collections, and how its export writes dates.

    `rest` has the words of its REST interface; what it says of collections is theirs to say.
    """

    name: str
    collections: tuple[Collection, ...]
    default_time_zone: str
    date_format: str
    rest: Rest = field(default_factory=lambda: Rest({}, feed=ChangeFeed()))
