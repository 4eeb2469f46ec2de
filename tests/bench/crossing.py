"""Inbound and outbound: Tandem on the whole local stack against a bare receive-complete loop.

Both get the same bodies in the same sessions from the same broker, in the same run, with the slots and the
idle time of host.json. A change that crosses comes back as an echo (from Dataverse by its flow, from Allegory
by its change feed), and Tandem recognises it; that is part of what a change costs and is counted with it.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from tests.bench.measure import Measure, rounded
from tests.bench.stack import OWNER, PEER_QUEUE, ROOT, Progress, Reading, Stack, slots, until
from tests.bench.traffic import Sent, companies, edits, send

SESSIONS = 240
"""Sessions of the traffic with one message each."""

PER_SESSION = 20
"""Messages of each session in the other traffic; it has as many messages as the first."""

_RECORDS = SESSIONS + SESSIONS // PER_SESSION
"""How many records the outbound traffic is about."""

_LIMITS = {1: (1.0, 6.0), PER_SESSION: (0.02, 20.0)}
_MOST_OF_FLOOR = 8.0
"""By messages per session: the least share of the bare loop's rate, and the most CPU in bare loops'.

One per session: both wait out the idle time of their slots, and the host opens sessions faster than the SDK.
Twenty per session: the bare loop does no work at all, so these two guard against growth and promise no more.
"""

_PASSING, _REFUSED = 5, 1
"""Of the messages on a bad day: two in a hundred fail once, one in two hundred is refused."""

_LEAD = timedelta(seconds=1.5)
"""Long enough to put everything on the queue before it appears there."""

_QUIET_S = 3.0
"""Longer than the pause between two looks at Allegory's feed: nothing comes after it."""

_ROWS = "outbound-rows"
"""What the ids of the companies begin with whose rows are changed."""

_FAR_SIDES = {"inbound": "dataverse", "outbound": "crm"}


@dataclass(frozen=True, slots=True)
class Crossing:
    """What one lot of messages took, from appearing on the queue to the last outcome of the last echo."""

    messages: int
    handled: int
    seconds: float
    cpu_seconds: dict[str, float]

    def cpu_ms(self, part: str) -> float:
        """CPU milliseconds of a part per message sent."""
        return 1000 * self.cpu_seconds[part] / self.messages


@dataclass(frozen=True, slots=True)
class Bare:
    """What a loop without Tandem took for the same messages."""

    seconds: float
    cpu_seconds: float
    broker_cpu_seconds: float


def inbound(stack: Stack) -> Iterator[Measure]:
    """Changes in Allegory become rows."""
    yield from _direction(stack, "inbound", _company_changes)


def outbound(stack: Stack) -> Iterator[Measure]:
    """Changes of rows become changes in Allegory."""
    with stack.allegory() as allegory:
        for sent in _company_changes(stack, _ROWS, _RECORDS, 1):
            record = json.loads(sent.body)["data"]
            allegory.put(f"companies/{record['company_id']}", json=record).raise_for_status()
    until("the rows to change", partial(_has_rows, stack))
    _settled(stack)
    yield from _direction(stack, "outbound", _row_changes)
    yield from _through_trouble(stack)


def _through_trouble(stack: Stack) -> Iterator[Measure]:
    """A bad day in Allegory (B2): what fails for a while goes through, what is refused is kept, once each."""
    tag = f"trouble-{uuid4().hex[:6]}"
    rows = _rows(stack)[:SESSIONS]
    passing, refused = rows[:_PASSING], rows[_PASSING : _PASSING + _REFUSED]
    place = stack.endpoints["allegory"]["rest"] + "/admin/faults"
    for row, status, count in (*((row, 503, 1) for row in passing), *((row, 422, 100) for row in refused)):
        record = row["tandem_sourcekey"].rpartition(":")[2]
        fault = {"kind": "status", "status": status, "count": count, "path": f"/companies/{record}"}
        httpx.post(place, json=fault | {"method": "PATCH"}).raise_for_status()
    messages = edits(tag, rows, _flow_columns(), 1, first=100)
    _appear(stack.endpoints["servicebus"], "outbound", messages)
    until(f"outcomes of {tag}", lambda: stack.finished(tag) == len(messages) - _REFUSED)
    httpx.delete(place).raise_for_status()
    kept = stack.failures(tag)
    name = "failures kept in SQL: retried and through, refused and held"
    right = kept == {"applied": _PASSING, "failed": _REFUSED}
    yield Measure(name, sum(kept.values()), "messages", least=_PASSING + _REFUSED, most=_PASSING + _REFUSED)
    yield Measure("each of them once, and as what it was", float(right), "yes", least=1)


def _company_changes(stack: Stack, tag: str, records: int, each: int) -> list[Sent]:
    del stack
    return companies(tag, records, each, OWNER)


def _row_changes(stack: Stack, tag: str, records: int, each: int) -> list[Sent]:
    rows = _rows(stack)
    # Every lot has rows of its own: a change made before would be an echo.
    chosen = rows[:records] if each == 1 else rows[-records:]
    return edits(tag, chosen, _flow_columns(), each)


def _rows(stack: Stack) -> list[dict[str, Any]]:
    """The rows that the outbound traffic is about."""
    with stack.person() as dataverse:
        query = {"$filter": f"startswith(tandem_sourcekey,'allegory:company:{_ROWS}')"}
        rows: list[dict[str, Any]] = (
            dataverse.get("accounts", params=query).raise_for_status().json()["value"]
        )
    return rows


def _has_rows(stack: Stack) -> bool:
    return len(_rows(stack)) == _RECORDS


