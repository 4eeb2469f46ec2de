"""Definitions as the Web API shows them."""

from collections.abc import Iterable
from typing import Any

from local.dataverse.schema.catalog import Catalog, choice_id, metadata_id
from local.dataverse.schema.choice import GlobalChoice
from local.dataverse.schema.column import TEXT, Column, Kind
from local.dataverse.schema.relationships import ManyToMany
from local.dataverse.schema.table import AlternateKey, Table

Document = dict[str, Any]

NAMESPACE = "#Microsoft.Dynamics.CRM."
LANGUAGE = 1033
# kind -> AttributeType, AttributeTypeName, and the metadata class before "AttributeMetadata".
TYPES: dict[Kind, tuple[str, str, str]] = {
    Kind.STRING: ("String", "StringType", "String"),
    Kind.MEMO: ("Memo", "MemoType", "Memo"),
    Kind.INTEGER: ("Integer", "IntegerType", "Integer"),
    Kind.BIGINT: ("BigInt", "BigIntType", "BigInt"),
    Kind.DECIMAL: ("Decimal", "DecimalType", "Decimal"),
    Kind.DOUBLE: ("Double", "DoubleType", "Double"),
    Kind.MONEY: ("Money", "MoneyType", "Money"),
    Kind.BOOLEAN: ("Boolean", "BooleanType", "Boolean"),
    Kind.CHOICE: ("Picklist", "PicklistType", "Picklist"),
    Kind.CHOICES: ("Virtual", "MultiSelectPicklistType", "MultiSelectPicklist"),
    Kind.STATE: ("State", "StateType", "State"),
    Kind.STATUS: ("Status", "StatusType", "Status"),
    Kind.DATETIME: ("DateTime", "DateTimeType", "DateTime"),
    Kind.DATE: ("DateTime", "DateTimeType", "DateTime"),
    Kind.LOOKUP: ("Lookup", "LookupType", "Lookup"),
    Kind.GUID: ("Uniqueidentifier", "UniqueidentifierType", "UniqueIdentifier"),
    Kind.PARTIES: ("PartyList", "PartyListType", "Lookup"),
    Kind.IMAGE: ("Virtual", "ImageType", "Image"),
    Kind.FILE: ("Virtual", "FileType", "File"),
}
_REQUIRED = {"system": "SystemRequired", "application": "ApplicationRequired", "recommended": "Recommended"}


def label(text: str) -> Document:
    """A label in the organisation's one language."""
    localised = {"Label": text, "LanguageCode": LANGUAGE, "IsManaged": True, "MetadataId": None}
    return {"LocalizedLabels": [localised], "UserLocalizedLabel": localised}


def managed(value: object) -> Document:
    """A property that says whether it may be changed."""
    return {"Value": value, "CanBeChanged": True}


def table_document(table: Table) -> Document:
    """EntityMetadata."""
    owned = "ownerid" in table.columns
    return {
        "MetadataId": table.id,
        "LogicalName": table.name,
        "SchemaName": table.schema_name,
        "EntitySetName": table.set_name,
        "LogicalCollectionName": table.set_name,
        "CollectionSchemaName": table.schema_name + "s",
        "PrimaryIdAttribute": table.id_column,
        "PrimaryNameAttribute": table.name_column,
        "ObjectTypeCode": int(table.id[:4], 16) + 10_000 if table.custom else int(table.id[:3], 16),
        "OwnershipType": "UserOwned" if owned else "OrganizationOwned",
        "TableType": "Standard",
        "IsActivity": table.is_activity,
        "IsCustomEntity": table.custom,
        "IsManaged": False,
        "IsPrivate": False,
        "IsIntersect": False,
        "IsLogicalEntity": False,
        "IsOptimisticConcurrencyEnabled": True,
        "ChangeTrackingEnabled": True,
        "CanChangeTrackingBeEnabled": managed(value=True),
        "IsCustomizable": managed(value=True),
        "DisplayName": label(table.label),
        "DisplayCollectionName": label(table.label + "s"),
        "Description": label(table.label),
    }


