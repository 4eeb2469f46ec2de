"""A row as the simulator keeps it: column names to plain values, lookups as references."""

from typing import Any, NamedTuple

# Values are JSON scalars or `Reference`; a column that is null is absent. `versionnumber` is always there.
Row = dict[str, Any]


class Reference(NamedTuple):
    """A pointer to a row: logical table name and id."""

    table: str
    id: str


def etag_of(row: Row) -> str:
    """The weak entity tag of a row: its version."""
    return f'W/"{row["versionnumber"]}"'
