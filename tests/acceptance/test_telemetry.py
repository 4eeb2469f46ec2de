"""What the sink is told: one event per decision, and never a customer's value. A sick sink harms nothing."""

import hashlib
import json
import time
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Stack, company, edit, envelope, eventually, row_id, session_of
from tests.acceptance.trouble import Trouble

MARKER = "Zwiebelfisch"
"""What only a customer's values say in these tests."""

INFORMATION, ERROR = 1, 3
"""Severity levels as Application Insights numbers them."""


@pytest.fixture(autouse=True)
def sane(trouble: Trouble) -> None:
    """No fault of another test is left when one begins."""
    trouble.over()


def items(stack: Stack, **asked: Any) -> list[dict[str, Any]]:
    answer = httpx.get(f"{stack.endpoints['telemetry']}/items", params=asked)
    return list(answer.raise_for_status().json()["items"])


def told(stack: Stack, message: str, number: int = 1) -> list[dict[str, Any]]:
    """The events of a message, once there are so many; what came later is counted, too."""

    def look() -> list[dict[str, Any]] | None:
        found = items(stack, message_id=message)
        return found if len(found) >= number else None

    return eventually(f"{number} events of {message}", look)


def beacon(stack: Stack, tag: str, *, error: bool) -> None:
    """Let one more event of a kind arrive: whatever was told before it is in the sink by then."""
    body = company(tag, 99) | ({"entity": "spaceship"} if error else {})
    sent = stack.send("inbound", body, session=session_of(body))
    told(stack, sent)


def test_one_success_is_one_event(stack: Stack, tag: str) -> None:
    body = company(tag, 1, phone=MARKER)
    message = stack.send("inbound", body, session=session_of(body))
    stack.outcome(message, "applied")
    beacon(stack, tag, error=False)

    (event,) = told(stack, message)

    properties = dict(event["properties"])
    assert float(properties.pop("duration_ms")) > 0
    assert (event["type"], event["data"]["severityLevel"]) == ("MessageData", INFORMATION)
    assert _ours(properties) == {
        "event": "tandem.outcome",
        "message_id": message,
        "session_id": f"allegory:company:{tag}-C1",
        "record": row_id(tag, 1),
        "subject": f"allegory:company:{tag}-C1",
        "direction": "inbound",
        "outcome": "applied",
        "map_version": "company.v1",
        "attempt": "1",
    }


def _ours(properties: dict[str, Any]) -> dict[str, Any]:
    """Without what the exporter adds about the place in the code."""
    return {name: value for name, value in properties.items() if name not in _EXPORTERS}


_EXPORTERS = {"process", "module", "fileName", "lineNumber", "level"}


def test_one_failure_is_one_error_event(stack: Stack, trouble: Trouble, tag: str) -> None:
    trouble.dataverse(times=1, status=400, code="0x80044331", message=MARKER, path=row_id(tag, 1))
    body = company(tag, 1, phone=MARKER)
    message = stack.send("inbound", body, session=session_of(body))
    stack.outcome(message, "failed")
    beacon(stack, tag, error=True)
    beacon(stack, tag, error=False)

    (event,) = told(stack, message)

    properties = event["properties"]
    assert event["data"]["severityLevel"] == ERROR
    assert float(properties["duration_ms"]) > 0
    wanted = ("message_id", "session_id", "record", "direction", "outcome", "code", "attempt")
    assert {name: properties.get(name) for name in wanted} == {
        "message_id": message,
        "session_id": f"allegory:company:{tag}-C1",
        "record": row_id(tag, 1),
        "direction": "inbound",
        "outcome": "failed",
        "code": "target.refused",
        "attempt": "1",
    }
    stack.tandem("replay", message)
    stack.outcome(message, "applied")
    again = told(stack, message, 2)
    assert [(each["properties"]["outcome"], each["properties"]["attempt"]) for each in again] == [
        ("failed", "1"),
        ("applied", "2"),
    ]


def test_a_failure_names_the_map_it_was_decided_with(stack: Stack, trouble: Trouble, tag: str) -> None:
    trouble.dataverse(times=1, status=503, path=row_id(tag, 1))
    body = company(tag, 1)
    message = stack.send("inbound", body, session=session_of(body))
    stack.outcome(message, "applied")

    failed, applied = told(stack, message, 2)

    assert (failed["properties"]["outcome"], applied["properties"]["outcome"]) == ("failed", "applied")
    assert failed["properties"]["map_version"] == applied["properties"]["map_version"] == "company.v1"


def test_a_refusal_at_the_gate_is_one_error_event(stack: Stack, tag: str) -> None:
    body = company(tag, 1, employees=MARKER)
    message = stack.send("inbound", body, session=session_of(body))
    stack.outcome(message, "rejected")
    beacon(stack, tag, error=True)

    (event,) = told(stack, message)

    assert event["data"]["severityLevel"] == ERROR
    assert float(event["properties"]["duration_ms"]) > 0
    wanted = ("session_id", "subject", "direction", "outcome", "map_version", "code")
    assert {name: event["properties"].get(name) for name in wanted} == {
        "session_id": f"allegory:company:{tag}-C1",
        "subject": f"allegory:company:{tag}-C1",
        "direction": "inbound",
        "outcome": "rejected",
        "map_version": "company.v1",
        "code": "value.not_a_number",
    }


