"""The retry timer: lanes whose time has come, and lanes whose wake was lost (E-13).

It writes nothing itself. It sends each lane a drain message in its own session, so that every write to a
record still happens under that record's session.
"""

from dataclasses import dataclass

from shared.core.change import Direction
from shared.core.ports import Bus, Clock, Lanes, Telemetry

_AT_ONCE = 500
"""Lanes woken in one run; the rest is due in the next."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Wakes lanes that could go on."""

    lanes: Lanes
    bus: Bus
    clock: Clock
    telemetry: Telemetry

    async def run(self) -> int:
        """Wake every lane that is due; returns how many. Raises Transient when the bus cannot be reached."""
        due = await self.lanes.due(_AT_ONCE)
        now = self.clock.now()
        for record in due:
            await self.bus.wake(Direction.INBOUND, record, now)
        if due:
            self.telemetry.event("tandem.retry", {"lanes": str(len(due))})
        return len(due)
