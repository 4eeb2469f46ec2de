"""`Bus` without a broker: what was put is kept in order for whoever takes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from shared.connectors.memory.trouble import Trouble
from shared.core import envelope
from shared.core.change import Direction, Message
from shared.core.ports import Clock
from shared.core.seal import Seal
from shared.core.trace import carried_on


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on its queue, not to be seen before `at`."""

    at: datetime
    message: Message


class MemoryBus:
    """A twin of the queues; `sent` is everything ever put, `trouble` arranges failures."""

    def __init__(
        self,
        queues: Mapping[Direction, str],
        clock: Clock,
        *,
        new_id: Callable[[], UUID] = uuid4,
        seal: Seal | None = None,
    ) -> None:
        self._queues = dict(queues)
        self._clock = clock
        self._new_id = new_id
        self._seal = seal
        self.sent: list[Sent] = []
        self.trouble = Trouble()

    async def wake(self, direction: Direction, record: UUID, at: datetime) -> None:
        """Put a drain message for the lane of `record`, visible from `at`."""
        self.trouble.strike()
        message = carried_on(envelope.drain(record, self._new_id(), self._queues[direction]))
        message = self._seal.on(message) if self._seal else message
        self.sent.append(Sent(max(at, self._clock.now()), message))

    async def post(self, message: Message) -> None:
        """Put a message, visible now."""
        self.trouble.strike()
        self.sent.append(Sent(self._clock.now(), message))

    def visible(self, queue: str) -> list[Message]:
        """What a receiver of `queue` would see now, in the order it became visible."""
        now = self._clock.now()
        due = [sent for sent in self.sent if sent.message.queue == queue and sent.at <= now]
        return [sent.message for sent in sorted(due, key=lambda sent: sent.at)]
