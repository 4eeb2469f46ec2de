"""Host, broker and Dataverse are killed again and again while people work on both sides.

Afterwards nothing is lost, nothing happened twice, and both sides hold what people wrote, as if one after the
other had written it. About 600 messages; `TANDEM_FULL_SIZE=1` makes it 20,000. `TANDEM_CRASH_SEED` decides
who edits what and who dies when (1).
"""

import json
import os
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
import pytest

from shared.connectors.sqlstore.values import changes_of
from tests.acceptance.conftest import Stack, eventually, row_id

IS_FULL = os.environ.get("TANDEM_FULL_SIZE") == "1"
RECORDS, EDITS, KILLS = (1000, 9000, 42) if IS_FULL else (20, 280, 6)
SECONDS = 3600 if IS_FULL else 110
AHEAD = 200 if IS_FULL else 60
"""How many edits people may be ahead of the sync: they work for as long as parts die."""

COLUMN = {
    "phone": "telephone1",
    "city": "address1_city",
    "street": "address1_line1",
    "postal_code": "address1_postalcode",
}
SIDES = {"allegory": ("phone", "city"), "dataverse": ("street", "postal_code")}
"""Who writes which fields: with fields of its own for each side, the last value written is the right one."""

MORTAL = ("host", "broker", "dataverse")


@dataclass(frozen=True, slots=True)
class Edit:
    """A value that a person writes into a field of a company."""

    side: str
    record: int
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Script:
    """What people do and when parts die, all from one seed."""

    tag: str
    edits: tuple[Edit, ...]
    deaths: tuple[tuple[int, str], ...]

    def last(self, record: int) -> dict[str, str]:
        """What both sides hold of a company in the end: the sequential oracle."""
        return {edit.field: edit.value for edit in self.edits if edit.record == record}

    def key(self, record: int) -> str:
        return f"{self.tag}-C{record}"


