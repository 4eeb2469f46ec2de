"""CreateMultiple, UpdateMultiple, UpsertMultiple: many rows of one table in one transaction."""

from typing import Any

from local.dataverse.api.read_ahead import read_ahead
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import Refusal, bad_payload, not_supported
from local.dataverse.odata.address import parse_path, relative
from local.dataverse.rows.payload import Draft
from local.dataverse.rows.references import Target, locate, missing
from local.dataverse.rows.writer import Writer
from local.dataverse.schema.table import Table


def create_multiple(request: Request, table: Table) -> Answer:
    """New rows; their ids in the order of the targets."""
    with request.writing() as writer:
        targets = _targets(request, table)
        read_ahead(writer.transaction, table, targets)
        ids = [writer.create(writer.read(table, body))[table.id_column] for body in targets]
    name = "Microsoft.Dynamics.CRM.CreateMultipleResponse"
    return json_answer(200, {"@odata.context": f"{request.call.root}$metadata#{name}", "Ids": ids})


def update_multiple(request: Request, table: Table) -> Answer:
    """Existing rows; of several targets for one row the first counts, the service ignores the rest."""
    with request.writing() as writer:
        seen: set[str] = set()
        targets = _targets(request, table)
        read_ahead(writer.transaction, table, targets)
        for body in targets:
            target = _target(writer, table, body)
            if target.id is None:
                raise missing(target)
            if target.id in seen:
                continue
            seen.add(target.id)
            writer.update(_draft(writer, target, body, exists=True), target.id)
    return Answer(204)


def upsert_multiple(request: Request, table: Table) -> Answer:
    """Rows by id or key, created where missing; two targets for one row refuse the whole request."""
    with request.writing() as writer:
        seen: set[str] = set()
        targets = _targets(request, table)
        read_ahead(writer.transaction, table, targets)
        for body in targets:
            target = _target(writer, table, body)
            exists = target.id is not None and writer.transaction.get(table.name, target.id) is not None
            draft = _draft(writer, target, body, exists=exists)
            if target.id is not None and exists:
                row = writer.update(draft, target.id)
            else:
                row = writer.create(draft, target.id)
            if row[table.id_column] in seen:
                raise Refusal(412, "0x80040237", "Cannot insert duplicate key: a row is targeted twice.")
            seen.add(row[table.id_column])
    return Answer(204)


def delete_multiple(request: Request, table: Table) -> Answer:
    """Elastic tables have it, these do not."""
    _ = request
    raise not_supported(f"DeleteMultiple has not yet been implemented. Table {table.name}: it")


def _targets(request: Request, table: Table) -> list[dict[str, Any]]:
    targets = request.call.objects("Targets")
    if not targets:
        raise bad_payload("Targets cannot be empty.")
    for target in targets:
        kind = str(target.get("@odata.type", "")).lstrip("#")
        if kind != f"Microsoft.Dynamics.CRM.{table.name}":
            raise bad_payload(
                f"Every target needs the @odata.type Microsoft.Dynamics.CRM.{table.name}; one has '{kind}'."
            )
    return targets


def _target(writer: Writer, table: Table, body: dict[str, Any]) -> Target:
    url = body.get("@odata.id")
    if isinstance(url, str):
        segments = parse_path(relative(url))
        if len(segments) != 1 or segments[0].name != table.set_name or segments[0].key is None:
            raise bad_payload(f"The @odata.id of a target must be the address of a row of {table.set_name}.")
        return locate(writer.transaction, table, segments[0].key)
    row_id = body.get(table.id_column)
    if not isinstance(row_id, str):
        raise bad_payload(f"Every target needs {table.id_column} or an @odata.id.")
    return locate(writer.transaction, table, row_id)


def _draft(writer: Writer, target: Target, body: dict[str, Any], *, exists: bool) -> Draft:
    draft = writer.read(target.table, body)
    draft.values.pop(target.table.id_column, None)
    for name, value in target.values.items():
        if exists:
            draft.values.pop(name, None)
        elif draft.values.get(name) is None:
            draft.values[name] = value
    return draft
