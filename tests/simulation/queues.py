"""The two session queues between the systems and the workers, and how they misbehave."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from shared.connectors.memory.bus import MemoryBus
from shared.core.change import Direction, Message
from shared.core.errors import Unavailable
from tests.simulation.scheduler import SeededLoop
from tests.simulation.story import Story
from tests.simulation.weather import Fault, Weather

LOCK_SECONDS = 30.0

DELIVERIES = 2
"""After so many that were given back the broker gives up on a message, and only its dead letters have it.

Far fewer than a queue of Service Bus has, so that it happens. Lost locks are not counted.
"""


@dataclass(slots=True)
class Session:
    """One session: what waits in it, and who has its lock (0: nobody)."""

    waiting: list[Message] = field(default_factory=list)
    lock: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """A message under a lock."""

    message: Message
    session: Session
    lock: int


@dataclass(slots=True)
class Queues:
    """`Bus` for the app, and a broker for senders and workers."""

    loop: SeededLoop
    weather: Weather
    story: Story
    bus: MemoryBus
    sessions: dict[tuple[str, str | None], Session] = field(default_factory=dict)
    put: set[tuple[str, str, bytes]] = field(default_factory=set)
    coming: int = 0
    positions: int = 0
    locks: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    dead: list[Message] = field(default_factory=list)
    died: asyncio.Event = field(default_factory=asyncio.Event)

    async def wake(self, direction: Direction, record: UUID, at: datetime) -> None:
        self._may_fail()
        await self.bus.wake(direction, record, at)
        sent = self.bus.sent.pop()
        self._deliver(sent.message, max(0.0, (sent.at - self.loop.now()).total_seconds()))

    async def post(self, message: Message) -> None:
        self._may_fail()
        await self.bus.post(message)
        self.send(self.bus.sent.pop().message)

    def send(self, message: Message) -> None:
        """Take a message from a sender: it arrives, sooner or later, perhaps twice."""
        self.put.add((message.queue, message.id, message.body))
        copies = 2 if self.weather.strikes(Fault.DUPLICATE) else 1
        for _ in range(copies):
            self._deliver(message, 0.0)

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way or waits."""
        waiting = any(session.waiting for session in self.sessions.values())
        return not (self.coming or waiting or self.dead)

    async def take(self) -> Taken:
        """The first message of a session that nobody has; waits for one."""
        while True:
            free = [found for found in self.sessions.values() if found.waiting and not found.lock]
            if free:
                return self._lock(self.weather.chance.choice(free))
            self.arrived.clear()
            await self.arrived.wait()

    async def take_dead(self) -> Message:
        """A message that the broker gave up on; waits for one."""
        while not self.dead:
            self.died.clear()
            await self.died.wait()
        return self.dead[0]

    def complete(self, taken: Taken) -> None:
        """The message is done with, if its lock still holds."""
        if taken.session.lock == taken.lock:
            taken.session.waiting.remove(taken.message)
            self._unlock(taken)

    def abandon(self, taken: Taken) -> None:
        """The message comes again, unless it has come too often."""
        if taken.session.lock != taken.lock:
            return
        if taken.message.delivery_count < DELIVERIES:
            self._again(taken)
        else:
            taken.session.waiting.remove(taken.message)
            self.story.tell(f"the broker gives up on {taken.message.id}")
            self.dead.append(taken.message)
            self.died.set()
        self._unlock(taken)

    def _may_fail(self) -> None:
        if self.weather.strikes(Fault.NO_WAKE):
            raise Unavailable("the queue is out of reach")

    def _deliver(self, message: Message, delay: float) -> None:
        chance, is_now = self.weather.chance, delay == 0.0
        delay += 0.02 + chance.random() * 0.1
        if self.weather.strikes(Fault.REORDER):
            delay += chance.random() * 5
        if self.weather.strikes(Fault.DELAY):
            delay += 10 + chance.random() * 80
        # What is sent for later is a wake: the lane itself tells that it waits.
        counts = int(is_now)
        self.coming += counts
        self.loop.call_later(delay, self._arrive, message, counts)

    def _arrive(self, message: Message, counts: int) -> None:
        self.coming -= counts
        self.positions += 1
        session = self.sessions.setdefault((message.queue, message.session_id), Session())
        session.waiting.append(replace(message, position=self.positions))
        self.arrived.set()

    def _lock(self, session: Session) -> Taken:
        self.locks += 1
        session.lock = self.locks
        taken = Taken(session.waiting[0], session, self.locks)
        lost = self.weather.strikes(Fault.LOCK_LOST)
        seconds = self.weather.chance.random() if lost else LOCK_SECONDS
        self.loop.call_later(seconds, self._expire, taken, lost)
        return taken

    def _expire(self, taken: Taken, lost: bool) -> None:  # noqa: FBT001  # a timer's argument
        """A lock that is lost lets another worker in; the host renews the others for as long as it lives."""
        if taken.session.lock == taken.lock and (lost or taken.lock in self._dead):
            self._again(taken)
            self._unlock(taken)
        elif taken.session.lock == taken.lock:
            self.loop.call_later(LOCK_SECONDS, self._expire, taken, lost)

    def forsake(self, taken: Taken) -> None:
        """Whoever had the lock is dead."""
        self._dead.add(taken.lock)

    def _again(self, taken: Taken) -> None:
        at = taken.session.waiting.index(taken.message)
        count = taken.message.delivery_count + 1
        taken.session.waiting[at] = replace(taken.message, delivery_count=count)

    def _unlock(self, taken: Taken) -> None:
        taken.session.lock = 0
        self.arrived.set()

    _dead: set[int] = field(default_factory=set)
