"""Which operation answers a method and a path."""

from collections.abc import Callable, Mapping

from local.dataverse.api import bulk, reads, relations, tracking, uploads, writes
from local.dataverse.api.actions import duplicates, lists, merging, quotes, sales, service
from local.dataverse.api.actions.bulk_delete import bulk_delete
from local.dataverse.api.batch import run_batch
from local.dataverse.api.metadata import choices
from local.dataverse.api.metadata import resource as definitions
from local.dataverse.api.metadata.csdl import metadata_document
from local.dataverse.api.metadata.retrieve_changes import retrieve_metadata_changes
from local.dataverse.api.request import Request
from local.dataverse.api.whoami import who_am_i
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import Refusal, not_supported, unknown_segment
from local.dataverse.odata.address import Segment, parse_path
from local.dataverse.schema.column import Column
from local.dataverse.schema.table import Table

NAMESPACE = "Microsoft.Dynamics.CRM."

Unbound = Callable[[Request, Segment], Answer]
BoundToSet = Callable[[Request, Table], Answer]
BoundToRow = Callable[[Request, Table, str], Answer]

UNBOUND: Mapping[str, Unbound] = {
    "WhoAmI": who_am_i,
    "WinOpportunity": sales.win_opportunity,
    "LoseOpportunity": sales.lose_opportunity,
    "CloseIncident": service.close_incident,
    "WinQuote": quotes.win_quote,
    "CloseQuote": quotes.close_quote,
    "ReviseQuote": quotes.revise_quote,
    "Merge": merging.merge_rows,
    "AddListMembersList": lists.add_list_members,
    "BulkDelete": bulk_delete,
    "UnpublishDuplicateRule": duplicates.unpublish_rule,
    "CreateEntities": definitions.create_entities,
    "RetrieveMetadataChanges": retrieve_metadata_changes,
    "InsertOptionValue": choices.insert_option,
    "InsertStatusValue": choices.insert_status,
    "InitializeAnnotationBlocksUpload": uploads.begin_blocks,
    "UploadBlock": uploads.put_block,
    "CommitAnnotationBlocksUpload": uploads.commit_note,
}
RESOURCES: Mapping[str, Callable[[Request, list[Segment]], Answer]] = {
    "EntityDefinitions": definitions.entity_definitions,
    "RelationshipDefinitions": definitions.relationship_definitions,
    "GlobalOptionSetDefinitions": choices.global_choices,
}
ON_SET: Mapping[str, BoundToSet] = {
    "CreateMultiple": bulk.create_multiple,
    "UpdateMultiple": bulk.update_multiple,
    "UpsertMultiple": bulk.upsert_multiple,
    "DeleteMultiple": bulk.delete_multiple,
}
ON_ROW: Mapping[tuple[str, str], BoundToRow] = {
    ("POST", "QualifyLead"): sales.qualify_lead,
    ("POST", "AddItemCampaign"): lists.add_to_campaign,
    ("POST", "AddMemberList"): lists.add_member,
    ("POST", "RemoveMemberList"): lists.remove_member,
    ("POST", "PublishDuplicateRule"): duplicates.publish_rule,
}


def dispatch(request: Request) -> Answer:
    """The answer to one request; Refusal for everything the service would refuse."""
    segments = parse_path(request.call.path)
    if not segments:
        return _service_document(request)
    first, rest = segments[0], segments[1:]
    resource = RESOURCES.get(first.name)
    if resource is not None:
        return resource(request, segments)
    if first.name == "$metadata":
        return metadata_document(request)
    if first.name == "$batch" and request.call.method == "POST":
        return run_batch(request, dispatch)
    unbound = UNBOUND.get(first.name)
    if unbound is not None:
        return unbound(request, first)
    table = request.organisation.catalog.by_set(first.name)
    if table is None:
        raise unknown_segment(first.name)
    if first.key is None:
        return _on_set(request, table, rest)
    if not rest:
        return _on_row(request, table, first.key)
    return _below_row(request, table, first.key, rest)


def _on_set(request: Request, table: Table, rest: list[Segment]) -> Answer:
    method = request.call.method
    if not rest:
        if "sql" in request.call.query:
            raise not_supported("A SQL query")
        if {"fetchXml", "fetchxml"} & request.call.query.keys():
            raise not_supported("A FetchXML query")
        if method == "GET":
            return _list(request, table)
        if method == "POST":
            return writes.create(request, table)
        raise _wrong_method(method)
    name = rest[0].name
    if name == "$count" and method == "GET":
        tracked = "$deltatoken" in request.call.query
        return tracking.delta_count(request, table) if tracked else reads.count_rows(request, table)
    action = ON_SET.get(name.removeprefix(NAMESPACE))
    if action is not None and method == "POST":
        return action(request, table)
    raise unknown_segment(name)


def _list(request: Request, table: Table) -> Answer:
    if "$deltatoken" in request.call.query:
        return tracking.delta(request, table)
    if request.preferences.track_changes:
        return tracking.full(request, table)
    return reads.list_rows(request, table)


def _on_row(request: Request, table: Table, key: str) -> Answer:
    match request.call.method:
        case "GET":
            return reads.get_row(request, table, key)
        case "PATCH":
            return writes.upsert(request, table, key)
        case "DELETE":
            return writes.delete(request, table, key)
    raise _wrong_method(request.call.method)


def _below_row(request: Request, table: Table, key: str, rest: list[Segment]) -> Answer:
    method, name = request.call.method, rest[0].name
    operation = ON_ROW.get((method, name.removeprefix(NAMESPACE)))
    if operation is not None:
        return operation(request, table, key)
    column = uploads.file_column(table, name)
    if column is not None:
        return _file(request, table, key, column, rest)
    if method == "GET":
        return reads.get_below(request, table, key, rest)
    if rest[-1].name == "$ref" and len(rest) == 2:
        if method in {"POST", "PUT"}:
            return relations.associate(request, table, key, name)
        if method == "DELETE":
            return relations.disassociate(request, table, key, rest[0])
    if len(rest) == 1 and method == "PUT":
        if name in table.columns:
            return writes.put_property(request, table, key, name)
        return relations.replace_members(request, table, key, name)
    if len(rest) == 1 and method == "DELETE":
        return writes.delete_property(request, table, key, name)
    raise _wrong_method(method)


def _file(request: Request, table: Table, key: str, column: Column, rest: list[Segment]) -> Answer:
    match request.call.method:
        case "PATCH" | "PUT":
            return uploads.upload(request, table, key, column)
        case "GET":
            raw = [step.name for step in rest[1:]] == ["$value"]
            return uploads.download(request, table, key, column, raw=raw)
        case "DELETE":
            return uploads.remove(request, table, key, column)
    raise _wrong_method(request.call.method)


def _service_document(request: Request) -> Answer:
    sets = [
        {"name": table.set_name, "kind": "EntitySet", "url": table.set_name}
        for table in request.organisation.catalog.tables.values()
    ]
    return json_answer(200, {"@odata.context": f"{request.call.root}$metadata", "value": sets})


def _wrong_method(method: str) -> Refusal:
    return Refusal(405, "0x80060888", f"The requested resource does not support http method '{method}'.")
