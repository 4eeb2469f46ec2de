"""What an app relies on from the host: the same from both engines."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from azure.servicebus import ServiceBusMessage

from local.broker.server import Broker
from tests.contract.host.conftest import ROOT, RunningHost, until

Run = Callable[..., Any]
Sender = Callable[..., None]

NOWHERE = "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true;"


@pytest.fixture(params=["direct", "official"])
def start(request: pytest.FixtureRequest, run_host: Run) -> Run:
    """Starts the app with every kind of trigger; without a broker unless one is given."""

    def started(broker: Broker | None = None, arguments: tuple[str, ...] = (), **settings: str) -> Any:
        return run_host(
            arguments=("--engine", request.param, *arguments),
            **{
                "SESSIONS": "s",
                "SCHEDULE": "0 0 3 1 1 *",
                "AzureWebJobs.off.Disabled": "true",
                "ServiceBus": NOWHERE if broker is None else broker.connection_string,
                **settings,
            },
        )

    return started


def work(session: str, **body: Any) -> ServiceBusMessage:
    return ServiceBusMessage(json.dumps(body), session_id=session)


def bodies(host: RunningHost, event: str, **fields: Any) -> list[dict[str, Any]]:
    return [json.loads(each["body"]) for each in host.notes("sessions", event=event, **fields)]


def test_an_http_function_gets_the_request_and_its_answer_gets_out(start: Run) -> None:
    with start() as host:
        answer = httpx.post(
            f"{host.url}/api/items/5/x?a=1&a=2&b=", content="Grüße", headers={"x-sent": "yes"}
        )

        assert answer.json() == {
            "method": "POST",
            "path": "api/items/5/x?a=1&a=2&b=",
            "route": {"id": "5", "part": "x"},
            "params": {"a": "1,2", "b": ""},
            "header": "yes",
            "body": "Grüße",
        }
        assert (answer.status_code, answer.headers["content-type"], answer.headers["x-seen"]) == (
            201,
            "application/json",
            "yes",
        )


def test_routes_are_matched_as_written(start: Run) -> None:
    with start() as host:

        def status(path: str, method: str = "GET") -> int:
            return httpx.request(method, f"{host.url}/{path}").status_code

        assert httpx.get(f"{host.url}/api/items/latest").text == "the latest"
        assert httpx.get(f"{host.url}/api/items/7").json()["route"] == {"id": "7"}
        assert status("api/items/seven") == 404
        assert status("api/items/7", "DELETE") == 404
        assert status("items/7") == 404
        assert status("api/off") == 404
        rest = httpx.get(f"{host.url}/api/files/a/b c")
        assert (rest.text, rest.headers.get_list("set-cookie")) == (
            "rest a/b c",
            [
                "a=b; Path=/; HttpOnly",
                "c=d; Expires=Wed, 01 Jan 2031 00:00:00 GMT; Max-Age=60; Secure; SameSite=Strict",
            ],
        )


def test_a_failing_http_function_answers_500_and_tells_the_log(start: Run) -> None:
    with start() as host:
        answers = [httpx.get(f"{host.url}/api/{name}") for name in ("failing", "nothing")]

        assert [(answer.status_code, answer.content) for answer in answers] == [(500, b""), (500, b"")]
        assert "RuntimeError: boom" in host.log.read_text()


def test_a_body_sent_in_chunks_arrives_empty_as_in_azure(start: Run) -> None:
    with start() as host:
        answer = httpx.post(f"{host.url}/api/items/5", content=iter([b"one", b"two"]))

        assert answer.json()["body"] == ""


def test_the_status_names_every_function(start: Run) -> None:
    with start() as host:
        status = httpx.get(f"{host.url}/admin/host/status").json()

    shown = {each["name"]: (each["trigger"], each["disabled"]) for each in status["functions"]}
    assert status["state"] == "Running"
    assert shown == {
        "sessions": ("serviceBusTrigger", False),
        "plain": ("serviceBusTrigger", False),
        "dead": ("serviceBusTrigger", False),
        "item": ("httpTrigger", False),
        "latest": ("httpTrigger", False),
        "rest": ("httpTrigger", False),
        "failing": ("httpTrigger", False),
        "slow": ("httpTrigger", False),
        "nothing": ("httpTrigger", False),
        "off": ("httpTrigger", True),
        "tick": ("timerTrigger", False),
    }


def test_a_timer_runs_on_startup_by_hand_and_on_time(start: Run) -> None:
    with start() as host:
        until(lambda: len(host.notes("tick")) == 1)
        answer = httpx.post(f"{host.url}/admin/functions/tick", json={"input": ""})
        assert answer.status_code == 202
        until(lambda: len(host.notes("tick")) == 2)
        assert httpx.post(f"{host.url}/admin/functions/item", json={}).status_code == 400
        assert httpx.post(f"{host.url}/admin/functions/missing", json={}).status_code == 404
        note = host.notes("tick")[-1]

    assert {name: note[name] for name in ("past_due", "status", "schedule")} == {
        "past_due": False,
        "status": ["Last", "LastUpdated", "Next"],
        "schedule": {"AdjustForDST": True},
    }


def test_a_schedule_of_every_second_ticks(start: Run) -> None:
    with start(SCHEDULE="* * * * * *") as host:
        until(lambda: len(host.notes("tick")) >= 3)


def test_a_message_carries_what_the_cloud_would_send_and_nothing_else(
    start: Run, broker: Broker, send: Sender
) -> None:
    sent_at = datetime.now(UTC).replace(tzinfo=None)
    trace = "0af7651916cd43dd8448eb211c80319c"
    properties: Any = {"n": 1, "Diagnostic-Id": f"00-{trace}-b7ad6b7169203331-01"}
    with start(broker) as host:
        send(
            "s",
            ServiceBusMessage(
                "{}",
                session_id="r1",
                message_id="m1",
                content_type="application/json",
                correlation_id="c1",
                subject="change",
                time_to_live=timedelta(minutes=5),
                application_properties=properties,
            ),
        )
        (note,) = until(lambda: host.notes("sessions", event="start"))

    enqueued, enqueued_is_naive = note.pop("enqueued_time_utc")
    expires, expires_is_naive = note.pop("expires_at_utc")
    assert abs(datetime.fromisoformat(enqueued) - sent_at) < timedelta(seconds=10)
    assert datetime.fromisoformat(expires) - datetime.fromisoformat(enqueued) == timedelta(minutes=5)
    assert (enqueued_is_naive, expires_is_naive) == (True, True)
    assert note.pop("trace").startswith(f"00-{trace}-")
    del note["at"]
    assert note == {
        "function": "sessions",
        "event": "start",
        "body": "{}",
        "message_id": "m1",
        "session_id": "r1",
        "delivery_count": 1,
        "sequence_number": 1,
        "lock_token": True,
        "content_type": "application/json",
        "correlation_id": "c1",
        "subject": "change",
        "label": "change",
        "to": None,
        "reply_to": None,
        "reply_to_session_id": None,
        "partition_key": None,
        "transaction_partition_key": None,
        "dead_letter_source": None,
        "application_properties": properties,
        "user_properties": properties,
        "dead_letter_reason": None,
        "dead_letter_error_description": None,
        "locked_until": None,
        "enqueued_sequence_number": None,
        "scheduled_enqueue_time_utc": None,
        "state": None,
        "time_to_live": None,
    }


def test_sessions_are_in_order_one_at_a_time_and_as_many_as_allowed(
    start: Run, broker: Broker, send: Sender
) -> None:
    for number in range(6):
        for session in "abcd":
            send("s", work(session, n=number, sleep=0.02))
    with start(broker) as host:
        until(lambda: len(host.notes("sessions", event="end")) == 24)
        events = [*host.notes("sessions", event="start"), *host.notes("sessions", event="end")]
        order = {session: bodies(host, "start", session_id=session) for session in "abcd"}

    running: dict[str, int] = {}
    most = 0
    for each in sorted(events, key=lambda each: (each["at"], each["event"])):
        running[each["session_id"]] = running.get(each["session_id"], 0) + (
            1 if each["event"] == "start" else -1
        )
        assert running[each["session_id"]] in {0, 1}
        most = max(most, sum(running.values()))
    assert most == 2
    assert order == {session: [{"n": number, "sleep": 0.02} for number in range(6)] for session in "abcd"}


def test_a_poisoned_message_is_tried_again_at_once_then_buried_and_its_followers_go_on(
    start: Run, broker: Broker, send: Sender
) -> None:
    send("s", work("a", n=0), work("a", n=1, **{"raise": True}), work("a", n=2))
    with start(broker) as host:
        until(lambda: bodies(host, "end")[-1:] == [{"n": 2}])
        (dead,) = until(lambda: host.notes("dead"))
        order = [
            (json.loads(each["body"])["n"], each["delivery_count"])
            for each in host.notes("sessions", event="start")
        ]

    assert order == [(0, 1), (1, 1), (1, 2), (1, 3), (2, 1)]
    assert (dead["session_id"], dead["dead_letter_reason"]) == ("a", None)
    assert dead["application_properties"]["DeadLetterReason"] == "MaxDeliveryCountExceeded"


def test_plain_messages_are_served_too(start: Run, broker: Broker, send: Sender) -> None:
    with start(broker) as host:
        send("plain", *(ServiceBusMessage(str(number)) for number in range(5)))
        until(lambda: len(host.notes("plain")) == 5)

        assert sorted(note["body"] for note in host.notes("plain")) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("how", ["sleep", "block"])
def test_a_session_outlives_its_lock_while_its_function_runs(
    start: Run, broker: Broker, send: Sender, how: str
) -> None:
    # The lock is 2.5 s; a function that blocks its whole event loop must not stop the renewal either.
    send("s", work("a", n=0, **{how: 4}), work("a", n=1))
    with start(broker) as host:
        until(lambda: len(host.notes("sessions", event="end")) == 2)

        assert [each["delivery_count"] for each in host.notes("sessions", event="start")] == [1, 1]


def test_renewal_ends_with_its_limit_counted_from_acceptance(
    start: Run, broker: Broker, send: Sender
) -> None:
    setting = {"AzureFunctionsJobHost__extensions__serviceBus__maxAutoLockRenewalDuration": "00:00:01"}
    send("s", work("a", n=0, sleep=4))
    with start(broker, **setting) as host:
        until(lambda: len(host.notes("sessions", event="start", delivery_count=2)) == 1)


def test_a_stop_lets_a_running_call_finish_and_settles_it(start: Run, broker: Broker, send: Sender) -> None:
    # So many that the host is stopped within one of them, however long it takes to tell it.
    send("s", *(work("a", n=number, sleep=0.1) for number in range(400)))
    with start(broker) as host:
        until(lambda: host.notes("sessions", event="start"))

    ended = bodies(host, "end")
    assert ended == bodies(host, "start")
    assert broker.namespace.entry("s").queue.counts()["active"] == 400 - len(ended) > 0


@pytest.mark.parametrize("how", ["sleep", "block"])
def test_a_stop_does_not_wait_for_a_call_that_takes_long(
    start: Run, broker: Broker, send: Sender, how: str
) -> None:
    send("s", work("a", n=0, **{how: 60}))
    with start(broker) as host:
        until(lambda: host.notes("sessions", event="start"))

    assert bodies(host, "end") == []
    assert broker.namespace.entry("s").queue.counts()["active"] == 1


@pytest.mark.parametrize(("seconds", "finishes"), [("0.4", True), ("60", False)])
def test_a_stop_lets_a_request_finish_if_it_is_short(start: Run, seconds: str, *, finishes: bool) -> None:
    def get(url: str) -> str:
        try:
            return httpx.get(url, timeout=30).text
        except httpx.TransportError:
            return "cut"

    with ThreadPoolExecutor(1) as pool:
        with start() as host:
            answer = pool.submit(get, f"{host.url}/api/slow/{seconds}")
            until(lambda: host.notes("slow"))

        assert (answer.result() == "at last") is finishes


def test_a_broker_that_comes_back_is_received_from_again(start: Run, broker: Broker, send: Sender) -> None:
    with start(broker) as host:
        # The host's own connection is the only one as yet.
        cut(broker)
        until(lambda: "cannot be received from" in host.log.read_text())
        send("s", work("a", n=0))
        until(lambda: bodies(host, "end") == [{"n": 0}])


def cut(broker: Broker) -> None:
    """Cut every connection on the broker's own thread."""
    done = threading.Event()

    def drop() -> None:
        for connection in list(broker.connections):
            connection.drop()
        done.set()

    connections = until(lambda: list(broker.connections))
    connections[0]._loop.call_soon_threadsafe(drop)
    assert done.wait(60)


