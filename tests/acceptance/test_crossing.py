"""A change crosses both ways on the real parts, and crosses each link once."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.conftest import Stack, company, envelope, eventually, session_of

WRITING = ("POST", "PUT", "PATCH", "DELETE")


def crossings(stack: Stack) -> tuple[int, int]:
    """How many writes each side has taken so far: Dataverse, Allegory."""
    sides = (stack.endpoints["dataverse"]["http"], stack.endpoints["allegory"]["rest"])
    dataverse, allegory = (httpx.get(f"{side}/admin/requests").raise_for_status().json() for side in sides)
    return (
        sum(dataverse["by_method"].get(method, 0) for method in WRITING),
        sum(entry["count"] for entry in allegory["counts"] if entry["method"] in WRITING),
    )


def test_an_envelope_on_the_bus_becomes_a_row(stack: Stack, tag: str) -> None:
    body = company(tag, 1, phone="+49 30 555 0001", employees="12", annual_revenue_musd="1.5", cf_tier="Gold")

    fate = stack.fate(stack.send("inbound", body, session=session_of(body)))

    row = stack.row_of(f"allegory:company:{tag}-C1", "accounts")
    assert fate["outcome"] == "applied"
    assert row is not None
    assert row["accountid"] == fate["record"]
    assert (row["name"], row["telephone1"], row["numberofemployees"], float(row["revenue"])) == (
        f"Company {tag}-C1",
        "+49 30 555 0001",
        12,
        1_500_000.0,
    )
    assert row["tandem_tier@OData.Community.Display.V1.FormattedValue"] == "Gold"


def test_both_doors_give_the_same_row(stack: Stack, tag: str) -> None:
    by_bus, by_http = company(tag, 1, city="Kiel"), company(tag, 2, city="Kiel")
    sent = stack.send("inbound", by_bus, session=session_of(by_bus))
    with stack.api("inbound") as api:
        answer = api.post("inbound", json=by_http, headers={"Idempotency-Key": f"{tag}-http"})

    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/inbound/{tag}-http"
    assert stack.fate(sent)["outcome"] == stack.fate(f"{tag}-http")["outcome"] == "applied"
    rows = [stack.row_of(f"allegory:company:{tag}-C{number}", "accounts") for number in (1, 2)]
    assert rows[0] is not None
    assert rows[1] is not None
    assert rows[0].keys() == rows[1].keys()
    assert rows[0]["address1_city"] == rows[1]["address1_city"] == "Kiel"


def test_a_child_that_arrives_first_waits_for_its_parent(stack: Stack, tag: str) -> None:
    child = company(tag, 2, parent_company_id=f"{tag}-C1")
    person = envelope("contact", f"{tag}-P1", {"last_name": "Reuter", "primary_company_id": f"{tag}-C2"})
    deal = envelope(
        "deal", f"{tag}-D1", {"name": "Pump", "company_id": f"{tag}-C2", "primary_contact_id": f"{tag}-P1"}
    )
    waiting = [stack.send("inbound", body, session=session_of(body)) for body in (deal, person, child)]
    assert [stack.fate(sent)["outcome"] for sent in waiting] == ["parked"] * 3

    parent = company(tag, 1)
    stack.send("inbound", parent, session=session_of(parent))

    for sent in waiting:
        eventually(f"{sent} applied", lambda sent=sent: stack.fate(sent)["outcome"] == "applied" or None)  # type: ignore[misc]
    row = stack.row_of(f"allegory:deal:{tag}-D1", "opportunities")
    account = stack.row_of(f"allegory:company:{tag}-C2", "accounts")
    contact = stack.row_of(f"allegory:contact:{tag}-P1", "contacts")
    assert row is not None
    assert account is not None
    assert contact is not None
    assert row["_parentaccountid_value"] == account["accountid"]
    assert row["_parentcontactid_value"] == contact["contactid"]
    assert account["_parentaccountid_value"] is not None
    assert contact["_parentcustomerid_value"] == account["accountid"]


def test_a_contact_without_a_company_hangs_from_the_one_placeholder(stack: Stack, tag: str) -> None:
    people = [
        envelope("contact", f"{tag}-P{number}", {"last_name": "Winter", "primary_company_id": ""})
        for number in (1, 2)
    ]
    for body in people:
        assert stack.fate(stack.send("inbound", body, session=session_of(body)))["outcome"] == "applied"

    rows = [stack.row_of(f"allegory:contact:{tag}-P{number}", "contacts") for number in (1, 2)]
    parents = {row["_parentcustomerid_value"] for row in rows if row}
    assert len(parents) == 1
    assert parents != {None}


def test_the_newest_change_wins_whatever_the_order_of_arrival(stack: Stack, tag: str) -> None:
    def at(second: int, **data: str) -> dict[str, Any]:
        return company(tag, 1) | {"changedOn": f"2026-02-01T09:00:0{second}Z", "data": data}

    first = [at(1, name="One", phone="1"), at(3, name="Three"), at(2, name="Two", phone="2")]
    sent = [stack.send("inbound", body, session=session_of(body)) for body in first]

    assert [stack.fate(message)["outcome"] for message in sent] == ["applied", "applied", "merged"]
    row = stack.row_of(f"allegory:company:{tag}-C1", "accounts")
    assert row is not None
    assert (row["name"], row["telephone1"]) == ("Three", "2")


def test_the_same_message_twice_has_one_effect(stack: Stack, tag: str) -> None:
    body = company(tag, 1)
    message = stack.send("inbound", body, session=session_of(body))
    before = stack.fate(message)

    stack.send("inbound", body, session=session_of(body), message_id=message)
    other = company(tag, 1, phone="other")
    stack.send("inbound", other, session=session_of(other), message_id=message)
    after = company(tag, 1) | {"changedOn": "2026-02-02T09:00:00Z", "data": {"phone": "last"}}
    stack.fate(stack.send("inbound", after, session=session_of(after)))

    assert stack.fate(message) == before
    row = stack.row_of(f"allegory:company:{tag}-C1", "accounts")
    assert row is not None
    assert row["telephone1"] == "last"
    told = stack.tandem("failures", "list", "--json").stdout
    assert "message.body_changed" in told


@pytest.fixture
def paired(stack: Stack, tag: str) -> str:
    """A company that both sides hold; returns its row."""
    body = company(tag, 1, phone="1", city="Jena")
    with stack.allegory() as allegory:
        allegory.put(f"/companies/{tag}-C1", json=body["data"]).raise_for_status()
    record = str(stack.fate(stack.send("inbound", body, session=session_of(body)))["record"])
    stack.quiet()
    return record


def test_a_users_edit_reaches_allegory(stack: Stack, tag: str, paired: str) -> None:
    with stack.dataverse() as dataverse, stack.allegory() as allegory:
        dataverse.patch(f"accounts({paired})", json={"telephone1": "+49 3641 555"}).raise_for_status()

        record = eventually(
            "the edit in Allegory",
            lambda: _if(allegory.get(f"/companies/{tag}-C1").json(), "phone", "+49 3641 555"),
        )
        assert record["city"] == "Jena", "what nobody edited stays"


def test_a_cleared_value_is_cleared_on_the_other_side(stack: Stack, tag: str, paired: str) -> None:
    with stack.dataverse() as dataverse, stack.allegory() as allegory:
        dataverse.patch(f"accounts({paired})", json={"telephone1": None}).raise_for_status()

        eventually("the blank", lambda: _if(allegory.get(f"/companies/{tag}-C1").json(), "phone", ""))


def test_a_new_account_is_created_in_allegory_once(stack: Stack, tag: str) -> None:
    with stack.dataverse() as dataverse, stack.allegory() as allegory:
        made = dataverse.post("accounts", json={"name": f"New {tag}", "address1_city": "Rostock"})
        row_id = made.raise_for_status().headers["OData-EntityId"].rpartition("(")[2].rstrip(")")

        def look() -> dict[str, Any] | None:
            told = stack.tandem("record", "show", row_id, "--json")
            return None if told.returncode else _paired(told.stdout)

        key = eventually("the pairing", look)["key"]
        record = allegory.get(f"/companies/{key.rpartition(':')[2]}").raise_for_status().json()
        assert (record["name"], record["city"]) == (f"New {tag}", "Rostock")


def _paired(told: str) -> dict[str, Any] | None:
    keys = [
        key
        for record in json.loads(told)["records"]
        for key in record["crosswalk"]
        if key["state"] == "paired"
    ]
    return keys[0] if keys else None


def test_one_edit_crosses_each_link_once(stack: Stack, tag: str, paired: str) -> None:
    before = crossings(stack)
    with stack.dataverse() as dataverse, stack.allegory() as allegory:
        dataverse.patch(f"accounts({paired})", json={"name": f"Renamed {tag}"}).raise_for_status()
        eventually(
            "the name in Allegory",
            lambda: _if(allegory.get(f"/companies/{tag}-C1").json(), "name", f"Renamed {tag}"),
        )
    stack.quiet()

    after = crossings(stack)
    assert (after[0] - before[0], after[1] - before[1]) == (1, 1), (
        "the user's own write, and ours to Allegory"
    )


def test_a_dataverse_execution_context_is_accepted(stack: Stack, tag: str, paired: str) -> None:
    """A service endpoint tells of an edit; what it lacks is read from the row."""
    context = {
        "MessageName": "Update",
        "PrimaryEntityName": "account",
        "PrimaryEntityId": paired,
        "InitiatingUserId": str(uuid4()),
        "CorrelationId": str(uuid4()),
        "OperationCreatedOn": "/Date(1780000000000+0000)/",
        "InputParameters": [],
    }
    headers = {"MSCRM.SuppressCallbackRegistrationExpanderJob": "true"}
    with stack.dataverse() as dataverse, stack.allegory() as allegory:
        dataverse.patch(f"accounts({paired})", json={"telephone1": "77"}, headers=headers).raise_for_status()
        assert allegory.get(f"/companies/{tag}-C1").json()["phone"] == "1", "no flow told of it"

        stack.send("outbound", context, session=paired)

        eventually(
            "the edit in Allegory", lambda: _if(allegory.get(f"/companies/{tag}-C1").json(), "phone", "77")
        )


def test_a_delete_in_dataverse_removes_the_record_in_allegory(stack: Stack, tag: str, paired: str) -> None:
    with stack.dataverse() as dataverse, stack.allegory() as allegory:
        dataverse.delete(f"accounts({paired})").raise_for_status()

        eventually("the delete", lambda: allegory.get(f"/companies/{tag}-C1").status_code == 404 or None)


def test_a_copied_record_never_takes_the_row_of_the_one_it_was_copied_from(
    stack: Stack, tag: str, paired: str
) -> None:
    copy = company(tag, 2, phone="copy", cf_dataverse_id=paired)
    claim = company(tag, 3) | {"dataverseId": paired}

    copied = stack.fate(stack.send("inbound", copy, session=session_of(copy)))
    claimed = stack.fate(stack.send("inbound", claim, session=paired))

    assert copied["outcome"] == "applied"
    assert copied["record"] != paired
    assert [fault["code"] for fault in claimed["faults"]] == ["message.identity_mismatch"]
    row = stack.row_of(f"allegory:company:{tag}-C1", "accounts")
    assert row is not None
    assert (row["accountid"], row["telephone1"]) == (paired, "1")


def test_edits_on_both_sides_of_one_record_are_merged(stack: Stack, tag: str, paired: str) -> None:
    """Each side changes another column before either hears of the other."""
    headers = {"MSCRM.SuppressCallbackRegistrationExpanderJob": "true"}
    with stack.dataverse() as dataverse:
        dataverse.patch(f"accounts({paired})", json={"telephone1": "from Dynamics"}, headers=headers)
        body = company(tag, 1) | {"changedOn": datetime.now(UTC).isoformat(), "data": {"city": "Weimar"}}
        fate = stack.fate(stack.send("inbound", body, session=session_of(body)))
        row = dataverse.get(f"accounts({paired})").json()

    assert fate["outcome"] == "merged"
    assert (row["telephone1"], row["address1_city"]) == ("from Dynamics", "Weimar")


def _if(record: dict[str, Any], field: str, value: str) -> dict[str, Any] | None:
    return record if record.get(field) == value else None
