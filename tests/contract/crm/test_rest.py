"""What a client of the legacy CRM's REST interface may rely on."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from local.crm import start
from local.crm.systems.allegory import ALLEGORY

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = {"Authorization": "Bearer right"}
COLUMNS = {collection.name: dict.fromkeys(collection.columns, "") for collection in ALLEGORY.collections}


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text("right\n")
    return path


@pytest.fixture
def crm(key_file: Path) -> Iterator[httpx.Client]:
    with (
        start(ALLEGORY, api_key_file=key_file, now=lambda: NOON, random=Random(7)) as server,  # noqa: S311  # ids, not secrets
        httpx.Client(base_url=server.url, headers=KEY, timeout=60) as client,
    ):
        yield client


def acme(**fields: str) -> dict[str, str]:
    return {"name": "Acme", "employees": "12", **fields}


def test_a_created_record_has_an_id_a_stamp_and_a_version(crm: httpx.Client) -> None:
    answer = crm.post("/companies", json=acme(cf_region="north"))

    assert (answer.status_code, answer.headers["location"], answer.headers["etag"]) == (
        201,
        "/companies/C-0001",
        '"1"',
    )
    stamp = "2026-03-01T12:00:00.000Z"
    assert answer.json() == {
        **COLUMNS["companies"],
        **acme(cf_region="north"),
        "company_id": "C-0001",
        "created_at": stamp,
        "updated_at": stamp,
    }
    assert crm.get("/companies/C-0001").json() == answer.json()


def test_ids_are_of_the_systems_making_and_never_taken_twice(crm: httpx.Client) -> None:
    crm.put("/companies/C-0002", json=acme())

    assert [crm.post("/companies", json=acme()).json()["company_id"] for _ in range(3)] == [
        "C-0003",
        "C-0004",
        "C-0005",
    ]
    assert crm.post("/contacts", json={"last_name": "A"}).json()["contact_id"] == "P-00001"
    deal = crm.post("/deals", json={"name": "A"}).json()["deal_id"]
    assert len(deal) == 8
    assert deal.isalnum()
    assert deal.upper() == deal


def test_the_same_idempotency_key_creates_once(crm: httpx.Client) -> None:
    answers = [
        crm.post(f"/{name}", json={"name": "A"}, headers={"Idempotency-Key": key})
        for name, key in (("companies", "k"), ("companies", "k"), ("companies", "l"), ("deals", "k"))
    ]

    assert [answer.status_code for answer in answers] == [201, 200, 201, 201]
    assert answers[0].json() == answers[1].json()
    assert len(crm.get("/companies").json()["records"]) == 2


def test_a_patch_changes_what_it_names_and_moves_the_version(crm: httpx.Client) -> None:
    created = crm.post("/companies", json=acme()).json()

    answer = crm.patch("/companies/C-0001", json={"name": "Acme Ltd"}, headers={"If-Match": '"1"'})

    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    assert answer.json() == {**created, "name": "Acme Ltd", "updated_at": "2026-03-01T12:00:00.001Z"}


def test_a_put_replaces_the_whole_record(crm: httpx.Client) -> None:
    statuses = [
        crm.put("/companies/C-0100", json=fields).status_code
        for fields in (acme(created_at="2016-02-28T21:41:41Z"), {"name": "Other"})
    ]

    assert statuses == [201, 200]
    record = crm.get("/companies/C-0100").json()
    assert (record["name"], record["employees"], record["company_id"]) == ("Other", "", "C-0100")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_stale_write_is_refused_and_changes_nothing(crm: httpx.Client, method: str) -> None:
    crm.post("/companies", json=acme())
    crm.patch("/companies/C-0001", json={"name": "Newer"})

    body = None if method == "DELETE" else {"name": "Older"}
    answer = crm.request(method, "/companies/C-0001", json=body, headers={"If-Match": '"1"'})

    assert answer.status_code == 412
    assert crm.get("/companies/C-0001").json()["name"] == "Newer"


def test_absence_and_presence_can_be_demanded(crm: httpx.Client) -> None:
    def put(**headers: str) -> int:
        return crm.put("/companies/C-0001", json=acme(), headers=headers).status_code

    assert put(**{"If-Match": "*"}) == 412
    assert put(**{"If-None-Match": "*"}) == 201
    assert put(**{"If-None-Match": "*"}) == 412
    assert put(**{"If-Match": "*"}) == 200
    assert put(**{"If-Match": 'W/"other"'}) == 412


def test_a_deleted_record_is_gone_and_its_old_version_never_fits_again(crm: httpx.Client) -> None:
    crm.post("/companies", json=acme())

    assert crm.delete("/companies/C-0001", headers={"If-Match": '"1"'}).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        body = {"name": "x"} if method == "PATCH" else None
        assert crm.request(method, "/companies/C-0001", json=body).status_code == 404
    assert crm.put("/companies/C-0001", json=acme()).headers["etag"] == '"3"'


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"nome": "x", "a": "y", "cf_ok": "z"}, "unknown columns: a, nome"),
        ({"name": 5, "phone": None}, "not text: name, phone"),
        (["x"], "a record is a JSON object"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_by_column(crm: httpx.Client, fields: Any, reason: str) -> None:
    crm.put("/companies/C-0001", json=acme())
    for method, path in (
        ("POST", "/companies"),
        ("PUT", "/companies/C-0001"),
        ("PATCH", "/companies/C-0001"),
    ):
        answer = crm.request(method, path, json=fields)
        assert (answer.status_code, answer.json()) == (422, {"error": reason})


def test_the_key_column_cannot_say_another_id(crm: httpx.Client) -> None:
    crm.put("/companies/C-0001", json=acme(company_id="C-0001"))

    assert crm.patch("/companies/C-0001", json={"company_id": "C-0002"}).status_code == 422
    assert crm.put("/companies/C-0001", json={"company_id": "C-0002"}).status_code == 422
    assert crm.post("/companies", json={"company_id": "C-0009"}).status_code == 422


def test_unreadable_requests_are_refused(crm: httpx.Client) -> None:
    assert crm.post("/companies", content=b"{").status_code == 400
    assert crm.get("/changes", params={"since": "yesterday"}).status_code == 400
    assert crm.get("/orders").status_code == 404


def test_a_collection_is_read_page_by_page(crm: httpx.Client) -> None:
    for number in range(5):
        crm.post("/companies", json=acme(name=str(number)))
    crm.delete("/companies/C-0003")

    names: list[str] = []
    etags: dict[str, str] = {}
    cursor: str | None = ""
    while cursor is not None:
        page = crm.get("/companies", params={"limit": 2, "cursor": cursor}).json()
        names += [record["name"] for record in page["records"]]
        etags |= page["etags"]
        cursor = page["next"]

    assert names == ["0", "1", "3", "4"]
    assert etags == dict.fromkeys(("C-0001", "C-0002", "C-0004", "C-0005"), '"1"')


def test_the_feed_tells_every_change_its_author_and_the_record_as_it_was_left(crm: httpx.Client) -> None:
    person = httpx.Client(base_url=crm.base_url)
    created = crm.post("/companies", json=acme()).json()
    patched = person.patch(
        "/companies/C-0001", json={"name": "B"}, headers={"X-User": "ann@x.example"}
    ).json()
    person.delete("/companies/C-0001")
    person.close()

    feed = crm.get("/changes").json()

    told = {"entity": "company", "collection": "companies", "id": "C-0001"}
    assert feed == {
        "changes": [
            {
                **told,
                "cursor": "1",
                "operation": "create",
                "changed_at": created["updated_at"],
                "changed_by": "integration",
                "record": created,
            },
            {
                **told,
                "cursor": "2",
                "operation": "update",
                "changed_at": patched["updated_at"],
                "changed_by": "ann@x.example",
                "record": patched,
            },
            {
                **told,
                "cursor": "3",
                "operation": "delete",
                "changed_at": "2026-03-01T12:00:00.002Z",
                "changed_by": "person",
                "record": None,
            },
        ],
        "next": "3",
    }


def test_the_feed_is_followed_by_its_cursor(crm: httpx.Client) -> None:
    for _ in range(3):
        crm.post("/companies", json=acme())

    first = crm.get("/changes", params={"limit": 2}).json()
    rest = crm.get("/changes", params={"since": first["next"]}).json()
    none = crm.get("/changes", params={"since": rest["next"]}).json()

    assert [change["id"] for change in first["changes"] + rest["changes"]] == ["C-0001", "C-0002", "C-0003"]
    assert none == {"changes": [], "next": "3"}


def test_a_refused_write_leaves_no_trace_in_the_feed(crm: httpx.Client) -> None:
    crm.post("/companies", json={"nome": "x"})
    crm.patch("/companies/C-0001", json={"name": "x"})

    assert crm.get("/changes").json()["changes"] == []


def test_a_wrong_key_is_refused_and_a_rotated_one_counts_at_once(crm: httpx.Client, key_file: Path) -> None:
    def status(authorization: str) -> int:
        return crm.get("/companies", headers={"Authorization": authorization}).status_code

    assert [status(each) for each in ("Bearer wrong", "Basic right", "Bearer", "Bearer right")] == [
        401
    ] * 3 + [200]
    key_file.write_text("rotated")
    assert [status(each) for each in ("Bearer right", "Bearer rotated")] == [401, 200]


def test_throttling_is_had_on_demand_and_counted(crm: httpx.Client) -> None:
    crm.post(
        "/admin/faults",
        json={"kind": "status", "status": 429, "retry_after": 3, "count": 2, "method": "PATCH"},
    )
    crm.post("/companies", json=acme())
    answers = [crm.patch("/companies/C-0001", json={"name": "B"}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "3"
    log = crm.get("/admin/requests").json()
    assert (log["total"], log["counts"]) == (
        4,
        [
            {"method": "PATCH", "collection": "companies", "status": 200, "count": 1},
            {"method": "PATCH", "collection": "companies", "status": 429, "count": 2},
            {"method": "POST", "collection": "companies", "status": 201, "count": 1},
        ],
    )
    assert log["requests"][0] == {"method": "POST", "path": "/companies", "status": 201}
    assert crm.delete("/admin/requests").json() == {"total": 0, "counts": [], "requests": []}


def test_a_lost_answer_hides_work_that_was_done(crm: httpx.Client) -> None:
    crm.post("/admin/faults", json={"kind": "lost_answer"})

    with pytest.raises(httpx.RemoteProtocolError):
        crm.post("/companies", json=acme(), headers={"Idempotency-Key": "k"})

    again = crm.post("/companies", json=acme(), headers={"Idempotency-Key": "k"})
    assert (again.status_code, again.json()["company_id"]) == (200, "C-0001")
    assert crm.get("/admin/requests").json()["counts"] == [
        {"method": "POST", "collection": "companies", "status": 0, "count": 1},
        {"method": "POST", "collection": "companies", "status": 200, "count": 1},
    ]


def test_a_slow_answer_outlasts_an_impatient_client_but_is_given(crm: httpx.Client) -> None:
    crm.post("/admin/faults", json={"kind": "slow", "seconds": 0.3, "count": 2})

    with pytest.raises(httpx.ReadTimeout):
        crm.get("/companies", timeout=httpx.Timeout(60, read=0.05))
    assert crm.get("/companies").status_code == 200


def test_records_versions_and_the_feed_outlive_the_process(tmp_path: Path) -> None:
    store = tmp_path / "crm.db"
    for round_ in (1, 2):
        with (
            start(ALLEGORY, store=store, now=lambda: NOON) as server,
            httpx.Client(base_url=server.url) as client,
        ):
            answer = client.put("/companies/C-0001", json=acme())
            assert answer.headers["etag"] == f'"{round_}"'
            stamps = [change["changed_at"] for change in client.get("/changes").json()["changes"]]
    assert stamps == ["2026-03-01T12:00:00.000Z", "2026-03-01T12:00:00.001Z"]


def test_requests_on_one_connection_do_not_wait_for_each_others_packets(crm: httpx.Client) -> None:
    crm.put("/companies/C-0001", json=acme())
    taken = []
    for _ in range(100):
        started = time.monotonic()
        crm.get("/companies/C-0001")
        taken.append(time.monotonic() - started)

    # Nagle's algorithm against delayed acknowledgement makes it 40 ms for each but the first few; what else
    # the machine does slows some.
    assert sorted(taken)[30] < 0.03
