"""What merging two records of the legacy CRM leaves behind."""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import httpx
import pytest

from local.crm import start
from local.crm.systems.allegory import ALLEGORY

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def crm() -> Iterator[httpx.Client]:
    with (
        start(ALLEGORY, now=lambda: NOON, random=Random(7)) as server,  # noqa: S311  # ids, not secrets
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        for record, fields in (("C-1", {"name": "A", "phone": "1"}), ("C-2", {"name": "B", "city": "Kiel"})):
            client.put(f"/companies/{record}", json=fields)
        yield client


def merged(crm: httpx.Client, winner: str, loser: str, **headers: str) -> httpx.Response:
    """The answer to a merge of two companies."""
    return crm.post(f"/companies/{winner}/merge", json={"loser": loser}, headers=headers)


def told(crm: httpx.Client, since: int) -> list[tuple[str, str, str | None]]:
    """What the feed tells after a cursor: what happened to which record, and into which."""
    changes: list[dict[str, Any]] = crm.get("/changes", params={"since": since}).json()["changes"]
    return [(change["operation"], change["id"], change.get("into")) for change in changes]


def test_the_winner_gets_what_it_lacks_and_keeps_what_it_has(crm: httpx.Client) -> None:
    answer = merged(crm, "C-1", "C-2")

    assert answer.status_code == 200
    said = answer.json()
    assert (said["name"], said["phone"], said["city"]) == ("A", "1", "Kiel")
    assert crm.get("/companies/C-2").status_code == 404
    assert told(crm, 2) == [("merge", "C-2", "C-1"), ("update", "C-1", None)]


def test_what_named_the_loser_names_the_winner(crm: httpx.Client) -> None:
    crm.put("/contacts/P-1", json={"primary_company_id": "C-2", "company_ids": "C-2|C-9|C-1"})
    crm.put("/deals/D-1", json={"company_id": "C-2"})
    crm.patch("/companies/C-1", json={"parent_company_id": "C-2"})

    merged(crm, "C-1", "C-2")

    contact = crm.get("/contacts/P-1").json()
    assert (contact["primary_company_id"], contact["company_ids"]) == ("C-1", "C-1|C-9")
    assert crm.get("/deals/D-1").json()["company_id"] == "C-1"
    assert crm.get("/companies/C-1").json()["parent_company_id"] == ""


def test_a_merge_repeated_changes_nothing_more(crm: httpx.Client) -> None:
    first = merged(crm, "C-1", "C-2")
    before = len(told(crm, 0))

    again = merged(crm, "C-1", "C-2")

    assert (again.status_code, again.json()) == (200, first.json())
    assert len(told(crm, 0)) == before


def test_a_merge_that_makes_no_sense_is_refused(crm: httpx.Client) -> None:
    crm.put("/companies/C-3", json={"name": "C"})

    answers = [
        merged(crm, "C-1", "C-1"),
        merged(crm, "C-1", "C-9"),
        merged(crm, "C-9", "C-1"),
        merged(crm, "C-1", "C-2", **{"If-Match": '"7"'}),
        crm.post("/companies/C-1/merge", json={}),
    ]

    assert [answer.status_code for answer in answers] == [422, 404, 404, 412, 400]
    assert len(told(crm, 0)) == 3
