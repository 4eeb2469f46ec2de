"""What a person reads of failures, phases and refusals, and what is said to a wrong question."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.ops.cli import main
from shared.ops.client import Service, Unreachable
from shared.ops.commands import conflicts, customers, failures, phases, record
from shared.ops.screen import value
from shared.settings import OperatorSettings


def group(name: str, code: str, **counts: int) -> dict[str, Any]:
    """A group as the service tells it."""
    states = {"held": 0, "retrying": 0, "parked": 0, "rejected": 0} | counts
    return {
        **states,
        "group": name,
        "code": code,
        "open": sum(states.values()),
        "table": "account",
        "field": None,
        "systems": {"allegory": sum(states.values())},
        "targets": {},
        "units": {"North": 1} if states["held"] else {},
        "sender": "erp" if states["rejected"] else None,
        "first_failed_at": "2026-03-01T02:10:00+00:00",
        "last_failed_at": "2026-03-01T02:15:00+00:00",
        "cause": "Why.",
        "rule": "a rule",
        "advice": "Do this.",
    }


def test_what_holds_a_lane_comes_first_and_is_all_that_a_plan_is_offered() -> None:
    refused, held = group("a1", "value.no_option", rejected=7), group("b2", "target.refused", held=2)

    assert failures.groups_screen({"groups": [refused, held]}).splitlines() == [
        "b2  2 x target.refused on account",
        "  2 held; 2 from allegory, 1 of North; failed 2026-03-01T02:10:00 to 2026-03-01T02:15:00",
        "  Why. Rule: a rule",
        "  -> Do this.",
        "a1  7 x value.no_option on account",
        "  7 rejected; 7 from allegory, sent by erp; failed 2026-03-01T02:10:00 to 2026-03-01T02:15:00",
        "  Why. Rule: a rule",
        "  -> Do this.",
        "",
        "Cause removed? See what sending them again would do: tandem replay plan --group b2",
        (
            "Refused at the gate: 7 messages, which hold nothing up and are in no plan. Each is in tandem "
            "failures list, for its sender to send anew; tandem skip <message> ends it."
        ),
    ]


def test_a_list_that_is_cut_says_how_many_are_left() -> None:
    entry = {
        "message_id": "m-1",
        "subject": "allegory:company:C-1",
        "state": "held",
        "code": "target.refused",
        "attempts": 1,
        "next_retry_at": None,
        "followers": 2,
        "request_id": None,
        "group": "b2",
    }
    fault = {"code": "value.no_option", "field": "/data/tier", "expected": "Gold"}
    refused = {"message_id": "m-2", "subject": None, "faults": [fault, fault]}
    groups = [
        {**group("b2", "target.refused", held=3, retrying=1), "ticket": "T-1"},
        {**group("a1", "value.no_option", rejected=7), "ticket": None},
    ]

    cut = failures.screen({"groups": groups, "failures": [entry], "rejected": [refused]}).splitlines()
    whole = failures.screen({"groups": groups, "failures": [entry] * 4, "rejected": [refused] * 7})

    assert [line for line in cut if line.startswith("and ")] == [
        "and 3 more: tandem failures groups counts them all",
        "and 6 more: tandem failures groups counts them all",
    ]
    assert "more" not in whole


def test_a_group_whose_system_nobody_knows_is_told_by_its_sender() -> None:
    refused = group("a1", "message.not_json", rejected=1) | {"systems": {"unknown": 1}}

    assert failures.groups_screen({"groups": [refused]}).splitlines()[1] == (
        "  1 rejected; sent by erp; failed 2026-03-01T02:10:00 to 2026-03-01T02:15:00"
    )


def test_phases_stand_in_columns_however_long_a_name_is() -> None:
    told = {
        "phases": [
            {
                "system": "allegory",
                "entity": "pipeline_stage",
                "unit": "",
                "unit_name": None,
                "phase": "coexist",
                "changed_at": None,
                "changed_by": None,
            },
            {
                "system": "legrand",
                "entity": "lead",
                "unit": "6f",
                "unit_name": "North",
                "phase": "dynamics_master",
                "changed_at": "2026-03-01T02:10:00.5+00:00",
                "changed_by": "bea",
            },
        ],
        "owners": [
            {
                "system": "allegory",
                "entity": "company",
                "column": "telephone1",
                "owner": "person",
                "phase": "",
            }
        ],
    }

    assert phases.listed(told).splitlines() == [
        "system    entity          unit   phase            since",
        "allegory  pipeline_stage  all    coexist          never set",
        "legrand   lead            North  dynamics_master  2026-03-01T02:10:00 by bea",
        "",
        "Laid down for single columns",
        "system    entity   column      who decides  phase",
        "allegory  company  telephone1  person       any",
    ]


def test_a_list_that_goes_on_says_how_to_see_the_rest() -> None:
    conflict = {
        "id": 812,
        "subject": "allegory:company:C-1",
        "column": "telephone1",
        "state": "open",
        "opened_at": "2026-03-01T02:10:00+00:00",
        "inbound": "1",
        "outbound": "2",
        "agreed": None,
    }
    rows = [{"row": "r1", "records": ["allegory:company:C-1"]}, {"row": "r2", "records": []}]
    match = {
        "case": 31,
        "confidence": 97,
        "certain": True,
        "table": "account",
        "rows": rows,
        "reasons": ["x"],
    }

    both = (
        conflicts.listed({"conflicts": [conflict], "more": 37}),
        customers.listed({"matches": [match], "more": 4}),
    )
    whole = (
        conflicts.listed({"conflicts": [conflict], "more": 0}),
        customers.listed({"matches": [match], "more": 0}),
    )

    asked = ("and 37 more: tandem conflicts list --after 812", "and 4 more: tandem customers list --after 31")
    assert [line in text.splitlines() for line, text in zip(asked, both, strict=True)] == [True, True]
    assert ["more:" in text for text in whole] == [False, False]
    assert (
        conflicts.listed({"conflicts": [], "more": 0}, 812)
        == "No conflict waits for a person behind this one."
    )


def test_a_refused_message_is_shown_with_what_to_do() -> None:
    faults = [
        {"field": "", "code": "message.body_changed", "expected": "the first body"},
        {"field": "/x", "code": "message.of_a_newer_service", "expected": "y"},
    ]
    message = {
        "message_id": "m-1",
        "status": "rejected",
        "received_at": "2026-03-01T02:10:00+00:00",
        "faults": faults,
    }

    assert record.screen({"records": [], "messages": [message]}).splitlines() == [
        "message m-1  rejected  received 2026-03-01T02:10:00",
        "    (message): message.body_changed: the first body",
        "    /x: message.of_a_newer_service: y",
        "    -> Give every change its own message id.",
    ]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (["conflicts", "show", "abc"], "argument id: a number, as the list shows it"),
        (["customers", "accept", "C-1", "--reason", "r"], "argument case: a number, as the list shows it"),
        (["phases", "own", "a", "b", "c", "person", "--reason", "r", "--phase", ""], "invalid choice: ''"),
    ],
)
def test_a_wrong_argument_is_told_before_anybody_is_asked(
    capsys: pytest.CaptureFixture[str], asked: list[str], answer: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(asked)

    assert ended.value.code == 2
    assert answer in capsys.readouterr().err


def stack(folder: Path) -> None:
    """The addresses of a local stack, as it leaves them."""
    (folder / ".local").mkdir()
    told = {"functions": "http://127.0.0.1:7/", "tokens": {"ops_operate": "operator"}}
    (folder / ".local" / "endpoints.json").write_text(json.dumps(told))


def test_the_local_stack_is_asked_with_the_token_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack(tmp_path)
    monkeypatch.chdir(tmp_path)

    assert Service.found(OperatorSettings("", "")) == Service("http://127.0.0.1:7", "operator")
    assert Service.found(OperatorSettings("", "reader")) == Service("http://127.0.0.1:7", "reader")


def test_a_service_without_a_token_is_not_asked() -> None:
    with pytest.raises(Unreachable, match="TANDEM_TOKEN"):
        Service.found(OperatorSettings("https://tandem.example", ""))


def test_a_plan_of_nothing_names_the_choices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack(tmp_path)
    monkeypatch.chdir(tmp_path)

    assert main(["replay", "plan"]) == 2
    assert "--group" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        # Else a forgotten option empties the column on both sides, and a forgotten sign a field.
        (["conflicts", "settle", "1", "--take", "value"], "--take value goes with --value"),
        (["conflicts", "settle", "1", "--take", "inbound", "--value", "x"], "--take value goes with --value"),
        (["edit", "m-1", "--set", "city"], "--set wants field=value"),
        (["edit", "m-1"], "say what to change"),
        (["supersede", "m-1", "--body", "gone.json"], "No such file or directory: gone.json"),
        (["supersede", "m-1", "--body", "broken.json"], "broken.json is not JSON"),
        (["replay", "show", "G-1"], "a plan is named by its number"),
    ],
)
def test_what_is_half_typed_is_not_asked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    asked: list[str],
    answer: str,
) -> None:
    stack(tmp_path)
    (tmp_path / "broken.json").write_text("{")
    monkeypatch.chdir(tmp_path)

    assert main([*asked, *(["--reason", "r"] if asked[0] != "replay" else [])]) == 2
    assert capsys.readouterr().err.startswith(f"tandem: {answer}")


def test_a_noun_alone_is_answered_with_its_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["failures"])

    assert ended.value.code == 2
    assert "required: {groups,list}" in capsys.readouterr().err


def test_nothing_at_all_is_answered_with_everything_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Where to begin: tandem now" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["tandem.example", "https://tandem.example:port"])
def test_a_url_that_is_none_is_told_from_a_service_that_is_down(url: str) -> None:
    with pytest.raises(Unreachable, match="TANDEM_URL is no address of a service"):
        Service(url, "token").now()


@pytest.mark.parametrize(
    ("held", "shown"),
    [
        (None, "nothing"),
        ("", "''"),
        ("Kiel", "'Kiel'"),
        (3, "3"),
        ("x" * 201, f"'{'x' * 200}'... (201 characters)"),
    ],
)
def test_a_value_is_told_from_none_and_a_long_one_is_cut(held: Any, shown: str) -> None:
    assert value(held) == shown


def test_an_audit_that_cannot_be_run_says_which_file_or_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    users = tmp_path / "users.json"
    users.write_text('{"value": []}')
    asked = ["migrate", "audit", "--system", "allegory", "--out", str(tmp_path / "out.jsonl")]

    def told(export: Path, listed: Path, *more: str) -> str:
        assert main([*asked, "--export", str(export), "--users", str(listed), *more]) == 2
        return capsys.readouterr().err

    gone = tmp_path / "gone"
    assert told(gone, users) == f"tandem: there is no such folder: {gone}\n"
    assert told(tmp_path, gone) == f"tandem: No such file or directory: {gone}\n"
    assert told(tmp_path, users, "--also", "legrand").startswith("tandem: --also wants SYSTEM=FOLDER")
    users.write_text("{")
    assert told(tmp_path, users) == "tandem: users.incomplete: the list of users is not JSON\n"
