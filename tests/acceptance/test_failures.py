"""What passes by itself: a far side that is down, throttles, or loses its answer. Nobody has to act."""

import json
from datetime import datetime, timedelta
from typing import Any

import httpx
from azure.servicebus import ServiceBusClient, ServiceBusMessage

from tests.acceptance.conftest import Stack, company, edit, envelope, eventually, row_id, session_of
from tests.acceptance.trouble import Trouble

DOWN: dict[str, Any] = {"times": None, "status": 503}


def name_of(stack: Stack, tag: str, number: int = 1) -> Any:
    row = stack.row_of(f"allegory:company:{tag}-C{number}", "accounts")
    return row and row["name"]


def failing(stack: Stack, message: str, attempts: int = 1) -> dict[str, Any]:
    """The failure of a message, once it was tried so often."""

    def look() -> dict[str, Any] | None:
        found = stack.failure(message)
        return found if found and found["attempts"] >= attempts else None

    return eventually(f"{message} failed {attempts} times", look)


def test_a_dataverse_that_is_down_costs_only_time(stack: Stack, trouble: Trouble, tag: str) -> None:
    trouble.dataverse(**DOWN, path=row_id(tag, 1))
    first, other = company(tag, 1), company(tag, 2)
    head = stack.send("inbound", first, session=session_of(first))
    failing(stack, head)
    followers = [
        stack.send("inbound", body, session=session_of(body))
        for body in (edit(first, 1, name="Second"), edit(first, 2, name="Third"))
    ]
    elsewhere = stack.send("inbound", other, session=session_of(other))

    failure = failing(stack, head, attempts=2)
    waiting = [stack.outcome(follower, "held") for follower in followers]
    assert stack.outcome(elsewhere, "applied"), "other records do not notice"
    assert (failure["kind"], failure["code"], failure["state"]) == (
        "Unavailable",
        "target.unavailable",
        "retrying",
    )
    assert failure["followers"] == 2
    assert failure["next_retry_at"] > failure["last_failed_at"] > failure["first_failed_at"]
    assert [(fate["status"], fate["behind"]) for fate in waiting] == [("held", head)] * 2
    assert stack.now()["behind"] >= 2
    assert name_of(stack, tag) is None

    trouble.over()
    for message in (head, *followers):
        stack.outcome(message, "applied")
    assert name_of(stack, tag) == "Third"
    lines = [line for message in (head, *followers) for line in stack.decisions(message)]
    applied = [line["message_id"] for line in sorted(lines, key=_at) if line["outcome"] == "applied"]
    assert applied == [head, *followers], "in the order in which they happened"
    assert stack.failure(head) is None
    assert stack.now()["conserved"]


def _at(line: dict[str, Any]) -> str:
    return str(line["at"])


def test_operators_read_what_fails_and_when_it_is_tried_again(
    stack: Stack, trouble: Trouble, tag: str
) -> None:
    trouble.dataverse(**DOWN, path=row_id(tag, 1))
    body = company(tag, 1)
    message = stack.send("inbound", body, session=session_of(body))
    failing(stack, message)

    told = stack.tandem("failures", "list").stdout
    history = stack.tandem("record", "show", message).stdout

    line = next(line for line in told.splitlines() if line.startswith(message)).split()
    assert line[1:4] == [f"allegory:company:{tag}-C1", "retrying", "target.unavailable"]
    assert int(line[4]) >= 1
    assert datetime.fromisoformat(line[5])
    assert "message" in told
    assert "next try" in told
    assert "behind it" in told
    assert "The far side is down or did not answer in time." in told
    assert "-> Nothing: it is tried again with growing pauses." in told
    assert f"record {row_id(tag, 1)}  =  allegory:company:{tag}-C1 (reserved)" in history
    assert "failed: target.unavailable: Dataverse answered" in history
    assert "in the lane now, in this order:" in history


