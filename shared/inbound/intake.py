"""The HTTP door's half of intake: check first, then put the message on the same queue as everybody else's.

Both doors have one contract (E-15): what is posted here becomes the message a sender could have put on the
bus.
"""

from dataclasses import dataclass

from shared.core.change import Direction, Drain, Json, Message
from shared.core.codes import Code
from shared.core.conflict import TOLD
from shared.core.envelope import session_for
from shared.core.errors import BODY_CHANGED, Fault, InvalidMessage
from shared.core.gap import HEALED
from shared.core.gate import Gate
from shared.core.ports import Bus, StoreUnavailable
from shared.core.trace import carried_on, correlation_of
from shared.core.verdict import Receipt

SENDER_PROPERTY = "tandem-sender"
"""The application property that carries the caller the HTTP door authenticated."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes posted bodies in."""

    gate: Gate
    bus: Bus
    queue: str

    def may_use(self, message_id: str) -> bool:
        """Whether a sender may call its message so: not by the ids that Tandem's own messages will have."""
        feeds = (f"{name}-feed-" for name in self.gate.systems)
        return not message_id.lower().startswith((TOLD, HEALED, *feeds))

    async def submit(self, message_id: str, body: bytes, sender: str) -> Receipt | None:
        """Queue a body; None when it was queued, the receipt of its rejection otherwise.

        Raises Transient when the queue cannot be reached; nothing is kept then, and the sender repeats.
        """
        application: dict[str, Json] = {SENDER_PROPERTY: sender}
        message = carried_on(
            Message(
                id=message_id,
                queue=self.queue,
                session_id=session_for(body),
                body=body,
                sender=sender,
                properties={"contentType": "application/json"},
                application_properties=application,
            )
        )
        try:
            self._examine(message)
            await self._compare(message)
        except InvalidMessage as refusal:
            return await self.gate.refuse(message, refusal)
        await self.bus.post(message)
        self._tell(message)
        return None

    def _tell(self, message: Message) -> None:
        dimensions = {
            "message_id": message.id,
            "session_id": message.session_id or "",
            **correlation_of(message),
        }
        self.gate.telemetry.event("tandem.queued", dimensions)

    async def _compare(self, message: Message) -> None:
        """Refuse another body under a used id here, where its sender still listens."""
        try:
            used = await self.gate.inbox.is_other_body(message)
        except StoreUnavailable:
            # The queue takes it meanwhile, and the gate compares it when it comes out.
            return
        if used:
            raise InvalidMessage(BODY_CHANGED)

    def _examine(self, message: Message) -> None:
        said = self.gate.examine(message)
        if isinstance(said, Drain) or said.direction is not Direction.INBOUND:
            raise InvalidMessage(Fault("/source", Code.UNKNOWN_SYSTEM, "a registered legacy system"))
