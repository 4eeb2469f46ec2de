"""What everybody may rely on when they tell what happened (E-11)."""

import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from local.loopback.server import LoopbackServer
from local.telemetry import start
from shared.connectors.memory.telemetry import MemoryTelemetry
from shared.connectors.telemetry import Backend, telemetry_for
from shared.connectors.telemetry.console import ConsoleTelemetry
from shared.connectors.telemetry.dimensions import UndeclaredDimension
from shared.connectors.telemetry.insights import InsightsTelemetry
from shared.connectors.telemetry.silence import SilentTelemetry
from shared.core.ports import Telemetry
from shared.core.trace import traced

KEY = "InstrumentationKey=11111111-1111-1111-1111-111111111111"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SUCCESS = {
    "message_id": "m-1",
    "session_id": "allegory:company:C-1",
    "record": "11111111-2222-4333-8444-555555555555",
    "direction": "inbound",
    "map_version": "1",
    "outcome": "applied",
    "duration_ms": "12.5",
}
FAILURE = SUCCESS | {"message_id": "m-2", "outcome": "failed", "code": "target.refused"}

Shown = tuple[str, dict[str, str], bool]


class Observed(Protocol):
    @property
    def telemetry(self) -> Telemetry: ...

    def shown(self, count: int) -> list[Shown]:
        """What was told, once there are `count` events: name, dimensions, whether an error."""
        ...


class MemoryObserved:
    def __init__(self) -> None:
        self.telemetry = MemoryTelemetry()

    def shown(self, count: int) -> list[Shown]:
        return [(told.name, dict(told.dimensions), told.error) for told in self.telemetry.told]


class ConsoleObserved:
    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.telemetry = ConsoleTelemetry(self._stream, strict=True)

    def shown(self, count: int) -> list[Shown]:
        lines = [json.loads(line) for line in self._stream.getvalue().splitlines()]
        return [(line.pop("event"), line, line.pop("level") == "error") for line in lines]


