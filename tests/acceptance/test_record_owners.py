"""Owners who are no user, on the whole stack: who waits, who does not, and what a new user sets free."""

import json
from typing import Any

import pytest

from tests.acceptance.conftest import Stack, edit, envelope, eventually, session_of
from tests.acceptance.users import provision


@pytest.fixture
def names(tag: str) -> dict[str, str]:
    """Addresses of this test's own people."""
    return {who: f"{who}.{tag.lower()}@people.example" for who in ("ada", "bob", "carl", "maiden")}


def contact(tag: str, number: int, owner: str, **more: Any) -> dict[str, Any]:
    record = f"{tag}-P{number}"
    data = {"contact_id": record, "first_name": "Jo", "last_name": record, "owner_email": owner, **more}
    return envelope("contact", record, data)


def send(stack: Stack, *bodies: dict[str, Any]) -> list[str]:
    return [stack.send("inbound", body, session=session_of(body)) for body in bodies]


def owner_of(stack: Stack, key: str, entity_set: str) -> str | None:
    row = stack.row_of(key, entity_set)
    return None if row is None else str(row["_ownerid_value"])


def unmatched(stack: Stack, role: str = "ops_operate") -> dict[str, dict[str, Any]]:
    with stack.api(role) as api:
        told = api.get("ops/record-owners").raise_for_status().json()["unmatched"]
    return {each["name"] or each["owner"]: each for each in told}


def test_a_new_contact_waits_for_its_owner_and_a_new_user_lets_go_of_exactly_that(
    stack: Stack, tag: str, names: dict[str, str]
) -> None:
    provision(stack, names["bob"])
    ours = contact(tag, 1, names["ada"].upper())
    waiting, follower, carls, bobs = send(
        stack,
        ours,
        edit(ours, 5, job_title="Chief"),
        contact(tag, 2, names["carl"]),
        contact(tag, 3, names["bob"]),
    )

    told = stack.outcome(waiting, "parked")
    stack.outcome(carls, "parked")
    assert stack.outcome(bobs, "applied")
    assert told["waitsOn"].startswith("allegory:owner:")
    assert names["ada"] not in json.dumps(told).lower(), "a key waits, not a name"
    listed = unmatched(stack)
    assert listed[names["ada"].upper()]["waiting"] == {"contact": 1}
    assert listed[names["carl"]]["waiting"] == {"contact": 1}
    assert names["carl"] not in unmatched(stack, "ops_read")
    now = stack.now()
    assert now["owners"]["waiting"] >= 2
    assert "records that wait for them" in stack.tandem("now").stdout

    ada = provision(stack, names["ada"])

    stack.outcome(waiting, "applied")
    stack.outcome(follower, "applied")
    assert owner_of(stack, f"allegory:contact:{tag}-P1", "contacts") == ada
    assert stack.fate(carls)["outcome"] == "parked", "nobody else goes on"
    assert owner_of(stack, f"allegory:contact:{tag}-P2", "contacts") is None
    eventually("ada is forgotten", lambda: names["ada"].upper() not in unmatched(stack) or None)
    assert len(stack.decisions(waiting)) == 2, "it waited once and was applied once"
    assert stack.now()["conserved"]


def test_a_company_goes_to_the_fallback_and_is_put_right_once_the_user_is_there(
    stack: Stack, tag: str, names: dict[str, str]
) -> None:
    bob = provision(stack, names["bob"])
    data = {"company_id": f"{tag}-C1", "name": f"{tag} One", "owner_email": names["ada"]}
    stands_in = envelope("company", f"{tag}-C1", data)
    known = envelope("company", f"{tag}-C2", data | {"company_id": f"{tag}-C2", "owner_email": names["bob"]})
    first, second = send(stack, stands_in, known)
    stack.outcome(first, "applied")
    stack.outcome(second, "applied")
    with stack.dataverse() as client:
        myself = client.get("systemusers", params={"$filter": "fullname eq 'Tandem Integration'"})
    tandem = myself.json()["value"][0]["systemuserid"]
    assert owner_of(stack, f"allegory:company:{tag}-C1", "accounts") == tandem

    (moved,) = send(stack, edit(known, 7, owner_email=names["ada"], city="Kiel"))
    stack.outcome(moved, "applied", "merged")
    row = stack.row_of(f"allegory:company:{tag}-C2", "accounts")
    assert row is not None
    assert (row["_ownerid_value"], row["address1_city"]) == (bob, "Kiel"), "only the owner does not cross"
    assert unmatched(stack)[names["ada"]]["owed"] == {"company": 2}

    ada = provision(stack, names["ada"])

    keys = [f"allegory:company:{tag}-C{number}" for number in (1, 2)]
    eventually("hers", lambda: {owner_of(stack, key, "accounts") for key in keys} == {ada} or None)
    row = stack.row_of(f"allegory:company:{tag}-C2", "accounts")
    assert row is not None
    assert row["address1_city"] == "Kiel"
    eventually("she is forgotten", lambda: names["ada"] not in unmatched(stack) or None)
    stack.quiet()


def test_an_alias_lets_go_at_once_and_is_audited(stack: Stack, tag: str, names: dict[str, str]) -> None:
    ada = provision(stack, names["ada"])
    (waiting,) = send(stack, contact(tag, 1, names["maiden"]))
    stack.outcome(waiting, "parked")

    said = ("owners", "alias", "allegory", names["maiden"])
    refused = stack.tandem(*said, "nobody@x.example", "--reason", "?")
    done = stack.tandem(*said, names["ada"], "--reason", "married")

    assert (refused.returncode, done.returncode) == (1, 0), done.stderr
    assert "1 record to go on" in done.stdout
    stack.outcome(waiting, "applied")
    assert owner_of(stack, f"allegory:contact:{tag}-P1", "contacts") == ada
    (line,) = stack.kept(
        "SELECT action, became, reason FROM audit_event WHERE entity = 'owner_alias' AND became = ?",
        names["ada"],
    )
    assert line == {"action": "set_owner_alias", "became": names["ada"], "reason": "married"}
    assert names["maiden"] in stack.tandem("owners", "list").stdout


def test_a_disabled_user_and_two_users_are_told_apart(stack: Stack, tag: str, names: dict[str, str]) -> None:
    provision(stack, names["ada"], isdisabled=True)
    provision(stack, names["bob"])
    provision(stack, names["carl"], internalemailaddress=names["bob"])
    first, second, third = send(
        stack, contact(tag, 1, names["ada"]), contact(tag, 2, names["bob"]), contact(tag, 3, "")
    )

    stack.outcome(first, "parked")
    stack.outcome(second, "parked")
    assert stack.outcome(third, "applied"), "nobody is waited for where nobody is named"
    listed = unmatched(stack)
    assert [listed[names[who]]["why"] for who in ("ada", "bob")] == ["disabled", "ambiguous"]

    provision(stack, names["ada"], isdisabled=False)
    provision(stack, names["carl"])
    stack.outcome(first, "applied")
    stack.outcome(second, "applied")


@pytest.mark.parametrize(("role", "status"), [("ops_read", 403), ("inbound", 403), ("ops_operate", 400)])
def test_only_operators_say_who_is_meant(stack: Stack, role: str, status: int) -> None:
    with stack.api(role) as api:
        assert api.post("ops/record-owners/aliases", json={}).status_code == status
