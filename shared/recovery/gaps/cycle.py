"""One cycle of the gap detector over every table and entity, by one instance at a time.

A change is not a gap while its message may be on its way: it is remembered as a suspect, and only healed when
it is still missing after the grace period. What heals it passes the same gate as everything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared.core.change import Message
from shared.core.errors import SyncError, Transient
from shared.core.gap import Suspect
from shared.core.gate import Gate
from shared.core.ports import Bus, Clock, Jobs, Report, Telemetry
from shared.core.trace import carried_on

_JOB = "gaps"
_LEASE_SECONDS = 600.0
"""Longer than a look at one side takes; it is renewed before each."""

_LARGEST = 192 * 1024
"""Bytes of body that fit on the queue."""

_LONGEST_SESSION = 128
"""Characters of a session id that Service Bus takes."""


class Suspects(Protocol):
    """Where suspects and runs are kept."""

    async def notice(self, found: Suspect) -> bool:
        """Remember a suspect; False when it is known already."""
        ...

    async def due(self, system: str, entity: str, before: datetime) -> Sequence[Suspect]:
        """Suspects noticed before an instant."""
        ...

    async def heard(self, found: Suspect) -> bool:
        """Whether some message told of it."""
        ...

    async def awaited(self, record: UUID) -> bool:
        """Whether something that was told of a row waits to be decided: it may yet be made over there."""
        ...

    async def heal(self, found: Suspect) -> None:
        """Its message was sent."""
        ...

    async def forget(self, found: Suspect) -> None:
        """It was none."""
        ...

    async def paired(self, system: str, entity: str, after: str) -> Sequence[tuple[str, UUID]]:
        """The next paired records by id, with their rows."""
        ...

    async def ran(
        self, name: str, counts: tuple[int, int, int], *, whole: bool, stopped_by: str | None = None
    ) -> None:
        """Remember how a run went."""
        ...

    async def told(self) -> Report:
        """What people are told of it all."""
        ...


@dataclass(slots=True)
class Tally:
    """What one look at one side came to; `whole` says that it was seen to its end."""

    compared: int = 0
    noticed: int = 0
    healed: int = 0
    whole: bool = False


class Look(Protocol):
    """One table or entity to look at."""

    @property
    def name(self) -> str:
        """Its name, also of its watermark."""
        ...

    @property
    def place(self) -> tuple[str, str]:
        """The system and entity (or table) its suspects are of."""
        ...

    async def compare(self, tally: Tally) -> None:
        """Notice what no message told of since the last look."""
        ...

    async def missing(self, found: Suspect) -> tuple[Suspect, Message] | None:
        """What is still missing of a suspect now, and the message that tells it; None when nothing is."""
        ...


@dataclass(frozen=True, slots=True)
class GapDetector:
    """Looks at every side and heals what is missing. `owner` names this instance."""

    looks: Sequence[Look]
    suspects: Suspects
    jobs: Jobs
    bus: Bus
    gate: Gate
    clock: Clock
    telemetry: Telemetry
    grace: timedelta
    owner: str

    async def run(self) -> int:
        """One cycle; returns how many gaps were healed. A side out of reach is left for the next."""
        healed = 0
        for look in self.looks:
            if not await self.jobs.lease(_JOB, self.owner, _LEASE_SECONDS):
                break
            tally, stopped_by = Tally(), None
            try:
                await look.compare(tally)
                await self._heal(look, tally)
            except SyncError as error:
                stopped_by = error.code.value
                dimensions = {"job": look.name, "code": stopped_by}
                self.telemetry.event(
                    "tandem.gaps_stopped", dimensions, error=not isinstance(error, Transient)
                )
            counts = (tally.compared, tally.noticed, tally.healed)
            await self.suspects.ran(look.name, counts, whole=tally.whole, stopped_by=stopped_by)
            self._tell(look, tally)
            healed += tally.healed
        return healed

    async def told(self) -> Report:
        """What people are told: the last run per side, open suspects, and what was healed last."""
        return {**await self.suspects.told(), "grace_seconds": self.grace.total_seconds()}

    async def _heal(self, look: Look, tally: Tally) -> None:
        before = self.clock.now() - self.grace
        for found in await self.suspects.due(*look.place, before):
            left = None if await self.suspects.heard(found) else await look.missing(found)
            if left is None:
                await self.suspects.forget(found)
                continue
            now_missing, message = left
            if now_missing.message_id != found.message_id:
                # It changed again since: that change is a suspect of its own, with a grace of its own.
                await self.suspects.forget(found)
                tally.noticed += await self.suspects.notice(now_missing)
                continue
            await self._send(message)
            await self.suspects.heal(found)
            tally.healed += 1

    async def _send(self, message: Message) -> None:
        """Put a message on its queue; one that no queue takes goes through the gate at once."""
        message = carried_on(message)
        if len(message.session_id or "") <= _LONGEST_SESSION and len(message.body) <= _LARGEST:
            await self.bus.post(message)
        else:
            await self.gate.receive(message)

    def _tell(self, look: Look, tally: Tally) -> None:
        dimensions = {
            "job": look.name,
            "compared": str(tally.compared),
            "noticed": str(tally.noticed),
            "healed": str(tally.healed),
        }
        # A healed gap is a fault of somebody's: it must survive sampling.
        self.telemetry.event("tandem.gaps", dimensions, error=tally.healed > 0)
