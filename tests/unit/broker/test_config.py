"""The emulator's configuration file, and the durations in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.broker.config import read_config
from local.broker.entities.errors import InvalidArgument
from local.broker.entities.settings import QueueSettings, duration_ms, duration_text

OURS = Path(__file__).parents[3] / "infra" / "servicebus" / "config.json"


def written(folder: Path, namespace: dict[str, Any], text: str = "{}") -> Path:
    path = folder / "config.json"
    document = {"UserConfig": {"Namespaces": [{"Name": "sbemulatorns"} | namespace]}}
    path.write_text(text.replace("{}", json.dumps(document), 1))
    return path


def test_our_own_configuration_has_two_session_queues() -> None:
    settings = QueueSettings(
        lock_duration_ms=60_000,
        max_delivery_count=10,
        default_ttl_ms=3_600_000,
        dead_letter_on_expiration=True,
        requires_session=True,
        duplicate_window_ms=20_000,
    )
    assert read_config(OURS) == {"inbound": settings, "outbound": settings}


def test_absent_properties_have_the_emulators_defaults(tmp_path: Path) -> None:
    assert read_config(written(tmp_path, {"Queues": [{"Name": "q"}]})) == {
        "q": QueueSettings(max_delivery_count=3, default_ttl_ms=3_600_000, duplicate_window_ms=20_000)
    }


def test_every_property_of_a_queue_counts(tmp_path: Path) -> None:
    properties = {
        "LockDuration": "PT5S",
        "MaxDeliveryCount": 4,
        "DefaultMessageTimeToLive": "PT5M",
        "DeadLetteringOnMessageExpiration": True,
        "RequiresSession": False,
        "RequiresDuplicateDetection": True,
        "DuplicateDetectionHistoryTimeWindow": "PT1M",
        "ForwardTo": "End",
        "ForwardDeadLetteredMessagesTo": "end",
    }
    queues = [{"Name": "q", "Properties": properties}, {"Name": "end"}]

    assert read_config(written(tmp_path, {"Queues": queues}))["q"] == QueueSettings(
        lock_duration_ms=5_000,
        max_delivery_count=4,
        default_ttl_ms=300_000,
        dead_letter_on_expiration=True,
        requires_session=False,
        requires_duplicate_detection=True,
        duplicate_window_ms=60_000,
        forward_to="End",
        forward_dead_letters_to="end",
    )


def test_comments_are_passed_over_but_not_inside_texts(tmp_path: Path) -> None:
    path = written(tmp_path, {"Queues": [{"Name": "a//b"}]}, "// first\n{} /* last\n */")
    assert list(read_config(path)) == ["a//b"]


@pytest.mark.parametrize(
    ("namespace", "reason"),
    [
        ({"Name": "mine"}, "UserConfig.Namespaces.0..Name: must be sbemulatorns"),
        ({"Topics": [{"Name": "t"}]}, "UserConfig.Namespaces.0..Topics: this broker has queues only"),
        ({"Queues": [{}]}, "config.json: not the emulator's format: KeyError 'Name'"),
    ],
)
def test_a_namespace_that_cannot_be_is_refused(
    tmp_path: Path, namespace: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidArgument, match=f"^{reason}$"):
        read_config(written(tmp_path, namespace))


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"LockDuration": "PT1S"}, "LockDuration: 5 s to 300 s"),
        ({"LockDuration": "soon"}, "LockDuration: not an ISO 8601 duration of days and smaller"),
        ({"MaxDeliveryCount": 11}, "MaxDeliveryCount: 1 to 10"),
        ({"DefaultMessageTimeToLive": "PT2H"}, "DefaultMessageTimeToLive: 300 s to 3600 s"),
        ({"RequiresSession": "yes"}, "RequiresSession: true or false"),
        ({"ForwardTo": "other"}, "ForwardTo: no queue of that name"),
        (
            {"ForwardDeadLetteredMessagesTo": "other"},
            "ForwardDeadLetteredMessagesTo: no queue of that name",
        ),
        (
            {"ForwardTo": "q", "RequiresSession": True},
            "ForwardTo: a queue that requires sessions does not forward",
        ),
    ],
)
def test_a_property_the_emulator_would_refuse_is_refused(
    tmp_path: Path, properties: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidArgument, match=f"^{reason}$"):
        read_config(written(tmp_path, {"Queues": [{"Name": "q", "Properties": properties}]}))


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"^config.json: not the emulator's format"):
        read_config(written(tmp_path, {}, "no json"))


@given(st.integers(0, 922_337_203_685_476))
def test_a_duration_goes_there_and_back(milliseconds: int) -> None:
    assert abs(duration_ms("x", duration_text(milliseconds)) - milliseconds) <= milliseconds >> 50


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "PT0S"),
        (30_000, "PT30S"),
        (600_000, "PT10M"),
        (86_400_000, "P1D"),
        (90_061_250, "P1DT1H1M1.25S"),
        (922_337_203_685_477, "P10675199DT2H48M5.4775807S"),
    ],
)
def test_a_duration_is_written_as_the_service_writes_it(milliseconds: int, text: str) -> None:
    assert duration_text(milliseconds) == text
