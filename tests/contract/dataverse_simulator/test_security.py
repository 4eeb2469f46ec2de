"""Security roles: what a user may do to whose rows, and the service's words when it may not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local.dataverse.seed import ADMINISTRATOR, BUSINESS_UNIT, TANDEM_APPLICATION_ID, TANDEM_USER
from local.dataverse.server import Settings, start

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Api

Refused = Callable[[httpx.Response], tuple[int, str]]
DENIED = (403, "0x80040220")
OUT_OF_REACH = (403, "0x80048306")


class House:
    """An organisation with two units, a user in each, and one role that a test fills."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.south = api.create(
            "businessunits",
            name="South",
            **{"parentbusinessunitid@odata.bind": f"businessunits({BUSINESS_UNIT})"},
        )
        self.anna = self._user("Anna", BUSINESS_UNIT)
        self.bert = self._user("Bert", self.south)

    def grant(self, **tables: Any) -> None:
        """Give Anna and Bert one role with these privileges, and nothing else."""
        self.secure(roles={"Sales": {"tables": tables}}, users={self.anna: ["Sales"], self.bert: ["Sales"]})

    def secure(self, **document: Any) -> httpx.Response:
        answer = httpx.put(f"{self.api.simulator.http_url}/admin/security", json=document)
        assert answer.status_code == 200, answer.text
        return answer

    def call(self, user: str, method: str, address: str, body: object = None) -> httpx.Response:
        """A request on behalf of a user; of the administrator itself without one."""
        headers = {"MSCRMCallerID": user} if user else {}
        return self.api.client.request(method, address, json=body, headers=headers)

    def _user(self, name: str, unit: str) -> str:
        return self.api.create(
            "systemusers",
            firstname=name,
            lastname="Sales",
            internalemailaddress=f"{name}@contoso.example",
            **{"businessunitid@odata.bind": f"businessunits({unit})"},
        )


@pytest.fixture
def house(api: Api) -> House:
    return House(api)


@pytest.mark.parametrize(
    ("method", "address", "body", "privilege"),
    [
        ("POST", "accounts", {"name": "B"}, "prvCreateAccount"),
        ("GET", "accounts", None, "prvReadAccount"),
        ("GET", "accounts({row})", None, "prvReadAccount"),
        ("GET", "accounts/$count", None, "prvReadAccount"),
        ("PATCH", "accounts({row})", {"telephone1": "1"}, "prvWriteAccount"),
        ("DELETE", "accounts({row})", None, "prvDeleteAccount"),
        ("POST", "tasks", {"subject": "T"}, "prvCreateActivity"),
        ("POST", "annotations", {"subject": "N"}, "prvCreateNote"),
    ],
)
def test_what_no_role_grants_is_refused_by_the_name_of_the_privilege(
    api: Api, house: House, method: str, address: str, body: object, privilege: str
) -> None:
    row = api.create("accounts", name="A")
    house.grant(contact="organisation")

    answer = house.call(house.anna, method, address.format(row=row), body)

    assert answer.status_code == 403
    error = answer.json()["error"]
    assert error["code"] == "0x80040220"
    assert error["message"].startswith(
        f"Principal user (Id={house.anna}, type=8, roleCount=1, privilegeCount=7, accessMode=0), "
        f"is missing {privilege} privilege (Id="
    )
    assert error["message"].endswith(f"context.Caller={house.anna}")
    assert [found["name"] for found in api.select("accounts")] == ["A"]


def test_a_user_sees_and_changes_its_own_rows_only_when_that_is_its_depth(
    house: House, refused: Refused
) -> None:
    house.grant(account="user")
    ids = {}
    for name, user in (("A", house.anna), ("B", house.bert)):
        ids[name] = house.call(user, "POST", "accounts", {"name": name}).headers["OData-EntityId"][-37:-1]

    seen = house.call(house.anna, "GET", "accounts?$select=name&$count=true").json()

    assert [row["name"] for row in seen["value"]] == ["A"]
    assert seen["@odata.count"] == 1
    assert house.call(house.anna, "PATCH", f"accounts({ids['A']})", {"telephone1": "1"}).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        answer = house.call(house.anna, method, f"accounts({ids['B']})", {})
        assert refused(answer) == OUT_OF_REACH
        assert f"CallingUser: {house.anna}" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("depth", "anna", "bert"),
    [
        ("business unit", ["A"], ["B"]),
        ("business unit and below", ["A", "B"], ["B"]),
        ("organisation", ["A", "B"], ["A", "B"]),
    ],
)
def test_a_depth_reaches_as_far_as_its_units(
    api: Api, house: House, depth: str, anna: list[str], bert: list[str]
) -> None:
    for name, owner in (("A", house.anna), ("B", house.bert)):
        api.create("accounts", name=name, **{"ownerid@odata.bind": f"systemusers({owner})"})
    house.grant(account={"read": depth})

    seen = [
        [row["name"] for row in house.call(user, "GET", "accounts?$orderby=name").json()["value"]]
        for user in (house.anna, house.bert)
    ]

    assert seen == [anna, bert]


