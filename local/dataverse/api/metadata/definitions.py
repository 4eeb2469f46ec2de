"""The documents a metadata address means, found in the catalog."""

from collections.abc import Callable
from typing import Any

from local.dataverse.api.metadata.documents import (
    NAMESPACE,
    Document,
    column_document,
    column_id,
    key_document,
    key_id,
    many_to_many_document,
    one_to_many_documents,
    table_document,
)
from local.dataverse.errors import Refusal
from local.dataverse.odata.address import bare_guid, key_parts, unquoted
from local.dataverse.schema.catalog import Catalog
from local.dataverse.schema.column import Column
from local.dataverse.schema.table import AlternateKey, Table


def not_found(what: str) -> Refusal:
    """A definition that does not exist."""
    return Refusal(404, "0x80060888", f"Could not find {what}.")


def full_table(catalog: Catalog, table: Table) -> Document:
    """A table with everything that can be expanded; the expensive parts are made when asked for."""
    lazily: dict[str, Callable[[], Any]] = {
        "Attributes": lambda: [column_document(table, column) for column in table.columns.values()],
        "Keys": lambda: [key_document(table, key) for key in table.keys.values()],
        "OneToManyRelationships": lambda: one_to_many(catalog, referenced=table.name),
        "ManyToOneRelationships": lambda: one_to_many(catalog, referencing=table.name),
        "ManyToManyRelationships": lambda: many_to_many(catalog, table.name),
    }
    return table_document(table) | lazily


def find_table(catalog: Catalog, key: str) -> Table:
    """The table of `LogicalName='x'` or of a metadata id; Refusal 404."""
    guid = bare_guid(key)
    for table in catalog.tables.values():
        if table.id == guid:
            return table
    name = None if guid is not None else unquoted(key_parts(key).get("LogicalName", "''"))
    if name not in catalog.tables:
        raise not_found(f"an entity with name or id {name or guid}")
    return catalog.tables[name]


def find_column(table: Table, key: str) -> Column:
    """The column of `LogicalName='x'` or of a metadata id; Refusal 404."""
    guid = bare_guid(key)
    for column in table.columns.values():
        if guid is not None and column_id(table, column.name) == guid:
            return column
    name = None if guid is not None else unquoted(key_parts(key).get("LogicalName", "''"))
    if name not in table.columns:
        raise not_found(f"an attribute with name or id {name or guid} on {table.name}")
    return table.columns[name]


def find_key(table: Table, key: str) -> AlternateKey:
    """The alternate key of a name or a metadata id; Refusal 404."""
    guid = bare_guid(key)
    name = None if guid is not None else unquoted(key_parts(key).get("LogicalName", "''"))
    for known in table.keys.values():
        if key_id(table, known.name) == guid or known.name.lower() == (name or "").lower():
            return known
    raise not_found(f"a key with name or id {name or guid} on {table.name}")


def columns(table: Table, cast: str) -> list[Document]:
    """The columns of a table, all or those of one metadata class."""
    documents = [column_document(table, column) for column in table.columns.values()]
    if not cast:
        return documents
    wanted = f"{NAMESPACE}{cast.rpartition('.')[2]}"
    if wanted == f"{NAMESPACE}EnumAttributeMetadata":
        return [document for document in documents if "OptionSet" in document]
    return [document for document in documents if document["@odata.type"] == wanted]


def one_to_many(catalog: Catalog, referenced: str = "", referencing: str = "") -> list[Document]:
    """The one-to-many relationships, of one table when it is named."""
    return [
        document
        for document in one_to_many_documents(catalog)
        if (not referenced or document["ReferencedEntity"] == referenced)
        and (not referencing or document["ReferencingEntity"] == referencing)
    ]


def many_to_many(catalog: Catalog, table: str = "") -> list[Document]:
    """The many-to-many relationships, of one table when it is named."""
    return [
        many_to_many_document(pair)
        for pair in catalog.many_to_many.values()
        if not table or table in {pair.first, pair.second}
    ]