class SinkObserved:
    def __init__(self, sink: LoopbackServer, folder: Path, **options: Any) -> None:
        self.sink = sink
        connection = f"{KEY};IngestionEndpoint={sink.url}/"
        self.telemetry = InsightsTelemetry(connection, storage=folder, **options)

    def items(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = httpx.get(f"{self.sink.url}/items").json()["items"]
        return listed

    def arm(self, **fault: object) -> None:
        httpx.post(f"{self.sink.url}/admin/faults", json=fault).raise_for_status()

    def shown(self, count: int) -> list[Shown]:
        until(lambda: len(self.items()) >= count)
        shown = []
        for item in self.items():
            told = {
                name: value
                for name, value in item["properties"].items()
                if name not in {"process", "module", "fileName", "lineNumber", "level"}
            }
            assert item["type"] == "MessageData"
            assert item["data"]["message"] == told["event"]
            shown.append((told.pop("event"), told, item["data"]["severityLevel"] == 3))
        return sorted(shown, key=lambda one: one[2])


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"


@pytest.fixture
def sink() -> Iterator[LoopbackServer]:
    with start() as running:
        yield running


@pytest.fixture
def at_sink(sink: LoopbackServer, tmp_path: Path) -> Iterator[SinkObserved]:
    observed = SinkObserved(sink, tmp_path, strict=True)
    yield observed
    httpx.delete(f"{sink.url}/admin/faults")
    observed.telemetry.close()


@pytest.fixture(params=["memory", "console", "opencensus"])
def observed(request: pytest.FixtureRequest) -> Observed:
    if request.param == "memory":
        return MemoryObserved()
    if request.param == "console":
        return ConsoleObserved()
    real: SinkObserved = request.getfixturevalue("at_sink")
    return real


def test_a_success_is_one_information_and_a_failure_is_one_error_with_everything_told(
    observed: Observed,
) -> None:
    observed.telemetry.event("tandem.outcome", SUCCESS)
    observed.telemetry.event("tandem.outcome", FAILURE, error=True)

    assert observed.shown(2) == [("tandem.outcome", SUCCESS, False), ("tandem.outcome", FAILURE, True)]


def test_a_dimension_nobody_declared_is_refused_by_name_and_nothing_is_told(observed: Observed) -> None:
    with pytest.raises(UndeclaredDimension, match=r"^customer_name$"):
        observed.telemetry.event("tandem.outcome", SUCCESS | {"customer_name": "Mrs Secret"})

    assert observed.shown(0) == []


def test_in_production_an_undeclared_dimension_is_left_out_and_counted(
    sink: LoopbackServer, tmp_path: Path
) -> None:
    observed = SinkObserved(sink, tmp_path)

    observed.telemetry.event("tandem.outcome", SUCCESS | {"customer_name": "Mrs Secret"})

    assert observed.shown(1) == [("tandem.outcome", SUCCESS | {"undeclared": "1"}, False)]
    observed.telemetry.close()


def test_flush_returns_when_everything_told_has_arrived(at_sink: SinkObserved) -> None:
    for number in range(50):
        at_sink.telemetry.event("tandem.outcome", SUCCESS | {"message_id": str(number)})

    assert at_sink.telemetry.flush(60)
    assert len(at_sink.items()) == 50


def test_an_event_told_within_an_operation_carries_its_trace(at_sink: SinkObserved) -> None:
    with traced(f"00-{TRACE}-b7ad6b7169203331-01"):
        at_sink.telemetry.event("tandem.outcome", SUCCESS)
    with traced("no trace at all"):
        at_sink.telemetry.event("tandem.retry", {"lanes": "1"})
    at_sink.telemetry.flush(60)

    by_name = {item["properties"]["event"]: item["operation_id"] for item in at_sink.items()}
    assert by_name == {"tandem.outcome": TRACE, "tandem.retry": "0" * 32}


def test_sampling_spares_errors_and_keeps_a_messages_events_together(
    sink: LoopbackServer, tmp_path: Path
) -> None:
    observed = SinkObserved(sink, tmp_path, information_rate=0.25)
    for number in range(200):
        for name in ("tandem.outcome", "tandem.retry"):
            observed.telemetry.event(name, {"message_id": f"m-{number}"})
        observed.telemetry.event("tandem.outcome", {"message_id": f"m-{number}"}, error=True)
    observed.telemetry.close()

    told: dict[str, list[int]] = {}
    errors = 0
    for item in observed.items():
        if item["data"]["severityLevel"] == 3:
            errors += 1
        else:
            told.setdefault(item["properties"]["message_id"], []).append(item["id"])
    assert errors == 200
    assert 20 <= len(told) <= 90
    assert {len(events) for events in told.values()} == {2}


def test_a_failing_far_side_costs_the_caller_nothing_and_the_errors_arrive_later(
    at_sink: SinkObserved,
) -> None:
    at_sink.arm(kind="status", status=503, count=2, method="POST")
    started = time.perf_counter()
    for number in range(20):
        at_sink.telemetry.event("tandem.outcome", FAILURE | {"message_id": f"e-{number}"}, error=True)
    assert time.perf_counter() - started < 5

    def arrived() -> bool:
        # The exporter looks at what it put by whenever something else got through.
        at_sink.telemetry.event("tandem.unexpected", {"error": "x"}, error=True)
        at_sink.telemetry.flush(5)
        told = {item["properties"].get("message_id") for item in at_sink.items()}
        return {f"e-{number}" for number in range(20)} <= told

    until(arrived)


def test_a_hanging_far_side_slows_nobody_and_ends_in_bounded_time(
    sink: LoopbackServer, tmp_path: Path
) -> None:
    observed = SinkObserved(sink, tmp_path)
    observed.arm(kind="hang", seconds=2, count=1000, method="POST")

    started = time.perf_counter()
    for _ in range(30_000):
        observed.telemetry.event("tandem.outcome", SUCCESS)
    told = time.perf_counter() - started
    flushed = observed.telemetry.flush(0.2)
    observed.telemetry.close()

    assert told < 60
    assert flushed is False
    assert time.perf_counter() - started < 90


@pytest.mark.parametrize(
    ("backend", "connection", "kind"),
    [
        ("none", f"{KEY};IngestionEndpoint=http://127.0.0.1:1/", SilentTelemetry),
        ("opencensus", "", SilentTelemetry),
        ("console", "", ConsoleTelemetry),
        ("opencensus", "not a connection string", ConsoleTelemetry),
    ],
)
def test_the_backend_is_the_one_asked_for_and_a_bad_connection_does_not_stop_the_app(
    backend: str, connection: str, kind: type[Backend]
) -> None:
    telemetry = telemetry_for(backend, connection)

    telemetry.event("tandem.outcome", SUCCESS)
    assert isinstance(telemetry, kind)
    assert telemetry.flush(1)
    telemetry.close()


def test_a_backend_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="opencensus, console or none"):
        telemetry_for("carrier pigeon")


def test_a_stream_that_fails_harms_nobody() -> None:
    class Broken(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    telemetry = ConsoleTelemetry(Broken())

    telemetry.event("tandem.outcome", SUCCESS)
    assert telemetry.flush(1) is False
