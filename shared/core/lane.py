"""The lane of one record: its changes, one at a time, in the order in which they happened.

Sessions give one worker per record most of the time; the lane gives one writer all of the time. Whoever
brings a message drains the lane until its head cannot go on: nothing left, a time to wait for, a parent to
wait for, or a person. Followers of such a head wait behind it; other records do not notice.
"""

import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from time import perf_counter
from uuid import UUID

from shared.core.change import Change, Direction, Drain
from shared.core.decision import link_follows, noting, told
from shared.core.envelope import Parse, contents
from shared.core.errors import InvalidMessage, SyncError, Transient
from shared.core.failure import Backoff, early, unexpected, verdict_of
from shared.core.heartbeat import kept_alive
from shared.core.identity import DATAVERSE, RecordKey
from shared.core.ports import Applier, Bus, Clock, Lanes, LeaseLost, StoreUnavailable, Telemetry
from shared.core.priority import Priority, working_as
from shared.core.trace import correlation_of
from shared.core.verdict import LaneItem, Lease, Turn, Verdict

OUTCOME_EVENT = "tandem.outcome"
"""The telemetry event of one decision."""


@dataclass(frozen=True, slots=True)
class LaneWorker:
    """Drains lanes: takes the head, lets its direction's applier decide and write, records the verdict."""

    lanes: Lanes
    appliers: Mapping[Direction, Applier]
    parse: Parse
    bus: Bus
    clock: Clock
    telemetry: Telemetry
    backoff: Backoff

    async def drain(self, record: UUID) -> None:
        """Work the lane until its head cannot go on; returns at once when somebody else is working it.

        That other worker cannot miss what was just admitted: it looks again as it gives its lease back.
        """
        turn = await self.lanes.acquire(record)
        if turn is not None:
            await self.work(turn)

    async def work(self, turn: Turn) -> None:
        """Work a lane that was taken until its head cannot go on."""
        item: LaneItem | None = turn.item
        try:
            with kept_alive(self.lanes, turn.lease):
                while item is not None:
                    item = await self._work(turn.lease, item)
        except LeaseLost:
            # Perhaps only the item was taken away, by a person: nobody need wait for this lease to run out.
            await self.lanes.release(turn.lease)
        except StoreUnavailable:
            # Whoever gets the message again finds the lane free, and need not wait for this lease to run out.
            with suppress(StoreUnavailable):
                await self.lanes.release(turn.lease)
            raise

    async def _work(self, lease: Lease, item: LaneItem) -> LaneItem | None:
        """Decide an item and record it; returns the next one, if the lane goes on."""
        started = perf_counter()
        direction, verdict = await self._decide(lease, item)
        verdict = told(verdict, item.agreed)
        settled = await self.lanes.settle(lease, item, verdict)
        self._tell(item, direction, verdict, perf_counter() - started)
        now = self.clock.now()
        if verdict.failing is not None and verdict.failing.retry_in is not None:
            await self.wake(direction, item.record, now + verdict.failing.retry_in)
        for record in settled.released:
            if record != item.record:
                await self.wake(direction, record, now)
        return settled.next

    async def _decide(self, lease: Lease, item: LaneItem) -> tuple[Direction, Verdict]:
        try:
            change = self.parse(item.message)
        except InvalidMessage as error:
            return self._unreadable(error, item)
        if isinstance(change, Drain):
            raise TypeError("a drain message has no place in a lane")
        applier = self.appliers[change.direction]
        if change.is_early and item.vouched_by is None:
            return change.direction, early(change)
        change = replace(change, without=item.without, phases=item.phases)
        try:
            # What a plan sent leaves live traffic its room; a retry is live traffic that comes late.
            with working_as(Priority.LIVE if item.plan is None else Priority.REPLAY):
                hold = partial(self.lanes.confirm, lease)
                verdict = await applier.apply(change, item.record, item.agreed, hold)
            return change.direction, noting(link_follows(verdict, item.without), item.missed)
        except SyncError as error:
            verdict = verdict_of(error, change, item, self.backoff)
        except (LeaseLost, StoreUnavailable):
            raise
        except Exception as error:  # noqa: BLE001  # held for a person and told; never lost, never blindly repeated
            verdict = self._unexpected(error, change.subject)
        unit = await self._unit(applier, change, item)
        return change.direction, replace(verdict, map_version=applier.map_version(change), unit=unit)

    def _unreadable(self, error: InvalidMessage, item: LaneItem) -> tuple[Direction, Verdict]:
        """What the release that admitted it could read, and this one cannot: its sender has done no wrong."""
        found = contents(item.message.body)
        if found is not None:
            return Direction.INBOUND, self._unexpected(error, found[0])
        return Direction.OUTBOUND, self._unexpected(error, RecordKey(DATAVERSE, "row", str(item.record)))

    def _unexpected(self, error: Exception, subject: RecordKey) -> Verdict:
        self.telemetry.event("tandem.unexpected", {"error": _where(error)}, error=True)
        return unexpected(error, subject)

    async def _unit(self, applier: Applier, change: Change, item: LaneItem) -> str:
        """The business unit of what did not go through; not to know it is no second failure."""
        try:
            return await applier.unit_of(change, item.record, item.agreed)
        except SyncError:
            return ""

    async def wake(self, direction: Direction, record: UUID, at: datetime) -> None:
        """Have a lane worked at a time; if that cannot be sent, the timer finds the lane when it is due."""
        try:
            await self.bus.wake(direction, record, at)
        except Transient as error:
            self.telemetry.event(
                "tandem.wake_deferred", {"record": str(record), "code": error.code}, error=True
            )

    def _tell(self, item: LaneItem, direction: Direction, verdict: Verdict, seconds: float) -> None:
        failing = verdict.failing
        dimensions = {
            "message_id": item.message.id,
            "session_id": item.message.session_id or "",
            "record": str(item.record),
            "subject": str(verdict.subject),
            "direction": direction.value,
            "outcome": verdict.outcome.value,
            "map_version": verdict.map_version,
            "attempt": str(item.attempts + 1),
            "duration_ms": f"{seconds * 1000:.1f}",
            **correlation_of(item.message),
        }
        if failing is not None:
            dimensions["code"] = failing.code.value
        self.telemetry.event(OUTCOME_EVENT, dimensions, error=failing is not None)


def _where(error: Exception) -> str:
    """The type of an error and where it arose: never its text, which may hold a customer's value."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    place = f" at {last.name}:{last.lineno}" if last else ""
    return f"{type(error).__name__}{place}"
