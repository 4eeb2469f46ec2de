"""What leaves Dataverse: the one definition of which changes of which tables are put on the queue.

Derived from the maps: a table leaves if a map sends a field of it out, and a change matters if it touches a
column that crosses. The flows are rendered from it; whoever registers a service endpoint reads it, too.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.core.mapping.columns import Table
from shared.core.mapping.spec import Flow
from shared.core.system import LegacySystem

MERGED_AWAY = frozenset({"masterid", "statecode"})
"""What tells that people merged a row into another one; a change of it matters wherever a table has it."""

ADDED_MODIFIED_DELETED = 7
"""The message code of a Dataverse trigger that fires on all three."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which changes of one table leave Dataverse.

    `attributes` are the logical names of the columns whose change matters (creates and deletes always do);
    `expression` is an OData filter a row must meet, or None for every row. `message` is the trigger's code.
    """

    table: Table
    attributes: tuple[str, ...]
    message: int = ADDED_MODIFIED_DELETED
    expression: str | None = None


def outbound_filters(systems: Iterable[LegacySystem]) -> tuple[Filter, ...]:
    """One filter per table that any map sends out, attributes in the order of the table's columns."""
    crossing: dict[str, set[str]] = {}
    tables: dict[str, Table] = {}
    for entry in (entry for system in systems for entry in system.maps):
        names = {line.column.name for line in entry.fields if line.flow is not Flow.INBOUND}
        if names:
            tables[entry.table.name] = entry.table
            crossing.setdefault(entry.table.name, set()).update(names)
    return tuple(
        Filter(table, tuple(name for name in table.columns if name in crossing[table.name] | MERGED_AWAY))
        for table in tables.values()
    )
