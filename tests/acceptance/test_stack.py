"""Parts that are killed in the middle of the traffic: nothing is lost, nothing happens twice."""

import gc
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from azure.servicebus import ServiceBusClient, ServiceBusMessage
from azure.servicebus.exceptions import ServiceBusError

from tests.acceptance.conftest import Stack, company, edit, eventually, row_id, session_of
from tests.acceptance.trouble import Trouble

RECORDS = 15
CHANGES = 4


def traffic(tag: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Every record created and then changed a few times, one round after the other."""
    rounds: list[tuple[str, str, dict[str, Any]]] = []
    for change in range(CHANGES):
        for number in range(RECORDS):
            body = company(tag, number)
            if change:
                body = edit(body, change, phone=str(change), city=f"City {change}")
            rounds.append((f"{tag}-{number}-{change}", session_of(body), body))
    return rounds


def last_change(stack: Stack, tag: str) -> list[tuple[str, str | None, str | None]]:
    """Name, phone and city of every row of the traffic; each row there is, so that none hides."""
    with stack.dataverse() as client:
        told = client.get("accounts", params={"$filter": f"startswith(name,'Company {tag}-')"})
        rows = told.raise_for_status().json()["value"]
    return sorted((row["name"], row["telephone1"], row["address1_city"]) for row in rows)


def expected(tag: str) -> list[tuple[str, str, str]]:
    last = str(CHANGES - 1)
    return sorted((f"Company {tag}-C{number}", last, f"City {last}") for number in range(RECORDS))


def over(stack: Stack, messages: list[str]) -> Counter[str]:
    """How often each outcome was reached, once every message has one."""
    marks = ",".join("?" * len(messages))

    def look() -> list[dict[str, Any]] | None:
        found = stack.kept(
            f"SELECT message_id, outcome FROM message WHERE message_id IN ({marks})",  # noqa: S608  # only marks
            *messages,
        )
        return found if len(found) >= len(messages) and all(row["outcome"] for row in found) else None

    found = eventually("an outcome of every message", look)
    assert len(found) == len(messages), "each is kept once"
    return Counter(row["outcome"] for row in found)


def some_done(stack: Stack, tag: str, at_least: int) -> bool | None:
    done = stack.kept(
        "SELECT count(*) AS done FROM message WHERE message_id LIKE ? AND outcome IS NOT NULL", f"{tag}-%"
    )
    return done[0]["done"] >= at_least or None


def test_a_host_that_is_killed_in_the_middle_loses_and_repeats_nothing(stack: Stack, tag: str) -> None:
    messages: list[tuple[str, str | None, Any]] = [*traffic(tag)]
    ids = [message for message, _, _ in messages]
    with slow_answers(stack, milliseconds=200):
        stack.send_all("inbound", messages)
        eventually("the middle of the traffic", lambda: some_done(stack, tag, len(ids) // 4))
        assert some_done(stack, tag, len(ids)) is None

        stack.kill("host")

    outcomes = over(stack, ids)
    assert outcomes.keys() <= {"applied", "merged", "echo"}, outcomes
    assert last_change(stack, tag) == expected(tag)
    now = stack.quiet()
    assert now["conserved"]
    assert now["unexplained"] == 0
    pairs = stack.kept(
        "SELECT row_id, count(*) AS records FROM crosswalk WHERE legacy_id LIKE ? GROUP BY row_id", f"{tag}-%"
    )
    assert [pair["records"] for pair in pairs] == [1] * RECORDS


def test_a_host_killed_between_the_write_and_the_commit_writes_once(stack: Stack, tag: str) -> None:
    body = company(tag, 1, phone="1")
    with slow_answers(stack):
        message = stack.send("inbound", body, session=session_of(body))
        eventually("the row", lambda: stack.row_of(f"allegory:company:{tag}-C1", "accounts"))
        assert stack.kept("SELECT outcome FROM message WHERE message_id = ?", message) == [{"outcome": None}]

        stack.kill("host")

    stack.outcome(message, "applied", "merged", "echo")
    assert last_change(stack, tag) == [(f"Company {tag}-C1", "1", None)]
    later = edit(body, 1, phone="2", city="Ulm")
    stack.outcome(stack.send("inbound", later, session=session_of(body)), "applied")
    assert last_change(stack, tag) == [(f"Company {tag}-C1", "2", "Ulm")]


@contextmanager
def slow_answers(stack: Stack, milliseconds: int = 10_000) -> Iterator[None]:
    """Let Dataverse do what it is asked at once, and say so much later."""
    latency = f"{stack.endpoints['dataverse']['http']}/admin/latency"
    httpx.put(latency, json={"write_ms": milliseconds}).raise_for_status()
    try:
        yield
    finally:
        httpx.put(latency, json={"write_ms": 0}).raise_for_status()


@contextmanager
def frozen(stack: Stack, name: str) -> Iterator[None]:
    """Let a part stand still for a moment."""
    pid = stack.part(name)["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Sender(threading.Thread):
    """A sender that goes on whatever happens, and knows which messages the broker took."""

    def __init__(self, stack: Stack, messages: list[tuple[str, str, dict[str, Any]]]) -> None:
        super().__init__(daemon=True)
        self.taken: list[str] = []
        self.in_the_middle = threading.Event()
        self.go_on = threading.Event()
        self._stack = stack
        self._messages = messages

    def run(self) -> None:
        waiting = list(self._messages)
        while waiting:
            try:
                with (
                    ServiceBusClient.from_connection_string(self._stack.endpoints["servicebus"]) as client,
                    client.get_queue_sender("inbound") as sender,
                ):
                    while waiting:
                        message, session, body = waiting[0]
                        sender.send_messages(
                            ServiceBusMessage(json.dumps(body), message_id=message, session_id=session)
                        )
                        self.taken.append(message)
                        waiting.pop(0)
                        if len(self.taken) == len(self._messages) // 3:
                            self.in_the_middle.set()
                            self.go_on.wait()
            except ServiceBusError:
                continue


# The SDK leaves the sockets of a broken connection to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_broker_that_is_killed_in_the_middle_loses_nothing_it_took(stack: Stack, tag: str) -> None:
    messages = traffic(tag)
    sender = Sender(stack, messages)
    sender.start()
    assert sender.in_the_middle.wait(60)

    sender.go_on.set()
    stack.kill("broker")

    sender.join(timeout=60)
    assert not sender.is_alive()
    assert len(sender.taken) == len(messages)
    outcomes = over(stack, sender.taken)
    assert outcomes.keys() <= {"applied", "merged", "echo", "stale"}, outcomes
    assert last_change(stack, tag) == expected(tag)
    assert stack.quiet()["conserved"]
    gc.collect()


def test_what_waits_in_the_broker_outlives_it(stack: Stack, tag: str) -> None:
    """Taken while nobody reads, then killed: the file has it all."""
    messages: list[tuple[str, str | None, Any]] = [*traffic(tag)[: RECORDS * 2]]
    with frozen(stack, "host"):
        stack.send_all("inbound", messages)
        assert some_done(stack, tag, 1) is None
        stack.kill("broker")

    outcomes = over(stack, [message for message, _, _ in messages])

    assert outcomes.keys() <= {"applied", "merged"}, outcomes
    assert {phone for _, phone, _ in last_change(stack, tag)} == {"1"}


def test_scheduled_wakes_outlive_the_host_and_the_broker(stack: Stack, trouble: Trouble, tag: str) -> None:
    """A retry that is due while the parts are away comes about all the same."""
    trouble.dataverse(times=2, status=503, path=row_id(tag, 1))
    body = company(tag, 1)
    message = stack.send("inbound", body, session=session_of(body))
    eventually("a failure", lambda: stack.failure(message))

    stack.kill("broker")
    stack.kill("host")

    stack.outcome(message, "applied")


@pytest.mark.parametrize("part", ["dataverse", "crm", "vault", "identity", "desk", "telemetry"])
def test_any_other_part_that_dies_is_only_missed_for_a_while(stack: Stack, tag: str, part: str) -> None:
    body = company(tag, 1)
    with stack.allegory() as allegory:
        allegory.put(f"/companies/{tag}-C1", json=body["data"]).raise_for_status()

    stack.kill(part)

    record = stack.outcome(stack.send("inbound", body, session=session_of(body)), "applied", "echo")["record"]
    with stack.dataverse() as dataverse, stack.allegory() as allegory:
        dataverse.patch(f"accounts({record})", json={"telephone1": "after"}).raise_for_status()
        eventually(
            "the edit in Allegory",
            lambda: allegory.get(f"/companies/{tag}-C1").json().get("phone") == "after" or None,
        )
