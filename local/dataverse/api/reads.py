"""GET of sets, rows, properties and related rows."""

from urllib.parse import quote

from local.dataverse.api.query import listing, matching, next_rows, parent, related, render
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import unknown_segment
from local.dataverse.odata.address import Segment
from local.dataverse.odata.options import MAX_PAGE, Options, read_options
from local.dataverse.odata.rendering import context
from local.dataverse.rows.references import locate, missing
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Row, etag_of


def list_rows(request: Request, table: Table) -> Answer:
    """GET of a set."""
    options = read_options(request.call.query)
    rows = next_rows(request, table, options)
    if rows is None:
        rows = matching(request, table, options)
    return _listed(request, listing(request, table, options, rows, _again(request)))


def count_rows(request: Request, table: Table) -> Answer:
    """GET of set/$count: the number as text."""
    options = read_options(request.call.query)
    total = min(len(matching(request, table, options)), MAX_PAGE)
    return Answer(200, {"Content-Type": "text/plain"}, str(total).encode())


def get_row(request: Request, table: Table, key: str) -> Answer:
    """GET of one row; 304 when the caller has this version already."""
    row = find(request, table, key)
    options = read_options(request.call.query)
    if _is_current(request, row, options):
        return Answer(304, {"ETag": etag_of(row)})
    headers = {"ETag": etag_of(row)}
    if request.preferences.applied:
        headers["Preference-Applied"] = request.preferences.applied
    return json_answer(200, render(request, table, row, options), headers)


def get_below(request: Request, table: Table, key: str, rest: list[Segment]) -> Answer:
    """GET of a property, a raw value, a related row or a related set."""
    row = find(request, table, key)
    name = rest[0].name
    column = table.properties.get(name) or table.columns.get(name)
    single = parent(request, table, row, name) if column is None or name in table.bindings else None
    if single is not None:
        return _single(request, single, rest[1:])
    if column is not None:
        value = row.get(column.name)
        if value is None:
            return Answer(204)
        if [step.name for step in rest[1:]] == ["$value"]:
            return Answer(200, {"Content-Type": "text/plain"}, str(value).encode())
        plain = value[1] if isinstance(value, tuple) else value
        url = context(request.call.root, f"{table.set_name}({row[table.id_column]})/{name}")
        return json_answer(200, {"@odata.context": url, "value": plain})
    many = related(request, table, row, name)
    if many is None:
        raise unknown_segment(name)
    return _many(request, many, rest)


def find(request: Request, table: Table, key: str) -> Row:
    """The row behind a key; Refusal 404 when there is none."""
    target = locate(request.reading(), table, key)
    row = request.organisation.get(table.name, target.id) if target.id is not None else None
    request.organisation.privileges.check(request.origin.caller, "Read", table, row)
    if row is None:
        raise missing(target)
    return row


def _single(request: Request, single: tuple[Table, Row | None], rest: list[Segment]) -> Answer:
    other, found = single
    if found is None:
        return Answer(204)
    if rest and rest[0].name == "$ref":
        url = context(request.call.root, "$ref")
        address = request.entity_url(other, found[other.id_column])
        return json_answer(200, {"@odata.context": url, "@odata.id": address})
    if rest:
        return get_below(request, other, found[other.id_column], rest)
    return json_answer(200, render(request, other, found, read_options(request.call.query)))


def _many(request: Request, many: tuple[Table, list[Row]], rest: list[Segment]) -> Answer:
    other, rows = many
    options = read_options(request.call.query)
    arranged = matching(request, other, options, rows)
    if rest[0].key is not None:
        found = next((row for row in arranged if row[other.id_column] == rest[0].key.lower()), None)
        if found is None:
            raise unknown_segment(rest[0].name)
        if rest[1:]:
            return get_below(request, other, found[other.id_column], rest[1:])
        return json_answer(200, render(request, other, found, options))
    tail = [step.name for step in rest[1:]]
    if tail == ["$count"]:
        return Answer(200, {"Content-Type": "text/plain"}, str(len(arranged)).encode())
    if tail == ["$ref"]:
        addresses = [{"@odata.id": request.entity_url(other, row[other.id_column])} for row in arranged]
        url = context(request.call.root, "Collection($ref)")
        return json_answer(200, {"@odata.context": url, "value": addresses})
    if tail:
        raise unknown_segment(tail[0])
    return _listed(request, listing(request, other, options, arranged, _again(request)))


def _listed(request: Request, document: dict[str, object]) -> Answer:
    applied = request.preferences.applied
    return json_answer(200, document, {"Preference-Applied": applied} if applied else {})


def _again(request: Request) -> str:
    """The request's own address without its paging cookie."""
    query = "&".join(
        f"{quote(name, safe='$@')}={quote(value)}"
        for name, value in request.call.query.items()
        if name != "$skiptoken"
    )
    path = f"{request.call.root}{quote(request.call.path, safe='/()$=,')}"
    return f"{path}?{query}" if query else path


def _is_current(request: Request, row: Row, options: Options) -> bool:
    seen = request.call.if_none_match
    return seen == etag_of(row) and not options.expand and not request.preferences.annotations
