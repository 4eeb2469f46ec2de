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


def bulk(client: Any) -> dict[str, Any]:
    made = client.records.create("contact", [{"lastname": f"Bulk {number}"} for number in range(250)])
    client.records.update("contact", made, {"jobtitle": "bulk"})
    client.records.update("contact", made[:2], [{"jobtitle": "one"}, {"jobtitle": "two"}])
    job = client.records.delete("contact", made[2:])
    titles = client.records.list("contact", filter="startswith(lastname,'Bulk')", select=["jobtitle"])
    return {"made": len(set(made)), "job": len(job), "left": sorted(row["jobtitle"] for row in titles)}


def queries(client: Any) -> dict[str, Any]:
    from PowerPlatform.Dataverse.models.filters import col  # type: ignore[import-not-found]

    parent = client.records.create("account", {"name": "Parent", "revenue": 10.5})
    for number in range(4):
        bound = {"parentcustomerid_account@odata.bind": f"/accounts({parent})"}
        client.records.create("contact", {"lastname": f"Q{number}", "numberofchildren": number} | bound)
    wanted = (col("lastname").startswith("Q") & (col("numberofchildren") >= 2)) | (col("lastname") == "Q0")
    query = client.query.builder("contact").select("lastname").where(wanted).order_by("lastname")
    nested = client.records.list(
        "contact", filter="startswith(lastname,'Q')", expand=["parentcustomerid_account"], top=1
    )
    shown = client.records.retrieve(
        "account", parent, select=["revenue"], include_annotations="OData.Community.Display.V1.FormattedValue"
    )
    return {
        "filtered": [row["lastname"] for row in query.execute()],
        "expanded": [row["parentcustomerid_account"]["name"] for row in nested],
        "formatted": shown["revenue@OData.Community.Display.V1.FormattedValue"],
        "pages": [len(list(page)) for page in client.records.list_pages("contact", page_size=2, top=4)],
        "missing": client.records.retrieve("account", "00000000-0000-0000-0000-00000000dead"),
    }


def relationships(client: Any) -> dict[str, Any]:
    from PowerPlatform.Dataverse.models.relationship import (  # type: ignore[import-not-found]
        ManyToManyRelationshipMetadata,
    )

    client.tables.create("new_Part", {"new_Weight": "decimal"})
    client.tables.create("new_Tool", {"new_Price": "money"})
    made = client.tables.create_lookup_field("new_part", "new_ToolId", "new_tool", display_name="Tool")
    tool = client.records.create("new_tool", {"new_name": "T"})
    part = client.records.create(
        "new_part", {"new_name": "P", "new_ToolId@odata.bind": f"/new_tools({tool})"}
    )
    read = client.records.retrieve("new_part", part, select=["_new_toolid_value"])
    found = client.tables.get_relationship(made.relationship_schema_name)
    both = client.tables.create_many_to_many_relationship(
        ManyToManyRelationshipMetadata("new_part_tool", "new_part", "new_tool")
    )
    pair = client.tables.get_relationship("new_part_tool")
    client.tables.delete_relationship(both.relationship_id)
    client.tables.delete_relationship(made.relationship_id)
    gone = client.tables.get_column("new_part", "new_toolid") is None
    for table in ("new_Part", "new_Tool"):
        client.tables.delete(table)
    return {
        "pointed": read["_new_toolid_value"] == tool,
        "found": found.relationship_schema_name == made.relationship_schema_name,
        "gone": gone,
        "pair": [pair.entity1_logical_name, pair.entity2_logical_name],
        "pair gone": client.tables.get_relationship("new_part_tool") is None,
    }


def alternate_keys(client: Any) -> dict[str, Any]:
    made = client.tables.create_alternate_key("contact", "new_phone_key", ["telephone1", "lastname"])
    known = {
        key.schema_name: sorted(key.key_attributes) for key in client.tables.get_alternate_keys("contact")
    }
    item = {"alternate_key": {"telephone1": "1", "lastname": "K"}, "record": {"firstname": "First"}}
    client.records.upsert("contact", [item])
    client.records.upsert("contact", [item | {"record": {"firstname": "Second"}}])
    rows = client.records.list("contact", filter="lastname eq 'K'", select=["firstname"])
    client.tables.delete_alternate_key("contact", made.metadata_id)
    return {"key": known.get("new_phone_key"), "rows": [row["firstname"] for row in rows]}


def frames(client: Any) -> dict[str, Any]:
    import pandas as pd  # type: ignore[import-untyped]

    made = client.dataframe.create("lead", pd.DataFrame({"subject": ["F1", "F2"], "lastname": ["A", None]}))
    changed = pd.DataFrame({"leadid": made, "jobtitle": ["x", "y"]})
    client.dataframe.update("lead", changed, id_column="leadid")
    rows = client.records.list(
        "lead", filter="startswith(subject,'F')", select=["jobtitle"], orderby=["subject"]
    )
    return {"made": len(made), "rows": [row["jobtitle"] for row in rows]}


def refusals(client: Any) -> dict[str, Any]:
    from PowerPlatform.Dataverse.core.errors import HttpError

    missing = "00000000-0000-0000-0000-00000000dead"
    calls: dict[str, Any] = {
        "update": lambda: client.records.update("account", missing, {"name": "X"}),
        "option": lambda: client.records.create("account", {"name": "X", "industrycode": 9999}),
        "lookup": lambda: client.records.create(
            "contact", {"lastname": "X", "parentcustomerid_account@odata.bind": f"/accounts({missing})"}
        ),
        "sql": lambda: client.query.sql("SELECT name FROM account"),
        "fetchxml": lambda: client.query.fetchxml('<fetch><entity name="account"/></fetch>').execute(),
    }
    seen = {}
    for name, call in calls.items():
        try:
            call()
        except HttpError as refused:
            seen[name] = [
                refused.status_code,
                refused.details.get("service_error_code"),
                refused.is_transient,
            ]
    return seen


def main() -> None:
    from PowerPlatform.Dataverse.client import DataverseClient  # type: ignore[import-not-found]

    client = DataverseClient(sys.argv[1], Token())
    parts = (
        *(records, labels, keys, paging, batch, metadata, errors, files),
        *(bulk, queries, relationships, alternate_keys, frames, refusals),
    )
    print(json.dumps({part.__name__: part(client) for part in parts}))


if __name__ == "__main__":
    main()