def column_document(table: Table, column: Column) -> Document:
    """AttributeMetadata of the column's own class, with its choices under OptionSet."""
    kind, type_name, class_name = TYPES[column.kind]
    if column.name == "ownerid":
        kind, type_name = "Owner", "OwnerType"
    elif column.name in {"customerid", "parentcustomerid"}:
        kind, type_name = "Customer", "CustomerType"
    document: Document = {
        "@odata.type": f"{NAMESPACE}{class_name}AttributeMetadata",
        "MetadataId": column_id(table, column.name),
        "LogicalName": column.name,
        "SchemaName": column.schema_name or column.name,
        "EntityLogicalName": table.name,
        "AttributeType": kind,
        "AttributeTypeName": {"Value": type_name},
        "AttributeOf": None,
        "DisplayName": label(column.label or column.name),
        "Description": label(column.label or column.name),
        "IsPrimaryId": column.name == table.id_column,
        "IsPrimaryName": column.name == table.name_column,
        "IsCustomAttribute": column.custom,
        "IsValidForRead": True,
        "IsValidForCreate": not column.read_only,
        "IsValidForUpdate": not column.read_only and column.name != table.id_column,
        "IsLogical": False,
        "RequiredLevel": managed(_REQUIRED.get(column.required, "None")),
    }
    return document | _limits(column) | _choices(table, column)


def _limits(column: Column) -> Document:
    if column.kind in TEXT:
        return {
            "MaxLength": column.max_length,
            "Format": "Text" if column.kind is Kind.STRING else "TextArea",
            "FormatName": {"Value": "Text" if column.kind is Kind.STRING else "TextArea"},
        }
    if column.kind is Kind.INTEGER:
        low = column.minimum if column.minimum is not None else -(2**31)
        high = column.maximum if column.maximum is not None else 2**31 - 1
        return {"MinValue": low, "MaxValue": high, "Format": "None"}
    if column.kind in {Kind.DECIMAL, Kind.DOUBLE, Kind.MONEY}:
        return {"MinValue": column.minimum, "MaxValue": column.maximum, "Precision": column.precision}
    if column.kind in {Kind.DATETIME, Kind.DATE}:
        only = column.kind is Kind.DATE
        return {
            "Format": "DateOnly" if only else "DateAndTime",
            "DateTimeBehavior": {"Value": "DateOnly" if only else "UserLocal"},
        }
    if column.kind is Kind.LOOKUP:
        return {"Targets": list(column.targets)}
    return {}


def _choices(table: Table, column: Column) -> Document:
    if column.kind is Kind.BOOLEAN:
        return {
            "DefaultValue": False,
            "OptionSet": {
                "MetadataId": metadata_id("options", table.name, column.name),
                "Name": f"{table.name}_{column.name}",
                "IsGlobal": False,
                "OptionSetType": "Boolean",
                "TrueOption": _option(1, "Yes"),
                "FalseOption": _option(0, "No"),
            },
        }
    if column.kind not in {Kind.CHOICE, Kind.CHOICES, Kind.STATE, Kind.STATUS}:
        return {}
    options = []
    for value, text in column.options.items():
        option = _option(value, text)
        if column.kind is Kind.STATUS:
            option["State"] = column.state_of[value]
        if column.kind is Kind.STATE and "statuscode" in table.columns:
            option["DefaultStatus"] = table.columns["statuscode"].default_status(value)
            option["InvariantName"] = text
        options.append(option)
    kind = column.kind.capitalize() if column.kind in {Kind.STATE, Kind.STATUS} else "Picklist"
    shared = bool(column.choice)
    option_set = {
        "MetadataId": choice_id(column.choice) if shared else metadata_id("options", table.name, column.name),
        "Name": column.choice or f"{table.name}_{column.name}",
        "IsGlobal": shared,
        "OptionSetType": kind,
        "Options": options,
    }
    # Clients look at either: the shared options stand under both names.
    return {
        "DefaultFormValue": -1,
        "OptionSet": option_set,
        "GlobalOptionSet": option_set if shared else None,
    }


