"""What `tandem now` puts on the screen, and the exit status it ends with."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from shared.ops.cli import main
from shared.ops.commands import now

QUIET: dict[str, Any] = {
    "messages": {"inbound": {"applied": 12}, "outbound": {}},
    "received": {"inbound": 12, "outbound": 0},
    "waiting": 0,
    "behind": 0,
    "lanes_open": 0,
    "lanes_held": 0,
    "conflicts": 0,
    "unexplained": 0,
    "states": {},
    "lag": {"minutes": 10, "messages": 12, "p50_seconds": 0.2, "p95_seconds": 1.25},
    "stopped": [],
    "pauses": [],
    "parked": [],
    "owners": {"unmatched": 0, "waiting": 0, "owed": 0, "oldest_seconds": None},
    "asked": {"conflicts": 0, "matches": 0},
    "tickets": [],
    "feeds": [{"feed": "allegory-feed", "moved_at": "x", "moved_seconds": 42.0, "lease_until": None}],
    "strays": [],
    "systems": [
        {"system": "allegory", "latency": "seconds", "way": "REST"},
        {"system": "legrand", "latency": "hours", "way": "file"},
        {"system": "erp", "latency": None, "way": None},
    ],
    "conserved": True,
}


def test_a_quiet_night_fits_on_a_few_lines() -> None:
    assert now.screen(QUIET).splitlines() == [
        "Nothing is lost: every message has one outcome or a place in a lane.",
        "  inbound   received    12  =  applied 12",
        "  outbound  received     0  =  nothing yet",
        "",
        "No lane is stopped by a failure.",
        "",
        "Healthy traffic, last 10 minutes: 12 messages, half within 0.2 s, 95 % within 1.2 s",
        "Lanes open 0, held 0; waiting for their turn 0, behind one that cannot go on 0; conflicts kept 0",
        "Tickets open 0",
        "Feed allegory-feed: brought something 42 s ago",
        "To be expected: allegory: seconds, by REST, legrand: hours, by file, erp: nothing is written to it",
    ]


def test_what_a_person_is_to_decide_is_told_with_where_to_look() -> None:
    aside = {"aside": {"count": 3, "oldest_seconds": 60.0}}
    told = QUIET | {"asked": {"conflicts": 1, "matches": 2}, "states": aside}

    shown = now.screen(told).splitlines()

    place = shown.index("No lane is stopped by a failure.")
    assert shown[place + 1 : place + 4] == [
        "Waiting for a person's decision: 3 messages from the future; tandem failures list",
        "Waiting for a person's decision: 1 conflict; tandem conflicts list",
        "Waiting for a person's decision: 2 pairs of customers who may be one; tandem customers list",
    ]


def test_a_cause_tells_whose_it_is_and_what_to_do() -> None:
    told = deepcopy(QUIET)
    told["stopped"] = [
        {
            "group": "a1b2",
            "code": "target.refused",
            "cause": "It said no.",
            "advice": "Read its code.",
            "whose": "them",
            "table": "account",
            "field": "name",
            "rule": "r",
            "heads": 3,
            "held": 3,
            "followers": 4,
            "units": {"North": 2, "South": 1},
            "since": "x",
            "for_seconds": 7300.0,
            "ticket": None,
        }
    ]

    shown = now.screen(told).splitlines()

    whose = "(the far side; needs a person)"
    assert shown[4:8] == [
        "Stopped: 3 messages, 4 more behind, by 1 cause:",
        f"  a1b2  3 + 4 behind  target.refused on account.name  for 2 h  {whose}  2 of North, 1 of South",
        "    It said no. -> Read its code.",
        "  what to do, and which messages: tandem failures groups, tandem failures list",
    ]


def test_what_waits_and_how_many_tickets_there_are_is_told_whole() -> None:
    told = deepcopy(QUIET)
    key = "allegory:company:C-9"
    told["parked"] = [
        {"entity": "allegory:company", "keys": 1, "messages": 1, "top": [{"key": key, "messages": 1}]},
        {"entity": "legrand:acknowledgement", "keys": 2, "messages": 2, "top": []},
    ]
    told["tickets"] = [{"ticket": f"T-{number}", "team": "crm"} for number in range(8)]
    told["feeds"] += [
        {"feed": f"gaps-{side}", "moved_seconds": age} for side, age in (("a", 300.0), ("b", None))
    ]

    shown = now.screen(told).splitlines()

    assert shown[5:7] == [
        "Parked: 1 message, until 1 of allegory:company come; most wait for allegory:company:C-9 (1)",
        "Pending until legrand acknowledges (hours): 2 messages; tandem imports",
    ]
    assert [line for line in shown if line.startswith(("Tickets", "Feed", "Gap"))] == [
        "Tickets open 8: T-0 (crm), T-1 (crm), T-2 (crm), T-3 (crm), T-4 (crm), T-5 (crm) and 2 more",
        "Feed allegory-feed: brought something 42 s ago",
        "Gap detector: 2 sides compared, the last 5 min ago",
    ]


def test_whoever_asked_for_a_pause_is_named_with_its_end() -> None:
    told = deepcopy(QUIET)
    until = "2026-03-01T08:00:40+00:00"
    told["pauses"] = [{"identity": "Dataverse", "until": until, "for_seconds": 30.4}]

    assert now.screen(told).splitlines()[5] == (
        "Dataverse asked us to slow down: nothing is sent to it until 2026-03-01T08:00:40Z, for 30 s"
    )


def test_owners_who_are_no_user_are_counted_with_what_waits_for_them() -> None:
    told = deepcopy(QUIET)
    told["owners"] = {"unmatched": 2, "waiting": 3, "owed": 4, "oldest_seconds": 7300.0}

    assert now.screen(told).splitlines()[5] == (
        "Owners who are no user: 2, the first for 2 h; records that wait for them 3, with somebody else "
        "meanwhile 4: tandem owners list"
    )


def test_a_wrong_sum_comes_first_and_names_the_messages() -> None:
    told = deepcopy(QUIET) | {"conserved": False, "unexplained": 1}
    told["strays"] = [{"message_id": "m-1", "queue": "inbound", "state": None, "outcome": None}]

    assert now.screen(told).splitlines()[:2] == [
        "THE SUM IS WRONG: these messages have no outcome and no place, or both.",
        "  inbound  message m-1  neither",
    ]


@contextmanager
def service_that_tells(told: dict[str, Any]) -> Iterator[str]:
    """A service at a URL whose `ops/now` is this."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(told if self.path == "/api/ops/now" else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("unlike", "status"), [({}, 0), ({"conserved": False, "unexplained": 1, "strays": []}, 1)]
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_the_exit_status_says_whether_the_sum_is_right(
    unlike: dict[str, Any], status: int, form: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_TOKEN", "t")
    with service_that_tells(QUIET | unlike) as url:
        monkeypatch.setenv("TANDEM_URL", url)

        assert main(["now", *form]) == status
