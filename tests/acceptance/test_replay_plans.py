"""An operator at night, with hundreds of held records: groups, plan, canary, ramp, trouble, report (N-02).

`TANDEM_FULL_SIZE=1` makes it the 5,000 failures in 40 groups of the promise.
"""

import json
import os
import time
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest
from azure.servicebus import ServiceBusMessage

from tests.acceptance.conftest import Stack, company, edit, eventually, session_of
from tests.acceptance.trouble import Trouble

IS_FULL = os.environ.get("TANDEM_FULL_SIZE") == "1"
GROUPS, EACH = (40, 125) if IS_FULL else (6, 20)
PATIENCE = 1200 if IS_FULL else 120
FORESEEN_IN, REPLAYED_IN = 120, 600
"""Seconds that so many messages may take on two cores: the bars of the promise."""
DEAD_LETTER = {"DeadLetterReason", "DeadLetterErrorDescription"}


def told(stack: Stack, *arguments: str, ends: int = 0) -> Any:
    """A command's whole answer."""
    done = stack.tandem(*arguments, "--json")
    assert done.returncode == ends, done.stdout + done.stderr
    return json.loads(done.stdout)


def fail_creates(trouble: Trouble, code: str) -> None:
    """Dataverse refuses every new account with this code."""
    for in_batch in (False, True):
        trouble.dataverse(
            times=None, status=400, code=code, table="account", operation="create", in_batch=in_batch
        )


def groups_of(stack: Stack, codes: set[str]) -> list[dict[str, Any]]:
    with stack.api() as api:
        found = api.get("ops/groups").raise_for_status().json()["groups"]
    return [group for group in found if group["answer"] in codes]


def held(stack: Stack, codes: set[str]) -> int:
    return sum(group["held"] for group in groups_of(stack, codes))


def writes_to_dataverse(stack: Stack) -> dict[str, int]:
    """The far side's own count of what was written."""
    seen = httpx.get(f"{stack.endpoints['dataverse']['http']}/admin/requests").raise_for_status().json()
    return dict(seen["rows_written"])


def _are_held(stack: Stack, codes: set[str], wanted: int) -> bool | None:
    return held(stack, codes) >= wanted or None


def make_failures(
    stack: Stack, trouble: Trouble, tag: str, codes: list[str], each: int = EACH, *, start: int = 0
) -> None:
    """Held records in as many groups as there are codes, each with a later message behind its failure."""
    already = held(stack, set(codes))
    for place, code in enumerate(codes):
        trouble.over()
        fail_creates(trouble, code)
        bodies = [company(tag, start + place * each + n, phone=f"+49 {n}") for n in range(each)]
        later = [edit(body, 1, city="Kiel") for body in bodies]
        stack.send_all("inbound", [(str(uuid4()), session_of(b), b) for b in (*bodies, *later)])
        wanted = already + (place + 1) * each
        eventually(f"{wanted} held", partial(_are_held, stack, set(codes), wanted), PATIENCE)
    trouble.over()


def foreseen(stack: Stack, groups: list[str]) -> dict[str, Any]:
    """A plan, once it is foreseen; of so many records that takes longer than a command should."""
    with stack.api() as api:
        made = api.post("ops/plans", json={"groups": groups}).raise_for_status().json()

        def look() -> dict[str, Any] | None:
            shown: dict[str, Any] = api.get(f"ops/plans/{made['plan']}").raise_for_status().json()
            return shown if shown["state"] == "ready" else None

        return eventually(f"plan {made['plan']} foreseen", look, PATIENCE)


def run(stack: Stack, plan: int, *, rate: int | None = None) -> None:
    """Run a plan; what earlier tests left to be caught up with may lag meanwhile."""
    fast = () if rate is None else ("--rate", str(rate))
    told(stack, "replay", "run", str(plan), *fast, "--stop-at-lag", "120")


