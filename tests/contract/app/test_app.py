"""Our function_app.py under Microsoft's own runtime library: each function indexed, loaded and called once.

The same calls go through the local host's direct engine, and through both on Python 3.13 where the machine
has one. Every run is held to the same answers, so all engines and Pythons agree.
"""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local.host.engines.official import VERSION
from local.setup import RUNTIME
from shared.core.identity import RecordKey, chosen_row_id

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[3]
APPROVED = ROOT / "tests/approved/functions.txt"
DRIVE = Path(__file__).parent / "drive.py"
ROW = str(chosen_row_id(RecordKey("allegory", "company", "C-1")))
OTHER_ROW = str(chosen_row_id(RecordKey("allegory", "company", "C-2")))
DEAD = {
    "DeadLetterReason": "MaxDeliveryCountExceeded",
    "DeadLetterErrorDescription": "Message could not be consumed after 10 delivery attempts.",
}
TIMER = {
    "Schedule": {"AdjustForDST": True},
    "ScheduleStatus": {
        "Last": "2026-01-31T10:11:10+00:00",
        "Next": "2026-01-31T10:11:15+00:00",
        "LastUpdated": "2026-01-31T10:11:10+00:00",
    },
    "IsPastDue": False,
}


def message(message_id: str, session_id: str, body: object, **parts: Any) -> dict[str, Any]:
    """A message as it lies on the queue, with what the broker adds."""
    told = {
        "message_id": message_id,
        "session_id": session_id,
        "body": body if isinstance(body, str) else json.dumps(body),
        "sequence_number": 4242,
        "delivery_count": 1,
        "enqueued_at": "2026-01-31T10:11:12.345678+00:00",
        "expires_at": "2026-01-31T11:11:12.345678+00:00",
        "content_type": "application/json",
        "correlation_id": "aedad95b-b055-5b1e-bc18-d733df045894",
    }
    return {"message": told | parts}


def company(record_id: str, **data: str) -> dict[str, Any]:
    return {
        "schemaVersion": "1.0",
        "source": "allegory",
        "entity": "company",
        "sourceKey": record_id,
        "operation": "upsert",
        "changedOn": "2026-01-31T10:11:12Z",
        "data": {"company_id": record_id, "phone": "+49 40 1", **data},
    }


def account(minute: int, **data: str) -> dict[str, Any]:
    """What the flow says of an edit; its time is now, because Dataverse's row is written during the test."""
    at = datetime.now(UTC) + timedelta(minutes=minute)
    return {
        "schemaVersion": "1.0",
        "source": "dataverse",
        "table": "account",
        "recordId": ROW,
        "operation": "Update",
        "changedOn": at.isoformat(),
        "rowVersion": str(90_000_000 + minute),
        "initiatedBy": "dc9e9160-8931-5a30-bdc1-ef3778c09e70",
        "data": {"accountid": ROW, **data},
    }


FURTHER = (
    ("get_mappings", "GET", "ops/mappings", "ops_read", "", 200),
    ("get_drops", "GET", "ops/drops", "ops_read", "", 200),
    ("get_imports", "GET", "ops/imports", "ops_read", "", 200),
    ("get_groups", "GET", "ops/groups", "ops_read", "", 200),
    ("post_plan", "POST", "ops/plans", "ops_operate", "{}", 400),
    ("get_plans", "GET", "ops/plans", "ops_read", "", 200),
    ("get_plan", "GET", "ops/plans/99", "ops_read", "", 404),
    ("get_plan_report", "GET", "ops/plans/99/report", "ops_read", "", 404),
    ("post_plan_action", "POST", "ops/plans/99/pause", "ops_operate", "", 404),
    ("post_skip", "POST", "ops/repairs/skip", "ops_operate", "{}", 400),
    ("post_release", "POST", "ops/repairs/release", "ops_operate", "{}", 400),
    ("post_supersede", "POST", "ops/repairs/supersede", "ops_operate", "{}", 400),
    ("post_edit", "POST", "ops/repairs/edit", "ops_operate", "{}", 400),
    ("get_conflicts", "GET", "ops/conflicts", "ops_read", "", 200),
    ("get_conflict", "GET", "ops/conflicts/99", "ops_read", "", 404),
    ("post_settlement", "POST", "ops/conflicts/99/settlement", "ops_operate", "{}", 400),
    ("get_matches", "GET", "ops/matches", "ops_read", "", 200),
    ("get_match", "GET", "ops/matches/99", "ops_read", "", 404),
    ("post_acceptance", "POST", "ops/matches/99/acceptance", "ops_operate", "{}", 400),
    ("post_refusal", "POST", "ops/matches/99/refusal", "ops_operate", "{}", 400),
    ("post_unmerge", "POST", "ops/unmerges", "ops_operate", "{}", 400),
    ("get_phases", "GET", "ops/phases", "ops_read", "", 200),
    ("post_phase", "POST", "ops/phases", "ops_operate", "{}", 400),
    ("post_owner", "POST", "ops/owners", "ops_operate", "{}", 400),
    ("get_record_owners", "GET", "ops/record-owners", "ops_read", "", 200),
    ("post_owner_alias", "POST", "ops/record-owners/aliases", "ops_operate", "{}", 400),
)
"""Routes whose answers have tests of their own: function, method, path, role, body, and the status here."""