def test_rows_of_a_team_belong_to_its_members_and_so_do_its_roles(api: Api, house: House) -> None:
    team = api.create("teams", name="Tigers")
    api.post(
        f"teams({team})/teammembership_association/$ref", json={"@odata.id": f"systemusers({house.anna})"}
    )
    api.create("accounts", name="Theirs", **{"ownerid@odata.bind": f"teams({team})"})
    house.secure(roles={"Reader": {"tables": {"account": {"read": "user"}}}}, roles_required=True)
    role = api.select("roles", filter="name eq 'Reader'")[0]["roleid"]

    before = house.call(house.anna, "GET", "accounts").status_code
    api.post(f"teams({team})/teamroles_association/$ref", json={"@odata.id": f"roles({role})"})
    after = house.call(house.anna, "GET", "accounts").json()["value"]

    assert before == 403
    assert [row["name"] for row in after] == ["Theirs"]


def test_pointing_at_a_row_needs_append_here_and_append_to_there(house: House, refused: Refused) -> None:
    account = house.call("", "POST", "accounts", {"name": "A"}).headers["OData-EntityId"][-37:-1]
    bound = {"lastname": "B", "parentcustomerid_account@odata.bind": f"accounts({account})"}
    seen = []
    for contact, other in (
        ({"create": "organisation"}, {"append to": "organisation"}),
        ({"create": "organisation", "append": "organisation"}, {"read": "organisation"}),
        ({"create": "organisation", "append": "organisation"}, {"append to": "organisation"}),
    ):
        house.grant(contact=contact, account=other)
        seen.append(house.call(house.anna, "POST", "contacts", bound))

    assert [answer.status_code for answer in seen] == [403, 403, 204]
    assert [refused(answer) for answer in seen[:2]] == [DENIED, DENIED]
    assert "prvAppendContact" in seen[0].text
    assert "prvAppendToAccount" in seen[1].text


def test_giving_a_row_to_somebody_else_needs_assign(api: Api, house: House, refused: Refused) -> None:
    account = api.create("accounts", name="A")
    given = {"ownerid@odata.bind": f"systemusers({house.bert})"}
    house.grant(account={"read": "organisation", "write": "organisation"})
    without = house.call(house.anna, "PATCH", f"accounts({account})", given)
    house.grant(account={"read": "organisation", "write": "organisation", "assign": "organisation"})
    with_it = house.call(house.anna, "PATCH", f"accounts({account})", given)

    assert refused(without) == DENIED
    assert "prvAssignAccount" in without.text
    assert with_it.status_code == 204


def test_an_action_needs_what_it_does(api: Api, house: House, refused: Refused) -> None:
    deal = api.create("opportunities", name="D")
    house.grant(opportunity={"read": "organisation"}, opportunityclose="organisation")

    body = {"Status": 3, "OpportunityClose": {"opportunityid@odata.bind": f"opportunities({deal})"}}
    answer = house.call(house.anna, "POST", "WinOpportunity", body)

    assert refused(answer) == DENIED
    assert api.row(f"opportunities({deal})", "statecode")["statecode"] == 0


def test_one_refused_row_of_many_undoes_the_rest(api: Api, house: House, refused: Refused) -> None:
    mine = api.create("accounts", name="Mine", **{"ownerid@odata.bind": f"systemusers({house.anna})"})
    other = api.create("accounts", name="Other")
    house.grant(account={"write": "user"})
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.account", "telephone1": "1"}

    answer = house.call(
        house.anna,
        "POST",
        "accounts/Microsoft.Dynamics.CRM.UpdateMultiple",
        {"Targets": [kind | {"accountid": row} for row in (mine, other)]},
    )

    assert refused(answer) == OUT_OF_REACH
    assert api.row(f"accounts({mine})", "telephone1")["telephone1"] is None


def test_changes_are_tracked_only_by_who_sees_every_row(house: House, refused: Refused) -> None:
    house.grant(account={"read": "user"})

    answer = house.api.client.get(
        "accounts", headers={"Prefer": "odata.track-changes", "MSCRMCallerID": house.anna}
    )

    assert refused(answer) == DENIED


def test_an_expanded_row_that_may_not_be_seen_is_not_shown(api: Api, house: House) -> None:
    account = api.create("accounts", name="Hidden")
    api.create(
        "contacts",
        lastname="Seen",
        **{
            "parentcustomerid_account@odata.bind": f"accounts({account})",
            "ownerid@odata.bind": f"systemusers({house.anna})",
        },
    )
    house.grant(contact={"read": "user"}, account={"read": "user"})

    rows = house.call(house.anna, "GET", "contacts?$expand=parentcustomerid_account").json()["value"]

    assert [(row["lastname"], row["parentcustomerid_account"]) for row in rows] == [("Seen", None)]


