"""Bad days of the far sides, on demand: what the switches of the local parts can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Trouble:
    """The fault switches of one stack's far sides."""

    endpoints: Mapping[str, Any]

    @property
    def _places(self) -> tuple[str, ...]:
        told = self.endpoints
        return (told["dataverse"]["http"], told["allegory"]["rest"], told["telemetry"], told["tickets"])

    def dataverse(self, **fault: Any) -> None:
        """See `local.dataverse.edge.faults`; `path` is a part of the path, so a row's GUID names one row."""
        self._arm(self.endpoints["dataverse"]["http"], fault)

    def allegory(self, **fault: Any) -> None:
        """See `local.loopback.faults`; `path` is the beginning of the path."""
        self._arm(self.endpoints["allegory"]["rest"], fault)

    def telemetry(self, **fault: Any) -> None:
        """As `allegory`, for the sink."""
        self._arm(self.endpoints["telemetry"], fault)

    def desk(self, **fault: Any) -> None:
        """As `allegory`, for the ticket desk."""
        self._arm(self.endpoints["tickets"], fault)

    def over(self) -> None:
        """The sun comes out."""
        for place in self._places:
            httpx.delete(f"{place}/admin/faults").raise_for_status()

    def _arm(self, place: str, fault: Mapping[str, Any]) -> None:
        httpx.post(f"{place}/admin/faults", json=fault).raise_for_status()
