"""Tables, columns, keys and relationships: found by what they are called, made, changed and taken away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Api

Refused = Callable[[httpx.Response], tuple[int, str]]
OF = "Microsoft.Dynamics.CRM."
ACCOUNT = "EntityDefinitions(LogicalName='account')"


def label(text: str) -> dict[str, Any]:
    return {"LocalizedLabels": [{"Label": text, "LanguageCode": 1033}]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("LogicalName eq 'account' or LogicalName eq 'Contact'", ["account", "contact"]),
        ("LogicalName in ('lead','quote')", ["lead", "quote"]),
        ("startswith(LogicalName,'opportunityp')", ["opportunityproduct"]),
        ("contains(LogicalName,'quoted')", ["quotedetail"]),
        ("IsActivity and endswith(LogicalName,'mail')", ["email"]),
        ("IsActivity eq true and not (LogicalName ne 'task')", ["task"]),
        ("DisplayName/UserLocalizedLabel/Label eq 'Phone Call'", ["phonecall"]),
    ],
)
def test_tables_are_found_by_what_they_are(api: Api, text: str, found: list[str]) -> None:
    query = {"$select": "LogicalName", "$filter": text}
    listed = api.get("EntityDefinitions", params=query).json()["value"]

    assert sorted(item["LogicalName"] for item in listed) == found


def test_what_a_definition_has_is_read_by_its_own_address(api: Api) -> None:
    name = api.get(f"{ACCOUNT}/EntitySetName").json()["value"]
    choice = api.get(
        "EntityDefinitions(LogicalName='lead')/Attributes(LogicalName='statuscode')/OptionSet"
    ).json()
    pointing = api.get(f"{ACCOUNT}/OneToManyRelationships?$select=SchemaName,ReferencingEntity").json()
    pointed = api.get(f"{ACCOUNT}/ManyToOneRelationships?$select=ReferencedEntity").json()

    assert name == "accounts"
    assert [option["Value"] for option in choice["Options"]] == [1, 2, 3, 4, 5, 6, 7]
    assert "contact" in {item["ReferencingEntity"] for item in pointing["value"]}
    assert {"contact", "systemuser"} <= {item["ReferencedEntity"] for item in pointed["value"]}


def test_members_of_a_relationship_that_was_made_come_and_go(api: Api) -> None:
    body = {
        "@odata.type": f"{OF}ManyToManyRelationshipMetadata",
        "SchemaName": "new_account_lead",
        "Entity1LogicalName": "account",
        "Entity2LogicalName": "lead",
    }
    made = api.post("RelationshipDefinitions", json=body)
    lead = api.create("leads", subject="L", lastname="X")
    nested = {"new_account_lead": [{"subject": "Nested", "lastname": "Y"}]}
    company = api.create(
        "accounts", name="A", **nested, **{"new_account_lead@odata.bind": [f"leads({lead})"]}
    )

    expanded = api.get(f"accounts({company})?$select=name&$expand=new_account_lead($select=subject)").json()
    by_lead = api.select("leads", select="subject", filter="new_account_lead/any(a:a/name eq 'A')")
    api.delete(f"accounts({company})/new_account_lead({lead})/$ref")
    left = api.get(f"accounts({company})/new_account_lead?$select=subject").json()["value"]
    listed = api.get("EntityDefinitions(LogicalName='lead')/ManyToManyRelationships").json()["value"]
    gone = api.delete(made.headers["OData-EntityId"])

    assert {row["subject"] for row in expanded["new_account_lead"]} == {"L", "Nested"}
    assert {row["subject"] for row in by_lead} == {"L", "Nested"}
    assert [row["subject"] for row in left] == ["Nested"]
    assert "new_account_lead" in {item["SchemaName"] for item in listed}
    assert (made.status_code, gone.status_code) == (204, 204)
    assert api.get(f"accounts({company})/new_account_lead").status_code == 404


def test_keys_are_listed_and_one_that_goes_is_no_address_any_more(api: Api, refused: Refused) -> None:
    api.post(f"{ACCOUNT}/Keys", json={"SchemaName": "new_fax_key", "KeyAttributes": ["fax"]})
    api.create("accounts", name="A", fax="1")
    keys = api.get(f"{ACCOUNT}/Keys").json()["value"]
    (made,) = (key for key in keys if key["SchemaName"] == "new_fax_key")
    found = api.row("accounts(fax='1')", "name")["name"]

    api.delete(f"{ACCOUNT}/Keys({made['MetadataId']})")

    assert (found, made["EntityKeyIndexStatus"]) == ("A", "Active")
    assert refused(api.get("accounts(fax='1')")) == (400, "0x80060890")


def test_a_column_is_changed_and_what_is_not_said_stays(api: Api, refused: Refused) -> None:
    address = f"{ACCOUNT}/Attributes(LogicalName='tandem_sourcekey')"
    change = {"@odata.type": f"{OF}StringAttributeMetadata", "MaxLength": 3, "DisplayName": label("Key")}

    assert api.put(address, json=change).status_code == 204

    seen = api.get(address).json()
    assert (seen["MaxLength"], seen["DisplayName"]["UserLocalizedLabel"]["Label"]) == (3, "Key")
    assert refused(api.post("accounts", json={"tandem_sourcekey": "long"})) == (400, "0x80044331")
    assert api.post("accounts", json={"tandem_sourcekey": "abc"}).status_code == 204


@pytest.mark.parametrize(
    ("method", "address", "body", "seen"),
    [
        ("DELETE", ACCOUNT, None, (400, "0x80047007")),
        ("DELETE", f"{ACCOUNT}/Attributes(LogicalName='name')", None, (400, "0x80047007")),
        ("PATCH", ACCOUNT, {}, (405, "0x80060888")),
        ("GET", f"{ACCOUNT}/Nothing", None, (404, "0x80060888")),
        ("POST", f"{ACCOUNT}/Keys", {"SchemaName": "k", "KeyAttributes": ["nothing"]}, (400, "0x80048d19")),
        (
            "POST",
            f"{ACCOUNT}/Keys",
            {"SchemaName": "k", "KeyAttributes": ["description"]},
            (400, "0x80048d19"),
        ),
        (
            "POST",
            f"{ACCOUNT}/Attributes",
            {"@odata.type": f"{OF}StringAttributeMetadata", "SchemaName": "Name"},
            (400, "0x80044153"),
        ),
        ("POST", "RelationshipDefinitions", {"@odata.type": f"{OF}Nothing"}, (400, "0x80048d19")),
        ("GET", "RelationshipDefinitions(SchemaName='nothing')", None, (404, "0x80060888")),
    ],
)
def test_what_cannot_be_done_to_a_definition_is_refused(
    api: Api, refused: Refused, method: str, address: str, body: object, seen: tuple[int, str]
) -> None:
    assert refused(api.client.request(method, address, json=body)) == seen
