"""Telemetry that tells nobody."""

from collections.abc import Mapping

from shared.connectors.telemetry.dimensions import admitted


class SilentTelemetry:
    """`Telemetry` into nothing; `strict` still objects to an undeclared dimension."""

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict

    def event(self, name: str, dimensions: Mapping[str, str], *, error: bool = False) -> None:  # noqa: ARG002  # the port's parameters
        """Check the dimensions and forget them."""
        admitted(dimensions, strict=self._strict)

    def flush(self, timeout: float) -> bool:  # noqa: ARG002  # the backend's parameter
        """Nothing waits."""
        return True

    def close(self) -> None:
        """Nothing to end."""
