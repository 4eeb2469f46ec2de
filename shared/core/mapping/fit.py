"""Whether the maps' values fit the columns of an organisation, as its own metadata tells them.

Maps are written for an organisation that nobody has changed. A customer shortens a column, takes an option
away or has not created what Tandem adds; better told before a record is refused for it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol, TypeAlias

from shared.core.mapping.columns import Column, Kind, Table
from shared.core.mapping.spec import Flow, Line, Unfit
from shared.core.system import LegacySystem


@dataclass(frozen=True, slots=True)
class Facts:
    """What an organisation says of one column; a limit it does not tell is None."""

    kind: Kind | None
    max_length: int | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    options: frozenset[int] | None = None


Columns: TypeAlias = Mapping[str, Facts]


class Metadata(Protocol):
    """An organisation's own description of its tables."""

    async def columns(self, table: Table) -> Columns | None:
        """The facts of the table's columns by name; None when there is no such table.

        Raises Throttled, Unavailable or Refused.
        """
        ...


@dataclass(frozen=True, slots=True)
class Misfit:
    """A column that cannot take what a map may bring, and what to do about it.

    `fields` are the legacy fields concerned (`allegory lead.topic`).
    """

    table: str
    column: str
    problem: str
    fields: tuple[str, ...]


def misfits(
    systems: Iterable[LegacySystem], organisation: Mapping[str, Columns | None]
) -> tuple[Misfit, ...]:
    """Every column that cannot take everything its maps may bring, by table and column."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for system in systems:
        for entry in system.maps:
            columns = organisation.get(entry.table.name)
            if columns is None:
                problem = "there is no such table: create it from infra/dataverse/customisations.json"
                found.setdefault((entry.table.name, "", problem), []).append(f"{system.name} {entry.entity}")
                continue
            for line in entry.fields:
                if line.flow is not Flow.OUTBOUND:
                    field = f"{system.name} {entry.entity}.{line.legacy}"
                    for problem in _problems(line, columns.get(line.column.name)):
                        found.setdefault((entry.table.name, line.column.name, problem), []).append(field)
    return tuple(Misfit(*where, tuple(fields)) for where, fields in sorted(found.items()))


def _problems(line: Line, facts: Facts | None) -> Iterator[str]:
    column = line.column
    if column.kind is Kind.PARTIES:
        return
    if facts is None:
        source = "create it from infra/dataverse/customisations.json" if column.custom else "it was removed"
        yield f"there is no such column: {source}"
        return
    if facts.kind is not None and facts.kind is not _told_as(column):
        yield f"it is a column of type {facts.kind}, the maps write {column.kind}"
        return
    if facts.max_length is not None and column.max_length and facts.max_length < column.max_length:
        yield f"it holds {facts.max_length} characters, the maps write up to {column.max_length}"
    if facts.minimum is not None and column.minimum is not None and facts.minimum > column.minimum:
        yield f"it begins at {facts.minimum.normalize():f}, the maps at {column.minimum:f}"
    if facts.maximum is not None and column.maximum is not None and facts.maximum < column.maximum:
        yield f"it ends at {facts.maximum.normalize():f}, the maps at {column.maximum:f}"
    if facts.options is not None:
        for option in sorted(reached(line) - facts.options):
            yield f"it has no option {option} ({column.options.get(option, 'unnamed')})"


def reached(line: Line) -> set[int]:
    """The options of its column that a line's own labels lead to."""
    options = set()
    for example in line.via.examples:
        try:
            crossed = line.via.to_dataverse(example)
        except Unfit:
            continue
        if isinstance(crossed, int) and not isinstance(crossed, bool):
            options.add(int(crossed))
    return options


def _told_as(column: Column[Any]) -> Kind:
    """How metadata tells a column's type: days are points in time there, files are text."""
    return {Kind.DATE: Kind.DATETIME, Kind.FILE: Kind.MEMO}.get(column.kind, column.kind)
