"""RetrieveMetadataChanges: tables and columns in one answer, chosen by what they are called."""

import json
from dataclasses import dataclass
from typing import Any, Self

from local.dataverse.api.metadata import definitions
from local.dataverse.api.metadata.documents import Document
from local.dataverse.api.request import Request
from local.dataverse.calls import Answer, json_answer
from local.dataverse.errors import shaped
from local.dataverse.odata.address import Segment


def retrieve_metadata_changes(request: Request, _segment: Segment) -> Answer:
    """RetrieveMetadataChanges(Query=@p1): tables and columns by equality, with the named properties."""
    text = request.call.query.get("@p1") or request.call.query.get("@Query")
    with shaped("The Query of RetrieveMetadataChanges"):
        query = json.loads(text or "")
        tables, columns = _Asked.of(query), None
        if "AttributeQuery" in query:
            columns = _Asked.of(query["AttributeQuery"] or {})
    catalog = request.organisation.catalog
    entities = []
    for table in catalog.tables.values():
        document = definitions.full_table(catalog, table)
        if not tables.finds(document):
            continue
        entity = tables.shown(document)
        if columns is not None:
            found = (column for column in definitions.columns(table, "") if columns.finds(column))
            entity["Attributes"] = [columns.shown(column) for column in found]
        entities.append(entity)
    context = f"{request.call.root}$metadata#Microsoft.Dynamics.CRM.RetrieveMetadataChangesResponse"
    stamp = str(request.organisation.store.version)
    return json_answer(
        200, {"@odata.context": context, "ServerVersionStamp": stamp, "EntityMetadata": entities}
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which documents a query finds, by properties that equal a value or do not, and what it shows of them.

    `names` None is everything.
    """

    conditions: tuple[tuple[str, str, bool], ...]
    names: frozenset[str] | None

    @classmethod
    def of(cls, query: dict[str, Any]) -> Self:
        """What a query says."""
        conditions = []
        for condition in (query.get("Criteria") or {}).get("Conditions", []):
            value = condition.get("Value")
            value = value.get("Value") if isinstance(value, dict) else value
            equal = condition.get("ConditionOperator", "Equals") == "Equals"
            conditions.append((condition["PropertyName"], str(value).lower(), equal))
        properties = query.get("Properties") or {}
        names = properties.get("PropertyNames") or []
        everything = not names or properties.get("AllProperties") is True
        return cls(
            tuple(conditions), None if everything else frozenset({"@odata.type", "MetadataId", *names})
        )

    def finds(self, document: Document) -> bool:
        return all(
            (str(document.get(name)).lower() == value) is equal for name, value, equal in self.conditions
        )

    def shown(self, document: Document) -> Document:
        return {
            name: value
            for name, value in document.items()
            if not callable(value) and (self.names is None or name in self.names)
        }
