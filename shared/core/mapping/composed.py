"""What a record has only when several of its fields are taken together, and what it is made of.

Some sheets name a record by two or three columns, or name another record that way. On the bus such a record
has one id, put together from them; the map knows it as one field more.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.core.change import Json
from shared.core.identity import RecordKey, normalised_id


def composed_id(parts: Sequence[Json]) -> Json:
    """One id from several: `Q-10265/1`. Blank when a part is.

    `~` and `/` inside a part are written `~0` and `~1`, as in a JSON pointer, so that no two records share
    an id.
    """
    texts = [normalised_id(str(part)) if part is not None else "" for part in parts]
    return "/".join(text.replace("~", "~0").replace("/", "~1") for text in texts) if all(texts) else ""


@dataclass(frozen=True, slots=True)
class Composed:
    """The field `name`, put together from the fields `parts`.

    A record that was sent without any of them has no such field; one with some of them is not whole, unless
    the `first_alone` will do, or `any_alone`: the others then count as blank. `put` may raise Unfit.
    """

    name: str
    parts: tuple[str, ...]
    put: Callable[[Sequence[Json]], Json] = composed_id
    first_alone: bool = False
    any_alone: bool = False

    def is_told(self, data: Mapping[str, Json]) -> bool:
        """Whether a record that says no more than `data` has the field."""
        told = [part in data for part in self.parts]
        return all(told) or (self.first_alone and told[0]) or (self.any_alone and any(told))


@dataclass(frozen=True, slots=True)
class Parts:
    """The records a record is made of, written before it may leave its first state.

    `field` is a field of the message, not of the sheet: the ends of their ids, between commas. A part's id is
    the record's own, a slash, and such an end (`Q-10265/1/3`).
    """

    entity: str
    field: str

    def keys(self, record: RecordKey, data: Mapping[str, Json]) -> Iterator[RecordKey]:
        """The keys of the parts that `data` names, in its order."""
        said = data.get(self.field)
        for end in str(said).split(",") if said is not None else ():
            if end.strip():
                yield RecordKey(record.system, self.entity, f"{record.id}/{end.strip()}")
