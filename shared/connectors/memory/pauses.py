"""The pauses of identities, in memory."""

from datetime import UTC, datetime

from shared.core.pauses import FURTHEST
from shared.core.ports import Clock


class MemoryPauses:
    """`Pauses` of one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, datetime] = {}

    async def extend(self, identity: str, until: datetime) -> None:
        """See `Pauses.extend`."""
        kept = self._until.get(identity)
        if kept is None or kept < until or kept > self._clock.now() + FURTHEST:
            self._until[identity] = until.astimezone(UTC)

    async def until(self, identity: str) -> datetime | None:
        """See `Pauses.until`."""
        return self._until.get(identity)
