"""Replay: hundreds of held records by one plan, against the same sent again one by one (B5).

Dataverse refuses every new account for a while; each record has a failed message and a later one behind it. A
plan of all of them is foreseen, then run as fast as it will. The peer is a person with a script: it has one
message replayed, waits until its record is through, and takes the next.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from tests.bench.measure import Measure, rounded
from tests.bench.stack import OWNER, Stack, until
from tests.bench.traffic import Sent, companies, send

_RECORDS = 300
_BY_HAND = 25
_EACH = 2
"""Messages of each record: one that fails, and one behind it."""

_PROMISED = 8_700
"""Messages of the night that the promise is about (journey 1)."""

_LEAST = 1.5
"""The target is 15, of a far side that has to be waited for. This one answers at once, so that a script is
not slow either; what is left of the difference is the host's CPU.
"""

_PATIENCE_S = 240
_LIVE_LAG_S = 600
_GLANCE_S = 0.5
"""How often the plan is looked at: a look asks the app, which has other work."""


def replay(stack: Stack) -> Iterator[Measure]:
    """A plan of hundreds, and the same by hand."""
    by_hand = _held(stack, f"by-hand-{uuid4().hex[:6]}", _BY_HAND)
    with _operator(stack) as api:
        began = time.monotonic()
        for head in by_hand[:_BY_HAND]:
            api.post("ops/replays", json={"messageId": head.id}).raise_for_status()
            until(f"the record of {head.id}", partial(_is_through, stack, head))
        naive = _EACH * _BY_HAND / (time.monotonic() - began)
        tag = f"plan-{uuid4().hex[:6]}"
        _held(stack, tag, _RECORDS)
        before = stack.reading()
        began = time.monotonic()
        plan = api.post("ops/plans", json={"everything": True}).raise_for_status().json()["plan"]
        until("the plan foreseen", lambda: _state(api, plan) == "ready", _PATIENCE_S, _GLANCE_S)
        foreseen, seen = time.monotonic() - began, stack.reading()
        api.post(f"ops/plans/{plan}/run", json={"rate": 10_000, "stop_lag": _LIVE_LAG_S}).raise_for_status()
        began = time.monotonic()
        until("the plan run", lambda: _state(api, plan) == "finished", _PATIENCE_S, _GLANCE_S)
        replayed, done = time.monotonic() - began, stack.reading()
    outcomes = stack.outcomes(tag)
    if sum(outcomes.values()) != _EACH * _RECORDS or outcomes.keys() - {"applied", "merged"}:
        raise RuntimeError(f"the plan left something behind: {outcomes}")
    messages = _EACH * _RECORDS
    rate = messages / replayed
    yield Measure("rate, of one by one", rounded(rate / naive), "ratio", least=_LEAST)
    yield Measure("foreseen in, of the time to replay", rounded(foreseen / replayed), "ratio", most=0.5)
    yield Measure("rate of the plan", rounded(rate), "messages/s")
    yield Measure("rate one by one", rounded(naive), "messages/s")
    yield Measure(f"{_PROMISED:,} messages at this rate", rounded(_PROMISED / rate), "s")
    yield Measure(
        "CPU of the host, replaying", rounded(1000 * done.since(seen, "host") / messages), "ms/message"
    )
    yield Measure(
        "CPU of the host, foreseeing", rounded(1000 * seen.since(before, "host") / messages), "ms/message"
    )


def _held(stack: Stack, tag: str, records: int) -> list[Sent]:
    """Records whose first message was refused; returns all messages, the first of each record first."""
    place = f"{stack.endpoints['dataverse']['http']}/admin/faults"
    for in_batch in (False, True):
        fault = {"times": None, "status": 400, "code": f"0x8{uuid4().hex[:7]}", "in_batch": in_batch}
        fault |= {"table": "account", "operation": "create"}
        httpx.post(place, json=fault).raise_for_status()
    messages = companies(tag, records, _EACH, OWNER)
    send(stack.endpoints["servicebus"], "inbound", messages, datetime.now(UTC))
    until(f"{tag} held", lambda: stack.outcomes(tag) == {"failed": records, None: records}, _PATIENCE_S)
    httpx.delete(place).raise_for_status()
    return messages


def _is_through(stack: Stack, head: Sent) -> bool:
    return stack.unfinished(head.session) == 0


def _state(api: httpx.Client, plan: int) -> str:
    shown: dict[str, Any] = api.get(f"ops/plans/{plan}").raise_for_status().json()
    if shown["state"] == "stopped":
        raise RuntimeError(f"the plan stopped: {shown['reason']}")
    return str(shown["state"])


@contextmanager
def _operator(stack: Stack) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {stack.endpoints['tokens']['ops_operate']}"}
    with httpx.Client(base_url=stack.endpoints["functions"] + "/api/", headers=headers, timeout=60) as api:
        yield api
