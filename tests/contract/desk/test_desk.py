"""What the service and a person may rely on at the local ticket desk."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.desk import start

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
A_TICKET: dict[str, Any] = {
    "key": "allegory/deal/unmappable",
    "title": "3 deals wait for a stage",
    "body": "See the lane.",
    "team": "sales-ops",
    "priority": "high",
    "details": {"failures": 3},
}
SHOWN = {
    "id": "T-1",
    "status": "open",
    **A_TICKET,
    "created_at": NOON.isoformat(),
    "updated_at": NOON.isoformat(),
}
OPENED = {"at": NOON.isoformat(), "event": "opened", "changes": {}, "comment": ""}


@pytest.fixture
def desk() -> Iterator[httpx.Client]:
    with (
        start(now=lambda: NOON) as server,
        httpx.Client(base_url=server.url, headers={"Authorization": "Bearer any"}, timeout=60) as client,
    ):
        yield client


def test_a_ticket_is_opened_and_read_with_its_history(desk: httpx.Client) -> None:
    answer = desk.post("/tickets", json=A_TICKET)

    assert (answer.status_code, answer.headers["location"]) == (201, "/tickets/T-1")
    assert answer.json() == {**SHOWN, "history": [OPENED]}
    assert desk.get("/tickets/T-1").json() == {**SHOWN, "history": [OPENED]}


def test_the_same_idempotency_key_opens_one_ticket(desk: httpx.Client) -> None:
    first, second, third = (
        desk.post("/tickets", json=A_TICKET, headers={"Idempotency-Key": key}) for key in ("a", "a", "b")
    )

    assert [answer.status_code for answer in (first, second, third)] == [201, 200, 201]
    assert [answer.json()["id"] for answer in (first, second, third)] == ["T-1", "T-1", "T-2"]


def test_a_ticket_tells_what_became_of_it(desk: httpx.Client) -> None:
    desk.post("/tickets", json=A_TICKET)
    for change in (
        {"body": "Now four.", "details": {"failures": 4}},
        {"comment": "looking"},
        {"status": "closed", "comment": "group is empty"},
        {"status": "closed"},
        {"status": "open"},
    ):
        answer = desk.patch("/tickets/T-1", json=change)
        assert answer.status_code == 200

    at = NOON.isoformat()
    assert answer.json()["history"] == [
        OPENED,
        {
            "at": at,
            "event": "changed",
            "changes": {
                "body": ["See the lane.", "Now four."],
                "details": [{"failures": 3}, {"failures": 4}],
            },
            "comment": "",
        },
        {"at": at, "event": "commented", "changes": {}, "comment": "looking"},
        {"at": at, "event": "closed", "changes": {"status": ["open", "closed"]}, "comment": "group is empty"},
        {"at": at, "event": "reopened", "changes": {"status": ["closed", "open"]}, "comment": ""},
    ]


def test_tickets_are_found_by_status_and_key(desk: httpx.Client) -> None:
    desk.post("/tickets", json=A_TICKET)
    desk.post("/tickets", json={**A_TICKET, "key": "other"})
    desk.patch("/tickets/T-2", json={"status": "closed"})

    def ids(**query: str) -> list[str]:
        return [ticket["id"] for ticket in desk.get("/tickets", params=query).json()["tickets"]]

    assert ids() == ["T-2", "T-1"]
    assert ids(status="open") == ["T-1"]
    assert ids(key="other") == ["T-2"]
    assert ids(status="open", key="other") == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"title": "x"}, "key: needed"),
        ({"key": "x", "title": "x", "queue": "x"}, "queue: unknown"),
        ({"key": "x", "title": 5}, "title: text"),
        ({"key": "x", "title": "x", "details": "x"}, "details: a JSON object"),
        ([], "a ticket is a JSON object"),
    ],
)
def test_a_ticket_that_does_not_fit_is_refused_by_field(desk: httpx.Client, fields: Any, reason: str) -> None:
    answer = desk.post("/tickets", json=fields)

    assert (answer.status_code, answer.json()) == (422, {"error": reason})


def test_a_status_other_than_open_and_closed_is_refused(desk: httpx.Client) -> None:
    desk.post("/tickets", json=A_TICKET)

    assert desk.patch("/tickets/T-1", json={"status": "odd"}).json() == {"error": "status: open or closed"}
    assert desk.patch("/tickets/T-9", json={"status": "closed"}).status_code == 404
    assert desk.get("/tickets/nonsense").status_code == 404


def test_writes_need_the_configured_token_and_reads_none(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("right\n")
    with start(api_key_file=key_file) as server, httpx.Client(base_url=server.url) as client:

        def status(authorization: str | None) -> int:
            headers = {} if authorization is None else {"Authorization": authorization}
            return client.post("/tickets", json=A_TICKET, headers=headers).status_code

        assert [status(each) for each in (None, "Bearer wrong", "Basic right", "Bearer right")] == [
            401
        ] * 3 + [201]
        assert client.patch("/tickets/T-1", json={"status": "closed"}).status_code == 401
        assert client.get("/tickets/T-1").json()["status"] == "open"

        key_file.write_text("rotated")
        assert [status(each) for each in ("Bearer right", "Bearer rotated")] == [401, 201]


def test_a_lost_answer_leaves_one_ticket_that_the_key_finds_again(desk: httpx.Client) -> None:
    desk.post("/admin/faults", json={"kind": "lost_answer", "method": "POST"})

    with pytest.raises(httpx.RemoteProtocolError):
        desk.post("/tickets", json=A_TICKET, headers={"Idempotency-Key": "a"})

    again = desk.post("/tickets", json=A_TICKET, headers={"Idempotency-Key": "a"})
    assert (again.status_code, again.json()["id"]) == (200, "T-1")


def test_the_page_shows_open_tickets_first_and_nothing_unescaped(desk: httpx.Client) -> None:
    assert "Nothing needs a person." in desk.get("/").text
    for title in ("<script>1</script>", "second"):
        desk.post("/tickets", json={**A_TICKET, "title": title})
    desk.patch("/tickets/T-2", json={"status": "closed"})

    page = desk.get("/").text

    assert "1 open, 1 closed" in page
    assert "<script>" not in page
    assert page.index("&lt;script&gt;") < page.index("second")


def test_tickets_outlive_the_desk(tmp_path: Path) -> None:
    for ids in ([], ["T-1"]):
        with start(store=tmp_path / "desk.db") as server, httpx.Client(base_url=server.url) as client:
            assert [ticket["id"] for ticket in client.get("/tickets").json()["tickets"]] == ids
            client.post("/tickets", json=A_TICKET, headers={"Authorization": "Bearer x"})
