"""What an exporter and a reader may rely on in the local telemetry sink."""

import gzip
import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.loopback.server import LoopbackServer
from local.telemetry import start
from tests.ready import said_when_ready

ROOT = Path(__file__).parents[3]


@pytest.fixture
def sink() -> Iterator[LoopbackServer]:
    with start() as server:
        yield server


@pytest.fixture
def client(sink: LoopbackServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sink.url, timeout=60) as client:
        yield client


def envelope(kind: str = "MessageData", message_id: str = "m-1") -> dict[str, Any]:
    return {
        "name": "Microsoft.ApplicationInsights.Message",
        "time": "2026-03-01T10:00:00Z",
        "iKey": "0",
        "tags": {"ai.operation.id": "0af7651916cd43dd8448eb211c80319c"},
        "data": {
            "baseType": kind,
            "baseData": {"ver": 2, "message": "hello", "properties": {"message_id": message_id}},
        },
    }


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in 60 s"
        pause.wait(0.02)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (json.dumps([envelope(), envelope()]).encode(), {}),
        ("\n".join(json.dumps(envelope()) for _ in range(2)).encode(), {}),
        (gzip.compress(json.dumps([envelope(), envelope()]).encode()), {"Content-Encoding": "gzip"}),
    ],
    ids=["array", "lines", "gzip"],
)
@pytest.mark.parametrize("path", ["/v2/track", "/v2.1/track"])
def test_items_are_accepted_in_every_shape_an_exporter_sends(
    client: httpx.Client, path: str, body: bytes, headers: dict[str, str]
) -> None:
    answer = client.post(path, content=body, headers=headers)

    assert (answer.status_code, answer.json()) == (
        200,
        {"itemsReceived": 2, "itemsAccepted": 2, "errors": []},
    )
    assert client.get("/items").json()["count"] == 2


def test_a_kept_item_is_shown_with_its_properties(client: httpx.Client) -> None:
    client.post("/v2.1/track", json=[envelope()])

    (shown,) = client.get("/items").json()["items"]

    received_at = shown.pop("received_at")
    assert received_at.endswith("+00:00")
    assert shown == {
        "id": 1,
        "type": "MessageData",
        "time": "2026-03-01T10:00:00Z",
        "operation_id": "0af7651916cd43dd8448eb211c80319c",
        "properties": {"message_id": "m-1"},
        "data": {"ver": 2, "message": "hello", "properties": {"message_id": "m-1"}},
    }


def test_items_are_found_by_type_message_and_time(client: httpx.Client) -> None:
    client.post("/v2.1/track", json=[envelope(), envelope("EventData", "m-2"), envelope("EventData", "m-3")])

    def ids(**query: str) -> list[int]:
        return [item["id"] for item in client.get("/items", params=query).json()["items"]]

    assert ids(type="Event") == ids(type="EventData") == [2, 3]
    assert ids(message_id="m-3") == [3]
    assert ids(type="Event", message_id="m-1") == []
    assert ids(since="2020-01-01T00:00:00Z") == [1, 2, 3]
    assert ids(since="2999-01-01T00:00:00Z") == []
    assert client.get("/items", params={"since": "noon"}).status_code == 400


def test_a_malformed_item_is_named_and_the_others_are_kept(client: httpx.Client) -> None:
    answer = client.post("/v2.1/track", json=[{"name": "x", "time": "t"}, envelope()])

    assert (answer.status_code, answer.json()) == (
        206,
        {
            "itemsReceived": 2,
            "itemsAccepted": 1,
            "errors": [{"index": 0, "statusCode": 400, "message": "baseType: missing"}],
        },
    )
    assert client.post("/v2.1/track", content=b"{nonsense").status_code == 400


def test_forgetting_leaves_nothing(client: httpx.Client) -> None:
    client.post("/v2.1/track", json=[envelope()])

    assert client.delete("/items").json() == {"forgotten": 1}
    assert client.get("/items").json() == {"count": 0, "items": []}


def test_armed_faults_strike_the_next_requests_only(client: httpx.Client) -> None:
    client.post("/admin/faults", json={"kind": "status", "status": 500, "count": 1})
    client.post("/admin/faults", json={"kind": "hang", "seconds": 0, "count": 1})
    client.post("/admin/faults", json={"kind": "lost_answer", "count": 1})

    assert client.post("/v2.1/track", json=[envelope()]).status_code == 500
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/v2.1/track", json=[envelope()])
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/v2.1/track", json=[envelope(message_id="done")])

    assert [item["properties"]["message_id"] for item in client.get("/items").json()["items"]] == ["done"]
    assert client.get("/admin/faults").json() == {"faults": []}


def test_an_unknown_fault_is_refused_by_name(client: httpx.Client) -> None:
    answer = client.post("/admin/faults", json={"kind": "status", "sort": "bad"})

    assert (answer.status_code, answer.json()) == (422, {"error": "sort: unknown"})


@pytest.mark.filterwarnings("ignore:.*getdefaultlocale.*:DeprecationWarning")
def test_the_real_exporter_is_served(
    sink: LoopbackServer, client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
    from opencensus.ext.azure.log_exporter import AzureLogHandler  # noqa: PLC0415  # warns when imported

    class Handler(AzureLogHandler):  # type: ignore[misc]  # opencensus carries no types
        def createLock(self) -> None:  # noqa: N802  # logging's name; the base leaves it None, which 3.13 trips over
            logging.Handler.createLock(self)

    connection = f"InstrumentationKey=11111111-1111-1111-1111-111111111111;IngestionEndpoint={sink.url}/"
    handler = Handler(connection_string=connection, export_interval=0.1, storage_path=str(tmp_path))
    logger = logging.getLogger("sink-under-test")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        logger.warning("a record was %s", "applied", extra={"custom_dimensions": {"message_id": "m-9"}})
        until(lambda: client.get("/items", params={"message_id": "m-9"}).json()["count"] == 1)
    finally:
        logger.removeHandler(handler)
        handler.close()

    (item,) = client.get("/items", params={"message_id": "m-9"}).json()["items"]
    assert (item["type"], item["data"]["message"]) == ("MessageData", "a record was applied")


def test_the_process_keeps_its_items_and_ends_cleanly_when_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.telemetry", "--port", "0", "--store", str(tmp_path / "t.db")]
    for kept in (0, 1):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            base = said_when_ready(process, r"telemetry: listening on (http://127\.0\.0\.1:\d+)")[1]
            assert httpx.get(f"{base}/health").status_code == 200
            assert httpx.get(f"{base}/items").json()["count"] == kept
            httpx.post(f"{base}/v2.1/track", json=[envelope()])
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert said == "telemetry: stopped\n"
