"""What the host is told: the app settings of local.settings.json and the host settings of host.json.

As with the real host, the environment wins over local.settings.json, and an app setting named
`AzureFunctionsJobHost__a__b` wins over `a.b` of host.json.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

_OVERRIDE = "AzureFunctionsJobHost__"
_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?")


class InvalidSettings(ValueError):
    """A settings file or a value in it cannot be used; the message names it."""


def timespan(text: str) -> timedelta:
    """A .NET TimeSpan, `[d.]hh:mm[:ss[.fffffff]]`. Raises InvalidSettings."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise InvalidSettings(f"{text!r}: not a time span such as 00:00:30")
    days, hours, minutes, seconds, fraction = match.groups(default="0")
    return timedelta(
        days=int(days),
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds),
        microseconds=int(fraction.ljust(7, "0")) // 10,
    )


@dataclass(frozen=True, slots=True)
class ServiceBusSettings:
    """`extensions.serviceBus` of host.json, with the extension's own defaults.

    A session is given up after `session_idle_timeout` without a message, so a host turns over at most
    `max_concurrent_sessions / session_idle_timeout` one-message sessions a second.
    """

    auto_complete_messages: bool = True
    max_concurrent_sessions: int = 8
    max_concurrent_calls: int = 16
    try_timeout: timedelta = timedelta(minutes=1)
    session_idle_timeout: timedelta = timedelta(minutes=1)
    max_auto_lock_renewal: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class HostSettings:
    """host.json as far as this host acts on it; `function_timeout` None is no limit."""

    route_prefix: str = "api"
    function_timeout: timedelta | None = timedelta(minutes=30)
    service_bus: ServiceBusSettings = field(default_factory=ServiceBusSettings)


def read_app_settings(path: Path | None) -> Mapping[str, str]:
    """The `Values` of a local.settings.json; none without a file. Raises InvalidSettings."""
    if path is None:
        return {}
    values = _json_object(path).get("Values", {})
    if not isinstance(values, dict):
        raise InvalidSettings(f"{path.name}: Values is an object")
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def _json_object(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as missing:
        raise InvalidSettings(f"{path.name}: {missing.strerror}") from missing
    except ValueError as invalid:
        raise InvalidSettings(f"{path.name}: not JSON") from invalid
    if not isinstance(read, dict):
        raise InvalidSettings(f"{path.name}: not a JSON object")
    return read


class HostFile:
    """host.json with the overrides of the app settings over it; names compare without case."""

    def __init__(self, content: Mapping[str, Any], app_settings: Mapping[str, str]) -> None:
        self._content = content
        self._overrides = {
            name[len(_OVERRIDE) :].lower(): value
            for name, value in app_settings.items()
            if name.lower().startswith(_OVERRIDE.lower())
        }

    def value(self, *path: str) -> Any:
        """The value at a path, or None."""
        override = self._overrides.get("__".join(path).lower())
        if override is not None:
            return override
        here: Any = self._content
        for name in path:
            if not isinstance(here, dict):
                return None
            here = next((value for key, value in here.items() if key.lower() == name.lower()), None)
        return here

    def text(self, *path: str, default: str) -> str:
        """The text at a path."""
        value = self.value(*path)
        return default if value is None else str(value)

    def span(self, *path: str, default: timedelta) -> timedelta:
        """The time span at a path. Raises InvalidSettings naming it."""
        value = self.value(*path)
        try:
            return default if value is None else timespan(str(value))
        except InvalidSettings as invalid:
            raise InvalidSettings(f"host.json {'.'.join(path)}: {invalid}") from invalid

    def number(self, *path: str, default: int) -> int:
        """The positive whole number at a path. Raises InvalidSettings naming it."""
        value = self.value(*path)
        if value is None:
            return default
        if isinstance(value, bool) or not str(value).isdigit() or int(value) < 1:
            raise InvalidSettings(f"host.json {'.'.join(path)}: a whole number above zero")
        return int(value)

    def flag(self, *path: str, default: bool) -> bool:
        """The truth value at a path."""
        value = self.value(*path)
        return default if value is None else str(value).lower() == "true"


def read_host_settings(app: Path, app_settings: Mapping[str, str]) -> HostSettings:
    """host.json of an app folder under the overrides. Raises InvalidSettings naming the value."""
    file = HostFile(_json_object(app / "host.json"), app_settings)
    bus = ("extensions", "serviceBus")
    default = ServiceBusSettings()
    try_timeout = file.span(*bus, "clientRetryOptions", "tryTimeout", default=default.try_timeout)
    timeout = file.text("functionTimeout", default="00:30:00")
    return HostSettings(
        route_prefix=file.text("extensions", "http", "routePrefix", default="api").strip("/"),
        function_timeout=None if timeout == "-1" else timespan(timeout),
        service_bus=ServiceBusSettings(
            auto_complete_messages=file.flag(
                *bus, "autoCompleteMessages", default=default.auto_complete_messages
            ),
            max_concurrent_sessions=file.number(
                *bus, "maxConcurrentSessions", default=default.max_concurrent_sessions
            ),
            max_concurrent_calls=file.number(
                *bus, "maxConcurrentCalls", default=default.max_concurrent_calls
            ),
            try_timeout=try_timeout,
            session_idle_timeout=file.span(*bus, "sessionIdleTimeout", default=try_timeout),
            max_auto_lock_renewal=file.span(
                *bus, "maxAutoLockRenewalDuration", default=default.max_auto_lock_renewal
            ),
        ),
    )


_PERCENT = re.compile(r"%([^%]+)%")


def resolve(text: str, app_settings: Mapping[str, str]) -> str:
    """`text` with every `%NAME%` replaced by that app setting. Raises InvalidSettings naming a missing."""

    def value(match: re.Match[str]) -> str:
        found = app_settings.get(match[1])
        if not found:
            raise InvalidSettings(f"'%{match[1]}%' does not resolve to a value")
        return found

    return _PERCENT.sub(value, text)


def is_disabled(function: str, app_settings: Mapping[str, str]) -> bool:
    """Whether `AzureWebJobs.<function>.Disabled` says so; `__` may stand for the dots, as Linux needs it."""
    names = (f"AzureWebJobs.{function}.Disabled", f"AzureWebJobs__{function}__Disabled")
    return any(app_settings.get(name, "").lower() in {"true", "1"} for name in names)


def connection_of(name: str, app_settings: Mapping[str, str]) -> str:
    """The connection string in an app setting, or in that name behind AzureWebJobs; or InvalidSettings."""
    for candidate in (name, f"AzureWebJobs{name}"):
        if app_settings.get(candidate):
            return app_settings[candidate]
    raise InvalidSettings(f"{name}: the app setting with the Service Bus connection string is missing")