def _flow_columns() -> list[str]:
    """The columns that the flow of accounts sends."""
    flow = json.loads((ROOT / "infra" / "flows" / "account.json").read_text())
    actions = flow["properties"]["definition"]["actions"]
    return list(actions["Compose_payload"]["inputs"]["data"])


def _direction(
    stack: Stack, queue: str, changes: Callable[[Stack, str, int, int], list[Sent]]
) -> Iterator[Measure]:
    for each in (1, PER_SESSION):
        tag = f"{queue}-{uuid4().hex[:6]}"
        messages = changes(stack, tag, SESSIONS // each, each)
        bare = _through_loop(stack, messages)
        crossing = through_tandem(stack, queue, tag, messages)
        yield from _measures(f"{each} per session", (queue, each), crossing, bare)
    yield from _against_floor(stack, crossing)


def _against_floor(stack: Stack, crossing: Crossing) -> Iterator[Measure]:
    """The last crossing against what companies cost a loop that reads, maps and writes them (B1d)."""
    messages = companies(f"floor-{uuid4().hex[:6]}", SESSIONS // PER_SESSION, PER_SESSION, OWNER)
    floor = _through_loop(stack, messages, stack.endpoints["dataverse"]["http"])
    floor_ms = 1000 * floor.cpu_seconds / len(messages)
    ratio = rounded(crossing.cpu_ms("host") / floor_ms)
    yield Measure("host CPU per change, of the floor's", ratio, "ratio", most=_MOST_OF_FLOOR)
    yield Measure("rate of the floor", rounded(len(messages) / floor.seconds), "messages/s")
    yield Measure("CPU of the floor", rounded(floor_ms), "ms/message")


def _measures(name: str, traffic: tuple[str, int], crossing: Crossing, bare: Bare) -> Iterator[Measure]:
    queue, each = traffic
    far, (least, most) = _FAR_SIDES[queue], _LIMITS[each]
    rate, bare_rate = crossing.messages / crossing.seconds, crossing.messages / bare.seconds
    bare_ms = 1000 * bare.cpu_seconds / crossing.messages
    host_ms = crossing.cpu_ms("host")
    yield Measure(f"{name}: rate, of the bare loop's", rounded(rate / bare_rate), "ratio", least=least)
    yield Measure(
        f"{name}: host CPU per change, of the bare loop's", rounded(host_ms / bare_ms), "ratio", most=most
    )
    yield Measure(f"{name}: rate", rounded(rate), "changes/s")
    yield Measure(f"{name}: rate of the bare loop", rounded(bare_rate), "messages/s")
    yield Measure(
        f"{name}: messages handled per change, echoes included",
        rounded(crossing.handled / crossing.messages),
        "messages",
    )
    yield Measure(f"{name}: CPU of the host", rounded(host_ms), "ms/change")
    yield Measure(f"{name}: CPU of the broker", rounded(crossing.cpu_ms("broker")), "ms/change")
    for part in ("dataverse", "crm"):
        role = "the far simulator" if part == far else "the near simulator"
        yield Measure(f"{name}: CPU of {role} ({part})", rounded(crossing.cpu_ms(part)), "ms/change")
    yield Measure(f"{name}: CPU of the bare loop", rounded(bare_ms), "ms/message")
    broker_ms = 1000 * bare.broker_cpu_seconds / crossing.messages
    yield Measure(f"{name}: CPU of the broker for the bare loop", rounded(broker_ms), "ms/message")


def _through_loop(stack: Stack, messages: list[Sent], url: str = "") -> Bare:
    """Receive and complete; with the URL of Dataverse, read, map and write, too."""
    count, idle_s = slots()
    connection = stack.endpoints["servicebus"]
    command = [sys.executable, "-m", "tests.bench.peer", connection, PEER_QUEUE]
    command += [str(len(messages)), str(count), str(idle_s), *([url] if url else [])]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        began = _appear(connection, PEER_QUEUE, messages)
        before = stack.reading()
        said = json.loads(process.stdout.readline())
    after = stack.reading()
    return Bare(said["finished"] - began, said["cpu_seconds"], after.since(before, "broker"))


def _appear(connection: str, queue: str, messages: list[Sent]) -> float:
    """Send, and return when the messages appear; that instant on the monotonic clock."""
    due = datetime.now(UTC) + _LEAD
    began = time.monotonic() + _LEAD.total_seconds()
    send(connection, queue, messages, due)
    if time.monotonic() > began:
        raise RuntimeError("the messages appeared before the last was sent")
    time.sleep(began - time.monotonic())
    return began


def through_tandem(stack: Stack, queue: str, tag: str, messages: list[Sent]) -> Crossing:
    """What Tandem takes for messages whose ids start with `tag`, their echoes included."""
    known = stack.progress()
    began = _appear(stack.endpoints["servicebus"], queue, messages)
    before = stack.reading()
    until(f"outcomes of {tag}", partial(_decided, stack, tag, len(messages)))
    seconds = time.monotonic() - began
    last, now = _settled(stack)
    outcomes = stack.outcomes(tag)
    if outcomes.keys() - {"applied", "merged"}:
        raise RuntimeError(f"{tag} did not go through: {outcomes}")
    cpu = {part: last.since(before, part) for part in last.cpu}
    return Crossing(len(messages), now.decided - known.decided, seconds, cpu)


def _decided(stack: Stack, tag: str, count: int) -> bool:
    return stack.progress(tag).decided == count


def _settled(stack: Stack) -> tuple[Reading, Progress]:
    """The reading at the last outcome, once no other came for a while."""
    progress, reading = stack.progress(), stack.reading()
    while time.monotonic() - reading.at < _QUIET_S:
        time.sleep(0.1)
        if (now := stack.progress()) != progress:
            progress, reading = now, stack.reading()
    return reading, progress
