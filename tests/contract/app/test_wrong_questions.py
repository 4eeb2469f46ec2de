"""What is asked wrongly is answered with what is wrong: never by a failure of ours, never done in part."""

import json
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(600)

HALF = r"\ud800"
"""Half a character, as JSON can write it: no text, and nothing could keep it."""

REPLAY = ("post_replay", "ops/replays", "request.message_id")
PLAN = ("post_plan", "ops/plans", "request.selection")
RUN = ("post_plan_action", "ops/plans/1/run", "request.policy")
SKIP = ("post_skip", "ops/repairs/skip", "request.repair")
SUPERSEDE = ("post_supersede", "ops/repairs/supersede", "request.repair")
EDIT = ("post_edit", "ops/repairs/edit", "request.repair")
SETTLE = ("post_settlement", "ops/conflicts/1/settlement", "request.settlement")
PHASE = ("post_phase", "ops/phases", "request.phase")
OWNER = ("post_owner", "ops/owners", "request.phase")
ALIAS = ("post_owner_alias", "ops/record-owners/aliases", "request.owner_alias")
ACCEPT = ("post_acceptance", "ops/matches/1/acceptance", "request.match")
UNMERGE = ("post_unmerge", "ops/unmerges", "request.match")
DOORS = (REPLAY, PLAN, RUN, SKIP, SUPERSEDE, EDIT, SETTLE, PHASE, OWNER, ALIAS, ACCEPT, UNMERGE)

NO_OBJECTS = ("{", "[]", "null", '"x"', "[" * 100_000, '{"reason": NaN}', f'{{"reason": "{HALF}"}}')

WRONG = (
    *((door, body, "send") for door in DOORS for body in NO_OBJECTS),
    (REPLAY, '{"messageId": null}', "send"),
    (REPLAY, '{"messageId": ["m-1"]}', "send"),
    (PLAN, '{"everything": "yes"}', "say which failures"),
    (PLAN, '{"group": ["a"], "everything": true}', "group: is not known; there are groups, systems"),
    (PLAN, '{"groups": "a"}', "groups: a list of texts"),
    (PLAN, '{"systems": null}', "systems: a list of texts"),
    (PLAN, json.dumps({"records": [f"C-{n}" for n in range(201)]}), "records: at most 200"),
    (PLAN, '{"since": "yesterday"}', "since: an ISO 8601 instant"),
    (PLAN, '{"since": "0001-01-01T00:00:00+14:00"}', "since: an ISO 8601 instant"),
    (PLAN, '{"until": "9999-12-31T23:59:59-14:00"}', "until: an ISO 8601 instant"),
    (RUN, '{"canry": 1}', "canry: is not known; there are canary, rate"),
    (RUN, '{"canary": true}', "canary: a number from 0 to 10000"),
    (RUN, '{"canary": 1e300}', "canary: a number from 0 to 10000"),
    (RUN, '{"canary": 2.5}', "canary: a whole number"),
    (RUN, '{"rate": "5"}', "rate: a number from 0.01 to 10000"),
    (RUN, '{"rate": 0}', "rate: a number from 0.01 to 10000"),
    (RUN, '{"rate": 1e999}', "rate: a number from 0.01 to 10000"),
    (RUN, '{"stop_percent": 101}', "stop_percent: a number from 0 to 100"),
    (RUN, '{"stop_lag": 1e300}', "stop_lag: a number from 0 to 86400"),
    (RUN, '{"reason": ["x"]}', "reason: a text"),
    (SKIP, '{"messageId": "m-1", "reason": " "}', "send"),
    (SKIP, '{"messageId": 5, "reason": "x"}', "send"),
    (SUPERSEDE, '{"messageId": "m-1", "reason": "x", "by": 5}', "send"),
    (SUPERSEDE, '{"messageId": "m-1", "reason": "x", "body": "{}"}', "send"),
    (SUPERSEDE, '{"messageId": "m-1", "reason": "x", "by": "m-2", "body": {}}', "send"),
    (EDIT, '{"messageId": "m-1", "reason": "x", "set": {}}', "send"),
    (EDIT, '{"messageId": "m-1", "reason": "x", "set": {"city": ["Kiel"]}}', "send"),
    (SETTLE, '{"take": "inbound", "reason": null}', "send"),
    (SETTLE, '{"take": ["inbound"], "reason": "x"}', "send"),
    (SETTLE, '{"take": "both", "reason": "x"}', "take inbound, outbound or value"),
    (SETTLE, '{"take": "value", "reason": "x"}', "take inbound, outbound or value"),
    (PHASE, '{"system": ["allegory"]}', "send a JSON object of texts"),
    (OWNER, '{"system": "allegory", "entity": "company", "column": "name", "owner": "person"}', "say why"),
    (ALIAS, '{"system": "allegory", "name": "Ann", "user": ["a"]}', "send a JSON object of texts"),
)


def test_each_wrong_question_is_answered_with_what_is_wrong(surroundings: Any, run_app: Any) -> None:
    operator = {"Authorization": f"Bearer {surroundings.tokens['ops_operate']}"}
    asked = [
        {
            "function": function,
            "http": {"method": "POST", "path": f"/api/{path}", "body": body, "headers": operator},
        }
        for (function, path, _), body, _ in WRONG
    ]

    ran = run_app("direct", sys.executable, asked)

    told = [(each["status"], each["body"].get("code")) for each in ran.ended]
    assert told == [(400, code) for (_, _, code), _, _ in WRONG]
    for (door, body, begins), each in zip(WRONG, ran.ended, strict=True):
        assert each["body"]["detail"].startswith(begins), (door, body)
    assert ran.rows("SELECT count(*) FROM replay_plan") == [(0,)]
    assert ran.rows("SELECT count(*) FROM ownership_rule") == [(0,)]