def stands_still(stack: Stack, plan: int) -> dict[str, Any]:
    """The report of a plan that does not run any more."""

    def look() -> dict[str, Any] | None:
        with stack.api("ops_read") as api:
            shown = api.get(f"ops/plans/{plan}").raise_for_status().json()
            if shown["state"] in {"frozen", "running"}:
                return None
            found: dict[str, Any] = api.get(f"ops/plans/{plan}/report").raise_for_status().json()
            return found

    return eventually(f"the end of plan {plan}", look, PATIENCE)


@pytest.mark.timeout(2400 if IS_FULL else 300)
def test_hundreds_of_held_records_go_on_by_a_plan_that_survives_its_worker(
    stack: Stack, trouble: Trouble, tag: str
) -> None:
    codes = [f"0x8{uuid4().hex[:7]}" for _ in range(GROUPS)]
    count = GROUPS * EACH
    make_failures(stack, trouble, tag, codes)
    groups = groups_of(stack, set(codes))
    assert sorted(group["open"] for group in groups) == [EACH] * GROUPS
    screen = stack.tandem("failures", "groups").stdout
    assert all(group["group"] in screen for group in groups)
    before = writes_to_dataverse(stack)

    began = time.monotonic()
    plan = foreseen(stack, [group["group"] for group in groups])
    foreseen_in = time.monotonic() - began

    assert writes_to_dataverse(stack) == before, "a prediction writes nothing"
    assert (plan["state"], plan["records"]) == ("ready", count)
    assert (plan["heads"]["selected"], plan["followers"]["selected"]) == (count, count)
    assert plan["foreseen"]["writes"] == {"dataverse account": 2 * count}
    number = str(plan["plan"])
    make_failures(stack, trouble, tag, codes[:1], 2, start=count)
    began = time.monotonic()
    run(stack, plan["plan"], rate=200 if IS_FULL else 30)

    def under_way() -> bool | None:
        seen = told(stack, "replay", "show", number)
        return sum(seen["heads"]["fates"].values()) >= 10 or None

    eventually("a part of the plan done", under_way, PATIENCE)
    stack.kill("host")
    report = stands_still(stack, plan["plan"])
    replayed_in = time.monotonic() - began

    assert (report["state"], report["reason"]) == ("finished", None), [
        (entry["is_head"], entry["subject"], entry["reason"]) for entry in report["listed"]["held"]
    ]
    assert foreseen_in < FORESEEN_IN, f"{count} heads with followers foreseen in {foreseen_in:.0f} s"
    assert replayed_in < REPLAYED_IN, f"{2 * count} messages replayed in {replayed_in:.0f} s"
    print(f"{2 * count} messages foreseen in {foreseen_in:.1f} s, replayed in {replayed_in:.1f} s")  # noqa: T201  # the numbers of docs/reference/performance.md
    assert (report["adds_up"], report["read_back"]) == (True, {"equal": 5})
    assert report["heads"]["fates"] == {"applied": count}
    assert sum(report["followers"]["fates"].values()) == count
    assert set(report["followers"]["fates"]) <= {"applied", "elsewhere", "superseded"}
    assert report["later"]["failures"] == 2
    assert stack.row_of(f"allegory:company:{tag}-C{count}", "accounts") is None
    lines = stack.kept(
        "SELECT m.record, j.outcome, m.changed_at FROM journal j JOIN message m ON m.number = j.number "
        "JOIN replay_item i ON i.number = m.number AND i.plan = ? WHERE j.outcome = 'applied' ORDER BY j.id",
        plan["plan"],
    )
    assert len(lines) == 2 * count, "no message was applied twice"
    by_record: dict[Any, list[str]] = {}
    for line in lines:
        by_record.setdefault(line["record"], []).append(line["changed_at"])
    assert all(times == sorted(times) for times in by_record.values()), "each record's in its order"
    text = stack.tandem("replay", "report", number).stdout
    assert "NOT in this plan: 2 failures that came later" in text
    assert stack.now()["conserved"]