@pytest.mark.parametrize(
    ("header", "privilege"),
    [
        ({"MSCRM.BypassBusinessLogicExecution": "CustomSync"}, "prvBypassCustomBusinessLogic"),
        ({"MSCRM.BypassCustomPluginExecution": "true"}, "prvBypassCustomPlugins"),
        ({"MSCRMCallerID": ADMINISTRATOR}, "prvActOnBehalfOfAnotherUser"),
    ],
)
def test_what_a_header_asks_for_has_a_privilege_of_its_own(
    house: House, header: dict[str, str], privilege: str
) -> None:
    role = {"Integration": {"tables": {"*": "organisation"}}}
    asked = header | {"Authorization": f"Bearer {_token(TANDEM_APPLICATION_ID)}"}
    house.secure(roles=role, users={TANDEM_APPLICATION_ID: ["Integration"]})
    without = house.api.client.post("accounts", json={"name": "A"}, headers=asked)
    role["Integration"]["also"] = [privilege]  # type: ignore[assignment]
    house.secure(roles=role)
    with_it = house.api.client.post("accounts", json={"name": "A"}, headers=asked)

    assert without.status_code == 403
    assert f"is missing {privilege} privilege" in without.text
    assert with_it.status_code == 204


def test_overriding_the_creation_time_has_a_privilege_of_its_own(house: House, refused: Refused) -> None:
    house.grant(account="organisation")

    answer = house.call(
        house.anna, "POST", "accounts", {"name": "A", "overriddencreatedon": "2001-01-01T00:00:00Z"}
    )

    assert refused(answer) == DENIED
    assert "prvOverrideCreatedOnCreatedBy" in answer.text


def test_impersonation_gives_what_both_may_do(house: House) -> None:
    house.secure(
        roles={
            "Integration": {"tables": {"account": "organisation"}, "also": ["prvActOnBehalfOfAnotherUser"]},
            "Sales": {"tables": {"account": "organisation", "contact": "organisation"}},
        },
        users={TANDEM_APPLICATION_ID: ["Integration"], house.anna: ["Sales"]},
    )
    headers = {"Authorization": f"Bearer {_token(TANDEM_APPLICATION_ID)}", "MSCRMCallerID": house.anna}

    seen = [
        house.api.client.post("accounts", json={"name": "A"}, headers=headers).status_code,
        house.api.client.post("contacts", json={"lastname": "C"}, headers=headers).status_code,
    ]

    assert seen == [204, 403]


def test_customising_has_privileges_of_its_own(house: House, refused: Refused) -> None:
    house.grant(**{"*": "organisation"})
    choice = {"Name": "new_size", "Options": []}

    answer = house.call(house.anna, "POST", "GlobalOptionSetDefinitions", choice)

    assert refused(answer) == DENIED
    assert "prvCreateOptionSet" in answer.text


def test_who_holds_no_role_is_refused_where_roles_are_required(house: House, refused: Refused) -> None:
    free = house.call(house.anna, "GET", "accounts").status_code
    house.secure(roles_required=True)

    assert free == 200
    assert refused(house.call(house.anna, "GET", "accounts")) == (403, "0x80042f09")
    assert house.call("", "GET", "accounts").status_code == 200


def test_roles_come_from_a_file_at_the_start_and_outlive_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "security.json"
    role = {"tables": {"account": {"read": "organisation"}}}
    file.write_text(json.dumps({"roles": {"Reader": role}, "users": {TANDEM_APPLICATION_ID: ["Reader"]}}))
    headers = {"Authorization": f"Bearer {_token(TANDEM_APPLICATION_ID)}"}
    seen = []
    for security in (file, None):
        with start(Settings(store=tmp_path / "store.db", security=security)) as simulator:
            root = f"{simulator.http_url}/api/data/v9.2"
            shown = httpx.get(f"{simulator.http_url}/admin/security").json()
            seen.append(
                (
                    httpx.get(f"{root}/accounts", headers=headers).status_code,
                    httpx.post(f"{root}/accounts", headers=headers, json={"name": "A"}).status_code,
                    shown["roles"]["Reader"],
                    shown["users"][TANDEM_USER],
                )
            )

    assert seen == [(200, 403, {"prvReadAccount": "organisation"}, ["Reader"])] * 2


@pytest.mark.parametrize(
    "document",
    [
        {"roles": {"R": {"tables": {"nonsense": "user"}}}},
        {"roles": {"R": {"tables": {"account": {"read": "deep"}}}}},
        {"roles": {"R": {"tables": {"account": {"reed": "user"}}}}},
        {"users": {"nobody": []}},
        {"users": {TANDEM_APPLICATION_ID: ["nothing"]}},
        {"rules": {}},
    ],
)
def test_a_document_that_means_nothing_changes_nothing(api: Api, document: dict[str, Any]) -> None:
    url = f"{api.simulator.http_url}/admin/security"
    before = httpx.get(url).json()

    answer = httpx.put(url, json=document)

    assert answer.status_code == 400
    assert httpx.get(url).json() == before


def _token(application: str) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"appid": application}).encode()).decode().rstrip("=")
    return f"e30.{claims}.x"
