"""Tables whose rows are not kept but worked out: every activity, every privilege, every option's label."""

from collections.abc import Callable, Iterator, Mapping

from local.dataverse.rows.privileges import every_privilege, privilege_id
from local.dataverse.schema.catalog import metadata_id
from local.dataverse.schema.column import OPTION
from local.dataverse.store.row import Row
from local.dataverse.store.rows import FIRST_VERSION, RowStore

LANGUAGE = 1033


def virtual_rows(store: RowStore, table: str) -> Iterator[Row] | None:
    """The rows of a table that keeps none; None for a table that does."""
    made = _MADE.get(table)
    return made(store) if made is not None else None


def _activities(store: RowStore) -> Iterator[Row]:
    for table in store.catalog.tables.values():
        if table.is_activity and table.name != "activitypointer":
            yield from store.table(table.name).values()


def _privileges(store: RowStore) -> Iterator[Row]:
    for name in every_privilege(store.catalog):
        yield {"privilegeid": privilege_id(name), "name": name, "versionnumber": FIRST_VERSION}


def _labels(store: RowStore) -> Iterator[Row]:
    for table in store.catalog.tables.values():
        for column in table.columns.values():
            if column.kind not in OPTION:
                continue
            for order, (value, label) in enumerate(column.options.items()):
                yield {
                    "stringmapid": metadata_id("stringmap", table.name, column.name, str(value)),
                    "objecttypecode": table.name,
                    "attributename": column.name,
                    "attributevalue": value,
                    "value": label,
                    "langid": LANGUAGE,
                    "displayorder": order,
                    "versionnumber": FIRST_VERSION,
                }


_MADE: Mapping[str, Callable[[RowStore], Iterator[Row]]] = {
    "activitypointer": _activities,
    "privilege": _privileges,
    "stringmap": _labels,
}
