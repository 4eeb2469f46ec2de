"""Global choices: made, shared by columns, given more options, kept over a restart."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Api

BOUND = {"GlobalOptionSet@odata.bind": "/GlobalOptionSetDefinitions(Name='new_size')"}
Refused = Callable[[httpx.Response], tuple[int, str]]


def label(text: str) -> dict[str, Any]:
    return {"LocalizedLabels": [{"Label": text, "LanguageCode": 1033}]}


def make(api: Api, **more: object) -> str:
    """The global choice new_size with Small and Large; the address the service gives it."""
    options = [
        {"Value": value, "Label": label(text)} for value, text in ((100000000, "Small"), (100000001, "Large"))
    ]
    body = {
        "@odata.type": "Microsoft.Dynamics.CRM.OptionSetMetadata",
        "Name": "new_size",
        "DisplayName": label("Size"),
        "IsGlobal": True,
        "OptionSetType": "Picklist",
        "Options": options,
    }
    answer = api.post("GlobalOptionSetDefinitions", json=body | more)
    assert answer.status_code == 204, answer.text
    return str(answer.headers["OData-EntityId"])


def column(api: Api, table: str, name: str, **shared: object) -> httpx.Response:
    answer: httpx.Response = api.post(
        f"EntityDefinitions(LogicalName='{table}')/Attributes",
        json={
            "@odata.type": "Microsoft.Dynamics.CRM.PicklistAttributeMetadata",
            "SchemaName": name,
            "DisplayName": label(name),
            **shared,
        },
    )
    return answer


def options(api: Api, table: str, name: str) -> dict[int, str]:
    """The options of a column by its metadata."""
    cast = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    found = api.client.get(
        f"EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{name}')/{cast}",
        params={"$select": "LogicalName", "$expand": "OptionSet,GlobalOptionSet"},
    ).json()
    assert found["OptionSet"] == found["GlobalOptionSet"]
    return {
        item["Value"]: item["Label"]["UserLocalizedLabel"]["Label"] for item in found["OptionSet"]["Options"]
    }


def test_a_global_choice_is_found_by_id_and_by_name(api: Api) -> None:
    address = make(api)
    choice_id = address[-37:-1]

    seen = [api.client.get(key).json() for key in (address, "GlobalOptionSetDefinitions(Name='new_size')")]
    listed = api.client.get("GlobalOptionSetDefinitions").json()["value"]

    assert [(item["Name"], item["MetadataId"], item["IsGlobal"]) for item in [*seen, *listed]] == [
        ("new_size", choice_id, True)
    ] * 3


@pytest.mark.parametrize("by", ["id", "name", "body"])
def test_columns_share_a_global_choice(api: Api, refused: Refused, by: str) -> None:
    address = make(api)
    choice_id = address[-37:-1]
    ways: dict[str, dict[str, object]] = {
        "id": {"GlobalOptionSet@odata.bind": f"/GlobalOptionSetDefinitions({choice_id})"},
        "name": {**BOUND},
        "body": {"OptionSet": {"IsGlobal": True, "Name": "new_size"}},
    }
    for table in ("account", "contact"):
        assert column(api, table, "new_Size", **ways[by]).status_code == 204

    assert options(api, "contact", "new_size") == {100000000: "Small", 100000001: "Large"}
    assert api.post("accounts", json={"name": "A", "new_size": 100000001}).status_code == 204
    assert refused(api.post("accounts", json={"name": "A", "new_size": 5})) == (400, "0x8004431A")


def test_an_option_that_is_inserted_is_one_of_every_column(api: Api) -> None:
    make(api)
    for table in ("account", "contact"):
        column(api, table, "new_Size", **BOUND)

    inserted = api.post("InsertOptionValue", json={"OptionSetName": "new_size", "Label": label("Huge")})

    assert (inserted.status_code, inserted.json()["NewOptionValue"]) == (200, 100000002)
    for table in ("account", "contact"):
        assert options(api, table, "new_size")[100000002] == "Huge"
    assert api.post("accounts", json={"name": "A", "new_size": 100000002}).status_code == 204


def test_a_choice_in_use_stays_and_one_that_is_not_goes(api: Api, refused: Refused) -> None:
    address = make(api)
    column(api, "account", "new_Size", **{"GlobalOptionSet@odata.bind": address})
    kept = api.delete(address)
    api.delete("EntityDefinitions(LogicalName='account')/Attributes(LogicalName='new_size')")
    gone = api.delete(address)

    assert refused(kept) == (400, "0x8004f01f")
    assert gone.status_code == 204
    assert api.client.get("GlobalOptionSetDefinitions").json()["value"] == []


@pytest.mark.parametrize(
    ("method", "address", "body", "seen"),
    [
        ("POST", "GlobalOptionSetDefinitions", {"Name": "new_size"}, (400, "0x80044153")),
        ("POST", "GlobalOptionSetDefinitions", {"Name": "size"}, (400, "0x80048d19")),
        ("GET", "GlobalOptionSetDefinitions(Name='nothing')", None, (404, "0x80060888")),
        ("POST", "InsertOptionValue", {"OptionSetName": "nothing"}, (404, "0x80060888")),
        ("POST", "InsertOptionValue", {"OptionSetName": "new_size", "Value": 100000000}, (400, "0x80044153")),
    ],
)
def test_what_cannot_be_done_to_a_choice_is_refused(
    api: Api, refused: Refused, method: str, address: str, body: object, seen: tuple[int, str]
) -> None:
    make(api)

    assert refused(api.client.request(method, address, json=body)) == seen


def test_a_column_bound_to_no_choice_is_refused(api: Api, refused: Refused) -> None:
    address = "/GlobalOptionSetDefinitions(Name='nothing')"

    answer = column(api, "account", "new_Size", **{"GlobalOptionSet@odata.bind": address})

    assert refused(answer) == (400, "0x80048d19")


def test_a_status_reason_is_inserted_under_its_state(api: Api, refused: Refused) -> None:
    where = {"EntityLogicalName": "lead", "AttributeLogicalName": "statuscode"}

    made = api.post("InsertStatusValue", json=where | {"StateCode": 2, "Label": label("Duplicate")})
    plain = api.post("InsertOptionValue", json=where | {"Label": label("Duplicate")})

    value = made.json()["NewOptionValue"]
    lead = api.create("leads", subject="A", lastname="B")
    assert api.patch(f"leads({lead})", json={"statecode": 2, "statuscode": value}).status_code == 204
    assert refused(plain) == (400, "0x80048d19")


def test_choices_and_their_columns_survive_a_restart(flowing: Callable[[], Api]) -> None:
    api = flowing()
    address = make(api)
    column(api, "account", "new_Size", **{"GlobalOptionSet@odata.bind": address})
    api.post("InsertOptionValue", json={"OptionSetName": "new_size", "Label": label("Huge")})

    again = flowing()

    assert options(again, "account", "new_size") == {
        100000000: "Small",
        100000001: "Large",
        100000002: "Huge",
    }


def test_the_table_of_all_activities_takes_no_rows(api: Api, refused: Refused) -> None:
    assert refused(api.post("activitypointers", json={})) == (405, "0x80040800")