def calls(tokens: dict[str, str]) -> list[dict[str, Any]]:
    """Each function, in an order in which each finds what it needs; each route with and without a token."""
    inbound = {"source": "allegory", "entity": "company"}
    outbound = {"source": "dataverse", "table": "account", "operation": "Update"}
    refused = message("m-2", "allegory:company:C-3", "{broken", application_properties=inbound)
    edit = account(1, name="Nordwind 1", telephone1="+49 40 2")
    later = account(2, name="Nordwind 1", telephone1="+49 40 2", address1_city="Kiel")
    posted = json.dumps(company("C-4", name="Nordwind 4"))

    def http(function: str, method: str, path: str, token: str = "", body: str = "") -> list[dict[str, Any]]:
        asked = {"method": method, "path": f"/api/{path}", "body": body}
        headers = {"Idempotency-Key": "post-1", "Content-Type": "application/json"}
        with_token = headers | {"Authorization": f"Bearer {tokens[token]}"}
        return [
            {"function": function, "http": asked | {"headers": headers}},
            {"function": function, "http": asked | {"headers": with_token}},
        ]

    first = message(
        "m-1", "allegory:company:C-1", company("C-1", name="Nordwind 1"), application_properties=inbound
    )
    dead = message(
        "m-3",
        "allegory:company:C-2",
        company("C-2", name="Nordwind 2"),
        application_properties=inbound | DEAD,
        delivery_count=10,
        dead_letter_source="inbound",
    )
    dead_edit = message(
        "o-2",
        ROW,
        later,
        application_properties=outbound | DEAD,
        delivery_count=10,
        dead_letter_source="outbound",
    )
    health = {"method": "GET", "path": "/api/health"}
    return [
        {"function": "get_health", "http": health},
        {"function": "inbound", **first},
        {"function": "inbound", **refused},
        {"function": "inbound_dead_letters", **dead},
        {"function": "outbound", **message("o-1", ROW, edit, application_properties=outbound)},
        {"function": "outbound_dead_letters", **dead_edit},
        {"function": "retry", "timer": TIMER},
        {"function": "alerts", "timer": TIMER},
        {"function": "allegory_feed", "timer": TIMER},
        {"function": "gaps", "timer": TIMER},
        {"function": "plans", "timer": TIMER},
        {"function": "owners", "timer": TIMER},
        {"function": "export_drops", "timer": TIMER},
        {"function": "imports", "timer": TIMER},
        {"function": "purge", "timer": TIMER},
        *http("post_inbound", "POST", "inbound", "inbound", posted),
        *http("get_inbound", "GET", "inbound/m-1", "inbound"),
        *http("get_now", "GET", "ops/now", "ops_read"),
        *http("get_gaps", "GET", "ops/gaps", "ops_read"),
        *http("get_failures", "GET", "ops/failures", "ops_read"),
        *http("get_record", "GET", "ops/records/allegory:company:C-1", "ops_read"),
        *http("get_record", "GET", "ops/records/allegory:company:C-1", "ops_operate"),
        *http("post_replay", "POST", "ops/replays", "ops_operate", json.dumps({"messageId": "m-2"})),
        *(each for function, *asked, _ in FURTHER for each in http(function, *asked)),
    ]


