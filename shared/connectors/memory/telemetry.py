"""`Telemetry` that remembers."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.connectors.telemetry.dimensions import admitted


@dataclass(frozen=True, slots=True)
class Told:
    """One event as it was told."""

    name: str
    dimensions: Mapping[str, str]
    error: bool


class MemoryTelemetry:
    """A twin of the telemetry; always strict: an undeclared dimension raises UndeclaredDimension."""

    def __init__(self) -> None:
        self.told: list[Told] = []

    def event(self, name: str, dimensions: Mapping[str, str], *, error: bool = False) -> None:
        """Remember one event."""
        self.told.append(Told(name, admitted(dimensions, strict=True), error))

    def of(self, name: str) -> list[Mapping[str, str]]:
        """The dimensions of every event of that name, in order."""
        return [told.dimensions for told in self.told if told.name == name]
