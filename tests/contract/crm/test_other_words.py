"""A simulator made for another declaration speaks that one's words, and no longer Allegory's."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.crm import start
from local.crm.declared import declared
from tests.contract.connectors.other_words import SIMULATED
from tests.sample_system import built


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[httpx.Client]:
    key = tmp_path / "key"
    key.write_text("right")
    with (
        start(SIMULATED, api_key_file=key) as server,
        httpx.Client(base_url=server.url, headers={"Authorization": "Bearer right"}) as client,
    ):
        yield client


def test_a_version_and_its_condition_have_their_own_headers(crm: httpx.Client) -> None:
    first = crm.put("/companies/C-1", json={"name": "Nordwind"})
    wrong = crm.patch("/companies/C-1", json={"name": "Late"}, headers={"X-If-Version": '"7"'})
    right = crm.patch("/companies/C-1", json={"name": "Rotor"}, headers={"X-If-Version": '"1"'})
    ignored = crm.patch("/companies/C-1", json={"name": "Any"}, headers={"If-Match": '"1"'})

    assert (first.headers["X-Version"], "ETag" in first.headers) == ('"1"', False)
    assert [answer.status_code for answer in (wrong, right, ignored)] == [412, 200, 200]


def test_a_create_is_known_by_its_own_header(crm: httpx.Client) -> None:
    once, twice, other = (
        crm.post("/companies", json={"name": "Nordwind"}, headers={header: "m-1"}).json()["company_id"]
        for header in ("Request-Id", "Request-Id", "Idempotency-Key")
    )

    assert once == twice
    assert other != once


def test_a_list_has_its_own_words(crm: httpx.Client) -> None:
    for number in range(3):
        crm.put(f"/companies/C-{number}", json={"name": "Nordwind"})

    first = crm.get("/companies", params={"top": 2}).json()
    rest = crm.get("/companies", params={"top": 2, "from": first["more"]}).json()

    assert [[row["company_id"] for row in page["rows"]] for page in (first, rest)] == [
        ["C-0", "C-1"],
        ["C-2"],
    ]
    assert rest["more"] is None


def test_a_feed_has_its_own_words(crm: httpx.Client) -> None:
    saved = crm.put("/companies/C-1", json={"name": "Nordwind"}).json()
    crm.patch("/companies/C-1", json={"name": "Rotor"})
    crm.put("/companies/C-2", json={"name": "Nordwind"})
    crm.post("/companies/C-1/merge", json={"loser": "C-2"})
    crm.delete("/companies/C-1")

    first = crm.get("/journal", params={"top": 1}).json()
    rest = crm.get("/journal", params={"after": first["until"]}).json()

    assert first["entries"] == [
        {
            "collection": "companies",
            "number": "1",
            "kind": "company",
            "record": "C-1",
            "what": "new",
            "when": saved["saved_at"],
            "who": "integration",
            "state": saved,
        }
    ]
    assert [(entry["what"], entry.get("heir")) for entry in rest["entries"]] == [
        ("saved", None),
        ("new", None),
        ("joined", "C-1"),
        ("struck off", None),
    ]
    assert crm.get("/changes").status_code == 404


def test_a_stand_in_is_made_from_a_declaration_alone(tmp_path: Path) -> None:
    with (
        built(tmp_path) as acme,
        start(declared(acme)) as server,
        httpx.Client(base_url=server.url) as people,
    ):
        made = people.post("/firms", json={"firm_name": "Nordwind", "fax_2": "0471"}).json()
        strange = people.post("/firms", json={"shoe_size": "44"})
        told = people.get("/journal", params={"after": 0}).json()["changes"]

        assert made == {
            "firm_no": "F-1",
            "firm_name": "Nordwind",
            "town": "",
            "class": "",
            "belongs_to": "",
            "clerk": "",
            "saved": told[0]["changed_at"],
            "fax_2": "0471",
        }
        assert (strange.status_code, [(entry["entity"], entry["what"]) for entry in told]) == (
            422,
            [("firm", "new")],
        )
