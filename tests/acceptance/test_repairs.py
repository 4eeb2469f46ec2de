"""One message that holds its record, and the five things an operator may do about it, each by its command."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from tests.acceptance.conftest import Stack, company, edit, eventually, row_id, session_of
from tests.acceptance.trouble import Trouble

WHY = "seen to by an operator"


def refused(stack: Stack, trouble: Trouble, tag: str, **data: str) -> tuple[str, str]:
    """A company that Dataverse refuses, and a later message behind it: their ids."""
    trouble.dataverse(times=None, status=400, code=f"0x8{uuid4().hex[:7]}", path=row_id(tag, 1))
    body = company(tag, 1, **data)
    head = stack.send("inbound", body, session=session_of(body))
    stack.outcome(head, "failed")
    follower = stack.send("inbound", edit(body, 1, city="Kiel"), session=session_of(body))
    stack.outcome(follower, "held")
    return head, follower


def columns(stack: Stack, tag: str, *names: str) -> list[object]:
    row = stack.row_of(f"allegory:company:{tag}-C1", "accounts")
    return [row[name] for name in names] if row else []


def test_a_skipped_head_lets_its_lane_go_on_without_it(stack: Stack, trouble: Trouble, tag: str) -> None:
    head, follower = refused(stack, trouble, tag, phone="1")
    trouble.over()

    done = stack.tandem("skip", head, "--reason", WHY)
    again = stack.tandem("skip", head, "--reason", WHY)

    assert (done.returncode, done.stdout) == (0, f"{head} is superseded; its lane goes on without it\n")
    stack.outcome(follower, "applied")
    assert stack.outcome(head, "superseded")["reason"].startswith(WHY)
    assert columns(stack, tag, "telephone1", "address1_city") == [None, "Kiel"]
    assert (again.returncode, again.stdout) == (1, f"{head} had its outcome already; nothing was done\n")
    assert stack.failure(head) is None
    assert stack.now()["conserved"]


def test_an_edited_copy_takes_its_originals_place_before_its_followers(
    stack: Stack, trouble: Trouble, tag: str
) -> None:
    head, follower = refused(stack, trouble, tag, phone="1", city="Bonn", domain="old.example")
    trouble.over()

    done = stack.tandem("edit", head, "--set", "phone=+49401234567", "--blank", "domain", "--reason", WHY)

    assert done.returncode == 0, done.stderr
    copy = re.search(rf"^  now: ({head}~\S+)$", done.stdout, re.MULTILINE)
    assert copy is not None, done.stdout
    assert "/data/phone: text of 1 -> text of 12" in done.stdout
    assert "+4940" not in done.stdout, "a screen at night shows no customer's value"
    stack.outcome(copy[1], "applied")
    stack.outcome(follower, "applied")
    assert columns(stack, tag, "telephone1", "address1_city", "websiteurl") == ["+49401234567", "Kiel", None]
    (kept,) = stack.kept("SELECT body FROM message WHERE message_id = ?", head)
    assert json.loads(kept["body"])["data"]["phone"] == "1", "the original stays as it arrived"


def test_a_bad_edit_is_told_every_fault_and_changes_nothing(stack: Stack, trouble: Trouble, tag: str) -> None:
    head, follower = refused(stack, trouble, tag)

    done = stack.tandem("edit", head, "--set", "employees=many", "--set", "cf_tier=Platinum", "--reason", WHY)

    assert done.returncode == 1
    for fault in ("/data/employees", "/data/cf_tier"):
        assert fault in done.stderr
    assert (stack.failure(head) or {})["state"] == "held"
    assert stack.fate(follower)["outcome"] == "held"
    trouble.over()
    stack.tandem("replay", head)
    stack.outcome(follower, "applied")


def test_a_later_message_stands_for_a_head_and_a_stranger_does_not(
    stack: Stack, trouble: Trouble, tag: str
) -> None:
    head, follower = refused(stack, trouble, tag, phone="1")
    trouble.over()
    other = company(tag, 2)
    stranger = stack.send("inbound", other, session=session_of(other))
    stack.outcome(stranger, "applied")

    declined = stack.tandem("supersede", head, "--by", stranger, "--reason", WHY)
    done = stack.tandem("supersede", head, "--by", follower, "--reason", WHY)

    assert declined.returncode == 1
    assert (done.returncode, done.stderr) == (0, "")
    stack.outcome(follower, "applied")
    assert stack.outcome(head, "superseded")["reason"] == f"{WHY} (replaced by {follower})"


def test_a_whole_new_body_takes_the_place_of_a_head(
    stack: Stack, trouble: Trouble, tag: str, tmp_path: Path
) -> None:
    head, follower = refused(stack, trouble, tag, phone="1")
    trouble.over()
    corrected = tmp_path / "corrected.json"
    corrected.write_text(json.dumps(company(tag, 1, phone="2")), encoding="utf-8")
    another = tmp_path / "another.json"
    another.write_text(json.dumps(company(tag, 2, phone="2")), encoding="utf-8")

    declined = stack.tandem("supersede", head, "--body", str(another), "--reason", WHY)
    done = stack.tandem("supersede", head, "--body", str(corrected), "--reason", WHY)

    assert declined.returncode == 1
    assert "the edit was refused; nothing was changed" in declined.stderr
    assert "the session id of the record in the body" in declined.stderr, "it is another record's"
    assert done.returncode == 0, done.stderr
    stack.outcome(follower, "applied")
    assert columns(stack, tag, "telephone1", "address1_city") == ["2", "Kiel"]


def test_a_message_from_the_future_is_released_by_who_vouches_for_it(stack: Stack, tag: str) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=2)
    body = company(tag, 1, phone="1") | {"changedOn": ahead.isoformat()}
    message = stack.send("inbound", body, session=session_of(body))
    stack.outcome(message, "held")

    done = stack.tandem("release", message, "--reason", "their clock is right")
    again = stack.tandem("release", message, "--reason", "their clock is right")

    assert (done.returncode, done.stdout) == (0, f"{message} goes on in its lane now\n")
    stack.outcome(message, "applied")
    assert again.returncode == 1
    assert columns(stack, tag, "telephone1") == ["1"]


def test_every_repair_is_written_down_with_name_and_reason(stack: Stack, trouble: Trouble, tag: str) -> None:
    head, follower = refused(stack, trouble, tag)
    trouble.over()
    stack.tandem("skip", head, "--reason", WHY)
    stack.outcome(follower, "applied")

    lines = stack.kept(
        "SELECT a.* FROM audit_event a JOIN message m ON a.entity_key = m.number "
        "WHERE a.entity = 'message' AND a.reason = ? AND m.message_id = ?",
        WHY,
        head,
    )

    assert [(line["action"], line["became"]) for line in lines] == [("skip", "superseded")]
    assert all(line["actor"] for line in lines)


def test_who_may_only_look_can_repair_nothing(stack: Stack, trouble: Trouble, tag: str) -> None:
    head, follower = refused(stack, trouble, tag)
    asked = {"messageId": head, "reason": WHY}

    with stack.api("ops_read") as reader:
        answers = [
            reader.post(f"ops/repairs/{repair}", json=body).status_code
            for repair, body in (
                ("skip", asked),
                ("edit", asked | {"set": {"phone": "2"}}),
                ("supersede", asked | {"by": follower}),
                ("release", asked),
            )
        ]

    assert answers == [403] * 4
    assert (stack.failure(head) or {})["state"] == "held"
    trouble.over()
    stack.tandem("replay", head)
    stack.outcome(follower, "applied")


def test_a_refusal_at_the_gate_opens_a_ticket_that_an_acknowledgement_closes(stack: Stack, tag: str) -> None:
    body = company(tag, 1) | {"data": {"employees": "many"}}
    message = stack.send("inbound", body, session=session_of(body))
    stack.outcome(message, "rejected")

    def opened() -> str | None:
        (row,) = stack.kept("SELECT refused_in FROM message WHERE message_id = ?", message)
        found = stack.kept(
            "SELECT id FROM ticket WHERE fingerprint = ? AND closed_at IS NULL", row["refused_in"]
        )
        return found[0]["id"] if found else None

    number = eventually("a ticket for the sender", opened)
    done = stack.tandem("skip", message, "--reason", WHY)

    assert done.stdout == f"{message} stays refused, and its group no longer counts it\n"
    assert stack.outcome(message, "rejected")["faults"][0]["pointer"] == "/data/employees"
    assert number