@pytest.fixture(
    scope="module",
    params=[("official", ""), ("direct", ""), ("official", "3.13"), ("direct", "3.13")],
    ids=["official", "direct", "official-3.13", "direct-3.13"],
)
def run(
    request: pytest.FixtureRequest, surroundings: Any, run_app: Callable[[str, str, Sequence[Any]], Any]
) -> Any:
    """The one run that all tests of an engine and a Python look at."""
    engine, version = request.param
    python = request.getfixturevalue("other_python") if version else sys.executable
    ran = run_app(engine, python, calls(surroundings.tokens))
    assert not version or ".".join(map(str, ran.python)) == version
    return ran


def test_the_listing_is_the_approved_one(run: Any) -> None:
    lines: list[str] = []
    for name, bindings in run.listing.items():
        lines.append(name)
        for binding in bindings:
            rest = {key: value for key, value in binding.items() if key not in {"type", "name", "direction"}}
            said = ", ".join(f"{key}={json.dumps(value)}" for key, value in sorted(rest.items()))
            lines.append(f"  {binding['direction']} {binding['name']}: {binding['type']} {said}".rstrip())

    assert "\n".join(lines) + "\n" == APPROVED.read_text()


def test_every_function_was_called_and_none_raised(run: Any, surroundings: Any) -> None:
    called = {each["function"] for each in calls(surroundings.tokens)}

    assert called == set(run.listing)
    assert [each["error"] for each in run.ended] == [""] * len(run.ended)


def test_each_route_answers_its_caller_and_turns_a_stranger_away(run: Any) -> None:
    answers = [(each["status"], each["body"]) for each in run.ended if "status" in each]
    (health, *others) = answers
    refusals, accepted = others[::2], others[1::2]
    posted, found, now, gaps, failures, record, _, replayed, *further = accepted

    detail = "a bearer token is required"
    assert refusals == [(401, {"status": 401, "code": "auth.unauthenticated", "detail": detail})] * len(
        accepted
    )
    assert health == (200, {"status": "up"})
    assert posted == (202, {"id": "post-1", "status": "queued", "statusUrl": "/api/inbound/post-1"})
    assert (found[0], found[1]["id"], found[1]["outcome"]) == (200, "m-1", "applied")
    assert (now[0], now[1]["messages"], now[1]["conserved"]) == (
        200,
        {"inbound": {"applied": 2, "rejected": 1}, "outbound": {"applied": 2}},
        True,
    )
    assert gaps[0] == 200
    assert (failures[0], [each["message_id"] for each in failures[1]["rejected"]]) == (200, ["m-2"])
    assert (record[0], [each["message_id"] for each in record[1]["records"][0]["messages"]]) == (
        200,
        ["m-1", "o-1", "o-2"],
    )
    assert replayed == (200, {"messageId": "m-2", "done": "readmit", "outcome": "rejected", "record": None})
    expected = {function: status for function, *_, status in FURTHER}
    assert dict(zip(expected, (status for status, _ in further), strict=True)) == expected


def test_a_reader_sees_no_personal_data_and_who_repairs_does_and_is_written_down(run: Any) -> None:
    read, operated = (each["body"]["records"][0] for each in run.ended if "records" in each.get("body", ()))

    phones = [entry["shadow"]["columns"]["telephone1"]["value"] for entry in (read, operated)]
    assert phones[1] == "+49 40 2"
    assert "40" not in phones[0]
    assert (read.get("masked"), operated.get("masked")) == (True, None)
    looked = run.rows("SELECT action, entity_key FROM audit_event WHERE action = 'read record'")
    assert looked == [("read record", "allegory:company:C-1")]