def test_a_callers_trace_goes_through_the_door_the_queue_and_the_lane(stack: Stack, tag: str) -> None:
    trace, key = hashlib.md5(tag.encode(), usedforsecurity=False).hexdigest(), f"{tag}-traced"
    headers = {"Idempotency-Key": key, "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    with stack.api("inbound") as api:
        posted = api.post("inbound", json=company(tag, 1), headers=headers)
    stack.outcome(key, "applied")

    events = told(stack, key, 2)

    assert (posted.status_code, posted.headers["X-Correlation-Id"]) == (202, trace)
    assert sorted((each["properties"]["event"], each["operation_id"]) for each in events) == [
        ("tandem.outcome", trace),
        ("tandem.queued", trace),
    ]
    (kept,) = stack.kept("SELECT * FROM message WHERE message_id = ?", key)
    carried = json.loads(kept["application_properties"])["traceparent"].split("-")
    assert (kept["correlation_id"], carried[1]) == (trace, trace)
    (line,) = stack.kept("SELECT * FROM journal WHERE number = ?", kept["number"])
    assert line["correlation_id"] == trace
    with stack.api("inbound") as api:
        assert api.get(f"inbound/{key}").json()["correlationId"] == trace
    assert trace in stack.tandem("record", "show", key).stdout


def test_a_change_out_of_dynamics_is_told_as_outbound(stack: Stack, tag: str) -> None:
    body = company(tag, 1, phone="1")
    with stack.allegory() as allegory:
        allegory.put(f"/companies/{tag}-C1", json=body["data"]).raise_for_status()
    record = stack.outcome(stack.send("inbound", body, session=session_of(body)), "applied")["record"]
    stack.quiet()
    with stack.dataverse() as dataverse:
        dataverse.patch(f"accounts({record})", json={"telephone1": "2"}).raise_for_status()

    def look() -> dict[str, Any] | None:
        found = [item["properties"] for item in items(stack) if item["properties"].get("record") == record]
        sent = [each for each in found if each["direction"] == "outbound" and each["outcome"] == "applied"]
        return sent[0] if sent else None

    event = eventually("the event of the edit", look)
    assert event["map_version"] == "company.v1"
    assert event["session_id"] == record
    assert event["subject"] == f"dataverse:account:{record}"


def timed_traffic(stack: Stack, tag: str) -> tuple[list[str], float]:
    """Twenty messages, each applied, and how many seconds that took."""
    began = time.monotonic()
    messages = []
    for number in range(10):
        body = company(tag, number)
        messages.append(stack.send("inbound", body, session=session_of(body)))
        later = edit(body, 1, phone="2")
        messages.append(stack.send("inbound", later, session=session_of(body)))
    for message in messages:
        stack.outcome(message, "applied")
    return messages, time.monotonic() - began


@pytest.mark.parametrize(
    "fault",
    [{"kind": "hang", "seconds": 30}, {"kind": "status", "status": 500}, {"kind": "lost_answer"}],
    ids=["hangs", "fails", "loses its answer"],
)
def test_a_sick_sink_neither_slows_nor_harms_a_message(
    stack: Stack, trouble: Trouble, tag: str, fault: dict[str, Any]
) -> None:
    _, well = timed_traffic(stack, f"{tag}W")
    trouble.telemetry(**fault, count=100_000, path="/")

    messages, sick = timed_traffic(stack, tag)

    # The exporter gives a request five seconds; a message that waited for only one of them would show.
    assert sick - well < 5
    trouble.over()
    for message in messages:
        assert len(told(stack, message)) >= 1, "told later"


def test_no_value_of_a_customer_leaves_the_state(stack: Stack, trouble: Trouble, tag: str) -> None:
    """Good, bad, refused, failing and unreadable messages, each with a value that is looked for."""
    quoted = f"'{MARKER}' is not a valid value of 'telephone1': {MARKER}"
    trouble.dataverse(times=1, status=400, code="0x80044331", message=quoted, path=row_id(tag, 2))
    trouble.dataverse(times=1, status=500, code="0x80040216", message=quoted, path=row_id(tag, 3))
    bodies: list[Any] = [company(tag, n, phone=MARKER, city=MARKER) for n in (1, 2, 3)]
    bodies.append(company(tag, 4, employees=MARKER, cf_tier=MARKER))
    bodies.append(envelope("contact", f"{tag}-P1", {"last_name": MARKER, "email": MARKER}))
    bodies.append(envelope("company", f"{tag}-C5", {"name": MARKER, "unheard_of": MARKER}))
    sessions = [session_of(body) for body in bodies]
    messages = [
        stack.send("inbound", body, session=place) for body, place in zip(bodies, sessions, strict=True)
    ]
    messages.append(stack.send("inbound", f'{{"name": "{MARKER}', session=sessions[0]))
    with stack.api("inbound") as api:
        answer = api.post("inbound", json=bodies[3], headers={"Idempotency-Key": f"{tag}-door"})
    assert answer.status_code == 422
    fates = [stack.fate(message)["outcome"] for message in messages]
    assert {"applied", "failed", "rejected"} <= set(fates)
    with stack.dataverse() as dataverse:
        dataverse.patch(f"accounts({row_id(tag, 1)})", json={"address1_line1": MARKER}).raise_for_status()
    tickets = stack.endpoints["tickets"]
    eventually("a ticket", lambda: httpx.get(f"{tickets}/tickets").json()["tickets"] or None)
    stack.quiet()
    for message in messages:
        told(stack, message)

    assert MARKER not in answer.text
    assert MARKER not in json.dumps(items(stack, limit=1_000_000))
    assert MARKER not in httpx.get(f"{tickets}/").text
    for log in (stack.state / "log").glob("*.log*"):
        assert MARKER not in log.read_text(errors="replace"), log.name
    assert MARKER not in stack.tandem("failures", "list").stdout
    stack.tandem("replay", messages[1])
    stack.outcome(messages[1], "applied")
