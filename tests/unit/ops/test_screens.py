"""What a person reads of failures, phases and refusals, and what is said to a wrong question."""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote, unquote

import pytest

from shared.ops.cli import main
from shared.ops.client import Declined, Service, Unreachable
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
        "  2 held; 2 from allegory, 1 of North; failed 2026-03-01T02:10:00Z to 2026-03-01T02:15:00Z",
        "  Why. Rule: a rule",
        "  -> Do this.",
        "a1  7 x value.no_option on account",
        "  7 rejected; 7 from allegory, sent by erp; failed 2026-03-01T02:10:00Z to 2026-03-01T02:15:00Z",
        "  Why. Rule: a rule",
        "  -> Do this.",
        "",
        "Cause removed? See what sending them again would do: tandem replay plan --group b2",
        (
            "Refused at the gate: 7 messages, which hold nothing up and are in no plan. Each is in tandem "
            "failures list, for its sender to send anew; tandem skip <message> ends it."
        ),
    ]


def test_a_list_that_is_cut_says_how_many_are_left_and_how_to_go_on() -> None:
    entry = {
        "number": 12,
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
    refused = {"number": 11, "message_id": "m-2", "subject": None, "faults": [fault, fault]}
    groups = [
        {**group("b2", "target.refused", held=3, retrying=1), "ticket": "T-1"},
        {**group("a1", "value.no_option", rejected=7), "ticket": None},
    ]

    told = {"groups": groups, "failures": [entry], "rejected": [refused]}

    cut = failures.screen(told | {"more": 9}).splitlines()
    last = failures.screen(told | {"more": 0}, behind=13)

    assert cut[-1] == "and 9 more: tandem failures list --after 11"
    assert cut[0].startswith("group b2  4 x target.refused")
    # The groups stand on the first page alone; they count every page.
    assert (last.splitlines()[0].split()[0], "more" in last, "group b2" in last) == ("message", False, False)
    nothing = {"groups": groups, "failures": [], "rejected": [], "more": 0}
    assert failures.screen(nothing, behind=11) == "Nothing is failing behind this one."


def test_a_group_whose_system_nobody_knows_is_told_by_its_sender() -> None:
    refused = group("a1", "message.not_json", rejected=1) | {"systems": {"unknown": 1}}

    assert failures.groups_screen({"groups": [refused]}).splitlines()[1] == (
        "  1 rejected; sent by erp; failed 2026-03-01T02:10:00Z to 2026-03-01T02:15:00Z"
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
        "legrand   lead            North  dynamics_master  2026-03-01T02:10:00Z by bea",
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


@pytest.mark.parametrize(
    ("speaker", "winner", "lost"),
    [
        ("allegory", "allegory", "        telephone1: lost '2'"),
        ("allegory", "dataverse", "        telephone1: lost '1'"),
        # Among the records of one row, another one's value stood.
        ("allegory", "legrand", "        telephone1: lost '1'"),
        ("dataverse", "dataverse", "        telephone1: lost '1'"),
        ("dataverse", "allegory", "        telephone1: lost '2'"),
        # A person is asked: nothing has lost yet.
        ("dataverse", "", "    the journal's line"),
    ],
)
def test_a_record_shows_the_value_that_lost(speaker: str, winner: str, lost: str) -> None:
    message = {
        "number": 7,
        "message_id": "m-1",
        "status": "conflict",
        "subject": f"{speaker}:company:C-1",
        "received_at": "2026-03-01T02:10:00+00:00",
        "changed_at": None,
        "reason": "the journal's line",
        "decisions": [],
    }
    kept = {"number": 7, "column": "telephone1", "inbound": "1", "outbound": "2", "winner": winner}
    entry = {
        "record": "r1",
        "crosswalk": [],
        "messages": [message],
        "conflicts": [kept, kept | {"number": 6}],
        "lane": None,
    }

    assert record.screen({"records": [entry], "messages": []}).splitlines()[-1] == lost


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
        "message m-1  rejected  received 2026-03-01T02:10:00Z",
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
        (["replay", "show", "G-1"], "argument plan: a number, as the list shows it"),
        (["replay", "show", "\u00b2"], "argument plan: a number, as the list shows it"),
        (["conflicts", "show", "9" * 19], "argument id: a number, as the list shows it"),
        (["replay", "run", "1", "--rate", "nan"], "argument --rate: a number, such as 20 or 0.5"),
        (["replay", "run", "1", "--stop-at-lag", "1e999"], "argument --stop-at-lag: a number, such as"),
        (["replay", "run", "1", "--stop-at-percent", "x"], "argument --stop-at-percent: a number, such as"),
        (["replay", "plan", "--since", "999999999999d"], "argument --since: an instant such as"),
        (["replay", "plan", "--since", "999999d"], "argument --since: an instant such as"),
        (["replay", "plan", "--since", "\u00b2d"], "argument --since: an instant such as"),
        (["replay", "plan", "--until", "0001-01-01T00:00:00+14:00"], "argument --until: an instant such as"),
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
        (["record", "show", "\udcff"], "what was typed is not all text in this terminal's encoding"),
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

    assert main([*asked, *(["--reason", "r"] if asked[0] != "record" else [])]) == 2
    assert capsys.readouterr().err.startswith(f"tandem: {answer}")


def test_a_noun_alone_is_answered_with_its_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["failures"])

    assert ended.value.code == 2
    assert "required: {groups,list}" in capsys.readouterr().err


def test_nothing_at_all_is_answered_with_everything_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "Where to begin: tandem now" in capsys.readouterr().err


@pytest.mark.parametrize(
    "left", ["{", "{}", "[]", '{"functions": "http://127.0.0.1:7", "tokens": {}}', "\x00"]
)
def test_a_stack_that_left_half_of_its_addresses_is_to_be_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], left: str
) -> None:
    stack(tmp_path)
    (tmp_path / ".local" / "endpoints.json").write_text(left)
    monkeypatch.chdir(tmp_path)

    assert main(["now"]) == 2
    assert "is not what `make up` writes: start the stack anew" in capsys.readouterr().err


