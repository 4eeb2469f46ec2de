"""Replay: a person sends one message again, in its own place, with its own properties.

Nothing is copied. The message that is kept goes on from where it stands, so a second replay changes nothing.
"""

from dataclasses import dataclass
from typing import Protocol

from shared.core.gate import Gate
from shared.core.ports import Bus, Clock, Report
from shared.core.repair import Done, Repaired


class Repairs(Protocol):
    """What a person may do about one message."""

    async def replay(self, message_id: str, actor: str, *, number: int | None = None) -> Repaired:
        """Let a message go on now."""
        ...


@dataclass(frozen=True, slots=True)
class Replay:
    """Replays single messages."""

    repairs: Repairs
    gate: Gate
    bus: Bus
    clock: Clock

    async def message(self, message_id: str, actor: str) -> Report | None:
        """Replay one message; None when there is no such message, else what was done and where it stands.

        Raises Transient when its lane cannot be woken; it goes on by the timer then.
        """
        repaired = await self.repairs.replay(message_id, actor)
        if repaired.done is Done.UNKNOWN:
            return None
        outcome = repaired.outcome
        if repaired.done is Done.QUEUED and repaired.record and repaired.direction:
            await self.bus.wake(repaired.direction, repaired.record, self.clock.now())
        if repaired.done is Done.READMIT and repaired.message:
            receipt = await self.gate.receive(repaired.message)
            outcome = receipt.outcome if receipt else None
        return {
            "messageId": message_id,
            "done": repaired.done.value,
            "outcome": outcome.value if outcome else None,
            "record": str(repaired.record) if repaired.record else None,
        }
