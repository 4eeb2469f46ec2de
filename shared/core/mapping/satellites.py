"""Satellites: what follows from a record beside its own row.

A contact of three companies is one contact row and two connections; a tag is one entry of the tags of what it
was put on; whoever a campaign is meant for has a place in a marketing list of it. They are derived from the
agreed values of the record's own row alone, so what is to be taken away is what followed from the values
before and no longer does.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias
from uuid import UUID

from shared.core.identity import RecordKey, chosen_row_id
from shared.core.mapping.columns import Column, Table, Unresolved, Value
from shared.core.mapping.references import RowRef

Onto: TypeAlias = Callable[[Mapping[str, Value]], Mapping[str, Value]]
"""Columns that depend on what the row holds already; given nothing, those of a new row."""


@dataclass(frozen=True, slots=True)
class Companion:
    """A row of its own that exists for as long as it follows from the record.

    It is written under a GUID derived from the row it belongs to, so that writing it twice is harmless.
    `besides` is a row it is not to point at: what the record's own row says already needs no second telling.
    `needs` is a row without which the organisation has no use for it: then there is none, and no error.
    """

    table: Table
    row_id: UUID
    values: Mapping[str, Unresolved]
    besides: Value = None
    needs: tuple[Table, UUID] | None = None
    onto: Onto | None = None


@dataclass(frozen=True, slots=True)
class Element:
    """One entry of a list that another record's row keeps as text, between the entries of others.

    `record` is the record whose row holds the list in `column`; `text` is the entry.
    """

    record: RecordKey
    column: Column[str]
    text: str
    separator: str


@dataclass(frozen=True, slots=True)
class Membership:
    """A place in a marketing list, which holds one kind of row: that of the `member`.

    The list has a GUID of our choice and belongs to `campaign`. It is made, under `name`, for its first
    member; from then on it is the organisation's own, and only the place in it comes and goes.
    """

    list_id: UUID
    name: str = field(compare=False)
    campaign: UUID
    member: RowRef


@dataclass(frozen=True, slots=True)
class Following:
    """Everything that follows from one state of a record."""

    companions: tuple[Companion, ...] = ()
    elements: tuple[Element, ...] = field(default=())
    memberships: tuple[Membership, ...] = ()


class Satellite(Protocol):
    """Derives what follows from a row's agreed values; pure."""

    def __call__(self, row_id: UUID, values: Mapping[str, Value], /) -> Following:
        """What follows from the row `row_id` that holds `values`."""
        ...


def companion_id(table: str, row_id: UUID, what: str = "") -> UUID:
    """The GUID of the companion that a row has in a table; `what` tells several apart."""
    return chosen_row_id(RecordKey("tandem", table, f"{row_id}|{what}"))


def following(satellites: Iterable[Satellite], row_id: UUID, values: Mapping[str, Value]) -> Following:
    """What follows by all of the satellites."""
    found = [satellite(row_id, values) for satellite in satellites]
    return Following(
        tuple(one for each in found for one in each.companions),
        tuple(one for each in found for one in each.elements),
        tuple(one for each in found for one in each.memberships),
    )


def entries(text: Value, separator: str) -> list[str]:
    """The entries of a list kept as text, without the blanks around them."""
    parts = (part.strip() for part in str(text or "").split(separator))
    return [part for part in parts if part]


def with_element(text: Value, element: Element) -> str | None:
    """The list with the entry in it, once, behind the others; as it was when it is there already."""
    held = entries(text, element.separator)
    if element.text in held:
        return str(text)
    return element.separator.join([*held, element.text])


def without_element(text: Value, element: Element) -> str | None:
    """The list without the entry, None when nothing is left; as it was when it is not there."""
    held = entries(text, element.separator)
    if element.text not in held:
        return None if text is None else str(text)
    return element.separator.join(one for one in held if one != element.text) or None


def points_at(values: Mapping[str, Value], row: Value) -> bool:
    """Whether a companion's resolved values point at a row."""
    return isinstance(row, RowRef) and row in values.values()
