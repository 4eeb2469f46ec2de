"""A link on which a client sends to a queue."""

from typing import Any
from uuid import uuid4

from local.broker.amqp.composites import Accepted, AmqpError, Rejected
from local.broker.amqp.sections import Content, parse, split_batch, timestamp
from local.broker.amqp.values import Malformed
from local.broker.engine.link import MAX_MESSAGE_SIZE, Delivery
from local.broker.entities.errors import MessageTooLarge, Refusal
from local.broker.entities.queue import Queue
from local.broker.service.trouble import Trouble

# The message format of several messages in one transfer.
BATCH_FORMAT = 0x80013700

SCHEDULED_FOR = "x-opt-scheduled-enqueue-time"


def rejected(condition: str, description: str) -> Rejected:
    """The outcome that says no."""
    return Rejected(AmqpError(condition, description))


class Intake:
    """Puts what comes into the queue, and answers only once it is there."""

    def __init__(self, queue: Queue, trouble: Trouble) -> None:
        self._queue = queue
        self._trouble = trouble

    def receive(self, delivery: Delivery) -> None:
        """Take a message, or all messages of a batch or none."""
        try:
            if self._trouble.strikes(self._queue.path, "send", delivery.link):
                return
            outcome = self._take(delivery)
        except Refusal as no:
            outcome = rejected(no.condition, no.description)
        except Malformed as wrong:
            outcome = rejected("amqp:decode-error", str(wrong))
        delivery.settle(outcome)

    def closed(self) -> None:
        """Nothing is held for a sender."""

    def _take(self, delivery: Delivery) -> Any:
        if len(delivery.payload) > MAX_MESSAGE_SIZE:
            raise MessageTooLarge(f"a message may have {MAX_MESSAGE_SIZE} bytes")
        batch = delivery.message_format == BATCH_FORMAT
        payloads = split_batch(delivery.payload) if batch else [delivery.payload]
        contents = [checked(self._queue, payload) for payload in payloads]
        for content, scheduled_for in contents:
            self._queue.send(content, scheduled_for)
        return Accepted()


def checked(queue: Queue, payload: bytes) -> tuple[Content, int | None]:
    """A message the queue would take, and when it is to be enqueued. Raises Malformed, Refusal."""
    content = parse(payload, uuid4())
    queue.check(content)
    return content, timestamp(content.annotations, SCHEDULED_FOR)
