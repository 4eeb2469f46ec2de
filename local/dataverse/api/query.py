"""Running a query: filter, order, page, expand, show."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

from local.dataverse.api.request import Request
from local.dataverse.api.virtual import virtual_rows
from local.dataverse.errors import bad_query, unknown_property_in_query
from local.dataverse.odata.expression import parse_filter
from local.dataverse.odata.options import MAX_PAGE, Expand, Options
from local.dataverse.odata.predicate import Getter, compile_filter, getter
from local.dataverse.odata.rendering import context, with_context
from local.dataverse.odata.skiptoken import Resume, read_token, write_token
from local.dataverse.schema.catalog import Collection
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Row
from local.dataverse.store.rows import UNLINKED

TOTAL = "Microsoft.Dynamics.CRM.totalrecordcount"


def matching(
    request: Request, table: Table, options: Options, rows: Iterable[Row] | None = None
) -> list[Row]:
    """The rows a filter lets through, in the asked order and then by id."""
    scope = request.scope(table)
    found = request.organisation.rows(table.name) if rows is None else rows
    sight = request.organisation.privileges.sight(request.origin.caller, table)
    if sight is not None:
        found = filter(sight, found)
    if options.filter:
        test = compile_filter(parse_filter(options.filter, options.aliases), scope)
        found = [row for row in found if test(row)]
    return ordered(request, table, options, found)


def next_rows(request: Request, table: Table, options: Options) -> list[Row] | None:
    """As many rows as a page and one more, in the order of their ids; None when all are asked for anyway.

    A page of a large table is read without the pages before and after it.
    """
    preferences, store = request.preferences, request.organisation.store
    if options.order or options.count or preferences.wants(TOTAL) or virtual_rows(store, table.name):
        return None
    after = read_token(options.skip_token).last_id if options.skip_token else ""
    found: Iterable[Row] = store.following(table.name, after)
    sight = request.organisation.privileges.sight(request.origin.caller, table)
    if sight is not None:
        found = filter(sight, found)
    if options.filter:
        found = filter(
            compile_filter(parse_filter(options.filter, options.aliases), request.scope(table)), found
        )
    most = options.top if options.top is not None else preferences.page_size or MAX_PAGE
    return list(islice(found, min(most, MAX_PAGE) + 1))


def ordered(request: Request, table: Table, options: Options, rows: Iterable[Row]) -> list[Row]:
    """Rows in the asked order; ties and everything else by id, so that pages fit together."""
    id_column = table.id_column
    arranged = sorted(rows, key=lambda row: row[id_column])
    for name, descending in reversed(options.order):
        value_of = _orderable(request, table, name)
        arranged.sort(key=lambda row, value_of=value_of: _sortable(value_of(row)), reverse=descending)  # type: ignore[misc]
    return arranged


def listing(request: Request, table: Table, options: Options, rows: list[Row], url: str) -> dict[str, Any]:
    """A page of rows as a list answer; `url` is where the next page is asked for."""
    preferences = request.preferences
    if options.top is not None and preferences.page_size is not None and options.top > preferences.page_size:
        # The service takes $top and ignores the page size when both are given.
        page_size = min(options.top, MAX_PAGE)
    else:
        page_size = min(preferences.page_size or MAX_PAGE, MAX_PAGE)
    total = len(rows)
    page_number, start = 1, 0
    if options.skip_token:
        resume = read_token(options.skip_token)
        page_number, start = resume.page, _position(request, table, options, rows, resume)
    wanted = rows[start:] if options.top is None else rows[start : options.top]
    page = wanted[:page_size]
    document: dict[str, Any] = {
        "@odata.context": context(request.call.root, table.set_name, shown_names(options))
    }
    if options.count:
        document["@odata.count"] = min(total, MAX_PAGE)
    if preferences.wants(TOTAL):
        document[f"@{TOTAL}"] = min(total, MAX_PAGE) if options.count else -1
        document[f"@{TOTAL}limitexceeded"] = options.count and total > MAX_PAGE
    document["value"] = [shown(request, table, row, options) for row in page]
    if len(wanted) > len(page) and page and options.top is None:
        token = write_token(
            Resume(
                page_number + 1, page[-1][table.id_column], _order_values(request, table, options, page[-1])
            )
        )
        separator = "&" if "?" in url else "?"
        document["@odata.nextLink"] = f"{url}{separator}$skiptoken={quote(token)}"
    return document


def shown(request: Request, table: Table, row: Row, options: Options) -> dict[str, Any]:
    """A row with its expanded neighbours."""
    document = request.renderer.row(table, row, options.select)
    for expand in options.expand:
        _expand(request, table, row, expand, document)
    return document


def render(request: Request, table: Table, row: Row, options: Options) -> dict[str, Any]:
    """A single row as the whole answer."""
    url = context(request.call.root, table.set_name, shown_names(options), single=True)
    return with_context(url, shown(request, table, row, options))


def shown_names(options: Options) -> Sequence[str]:
    """The names that appear in an @odata.context."""
    return (
        *options.select,
        *(f"{expand.name}({','.join(expand.options.select)})" for expand in options.expand),
    )


def related(request: Request, table: Table, row: Row, name: str) -> tuple[Table, list[Row]] | None:
    """The rows behind a collection-valued navigation property; None when there is no such property."""
    catalog = request.organisation.catalog
    row_id = row[table.id_column]
    collection = catalog.collections(table.name).get(name)
    if collection is not None:
        return catalog.tables[collection.table], _children(request, collection, row_id)
    pair = catalog.pairs_of(table.name).get(name)
    if pair is None:
        return None
    members = request.organisation.members(pair.name)
    if pair.first == table.name:
        other, ids = pair.second, [second for first, second in members if first == row_id]
    else:
        other, ids = pair.first, [first for first, second in members if second == row_id]
    rows = [member for name in ids if (member := request.organisation.get(other, name)) is not None]
    return catalog.tables[other], rows


def _children(request: Request, collection: Collection, row_id: str) -> list[Row]:
    organisation, column = request.organisation, collection.column.name
    if collection.table != "activitypointer" and column not in UNLINKED:
        ids = organisation.store.pointing(collection.table, column, row_id)
        return [row for child in ids if (row := organisation.get(collection.table, child)) is not None]
    return [
        row
        for row in organisation.rows(collection.table)
        if row.get(column) == (collection.referenced, row_id)
    ]


def parent(request: Request, table: Table, row: Row, name: str) -> tuple[Table, Row | None] | None:
    """The row behind a single-valued navigation property; None when there is no such property."""
    bound = table.bindings.get(name)
    if bound is None:
        return None
    catalog = request.organisation.catalog
    pointer = row.get(bound.column.name)
    if pointer is None or pointer[0] not in bound.targets:
        return catalog.tables[bound.targets[0]], None
    return catalog.tables[pointer[0]], request.organisation.get(pointer[0], pointer[1])


def _expand(request: Request, table: Table, row: Row, expand: Expand, document: dict[str, Any]) -> None:
    single = parent(request, table, row, expand.name)
    if single is not None:
        neighbour, found = single
        sight = request.organisation.privileges.sight(request.origin.caller, neighbour)
        if found is not None and sight is not None and not sight(found):
            found = None
        document[expand.name] = None if found is None else shown(request, neighbour, found, expand.options)
        return
    many = related(request, table, row, expand.name)
    if many is None:
        raise unknown_property_in_query(table.name, expand.name)
    other, rows = many
    arranged = matching(request, other, expand.options, rows)
    if expand.options.top is not None:
        arranged = arranged[: expand.options.top]
    if expand.reference_only:
        document[expand.name] = [
            {"@odata.id": request.entity_url(other, member[other.id_column])} for member in arranged
        ]
        return
    document[expand.name] = [shown(request, other, member, expand.options) for member in arranged]
    if expand.options.count:
        document[f"{expand.name}@odata.count"] = len(arranged)
    own = request.entity_url(table, row[table.id_column])
    document[f"{expand.name}@odata.nextLink"] = f"{own}/{expand.name}"


def _orderable(request: Request, table: Table, name: str) -> Getter:
    parts = tuple(name.split("/"))
    if len(parts) == 1 and name not in table.properties and name in table.columns:
        parts = (table.columns[name].property_name,)
    if not parts[0]:
        raise unknown_property_in_query(table.name, name)
    return getter(parts, request.scope(table))[1]


def _sortable(value: Any) -> tuple[bool, Any]:
    """Null sorts first, as in the service."""
    return (value is not None, value if value is not None else 0)


def _order_values(request: Request, table: Table, options: Options, row: Row) -> list[Any]:
    return [_orderable(request, table, name)(row) for name, _ in options.order]


def _position(request: Request, table: Table, options: Options, rows: list[Row], resume: Resume) -> int:
    """Where the page after `resume` begins, also when that row has gone or moved since."""
    getters = [(_orderable(request, table, name), descending) for name, descending in options.order]
    if len(getters) != len(resume.values):
        raise bad_query("The $skiptoken does not belong to this query.")
    for at, row in enumerate(rows):
        for (value_of, descending), last in zip(getters, resume.values, strict=True):
            here, there = _sortable(value_of(row)), _sortable(last)
            if here == there:
                continue
            if (here > there) != descending:
                return at
            break
        else:
            if row[table.id_column] > resume.last_id:
                return at
    return len(rows)
