"""Definitions as clients post them, in the words of the table files; Complex* types mean the plain ones."""

from typing import Any

from local.dataverse.api.metadata.documents import TYPES
from local.dataverse.errors import bad_payload
from local.dataverse.schema.column import Kind

_KINDS: dict[str, Kind] = {
    class_name: kind for kind, (_, _, class_name) in TYPES.items() if kind not in {Kind.DATE, Kind.PARTIES}
}
_REQUIRED = {"SystemRequired": "system", "ApplicationRequired": "application"}


def posted_label(value: Any, otherwise: str) -> str:
    """The text of a label in the first language it has."""
    if isinstance(value, dict):
        labels = value.get("LocalizedLabels") or [value.get("UserLocalizedLabel") or {}]
        text = labels[0].get("Label") if labels else None
        if isinstance(text, str):
            return text
    return otherwise


def column_spec(body: dict[str, Any]) -> dict[str, Any]:
    """A column definition from AttributeMetadata; Refusal when its type is not known."""
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
        spec["options"] = _options(body)
    return spec


def _options(body: dict[str, Any]) -> list[dict[str, Any]]:
    posted = (body.get("OptionSet") or {}).get("Options", [])
    options = []
    for at, option in enumerate(posted):
        value = option.get("Value")
        value = value if value is not None else 100_000_000 + at
        options.append({"value": value, "label": posted_label(option.get("Label"), str(value))})
    return options


def table_spec(body: dict[str, Any]) -> dict[str, Any]:
    """A table definition from EntityMetadata: its columns plus those every table has."""
    schema_name = body.get("SchemaName")
    if not isinstance(schema_name, str) or "_" not in schema_name:
        raise bad_payload("A table needs a SchemaName with a publisher prefix.")
    name = schema_name.lower()
    posted = body.get("Attributes") or []
    primary = next((column for column in posted if column.get("IsPrimaryName") is True), None)
    if primary is None:
        raise bad_payload("A table needs a text column with IsPrimaryName.")
    columns: dict[str, Any] = {f"{name}id": {"type": "guid", "required": "system", "server_fills": True}}
    for column in posted:
        spec = column_spec(column)
        columns[spec.pop("name")] = spec | {"custom": True}
    return {
        "table": name,
        "schema": schema_name,
        "set": f"{name}es" if name.endswith(("s", "x", "ch", "sh")) else _plural(name),
        "id": f"{name}id",
        "name": str(primary["SchemaName"]).lower(),
        "label": posted_label(body.get("DisplayName"), schema_name),
        "activity": False,
        "custom": True,
        "columns": columns | _SYSTEM_COLUMNS,
    }


def _plural(name: str) -> str:
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}s"


def _audit(label: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "label": label, "read_only": True, **more}


_SYSTEM_COLUMNS: dict[str, Any] = {
    "createdon": _audit("Created On", "datetime"),
    "modifiedon": _audit("Modified On", "datetime"),
    "createdby": _audit("Created By", "lookup", targets={"systemuser": "createdby"}),
    "modifiedby": _audit("Modified By", "lookup", targets={"systemuser": "modifiedby"}),
    "versionnumber": _audit("Version Number", "bigint"),
    "owningbusinessunit": _audit(
        "Owning Business Unit", "lookup", targets={"businessunit": "owningbusinessunit"}
    ),
    "ownerid": {
        "type": "lookup",
        "label": "Owner",
        "targets": {"systemuser": "ownerid", "team": "ownerid"},
        "required": "system",
        "server_fills": True,
    },
    "overriddencreatedon": {"type": "datetime", "label": "Record Created On"},
    "importsequencenumber": {"type": "integer", "label": "Import Sequence Number"},
    "statecode": {
        "type": "state",
        "label": "Status",
        "options": {"0": "Active", "1": "Inactive"},
        "required": "system",
        "server_fills": True,
    },
    "statuscode": {
        "type": "status",
        "label": "Status Reason",
        "options": {"0": {"1": "Active"}, "1": {"2": "Inactive"}},
    },
}
