"""What needs a person: a refusal that lasts. One ticket per cause, a replay per message, and then silence."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.conftest import Stack, company, edit, eventually, row_id, session_of
from tests.acceptance.trouble import Trouble

MARKER = "Geheimrat"
"""What only a customer's values say in these tests."""


@pytest.fixture
def answer() -> str:
    """A code of Dataverse's that nobody else gets: a group of its own."""
    return f"0x8{uuid4().hex[:7]}"


def refuse(trouble: Trouble, answer: str, tag: str, *numbers: int) -> None:
    """Let Dataverse refuse these companies, in words that quote the customer."""
    for number in numbers:
        trouble.dataverse(
            times=None,
            status=400,
            code=answer,
            message=f"The value '{MARKER}' of 'telephone1' is not accepted by the rule of {MARKER}.",
            path=row_id(tag, number),
        )


def sent(stack: Stack, tag: str, number: int) -> str:
    body = company(tag, number, phone=f"{MARKER} {number}", city=MARKER)
    return stack.send("inbound", body, session=session_of(body))


def group(stack: Stack, answer: str) -> dict[str, Any] | None:
    with stack.api() as api:
        told = api.get("ops/failures").raise_for_status().json()["groups"]
    return next((entry for entry in told if entry["answer"] == answer), None)


def tickets(stack: Stack, answer: str) -> list[dict[str, Any]]:
    """Every ticket about an answer, with its history."""
    desk = stack.endpoints["tickets"]
    listed = httpx.get(f"{desk}/tickets").raise_for_status().json()["tickets"]
    return [httpx.get(f"{desk}/tickets/{each['id']}").json() for each in listed if answer in each["body"]]


def ticket(stack: Stack, answer: str, *, says: str = "", status: str = "open") -> dict[str, Any]:
    """The only ticket about an answer, once it says this."""

    def look() -> dict[str, Any] | None:
        found = tickets(stack, answer)
        assert len(found) <= 1, "one ticket per group"
        return found[0] if found and says in found[0]["body"] and found[0]["status"] == status else None

    return eventually(f"a ticket that is {status} and says {says!r}", look)


def test_a_lasting_refusal_opens_one_ticket_that_counts_and_closes_itself(
    stack: Stack, trouble: Trouble, tag: str, answer: str
) -> None:
    refuse(trouble, answer, tag, 1, 2, 3, 4)
    messages = [sent(stack, tag, number) for number in (1, 2, 3)]
    for message in messages:
        stack.outcome(message, "failed")

    told = ticket(stack, answer, says="Messages: 3 (3 from allegory)")
    messages.append(sent(stack, tag, 4))
    grown = ticket(stack, answer, says="Messages: 4 (4 from allegory)")

    assert grown["id"] == told["id"]
    assert told["team"] == "allegory-support"
    assert told["title"] == "company: target.refused in telephone1"
    assert f"The far side answered {answer}." in told["body"]
    assert "What to do: Read its code, fix the cause, replay the group." in told["body"]
    example = re.search(r"^Example: tandem record show (\S+)$", told["body"], re.MULTILINE)
    assert example is not None
    assert example[1] in messages
    assert MARKER not in str(grown), "no customer's value in title, text or history"

    trouble.over()
    for message in messages:
        assert stack.tandem("replay", message).stdout == f"{message}: goes on in its lane now\n"
        stack.outcome(message, "applied")
    closed = ticket(stack, answer, status="closed")
    assert [event["event"] for event in closed["history"]][-1] == "closed"
    assert closed["history"][-1]["comment"] == "Nothing of this group fails any more."
    assert group(stack, answer) is None
    assert [stack.row_of(f"allegory:company:{tag}-C{n}", "accounts") is not None for n in (1, 2, 3, 4)] == [
        True
    ] * 4


