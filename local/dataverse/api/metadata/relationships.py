"""Creating and deleting relationships between tables."""

from dataclasses import asdict
from typing import Any

from local.dataverse.api.metadata.answers import change, created
from local.dataverse.api.metadata.documents import Document
from local.dataverse.api.metadata.posted import posted_label
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer
from local.dataverse.errors import Refusal, bad_payload, shaped
from local.dataverse.schema.catalog import metadata_id
from local.dataverse.schema.relationships import ManyToMany


@shaped("The relationship")
def create_relationship(request: Request, body: dict[str, Any]) -> Answer:
    """POST of OneToManyRelationshipMetadata (with its Lookup) or ManyToManyRelationshipMetadata."""
    kind = str(body.get("@odata.type", "")).rpartition(".")[2]
    if kind == "OneToManyRelationshipMetadata":
        relationship_id = _one_to_many(request, body)
    elif kind == "ManyToManyRelationshipMetadata":
        relationship_id = _many_to_many(request, body)
    else:
        raise bad_payload("A relationship needs the @odata.type of one-to-many or many-to-many.")
    return created(request, f"RelationshipDefinitions({relationship_id})")


def delete_relationship(request: Request, document: Document) -> Answer:
    """DELETE: a one-to-many relationship goes with its lookup column."""
    catalog = request.organisation.catalog
    if document["RelationshipType"] == "ManyToManyRelationship":
        change(request, "drop pair", document["SchemaName"], {})
        return Answer(204)
    table, column = document["ReferencingEntity"], document["ReferencingAttribute"]
    if not catalog.tables[table].columns[column].custom:
        raise Refusal(400, "0x80047007", f"The relationship {document['SchemaName']} is part of the system.")
    change(request, "drop column", table, {"name": column})
    return Answer(204)


def _one_to_many(request: Request, body: dict[str, Any]) -> str:
    catalog = request.organisation.catalog
    lookup = body.get("Lookup") or {}
    schema_name, name = lookup.get("SchemaName"), body.get("SchemaName")
    referenced, referencing = str(body.get("ReferencedEntity")), str(body.get("ReferencingEntity"))
    if not isinstance(schema_name, str) or not isinstance(name, str):
        raise bad_payload("A one-to-many relationship needs a SchemaName and a Lookup with one.")
    if referenced not in catalog.tables or referencing not in catalog.tables:
        raise bad_payload("A relationship names a table that does not exist.")
    column = schema_name.lower()
    if column in catalog.tables[referencing].columns:
        raise Refusal(400, "0x80044153", f"A column with the name {column} already exists on {referencing}.")
    spec = {
        "name": column,
        "type": "lookup",
        "schema": schema_name,
        "label": posted_label(lookup.get("DisplayName"), schema_name),
        # Navigation properties of custom lookups keep the case of the schema name.
        "targets": {referenced: body.get("ReferencingEntityNavigationPropertyName") or schema_name},
    }
    change(request, "column", referencing, spec)
    change(request, "relationship", name, {"table": referencing, "column": column, "target": referenced})
    return metadata_id("relationship", referencing, column, referenced)


def _many_to_many(request: Request, body: dict[str, Any]) -> str:
    catalog = request.organisation.catalog
    name = body.get("SchemaName")
    first, second = str(body.get("Entity1LogicalName")), str(body.get("Entity2LogicalName"))
    if not isinstance(name, str) or first not in catalog.tables or second not in catalog.tables:
        raise bad_payload("A many-to-many relationship needs a SchemaName and two existing tables.")
    if name in catalog.many_to_many:
        raise Refusal(400, "0x80044153", f"A relationship with the name {name} already exists.")
    pair = ManyToMany(
        name,
        str(body.get("IntersectEntityName") or name).lower(),
        first,
        second,
        body.get("Entity1NavigationPropertyName") or name,
        body.get("Entity2NavigationPropertyName") or name,
    )
    change(request, "pair", name, asdict(pair))
    return metadata_id("relationship", name)