def test_a_reader_sees_that_a_conflict_waits_and_who_settles_it_sees_the_values(
    surroundings: Any, run_app: Any
) -> None:
    person = {
        "system": "allegory",
        "entity": "company",
        "column": "telephone1",
        "owner": "person",
        "reason": "r",
    }

    def http(function: str, path: str, role: str, body: object = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {surroundings.tokens[role]}"}
        method, posted = ("GET", "") if body is None else ("POST", json.dumps(body))
        asked = {"method": method, "path": f"/api/{path}", "body": posted, "headers": headers}
        return {"function": function, "http": asked}

    # The edit never happened to the row itself, so that Allegory's next word meets another value there.
    edit = account(1, name="Nordwind 1", telephone1="+49 40 2")
    soon = datetime.now(UTC) + timedelta(minutes=2)
    later = company("C-1", phone="+49 40 3") | {"changedOn": soon.isoformat()}
    asked = [
        {"function": "inbound", **message("m-1", "allegory:company:C-1", company("C-1", name="Nordwind 1"))},
        http("post_owner", "ops/owners", "ops_operate", person),
        {"function": "outbound", **message("o-1", ROW, edit)},
        {"function": "inbound", **message("m-2", "allegory:company:C-1", later)},
        http("get_conflicts", "ops/conflicts", "ops_read"),
        http("get_conflict", "ops/conflicts/1", "ops_read"),
        http("get_conflict", "ops/conflicts/1", "ops_operate"),
        http("get_conflicts", "ops/conflicts", "ops_operate"),
    ]

    ran = run_app("direct", sys.executable, asked)

    listed, read, settling, listed_plain = (each["body"] for each in ran.ended[-4:])
    sides = ("agreed", "inbound", "outbound")
    assert [settling[side] for side in sides] == ["+49 40 2", "+49 40 3", "+49 40 1"]
    assert [read[side] for side in sides] == ["•••••• 2", "•••••• 3", "•••••• 1"]
    assert listed == {"conflicts": [read], "more": 0}
    assert listed_plain == {"conflicts": [settling], "more": 0}
    looked = ran.rows("SELECT action, entity_key FROM audit_event WHERE action = 'read record'")
    assert looked == [("read record", "allegory:company:C-1")] * 2


def test_a_list_goes_on_behind_a_number_and_behind_nothing_else(surroundings: Any, run_app: Any) -> None:
    reader = {"Authorization": f"Bearer {surroundings.tokens['ops_read']}"}
    lists = {
        "get_conflicts": "ops/conflicts",
        "get_matches": "ops/matches",
        "get_drops": "ops/drops",
        "get_failures": "ops/failures",
    }
    asked = [
        {
            "function": function,
            "http": {"method": "GET", "path": f"/api/{path}?after={last}", "headers": reader},
        }
        for last in ("7", "last", "9" * 19)
        for function, path in lists.items()
    ]

    ran = run_app("direct", sys.executable, asked)

    codes = [(each["status"], each["body"].get("code")) for each in ran.ended]
    assert codes == [(200, None)] * 4 + [(400, "request.after")] * 8


@pytest.mark.parametrize("engine", ["direct", "official"])
def test_what_a_timer_brings_in_is_found_under_the_operation_of_its_run(run_app: Any, engine: str) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    hosts = f"00-{trace}-00f067aa0ba902b7-01"

    given = run_app(engine, sys.executable, [{"function": "allegory_feed", "timer": TIMER, "trace": hosts}])
    none = run_app(engine, sys.executable, [{"function": "allegory_feed", "timer": TIMER, "trace": ""}])

    assert operations_of(given, "tandem.feed") == {trace}
    (own,) = operations_of(none, "tandem.feed")
    assert re.fullmatch("[0-9a-f]{32}", own)
    assert own not in {trace, "0" * 32}


def operations_of(ran: Any, event: str) -> set[str]:
    """The operations under which an event was told."""
    return {each["operation_id"] for each in ran.told if each["properties"].get("event") == event}


def test_people_are_told_while_the_queue_cannot_be_reached(surroundings: Any, run_app: Any) -> None:
    told = message("m-1", "allegory:company:C-1", company("C-1", name="Nordwind 1"))
    refused = message("m-2", "allegory:company:C-3", "{broken")
    asked = [
        {"function": "inbound", **told},
        {"function": "inbound", **refused},
        {"function": "retry", "timer": TIMER},
        {"function": "alerts", "timer": TIMER},
    ]
    unreachable = {
        "ServiceBusConnection": "Endpoint=sb://127.0.0.1:9;SharedAccessKeyName=a;SharedAccessKey=b;"
        "UseDevelopmentEmulator=true;",
        "DATAVERSE_URL": "http://127.0.0.1:9",
        "RETRY_FIRST_DELAY_SECONDS": "0.001",
    }

    ran = run_app("direct", sys.executable, asked, unreachable)

    *_, retried, alerted = ran.ended
    assert "Unavailable" in retried["error"]
    assert alerted == {"error": ""}
    assert [ticket["title"] for ticket in ran.tickets] == ["message: message.not_json"]


def test_the_doors_say_when_the_state_cannot_be_read(surroundings: Any, run_app: Any, tmp_path: Path) -> None:
    health, *others = (each for each in calls(surroundings.tokens) if "http" in each)
    with_token = [each for each in others if "Authorization" in each["http"]["headers"]]
    no_file = {"SQL_URL": f"sqlite:///{tmp_path}"}

    ran = run_app("direct", sys.executable, [health, *with_token], no_file)

    said = "the SQL state cannot be read or written now"
    told = {"status": 503, "code": "state.unavailable", "detail": said}
    assert [(each["status"], each["body"]) for each in ran.ended] == [(503, told)] * (1 + len(with_token))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (
            {"DATAVERSE_URL": "", "PAYLOAD_DAYS": "s3cret"},
            (
                "DATAVERSE_URL is required: Base URL of the Dataverse organisation; "
                "PAYLOAD_DAYS must be a whole number of days above 0"
            ),
        ),
        (
            {"SQL_URL": "mssql+pyodbc://tandem:s3cret@sql.example:port/tandem"},
            "SQL_URL: it is not of the form sqlite:///<file> or mssql+pyodbc://<server>/<database>?...",
        ),
        (
            {"KEY_VAULT_URL": "https://[s3cret"},
            "KEY_VAULT_URL must be an address such as https://host or http://host:8080",
        ),
        (
            {
                "ServiceBusConnection": "Endpoint=sb.example;SharedAccessKey=s3cret",
                "LEGRAND_DROP_URL": "ftp://s3cret@x",
            },
            (
                "ServiceBusConnection must be a connection string of the form "
                "Endpoint=sb://host/;SharedAccessKeyName=name;SharedAccessKey=key; "
                "LEGRAND_DROP_URL must be a folder, or a container such as az://exports"
            ),
        ),
    ],
    ids=["missing", "sql", "address", "bus and drop"],
)
def test_every_door_names_the_settings_that_keep_the_app_from_working_and_no_value(
    surroundings: Any, run_app: Any, wrong: dict[str, str], named: str
) -> None:
    doors = [each for each in calls(surroundings.tokens) if "http" in each]

    ran = run_app("direct", sys.executable, doors, wrong)

    detail = f"{named}. Correct the app's settings and start it again"
    told = {"status": 503, "code": "settings.invalid", "detail": detail}
    assert [(each["status"], each["body"]) for each in ran.ended] == [(503, told)] * len(doors)


