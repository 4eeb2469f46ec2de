"""Links on which a client receives: from a queue, or from one of its sessions."""

from typing import Any
from uuid import uuid4

from local.broker.amqp.composites import Accepted, Modified, Rejected, Released
from local.broker.amqp.values import Symbol
from local.broker.engine.link import Attaching, OutgoingLink
from local.broker.entities.errors import NotImplementedHere, Refusal
from local.broker.entities.message import Lock, Message
from local.broker.entities.queue import Queue
from local.broker.entities.session import Hold
from local.broker.entities.session_queue import SessionQueue
from local.broker.service.intake import rejected
from local.broker.service.trouble import Trouble
from local.broker.service.wire import render, ticks

SESSION_FILTER = Symbol("com.microsoft:session-filter")
LOCKED_UNTIL = Symbol("com.microsoft:locked-until-utc")

_SETTLED_MODE = 1


def settle(queue: Queue, lock: Lock, state: Any) -> Any:
    """Do what a receiver decided, and say what was done. Raises Refusal."""
    if isinstance(state, Accepted):
        queue.complete(lock)
    elif isinstance(state, Rejected):
        queue.dead_letter(lock, _known(state.error.info if state.error else None))
        return Rejected()
    elif isinstance(state, Modified) and state.undeliverable_here:
        queue.defer(lock, _known(state.message_annotations))
        return Modified(delivery_failed=True, undeliverable_here=True)
    elif isinstance(state, Modified):
        queue.abandon(lock, _known(state.message_annotations))
        return Modified(delivery_failed=True, undeliverable_here=False)
    elif state is None or isinstance(state, Released):
        queue.give_back(lock)
        return Released()
    else:
        raise NotImplementedHere("an outcome this broker does not know; there are no transactions")
    return state


def _known(changes: dict[Any, Any] | None) -> dict[Any, Any]:
    return {key: value for key, value in (changes or {}).items() if value is not None}


class Outlet:
    """Feeds a link from a queue without sessions."""

    def __init__(self, queue: Queue, attaching: Attaching, trouble: Trouble) -> None:
        self.queue = queue
        self.deletes = attaching.frame.snd_settle_mode == _SETTLED_MODE
        self._attaching = attaching
        self._trouble = trouble
        self._link: OutgoingLink | None = None

    def attach(self) -> None:
        """Start to receive. Raises Refusal."""
        self.queue.subscribe(self)
        self._link = self._attaching.accept_outgoing(self)

    def capacity(self) -> int:
        """How many messages the client would take now."""
        return self._link.capacity() if self._link is not None else 0

    def deliver(self, message: Message, lock: Lock | None) -> None:
        """Send one message."""
        if self._link is None:
            raise RuntimeError("a message was delivered before the link was there")
        tag = (uuid4() if lock is None else lock.token).bytes_le
        self._link.send(render(message, lock), tag, lock)

    def evict(self, reason: Refusal) -> None:
        """The queue ends the reception."""
        if self._link is None:
            self._attaching.refuse(reason.condition, reason.description)
        else:
            self._link.detach(reason.condition, reason.description)

    def credited(self) -> None:
        """The client has room."""
        self.queue.pump()

    def settled(self, item: Any, outcome: Any) -> Any:
        """The client decided about a message; None when the answer is lost with the link."""
        try:
            if self._link is not None and self._trouble.strikes(self.queue.path, "settle", self._link):
                return None
            return settle(self.queue, item, outcome)
        except Refusal as no:
            return rejected(no.condition, no.description)

    def closed(self) -> None:
        """The link is gone."""
        self.queue.unsubscribe(self)


class SessionOutlet(Outlet):
    """Feeds a link from one session, which it holds as long as it lives."""

    queue: SessionQueue

    def __init__(self, queue: SessionQueue, attaching: Attaching, trouble: Trouble) -> None:
        super().__init__(queue, attaching, trouble)
        self._hold: Hold | None = None

    @property
    def owner(self) -> object:
        """The connection: its `$management` link speaks for the session, no other."""
        return self._attaching.session.connection

    def accept(self, session_id: str) -> None:
        """Take one session. Raises Refusal."""
        self.granted(self.queue.accept(session_id, self))

    def accept_next(self, wait_ms: int) -> None:
        """Take the first session that is free within the time. Raises Refusal."""
        self._attaching.on_gone = self._gone
        self.queue.accept_next(self, wait_ms)

    def granted(self, hold: Hold) -> None:
        """There is a session: only now the client gets its answer."""
        self._hold = hold
        self._link = self._attaching.accept_outgoing(
            self,
            properties={LOCKED_UNTIL: ticks(hold.until)},
            filters={SESSION_FILTER: hold.session.id},
        )

    def credited(self) -> None:
        """The client has room."""
        if self._hold is not None:
            self.queue.pump_session(self._hold)

    def closed(self) -> None:
        """The link is gone, and the session free."""
        if self._hold is not None:
            self.queue.release(self._hold)

    def _gone(self) -> None:
        self.queue.withdraw(self)