def _option(value: int, text: str) -> Document:
    return {"Value": value, "Label": label(text), "Description": label(""), "Color": None, "IsManaged": False}


def choice_document(choice: GlobalChoice) -> Document:
    """OptionSetMetadata of a global choice."""
    return {
        "@odata.type": f"{NAMESPACE}OptionSetMetadata",
        "MetadataId": choice.id,
        "Name": choice.name,
        "IsGlobal": True,
        "IsCustomOptionSet": choice.custom,
        "IsManaged": False,
        "OptionSetType": "Picklist",
        "DisplayName": label(choice.label),
        "Description": label(""),
        "Options": [_option(value, text) for value, text in choice.options.items()],
    }


def key_document(table: Table, key: AlternateKey) -> Document:
    """EntityKeyMetadata."""
    return {
        "MetadataId": key_id(table, key.name),
        "LogicalName": key.name.lower(),
        "SchemaName": key.name,
        "EntityLogicalName": table.name,
        "KeyAttributes": list(key.columns),
        "EntityKeyIndexStatus": key.status,
        "DisplayName": label(key.name),
        "IsManaged": False,
    }


def one_to_many_documents(catalog: Catalog) -> Iterable[Document]:
    """OneToManyRelationshipMetadata of every lookup."""
    for table in catalog.tables.values():
        for column in table.lookups():
            for target, navigation in column.targets.items():
                if target in catalog.tables:
                    yield one_to_many_document(catalog, table, column, target, navigation)


def one_to_many_document(
    catalog: Catalog, table: Table, column: Column, target: str, navigation: str
) -> Document:
    """OneToManyRelationshipMetadata of a lookup and one of its targets."""
    collection = catalog.collection(table.name, column.name, target)
    return {
        "@odata.type": f"{NAMESPACE}OneToManyRelationshipMetadata",
        "MetadataId": metadata_id("relationship", table.name, column.name, target),
        "SchemaName": collection,
        "RelationshipType": "OneToManyRelationship",
        "ReferencedEntity": target,
        "ReferencedAttribute": catalog.tables[target].id_column,
        "ReferencingEntity": table.name,
        "ReferencingAttribute": column.name,
        "ReferencedEntityNavigationPropertyName": collection,
        "ReferencingEntityNavigationPropertyName": navigation,
        "IsCustomRelationship": column.custom,
        "IsManaged": False,
        "CascadeConfiguration": dict.fromkeys(
            ("Assign", "Merge", "Reparent", "Share", "Unshare"), "NoCascade"
        )
        | {"Delete": "RemoveLink"},
    }


def many_to_many_document(pair: ManyToMany) -> Document:
    """ManyToManyRelationshipMetadata."""
    return {
        "@odata.type": f"{NAMESPACE}ManyToManyRelationshipMetadata",
        "MetadataId": metadata_id("relationship", pair.name),
        "SchemaName": pair.name,
        "RelationshipType": "ManyToManyRelationship",
        "IntersectEntityName": pair.intersect,
        "Entity1LogicalName": pair.first,
        "Entity2LogicalName": pair.second,
        "Entity1IntersectAttribute": f"{pair.first}id",
        "Entity2IntersectAttribute": f"{pair.second}id",
        "Entity1NavigationPropertyName": pair.first_navigation,
        "Entity2NavigationPropertyName": pair.second_navigation,
        "IsManaged": False,
    }


def column_id(table: Table, column: str) -> str:
    """The metadata id of a column."""
    return metadata_id("column", table.name, column)


def key_id(table: Table, key: str) -> str:
    """The metadata id of an alternate key."""
    return metadata_id("key", table.name, key)
