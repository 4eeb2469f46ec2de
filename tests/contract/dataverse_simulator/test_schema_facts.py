"""The tables of the simulator against facts gathered about the real ones, table by table, column by column.

Where the simulator says something else it is named here with the reason; nothing else may differ.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local.dataverse.schema.catalog import Catalog, load_catalog
from local.dataverse.schema.column import Column, Kind

FACTS = (
    Path(os.environ.get("TANDEM_SAMPLE_DATA", Path(__file__).parents[4] / "shared" / "data"))
    / "dataverse_tables.json"
)
Facts = Mapping[str, Any]

KINDS = {
    "String": {Kind.STRING},
    "EntityName": {Kind.STRING},
    "Memo": {Kind.MEMO},
    "Integer": {Kind.INTEGER},
    "BigInt": {Kind.BIGINT},
    "Decimal": {Kind.DECIMAL},
    "Double": {Kind.DOUBLE},
    "Money": {Kind.MONEY},
    "Boolean": {Kind.BOOLEAN},
    "DateTime": {Kind.DATETIME, Kind.DATE},
    "Picklist": {Kind.CHOICE},
    "State": {Kind.STATE},
    "Status": {Kind.STATUS},
    "Lookup": {Kind.LOOKUP},
    "Owner": {Kind.LOOKUP},
    "Customer": {Kind.LOOKUP},
    "Uniqueidentifier": {Kind.GUID},
    "PartyList": {Kind.PARTIES},
    "Image": {Kind.IMAGE},
    "Virtual": {Kind.CHOICES, Kind.IMAGE, Kind.FILE},
}
REQUIRED = {
    "": "None",
    "system": "SystemRequired",
    "application": "ApplicationRequired",
    "recommended": "Recommended",
}
NO_STATE_SAID = "the facts give the options without their states; the simulator needs them"
DEVIATIONS = {
    ("account", "addressid"): "points at an address row the simulator does not keep apart from the account",
    ("contact", "addressid"): "points at an address row the simulator does not keep apart from the contact",
    ("incident", "customerid"): "the service refuses a case without a customer; the facts leave it open",
    ("activitymimeattachment", "body"): "text of any length up to the file limit, kept as a memo",
    ("annotation", "objecttypecode"): "a table's logical name in the Web API; the numbers are of another API",
    ("customeraddress", "objecttypecode"): "as for annotation.objecttypecode",
    ("systemuser", "azureactivedirectoryobjectid"): "tests make users with the id their tokens carry",
    ("workflow", "statuscode"): NO_STATE_SAID,
    ("opportunitysalesprocess", "statuscode"): NO_STATE_SAID,
    ("leadtoopportunitysalesprocess", "statuscode"): NO_STATE_SAID,
    ("duplicaterule", "statuscode"): NO_STATE_SAID,
    ("activityparty", "activityid"): "bound by the name of the activity's table where the facts go by rule",
}

pytestmark = pytest.mark.skipif(not FACTS.exists(), reason="the gathered facts are not on this machine")


def tables() -> list[Facts]:
    found: list[Facts] = json.loads(FACTS.read_text("utf-8"))["tables"] if FACTS.exists() else []
    return found


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def differences(catalog: Catalog, column: Column | None, facts: Facts) -> list[str]:
    """What the simulator says otherwise about a column."""
    if column is None:
        return ["absent"]
    found = []
    is_number = column.kind is Kind.INTEGER and facts["type"] == "Picklist"
    if column.kind not in KINDS[facts["type"]] and not (is_number and "options" not in facts):
        found.append(f"type {column.kind} for {facts['type']}")
    if facts.get("maxLength", column.max_length) != column.max_length:
        found.append(f"length {column.max_length} for {facts['maxLength']}")
    if REQUIRED[column.required] != facts.get("required", "None"):
        found.append(f"required {column.required}")
    if bool(facts.get("readOnly")) != column.read_only:
        found.append(f"read only {column.read_only}")
    for name, own in (("min", column.minimum), ("max", column.maximum)):
        whole = {"min": -(2**31), "max": 2**31 - 1}[name] if column.kind is Kind.INTEGER else None
        if (own if own is not None else whole) != facts.get(name, whole):
            found.append(f"{name} {own} for {facts.get(name)}")
    told = [list(option) for option in facts.get("options", ())]
    mine = [[value, text, *_state(column, value)] for value, text in column.options.items()]
    if sorted(mine) != sorted(told) and not (is_number and not told):
        found.append(f"options {mine} for {told}")
    return found + _lookup_differences(catalog, column, facts)


def _state(column: Column, value: int) -> list[int]:
    return [column.state_of[value]] if value in column.state_of else []


def _lookup_differences(catalog: Catalog, column: Column, facts: Facts) -> list[str]:
    """Targets the simulator has no table for are left out; of the rest none is missing and none is wrong."""
    if "targets" not in facts:
        return [] if not column.targets or facts["type"] == "Uniqueidentifier" else ["targets"]
    known = {name for name in facts["targets"] if name in catalog.tables}
    names = facts["navigation"]
    wrong = [
        name
        for name, navigation in column.targets.items()
        if names.get(name, names.get("*", navigation)) != navigation
    ]
    return [f"targets {sorted(known ^ set(column.targets))}"] * (known != set(column.targets)) + [
        f"navigation {name}" for name in wrong
    ]


def test_every_table_is_there_under_its_names(catalog: Catalog) -> None:
    told = {
        facts["logicalName"]: (
            facts["entitySetName"],
            facts["primaryId"],
            facts["primaryName"],
            facts["isActivity"],
        )
        for facts in tables()
    }

    seen = {
        name: (table.set_name, table.id_column, table.name_column, table.is_activity)
        for name, table in catalog.tables.items()
        if name in told
    }

    assert len(told) == 43
    assert seen == told


@pytest.mark.parametrize("facts", tables(), ids=lambda facts: str(facts["logicalName"]))
def test_every_column_agrees_or_its_deviation_is_named(catalog: Catalog, facts: Facts) -> None:
    table = catalog.tables[facts["logicalName"]]

    seen = {
        (table.name, told["name"]): found
        for told in facts["columns"]
        if (found := differences(catalog, table.columns.get(told["name"]), told))
    }
    invented = table.columns.keys() - {told["name"] for told in facts["columns"]}

    assert {where: found for where, found in seen.items() if where not in DEVIATIONS} == {}
    assert {where for where in DEVIATIONS if where[0] == table.name} <= seen.keys()
    assert not invented


def test_every_fact_of_the_customised_organisation_is_in_one_of_ours() -> None:
    told = {
        (facts["logicalName"], column["name"]): column["seenDifferentInOneOrg"]
        for facts in tables()
        for column in facts["columns"]
        if "seenDifferentInOneOrg" in column
    }
    organisation = Path(__file__).parents[3] / "local" / "dataverse" / "organisations" / "fabrikam.json"
    fabrikam = load_catalog(organisation)

    seen = {}
    for (table, name), facts in told.items():
        column = fabrikam.tables[table].columns[name]
        both = {"maxLength": column.max_length, "required": REQUIRED[column.required]}
        seen[table, name] = {key: both[key] for key in facts}

    assert seen == told