@pytest.mark.parametrize(
    ("app", "settings", "reason"),
    [
        ("two_apps", {}, "function_app.py: "),
        ("broken_import", {}, "function_app.py: "),
        ("everything", {"ServiceBus": NOWHERE, "SCHEDULE": "0 0 3 * * *"}, "'%SESSIONS%' does not resolve"),
        ("everything", {"SESSIONS": "s", "SCHEDULE": "0 0 3 * * *"}, "ServiceBus: the app setting"),
        ("everything", {"SESSIONS": "s", "ServiceBus": NOWHERE, "SCHEDULE": "never"}, "not an NCRONTAB"),
        ("no_host_json", {}, "host.json: "),
    ],
)
@pytest.mark.parametrize("engine", ["direct", "official"])
def test_an_app_that_cannot_run_ends_the_host_with_a_reason(
    run_host: Run, app: str, settings: dict[str, str], reason: str, engine: str
) -> None:
    with (
        pytest.raises(AssertionError, match="host: ") as ended,
        run_host(app, arguments=("--engine", engine), **settings),
    ):
        pass

    assert reason in str(ended.value)


def test_sessions_of_one_message_are_turned_over_by_the_dozen_with_our_own_settings(
    start: Run, broker: Broker, send: Sender
) -> None:
    ours = json.loads((ROOT / "host.json").read_text())["extensions"]["serviceBus"]
    settings = {
        f"AzureFunctionsJobHost__extensions__serviceBus__{name}": str(ours[name])
        for name in ("maxConcurrentSessions", "sessionIdleTimeout")
    }
    for first in range(0, 1000, 100):
        send("s", *(work(f"r{number}", n=number) for number in range(first, first + 100)))
    with start(broker, **settings) as host:
        until(lambda: len(host.notes("sessions", event="end")) == 1000, 60)
        ends = sorted(each["at"] for each in host.notes("sessions", event="end"))

    # The best fifty in a row, in four times what a free machine takes: what else it does must not decide.
    assert min(later - sooner for sooner, later in zip(ends, ends[50:], strict=False)) <= 1
    assert broker.namespace.entry("s").queue.counts()["active"] == 0


def test_a_function_that_fails_on_dead_letters_does_not_spin(
    start: Run, broker: Broker, send: Sender
) -> None:
    # Nothing ends the deliveries of a dead-letter queue, so only a pause keeps the machine free.
    send("s", work("a", n=0, **{"raise": True}))
    with start(broker, FAIL_DEAD="yes") as host:
        until(lambda: len(host.notes("dead")) >= 8)
        first, *_, last = notes = host.notes("dead")[:8]

    # Two slots, which wait 0.1, 0.2 and 0.4 seconds.
    assert last["at"] - first["at"] >= 0.5
    assert [note["delivery_count"] for note in notes] == [4, 5, 6, 7, 8, 9, 10, 11]
