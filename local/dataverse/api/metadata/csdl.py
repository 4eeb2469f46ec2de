"""$metadata: the service described in XML, as far as clients read it: types, keys, properties, sets."""

from xml.sax.saxutils import quoteattr

from local.dataverse.api.request import Request
from local.dataverse.calls import Answer
from local.dataverse.rows.values import edm_type
from local.dataverse.schema.catalog import Catalog
from local.dataverse.schema.column import DETACHED, Kind
from local.dataverse.schema.table import Table

_OPEN = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
    '<Schema Namespace="Microsoft.Dynamics.CRM" Alias="mscrm" '
    'xmlns="http://docs.oasis-open.org/odata/ns/edm">'
)
_CLOSE = "</Schema></edmx:DataServices></edmx:Edmx>"


def metadata_document(request: Request) -> Answer:
    """The whole document."""
    catalog = request.organisation.catalog
    types = "".join(_entity_type(catalog, table) for table in catalog.tables.values())
    sets = "".join(
        f"<EntitySet Name={quoteattr(table.set_name)} EntityType={quoteattr(f'mscrm.{table.name}')} />"
        for table in catalog.tables.values()
    )
    body = f'{_OPEN}{types}<EntityContainer Name="System">{sets}</EntityContainer>{_CLOSE}'
    return Answer(200, {"Content-Type": "application/xml"}, body.encode())


def _entity_type(catalog: Catalog, table: Table) -> str:
    lines = [
        f"<EntityType Name={quoteattr(table.name)}>",
        f"<Key><PropertyRef Name={quoteattr(table.id_column)} /></Key>",
    ]
    for column in table.columns.values():
        if column.kind in DETACHED:
            continue
        kind = "Edm.Guid" if column.kind is Kind.LOOKUP else edm_type(column)
        lines.append(f"<Property Name={quoteattr(column.property_name)} Type={quoteattr(kind)} />")
    for name, bound in table.bindings.items():
        target = f"mscrm.{bound.targets[0]}" if len(bound.targets) == 1 else "mscrm.principal"
        lines.append(f"<NavigationProperty Name={quoteattr(name)} Type={quoteattr(target)} />")
    for name, collection in catalog.collections(table.name).items():
        kind = f"Collection(mscrm.{collection.table})"
        lines.append(f"<NavigationProperty Name={quoteattr(name)} Type={quoteattr(kind)} />")
    return "".join([*lines, "</EntityType>"])