def test_pauses_grow_from_try_to_try(stack: Stack, trouble: Trouble, tag: str) -> None:
    trouble.dataverse(**DOWN, path=row_id(tag, 1))
    body = company(tag, 1)
    message = stack.send("inbound", body, session=session_of(body))

    seen = 0
    for _ in range(3):
        failure = failing(stack, message, seen + 1)
        next_try, last = (
            datetime.fromisoformat(failure[name]) for name in ("next_retry_at", "last_failed_at")
        )
        seen = failure["attempts"]
        longest = timedelta(seconds=2 ** (seen - 1))
        assert longest * 0.79 <= next_try - last <= longest, f"the pause after try {seen}"


def test_what_dataverse_asks_for_with_429_is_kept(stack: Stack, trouble: Trouble, tag: str) -> None:
    trouble.dataverse(times=1, status=429, code="0x80072322", retry_after=4, path=row_id(tag, 1))
    body = company(tag, 1)
    message = stack.send("inbound", body, session=session_of(body))

    failure = failing(stack, message)
    assert (failure["kind"], failure["code"]) == ("Throttled", "target.throttled")
    stack.outcome(message, "applied")

    refused, applied = stack.decisions(message)
    assert (refused["outcome"], applied["outcome"]) == ("failed", "applied"), "one failure, one success"
    pause = datetime.fromisoformat(applied["at"]) - datetime.fromisoformat(refused["at"])
    assert timedelta(seconds=4) <= pause < timedelta(seconds=12)


def test_a_failing_message_is_kept_as_it_came(stack: Stack, trouble: Trouble, tag: str) -> None:
    trouble.dataverse(**DOWN, path=row_id(tag, 1))
    body = json.dumps(company(tag, 1, city="Łódź — \u2028"), indent=3, ensure_ascii=False).encode() + b"\r\n "
    properties: dict[str | bytes, Any] = {"source": "allegory", "tries": 3, "ratio": 0.5, "urgent": True}
    with (
        ServiceBusClient.from_connection_string(stack.endpoints["servicebus"]) as client,
        client.get_queue_sender("inbound") as sender,
    ):
        sender.send_messages(
            ServiceBusMessage(
                body,
                message_id=f"{tag}-kept",
                session_id=f"allegory:company:{tag}-C1",
                content_type="application/json; charset=utf-8",
                correlation_id="c-1",
                subject="company",
                to="tandem",
                reply_to="answers",
                application_properties=properties,
            )
        )
    failing(stack, f"{tag}-kept", attempts=2)

    (kept,) = stack.kept(
        """SELECT m.*, i.kind, i.code, i.answer, i.rule, i.attempts, i.first_failed_at, i.last_failed_at
           FROM message m JOIN lane_item i USING (number) WHERE message_id = ?""",
        f"{tag}-kept",
    )

    told = json.loads(kept["properties"])
    assert kept["body"] == body, "byte for byte"
    assert json.loads(kept["application_properties"]) == properties
    assert {
        name: told.get(name) for name in ("contentType", "correlationId", "subject", "to", "replyTo")
    } == {
        "contentType": "application/json; charset=utf-8",
        "correlationId": "c-1",
        "subject": "company",
        "to": "tandem",
        "replyTo": "answers",
    }
    assert (kept["session_id"], kept["delivery_count"]) == (f"allegory:company:{tag}-C1", 1)
    assert (kept["kind"], kept["code"], kept["answer"]) == ("Unavailable", "target.unavailable", None)
    assert kept["rule"].startswith("Dataverse answered 503")
    assert kept["attempts"] >= 2
    assert kept["first_failed_at"] < kept["last_failed_at"]


