"""Legrand takes files only: what people do in Dataverse reaches it by workbook, and comes back as an echo."""

from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Stack, eventually


@pytest.fixture
def legrand(stack: Stack) -> httpx.Client:
    """Legrand for a person at its desk."""
    return httpx.Client(base_url=stack.part("legrand")["address"], timeout=30)


def _read(stack: Stack, legrand: httpx.Client, name: str) -> dict[str, Any]:
    """A person exports; the drop once it is read, as operators are told of it."""
    legrand.post("/admin/export", json={"folder": name}).raise_for_status()

    def look() -> dict[str, Any] | None:
        with stack.api() as api:
            drops = api.get("ops/drops").raise_for_status().json()["drops"]
        return next((drop for drop in drops if drop["name"] == name and drop["state"] == "read"), None)

    return eventually(f"drop {name} is read", look, 120)


def _imported(legrand: httpx.Client, record: str, *quirks: str) -> dict[str, str]:
    """A person runs the imports until one of them holds a row of the record; the answer to it."""

    def look() -> dict[str, str] | None:
        files = (
            legrand.post("/admin/import", json={"quirks": list(quirks)}).raise_for_status().json()["files"]
        )
        answers = [answer for rows in files.values() for answer in rows]
        return next((answer for answer in answers if record in answer.values()), None)

    return eventually(f"an import with {record}", look, 60)


def _last_outcome(stack: Stack, record: str, source: str) -> str | None:
    rows = stack.kept(
        "SELECT outcome FROM message WHERE record = ? AND source = ? ORDER BY number DESC LIMIT 1",
        record.replace("-", ""),
        source,
    )
    return rows[0]["outcome"] if rows else None


def test_an_edit_in_dataverse_arrives_in_legrand_and_the_next_drop_is_an_echo(
    stack: Stack, legrand: httpx.Client, tag: str
) -> None:
    company = {"Company Name": f"Harbour {tag}", "Company Type": "Partner", "City": "Balmain"}
    with legrand:
        legrand.put(f"/admin/records/companies/CMP{tag}", json=company).raise_for_status()
        _read(stack, legrand, f"{tag}-1")
        row = eventually("the account", lambda: stack.row_of(f"legrand:company:CMP{tag}", "accounts"), 120)
        record = row["accountid"]

        with stack.dataverse() as person:
            person.patch(f"accounts({record})", json={"address1_city": "Glebe"}).raise_for_status()
        eventually(
            "the edit waits",
            lambda: _last_outcome(stack, record, "dataverse") == "parked" or None,
        )
        assert _imported(legrand, f"CMP{tag}")["Result"] == "Accepted"
        eventually(
            "the edit is agreed on",
            lambda: _last_outcome(stack, record, "dataverse") == "applied" or None,
        )
        held = legrand.get(f"/admin/records/companies/CMP{tag}").raise_for_status().json()
        assert (held["City"], held["Company Name"]) == ("Glebe", f"Harbour {tag}")

        _read(stack, legrand, f"{tag}-2")
        eventually("the echo", lambda: _last_outcome(stack, record, "legrand") == "echo" or None)
        with stack.dataverse() as person:
            again = person.get(f"accounts({record})").raise_for_status().json()
        assert again["address1_city"] == "Glebe"
