"""States and the actions that move between them, activities, owners, impersonation, files."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import jwt
import pytest

from local.dataverse.seed import TANDEM_APPLICATION_ID, TANDEM_USER

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Api

Refused = Callable[[httpx.Response], tuple[int, str]]


def state(api: Api, address: str) -> tuple[int, int]:
    row = api.row(address, "statecode", "statuscode")
    return row["statecode"], row["statuscode"]


def test_a_deal_is_won_by_the_action_only(api: Api, refused: Refused) -> None:
    deal = api.create("opportunities", name="Deal", estimatedvalue=500)
    bind = {"opportunityid@odata.bind": f"/opportunities({deal})"}

    patched = api.patch(f"opportunities({deal})", json={"statecode": 1, "statuscode": 3})
    won = api.post(
        "WinOpportunity",
        json={
            "Status": 3,
            "OpportunityClose": {
                "subject": "Won",
                "actualend": "2025-03-06T00:00:00Z",
                "actualrevenue": 450.5,
                **bind,
            },
        },
    )
    again = api.post("LoseOpportunity", json={"Status": 4, "OpportunityClose": {"subject": "No", **bind}})

    assert refused(patched) == (400, "0x80100005")
    assert won.status_code == 204
    assert refused(again) == (400, "0x80040515")
    row = api.row(f"opportunities({deal})", "statecode", "statuscode", "actualvalue", "actualclosedate")
    assert row == {
        "opportunityid": deal,
        "statecode": 1,
        "statuscode": 3,
        "actualvalue": 450.5,
        "actualclosedate": "2025-03-06",
    }
    closes = api.select("opportunitycloses", select="subject,statecode,_opportunityid_value")
    assert [(row["subject"], row["statecode"], row["_opportunityid_value"]) for row in closes] == [
        ("Won", 1, deal)
    ]


def test_a_closed_deal_takes_no_changes_until_it_is_reopened(api: Api, refused: Refused) -> None:
    deal = api.create("opportunities", name="Deal")
    close = {"subject": "Lost", "opportunityid@odata.bind": f"/opportunities({deal})"}
    assert api.post("LoseOpportunity", json={"Status": -1, "OpportunityClose": close}).status_code == 204

    late = api.patch(f"opportunities({deal})", json={"name": "Late"})

    assert refused(late) == (400, "0x80040233")
    assert state(api, f"opportunities({deal})") == (2, 4)
    assert api.patch(f"opportunities({deal})", json={"statecode": 0, "statuscode": 1}).status_code == 204
    assert api.patch(f"opportunities({deal})", json={"name": "Late"}).status_code == 204


def test_a_row_is_born_in_its_first_state(api: Api, refused: Refused) -> None:
    assert refused(api.post("tasks", json={"subject": "T", "statecode": 1, "statuscode": 5})) == (
        400,
        "0x80048408",
    )
    assert state(api, f"tasks({api.create('tasks', subject='T', statuscode=3)})") == (0, 3)


def test_a_case_is_resolved_by_the_action_only(api: Api, refused: Refused) -> None:
    company = api.create("accounts", name="Company")
    assert refused(api.post("incidents", json={"title": "No customer"})) == (400, "0x80040203")
    case = api.create("incidents", title="Case", **{"customerid_account@odata.bind": f"/accounts({company})"})
    body = {
        "Status": 5,
        "IncidentResolution": {"subject": "Done", "incidentid@odata.bind": f"/incidents({case})"},
    }

    assert refused(api.patch(f"incidents({case})", json={"statecode": 1})) == (400, "0x80040233")
    assert api.post("CloseIncident", json=body).status_code == 204
    assert refused(api.post("CloseIncident", json=body)) == (400, "0x80044411")
    assert state(api, f"incidents({case})") == (1, 5)
    assert api.row(f"incidents({case})", "ticketnumber")["ticketnumber"].startswith("CAS-")


def test_a_lead_is_qualified_into_what_was_asked(api: Api) -> None:
    lead = api.create("leads", subject="Need", firstname="A", lastname="B", companyname="C", telephone1="1")

    answer = api.post(
        f"leads({lead})/Microsoft.Dynamics.CRM.QualifyLead",
        json={"CreateAccount": True, "CreateContact": True, "CreateOpportunity": True, "Status": 3},
    )

    made = {item["@odata.type"].rpartition(".")[2]: item for item in answer.json()["value"]}
    account, contact = made["account"]["accountid"], made["contact"]["contactid"]
    deal = api.row(
        f"opportunities({made['opportunity']['opportunityid']})",
        "name",
        "_customerid_value",
        "_parentcontactid_value",
        "_originatingleadid_value",
    )
    assert deal == {
        "opportunityid": made["opportunity"]["opportunityid"],
        "name": "Need",
        "_customerid_value": account,
        "_parentcontactid_value": contact,
        "_originatingleadid_value": lead,
    }
    assert api.row(f"contacts({contact})", "fullname", "_parentcustomerid_value") == {
        "contactid": contact,
        "fullname": "A B",
        "_parentcustomerid_value": account,
    }
    assert state(api, f"leads({lead})") == (1, 3)


def test_a_quote_lives_from_draft_to_won_or_revised(api: Api, refused: Refused) -> None:
    quote = api.create("quotes", name="Q")
    api.create(
        "quotedetails",
        productdescription="Line",
        quantity=2,
        **{"quoteid@odata.bind": f"/quotes({quote})"},
    )
    win = {"Status": 4, "QuoteClose": {"subject": "Won", "quoteid@odata.bind": f"/quotes({quote})"}}
    assert refused(api.post("WinQuote", json=win)) == (400, "0x80040233")
    assert api.patch(f"quotes({quote})", json={"statecode": 1, "statuscode": 3}).status_code == 204

    revised = api.post("ReviseQuote", json={"QuoteId": quote}).json()

    assert state(api, f"quotes({quote})") == (3, 7)
    assert (revised["revisionnumber"], revised["statecode"]) == (1, 0)
    assert len(api.select("quotedetails", filter=f"_quoteid_value eq {revised['quoteid']}")) == 1
    new = revised["quoteid"]
    api.patch(f"quotes({new})", json={"statecode": 1, "statuscode": 3})
    win["QuoteClose"] = {"subject": "Won", "quoteid@odata.bind": f"/quotes({new})"}
    assert api.post("WinQuote", json=win).status_code == 204
    assert state(api, f"quotes({new})") == (2, 4)


def test_an_email_has_parties_and_is_closed_as_sent(api: Api, refused: Refused) -> None:
    person = api.create("contacts", lastname="Person", emailaddress1="p@example.com")
    email = api.create(
        "emails",
        subject="Hello",
        **{"regardingobjectid_contact_email@odata.bind": f"/contacts({person})"},
        email_activity_parties=[
            {"partyid_contact@odata.bind": f"/contacts({person})", "participationtypemask": 2},
            {"addressused": "who@example.com", "participationtypemask": 1},
        ],
    )

    parties = api.get(
        f"emails({email})/email_activity_parties?$select=participationtypemask,addressused,_partyid_value"
        "&$orderby=participationtypemask"
    ).json()["value"]

    assert [(row["participationtypemask"], row["addressused"], row["_partyid_value"]) for row in parties] == [
        (1, "who@example.com", None),
        (2, None, person),
    ]
    assert refused(
        api.post(
            "emails",
            json={"email_activity_parties": [{"addressused": "x@example.com", "participationtypemask": 5}]},
        )
    ) == (400, "0x80043506")
    assert api.patch(f"emails({email})", json={"statecode": 1, "statuscode": 3}).status_code == 204
    assert api.select("activitypointers", select="subject,activitytypecode", filter="subject eq 'Hello'") == [
        {"activityid": email, "subject": "Hello", "activitytypecode": "email"}
    ]


def test_a_disabled_user_cannot_own(api: Api, refused: Refused) -> None:
    user = api.create("systemusers", firstname="Gone", lastname="Person", isdisabled=True)
    team = api.create("teams", name="Everybody")

    disabled = api.post("accounts", json={"name": "A", "ownerid@odata.bind": f"/systemusers({user})"})
    owned = api.create("accounts", name="B", **{"ownerid@odata.bind": f"/teams({team})"})

    assert refused(disabled) == (403, "0x80040225")
    row = api.row(f"accounts({owned})", "_ownerid_value", "_owningteam_value", "_owninguser_value")
    assert (row["_ownerid_value"], row["_owningteam_value"], row["_owninguser_value"]) == (team, team, None)


def test_a_new_user_belongs_to_the_unit_of_its_maker(api: Api) -> None:
    unit = api.get("WhoAmI").json()["BusinessUnitId"]
    user = api.create("systemusers", firstname="New", lastname="Person")

    assert api.row(f"systemusers({user})", "_businessunitid_value", "fullname") == {
        "systemuserid": user,
        "_businessunitid_value": unit,
        "fullname": "New Person",
    }


@pytest.mark.parametrize("claim", ["appid", "azp", "oid"])
def test_a_token_of_the_application_acts_as_its_user(api: Api, claim: str) -> None:
    token = jwt.encode({claim: TANDEM_APPLICATION_ID}, "x" * 32, algorithm="HS256")

    answer = api.get("WhoAmI", headers={"Authorization": f"Bearer {token}"})

    assert answer.json()["UserId"] == TANDEM_USER


@pytest.mark.parametrize("header", ["MSCRMCallerID", "CallerObjectId"])
def test_an_impersonated_user_is_the_author_and_the_caller_the_delegate(api: Api, header: str) -> None:
    me = api.get("WhoAmI").json()["UserId"]
    entra = "11111111-2222-3333-4444-555555555555"
    user = api.create("systemusers", firstname="Other", lastname="User", azureactivedirectoryobjectid=entra)
    who = user if header == "MSCRMCallerID" else entra

    answer = api.post(
        "accounts", json={"name": "A"}, headers={header: who, "Prefer": "return=representation"}
    )

    row = answer.json()
    assert (row["_createdby_value"], row["_createdonbehalfby_value"], row["_ownerid_value"]) == (
        user,
        me,
        user,
    )


def test_nobody_unknown_can_be_impersonated(api: Api, refused: Refused) -> None:
    answer = api.get("WhoAmI", headers={"MSCRMCallerID": "00000000-0000-0000-0000-00000000dead"})

    assert refused(answer) == (403, "0x8004A110")


def test_a_duplicate_is_found_only_when_detection_is_switched_on(api: Api, refused: Refused) -> None:
    api.create("accounts", name="Twin")
    headers = {"MSCRM.SuppressDuplicateDetection": "false"}

    assert refused(api.post("accounts", json={"name": "twin"}, headers=headers)) == (412, "0x80040333")
    assert api.post("accounts", json={"name": "twin"}).status_code == 204


def test_a_note_carries_a_small_file_and_refuses_a_big_or_blocked_one(api: Api, refused: Refused) -> None:
    account = api.create("accounts", name="A")
    note = {"subject": "N", "mimetype": "text/plain", "objectid_account@odata.bind": f"/accounts({account})"}
    body = base64.b64encode(b"hello").decode()

    row_id = api.create("annotations", filename="a.txt", documentbody=body, **note)
    big = base64.b64encode(b"x" * 5_242_881).decode()

    assert api.row(f"annotations({row_id})", "isdocument", "filesize") == {
        "annotationid": row_id,
        "isdocument": True,
        "filesize": 5,
    }
    assert api.get(f"annotations({row_id})/documentbody/$value").text == body
    assert refused(api.post("annotations", json=note | {"filename": "b", "documentbody": big})) == (
        400,
        "0x80044a02",
    )
    assert refused(api.post("annotations", json=note | {"filename": "b.exe", "documentbody": body})) == (
        400,
        "0x80043e09",
    )


def test_a_note_is_put_together_from_blocks(api: Api) -> None:
    account = api.create("accounts", name="A")
    target = {
        "@odata.type": "Microsoft.Dynamics.CRM.annotation",
        "filename": "a.txt",
        "subject": "N",
        "objectid_account@odata.bind": f"/accounts({account})",
    }
    token = api.post("InitializeAnnotationBlocksUpload", json={"Target": target}).json()[
        "FileContinuationToken"
    ]
    for block, data in (("AA==", b"hel"), ("AQ==", b"lo")):
        piece = {
            "BlockId": block,
            "BlockData": base64.b64encode(data).decode(),
            "FileContinuationToken": token,
        }
        assert api.post("UploadBlock", json=piece).status_code == 204

    done = api.post(
        "CommitAnnotationBlocksUpload",
        json={"Target": target, "BlockList": ["AA==", "AQ=="], "FileContinuationToken": token},
    ).json()

    assert done["FileSizeInBytes"] == 5
    note = api.row(f"annotations({done['AnnotationId']})", "documentbody", "_objectid_value")
    assert base64.b64decode(note["documentbody"]) == b"hello"
    assert note["_objectid_value"] == account
