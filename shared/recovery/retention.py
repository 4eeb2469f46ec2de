"""Retention: what need not be kept is forgotten, once a day, by one instance.

Bodies hold personal data and go first; the metadata that history needs stays longer. What is still open or
failing is never touched.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared.core.ports import Clock, Jobs, Telemetry

_JOB = "purge"
_LEASE_SECONDS = 3600.0


class Purged(Protocol):
    """How much was forgotten."""

    @property
    def bodies(self) -> int:
        """Messages that lost their body."""
        ...

    @property
    def messages(self) -> int:
        """Messages that went altogether."""
        ...


class Keeper(Protocol):
    """Whoever keeps messages."""

    async def purge(self, *, bodies_before: datetime, messages_before: datetime) -> Purged:
        """Forget bodies received before the first instant and messages received before the second."""
        ...


@dataclass(frozen=True, slots=True)
class Retention:
    """Forgets finished messages when their time is over."""

    keeper: Keeper
    jobs: Jobs
    clock: Clock
    telemetry: Telemetry
    owner: str
    bodies_for: timedelta
    messages_for: timedelta

    async def run(self) -> None:
        """Purge what is older than it may be."""
        if not await self.jobs.lease(_JOB, self.owner, _LEASE_SECONDS):
            return
        now = self.clock.now()
        purged = await self.keeper.purge(
            bodies_before=now - self.bodies_for, messages_before=now - self.messages_for
        )
        self.telemetry.event(
            "tandem.purged", {"bodies": str(purged.bodies), "messages": str(purged.messages), "job": _JOB}
        )
