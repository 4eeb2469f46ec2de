"""Drives Microsoft's Python SDK for Dataverse against a simulator; prints what it saw as JSON.

Run by the interpreter of the client's own environment: `python powerplatform.py <https url>`.
"""

# ruff: noqa: PLC0415, T201 - the client exists only in the environment this script runs in; it answers on stdout
import json
import sys
import tempfile
import time
from enum import IntEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class Token:
    """A credential that never changes."""

    def get_token(self, *_scopes: str, **_options: object) -> SimpleNamespace:
        return SimpleNamespace(token="opaque", expires_on=int(time.time()) + 3600)


class Colour(IntEnum):
    RED = 1
    BLUE = 2


def records(client: Any) -> dict[str, Any]:
    one = client.records.create("account", {"name": "One", "telephone1": "1"})
    two, three = client.records.create("account", [{"name": "Two"}, {"name": "Three"}])
    client.records.update("account", one, {"telephone1": "2"})
    client.records.update("account", [two, three], {"telephone1": "3"})
    client.records.delete("account", three)
    kept = client.records.retrieve("account", one, select=["name", "telephone1"])
    return {"ids": len({one, two, three}), "one": [kept["name"], kept["telephone1"]], "two": two}


def labels(client: Any) -> Any:
    row = client.records.create("lead", {"subject": "L", "lastname": "B", "leadsourcecode": "Web"})
    return client.records.retrieve("lead", row, select=["leadsourcecode"])["leadsourcecode"]


def keys(client: Any) -> list[str]:
    from PowerPlatform.Dataverse.models.upsert import UpsertItem  # type: ignore[import-not-found]

    for name in ("First", "Second"):
        client.records.upsert(
            "account", [UpsertItem(alternate_key={"tandem_sourcekey": "O'N-1"}, record={"name": name})]
        )
    client.records.upsert(
        "account",
        [
            UpsertItem(alternate_key={"tandem_sourcekey": f"K-{number}"}, record={"name": f"Bulk {number}"})
            for number in range(2)
        ],
    )
    found = client.records.list(
        "account", filter="tandem_sourcekey ne null", select=["name"], orderby=["name"]
    )
    return [row["name"] for row in found]


def paging(client: Any) -> int:
    client.records.create("contact", [{"lastname": f"P{number}"} for number in range(5)])
    query = client.query.builder("contact").select("lastname").order_by("lastname").page_size(2)
    return len([row["lastname"] for row in query.execute()])


def batch(client: Any) -> dict[str, Any]:
    work = client.batch.new()
    with work.changeset() as changes:
        account = changes.records.create("account", {"name": "Batch"})
        contact = {"lastname": "Batch", "parentcustomerid_account@odata.bind": account}
        changes.records.create("contact", contact)
    work.records.create("account", {"name": "x" * 200})
    result = work.execute(continue_on_error=True)
    return {
        "ok": len(result.succeeded),
        "failed": [response.status_code for response in result.failed],
        "ids": len(list(result.entity_ids)),
    }


def metadata(client: Any) -> dict[str, Any]:
    table = client.tables.create(
        "new_Widget", {"new_Size": "int", "new_Colour": Colour, "new_Born": "datetime", "new_On": "bool"}
    )
    client.tables.add_columns("new_Widget", {"new_Weight": "decimal"})
    client.tables.create_alternate_key("new_Widget", "new_size_key", ["new_size"])
    row = client.records.create("new_widget", {"new_name": "W", "new_size": 3, "new_colour": "BLUE"})
    seen = client.records.retrieve("new_widget", row, select=["new_size", "new_colour"])
    columns = {column["LogicalName"] for column in client.tables.list_columns("new_Widget")}
    client.tables.remove_columns("new_Widget", ["new_Weight"])
    client.tables.delete("new_Widget")
    return {
        "set": table["entity_set_name"],
        "row": [seen["new_size"], seen["new_colour"]],
        "columns": sorted(name for name in columns if name.startswith("new_")),
        "gone": client.tables.get("new_Widget") is None,
    }


def errors(client: Any) -> list[Any]:
    from PowerPlatform.Dataverse.core.errors import HttpError  # type: ignore[import-not-found]

    try:
        client.records.create("account", {"name": "x" * 200})
    except HttpError as refused:
        return [refused.status_code, refused.details.get("service_error_code")]
    return []


def files(client: Any) -> str:
    row = client.records.create("account", {"name": "Files"})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.txt"
        path.write_bytes(b"hello")
        client.files.upload("account", row, "new_Document", str(path), mode="small")
        path.write_bytes(b"x" * (5 * 1024 * 1024))
        client.files.upload("account", row, "new_Document", str(path), mode="chunk")
    return str(row)


def main() -> None:
    from PowerPlatform.Dataverse.client import DataverseClient  # type: ignore[import-not-found]

    client = DataverseClient(sys.argv[1], Token())
    parts = (records, labels, keys, paging, batch, metadata, errors, files)
    print(json.dumps({part.__name__: part(client) for part in parts}))


if __name__ == "__main__":
    main()
