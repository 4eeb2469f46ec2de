"""Create, update, upsert and delete over HTTP, with every status and header of the service."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Api

GHOST = "00000000-0000-0000-0000-00000000dead"
Refused = Callable[[httpx.Response], tuple[int, str]]


def test_a_request_without_a_token_is_challenged(api: Api) -> None:
    answer = httpx.get(f"{api.root}WhoAmI")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")


def test_a_create_answers_with_the_address_of_the_row(api: Api) -> None:
    answer = api.post("accounts", json={"name": "Fabrikam"})

    assert answer.status_code == 204
    assert answer.headers["OData-EntityId"].startswith(f"{api.root}accounts(")
    assert answer.headers["OData-EntityId"].endswith(")")
    assert api.row(answer.headers["OData-EntityId"], "name")["name"] == "Fabrikam"


def test_a_create_with_representation_shows_the_row_and_no_address(api: Api) -> None:
    answer = api.post(
        "accounts",
        json={"name": "Fabrikam"},
        headers={"Prefer": "return=representation"},
        params={"$select": "name"},
    )

    assert answer.status_code == 201
    assert answer.headers["Preference-Applied"] == "return=representation"
    assert "OData-EntityId" not in answer.headers
    body = answer.json()
    assert set(body) == {"@odata.context", "@odata.etag", "accountid", "name"}


def test_a_patch_of_nobody_creates_under_the_given_id(api: Api) -> None:
    answer = api.patch(f"accounts({GHOST})", json={"name": "Ghost"})

    assert (answer.status_code, answer.headers["OData-EntityId"]) == (204, f"{api.root}accounts({GHOST})")
    assert api.row(f"accounts({GHOST})", "name") == {"accountid": GHOST, "name": "Ghost"}


@pytest.mark.parametrize(("before", "status"), [("nobody", 201), ("somebody", 200)])
def test_an_upsert_with_representation_tells_create_from_update(api: Api, before: str, status: int) -> None:
    if before == "somebody":
        api.patch(f"accounts({GHOST})", json={"name": "Ghost"})

    answer = api.patch(
        f"accounts({GHOST})", json={"name": "Again"}, headers={"Prefer": "return=representation"}
    )

    assert answer.status_code == status
    assert answer.headers["ETag"] == answer.json()["@odata.etag"]


def test_if_match_star_never_creates(api: Api, refused: Refused) -> None:
    answer = api.patch(f"accounts({GHOST})", json={"name": "Ghost"}, headers={"If-Match": "*"})

    assert refused(answer) == (404, "0x80040217")
    assert answer.json()["error"]["message"] == f"account With Id = {GHOST} Does Not Exist"


def test_if_none_match_star_never_updates(api: Api, refused: Refused) -> None:
    row_id = api.create("accounts", name="First")

    answer = api.patch(f"accounts({row_id})", json={"name": "Second"}, headers={"If-None-Match": "*"})

    assert refused(answer) == (412, "0x80040237")
    assert api.row(f"accounts({row_id})", "name")["name"] == "First"


def test_the_word_null_in_if_none_match_is_no_condition(api: Api) -> None:
    row_id = api.create("accounts", name="First")

    answer = api.patch(f"accounts({row_id})", json={"name": "Second"}, headers={"If-None-Match": "null"})

    assert answer.status_code == 204


def test_a_write_decided_on_an_old_version_is_refused(api: Api, refused: Refused) -> None:
    row_id = api.create("accounts", name="First")
    seen = api.get(f"accounts({row_id})").json()["@odata.etag"]
    assert (
        api.patch(f"accounts({row_id})", json={"name": "Second"}, headers={"If-Match": seen}).status_code
        == 204
    )

    stale = api.patch(f"accounts({row_id})", json={"name": "Third"}, headers={"If-Match": seen})
    stale_delete = api.delete(f"accounts({row_id})", headers={"If-Match": seen})

    assert refused(stale) == refused(stale_delete) == (412, "0x80060882")
    assert api.row(f"accounts({row_id})", "name")["name"] == "Second"


def test_a_current_version_is_not_sent_again(api: Api) -> None:
    row_id = api.create("accounts", name="First")
    seen = api.get(f"accounts({row_id})").headers["ETag"]

    assert api.get(f"accounts({row_id})", headers={"If-None-Match": seen}).status_code == 304
    assert (
        api.get(
            f"accounts({row_id})?$expand=primarycontactid($select=fullname)", headers={"If-None-Match": seen}
        ).status_code
        == 200
    )


def test_a_delete_happens_once(api: Api, refused: Refused) -> None:
    row_id = api.create("accounts", name="First")

    assert api.delete(f"accounts({row_id})").status_code == 204
    assert refused(api.delete(f"accounts({row_id})")) == (404, "0x80040217")


def test_one_column_can_be_put_and_cleared(api: Api) -> None:
    row_id = api.create("accounts", name="First", telephone1="1")

    assert api.put(f"accounts({row_id})/telephone1", json={"value": "2"}).status_code == 204
    assert api.get(f"accounts({row_id})/telephone1").json()["value"] == "2"
    assert api.delete(f"accounts({row_id})/telephone1").status_code == 204
    assert api.get(f"accounts({row_id})/telephone1").status_code == 204


def test_an_upsert_by_key_creates_then_updates_the_same_row(api: Api) -> None:
    address = "accounts(tandem_sourcekey='allegory:O''Neil/1')"

    created = api.patch(address, json={"name": "First"})
    updated = api.patch(address, json={"name": "Second", "tandem_sourcekey": "ignored"})

    assert created.status_code == updated.status_code == 204
    assert created.headers["OData-EntityId"] == f"{api.root}{address}"
    assert api.select("accounts", select="name,tandem_sourcekey") == [
        {
            "accountid": api.row(address)["accountid"],
            "name": "Second",
            "tandem_sourcekey": "allegory:O'Neil/1",
        }
    ]


def test_a_key_value_belongs_to_one_row_and_the_refusal_names_it(api: Api, refused: Refused) -> None:
    holder = api.create("accounts", name="First", tandem_sourcekey="A-1")

    answer = api.post("accounts", json={"name": "Second", "tandem_sourcekey": "a-1"})

    assert refused(answer) == (412, "0x80060892")
    assert holder in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("request_line", "refusal"),
    [
        ("GET accounts(tandem_sourcekey='nobody')", (404, "0x80060891")),
        ("DELETE accounts(tandem_sourcekey='nobody')", (404, "0x80060891")),
        ("GET accounts(name='nobody')", (400, "0x80060890")),
        ("GET gadgets", (404, "0x8006088a")),
        (f"GET accounts({GHOST})", (404, "0x80040217")),
    ],
)
def test_an_address_that_finds_nothing_says_why(
    api: Api, refused: Refused, request_line: str, refusal: tuple[int, str]
) -> None:
    assert refused(api.request(*request_line.split())) == refusal


@pytest.mark.parametrize(
    ("columns", "status", "code"),
    [
        ({"nonsense": 1}, 400, "0x80048d19"),
        ({"name": "x" * 161}, 400, "0x80044331"),
        ({"name": 5}, 400, "0x80048d19"),
        ({"tandem_tier": 7}, 400, "0x8004431A"),
        ({"tandem_score": 11}, 400, "0x80044330"),
        ({"numberofemployees": -1}, 400, "0x8004432F"),
        ({"revenue": 1e15}, 400, "0x80040317"),
        ({"tandem_founded": "2020-01-01T00:00:00Z"}, 400, "0x80048d19"),
        ({"donotemail": "yes"}, 400, "0x80048d19"),
        ({"_primarycontactid_value": GHOST}, 400, "0x80048d19"),
        ({"PrimaryContactId@odata.bind": f"/contacts({GHOST})"}, 400, "0x80048d19"),
        ({"primarycontactid@odata.bind": f"/contacts({GHOST})"}, 404, "0x80040217"),
        ({"primarycontactid@odata.bind": f"/accounts({GHOST})"}, 400, "0x80048d19"),
        ({"statecode": 1, "statuscode": 1}, 400, "0x80048408"),
        ({"statuscode": 99}, 400, "0x8004431A"),
        ({"parentaccountid@odata.bind": "/accounts(tandem_sourcekey='nobody')"}, 404, "0x80060891"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_value_that_does_not_fit_is_refused_with_its_code(
    api: Api, refused: Refused, columns: dict[str, object], status: int, code: str
) -> None:
    row_id = api.create("accounts", name="First")

    assert refused(api.patch(f"accounts({row_id})", json=columns)) == (status, code)


def test_columns_the_service_keeps_itself_are_taken_and_not_used(api: Api) -> None:
    row_id = api.create(
        "contacts", firstname="Ada", lastname="Lovelace", fullname="Somebody", createdon="1999-01-01"
    )

    row = api.row(f"contacts({row_id})", "fullname", "createdon")

    assert row["fullname"] == "Ada Lovelace"
    assert row["createdon"] > "2000"


def test_lookups_are_bound_by_id_by_key_and_by_address_and_cleared_by_null(api: Api) -> None:
    parent = api.create("accounts", name="Parent", tandem_sourcekey="P")
    child = api.create("accounts", name="Child")
    seen = []
    for address in (
        f"/accounts({parent})",
        "accounts(tandem_sourcekey='P')",
        f"{api.root}accounts({parent})",
        None,
    ):
        assert (
            api.patch(f"accounts({child})", json={"parentaccountid@odata.bind": address}).status_code == 204
        )
        seen.append(api.row(f"accounts({child})", "_parentaccountid_value")["_parentaccountid_value"])

    assert seen == [parent, parent, parent, None]


def test_a_polymorphic_lookup_remembers_its_table(api: Api) -> None:
    company = api.create("accounts", name="Company")
    person = api.create(
        "contacts", lastname="Person", **{"parentcustomerid_account@odata.bind": f"/accounts({company})"}
    )

    answer = api.get(
        f"contacts({person})?$select=_parentcustomerid_value",
        headers={"Prefer": 'odata.include-annotations="*"'},
    ).json()

    lookup = "_parentcustomerid_value"
    assert {name: value for name, value in answer.items() if name.startswith(lookup)} == {
        lookup: company,
        f"{lookup}@OData.Community.Display.V1.FormattedValue": "Company",
        f"{lookup}@Microsoft.Dynamics.CRM.associatednavigationproperty": "parentcustomerid_account",
        f"{lookup}@Microsoft.Dynamics.CRM.lookuplogicalname": "account",
    }


def test_a_row_comes_with_its_defaults_and_audit_columns(api: Api) -> None:
    me = api.get("WhoAmI").json()["UserId"]
    row_id = api.create("opportunities", name="Deal", estimatedvalue=100)

    row = api.row(f"opportunities({row_id})")

    usd = api.select("transactioncurrencies", filter="isocurrencycode eq 'USD'")[0]["transactioncurrencyid"]
    assert (row["statecode"], row["statuscode"]) == (0, 1)
    assert (row["_createdby_value"], row["_modifiedby_value"], row["_ownerid_value"]) == (me, me, me)
    assert (row["_transactioncurrencyid_value"], row["exchangerate"]) == (usd, 1.0)
    assert (row["estimatedvalue"], row["estimatedvalue_base"]) == (100.0, 100.0)
    assert row["createdon"] == row["modifiedon"]
    assert len(row["createdon"]) == len("2026-01-31T10:11:12Z")


def test_an_overridden_creation_time_becomes_the_creation_time(api: Api) -> None:
    row_id = api.create("accounts", name="Old", overriddencreatedon="2015-05-05T05:05:05Z")

    row = api.row(f"accounts({row_id})", "createdon", "overriddencreatedon", "modifiedon")

    assert row["createdon"] == "2015-05-05T05:05:05Z"
    assert row["overriddencreatedon"] == row["modifiedon"]


def test_an_amount_in_another_currency_has_a_base_twin(api: Api) -> None:
    euro = api.select("transactioncurrencies", filter="isocurrencycode eq 'EUR'")[0]["transactioncurrencyid"]
    row_id = api.create(
        "opportunities",
        name="Deal",
        estimatedvalue=92,
        **{"transactioncurrencyid@odata.bind": f"/transactioncurrencies({euro})"},
    )

    assert api.row(f"opportunities({row_id})", "estimatedvalue_base")["estimatedvalue_base"] == 100.0


def test_an_empty_text_is_null(api: Api) -> None:
    row_id = api.create("accounts", name="First", telephone1="")

    assert api.row(f"accounts({row_id})", "telephone1")["telephone1"] is None


def test_nested_rows_are_created_with_their_parent(api: Api) -> None:
    row_id = api.create(
        "accounts",
        name="Company",
        primarycontactid={"lastname": "Boss"},
        contact_customer_accounts=[{"lastname": "One"}, {"lastname": "Two"}],
    )

    people = api.select("contacts", select="lastname,_parentcustomerid_value", orderby="lastname")
    assert [(row["lastname"], row["_parentcustomerid_value"]) for row in people] == [
        ("Boss", None),
        ("One", row_id),
        ("Two", row_id),
    ]
    company = api.row(f"accounts({row_id})", "_primarycontactid_value")
    assert company["_primarycontactid_value"] == people[0]["contactid"]


def test_a_delete_takes_children_along_and_lets_other_rows_go(api: Api) -> None:
    company = api.create("accounts", name="Company")
    person = api.create(
        "contacts", lastname="Person", **{"parentcustomerid_account@odata.bind": f"/accounts({company})"}
    )
    daughter = api.create(
        "accounts", name="Daughter", **{"parentaccountid@odata.bind": f"/accounts({company})"}
    )

    assert api.delete(f"accounts({company})").status_code == 204

    assert api.get(f"contacts({person})").status_code == 404
    assert api.row(f"accounts({daughter})", "_parentaccountid_value")["_parentaccountid_value"] is None


def test_a_currency_in_use_cannot_be_deleted(api: Api, refused: Refused) -> None:
    euro = api.select("transactioncurrencies", filter="isocurrencycode eq 'EUR'")[0]["transactioncurrencyid"]
    api.create(
        "accounts", name="A", **{"transactioncurrencyid@odata.bind": f"/transactioncurrencies({euro})"}
    )

    assert refused(api.delete(f"transactioncurrencies({euro})")) == (405, "0x80040227")


@pytest.mark.parametrize("sent", [b"", b'{"name": "Nordwind"'])
def test_a_request_that_is_cut_off_before_its_end_writes_nothing(api: Api, sent: bytes) -> None:
    """A client that is killed has often sent the head of a request and nothing, or half, of its body."""
    port = urlsplit(api.simulator.http_url).port
    row_id = "00000000-0000-4000-8000-00000000c0de"
    head = (
        f"PATCH /api/data/v9.2/accounts({row_id}) HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "Authorization: Bearer opaque\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=60) as half:
        half.sendall(head.encode() + sent)
        half.shutdown(socket.SHUT_WR)
        assert half.recv(1) == b"", "nobody is there to be answered"

    assert api.get(f"accounts({row_id})").status_code == 404


def test_an_address_shows_as_one_text(api: Api) -> None:
    parts = {"line1": "Hafenweg 12", "line2": "2. Hof", "city": "Leipzig", "stateorprovince": "SN"}
    parts |= {"postalcode": "04109", "country": "Germany"}
    row = api.create("accounts", name="A", **{f"address1_{name}": value for name, value in parts.items()})

    shown = api.row(f"accounts({row})", "address1_composite")["address1_composite"]
    api.patch(f"accounts({row})", json={"address1_line2": None, "address1_stateorprovince": None})

    assert shown == "Hafenweg 12\r\n2. Hof\r\nLeipzig, SN 04109\r\nGermany"
    assert api.row(f"accounts({row})", "address1_composite")["address1_composite"] == (
        "Hafenweg 12\r\nLeipzig 04109\r\nGermany"
    )


def test_a_key_may_be_of_numbers_a_choice_a_day_and_a_row(api: Api, refused: Refused) -> None:
    columns = ["numberofemployees", "tandem_score", "tandem_tier", "lastusedincampaign", "primarycontactid"]
    key = {"SchemaName": "new_odd_key", "KeyAttributes": columns}
    assert api.post("EntityDefinitions(LogicalName='account')/Keys", json=key).status_code == 204
    ann = api.create("contacts", lastname="Lee")
    values = "numberofemployees={},tandem_score={},tandem_tier=100000000,lastusedincampaign={},"
    values += f"_primarycontactid_value={ann}"
    address = f"accounts({values.format(7, 1.5, '2026-01-31')})"

    assert api.patch(address, json={"name": "Odd"}).status_code == 204
    row = api.row(address, "name", "numberofemployees", "tandem_score", "_primarycontactid_value")
    assert {name: value for name, value in row.items() if name != "accountid"} == {
        "name": "Odd",
        "numberofemployees": 7,
        "tandem_score": 1.5,
        "_primarycontactid_value": ann,
    }
    wrong = f"accounts({values.format('many', 1.5, '2026-01-31')})"
    assert refused(api.get(wrong)) == (400, "0x80060888")


def test_an_account_is_never_above_itself(api: Api, refused: Refused) -> None:
    first = api.create("accounts", name="A")
    second = api.create("accounts", name="B", **{"parentaccountid@odata.bind": f"/accounts({first})"})
    third = api.create("accounts", name="C", **{"parentaccountid@odata.bind": f"/accounts({second})"})

    for above in (first, second, third):
        answer = api.patch(f"accounts({first})", json={"parentaccountid@odata.bind": f"/accounts({above})"})
        assert refused(answer) == (400, "0x80040507")
    itself = "11111111-2222-4333-8444-555555555555"
    body = {"name": "D", "parentaccountid@odata.bind": f"/accounts({itself})"}
    assert api.patch(f"accounts({itself})", json=body).status_code in {400, 404}
    assert api.row(f"accounts({first})", "_parentaccountid_value")["_parentaccountid_value"] is None