def test_a_second_run_is_declined_and_a_second_plan_writes_nothing(
    stack: Stack, trouble: Trouble, tag: str
) -> None:
    codes = [f"0x8{uuid4().hex[:7]}"]
    make_failures(stack, trouble, tag, codes, 3)
    (group,) = groups_of(stack, set(codes))
    first, second = (told(stack, "replay", "plan", "--group", group["group"]) for _ in range(2))
    run(stack, first["plan"])
    stands_still(stack, first["plan"])
    before = writes_to_dataverse(stack)

    again = stack.tandem("replay", "run", str(first["plan"]))
    run(stack, second["plan"])
    report = stands_still(stack, second["plan"])
    empty = stack.tandem("replay", "plan", "--group", group["group"])

    assert (again.returncode, f"plan {first['plan']} is finished" in again.stderr) == (1, True)
    assert report["heads"]["fates"] == {"elsewhere": 3}
    assert writes_to_dataverse(stack) == before
    assert (empty.returncode, "is empty" in empty.stdout) == (1, True)


def test_who_may_only_look_can_change_nothing(stack: Stack, trouble: Trouble, tag: str) -> None:
    codes = [f"0x8{uuid4().hex[:7]}"]
    make_failures(stack, trouble, tag, codes, 1)
    (group,) = groups_of(stack, set(codes))
    plan = told(stack, "replay", "plan", "--group", group["group"])["plan"]

    with stack.api("ops_read") as reader:
        looked = [reader.get(path).status_code for path in ("ops/plans", f"ops/plans/{plan}", "ops/groups")]
        refused = [
            reader.post("ops/plans", json={"everything": True}).status_code,
            *(
                reader.post(f"ops/plans/{plan}/{action}").status_code
                for action in ("run", "pause", "resume", "cancel")
            ),
        ]
        after = reader.get(f"ops/plans/{plan}").json()["state"]
    with httpx.Client(base_url=stack.endpoints["functions"]) as nobody:
        unknown = nobody.post(f"/api/ops/plans/{plan}/run").status_code
    assert (looked, refused, after, unknown) == ([200] * 3, [403] * 5, "ready", 401)
    told(stack, "replay", "cancel", str(plan))


def test_more_than_one_message_is_replayed_by_a_plan_alone(stack: Stack) -> None:
    with stack.api() as api:
        many = api.post("ops/replays", json={"messageId": ["a", "b"]})
        unsaid = api.post("ops/plans", json={})
    two = stack.tandem("replay", "a", "b")

    assert many.status_code in {400, 404}
    assert (unsaid.status_code, unsaid.json()["code"]) == (400, "request.selection")
    assert two.returncode == 2


def test_a_dead_letter_is_replayed_with_its_own_properties_alone(
    stack: Stack, trouble: Trouble, tag: str
) -> None:
    code = f"0x8{uuid4().hex[:7]}"
    fail_creates(trouble, code)
    body = company(tag, 1)
    message = f"{tag}-dead"
    session = session_of(body)
    sender = stack.bus.get_queue_sender("inbound")
    with sender:
        sender.send_messages(
            ServiceBusMessage(
                json.dumps(body),
                message_id=message,
                session_id=session,
                correlation_id="corr-1",
                application_properties={"source": "allegory", "tries": 3, **dict.fromkeys(DEAD_LETTER, "x")},
            )
        )
    eventually("a held message", lambda: held(stack, {code}) or None)
    (kept,) = stack.kept(
        "SELECT properties, application_properties, body FROM message WHERE message_id = ?", message
    )
    trouble.over()
    (group,) = groups_of(stack, {code})
    plan = told(stack, "replay", "plan", "--group", group["group"])

    run(stack, plan["plan"])
    report = stands_still(stack, plan["plan"])

    assert report["heads"]["fates"] == {"applied": 1}
    (after,) = stack.kept(
        "SELECT properties, application_properties, body FROM message WHERE message_id = ?", message
    )
    assert after == kept
    assert json.loads(after["application_properties"]) == {"source": "allegory", "tries": 3}
    assert json.loads(after["properties"])["correlationId"] == "corr-1"
    assert stack.row_of(f"allegory:company:{tag}-C1", "accounts")
