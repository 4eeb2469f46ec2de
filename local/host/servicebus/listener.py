"""Feeds a Service Bus function: receives, invokes, settles, as the extension of the real host does.

What order and loss depend on, and is therefore kept: a session stays with one slot until it was idle for
sessionIdleTimeout; its lock is renewed from its acceptance on, not from each message, and not beyond
maxAutoLockRenewalDuration; a failed message is abandoned at once and comes again first in its session;
what was done under a lost lock is not settled.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from local.host.function import Function
from local.host.invocation import Call, Completion
from local.host.servicebus.metadata import call_for
from local.host.servicebus.port import Bus, Disconnected, LockLost, Message, Receiver
from local.host.settings import ServiceBusSettings

_LOG = logging.getLogger("local.host")

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_SHORTEST_RENEWAL_S = 0.02
# How long a plain receiver waits before it asks again; only the stopping of the host ends a wait early.
_PLAIN_WAIT_S = 30.0

T = TypeVar("T")
Invoke = Callable[[Call], Awaitable[Completion]]


class Stopping(Exception):
    """The host is being stopped while nothing was in hand."""


class Listener:
    """One function on one queue: a number of slots, each of which has one message in hand at most."""

    def __init__(
        self, function: Function, path: str, bus: Bus, invoke: Invoke, settings: ServiceBusSettings
    ) -> None:
        self._function = function
        self._path = path
        self._bus = bus
        self._settings = settings
        self._invoke = invoke
        self._sessions = bool(function.trigger.get("isSessionsEnabled"))
        self._stopping = asyncio.Event()
        self._warned_at = float("-inf")
        completes = function.trigger.get("autoCompleteMessages")
        self._completes = settings.auto_complete_messages if completes is None else bool(completes)

    async def run(self) -> None:
        """Serve until stopped."""
        sessions, calls = self._settings.max_concurrent_sessions, self._settings.max_concurrent_calls
        async with asyncio.TaskGroup() as slots:
            for _ in range(sessions if self._sessions else calls):
                slots.create_task(self._slot())

    def stop(self) -> None:
        """Take nothing new; what runs is finished and settled."""
        self._stopping.set()

    async def _slot(self) -> None:
        """Take turns until told to stop, with a growing pause while the broker cannot be reached."""
        pause = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            try:
                await (self._session_turn() if self._sessions else self._plain_turn())
                pause = _FIRST_PAUSE_S
            except Stopping:
                return
            except LockLost:
                _LOG.warning("%s: a lock on %s was lost", self._function.name, self._path)
            except Disconnected as gone:
                self._warn(gone)
                await self._pause(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)

    def _warn(self, gone: Disconnected) -> None:
        """Say it once for all slots, and again when it has been quiet for a while."""
        now = asyncio.get_running_loop().time()
        if now - self._warned_at > 2 * _LONGEST_PAUSE_S:
            _LOG.warning("%s: %s cannot be received from: %s", self._function.name, self._path, gone)
        self._warned_at = now

    async def _pause(self, seconds: float) -> None:
        if not seconds:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    async def _session_turn(self) -> None:
        """Hold one session until it was idle for long enough."""
        wait_s = self._settings.try_timeout.total_seconds()
        idle_s = self._settings.session_idle_timeout.total_seconds()
        receiver = await self._unless_stopping(self._bus.accept_session(self._path, wait_s))
        if receiver is None:
            return
        try:
            async with self._locked(receiver, receiver.locked_until) as lost:
                while (message := await self._unless_stopping(receiver.receive(idle_s))) is not None:
                    await self._handle(receiver, message, lost)
        finally:
            await receiver.close()

    async def _plain_turn(self) -> None:
        """Receive until the connection is gone or the host stops."""
        receiver = await self._unless_stopping(self._bus.open(self._path))
        pause = _FIRST_PAUSE_S
        try:
            while True:
                message = await self._unless_stopping(receiver.receive(_PLAIN_WAIT_S))
                if message is None:
                    continue
                async with self._locked(receiver, message.locked_until, message) as lost:
                    handled = await self._handle(receiver, message, lost)
                # A dead-letter queue has no last delivery: a function that fails on it would spin.
                await self._pause(0 if handled else pause)
                pause = _FIRST_PAUSE_S if handled else min(pause * 2, _LONGEST_PAUSE_S)
        finally:
            await receiver.close()

    async def _unless_stopping(self, waiting: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result; raises Stopping as soon as the host is to stop, and drops the wait."""
        work = asyncio.ensure_future(waiting)
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise Stopping
            return work.result()
        finally:
            stop.cancel()
            if not work.done():
                work.cancel()
                await asyncio.wait({work})

    async def _handle(self, receiver: Receiver, message: Message, lost: asyncio.Event) -> bool:
        """Invoke the function with one message, settle it, and say whether it went well.

        Raises LockLost and Disconnected.
        """
        completion = await self._invoke(call_for(self._function, message))
        if lost.is_set():
            raise LockLost
        if completion.error:
            await receiver.abandon(message)
        elif self._completes:
            await receiver.complete(message)
        return not completion.error

    @asynccontextmanager
    async def _locked(
        self, receiver: Receiver, locked_until: datetime | None, message: Message | None = None
    ) -> AsyncIterator[asyncio.Event]:
        """Keep the lock on the session (or the one message); the event is set when that fails."""
        lost = asyncio.Event()
        until = locked_until or datetime.now(UTC)
        renewal = asyncio.ensure_future(self._renew(receiver, until, lost, message))
        try:
            yield lost
        finally:
            renewal.cancel()
            await asyncio.wait({renewal})

    async def _renew(
        self, receiver: Receiver, locked_until: datetime, lost: asyncio.Event, message: Message | None
    ) -> None:
        """Renew at half time from now on, up to maxAutoLockRenewalDuration."""
        end = datetime.now(UTC) + self._settings.max_auto_lock_renewal
        while True:
            half = (locked_until - datetime.now(UTC)).total_seconds() / 2
            await asyncio.sleep(max(half, _SHORTEST_RENEWAL_S))
            if datetime.now(UTC) >= end:
                return
            try:
                locked_until = await receiver.renew(message)
            except (LockLost, Disconnected):
                lost.set()
                return
