"""The table whose rows are not kept but worked out: every activity, whatever its kind."""

from collections.abc import Iterator

from local.dataverse.store.row import Row
from local.dataverse.store.rows import RowStore

ACTIVITIES = "activitypointer"


def virtual_rows(store: RowStore, table: str) -> Iterator[Row] | None:
    """The rows of a table that keeps none; None for a table that does."""
    return _activities(store) if table == ACTIVITIES else None


def _activities(store: RowStore) -> Iterator[Row]:
    for table in store.catalog.tables.values():
        if table.is_activity and table.name != ACTIVITIES:
            yield from store.table(table.name).values()
