"""EntityDefinitions, RelationshipDefinitions and the actions around them."""

from collections.abc import Iterable
from typing import Any

from local.dataverse.api.metadata import definitions
from local.dataverse.api.metadata.answers import change, created, listed, single, wrong_method
from local.dataverse.api.metadata.documents import (
    column_document,
    column_id,
    key_document,
    key_id,
)
from local.dataverse.api.metadata.posted import column_spec, table_spec
from local.dataverse.api.metadata.relationships import create_relationship, delete_relationship
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import Refusal, bad_payload
from local.dataverse.odata.address import Segment, bare_guid, key_parts, unquoted
from local.dataverse.schema.table import Table


def entity_definitions(request: Request, segments: list[Segment]) -> Answer:
    """Everything below EntityDefinitions."""
    catalog = request.organisation.catalog
    first, rest = segments[0], segments[1:]
    if first.key is None:
        if request.call.method == "POST":
            return _create_tables(request, [request.call.json()], alone=True)
        documents = [definitions.full_table(catalog, table) for table in catalog.tables.values()]
        return listed(request, "EntityDefinitions", documents)
    table = definitions.find_table(catalog, first.key)
    if rest:
        return _below(request, table, rest)
    match request.call.method:
        case "GET":
            return single(request, "EntityDefinitions", definitions.full_table(catalog, table))
        case "PUT":
            return Answer(204)
        case "DELETE":
            return _delete_table(request, table)
    raise wrong_method(request)


def _below(request: Request, table: Table, rest: list[Segment]) -> Answer:
    catalog = request.organisation.catalog
    match rest[0].name:
        case "Attributes":
            return _attributes(request, table, rest)
        case "Keys":
            return _keys(request, table, rest[0])
        case "OneToManyRelationships":
            documents = definitions.one_to_many(catalog, referenced=table.name)
        case "ManyToOneRelationships":
            documents = definitions.one_to_many(catalog, referencing=table.name)
        case "ManyToManyRelationships":
            documents = definitions.many_to_many(catalog, table.name)
        case name:
            value = definitions.full_table(catalog, table).get(name)
            if value is None:
                raise definitions.not_found(name)
            return json_answer(200, {"@odata.context": f"{request.call.root}$metadata", "value": value})
    return listed(request, rest[0].name, documents)


def _attributes(request: Request, table: Table, rest: list[Segment]) -> Answer:
    first, method = rest[0], request.call.method
    cast = rest[-1].name if rest[-1].name.startswith("Microsoft.Dynamics.CRM.") else ""
    # The key may stand behind the collection or behind the cast.
    key = first.key or (rest[-1].key if cast else None)
    if key is None:
        if method == "POST":
            return _put_column(request, table, request.call.json())
        return listed(request, "Attributes", definitions.columns(table, cast))
    column = definitions.find_column(table, key)
    match method:
        case "GET":
            document = column_document(table, column)
            if len(rest) > 1 and rest[1].name in {"OptionSet", "GlobalOptionSet"}:
                return single(request, "OptionSet", document.get(rest[1].name) or {})
            return single(request, "Attributes", document)
        case "PUT":
            body = {"SchemaName": column.schema_name or column.name, **request.call.json()}
            return _put_column(request, table, body, before=column.name)
        case "DELETE":
            if not column.custom:
                raise Refusal(400, "0x80047007", f"The column {column.name} is part of the system.")
            change(request, "drop column", table.name, {"name": column.name})
            return Answer(204)
    raise wrong_method(request)


def _put_column(request: Request, table: Table, body: dict[str, Any], before: str | None = None) -> Answer:
    spec = column_spec(body, request.organisation.catalog.choices)
    if before is None and spec["name"] in table.columns:
        raise Refusal(
            400, "0x80044153", f"An attribute with the name {spec['name']} already exists on {table.name}."
        )
    if before is not None:
        known = table.columns[before]
        spec["name"] = before
        if known.choice:
            spec["choice"] = known.choice
        elif not spec.get("options"):
            spec["options"] = [{"value": value, "label": text} for value, text in known.options.items()]
        spec.setdefault("max_length", known.max_length)
        spec["custom"] = known.custom
    change(request, "column", table.name, spec)
    return created(request, f"{_addressed(request)}/Attributes({column_id(table, spec['name'])})")


def _keys(request: Request, table: Table, segment: Segment) -> Answer:
    method = request.call.method
    if segment.key is not None:
        key = definitions.find_key(table, segment.key)
        if method == "DELETE":
            request.organisation.store.forget_index(table.name, key.name)
            change(request, "drop key", table.name, {"name": key.name})
            return Answer(204)
        return single(request, "Keys", key_document(table, key))
    if method == "GET":
        return listed(request, "Keys", [key_document(table, key) for key in table.keys.values()])
    body = request.call.json()
    name, columns = body.get("SchemaName"), body.get("KeyAttributes")
    if not isinstance(name, str) or not isinstance(columns, list) or not columns:
        raise bad_payload("A key needs a SchemaName and KeyAttributes.")
    change(request, "key", table.name, {"name": name, "columns": columns})
    return created(request, f"{_addressed(request)}/Keys({key_id(table, name)})")


def _addressed(request: Request) -> str:
    """The table as the caller named it: what is made below it gets an address in the same form."""
    return request.call.path.partition("/")[0]


def create_entities(request: Request, _segment: Segment) -> Answer:
    """The action CreateEntities: tables with all their columns at once."""
    return _create_tables(request, request.call.objects("Entities"), alone=False)


def _create_tables(request: Request, bodies: Iterable[dict[str, Any]], *, alone: bool) -> Answer:
    catalog = request.organisation.catalog
    made = []
    for body in bodies:
        spec = table_spec(body, catalog.choices)
        if spec["table"] in catalog.tables:
            raise Refusal(400, "0x80044153", f"An entity with the name {spec['table']} already exists.")
        change(request, "table", spec["table"], spec)
        made.append(catalog.tables[spec["table"]].id)
    if alone:
        return created(request, f"EntityDefinitions({made[0]})")
    context = f"{request.call.root}$metadata#Microsoft.Dynamics.CRM.CreateEntitiesResponse"
    return json_answer(200, {"@odata.context": context, "EntityIds": made})


def _delete_table(request: Request, table: Table) -> Answer:
    if not table.custom:
        raise Refusal(400, "0x80047007", f"The table {table.name} is part of the system.")
    with request.writing() as writer:
        for row in list(writer.transaction.rows(table.name)):
            writer.delete(table, row[table.id_column])
    change(request, "drop table", table.name, {})
    return Answer(204)


def relationship_definitions(request: Request, segments: list[Segment]) -> Answer:
    """Everything below RelationshipDefinitions."""
    catalog = request.organisation.catalog
    first = segments[0]
    cast = segments[1].name if len(segments) > 1 else ""
    documents = [*definitions.one_to_many(catalog), *definitions.many_to_many(catalog)]
    if cast:
        documents = [item for item in documents if item["@odata.type"] == f"#{cast}"]
    if first.key is None:
        if request.call.method == "POST":
            return create_relationship(request, request.call.json())
        return listed(request, "RelationshipDefinitions", documents)
    wanted = bare_guid(first.key) or unquoted(key_parts(first.key).get("SchemaName", "''"))
    found = next((item for item in documents if wanted in {item["MetadataId"], item["SchemaName"]}), None)
    if found is None:
        raise definitions.not_found(f"a relationship with name or id {wanted}")
    if request.call.method == "DELETE":
        return delete_relationship(request, found)
    return single(request, "RelationshipDefinitions", found)
