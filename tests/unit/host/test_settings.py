from datetime import timedelta
from pathlib import Path

import pytest

from local.host.settings import (
    HostSettings,
    InvalidSettings,
    ServiceBusSettings,
    connection_of,
    is_disabled,
    read_app_settings,
    read_host_settings,
    resolve,
    timespan,
)

HOST_JSON = """{
  "version": "2.0",
  "functionTimeout": "00:10:00",
  "extensions": {
    "http": { "routePrefix": "/" },
    "serviceBus": {
      "maxConcurrentSessions": 64,
      "sessionIdleTimeout": "00:00:00.25",
      "MaxAutoLockRenewalDuration": "00:30:00"
    }
  }
}"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "host.json").write_text(HOST_JSON)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("00:00:02", timedelta(seconds=2)),
        ("00:00:00.25", timedelta(milliseconds=250)),
        ("1.02:03:04.0000005", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("00:05", timedelta(minutes=5)),
    ],
)
def test_a_time_span_is_read_as_dotnet_writes_it(text: str, span: timedelta) -> None:
    assert timespan(text) == span


@pytest.mark.parametrize("text", ["", "2", "2s", "-00:00:01"])
def test_what_is_no_time_span_is_refused(text: str) -> None:
    with pytest.raises(InvalidSettings):
        timespan(text)


def test_host_json_is_read_with_the_extensions_defaults(app: Path) -> None:
    assert read_host_settings(app, {}) == HostSettings(
        route_prefix="",
        function_timeout=timedelta(minutes=10),
        service_bus=ServiceBusSettings(
            max_concurrent_sessions=64,
            session_idle_timeout=timedelta(milliseconds=250),
            max_auto_lock_renewal=timedelta(minutes=30),
        ),
    )


def test_an_idle_session_is_held_for_the_try_timeout_unless_told(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text(
        '{"extensions": {"serviceBus": {"clientRetryOptions": {"tryTimeout": "00:00:20"}}}}'
    )

    assert read_host_settings(tmp_path, {}).service_bus.session_idle_timeout == timedelta(seconds=20)


def test_app_settings_win_over_host_json_whatever_their_case(app: Path) -> None:
    settings = read_host_settings(
        app,
        {
            "AzureFunctionsJobHost__extensions__serviceBus__maxConcurrentSessions": "3",
            "azurefunctionsjobhost__Extensions__ServiceBus__AutoCompleteMessages": "False",
            "AzureFunctionsJobHost__functionTimeout": "-1",
        },
    )

    assert settings.service_bus.max_concurrent_sessions == 3
    assert settings.service_bus.auto_complete_messages is False
    assert settings.function_timeout is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("extensions__serviceBus__maxConcurrentSessions", "none"),
        ("extensions__serviceBus__maxConcurrentSessions", "0"),
        ("extensions__serviceBus__sessionIdleTimeout", "soon"),
    ],
)
def test_a_value_that_does_not_fit_is_named(app: Path, name: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=name.replace("__", ".")):
        read_host_settings(app, {f"AzureFunctionsJobHost__{name}": value})


def test_local_settings_are_texts(tmp_path: Path) -> None:
    file = tmp_path / "local.settings.json"
    file.write_text('\ufeff{"Values": {"A": "1", "B": 2, "C": true}}', encoding="utf-8")

    assert read_app_settings(file) == {"A": "1", "B": "2", "C": "true"}
    assert read_app_settings(None) == {}


@pytest.mark.parametrize("content", [None, "{", "[]", '{"Values": []}'])
def test_a_settings_file_that_cannot_be_read_is_named(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "local.settings.json"
    if content is not None:
        file.write_text(content)

    with pytest.raises(InvalidSettings, match=r"local\.settings\.json"):
        read_app_settings(file)


def test_percent_names_stand_for_app_settings() -> None:
    assert resolve("%Q%/$deadletterqueue", {"Q": "inbound"}) == "inbound/$deadletterqueue"
    for settings in ({}, {"Q": ""}):
        with pytest.raises(InvalidSettings, match="'%Q%' does not resolve to a value"):
            resolve("%Q%", settings)


def test_a_function_is_disabled_by_its_app_setting() -> None:
    assert is_disabled("tick", {"AzureWebJobs.tick.Disabled": "True"})
    assert is_disabled("tick", {"AzureWebJobs__tick__Disabled": "1"})
    assert not is_disabled("tick", {"AzureWebJobs.tick.Disabled": "false", "AzureWebJobs.tock.Disabled": "1"})


def test_a_connection_is_found_by_its_name_or_with_the_platforms_prefix() -> None:
    assert connection_of("ServiceBus", {"ServiceBus": "a", "AzureWebJobsServiceBus": "b"}) == "a"
    assert connection_of("ServiceBus", {"AzureWebJobsServiceBus": "b"}) == "b"
    with pytest.raises(InvalidSettings, match="ServiceBus: "):
        connection_of("ServiceBus", {})
