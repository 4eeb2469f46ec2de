"""What every table made by a publisher has without saying so: audit columns, owner, state."""

from collections.abc import Mapping
from typing import Any


def set_name_of(table: str) -> str:
    """The entity set name the service makes of a logical name."""
    if table.endswith(("s", "x", "ch", "sh")):
        return f"{table}es"
    if table.endswith("y") and table[-2:-1] not in "aeiou":
        return f"{table[:-1]}ies"
    return f"{table}s"


def table_spec(
    table: str,
    schema_name: str,
    label: str,
    name_column: str,
    columns: Mapping[str, Any],
    id_column: str = "",
) -> dict[str, Any]:
    """The entry of a table of one's own, in the words of the table files.

    Tables of business process flows all have one name for their id, so it can be told.
    """
    id_column = id_column or f"{table}id"
    own_id = {id_column: {"type": "guid", "required": "system", "server_fills": True}}
    return {
        "table": table,
        "schema": schema_name,
        "set": set_name_of(table),
        "id": id_column,
        "name": name_column,
        "label": label,
        "activity": False,
        "custom": True,
        "columns": {**own_id, **columns, **SYSTEM_COLUMNS},
    }


def _audit(label: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "label": label, "read_only": True, **more}


SYSTEM_COLUMNS: Mapping[str, Any] = {
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
