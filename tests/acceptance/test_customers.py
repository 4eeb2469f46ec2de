"""Customers who turn out to be one, on the real parts: merges by people, and one customer in two systems."""

import json
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Stack, eventually


@pytest.fixture
def legrand(stack: Stack) -> httpx.Client:
    """Legrand for a person at its desk."""
    return httpx.Client(base_url=stack.part("legrand")["address"], timeout=30)


def made(stack: Stack, collection: str, **fields: str) -> str:
    """A record that a person makes in Allegory; its id."""
    with stack.allegory() as person:
        record = person.post(f"/{collection}", json=fields).raise_for_status().json()
    return str(record.get("company_id") if collection == "companies" else record.get("contact_id"))


def row_of(stack: Stack, key: str, entity_set: str = "accounts") -> dict[str, Any]:
    """The row of a record, once it is there."""
    return eventually(f"a row of {key}", lambda: stack.row_of(key, entity_set), 120)


def held(stack: Stack, path: str) -> dict[str, Any]:
    with stack.allegory() as person:
        found = person.get(path)
        return dict(found.json()) if found.status_code == 200 else {}


def row(stack: Stack, account: str) -> dict[str, Any]:
    with stack.dataverse() as person:
        return dict(person.get(f"accounts({account})").raise_for_status().json())


def match_of(stack: Stack, *accounts: str) -> dict[str, Any]:
    """The case about these rows, as `tandem customers list` tells of it."""

    def look() -> dict[str, Any] | None:
        told = json.loads(stack.tandem("customers", "list", "--json").stdout)["matches"]
        return next((case for case in told if {each["row"] for each in case["rows"]} == {*accounts}), None)

    return eventually("a case", look)


def test_two_accounts_that_a_person_merges_are_one_company_in_allegory(stack: Stack, tag: str) -> None:
    heir = made(stack, "companies", name=f"Harbour {tag}")
    loser = made(stack, "companies", name=f"Harbour Ltd {tag}", phone="+49 431 77")
    contact = made(stack, "contacts", last_name=f"Nilsen {tag}", primary_company_id=loser)
    kept, lost = (row_of(stack, f"allegory:company:{each}")["accountid"] for each in (heir, loser))
    row_of(stack, f"allegory:contact:{contact}", "contacts")

    def named(account: str) -> dict[str, str]:
        return {"accountid": account, "@odata.type": "Microsoft.Dynamics.CRM.account"}

    with stack.dataverse() as person:
        person.post(
            "Merge",
            json={
                "Target": named(kept),
                "Subordinate": named(lost),
                "UpdateContent": {
                    "telephone1": "+49 431 77",
                    "@odata.type": "Microsoft.Dynamics.CRM.account",
                },
                "PerformParentingChecks": False,
            },
        ).raise_for_status()

    eventually("the loser is gone", lambda: not held(stack, f"/companies/{loser}") or None)
    eventually(
        "the heir has its telephone",
        lambda: held(stack, f"/companies/{heir}").get("phone") == "+49 431 77" or None,
    )
    assert held(stack, f"/contacts/{contact}")["primary_company_id"] == heir
    stack.quiet()
    told = stack.tandem("record", "show", f"allegory:company:{loser}").stdout
    assert f"merged into {kept}" in told
    assert stack.now()["conserved"] is True


def test_two_companies_that_a_person_merges_in_allegory_are_one_account(stack: Stack, tag: str) -> None:
    heir = made(stack, "companies", name=f"Quay {tag}")
    loser = made(stack, "companies", name=f"Quay Ltd {tag}", city="Kiel")
    kept, lost = (row_of(stack, f"allegory:company:{each}")["accountid"] for each in (heir, loser))

    with stack.allegory() as person:
        person.post(f"/companies/{heir}/merge", json={"loser": loser}).raise_for_status()

    eventually("the row is put aside", lambda: row(stack, lost)["_masterid_value"] == kept or None)
    eventually("the heir has the city", lambda: row(stack, kept)["address1_city"] == "Kiel" or None)
    stack.quiet()
    assert (row(stack, lost)["statecode"], row(stack, kept)["statecode"]) == (1, 0)
    # What is said of the heir goes on in both directions.
    with stack.dataverse() as person:
        person.patch(f"accounts({kept})", json={"address1_city": "Eutin"}).raise_for_status()
    eventually("the edit crosses", lambda: held(stack, f"/companies/{heir}").get("city") == "Eutin" or None)


