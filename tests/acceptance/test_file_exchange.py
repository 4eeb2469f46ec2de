"""Legrand has no API: people export, and what differs between two exports reaches Dataverse."""

from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Stack, eventually


@pytest.fixture
def legrand(stack: Stack) -> httpx.Client:
    """Legrand for a person at its desk."""
    return httpx.Client(base_url=stack.part("legrand")["address"], timeout=30)


def _drop(legrand: httpx.Client, name: str, **wanted: Any) -> None:
    legrand.post("/admin/export", json={"folder": name, **wanted}).raise_for_status()


def _read(stack: Stack, name: str) -> dict[str, Any]:
    """A drop once it is read, as operators are told of it."""

    def look() -> dict[str, Any] | None:
        with stack.api() as api:
            drops = api.get("ops/drops").raise_for_status().json()["drops"]
        return next((drop for drop in drops if drop["name"] == name and drop["state"] == "read"), None)

    return eventually(f"drop {name} is read", look, 120)


def _messages(stack: Stack) -> int:
    rows = stack.kept("SELECT count(*) AS size FROM message WHERE source = 'legrand'")
    return int(rows[0]["size"])


def test_what_people_do_in_legrand_crosses_with_the_next_drop(
    stack: Stack, legrand: httpx.Client, tag: str
) -> None:
    company = {"Company Name": f"Harbour {tag}", "Company Type": "Partner", "City": "Balmain"}
    ticket = {
        "Subject": f"Brakes {tag}",
        "Board": "Support",
        "Status": "Open",
        "Priority": "High",
        "Company ID": f"CMP{tag}",
        "Company": f"Harbour {tag}",
    }
    with legrand:
        legrand.put(f"/admin/records/companies/CMP{tag}", json=company).raise_for_status()
        legrand.put(f"/admin/records/tickets/T{tag}", json=ticket).raise_for_status()
        _drop(legrand, f"{tag}-1")
        row = eventually("the account", lambda: stack.row_of(f"legrand:company:CMP{tag}", "accounts"), 120)
        assert (row["name"], row["customertypecode"], row["address1_city"]) == (
            f"Harbour {tag}",
            5,
            "Balmain",
        )
        case = eventually("the case", lambda: stack.row_of(f"legrand:ticket:T{tag}", "incidents"))
        assert (case["title"], case["_customerid_value"]) == (f"Brakes {tag}", row["accountid"])
        _read(stack, f"{tag}-1")
        told = _messages(stack)

        _drop(legrand, f"{tag}-2")
        again = _read(stack, f"{tag}-2")
        assert {module["created"] + module["updated"] for module in again["modules"]} == {0}
        assert _messages(stack) == told

        legrand.patch(f"/admin/records/companies/CMP{tag}", json={"City": "Glebe"}).raise_for_status()
        _drop(legrand, f"{tag}-3")

        def moved() -> bool | None:
            found = stack.row_of(f"legrand:company:CMP{tag}", "accounts")
            return (found is not None and found["address1_city"] == "Glebe") or None

        eventually("the new city", moved, 120)
        assert _messages(stack) == told + 1

        legrand.patch(f"/admin/records/companies/CMP{tag}", json={"Company Type": "Rival"}).raise_for_status()
        _drop(legrand, f"{tag}-4", quirks=["no_comments"])
        _read(stack, f"{tag}-4")
    shown = stack.tandem("drops")
    assert f"legrand:company:CMP{tag}" in shown.stdout
    assert "choice.no_target" in shown.stdout
    assert "legrand: hours, by file" in stack.tandem("now").stdout
