"""What an organisation says of its own tables, read at run time: no two of them are alike."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shared.connectors.dataverse.operation import body_of
from shared.connectors.dataverse.refusal import answered, code_of, is_absent
from shared.connectors.web.client import WebClient
from shared.core.mapping.columns import Kind, Table
from shared.core.mapping.fit import Columns, Facts

_UNKNOWN = "0x80060888"
"""There is no table, or no column, of that name."""

_TYPES: Mapping[str, Kind] = {
    "String": Kind.TEXT,
    "Memo": Kind.MEMO,
    "Integer": Kind.INTEGER,
    "Decimal": Kind.DECIMAL,
    "Money": Kind.MONEY,
    "Boolean": Kind.BOOLEAN,
    "Picklist": Kind.CHOICE,
    "State": Kind.STATE,
    "Status": Kind.STATUS,
    "DateTime": Kind.DATETIME,
    "Lookup": Kind.LOOKUP,
    "Customer": Kind.LOOKUP,
    "Owner": Kind.LOOKUP,
}
_LIMITS: Mapping[Kind, tuple[str, str]] = {
    Kind.TEXT: ("StringAttributeMetadata", "MaxLength"),
    Kind.MEMO: ("MemoAttributeMetadata", "MaxLength"),
    Kind.INTEGER: ("IntegerAttributeMetadata", "MinValue,MaxValue"),
    Kind.DECIMAL: ("DecimalAttributeMetadata", "MinValue,MaxValue"),
    Kind.MONEY: ("MoneyAttributeMetadata", "MinValue,MaxValue"),
    Kind.CHOICE: ("PicklistAttributeMetadata", ""),
    Kind.STATE: ("StateAttributeMetadata", ""),
    Kind.STATUS: ("StatusAttributeMetadata", ""),
}
"""The kinds with limits: the type that tells them, and the properties that do (none: its options)."""


class DataverseMetadata:
    """`Metadata` over the Web API: one request per table, and one per kind of column that has limits."""

    def __init__(self, client: WebClient) -> None:
        self._client = client

    async def columns(self, table: Table) -> Columns | None:
        """The facts of the table's columns by name; None when there is no such table."""
        root = f"EntityDefinitions(LogicalName='{table.name}')/Attributes"
        plain = await self._list(root, {"$select": "LogicalName,AttributeType"})
        if plain is None:
            return None
        facts = {one["LogicalName"]: Facts(_TYPES.get(one["AttributeType"])) for one in plain}
        for kind in {column.kind for column in table.columns.values()} & _LIMITS.keys():
            cast, properties = _LIMITS[kind]
            query = {"$select": ",".join(filter(None, ("LogicalName", properties)))}
            if not properties:
                query["$expand"] = "OptionSet"
            for one in await self._list(f"{root}/Microsoft.Dynamics.CRM.{cast}", query) or ():
                facts[one["LogicalName"]] = _facts(kind, one)
        return facts

    async def _list(self, address: str, query: Mapping[str, str]) -> list[dict[str, Any]] | None:
        response = await self._client.send("GET", address, params=dict(query))
        if is_absent(response) or code_of(response) == _UNKNOWN:
            return None
        if not response.is_success:
            raise answered(response)
        found: list[dict[str, Any]] = body_of(response)["value"]
        return found


def _facts(kind: Kind, told: Mapping[str, Any]) -> Facts:
    options = told.get("OptionSet")
    return Facts(
        kind,
        told.get("MaxLength"),
        _number(told.get("MinValue")),
        _number(told.get("MaxValue")),
        frozenset(option["Value"] for option in options["Options"]) if options else None,
    )


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