def test_each_message_is_kept_with_what_its_sender_gave_it(run: Any) -> None:
    kept = run.rows(
        "SELECT message_id, queue, session_id, position, delivery_count, outcome, application_properties,"
        " correlation_id FROM message ORDER BY number"
    )

    inbound = '{"source":"allegory","entity":"company"}'
    outbound = '{"source":"dataverse","table":"account","operation":"Update"}'
    correlation = "aedad95b-b055-5b1e-bc18-d733df045894"
    assert kept == [
        ("m-1", "inbound", "allegory:company:C-1", 4242, 1, "applied", inbound, correlation),
        # Nothing in it could be read, so it is about no change that has a correlation.
        ("m-2", "inbound", "allegory:company:C-3", 4242, 1, "rejected", inbound, None),
        ("m-3", "inbound", "allegory:company:C-2", 4242, 10, "applied", inbound, correlation),
        ("o-1", "outbound", ROW, 4242, 1, "applied", outbound, correlation),
        ("o-2", "outbound", ROW, 4242, 10, "applied", outbound, correlation),
    ]
    assert run.rows(
        "SELECT enqueued FROM (SELECT json_extract(properties, '$.enqueuedTimeUtc') AS enqueued"
        " FROM message) GROUP BY enqueued"
    ) == [("2026-01-31T10:11:12.345678+00:00",)]


