"""Whose word it is on the running stack: nobody speaks in Tandem's name, and Tandem knows its own again."""

from typing import Any
from uuid import uuid4

from local.dataverse.seed import TANDEM_USER
from tests.acceptance.conftest import Stack, company, eventually, session_of
from tests.acceptance.test_doors import key, post, problem


def control(kind: str, record: str) -> dict[str, object]:
    told = {"source": "allegory", "entity": "company", "sourceKey": "C-1", "conflict": 1}
    return {
        "schemaVersion": "1.0",
        "kind": kind,
        "record": record,
        "decidedOn": "2026-05-04T10:00:00Z",
        **(told if kind == "settlement" else {}),
    }


def test_a_posted_control_message_is_refused_at_once(stack: Stack, tag: str) -> None:
    record = str(uuid4())

    answers = [post(stack, control(kind, record), **key(f"{tag}-{kind}")) for kind in ("settlement", "drain")]

    assert [problem(answer) for answer in answers] == [(422, "message.not_ours")] * 2


def test_a_key_like_those_of_our_own_messages_is_refused(stack: Stack, tag: str) -> None:
    answer = post(stack, {}, **{"Idempotency-Key": f"healed-{tag}"})

    assert problem(answer) == (400, "request.idempotency_key")


def test_a_control_message_that_a_sender_puts_on_the_bus_is_kept_and_refused(stack: Stack) -> None:
    record = str(uuid4())

    sent = [stack.send("inbound", control(kind, record), session=record) for kind in ("settlement", "drain")]

    fates = [stack.fate(message_id) for message_id in sent]
    assert [fate["outcome"] for fate in fates] == ["rejected"] * 2
    assert stack.kept("SELECT * FROM lane WHERE record = ?", record.replace("-", "")) == []


def echoes(stack: Stack, record: str, source: str) -> list[tuple[Any, Any]]:
    """Who made what was told of a record and was known already, and what the journal says of it."""
    return [
        (row["actor"], row["reason"])
        for row in stack.kept(
            "SELECT actor, reason FROM journal WHERE record = ? AND source = ? AND outcome = 'echo'",
            record.replace("-", ""),
            source,
        )
    ]


def test_our_own_writes_are_known_by_who_made_them(stack: Stack, tag: str) -> None:
    body = company(tag, 1, city="Kiel")
    record = stack.fate(stack.send("inbound", body, session=session_of(body)))["record"]
    told = "our own write, told back: equal to what both sides hold"

    found = eventually("the row's own message", lambda: echoes(stack, record, "dataverse") or None)

    assert found == [(str(TANDEM_USER), told)]
