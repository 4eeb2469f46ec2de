"""What no map can take is refused at the gate: recorded, named by field and rule, and never tried again."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.servicebus.exceptions import ServiceBusError

from shared.ops.client import Service
from shared.ops.commands import record
from tests.acceptance.conftest import Stack, company, envelope, eventually, session_of

Fault = tuple[str, str]

SAMPLES: dict[str, list[Fault]] = {
    "bad_not_json.json": [("", "message.not_json")],
    "bad_odata_injection.json": [
        ("/data/@odata.bind", "message.unknown_field"),
        ("/data/isdisabled", "message.unknown_field"),
        ("/data/parentcustomerid_account@odata.bind", "message.unknown_field"),
    ],
    "bad_schema_version.json": [("/schemaVersion", "message.schema_version")],
    "bad_session_mismatch.json": [("", "message.session_mismatch")],
    "bad_timestamp.json": [("/changedOn", "message.bad_timestamp")],
    "bad_unknown_entity.json": [("/entity", "message.unknown_entity")],
}
WITHOUT_SESSION = "bad_no_session.json"
FROM_THE_FUTURE = "bad_future_timestamp.json"

INBOUND = company("TOWN", 1)
OWN: dict[str, tuple[str | dict[str, Any], list[Fault]]] = {
    "cut off": ('{"schemaVersion": "1.0", "source": ', [("", "message.not_json")]),
    "a list": ("[]", [("", "message.not_json")]),
    "blank": ("", [("", "message.not_json")]),
    "injected": (
        INBOUND | {"data": {"name": "x", "ownerid@odata.bind": "/systemusers(0)/../accounts"}},
        [("/data/ownerid@odata.bind", "message.unknown_field")],
    ),
    "another version": (INBOUND | {"schemaVersion": "2.0"}, [("/schemaVersion", "message.schema_version")]),
    "yesterday": (INBOUND | {"changedOn": "yesterday"}, [("/changedOn", "message.bad_timestamp")]),
    "no offset": (INBOUND | {"changedOn": "2026-02-01T09:00:00"}, [("/changedOn", "message.bad_timestamp")]),
    "unknown entity": (INBOUND | {"entity": "spaceship"}, [("/entity", "message.unknown_entity")]),
    "unknown system": (INBOUND | {"source": "elsewhere"}, [("/source", "message.unknown_system")]),
    "no key": (
        {name: value for name, value in INBOUND.items() if name != "sourceKey"},
        [("/sourceKey", "message.missing_field")],
    ),
    "two bad values": (
        INBOUND | {"data": {"employees": "many", "cf_tier": "Platinum"}},
        [("/data/cf_tier", "value.no_option"), ("/data/employees", "value.not_a_number")],
    ),
    "a name too long": (INBOUND | {"data": {"name": "x" * 161}}, [("/data/name", "value.too_long")]),
}


def named(faults: list[dict[str, Any]], pointer: str) -> list[Fault]:
    return sorted((fault[pointer], fault["code"]) for fault in faults)


def check(stack: Stack, message: str, expected: list[Fault]) -> None:
    """The fate and what both commands print name each fault; the message is kept once."""
    fate = stack.outcome(message, "rejected")
    assert named(fate["faults"], "pointer") == sorted(expected)
    assert all(fault["expected"] for fault in fate["faults"])
    service = Service(stack.endpoints["functions"], stack.endpoints["tokens"]["ops_operate"])
    shown = record.screen(service.record(message))
    listed = service.get("ops/failures")["rejected"]
    for fault in fate["faults"]:
        line = f"{fault['pointer'] or '(message)'}: {fault['code']}: {fault['expected']}"
        assert line in shown
    (entry,) = [entry for entry in listed if entry["message_id"] == message]
    assert named(entry["faults"], "field") == sorted(expected)
    assert stack.kept("SELECT count(*) AS items FROM message WHERE message_id = ?", message) == [{"items": 1}]


@pytest.mark.parametrize("case", OWN)
def test_a_bad_message_gets_a_recorded_rejection_that_names_field_and_rule(
    stack: Stack, tag: str, case: str
) -> None:
    body, expected = OWN[case]
    session = session_of({"sourceKey": "TOWN-C1", "source": "allegory", "entity": "company"} | _object(body))

    message = stack.send("inbound", body, session=session, message_id=f"{tag}-{case.replace(' ', '-')}")

    check(stack, message, expected)


def _object(body: str | dict[str, Any]) -> dict[str, Any]:
    return body if isinstance(body, dict) else {}


def test_a_session_of_another_record_is_refused(stack: Stack, tag: str) -> None:
    body = company(tag, 1)

    message = stack.send("inbound", body, session=f"allegory:company:{tag}-C2")

    check(stack, message, [("", "message.session_mismatch")])


def test_a_message_without_a_session_is_refused_by_the_broker_by_name(stack: Stack, tag: str) -> None:
    with pytest.raises(ServiceBusError, match="session id"):
        stack.send("inbound", company(tag, 1), session=None, message_id=f"{tag}-loose")

    assert stack.kept("SELECT * FROM message WHERE message_id = ?", f"{tag}-loose") == []


def test_the_sample_from_the_future_gets_its_true_time_from_a_person(
    stack: Stack, sample_data: Path, tag: str
) -> None:
    told = json.loads((sample_data / "messages" / FROM_THE_FUTURE).read_text("utf-8"))
    key = f"{tag}-F1"
    body = {**told["body"], "sourceKey": key} if isinstance(told["body"], dict) else company(tag, 1)
    message = stack.send("inbound", body, session=session_of(body))
    stack.outcome(message, "held")
    now = datetime.now(UTC).isoformat()

    done = stack.tandem("edit", message, "--set", f"changedOn={now}", "--reason", "the year was mistyped")

    assert done.returncode == 0, done.stderr
    copy = done.stdout.splitlines()[1].removeprefix("  now: ")
    assert stack.outcome(message, "superseded")["reason"] == f"the year was mistyped (replaced by {copy})"
    assert stack.outcome(copy, "applied")["faults"] == []


def test_every_sample_of_a_bad_message_is_known_here(sample_data: Path) -> None:
    found = {file.name for file in (sample_data / "messages").glob("bad_*.json")}

    assert found == {*SAMPLES, WITHOUT_SESSION, FROM_THE_FUTURE}


@pytest.mark.parametrize("file", SAMPLES)
def test_each_bad_sample_gets_its_named_rejection(
    stack: Stack, sample_data: Path, tag: str, file: str
) -> None:
    told = json.loads((sample_data / "messages" / file).read_text("utf-8"))
    message = f"{told['properties']['messageId']}-{tag}"

    stack.send("inbound", told["body"], session=told["properties"]["sessionId"], message_id=message)

    check(stack, message, SAMPLES[file])


def test_the_sample_without_a_session_is_refused_by_name(stack: Stack, sample_data: Path) -> None:
    told = json.loads((sample_data / "messages" / WITHOUT_SESSION).read_text("utf-8"))
    assert told["properties"]["sessionId"] is None

    with pytest.raises(ServiceBusError, match="session id"):
        stack.send("inbound", told["body"], session=None, message_id=told["properties"]["messageId"])


def test_a_refused_message_stays_refused_and_the_record_goes_on(stack: Stack, tag: str) -> None:
    good = company(tag, 1)
    bad = good | {"data": {"employees": "many"}}
    messages = [stack.send("inbound", body, session=session_of(good)) for body in (good, bad)]
    later = good | {"changedOn": "2026-02-02T09:00:00Z", "data": {"phone": "2"}}
    messages.append(stack.send("inbound", later, session=session_of(good)))

    fates = [stack.fate(message)["outcome"] for message in messages]
    again = stack.tandem("replay", messages[1])

    assert fates == ["applied", "rejected", "applied"]
    assert again.returncode == 1, "bad news"
    assert again.stdout == f"{messages[1]}: went through the gate again: rejected\n"
    assert stack.outcome(messages[1], "rejected")["attempts"] == 0
    assert stack.now()["conserved"]


def test_a_message_from_the_future_is_set_aside_until_its_time_has_come(stack: Stack, tag: str) -> None:
    """A sender's clock runs ahead by a little more than is allowed; a moment later the message is fine."""
    soon = datetime.now(UTC) + timedelta(seconds=302)
    body = company(tag, 1) | {"changedOn": soon.isoformat()}
    message = stack.send("inbound", body, session=session_of(body))
    stack.outcome(message, "held")
    failure = stack.failure(message)
    assert failure is not None
    assert (failure["code"], failure["state"], failure["field"]) == ("time.future", "aside", "/changedOn")

    def look() -> bool | None:
        stack.tandem("replay", message)
        return stack.fate(message)["outcome"] == "applied" or None

    eventually("a replay that is applied", look)

    assert stack.outcome(message, "applied")["faults"] == []
    assert stack.row_of(f"allegory:company:{tag}-C1", "accounts") is not None
    assert "had gone through already: applied" in stack.tandem("replay", message).stdout
    (kept,) = stack.kept("SELECT body FROM message WHERE message_id = ?", message)
    assert json.loads(kept["body"]) == body


def test_a_refused_deal_shows_in_the_history_of_its_record(stack: Stack, tag: str) -> None:
    good = envelope("deal", f"{tag}-D1", {"name": "Pump", "amount": "10"})
    bad = good | {"data": {"amount": "12.500,00"}}
    sent = [stack.send("inbound", body, session=session_of(good)) for body in (good, bad)]
    assert [stack.fate(message)["outcome"] for message in sent] == ["applied", "rejected"]

    shown = stack.tandem("record", "show", f"allegory:deal:{tag}-D1").stdout

    assert f"allegory:deal:{tag}-D1 (paired)" in shown
    assert f"applied    allegory:deal:{tag}-D1  message {sent[0]}" in shown
    assert f"rejected   allegory:deal:{tag}-D1  message {sent[1]}" in shown
    assert re.search(r"estimatedvalue: nothing -> '10(\.0+)?'$", shown, re.MULTILINE), shown
    assert "/data/amount: value.not_a_number" in shown
    assert "12.500,00" not in shown
