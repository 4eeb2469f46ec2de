"""The age alarm: what has waited very long for another record is a failure that people are told of (N-11).

It stays parked, so that it goes on by itself when what it waits for comes after all.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from shared.core.ports import Telemetry

_AT_ONCE = 200
"""Alarms raised in one run; the rest in the next."""


class Waits(Protocol):
    """Items that wait for other records."""

    async def overdue(self, longest: timedelta, limit: int) -> int:
        """Let items that have waited longer count as failures; returns how many were found."""
        ...


@dataclass(frozen=True, slots=True)
class Overdue:
    """Raises the alarm for items parked longer than `longest`."""

    waits: Waits
    telemetry: Telemetry
    longest: timedelta

    async def run(self) -> int:
        """Look once; returns how many new alarms there are."""
        found = await self.waits.overdue(self.longest, _AT_ONCE)
        if found:
            self.telemetry.event("tandem.never_came", {"lanes": str(found)}, error=True)
        return found
