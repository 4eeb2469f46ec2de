"""What queries find, in which order, on which page, with which annotations."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Api

Refused = Callable[[httpx.Response], tuple[int, str]]


@pytest.fixture
def world(api: Api) -> dict[str, str]:
    """Three companies, of which two have people."""
    acme = api.create(
        "accounts", name="Acme", revenue=10, telephone1="1", tandem_tier=100000000, tandem_tags="1,2"
    )
    bolt = api.create(
        "accounts",
        name="Bolt & Söhne",
        revenue=20,
        overriddencreatedon="2020-05-05T05:05:05Z",
        **{"parentaccountid@odata.bind": f"/accounts({acme})"},
    )
    cube = api.create("accounts", name="Cube's", donotemail=True, tandem_founded="1999-12-31")
    ann = api.create(
        "contacts",
        firstname="Ann",
        lastname="Lee",
        **{"parentcustomerid_account@odata.bind": f"/accounts({acme})"},
    )
    bob = api.create(
        "contacts",
        firstname="Bob",
        lastname="Ray",
        **{"parentcustomerid_account@odata.bind": f"/accounts({bolt})"},
    )
    api.patch(f"accounts({acme})", json={"primarycontactid@odata.bind": f"/contacts({ann})"})
    return {"acme": acme, "bolt": bolt, "cube": cube, "ann": ann, "bob": bob}


CRM = "Microsoft.Dynamics.CRM"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("name eq 'ACME'", "A"),
        ("name ne 'acme'", "BC"),
        ("revenue gt 10", "B"),
        ("revenue ge 10 and revenue le 20", "AB"),
        ("not (revenue gt 10)", "AC"),
        ("revenue eq null", "C"),
        ("revenue ne null", "AB"),
        ("telephone1 ne '1'", "BC"),
        ("contains(name, 'söh') or name eq 'Cube''s'", "BC"),
        ("startswith(name,'a') or endswith(name,'s')", "AC"),
        ("not startswith(name,'a')", "BC"),
        ("donotemail eq true", "C"),
        ("tandem_tier eq 100000000", "A"),
        ("tandem_founded lt 2000-01-01", "C"),
        ("createdon lt 2021-01-01T00:00:00Z", "B"),
        ("createdon lt 2020-05-05T07:05:06+02:00", "B"),
        ("statecode eq 0 and statuscode eq 1", "ABC"),
        ("_parentaccountid_value eq {acme}", "B"),
        ("_parentaccountid_value eq '{acme}'", "B"),
        ("accountid in ({acme},{cube})", "AC"),
        ("name in ('acme','nobody')", "A"),
        ("parentaccountid/name eq 'Acme'", "B"),
        ("primarycontactid/firstname eq 'ann'", "A"),
        ("contact_customer_accounts/any(c:c/lastname eq 'Ray')", "B"),
        ("contact_customer_accounts/any()", "AB"),
        ("not contact_customer_accounts/any()", "C"),
        ("contact_customer_accounts/all(c:c/lastname eq 'Lee')", "AC"),
        (f'{CRM}.In(PropertyName=\'name\',PropertyValues=["Acme","Cube\'s"])', "AC"),
        (f"{CRM}.NotIn(PropertyName='name',PropertyValues=['Acme'])", "BC"),
        (f'{CRM}.Between(PropertyName=\'revenue\',PropertyValues=["15","25"])', "B"),
        (f"{CRM}.On(PropertyName='createdon',PropertyValue='2020-05-05')", "B"),
        (f"{CRM}.LastXDays(PropertyName='createdon',PropertyValue=3)", "AC"),
        (f"{CRM}.Today(PropertyName='createdon')", "AC"),
        (f"{CRM}.OlderThanXDays(PropertyName='createdon',PropertyValue=30)", "B"),
        (f"{CRM}.EqualUserId(PropertyName='_ownerid_value')", "ABC"),
        ("ownerid/fullname eq 'Sam Admin'", "ABC"),
        ("15 lt revenue", "B"),
        ("donotemail", "C"),
        ("revenue ge revenue", "AB"),
        ("revenue eq revenue", "AB"),
        ("name ne telephone1", "ABC"),
        ("contact_customer_accounts/any(c:not (c/lastname eq 'Ray') and startswith(c/firstname,'A'))", "A"),
        ("contact_customer_accounts/any(c:c/lastname in ('Ray','Fox'))", "B"),
        (f"contact_customer_accounts/any(c:{CRM}.In(PropertyName='c/lastname',PropertyValues=['Ray']))", "B"),
        (f'{CRM}.NotBetween(PropertyName=\'revenue\',PropertyValues=["15","25"])', "AC"),
        (f"{CRM}.In(PropertyName='tandem_tier',PropertyValues=['100000000'])", "A"),
        (f"{CRM}.In(PropertyName='donotemail',PropertyValues=['true'])", "C"),
        (f"{CRM}.In(PropertyName='accountid',PropertyValues=['{{bolt}}'])", "B"),
        (f"{CRM}.NotEqualUserId(PropertyName='_ownerid_value')", ""),
        (f"{CRM}.ContainValues(PropertyName='tandem_tags',PropertyValues=['2','3'])", "A"),
        (f"{CRM}.DoesNotContainValues(PropertyName='tandem_tags',PropertyValues=['1'])", "BC"),
        (f"{CRM}.OnOrAfter(PropertyName='createdon',PropertyValue='2020-05-06')", "AC"),
        (f"{CRM}.OnOrBefore(PropertyName='tandem_founded',PropertyValue='1999-12-31')", "C"),
        (f"{CRM}.NotOn(PropertyName='tandem_founded',PropertyValue='1999-12-31')", "AB"),
        (f"{CRM}.Yesterday(PropertyName='createdon')", ""),
        (f"{CRM}.NextXDays(PropertyName='tandem_founded',PropertyValue=3)", ""),
        (f"{CRM}.LastXHours(PropertyName='createdon',PropertyValue=1)", "AC"),
    ],
)
def test_a_filter_finds_its_rows(api: Api, world: dict[str, str], text: str, found: str) -> None:
    for name, row_id in world.items():
        text = text.replace(f"{{{name}}}", row_id)
    rows = api.select("accounts", select="name", filter=text, orderby="name")

    assert "".join(row["name"][0] for row in rows) == found


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("$filter=nonsense eq 1", (400, "0x80060888")),
        ("$filter=name eq 5", (400, "0x80060888")),
        (f"$filter={CRM}.EqualUserId(PropertyName='ownerid')", (400, "0x80060888")),
        (f"$filter={CRM}.Between(PropertyName='revenue',PropertyValues=['1'])", (400, "0x80060888")),
        (f"$filter={CRM}.Today(PropertyName='name')", (501, "0x80060600")),
        (f"$filter={CRM}.InFiscalYear(PropertyName='createdon',PropertyValue=1)", (501, "0x80060600")),
        ("$filter='text'", (400, "0x80060888")),
        ("$filter=name eq", (400, "0x80060888")),
        ("$filter=name eq 'open", (400, "0x80060888")),
        ("$select=nonsense", (400, "0x80060888")),
        ("$orderby=nonsense", (400, "0x80060888")),
        ("$expand=nonsense", (400, "0x80060888")),
        ("$skip=5", (400, "0x80060888")),
        ("$top=x", (400, "0x80060888")),
        ("$filter=year(createdon) eq 2020", (501, "0x80060600")),
        ("$apply=aggregate($count as n)", (501, "0x80060600")),
        ("sql=SELECT name FROM account", (501, "0x80060600")),
        ("fetchXml=<fetch/>", (501, "0x80060600")),
    ],
)
def test_a_query_that_cannot_be_run_says_so(
    api: Api, refused: Refused, query: str, refusal: tuple[int, str]
) -> None:
    api.create("accounts", name="A")

    assert refused(api.get(f"accounts?{query}")) == refusal


def test_a_parameter_alias_stands_for_its_value(api: Api, world: dict[str, str]) -> None:
    answer = api.get("accounts?$select=name&$filter=name eq @n&@n='Acme'").json()

    assert [row["accountid"] for row in answer["value"]] == [world["acme"]]


def test_rows_are_ordered_with_nulls_first(api: Api, world: dict[str, str]) -> None:
    up = [row["accountid"] for row in api.select("accounts", select="name", orderby="revenue asc,name")]
    down = [row["accountid"] for row in api.select("accounts", select="name", orderby="revenue desc")]

    assert up == [world["cube"], world["acme"], world["bolt"]]
    assert down == list(reversed(up))


def test_pages_fit_together_while_rows_come_and_go(api: Api) -> None:
    for name in "bdfhj":
        api.create("accounts", name=name)
    headers = {"Prefer": "odata.maxpagesize=2"}
    seen = []
    page = api.get("accounts?$select=name&$orderby=name&$count=true", headers=headers).json()
    while True:
        seen += [row["name"] for row in page["value"]]
        if "@odata.nextLink" not in page:
            break
        if seen == ["b", "d"]:
            api.delete(f"accounts({page['value'][1]['accountid']})")
            api.create("accounts", name="a")
            api.create("accounts", name="i")
        page = api.get(page["@odata.nextLink"], headers=headers).json()

    assert seen == ["b", "d", "f", "h", "i", "j"]


def test_the_number_of_rows_is_plain_text(api: Api, world: dict[str, str]) -> None:
    answer = api.get("accounts/$count?$filter=revenue ne null")

    assert (answer.headers["Content-Type"].partition(";")[0], answer.text) == ("text/plain", "2")
    assert api.get("accounts?$count=true&$top=1&$select=name").json()["@odata.count"] == 3


def test_related_rows_are_expanded_with_their_own_options(api: Api, world: dict[str, str]) -> None:
    answer = api.get(
        f"accounts({world['acme']})?$select=name&$expand=primarycontactid($select=fullname),"
        "account_parent_account($select=name;$expand=contact_customer_accounts($select=lastname;"
        "$filter=lastname eq 'Ray';$orderby=lastname;$top=1))"
    ).json()

    (child,) = answer["account_parent_account"]
    assert answer["primarycontactid"]["fullname"] == "Ann Lee"
    assert (child["accountid"], [row["lastname"] for row in child["contact_customer_accounts"]]) == (
        world["bolt"],
        ["Ray"],
    )


def test_a_path_leads_to_related_rows_and_values(api: Api, world: dict[str, str]) -> None:
    acme = f"accounts({world['acme']})"

    assert api.get(f"{acme}/primarycontactid?$select=fullname").json()["fullname"] == "Ann Lee"
    assert api.get(f"{acme}/contact_customer_accounts/$count").text == "1"
    assert api.get(f"{acme}/name/$value").text == "Acme"
    assert api.get(f"{acme}/primarycontactid/$ref").json()["@odata.id"].endswith(f"contacts({world['ann']})")


def test_members_come_and_go_by_reference(api: Api, world: dict[str, str]) -> None:
    cube = f"accounts({world['cube']})/contact_customer_accounts"
    count = f"{cube}/$count"

    linked = api.post(f"{cube}/$ref", json={"@odata.id": f"{api.root}contacts({world['ann']})"})
    api.post(f"{cube}/$ref", json={"@odata.id": f"contacts({world['bob']})"})
    both = api.get(count).text
    first = api.delete(f"{cube}({world['ann']})/$ref")
    second = api.delete(f"{cube}/$ref?$id={api.root}contacts({world['bob']})")

    assert [answer.status_code for answer in (linked, first, second)] == [204, 204, 204]
    assert (both, api.get(count).text) == ("2", "0")


def test_annotations_show_what_a_person_reads(api: Api, world: dict[str, str]) -> None:
    row = api.get(
        f"accounts({world['acme']})?$select=revenue,tandem_tier,donotemail,createdon,_primarycontactid_value",
        headers={"Prefer": 'odata.include-annotations="OData.Community.Display.V1.FormattedValue"'},
    ).json()

    suffix = "@OData.Community.Display.V1.FormattedValue"
    shown = {name.removesuffix(suffix): text for name, text in row.items() if name.endswith(suffix)}
    assert shown.pop("createdon").endswith(("AM", "PM"))
    assert shown == {
        "revenue": "$10.00",
        "tandem_tier": "Gold",
        "donotemail": "No",
        "_primarycontactid_value": "Ann Lee",
    }


@pytest.mark.parametrize("version", ["v9.0", "v9.1", "v9.2"])
def test_every_live_version_is_routed_and_named_in_addresses(api: Api, version: str) -> None:
    answer = api.get(f"{api.simulator.http_url}/api/data/{version}/accounts?")

    assert (
        answer.json()["@odata.context"] == f"{api.simulator.http_url}/api/data/{version}/$metadata#accounts"
    )


def test_form_encoded_queries_are_read_like_percent_encoded_ones(api: Api, world: dict[str, str]) -> None:
    form = api.get("accounts?%24select=name&%24filter=name+eq+%27Bolt+%26+S%C3%B6hne%27").json()["value"]

    assert [row["accountid"] for row in form] == [world["bolt"]]


def test_definitions_name_lengths_choices_and_keys(api: Api) -> None:
    table = api.get(
        "EntityDefinitions(LogicalName='account')?$select=EntitySetName,PrimaryIdAttribute&$expand=Keys"
    ).json()
    name = api.get("EntityDefinitions(LogicalName='account')/Attributes(LogicalName='name')").json()
    tier = api.get(
        "EntityDefinitions(LogicalName='account')/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
        "?$select=LogicalName&$expand=OptionSet($select=Options)&$filter=LogicalName eq 'tandem_tier'"
    ).json()["value"]

    assert (table["EntitySetName"], table["Keys"][0]["KeyAttributes"]) == ("accounts", ["tandem_sourcekey"])
    assert (name["MaxLength"], name["RequiredLevel"]["Value"]) == (160, "ApplicationRequired")
    options = tier[0]["OptionSet"]["Options"]
    assert [(option["Value"], option["Label"]["UserLocalizedLabel"]["Label"]) for option in options] == [
        (100000000, "Gold"),
        (100000001, "Silver"),
    ]


def test_created_columns_keys_and_relationships_survive_a_restart(flowing: Callable[[], Api]) -> None:
    api = flowing()
    account = "EntityDefinitions(LogicalName='account')"
    string = "Microsoft.Dynamics.CRM.StringAttributeMetadata"
    column = {"@odata.type": string, "SchemaName": "new_Code", "MaxLength": 5}
    relationship = {
        "@odata.type": "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
        "SchemaName": "new_account_buddies",
        "ReferencedEntity": "contact",
        "ReferencingEntity": "account",
        "Lookup": {"SchemaName": "new_BuddyId"},
    }
    key = {"SchemaName": "new_code_key", "KeyAttributes": ["new_code"]}
    made = [
        api.post(f"{account}/Attributes", json=column),
        api.post(f"{account}/Keys", json=key),
        api.post("RelationshipDefinitions", json=relationship),
    ]
    assert [answer.status_code for answer in made] == [204, 204, 204]

    api = flowing()
    buddy = api.create("contacts", lastname="Buddy")
    bound = {"new_BuddyId@odata.bind": f"/contacts({buddy})"}
    created = api.patch("accounts(new_code='A')", json={"name": "A", **bound})

    assert created.status_code == 204
    assert api.patch("accounts(new_code='A')", json={"new_code": "toolong"}).status_code == 400
    assert api.get(f"contacts({buddy})/new_account_buddies/$count").text == "1"
