import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from local.host.function import SERVICE_BUS, Function, UnsupportedFunction, function_of
from local.host.invocation import Datum, trace_parent
from local.host.servicebus.metadata import call_for
from local.host.servicebus.port import Message

AT = datetime(2026, 3, 1, 12, 0, 0, 120_000, tzinfo=UTC)


def message(**fields: Any) -> Message:
    return Message(
        **{
            "body": b"{}",
            "message_id": "m1",
            "sequence_number": 9_000_000_000,
            "delivery_count": 2,
            "enqueued_at": AT,
            "expires_at": datetime.max.replace(tzinfo=UTC),
            "locked_until": AT + timedelta(minutes=1),
            "lock_token": "t",
            "token": None,
            **fields,
        }
    )


def function(**trigger: Any) -> Function:
    return Function("f", {"type": SERVICE_BUS, "name": "message", **trigger})


def test_instants_are_sent_without_a_zone_and_absent_fields_empty() -> None:
    metadata = call_for(function(), message()).metadata

    assert metadata["EnqueuedTimeUtc"] == Datum("json", '"2026-03-01T12:00:00.120000"')
    assert metadata["ExpiresAtUtc"] == Datum("json", '"9999-12-31T23:59:59.999999"')
    assert metadata["SequenceNumber"] == Datum("json", "9000000000")
    assert metadata["CorrelationId"] is None
    assert "LockedUntil" not in metadata


def test_properties_pass_through_json() -> None:
    properties = {"id": UUID(int=1), "at": AT, "raw": b"\x00\x01", "n": 1, "none": None}

    sent = call_for(function(), message(application_properties=properties)).metadata["ApplicationProperties"]

    assert sent is not None
    assert json.loads(sent.value) == {
        "id": "00000000-0000-0000-0000-000000000001",
        "at": "2026-03-01T12:00:00.120000Z",
        "raw": "AAE=",
        "n": 1,
        "none": None,
    }


@pytest.mark.parametrize(
    ("trigger", "datum"),
    [({}, Datum("string", "a\ufffd")), ({"dataType": "binary"}, Datum("bytes", b"a\xff"))],
)
def test_a_body_is_text_unless_the_trigger_asks_for_bytes(trigger: dict[str, str], datum: Datum) -> None:
    assert call_for(function(**trigger), message(body=b"a\xff")).data == datum


def test_a_trace_goes_on_where_the_sender_left_it() -> None:
    inherited = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    assert trace_parent(inherited)[:36] == inherited[:36]
    assert trace_parent(inherited) != inherited
    for other in ("", "nonsense", "00-xyz-1-01"):
        assert trace_parent(other).split("-")[1] not in other or not other


@pytest.mark.parametrize(
    "bindings",
    [
        [{"type": "queueTrigger", "name": "q"}],
        [{"type": "timerTrigger", "name": "t"}, {"type": "serviceBus", "name": "out"}],
        [{"type": SERVICE_BUS, "name": "m", "cardinality": "many"}],
        [],
    ],
)
def test_a_function_that_is_not_served_here_is_refused_by_name(bindings: list[dict[str, str]]) -> None:
    with pytest.raises(UnsupportedFunction, match=r"^f: "):
        function_of("f", [json.dumps(binding) for binding in bindings])
