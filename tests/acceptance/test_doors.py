"""The HTTP door as a sender meets it: who may post, what is refused and how, and what became of it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest

from local.identity.clients import SENDER_CLIENT_ID, Client
from local.identity.issuer import AUDIENCE, TENANT, Issuer
from local.identity.signing import SigningKey
from tests.acceptance.conftest import Stack, company

SENDER = Client(SENDER_CLIENT_ID, "External sender", ("Inbound.Write",))


def post(stack: Stack, body: Any, token: str | None = None, **headers: str) -> httpx.Response:
    """Post a body as it is, as the external sender unless told otherwise."""
    bearer = stack.endpoints["tokens"]["inbound"] if token is None else token
    known = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(
        f"{stack.endpoints['functions']}/api/inbound", content=raw, headers=known | headers, timeout=30
    )


def issuer(stack: Stack, at: datetime, base: str | None = None) -> Issuer:
    """The stack's own issuer, at another time or under another name."""
    told = stack.endpoints["dataverse"]["token_url"].partition(f"/{TENANT}/")[0]
    return Issuer(base or told, SigningKey.kept_in(stack.state / "identity"), lambda: at)


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem answer, whose form is checked."""
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    body: Mapping[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert body["detail"]
    return answer.status_code, str(body["code"])


def key(tag: str) -> dict[str, str]:
    return {"Idempotency-Key": f"{tag}-door"}


def test_without_a_token_nobody_gets_in(stack: Stack, tag: str) -> None:
    answer = post(stack, company(tag, 1), token="", **key(tag))

    assert problem(answer) == (401, "auth.unauthenticated")
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="{AUDIENCE}"'
    assert stack.kept("SELECT * FROM message WHERE message_id = ?", f"{tag}-door") == []


def test_a_token_that_is_not_for_us_is_refused(stack: Stack, tag: str) -> None:
    now = datetime.now(UTC)
    good, old, other = (
        issuer(stack, now),
        issuer(stack, now - timedelta(hours=3)),
        issuer(stack, now, "https://elsewhere.example"),
    )
    forged = SigningKey.kept_in(stack.state / "nobodys")
    tokens = {
        "another audience": good.program(SENDER, "api://another"),
        "expired": old.program(SENDER, AUDIENCE),
        "another issuer": other.program(SENDER, AUDIENCE),
        "another key": Issuer(good.base, forged, lambda: now).program(SENDER, AUDIENCE),
        "unsigned": jwt.encode({"aud": AUDIENCE, "iss": good.name, "sub": "x"}, "", algorithm="none"),
        "no token at all": "abc",
    }

    answers = {
        name: problem(post(stack, company(tag, 1), token, **key(tag))) for name, token in tokens.items()
    }

    assert answers == dict.fromkeys(tokens, (401, "auth.unauthenticated"))
    assert post(stack, company(tag, 1), good.program(SENDER, AUDIENCE), **key(tag)).status_code == 202


def test_the_missing_role_is_named(stack: Stack, tag: str) -> None:
    answer = post(stack, company(tag, 1), stack.endpoints["tokens"]["ops_approve"], **key(tag))

    assert problem(answer) == (403, "auth.forbidden")
    assert answer.json()["detail"] == "the role Inbound.Write is required"


@pytest.mark.parametrize(
    ("role", "path", "expected"),
    [
        ("inbound", "ops/now", 403),
        ("ops_read", "ops/now", 200),
        ("ops_read", "ops/failures", 200),
        ("ops_read", "inbound/x", 403),
    ],
)
def test_each_role_opens_its_own_doors(stack: Stack, role: str, path: str, expected: int) -> None:
    with stack.api(role) as api:
        assert api.get(path).status_code == expected


def test_who_only_reads_cannot_replay(stack: Stack, tag: str) -> None:
    with stack.api("ops_read") as api:
        assert problem(api.post("ops/replays", json={"messageId": tag})) == (403, "auth.forbidden")


def test_the_right_role_is_let_in_and_kept_with_the_message(stack: Stack, tag: str) -> None:
    now = datetime.now(UTC)
    answer = post(stack, company(tag, 1), issuer(stack, now).program(SENDER, AUDIENCE), **key(tag))

    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/inbound/{tag}-door"
    assert answer.json() == {
        "id": f"{tag}-door",
        "status": "queued",
        "statusUrl": f"/api/inbound/{tag}-door",
    }
    fate = stack.outcome(f"{tag}-door", "applied")
    assert fate["sender"] == SENDER_CLIENT_ID
    assert stack.kept("SELECT sender, actor FROM message WHERE message_id = ?", f"{tag}-door") == [
        {"sender": SENDER_CLIENT_ID, "actor": SENDER_CLIENT_ID}
    ]
    assert {line["actor"] for line in stack.decisions(f"{tag}-door")} == {SENDER_CLIENT_ID}


def test_an_idempotency_key_is_needed_and_counts(stack: Stack, tag: str) -> None:
    body = company(tag, 1)

    assert problem(post(stack, body)) == (400, "request.idempotency_key")
    for unfit in ("x" * 129, "a/b", "a b", "a?b", '""', "a%2Fb"):
        assert problem(post(stack, body, **{"Idempotency-Key": unfit})) == (400, "request.idempotency_key")
    assert [post(stack, body, **key(tag)).status_code for _ in range(2)] == [202, 202]
    stack.outcome(f"{tag}-door", "applied")
    stack.quiet()
    assert len(stack.kept("SELECT * FROM message WHERE message_id = ?", f"{tag}-door")) == 1
    quoted = post(stack, body, **{"Idempotency-Key": f'"{tag}-door"'})
    assert quoted.headers["Location"] == f"/api/inbound/{tag}-door"
    other = company(tag, 1, city="Bonn")
    assert [problem(post(stack, other, **key(tag))) for _ in range(2)] == [(422, "message.body_changed")] * 2
    assert stack.outcome(f"{tag}-door", "applied")


def test_a_body_too_large_for_the_queue_is_refused_at_the_door(stack: Stack, tag: str) -> None:
    large = company(tag, 1, cf_scoring_blob="x" * 192 * 1024)
    fitting = company(tag, 1, cf_scoring_blob="x" * 90_000)

    assert problem(post(stack, large, **key(tag))) == (413, "request.too_large")
    assert post(stack, fitting, **key(tag)).status_code == 202
    assert stack.outcome(f"{tag}-door", "applied")


def test_every_fault_is_named_at_once_and_the_message_is_kept(stack: Stack, tag: str) -> None:
    body = company(tag, 1, employees="many", cf_tier="Platinum", unheard_of="x") | {"changedOn": "noon"}

    answer = post(stack, body, **key(tag))

    assert problem(answer) == (422, answer.json()["errors"][0]["code"])
    assert sorted((fault["pointer"], fault["code"]) for fault in answer.json()["errors"]) == [
        ("/changedOn", "message.bad_timestamp"),
        ("/data/cf_tier", "value.no_option"),
        ("/data/employees", "value.not_a_number"),
        ("/data/unheard_of", "message.unknown_field"),
    ]
    assert not [value for value in ("many", "Platinum") if value in answer.text], "never the value"
    fate = stack.outcome(f"{tag}-door", "rejected")
    assert fate["faults"] == answer.json()["errors"]
    assert fate["sender"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "message.not_json"),
        (b"\xff\xfe", "message.not_json"),
        (b'{"schemaVersion": NaN}', "message.not_json"),
        (b"[" * 5000, "message.not_json"),
        (b'{"schemaVersion": "9.0"}', "message.schema_version"),
        (b"{}", "message.missing_field"),
    ],
)
def test_a_body_that_is_no_envelope_is_refused_by_name(
    stack: Stack, tag: str, body: bytes, code: str
) -> None:
    assert problem(post(stack, body, **key(tag))) == (422, code)
    assert stack.outcome(f"{tag}-door", "rejected")["faults"][0]["code"] == code


def test_a_message_nobody_sent_is_not_found(stack: Stack, tag: str) -> None:
    with stack.api("inbound") as api:
        answer = api.get(f"inbound/{tag}-nobody")

    assert problem(answer) == (404, "request.not_found")


def test_health_is_open_to_all_and_tells_nothing_else(stack: Stack) -> None:
    answer = httpx.get(f"{stack.endpoints['functions']}/api/health")

    assert (answer.status_code, answer.json()) == (200, {"status": "up"})