def test_an_answer_lost_after_the_create_makes_no_second_row(
    stack: Stack, trouble: Trouble, tag: str
) -> None:
    trouble.dataverse(times=1, drop="after", method="PATCH", path=row_id(tag, 1))
    body = company(tag, 1, phone="1")
    message = stack.send("inbound", body, session=session_of(body))
    failing(stack, message)
    later = edit(body, 1, phone="2")
    follower = stack.send("inbound", later, session=session_of(body))

    stack.outcome(message, "applied", "merged", "echo")
    assert stack.outcome(follower, "applied")
    with stack.dataverse() as client:
        told = client.get("accounts", params={"$filter": f"name eq 'Company {tag}-C1'"}).json()["value"]
    assert [(row["accountid"], row["telephone1"]) for row in told] == [(row_id(tag, 1), "2")]
    stack.quiet()
    (record,) = _allegory_side(stack, row_id(tag, 1))
    assert record["key"] == f"allegory:company:{tag}-C1", "nothing was created the other way round"


def _allegory_side(stack: Stack, row: str) -> list[dict[str, Any]]:
    with stack.api() as api:
        records = api.get(f"ops/records/{row}").raise_for_status().json()["records"]
    return [entry for record in records for entry in record["crosswalk"]]


def test_an_answer_lost_after_an_update_changes_nothing_twice(
    stack: Stack, trouble: Trouble, tag: str
) -> None:
    body = company(tag, 1, phone="1")
    stack.outcome(stack.send("inbound", body, session=session_of(body)), "applied")
    stack.quiet()
    trouble.dataverse(times=1, drop="after", method="PATCH", path=row_id(tag, 1))
    later = edit(body, 1, phone="2", city="Ulm")

    message = stack.send("inbound", later, session=session_of(body))

    failing(stack, message)
    stack.outcome(message, "applied", "merged", "echo")
    row = stack.row_of(f"allegory:company:{tag}-C1", "accounts")
    assert row is not None
    assert (row["telephone1"], row["address1_city"]) == ("2", "Ulm")
    assert stack.kept("SELECT * FROM conflict WHERE record = ?", row_id(tag, 1).replace("-", "")) == []


def test_an_answer_lost_after_a_create_in_allegory_makes_no_second_record(
    stack: Stack, trouble: Trouble, tag: str
) -> None:
    trouble.allegory(kind="lost_answer", count=1, method="POST", path="/deals")
    with stack.dataverse() as dataverse, stack.allegory() as allegory:
        made = dataverse.post("opportunities", json={"name": f"Deal {tag}"}).raise_for_status()
        row = made.headers["OData-EntityId"].rpartition("(")[2].rstrip(")")

        key = eventually("the pairing", lambda: _paired(stack, row))
        stack.quiet()

        found = _named(allegory, f"Deal {tag}")
    assert [f"allegory:deal:{record['deal_id']}" for record in found] == [key]
    assert len(_allegory_side(stack, row)) == 1


def _paired(stack: Stack, row: str) -> str | None:
    with stack.api() as api:
        answer = api.get(f"ops/records/{row}")
    if answer.status_code == 404:
        return None
    keys = [entry for record in answer.json()["records"] for entry in record["crosswalk"]]
    return next((entry["key"] for entry in keys if entry["state"] == "paired"), None)


def _named(allegory: httpx.Client, name: str) -> list[dict[str, Any]]:
    page = allegory.get("/deals", params={"limit": "1000"}).raise_for_status().json()
    assert page["next"] is None
    return [record for record in page["records"] if record["name"] == name]


def test_a_contact_behind_a_company_that_fails_waits_for_it(stack: Stack, trouble: Trouble, tag: str) -> None:
    trouble.dataverse(**DOWN, path=row_id(tag, 1))
    parent = company(tag, 1)
    child = envelope("contact", f"{tag}-P1", {"last_name": "Reuter", "primary_company_id": f"{tag}-C1"})
    head = stack.send("inbound", parent, session=session_of(parent))
    failing(stack, head)
    waiting = stack.send("inbound", child, session=session_of(child))
    assert stack.outcome(waiting, "parked")["waitsOn"] == f"allegory:company:{tag}-C1"

    trouble.over()

    assert stack.outcome(head, "applied")
    assert stack.outcome(waiting, "applied")
