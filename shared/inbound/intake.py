"""The HTTP door's half of intake: check first, then put the message on the same queue as everybody else's.

Both doors have one contract (E-15): what is posted here becomes the message a sender could have put on the
bus.
"""

from dataclasses import dataclass

from shared.core.change import Json, Message
from shared.core.envelope import session_for
from shared.core.errors import InvalidMessage
from shared.core.gate import Gate
from shared.core.ports import Bus
from shared.core.verdict import Receipt

SENDER_PROPERTY = "tandem-sender"
"""The application property that carries the caller the HTTP door authenticated."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes posted bodies in."""

    gate: Gate
    bus: Bus
    queue: str

    async def submit(self, message_id: str, body: bytes, sender: str) -> Receipt | None:
        """Queue a body; None when it was queued, the receipt of its rejection otherwise.

        Raises Transient when the queue cannot be reached; nothing is kept then, and the sender repeats.
        """
        application: dict[str, Json] = {SENDER_PROPERTY: sender}
        message = Message(
            id=message_id,
            queue=self.queue,
            session_id=session_for(body),
            body=body,
            sender=sender,
            properties={"contentType": "application/json"},
            application_properties=application,
        )
        try:
            self.gate.examine(message)
        except InvalidMessage:
            return await self.gate.receive(message)
        await self.bus.post(message)
        return None
