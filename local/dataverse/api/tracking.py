"""Change tracking: a full answer with a delta link, then only what changed and what was deleted."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from local.dataverse.api.query import shown
from local.dataverse.api.request import Request
from local.dataverse.api.virtual import virtual_rows
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import Refusal, bad_query
from local.dataverse.odata.options import MAX_PAGE, Options, read_options
from local.dataverse.odata.rendering import context
from local.dataverse.odata.skiptoken import Resume, read_token, write_token
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Row

_REFUSED = ("$filter", "$orderby", "$expand", "$top")
_STAMP = "%m/%d/%Y %H:%M:%S"


def full(request: Request, table: Table) -> Answer:
    """Every row, page by page; the last page has the delta link to the version of the first."""
    request.organisation.privileges.check_whole(request.origin.caller, "Read", table)
    for name in _REFUSED:
        if name in request.call.query:
            raise bad_query(f'The "{name}" query parameter isn\'t supported when Change Tracking is enabled.')
    options = read_options(request.call.query)
    version, last_id = request.organisation.store.version, ""
    page = 1
    if options.skip_token:
        resume = read_token(options.skip_token)
        page, last_id, version = resume.page, resume.last_id, int(resume.values[0])
    size = request.preferences.page_size or MAX_PAGE
    rows = _page(request, table, last_id, size + 1)
    document = _document(request, table, options, "", rows[:size], [])
    if len(rows) > size:
        token = write_token(Resume(page + 1, rows[size - 1][table.id_column], [version]))
        document["@odata.nextLink"] = _link(request, table, f"$skiptoken={quote(token)}")
    else:
        document["@odata.deltaLink"] = _delta_link(request, table, version)
    return json_answer(200, document, {"Preference-Applied": request.preferences.applied})


def delta(request: Request, table: Table) -> Answer:
    """What changed since a token: rows by version, then deletions; Refusal when the token is too old."""
    request.organisation.privileges.check_whole(request.origin.caller, "Read", table)
    options = read_options(request.call.query)
    since = _read_delta(request, request.call.query["$deltatoken"])
    store = request.organisation.store
    changed, gone = store.changed(table.name, since), store.deleted(table.name, since)
    document = _document(request, table, options, "/$delta", changed, gone)
    document["@odata.deltaLink"] = _delta_link(request, table, store.version)
    return json_answer(200, document)


def delta_count(request: Request, table: Table) -> Answer:
    """How many changes a delta link would bring."""
    since = _read_delta(request, request.call.query["$deltatoken"])
    store = request.organisation.store
    total = len(store.changed(table.name, since)) + len(store.deleted(table.name, since))
    return Answer(200, {"Content-Type": "text/plain"}, str(total).encode())


def _document(
    request: Request, table: Table, options: Options, suffix: str, rows: list[Row], gone: list[str]
) -> dict[str, Any]:
    url = context(request.call.root, table.set_name, options.select)
    document: dict[str, Any] = {"@odata.context": f"{url}{suffix}"}
    if options.count:
        document["@odata.count"] = len(rows) + len(gone)
    deleted = f"{request.call.root}$metadata#{table.set_name}/$deletedEntity"
    document["value"] = [shown(request, table, row, options) for row in rows] + [
        {"@odata.context": deleted, "id": row_id, "reason": "deleted"} for row_id in gone
    ]
    return document


def _page(request: Request, table: Table, last_id: str, size: int) -> list[Row]:
    store = request.organisation.store
    made = virtual_rows(store, table.name)
    if made is None:
        return store.page(table.name, last_id, size)
    later = [row for row in made if row[table.id_column] > last_id]
    return sorted(later, key=lambda row: str(row[table.id_column]))[:size]


def _delta_link(request: Request, table: Table, version: int) -> str:
    stamp = request.organisation.clock().strftime(_STAMP)
    return _link(request, table, f"$deltatoken={version}%21{quote(stamp, safe='')}")


def _link(request: Request, table: Table, token: str) -> str:
    kept = [
        f"{name}={quote(request.call.query[name], safe=',')}"
        for name in ("$select", "$count")
        if name in request.call.query
    ]
    return f"{request.call.root}{table.set_name}?{'&'.join([*kept, token])}"


def _read_delta(request: Request, token: str) -> int:
    version, _, stamp = token.partition("!")
    now = request.organisation.clock()
    try:
        since, taken = int(version), datetime.strptime(stamp, _STAMP).replace(tzinfo=now.tzinfo)
    except ValueError as wrong:
        raise bad_query("The $deltatoken is not one of this service.") from wrong
    organisation = next(iter(request.organisation.rows("organization")), {})
    days = int(organisation.get("expirechangetrackingindays", 7))
    if now - taken > timedelta(days=days):
        raise Refusal(
            400,
            "0x80044352",
            "Version stamp associated with the client has expired. Please perform a full sync.",
        )
    return since
