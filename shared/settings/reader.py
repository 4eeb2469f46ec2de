"""How one setting is read: typed, with its default, every fault collected before any is raised."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

_CONTAINERS = {"az", "abfs", "abfss"}
_BY_KEY = {"sharedaccesskeyname", "sharedaccesskey"}
_BY_SIGNATURE = "sharedaccesssignature"

_LONGEST_S = 1_000_000_000
_LONGEST_DAYS = 10_000
"""More than thirty years is a slip of the pen, and no length of time to reckon with."""


class InvalidSettings(Exception):
    """The environment cannot run the app; the text lists every fault."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: name, what it is for, a safe value for the sample, and its default (None: required)."""

    name: str
    purpose: str
    sample: str
    default: str | None = None


class Reader:
    """Reads settings from an environment and collects every fault before it gives up."""

    def __init__(self, env: Mapping[str, str], known: Iterable[Setting]) -> None:
        self._env = env
        self._known = {setting.name: setting for setting in known}
        self._faults: list[str] = []

    def text(self, name: str) -> str:
        """The value, or its default; a missing one without a default is a fault."""
        value = self._env.get(name, "").strip() or self._known[name].default
        if value is None:
            self._faults.append(f"{name} is required: {self._known[name].purpose.rstrip('.')}")
            return ""
        if value.startswith("@Microsoft.KeyVault("):
            self._faults.append(f"{name} is a key vault reference the platform did not resolve")
        return value

    def address(self, name: str) -> str:
        """The address of a service."""
        value = self.text(name)
        if value and not _is_address(value):
            self._faults.append(f"{name} must be an address such as https://host or http://host:8080")
        return value

    def service_bus(self, name: str) -> str:
        """The connection string of a Service Bus namespace; a fault tells its rule and no key."""
        value = self.text(name)
        if value and not _is_service_bus(value):
            self._faults.append(
                f"{name} must be a connection string of the form "
                "Endpoint=sb://host/;SharedAccessKeyName=name;SharedAccessKey=key"
            )
        return value

    def place(self, name: str) -> str:
        """Where files lie: a folder, or a container of blobs."""
        value = self.text(name)
        if value and not _is_place(value):
            self._faults.append(f"{name} must be a folder, or a container such as az://exports")
        return value

    def optional(self, name: str) -> str | None:
        """The value of a variable that is not ours, if it is set."""
        return self._env.get(name) or None

    def seconds(self, name: str) -> timedelta:
        """A number of seconds above 0, of thirty years at most."""
        value = self._checked(name, float, "a number of seconds above 0", _LONGEST_S)
        return timedelta(seconds=value or 1)

    def days(self, name: str) -> timedelta:
        """A whole number of days above 0, of thirty years at most."""
        value = self._checked(name, int, "a whole number of days above 0", _LONGEST_DAYS)
        return timedelta(days=value or 1)

    def number(self, name: str) -> int:
        """A whole number above 0."""
        return self._checked(name, int, "a whole number above 0") or 1

    def names(self, name: str) -> frozenset[str]:
        """Names between commas, in one letter case."""
        parts = (part.strip().lower() for part in self.text(name).split(","))
        return frozenset(part for part in parts if part)

    def waits(self, name: str) -> str:
        """Entries of the form system/entity=seconds, as they stand."""
        value = self.text(name)
        for entry in filter(str.strip, value.split(",")):
            entity, _, seconds = entry.partition("=")
            if entity.count("/") != 1 or not re.fullmatch(r"\d{1,9}(\.\d+)?", seconds.strip()):
                self._faults.append(f"{name} must be entries of the form system/entity=seconds")
        return value

    def routes(self, name: str, choices: set[str] | None = None) -> str:
        """Entries of the form who=what, as they stand; what is one of the `choices`, where there are any."""
        value = self.text(name)
        entries = [entry.partition("=") for entry in value.split(",") if entry.strip()]
        if not all(who.strip() and what.strip() for who, _, what in entries):
            self._faults.append(f"{name} must be entries of the form who=what")
        elif choices and any(what.strip() not in choices for _, _, what in entries):
            self._faults.append(f"{name} must say one of {', '.join(sorted(choices))}")
        return value

    def one_of(self, name: str, choices: set[str]) -> str:
        """One of a few words."""
        value = self.text(name)
        if value not in choices:
            self._faults.append(f"{name} must be one of {', '.join(sorted(choices))}")
        return value

    def require_one(self, *names: str) -> None:
        """Note a fault where none of these is set."""
        if not any(self._env.get(name, "").strip() for name in names):
            self._faults.append(f"one of {', '.join(names)} is required")

    def fault(self, text: str) -> None:
        """Note what is wrong with more than one setting's value."""
        self._faults.append(text)

    def sound(self, settings: T) -> T:
        """The settings, when all is well; raises InvalidSettings with every fault."""
        if self._faults:
            raise InvalidSettings("; ".join(self._faults))
        return settings

    def _checked(
        self, name: str, convert: Callable[[str], Any], expected: str, most: float = float("inf")
    ) -> Any:
        try:
            value = convert(self.text(name))
        except ValueError:
            value = 0
        if not 0 < value <= most:
            self._faults.append(f"{name} must be {expected}")
            return None
        return value


def _is_address(value: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in (schemes or ("http", "https")) and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_service_bus(value: str) -> bool:
    """Whether the SDK will take it: the host too reads it, and says less of what is wrong."""
    entries = [entry.partition("=") for entry in value.rstrip(";").split(";")]
    said = {name.strip().lower(): word.strip() for name, _, word in entries}
    given = {name for name, word in said.items() if word}
    by_key, by_signature = given & _BY_KEY == _BY_KEY, _BY_SIGNATURE in given
    one_of_both = by_key != by_signature and bool(given & _BY_KEY) == by_key
    return (
        all(equals for _, equals, _ in entries)
        and one_of_both
        and _is_address(said.get("endpoint", ""), "sb")
    )


def _is_place(value: str) -> bool:
    scheme, separator, rest = value.partition("://")
    if not separator:
        # A chain of file systems is written with two colons, and is no folder either.
        return "::" not in value
    return bool(rest.strip("/")) and (scheme == "file" or scheme in _CONTAINERS)
