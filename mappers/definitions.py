"""A custom field of a legacy system, held against the maps: it has a place, or it is told which it lacks.

A definition must fit the column the map of its object gives it: type, options and length. A field without a
column is refused with what is to be created, before any record carries it (A-10a).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.errors import Fault
from shared.core.mapping.columns import Kind
from shared.core.mapping.spec import EntityMap, Line, Transform, Unfit, pointer
from shared.core.mapping.transforms import memo

KINDS: Mapping[str, tuple[Kind, ...]] = {
    "text": (Kind.TEXT, Kind.MEMO),
    "url": (Kind.TEXT,),
    "json": (Kind.MEMO,),
    "number": (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY),
    "date": (Kind.DATE,),
    "datetime": (Kind.DATETIME,),
    "checkbox": (Kind.BOOLEAN,),
    "dropdown": (Kind.CHOICE,),
}
"""The kinds of column that can hold each type of custom field; the first is the one to create."""


def listed(max_length: int) -> Transform[Json, str]:
    """A list of labels, one a line."""
    plain = memo(max_length)

    def to_dataverse(value: Json) -> str | None:
        return plain.to_dataverse("\n".join(_listed(value)))

    examples: tuple[Json, ...] = (["Gold", "Silver"], "Gold\nSilver", [], "", None)
    return Transform(to_dataverse, plain.to_legacy, examples, f"labels, one a line, up to {max_length}")


@dataclass(frozen=True, slots=True)
class Definitions:
    """Whether a definition has a place. `objects` are the maps by the system's own word for each kind of
    record; the rest are the fields in which it says object, key, type, options and length.
    """

    objects: Mapping[str, EntityMap]
    object: str = "object"
    key: str = "key"
    type: str = "type"
    options: str = "options"
    max_length: str = "max_length"

    def __call__(self, data: Mapping[str, Json]) -> tuple[Fault, ...]:
        """Why a definition has no place, if it has none."""
        said = [data.get(name) for name in (self.object, self.key, self.type)]
        if any(not isinstance(value, str) for value in said):
            # A change of the label alone says nothing about the place.
            return ()
        what, key, kind = (str(value).strip() for value in said)
        entry = self.objects.get(what)
        if entry is None:
            expected = "a custom field of " + ", ".join(self.objects)
            return (Fault(pointer(self.object), Code.UNKNOWN_ENTITY, expected),)
        if kind.casefold() not in KINDS:
            return (Fault(pointer(self.type), Code.VALUE_NO_OPTION, "one of " + ", ".join(KINDS)),)
        line = next((line for line in entry.fields if line.legacy == key), None)
        if line is None:
            expected = (
                f"a field with a column: create one of type {KINDS[kind.casefold()][0]} on "
                f"{entry.table.name} and a line for it in the map of {entry.entity}"
            )
            return (Fault(pointer(self.key), Code.UNKNOWN_FIELD, expected),)
        return tuple(self._misfits(line, kind.casefold(), data))

    def _misfits(self, line: Line, kind: str, data: Mapping[str, Json]) -> Iterator[Fault]:
        column = line.column
        if column.kind not in KINDS[kind]:
            expected = f"a type that {column.name} of type {column.kind} can hold, or another column"
            yield Fault(pointer(self.type), Code.VALUE_NO_OPTION, expected)
        options = _listed(data.get(self.options))
        if kind == "dropdown" and not all(_has_place(line, option) for option in options):
            expected = f"options that {column.name} has: create the others there and in the map's words"
            yield Fault(pointer(self.options), Code.VALUE_NO_OPTION, expected)
        longest = str(data.get(self.max_length) or "")
        if column.max_length and longest.isdigit() and int(longest) > column.max_length:
            expected = f"at most {column.max_length}: lengthen {column.name} first"
            yield Fault(pointer(self.max_length), Code.VALUE_TOO_LONG, expected)


def _listed(value: Any) -> list[str]:
    parts = value if isinstance(value, list) else str(value or "").split("\n")
    return [str(part).strip() for part in parts if str(part).strip()]


def _has_place(line: Line, option: str) -> bool:
    try:
        return line.via.to_dataverse(option) is not None
    except Unfit:
        return False