def test_what_was_decided_is_in_the_state(run: Any) -> None:
    created = "name, tandem_sourcekey, telephone1"
    assert run.rows("SELECT number, outcome, reason FROM journal ORDER BY id") == [
        (1, "applied", created),
        (3, "applied", created),
        (4, "applied", "telephone1"),
        (5, "applied", "address1_city"),
    ]
    assert run.rows("SELECT legacy_id, row_id, state FROM crosswalk ORDER BY legacy_id") == [
        ("C-1", ROW.replace("-", ""), "paired"),
        ("C-2", OTHER_ROW.replace("-", ""), "paired"),
    ]


def test_both_systems_hold_what_was_said(run: Any) -> None:
    accounts = {row["accountid"]: (row["name"], row["telephone1"]) for row in run.accounts}
    records = {key: (each["phone"], each["city"]) for key, each in run.allegory.items()}

    assert accounts == {ROW: ("Nordwind 1", "+49 40 1"), OTHER_ROW: ("Nordwind 2", "+49 40 1")}
    assert records == {"C-1": ("+49 40 2", "Kiel"), "C-2": ("+49 40 1", "")}


def test_the_timers_did_their_work(run: Any) -> None:
    """Two records and two edits of ours in the feed, and the posted envelope, wait on the queue."""
    assert run.queues == {"inbound": 5, "outbound": 0}
    assert run.rows("SELECT position, version FROM watermark WHERE name = 'allegory-feed'") == [("4", 1)]
    compared = {name for (name,) in run.rows("SELECT name FROM watermark WHERE name LIKE 'gaps-%'")}
    assert {"gaps-dataverse-account", "gaps-dataverse-contact"} <= compared
    leased = {name for (name,) in run.rows("SELECT name FROM job_lease")}
    assert {"alert", "allegory-feed"} <= leased


def test_every_outcome_is_told_to_machines(run: Any) -> None:
    told = [each["properties"] for each in run.told if each["properties"].get("event") == "tandem.outcome"]

    outcomes = {(each["message_id"], each["outcome"]) for each in told}
    assert outcomes == {
        ("m-1", "applied"),
        ("m-2", "rejected"),
        ("m-3", "applied"),
        ("o-1", "applied"),
        ("o-2", "applied"),
    }


def test_what_came_by_a_queue_is_told_under_the_hosts_own_operation(run: Any) -> None:
    told = [each for each in run.told if each["properties"].get("event") == "tandem.outcome"]

    operations = {each["properties"]["message_id"]: set[str]() for each in told}
    for each in told:
        operations[each["properties"]["message_id"]] |= {each["operation_id"]}
    assert "0" * 32 not in set.union(*operations.values())
    # A person sent m-2 again, by another function.
    assert {name: len(found) for name, found in operations.items()} == dict.fromkeys(operations, 1) | {
        "m-2": 2
    }
    assert len(set.union(*operations.values())) == 6


def test_every_answer_names_the_operation_under_which_it_was_given(run: Any) -> None:
    operations = [each["operation"] for each in run.ended if "status" in each]

    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in operations)
    assert len({*operations}) == len(operations)
    posted = next(each["operation"] for each in run.ended if each.get("body", {}).get("status") == "queued")
    (queued,) = (each for each in run.told if each["properties"].get("event") == "tandem.queued")
    assert queued["operation_id"] == queued["properties"]["correlation_id"] == posted


def test_the_pins_name_the_runtime_all_this_was_made_for() -> None:
    installed = importlib.metadata.version("azure-functions-runtime")
    pinned = dict(pin.split("==") for pin in RUNTIME)["azure-functions-runtime"]

    assert installed == pinned == VERSION, (
        f"runtime version changed: installed {installed}, pinned {pinned}, made for {VERSION}"
    )


def test_another_runtime_version_is_said_clearly(tmp_path: Path) -> None:
    package = tmp_path / "azure_functions_runtime"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "version.py").write_text('VERSION = "9.9.9"\n')
    search = f"{tmp_path}{os.pathsep}{ROOT}"

    ended = subprocess.run(
        [sys.executable, str(DRIVE), "official", os.devnull, os.devnull],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": search},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert (
        f"runtime version changed: azure-functions-runtime is 9.9.9, the pinned one is {VERSION}"
        in ended.stderr
    )
