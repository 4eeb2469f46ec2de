"""A queue with sessions: who receives from a session holds it alone, and gets its messages in order."""

from __future__ import annotations

from local.broker.entities.errors import InvalidArgument, NotAllowed, SessionLockLost
from local.broker.entities.message import Message, State
from local.broker.entities.ports import Receiver, SessionReceiver, World
from local.broker.entities.queue import MAX_ID_LENGTH, Queue
from local.broker.entities.session import Hold, Session, Sessions
from local.broker.entities.settings import QueueSettings
from local.broker.entities.waiting import Waiting


class SessionQueue(Queue):
    """A queue that requires sessions."""

    def __init__(self, path: str, settings: QueueSettings, world: World, dead_letters: Queue) -> None:
        super().__init__(path, settings, world, dead_letters)
        self._sessions = Sessions(lambda: Waiting(self.shelf.messages))

    def subscribe(self, receiver: Receiver) -> None:
        """Nobody receives here without a session."""
        del receiver
        raise NotAllowed("the queue requires sessions: receive from a session")

    def accept(self, session_id: str, receiver: SessionReceiver) -> Hold:
        """Lock a session by its id, whether it has messages or not. Raises SessionCannotBeLocked,
        NotAllowed.
        """
        if len(session_id) > MAX_ID_LENGTH:
            raise InvalidArgument(f"session id: at most {MAX_ID_LENGTH} characters")
        now = self._world.now()
        self._end_holds(self._sessions.expired(now))
        hold = self._sessions.accept(session_id, receiver, now + self.settings.lock_duration_ms)
        self._world.wake_at(hold.until)
        return hold

    def accept_next(self, receiver: SessionReceiver, wait_ms: int) -> None:
        """Grant the receiver the first free session, now or within the time; else it is evicted."""
        now = self._world.now()
        self._end_holds(self._sessions.expired(now))
        hold = self._sessions.accept_next(receiver, now + self.settings.lock_duration_ms)
        if hold is None:
            self._sessions.wait(receiver, now + wait_ms)
            self._world.wake_at(now + wait_ms)
        else:
            self._world.wake_at(hold.until)
            receiver.granted(hold)

    def withdraw(self, receiver: SessionReceiver) -> None:
        """The receiver no longer waits for a session."""
        self._sessions.leave(receiver)

    def pump_session(self, hold: Hold) -> None:
        """Deliver from a held session as long as its receiver has room."""
        while hold.session.hold is hold and self._world.now() < hold.until:
            message = self._head(hold.session.waiting)
            if message is None or hold.receiver.capacity() <= 0:
                return
            self._deliver(message, hold.session.waiting, hold.receiver, hold)

    def release(self, hold: Hold) -> None:
        """The receiver lets go of its session: what it had not settled comes back, in order.

        A lock that ran out counts as a failed delivery. A session that was closed does not, and neither does
        one whose client died: the service says so of the first two, the third is a lock that ends in time.
        """
        expired = self._world.now() >= hold.until
        if not self._sessions.end(hold):
            return
        for lock in list(hold.locks.values()):
            self._give_back(lock, failed=expired)
        # Only now: the next receiver must find everything back in its place.
        hold.session.hold = None
        self._offer_session(hold.session)
        self._sessions.forget(hold.session)

    def held(self, session_id: str, owner: object) -> Hold:
        """The hold of this owner on a session. Raises SessionLockLost."""
        return self._sessions.held(session_id, owner, self._world.now())

    def renew_session(self, session_id: str, owner: object) -> int:
        """Renew a session's lock; its new end (ms since 1970 UTC). Raises SessionLockLost."""
        hold = self.held(session_id, owner)
        self._sessions.renew(hold, self._world.now() + self.settings.lock_duration_ms)
        return hold.until

    def set_session_state(self, session_id: str, owner: object, state: bytes | None) -> None:
        """Keep, or clear, a session's state. Raises SessionLockLost."""
        session = self.held(session_id, owner).session
        self.restore_session_state(session.id, state, self._world.now())
        self._world.journal.session_state(self.path, session.id, state, session.updated_at)

    def session_ids(self, updated_after: int | None) -> list[str]:
        """The sessions with messages or a state; with a time, those whose state was set after it."""
        return [
            session.id
            for session in self._sessions
            if (session.messages or session.state is not None)
            if updated_after is None or session.updated_at > updated_after
        ]

    def restore_session_state(self, session_id: str, state: bytes | None, updated_at: int) -> None:
        """Take back a session's state that the store kept."""
        session = self._sessions.get(session_id)
        session.state, session.updated_at = state, updated_at

    def expire(self) -> None:
        """Do what has become due, for the sessions first."""
        now = self._world.now()
        self._end_holds(self._sessions.overdue(now))
        super().expire()
        self._sessions.give_up(now)

    def next_deadline(self) -> int | None:
        """When `expire` has something to do next (ms since 1970 UTC)."""
        ends = (super().next_deadline(), self._sessions.next_deadline())
        return min((end for end in ends if end is not None), default=None)

    def _end_holds(self, holds: list[Hold]) -> None:
        for hold in holds:
            hold.receiver.evict(SessionLockLost("the lock on the session has expired"))
            self.release(hold)

    def _arrange(self, message: Message) -> None:
        if message.state is not State.SCHEDULED:
            self._session_of(message).messages += 1
        super()._arrange(message)

    def _remove(self, message: Message) -> None:
        super()._remove(message)
        if message.state is not State.SCHEDULED:
            session = self._session_of(message)
            session.messages -= 1
            self._sessions.forget(session)

    def _offer(self, message: Message) -> None:
        if not message.waiting:
            return
        session = self._session_of(message)
        session.waiting.add(message)
        if session.hold is not None:
            self.pump_session(session.hold)
        elif session.waiting.head() is message:
            # Otherwise the session is on offer already, for an earlier message.
            self._offer_session(session)

    def _offer_session(self, session: Session) -> None:
        receiver = self._sessions.offer(session)
        if receiver is not None:
            self.accept_next(receiver, 0)

    def _session_of(self, message: Message) -> Session:
        return self._sessions.get(message.content.session_id or "")

    def _everybody(self) -> list[Receiver]:
        return [*self._sessions.everybody()]
