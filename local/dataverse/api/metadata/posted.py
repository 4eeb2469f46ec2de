"""Definitions as clients post them, in the words of the table files; Complex* types mean the plain ones."""

import re
from collections.abc import Mapping
from typing import Any

from local.dataverse.api.metadata.documents import TYPES
from local.dataverse.errors import bad_payload, shaped
from local.dataverse.schema import own_tables
from local.dataverse.schema.choice import GlobalChoice
from local.dataverse.schema.column import Kind

_KINDS: dict[str, Kind] = {
    class_name: kind for kind, (_, _, class_name) in TYPES.items() if kind not in {Kind.DATE, Kind.PARTIES}
}
_REQUIRED = {"SystemRequired": "system", "ApplicationRequired": "application", "Recommended": "recommended"}
_CHOICE_ADDRESS = re.compile(r"GlobalOptionSetDefinitions\((?:Name='([^']+)'|\{?([0-9a-fA-F-]{36})\}?)\)$")


def posted_label(value: Any, otherwise: str) -> str:
    """The text of a label in the first language it has."""
    if isinstance(value, dict):
        labels = value.get("LocalizedLabels") or [value.get("UserLocalizedLabel") or {}]
        text = labels[0].get("Label") if labels else None
        if isinstance(text, str):
            return text
    return otherwise


@shaped("The definition")
def column_spec(body: dict[str, Any], choices: Mapping[str, GlobalChoice]) -> dict[str, Any]:
    """A column definition from AttributeMetadata; Refusal when its type or its global choice is not known."""
    schema_name = body.get("SchemaName")
    class_name = str(body.get("@odata.type", "")).rpartition(".")[2].removeprefix("Complex")
    kind = _KINDS.get(class_name.removesuffix("AttributeMetadata"))
    if not isinstance(schema_name, str) or kind is None:
        raise bad_payload("A column needs a SchemaName and a known @odata.type.")
    if kind is Kind.DATETIME and body.get("Format") == "DateOnly":
        kind = Kind.DATE
    spec: dict[str, Any] = {
        "name": schema_name.lower(),
        "type": str(kind),
        "schema": schema_name,
        "label": posted_label(body.get("DisplayName"), schema_name),
        "required": _REQUIRED.get((body.get("RequiredLevel") or {}).get("Value", ""), ""),
    }
    for name, posted in (
        ("max_length", "MaxLength"),
        ("minimum", "MinValue"),
        ("maximum", "MaxValue"),
        ("precision", "Precision"),
    ):
        if body.get(posted) is not None:
            spec[name] = body[posted]
    if kind in {Kind.CHOICE, Kind.CHOICES}:
        shared = _shared(body, choices)
        spec |= {"choice": shared} if shared else {"options": posted_options(body.get("OptionSet"))}
    return spec


def _shared(body: dict[str, Any], choices: Mapping[str, GlobalChoice]) -> str:
    """The name of the global choice a column is bound to, or names in its own options; else nothing."""
    bound = body.get("GlobalOptionSet@odata.bind")
    nested = body.get("GlobalOptionSet") or body.get("OptionSet") or {}
    if bound is None and nested.get("IsGlobal") is not True:
        return ""
    match = _CHOICE_ADDRESS.search(str(bound)) if bound is not None else None
    wanted = {match[1], (match[2] or "").lower()} if match is not None else {nested.get("Name")}
    found = next((choice.name for choice in choices.values() if wanted & {choice.name, choice.id}), None)
    if found is None:
        raise bad_payload("The global choice a column is bound to does not exist.")
    return found


@shaped("The definition")
def posted_options(body: Any) -> list[dict[str, Any]]:
    """The options of a posted option set; one without a value gets the next of the publisher's."""
    posted = (body or {}).get("Options", [])
    options = []
    for at, option in enumerate(posted):
        value = option.get("Value")
        value = value if value is not None else 100_000_000 + at
        options.append({"value": value, "label": posted_label(option.get("Label"), str(value))})
    return options


@shaped("The definition")
def table_spec(body: dict[str, Any], choices: Mapping[str, GlobalChoice]) -> dict[str, Any]:
    """A table definition from EntityMetadata: its columns plus those every table has."""
    schema_name = body.get("SchemaName")
    if not isinstance(schema_name, str) or "_" not in schema_name:
        raise bad_payload("A table needs a SchemaName with a publisher prefix.")
    name = schema_name.lower()
    posted = body.get("Attributes") or []
    primary = next((column for column in posted if column.get("IsPrimaryName") is True), None)
    if primary is None:
        raise bad_payload("A table needs a text column with IsPrimaryName.")
    columns = {}
    for column in posted:
        spec = column_spec(column, choices)
        columns[spec.pop("name")] = spec | {"custom": True}
    label = posted_label(body.get("DisplayName"), schema_name)
    return own_tables.table_spec(name, schema_name, label, str(primary["SchemaName"]).lower(), columns)