def written(tag: str) -> Script:
    """The script of the seed."""
    chance = Random(int(os.environ.get("TANDEM_CRASH_SEED", "1")))  # noqa: S311  # a repeatable run is the point
    edits = []
    for number in range(EDITS):
        side = chance.choice(tuple(SIDES))
        edits.append(
            Edit(side, chance.randrange(RECORDS), chance.choice(SIDES[side]), f"{tag}{side[0]}{number}")
        )
    moments = sorted(chance.sample(range(EDITS // 30, EDITS * 9 // 10), KILLS))
    # Everybody dies as often as the others, in no order.
    victims = [MORTAL[number % len(MORTAL)] for number in range(KILLS)]
    chance.shuffle(victims)
    return Script(tag, tuple(edits), tuple(zip(moments, victims, strict=True)))


@dataclass
class People:
    """Somebody at each side, who tries again when a side does not answer."""

    stack: Stack
    script: Script
    progress: "Progress"
    given_up: threading.Event = field(default_factory=threading.Event)
    saved: list[Edit] = field(default_factory=list)

    def create(self) -> None:
        """Every company, in Allegory."""
        with self.stack.allegory() as allegory:
            for record in range(RECORDS):
                key = self.script.key(record)
                body = {"company_id": key, "name": f"Company {key}"}
                self._insist(allegory, "PUT", f"/companies/{key}", body)

    def edit(self, side: str) -> None:
        """What one side's people write, one after the other, never too far ahead of the sync."""
        mine = [(number, edit) for number, edit in enumerate(self.script.edits) if edit.side == side]
        with self.stack.allegory() if side == "allegory" else self.stack.dataverse() as client:
            for number, edit in mine:
                # Each edit is told by one message at least; how many echoes there are is nobody's promise.
                self._keep_pace(RECORDS + number - AHEAD)
                self._write(client, edit)
                self.saved.append(edit)

    def _write(self, client: httpx.Client, edit: Edit) -> None:
        if edit.side == "allegory":
            path, body = f"/companies/{self.script.key(edit.record)}", {edit.field: edit.value}
        else:
            path = f"accounts({row_id(self.script.tag, edit.record)})"
            body = {COLUMN[edit.field]: edit.value}
        self._insist(client, "PATCH", path, body, {"If-Match": "*"})

    def _insist(
        self, client: httpx.Client, method: str, path: str, body: Any, headers: dict[str, str] | None = None
    ) -> None:
        def look() -> bool | None:
            assert not self.given_up.is_set()
            try:
                answer = client.request(method, path, json=body, headers=headers)
            except httpx.TransportError:
                return None
            # A row that is not there yet is on its way.
            return (answer.status_code not in {404, 503} and answer.raise_for_status() is not None) or None

        eventually(f"{method} {path}", look, SECONDS)

    def _keep_pace(self, messages: int) -> None:
        def look() -> bool | None:
            assert not self.given_up.is_set()
            return self.progress.decided() >= messages or None

        eventually(f"{messages} messages", look, SECONDS)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the sync is with what came after message `since`."""

    stack: Stack
    since: int

    def decided(self) -> int:
        """How many messages have an outcome; what is open is counted, because a look at all would be slow."""
        found = self.stack.kept(
            "SELECT (SELECT coalesce(max(number), 0) FROM message) AS kept, "
            "(SELECT count(*) FROM lane_item WHERE state <> 'done' AND number > ?) AS open",
            self.since,
        )
        return int(found[0]["kept"]) - int(found[0]["open"]) - self.since

    def messages(self, tag: str) -> list[dict[str, Any]]:
        """This test's messages: both sides' bodies have the company's name."""
        found = self.stack.kept("SELECT * FROM message WHERE number > ? ORDER BY number", self.since)
        return [row for row in found if f"Company {tag}-C".encode() in bytes(row["body"])]


@contextmanager
def at_work(people: People) -> Iterator[list["Future[None]"]]:
    """People at work on both sides; they stop when the test ends, whatever its end is."""
    with ThreadPoolExecutor(2) as pool:
        try:
            yield [pool.submit(people.edit, side) for side in SIDES]
        finally:
            people.given_up.set()


def held(stack: Stack, script: Script) -> dict[str, dict[int, dict[str, Any]]]:
    """What both sides hold of every company."""
    found: dict[str, dict[int, dict[str, Any]]] = {"allegory": {}, "dataverse": {}}
    with stack.allegory() as allegory, stack.dataverse() as dataverse:
        for record in range(RECORDS):
            fields = allegory.get(f"/companies/{script.key(record)}").raise_for_status().json()
            row = dataverse.get(f"accounts({row_id(script.tag, record)})").raise_for_status().json()
            found["allegory"][record] = {name: fields[name] or None for name in COLUMN}
            found["dataverse"][record] = {name: row[column] for name, column in COLUMN.items()}
    return found


def untold(script: Script, messages: list[dict[str, Any]]) -> list[Edit]:
    """The edits that no message tells of."""
    told = {"inbound": set[str](), "outbound": set[str]()}
    for row in messages:
        told[row["queue"]].update(str(value) for value in json.loads(bytes(row["body"]))["data"].values())
    queue = {"allegory": "inbound", "dataverse": "outbound"}
    return [edit for edit in script.edits if edit.value not in told[queue[edit.side]]]


def _settle(stack: Stack, script: Script, progress: Progress) -> None:
    """Until every edit was told, both sides agree and nothing is open; quiet lanes alone do not say so.

    They may agree on something wrong, and they may never agree: which of it is for the tests to tell.
    """

    def look() -> bool | None:
        found = held(stack, script)
        agree = found["allegory"] == found["dataverse"]
        return (agree and not untold(script, progress.messages(script.tag))) or None

    with suppress(AssertionError):
        eventually("both sides agree", look, SECONDS)
        stack.quiet()


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The stack once everything has an outcome."""

    stack: Stack
    script: Script
    messages: list[dict[str, Any]]


@pytest.fixture(scope="module")
def crashed(stack: Stack) -> Aftermath:
    """What is left after people worked on both sides while parts died."""
    script = written(f"K{os.getpid() % 10_000}")
    known = stack.kept("SELECT coalesce(max(number), 0) AS newest FROM message")[0]["newest"]
    progress = Progress(stack, known)
    people = People(stack, script, progress)
    people.create()
    with at_work(people) as working:

        def come_to(edits: int) -> None:
            def look() -> bool | None:
                for done in working:
                    if done.done():
                        done.result()
                return len(people.saved) >= edits or None

            eventually(f"{edits} edits", look, SECONDS)

        for moment, part in script.deaths:
            come_to(moment)
            stack.kill(part)
        come_to(EDITS)
    _settle(stack, script, progress)
    return Aftermath(stack, script, progress.messages(script.tag))


pytestmark = pytest.mark.timeout(3 * SECONDS)


def test_both_sides_hold_what_people_wrote_last(crashed: Aftermath) -> None:
    script = crashed.script

    oracle = {record: dict.fromkeys(COLUMN) | script.last(record) for record in range(RECORDS)}
    assert held(crashed.stack, script) == {"allegory": oracle, "dataverse": oracle}


def test_every_change_was_told_and_has_exactly_one_outcome(crashed: Aftermath) -> None:
    stack, script, messages = crashed.stack, crashed.script, crashed.messages

    assert untold(script, messages) == []
    typist = person(stack)
    outcomes = Counter(row["outcome"] for row in messages if not is_ours(row, typist))
    assert outcomes.keys() <= {"applied", "merged", "echo", "stale"}
    # A host that dies between a write and its settlement may hear of it before it knows it for its own.
    outcomes = Counter(row["outcome"] for row in messages if is_ours(row, typist))
    assert outcomes.keys() <= {"applied", "merged", "echo", "stale", "conflict"}
    ids = Counter((row["queue"], row["message_id"]) for row in messages)
    assert {message: times for message, times in ids.items() if times > 1} == {}
    now = stack.now()
    assert (now["conserved"], now["unexplained"]) == (True, 0)


def is_ours(message: dict[str, Any], typist: str) -> bool:
    """Whether a message tells of a write of ours, by who the far side says made it."""
    told = json.loads(bytes(message["body"]))
    if message["queue"] == "inbound":
        return bool(told["changedBy"] == "integration")
    return bool(told["initiatedBy"] != typist)


def person(stack: Stack) -> str:
    """Who people are in Dataverse."""
    with stack.dataverse() as dataverse:
        return str(dataverse.get("WhoAmI").raise_for_status().json()["UserId"])


def test_no_change_was_applied_twice(crashed: Aftermath) -> None:
    stack, script = crashed.stack, crashed.script
    lines = stack.kept("SELECT changes FROM journal WHERE number >= ?", crashed.messages[0]["number"])
    agreed = Counter(
        change.after
        for line in lines
        for change in changes_of(line["changes"] or "{}").values()
        if str(change.after).startswith(script.tag) and change.after != change.before
    )
    names = {f"{script.tag}-C{record}" for record in range(RECORDS)}

    assert {value: times for value, times in agreed.items() if times > 1 and value not in names} == {}


def test_no_write_of_ours_repeats_another_or_has_no_effect(crashed: Aftermath) -> None:
    """By the write logs of the far sides: Allegory's own, and what Dataverse's flow told of each version."""
    logs = {"allegory": allegory_writes(crashed), "dataverse": dataverse_writes(crashed)}
    repeated, idle, ours = [], [], Counter[str]()
    for side, log in logs.items():
        for record, writes in log.items():
            seen, before = set[tuple[str, str]](), dict[str, Any]()
            for is_ours, held in writes:
                new = {
                    (name, str(value)) for name, value in held.items() if value and value != before.get(name)
                }
                repeated += [(side, record, *again) for again in sorted(new & seen)]
                if is_ours and held == before:
                    idle.append((side, record))
                seen, before = seen | new, held
                ours[side] += is_ours

    assert (repeated, idle) == ([], [])
    written = Counter(edit.side for edit in crashed.script.edits)
    # Each side also gets every company once: its row, and what Dataverse filled in by itself (its owner). An
    # edit that another had overtaken is not written any more.
    assert RECORDS < ours["dataverse"] <= written["allegory"] + RECORDS
    assert written["dataverse"] / 4 < ours["allegory"] <= written["dataverse"] + RECORDS


Writes = dict[str, list[tuple[bool, dict[str, Any]]]]


def allegory_writes(crashed: Aftermath) -> Writes:
    """Per company every write in order: whether it was ours, and what it held then."""
    writes: Writes = defaultdict(list)
    since = "0"
    with crashed.stack.allegory() as allegory:
        while True:
            page = allegory.get("/changes", params={"since": since, "limit": 1000}).raise_for_status().json()
            for change in page["changes"]:
                if change["id"].startswith(f"{crashed.script.tag}-C"):
                    held = {name: change["record"][name] or None for name in sorted(change["record"])}
                    del held["updated_at"]
                    writes[change["id"]].append((change["changed_by"] == "integration", held))
            if page["next"] == since:
                return writes
            since = page["next"]


def dataverse_writes(crashed: Aftermath) -> Writes:
    """The same of every row, by what its flow told of each version."""
    typist = person(crashed.stack)
    versions: dict[tuple[str, int], tuple[bool, dict[str, Any]]] = {}
    for message in crashed.messages:
        if message["queue"] == "outbound":
            told = json.loads(bytes(message["body"]))
            versions[told["recordId"], int(told["rowVersion"])] = (
                told["initiatedBy"] != typist,
                told["data"],
            )
    writes: Writes = defaultdict(list)
    for place in sorted(versions):
        writes[place[0]].append(versions[place])
    return writes