def test_nothing_is_tried_again_by_itself_and_followers_go_on_in_order(
    stack: Stack, trouble: Trouble, tag: str, answer: str
) -> None:
    refuse(trouble, answer, tag, 1)
    head = sent(stack, tag, 1)
    stack.outcome(head, "failed")
    body = company(tag, 1)
    followers = [
        stack.send("inbound", edit(body, second, phone=str(second)), session=session_of(body))
        for second in (1, 2, 3)
    ]
    for follower in followers:
        assert stack.outcome(follower, "held")["behind"] == head
    trouble.over()
    ticket(stack, answer)
    free = company(tag, 2)
    stack.outcome(stack.send("inbound", free, session=session_of(free)), "applied")

    failure = stack.failure(head)
    listed = stack.tandem("failures", "list").stdout
    now = stack.tandem("now").stdout

    assert failure is not None
    assert (failure["kind"], failure["state"], failure["attempts"], failure["next_retry_at"]) == (
        "Refused",
        "held",
        1,
        None,
    )
    assert (failure["field"], failure["answer"], failure["followers"]) == ("telephone1", answer, 3)
    line = next(line for line in listed.splitlines() if line.startswith(head))
    assert re.search(r" held +target\.refused +1 +a person +3$", line)
    assert f"1 x target.refused on company  (ticket {ticket(stack, answer)['id']})" in listed
    assert MARKER not in listed
    assert failure["request_id"], "what the far side's support asks for"
    assert f"its support asks for the last request's id: {failure['request_id']}" in listed
    assert f"far side's request {failure['request_id']}" in stack.tandem("record", "show", head).stdout
    assert re.search(
        r"^Lanes open \d+, held [1-9]\d*; .*behind one that cannot go on [3-9]", now, re.MULTILINE
    )

    again = stack.tandem("replay", head)
    assert again.returncode == 0
    for message in (head, *followers):
        stack.outcome(message, "applied")
    row = stack.row_of(f"allegory:company:{tag}-C1", "accounts")
    assert row is not None
    assert (row["telephone1"], row["address1_city"]) == ("3", MARKER)
    lines = [line for message in (head, *followers) for line in stack.decisions(message)]
    applied = sorted((line["at"], line["message_id"]) for line in lines if line["outcome"] == "applied")
    assert [message for _, message in applied] == [head, *followers]


def test_a_second_replay_does_nothing(stack: Stack, trouble: Trouble, tag: str, answer: str) -> None:
    refuse(trouble, answer, tag, 1)
    message = sent(stack, tag, 1)
    stack.outcome(message, "failed")
    trouble.over()
    stack.tandem("replay", message)
    stack.outcome(message, "applied")
    body = company(tag, 1)
    stack.outcome(stack.send("inbound", edit(body, 5, phone="9"), session=session_of(body)), "applied")
    before = stack.decisions(message)

    again = stack.tandem("replay", message)

    assert again.returncode == 0
    assert again.stdout == f"{message}: had gone through already: applied; nothing was done\n"
    assert stack.decisions(message) == before
    row = stack.row_of(f"allegory:company:{tag}-C1", "accounts")
    assert row is not None
    assert row["telephone1"] == "9", "the newer value stays"


def test_a_replay_that_fails_again_keeps_its_place_and_its_ticket(
    stack: Stack, trouble: Trouble, tag: str, answer: str
) -> None:
    refuse(trouble, answer, tag, 1)
    message = sent(stack, tag, 1)
    stack.outcome(message, "failed")
    opened = ticket(stack, answer)

    stack.tandem("replay", message)

    eventually("the second try", lambda: (stack.failure(message) or {}).get("attempts") == 2 or None)
    eventually("its end", lambda: (stack.failure(message) or {}).get("state") == "held" or None)
    assert ticket(stack, answer)["id"] == opened["id"]
    trouble.over()
    stack.tandem("replay", message)
    stack.outcome(message, "applied")
    ticket(stack, answer, status="closed")


def test_a_group_that_comes_back_gets_a_ticket_of_its_own(
    stack: Stack, trouble: Trouble, tag: str, answer: str
) -> None:
    refuse(trouble, answer, tag, 1)
    message = sent(stack, tag, 1)
    ticket(stack, answer)
    trouble.over()
    stack.tandem("replay", message)
    first = ticket(stack, answer, status="closed")
    refuse(trouble, answer, tag, 2)

    other = sent(stack, tag, 2)

    stack.outcome(other, "failed")
    eventually("a second ticket", lambda: len(tickets(stack, answer)) == 2 or None)
    states = {each["id"]: each["status"] for each in tickets(stack, answer)}
    assert states.pop(first["id"]) == "closed"
    assert list(states.values()) == ["open"]
    trouble.over()
    stack.tandem("replay", other)
    stack.outcome(other, "applied")


def test_a_desk_that_is_down_is_told_later(stack: Stack, trouble: Trouble, tag: str, answer: str) -> None:
    trouble.desk(kind="status", count=2, status=503, method="POST", path="/tickets")
    refuse(trouble, answer, tag, 1)
    message = sent(stack, tag, 1)
    stack.outcome(message, "failed")

    ticket(stack, answer)

    trouble.over()
    stack.tandem("replay", message)
    stack.outcome(message, "applied")
    ticket(stack, answer, status="closed")


def test_a_person_is_told_what_a_command_cannot_do(stack: Stack, tag: str) -> None:
    unknown = stack.tandem("replay", f"{tag}-nobody")
    nothing = stack.tandem("record", "show", f"{tag}-nobody")

    assert (unknown.returncode, nothing.returncode) == (1, 1)
    assert unknown.stderr == "tandem: request.not_found: no message has this id\n"
    assert nothing.stderr == "tandem: request.not_found: no record or message has this id\n"
