"""What a service desk and an office do: cases, letters, meetings, notes with files, rules against twins."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx

from local.dataverse.seed import ADMINISTRATOR

if TYPE_CHECKING:
    from tests.contract.dataverse_simulator.conftest import Api

Refused = Callable[[httpx.Response], tuple[int, str]]


def act(api: Api, name: str, **parameters: Any) -> httpx.Response:
    answer: httpx.Response = api.post(name, json=parameters)
    assert answer.status_code in {200, 204}, answer.text
    return answer


def state(api: Api, address: str) -> tuple[int, int]:
    row = api.row(address, "statecode", "statuscode")
    return row["statecode"], row["statuscode"]


def test_a_case_is_cancelled_by_its_state_and_resolved_by_the_action(api: Api, refused: Refused) -> None:
    account = api.create("accounts", name="A")
    cases = [
        api.create("incidents", title=title, **{"customerid_account@odata.bind": f"accounts({account})"})
        for title in ("Cancelled", "Resolved", "Reopened")
    ]
    cancelled = api.patch(f"incidents({cases[0]})", json={"statecode": 2, "statuscode": 6})
    for row in cases[1:]:
        act(
            api,
            "CloseIncident",
            Status=5,
            IncidentResolution={
                "subject": "Done",
                "timespent": 30,
                "incidentid@odata.bind": f"incidents({row})",
            },
        )
    api.patch(f"incidents({cases[2]})", json={"statecode": 0, "statuscode": 1})

    assert cancelled.status_code == 204
    assert [state(api, f"incidents({row})") for row in cases] == [(2, 6), (1, 5), (0, 1)]
    assert refused(api.post("incidents", json={"title": "Nobody's"})) == (400, "0x80040203")
    numbers = {row["ticketnumber"] for row in api.select("incidents", select="ticketnumber")}
    assert len(numbers) == 3
    assert {row["_incidentid_value"] for row in api.select("incidentresolutions")} == set(cases[1:])


def test_activities_have_their_people_known_and_unknown(api: Api, refused: Refused) -> None:
    account, contact = api.create("accounts", name="A"), api.create("contacts", lastname="Ada")
    email = api.create(
        "emails",
        subject="Offer",
        description="<p>Hello</p>",
        directioncode=False,
        email_activity_parties=[
            {"addressused": "stranger@nowhere.example", "participationtypemask": 1},
            {"partyid_systemuser@odata.bind": f"systemusers({ADMINISTRATOR})", "participationtypemask": 2},
            {"partyid_contact@odata.bind": f"contacts({contact})", "participationtypemask": 3},
        ],
        **{"regardingobjectid_account_email@odata.bind": f"accounts({account})"},
    )
    meeting = api.create(
        "appointments",
        subject="Visit",
        scheduledstart="2026-01-01T10:00:00Z",
        scheduledend="2026-01-01T11:00:00Z",
        appointment_activity_parties=[
            {"partyid_contact@odata.bind": f"contacts({contact})", "participationtypemask": mask}
            for mask in (5, 7)
        ],
    )
    replaced = api.put(
        f"appointments({meeting})/appointment_activity_parties",
        json={"value": [{"partyid_account@odata.bind": f"accounts({account})", "participationtypemask": 6}]},
    )
    api.patch(f"emails({email})", json={"statecode": 1, "statuscode": 4})

    expand = "email_activity_parties($select=addressused,_partyid_value,participationtypemask)"
    shown = api.client.get(f"emails({email})?$select=subject&$expand={expand}").json()
    parties = sorted(
        (row["participationtypemask"], row["_partyid_value"], row["addressused"])
        for row in shown["email_activity_parties"]
    )
    invited = api.client.get(f"appointments({meeting})?$expand=appointment_activity_parties").json()
    assert parties == [
        (1, None, "stranger@nowhere.example"),
        (2, ADMINISTRATOR, None),
        (3, contact, None),
    ]
    assert state(api, f"emails({email})") == (1, 4)
    assert replaced.status_code == 204
    assert [row["_partyid_value"] for row in invited["appointment_activity_parties"]] == [account]
    nobody = {"subject": "X", "email_activity_parties": [{"participationtypemask": 2}]}
    assert refused(api.post("emails", json=nobody)) == (400, "0x80048d19")


def test_a_note_holds_a_file_of_the_size_the_organisation_allows(api: Api, refused: Refused) -> None:
    contact = api.create("contacts", lastname="C")
    organisation = api.select("organizations", select="maxuploadfilesize")[0]
    allowed = organisation["maxuploadfilesize"]
    note = {
        "subject": "Contract",
        "notetext": "signed",
        "filename": "contract.pdf",
        "mimetype": "application/pdf",
        "objectid_contact@odata.bind": f"contacts({contact})",
    }
    exact = base64.b64encode(b"x" * allowed).decode()
    more = base64.b64encode(b"x" * (allowed + 1)).decode()

    fits = api.create("annotations", documentbody=exact, **note)
    too_big = api.post("annotations", json={**note, "documentbody": more})
    api.patch(f"organizations({organisation['organizationid']})", json={"maxuploadfilesize": allowed + 1})
    fits_now = api.post("annotations", json={**note, "documentbody": more})

    row = api.row(f"annotations({fits})", "filename", "mimetype", "filesize", "isdocument")
    assert row == {
        "annotationid": fits,
        "filename": "contract.pdf",
        "mimetype": "application/pdf",
        "filesize": allowed,
        "isdocument": True,
    }
    assert refused(too_big) == (400, "0x80044a02")
    assert fits_now.status_code == 204
    assert api.client.get(f"annotations({fits})/documentbody/$value").text == exact
    assert refused(api.post("annotations", json={**note, "filename": "x" * 256})) == (400, "0x80044331")


def test_a_rule_of_ones_own_finds_duplicates_once_it_is_published(api: Api, refused: Refused) -> None:
    rule = api.create("duplicaterules", name="Phones", baseentityname="contact", matchingentityname="contact")
    for column, operator in (
        ("lastname", {"operatorcode": 0}),
        ("telephone1", {"operatorcode": 2, "operatorparam": 4}),
    ):
        api.create(
            "duplicateruleconditions",
            baseattributename=column,
            matchingattributename=column,
            **operator,
            **{"regardingobjectid@odata.bind": f"duplicaterules({rule})"},
        )
    first = api.create("contacts", lastname="Love", telephone1="+46 123 4567")
    other = api.create("contacts", lastname="Love", telephone1="9999")
    on = {"MSCRM.SuppressDuplicateDetection": "false"}
    twin = {"lastname": "LOVE", "telephone1": "0123-4567"}

    before = api.post("contacts", json=twin | {"firstname": "before"}, headers=on)
    api.delete(f"contacts({before.headers['OData-EntityId'][-37:-1]})")
    act(api, f"duplicaterules({rule})/Microsoft.Dynamics.CRM.PublishDuplicateRule")
    seen = [
        api.post("contacts", json=twin, headers=on),
        api.patch(f"contacts({other})", json={"telephone1": "4567"}, headers=on),
        api.patch(f"contacts({first})", json={"telephone1": "4567"}, headers=on),
        api.post("contacts", json=twin),
    ]
    act(api, "UnpublishDuplicateRule", DuplicateRuleId=rule)
    after = api.post("contacts", json=twin, headers=on)

    assert before.status_code == 204
    assert [refused(answer) for answer in seen[:2]] == [(412, "0x80040333")] * 2
    # The first contact is a duplicate of nobody but itself until the last one comes.
    assert [answer.status_code for answer in seen[2:]] == [204, 204]
    assert after.status_code == 204