@pytest.mark.parametrize("token", ["se cret", "secret\n", "secr\u00e9t"])
def test_a_token_that_is_none_is_not_sent_and_not_shown(token: str) -> None:
    with pytest.raises(Unreachable, match="TANDEM_TOKEN is no token") as told:
        Service("http://127.0.0.1:7", token).now()

    assert "secr" not in str(told.value)


class Stranger(BaseHTTPRequestHandler):
    """A server that is no Tandem: whatever it is asked, it answers what its address says."""

    def do_GET(self) -> None:
        status, _, told = unquote(self.path.split("/")[1]).partition(" ")
        body = told.encode()
        self.send_response(int(status))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its base class calls it so
        """Nothing: a test has no log."""


@pytest.fixture(name="stranger")
def _stranger() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("answer", ["404 ", "200 <html>", "200 []", "401 {}", '500 "no"'])
def test_a_server_that_is_no_tandem_is_told_as_such(stranger: str, answer: str) -> None:
    told = f"answered {answer[:3]} without an explanation; is it a Tandem's address?"

    with pytest.raises(Declined, match=re.escape(told)):
        Service(f"{stranger}/{quote(answer)}", "token").now()


LEFT = """
import sys

class Leaving:
    def find_spec(self, name, path, target=None):
        if name == "httpx":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Leaving())
from shared.ops.cli import main
sys.exit(main(["now"]))
"""


def test_who_leaves_before_anything_was_asked_is_told_so() -> None:
    left = subprocess.run([sys.executable, "-c", LEFT], capture_output=True, text=True, check=False)

    assert (left.returncode, left.stdout) == (130, "")
    assert left.stderr == "\ntandem: left; what the service was asked to do goes on\n"


ASK = [sys.executable, "-m", "shared.ops", "conflicts", "list", "--json"]


@pytest.fixture(name="town")
def _town(monkeypatch: pytest.MonkeyPatch, stranger: str) -> None:
    """A service whose conflicts have a town in them."""
    told = '200 {"conflicts": [], "more": 0, "town": "K\u00f6ln"}'
    monkeypatch.setenv("TANDEM_URL", f"{stranger}/{quote(told)}")
    monkeypatch.setenv("TANDEM_TOKEN", "token")


@pytest.mark.usefixtures("town")
def test_a_terminal_without_a_letter_shows_the_letters_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")

    shown = subprocess.run(ASK, capture_output=True, text=True, check=False)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert r"K\xf6ln" in shown.stdout


@pytest.mark.usefixtures("town")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_an_answer_that_cannot_be_printed_says_why() -> None:
    with Path("/dev/full").open("w") as full:
        lost = subprocess.run(ASK, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert (lost.returncode, lost.stderr) == (2, "tandem: No space left on device\n")


@pytest.mark.parametrize("typed", ["NaN", "Infinity", "1e999", "[" * 100_000, '{"a": 1}', "[1]", "+49 431 3"])
def test_a_value_that_json_cannot_say_is_a_text(typed: str) -> None:
    asked = argparse.Namespace(id=1, take="value", value=typed, reason="r")
    service = Kept("http://127.0.0.1:7", "token")

    conflicts.conflicts_settle(service, asked)

    assert service.posted == [{"take": "value", "reason": "r", "value": typed}]


@dataclass(frozen=True, slots=True)
class Kept(Service):
    """A service that keeps what is posted to it."""

    posted: list[Mapping[str, Any] | None] = field(default_factory=list)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        del path
        self.posted.append(body)
        return {}


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
