"""POST, PATCH, PUT and DELETE of rows: create, update, upsert, delete, with conditions and preferences."""

from typing import Any

from local.dataverse.api.query import render
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import (
    already_exists,
    bad_payload,
    unknown_property_in_query,
    version_mismatch,
)
from local.dataverse.odata.options import read_options
from local.dataverse.rows.duplicates import refuse_duplicate
from local.dataverse.rows.payload import Draft
from local.dataverse.rows.references import Target, locate, missing
from local.dataverse.rows.values import stored
from local.dataverse.rows.writer import Writer
from local.dataverse.schema.column import Kind
from local.dataverse.schema.table import Table
from local.dataverse.store.row import Row, etag_of


def create(request: Request, table: Table) -> Answer:
    """POST to a set."""
    with request.writing() as writer:
        draft = writer.read(table, request.call.json())
        _detect_duplicates(request, writer, draft)
        row = writer.create(draft)
    return _created(request, table, row)


def upsert(request: Request, table: Table, key: str) -> Answer:
    """PATCH of a row: update, or create when nothing forbids it."""
    call = request.call
    with request.writing() as writer:
        target = locate(writer.transaction, table, key)
        before = writer.transaction.get(table.name, target.id) if target.id is not None else None
        draft = writer.read(table, call.json())
        if before is None:
            if call.if_match is not None:
                raise missing(target)
            _detect_duplicates(request, writer, draft)
            row = writer.create(_with_key(draft, target), target.id)
        else:
            check_match(call.if_match, before, table)
            _detect_duplicates(request, writer, draft, before)
            if call.if_none_match == "*":
                raise already_exists()
            for name in target.values:
                draft.values.pop(name, None)
            row = writer.update(draft, before[table.id_column])
    if request.preferences.representation:
        return _represented(request, table, row, 201 if before is None else 200)
    url = request.entity_url(table, key if target.key is not None else row[table.id_column])
    entity = request.entity_url(table, row[table.id_column])
    headers = {"OData-EntityId": url, "OData-Version": "4.0"}
    if before is None:
        headers["Location"] = url
    return Answer(204, headers, entity=entity)


def delete(request: Request, table: Table, key: str) -> Answer:
    """DELETE of a row."""
    with request.writing() as writer:
        target = locate(writer.transaction, table, key)
        before = writer.transaction.get(table.name, target.id) if target.id is not None else None
        if before is None or target.id is None:
            raise missing(target)
        check_match(request.call.if_match, before, table)
        writer.delete(table, target.id)
    return Answer(204)


def put_property(request: Request, table: Table, key: str, name: str) -> Answer:
    """PUT of one column: a body of `{"value": ...}`."""
    body = request.call.json()
    if "value" not in body:
        raise bad_payload("The body of a property update must have a value.")
    return _set_property(request, table, key, name, body["value"])


def delete_property(request: Request, table: Table, key: str, name: str) -> Answer:
    """DELETE of one column's value."""
    return _set_property(request, table, key, name, None)


def check_match(if_match: str | None, before: Row, table: Table) -> None:
    """Refusal 412 when the caller decided on another version of the row."""
    if if_match is None or if_match == "*":
        return
    if if_match != etag_of(before):
        raise version_mismatch(table.name)


def _set_property(request: Request, table: Table, key: str, name: str, value: Any) -> Answer:
    column = table.columns.get(name)
    if column is None:
        raise unknown_property_in_query(table.name, name)
    if column.kind is Kind.LOOKUP or column.read_only:
        raise bad_payload(f"The property '{name}' cannot be set by its own address.")
    with request.writing() as writer:
        target = locate(writer.transaction, table, key)
        before = writer.transaction.get(table.name, target.id) if target.id is not None else None
        if before is None or target.id is None:
            raise missing(target)
        check_match(request.call.if_match, before, table)
        writer.update(Draft(table, {name: stored(column, value, table.name)}), target.id)
    return Answer(204, {"OData-EntityId": request.entity_url(table, target.id)})


def _with_key(draft: Draft, target: Target) -> Draft:
    """Columns of the address fill the gaps of the body; the body wins where both speak."""
    for name, value in target.values.items():
        if draft.values.get(name) is None:
            draft.values[name] = value
    return draft


def _created(request: Request, table: Table, row: Row) -> Answer:
    if request.preferences.representation:
        return _represented(request, table, row, 201)
    url = request.entity_url(table, row[table.id_column])
    return Answer(204, {"Location": url, "OData-EntityId": url, "OData-Version": "4.0"}, entity=url)


def _represented(request: Request, table: Table, row: Row, status: int) -> Answer:
    document = render(request, table, row, read_options(request.call.query))
    answer = json_answer(
        status, document, {"ETag": etag_of(row), "Preference-Applied": "return=representation"}
    )
    answer.entity = request.entity_url(table, row[table.id_column])
    return answer


def _detect_duplicates(request: Request, writer: Writer, draft: Draft, before: Row | None = None) -> None:
    # The header says "suppress": only an explicit false switches detection on.
    if request.call.headers.get("mscrm.suppressduplicatedetection", "").lower() == "false":
        refuse_duplicate(writer.transaction, draft, before)
