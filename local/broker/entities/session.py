"""The sessions of one queue: who holds which, what waits in each, and who gets the next."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from uuid import UUID

from local.broker.entities.errors import AcceptTimeout, SessionCannotBeLocked, SessionLockLost
from local.broker.entities.message import Lock
from local.broker.entities.ports import SessionReceiver
from local.broker.entities.waiting import Waiting

# An expired lock settles nothing and can be taken at once. But its holder's link, if nobody else wants the
# session, is only cut this much later (ms): the service is not exact to the millisecond, and its clients rely
# on that.
GRACE_MS = 1_000


class Hold:
    """One receiver's lock on one session, and the message locks under it. `until` is ms since 1970 UTC."""

    __slots__ = ("locks", "receiver", "session", "until")

    def __init__(self, session: Session, receiver: SessionReceiver, until: int) -> None:
        self.session = session
        self.receiver = receiver
        self.until = until
        self.locks: dict[UUID, Lock] = {}


class Session:
    """One session. It lives while it has messages, a state or a holder."""

    __slots__ = ("hold", "id", "messages", "state", "updated_at", "waiting")

    def __init__(self, session_id: str, waiting: Waiting) -> None:
        self.id = session_id
        self.waiting = waiting
        self.hold: Hold | None = None
        self.messages = 0
        self.state: bytes | None = None
        self.updated_at = 0


def _entry(session: Session) -> tuple[int, str] | None:
    """The session's place among the free ones; None while it is held or has nothing to give."""
    head = None if session.hold is not None else session.waiting.head()
    return None if head is None else (head.sequence, session.id)


class Sessions:
    """All sessions of a queue."""

    def __init__(self, new_waiting: Callable[[], Waiting]) -> None:
        self._new_waiting = new_waiting
        self._sessions: dict[str, Session] = {}
        # (lowest waiting sequence number, id) of free sessions; entries that are out of date are seen
        # through.
        self._free: list[tuple[int, str]] = []
        self._holds: OrderedDict[Hold, None] = OrderedDict()
        # Who waits for any session, oldest first, and until when.
        self._accepting: OrderedDict[SessionReceiver, int] = OrderedDict()

    def __iter__(self) -> Iterator[Session]:
        return iter(self._sessions.values())

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, session_id: str) -> Session:
        """The session of that id, made if need be; `forget` it again if it stays empty."""
        session = self._sessions.get(session_id)
        if session is None:
            session = self._sessions[session_id] = Session(session_id, self._new_waiting())
        return session

    def forget(self, session: Session) -> None:
        """Drop the session if nothing keeps it."""
        if session.hold is None and session.messages == 0 and session.state is None:
            self._sessions.pop(session.id, None)

    def held(self, session_id: str, owner: object, now: int) -> Hold:
        """The owner's live hold on a session. Raises SessionLockLost."""
        session = self._sessions.get(session_id)
        hold = session.hold if session else None
        if hold is None or hold.receiver.owner is not owner or now >= hold.until:
            raise SessionLockLost("the lock on the session is not held by this connection")
        return hold

    def accept(self, session_id: str, receiver: SessionReceiver, until: int) -> Hold:
        """Lock one session for a receiver. Raises SessionCannotBeLocked while another has it."""
        session = self.get(session_id)
        if session.hold is not None:
            raise SessionCannotBeLocked("the session is held by another receiver")
        return self._lock(session, receiver, until)

    def accept_next(self, receiver: SessionReceiver, until: int) -> Hold | None:
        """Lock the free session with the lowest waiting sequence number, if there is one."""
        session = self._next_free()
        return None if session is None else self._lock(session, receiver, until)

    def wait(self, receiver: SessionReceiver, deadline: int) -> None:
        """Get in line for the next free session."""
        self._accepting[receiver] = deadline

    def leave(self, receiver: SessionReceiver) -> None:
        """Out of the line."""
        self._accepting.pop(receiver, None)

    def offer(self, session: Session) -> SessionReceiver | None:
        """A session may have become free: whose turn is it?"""
        entry = _entry(session)
        if entry is None:
            return None
        heappush(self._free, entry)
        if len(self._free) > 2 * len(self._sessions) + 64:
            self._free = [entry for session in self if (entry := _entry(session)) is not None]
            heapify(self._free)
        if not self._accepting:
            return None
        receiver, _ = self._accepting.popitem(last=False)
        return receiver

    def _next_free(self) -> Session | None:
        while self._free:
            entry = heappop(self._free)
            session = self._sessions.get(entry[1])
            now = None if session is None else _entry(session)
            if now == entry:
                return session
            if now is not None:
                # Its first message expired: it moves back to where its next one puts it.
                heappush(self._free, now)
        return None

    def _lock(self, session: Session, receiver: SessionReceiver, until: int) -> Hold:
        hold = Hold(session, receiver, until)
        session.hold = hold
        self._holds[hold] = None
        return hold

    def renew(self, hold: Hold, until: int) -> None:
        """Move the end of a lock; all locks of a queue last equally long, so the renewed one ends last."""
        hold.until = until
        self._holds.move_to_end(hold)

    def end(self, hold: Hold) -> bool:
        """A hold counts no more; False when that was so before. The session is freed once it is in order
        again.
        """
        if hold not in self._holds:
            return False
        del self._holds[hold]
        hold.until = 0
        return True

    def expired(self, now: int) -> list[Hold]:
        """The holds whose time is over."""
        over = []
        for hold in self._holds:
            if hold.until > now:
                break
            over.append(hold)
        return over

    def overdue(self, now: int) -> list[Hold]:
        """The holds to end now: at once when somebody waits for a session, else after a moment of grace."""
        return self.expired(now if self._accepting else now - GRACE_MS)

    def give_up(self, now: int) -> None:
        """Tell those who waited too long that there is no session for them."""
        for receiver in [receiver for receiver, deadline in self._accepting.items() if deadline <= now]:
            del self._accepting[receiver]
            receiver.evict(AcceptTimeout("no session became available in time"))

    def everybody(self) -> list[SessionReceiver]:
        """Everybody who holds a session or waits for one."""
        return [hold.receiver for hold in self._holds] + list(self._accepting)

    def next_deadline(self) -> int | None:
        """The earliest end of a lock or of a wait (ms since 1970 UTC)."""
        ends = list(self._accepting.values())
        if self._holds:
            ends.append(next(iter(self._holds)).until + (0 if self._accepting else GRACE_MS))
        return min(ends, default=None)