def test_a_customer_of_both_systems_is_one_row_by_a_persons_word_and_two_again_by_another(
    stack: Stack, legrand: httpx.Client, tag: str
) -> None:
    site = f"www.{tag.lower()}.example"
    theirs = f"CMP{tag}"
    ours = made(stack, "companies", name=f"Rower {tag} GmbH", domain=site, city="Kiel")
    kept = row_of(stack, f"allegory:company:{ours}")["accountid"]
    with legrand:
        company = {"Company Name": f"Rower {tag}", "Website": site, "City": "Balmain"}
        legrand.put(f"/admin/records/companies/{theirs}", json=company).raise_for_status()
        legrand.post("/admin/export", json={"folder": f"{tag}-1"}).raise_for_status()
        lost = row_of(stack, f"legrand:company:{theirs}")["accountid"]

        case = match_of(stack, kept, lost)
        assert (case["confidence"], case["certain"]) == (97, True)
        assert row(stack, lost)["statecode"] == 0
        with stack.api("ops_read") as reader:
            answer = reader.post(f"ops/matches/{case['case']}/acceptance", json={"reason": "no right to"})
        assert answer.status_code == 403
        shown = stack.tandem("customers", "show", str(case["case"])).stdout
        assert "the same website and the same name" in shown
        accepted = stack.tandem(
            "customers", "accept", str(case["case"]), "--heir", kept, "--reason", "same site"
        )
        assert accepted.returncode == 0, accepted.stdout + accepted.stderr

        eventually("the row is put aside", lambda: row(stack, lost)["_masterid_value"] == kept or None)
        _imported(legrand, theirs)
        eventually("the case is over", lambda: _is_over(stack, case["case"]) or None)
        with stack.dataverse() as person:
            person.patch(f"accounts({kept})", json={"telephone1": "+49 431 5"}).raise_for_status()
        eventually(
            "the edit is in Allegory",
            lambda: held(stack, f"/companies/{ours}").get("phone") == "+49 431 5" or None,
        )
        _imported(legrand, theirs)
        desk = legrand.get(f"/admin/records/companies/{theirs}").raise_for_status().json()
        assert "431 5" in desk["Phone"]

        apart = stack.tandem("customers", "unmerge", f"legrand:company:{theirs}", "--reason", "two harbours")
        assert apart.returncode == 0, apart.stdout + apart.stderr
        own = eventually("a row of its own", lambda: _active(stack, lost))
        assert (own["name"], own["address1_city"]) == (f"Rower {tag}", "Balmain")
        assert row(stack, kept)["name"] == f"Rower {tag} GmbH"
    decided = stack.kept(
        "SELECT kind, reason FROM customer_case WHERE number >= ? ORDER BY number", case["case"]
    )
    assert [(each["kind"], each["reason"]) for each in decided] == [
        ("match", "same site"),
        ("split", "two harbours"),
    ]


def test_whichever_row_lives_on_the_rules_choose_the_values_and_either_record_may_leave(
    stack: Stack, legrand: httpx.Client, tag: str
) -> None:
    """Legrand's row lives on; Allegory's registered name stands all the same, and the longer tags do."""
    site, theirs = f"www.{tag.lower()}.example", f"CMP{tag}"
    with legrand:
        company = {"Company Name": f"Oar {tag}", "Website": site, "City": "Balmain", "Keywords": "x"}
        legrand.put(f"/admin/records/companies/{theirs}", json=company).raise_for_status()
        legrand.post("/admin/export", json={"folder": f"{tag}-1"}).raise_for_status()
        kept = row_of(stack, f"legrand:company:{theirs}")["accountid"]
        ours = made(stack, "companies", name=f"Oar {tag} GmbH", domain=site, tags="vip;long")
        lost = row_of(stack, f"allegory:company:{ours}")["accountid"]
        case = match_of(stack, kept, lost)

        accepted = stack.tandem(
            "customers", "accept", str(case["case"]), "--heir", kept, "--reason", "same site"
        )
        assert accepted.returncode == 0, accepted.stdout + accepted.stderr
        eventually("the row is put aside", lambda: row(stack, lost)["_masterid_value"] == kept or None)
        _imported(legrand, theirs)
        eventually("the case is over", lambda: _is_over(stack, case["case"]) or None)

        agreed = (f"Oar {tag} GmbH", "Balmain", "vip;long")
        one = row(stack, kept)
        assert (one["name"], one["address1_city"], one["tandem_tags"]) == agreed
        record = held(stack, f"/companies/{ours}")
        assert (record["name"], record["city"], record["tags"]) == agreed
        desk = legrand.get(f"/admin/records/companies/{theirs}").raise_for_status().json()
        assert (desk["Company Name"], desk["City"], desk["Keywords"]) == agreed

        # The shared row was made for Legrand's record, which leaves it now.
        apart = stack.tandem("customers", "unmerge", f"legrand:company:{theirs}", "--reason", "two")
        assert apart.returncode == 0, apart.stdout + apart.stderr
        own = eventually("a row of its own", lambda: _other(stack, theirs, kept))
        assert (own["name"], own["address1_city"], own["tandem_tags"]) == (f"Oar {tag}", "Balmain", "x")
        assert row(stack, kept)["name"] == f"Oar {tag} GmbH"


def _other(stack: Stack, record: str, than: str) -> dict[str, Any] | None:
    found = stack.row_of(f"legrand:company:{record}", "accounts")
    return found if found is not None and found["accountid"] != than else None


def _is_over(stack: Stack, case: int) -> bool:
    with stack.api() as api:
        return bool(api.get(f"ops/matches/{case}").raise_for_status().json()["state"] == "over")


def _active(stack: Stack, account: str) -> dict[str, Any] | None:
    found = row(stack, account)
    return found if found["statecode"] == 0 else None


def _imported(legrand: httpx.Client, record: str) -> None:
    """A person runs the imports until one of them holds a row of the record, and it is taken."""

    def look() -> dict[str, str] | None:
        files = legrand.post("/admin/import", json={}).raise_for_status().json()["files"]
        answers = [answer for rows in files.values() for answer in rows]
        return next((answer for answer in answers if record in answer.values()), None)

    assert eventually(f"an import with {record}", look)["Result"] == "Accepted"
