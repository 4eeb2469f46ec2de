"""Operations of one event loop on their way: gathered while no slot is free, sent together when one is."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from shared.connectors.dataverse.batch import answers, send_batch
from shared.connectors.dataverse.bulk import BulkRow, BulkRows
from shared.connectors.dataverse.ledger import Ledger
from shared.connectors.dataverse.operation import Operation
from shared.connectors.dataverse.refusal import Asked
from shared.connectors.dataverse.rows import send_alone
from shared.connectors.web.client import WebClient
from shared.core.errors import SyncError, Throttled, Unavailable
from shared.core.priority import Priority, current_priority, working_as

if TYPE_CHECKING:
    import httpx

F = TypeVar("F", bound=SyncError)

_MOST_SLOTS = 40
_HINT = "x-ms-dop-hint"
# Answers about a batch that its operations, sent one by one, would get as well.
_ABOUT_ANYTHING = {401, 403, 408, 429}


@dataclass(frozen=True, slots=True)
class BulkWrite:
    """A row as it shall be, whatever it is now."""

    asked: Asked


@dataclass(slots=True, eq=False)
class _Waiting:
    operation: Operation | BulkWrite
    priority: Priority
    answer: "asyncio.Future[httpx.Response | None]"

    @property
    def row(self) -> tuple[str, UUID]:
        return self.operation.asked.table.name, self.operation.asked.row_id

    @property
    def kind(self) -> tuple[Priority, str]:
        """What travels together: one priority, and either guarded operations or rows of one table."""
        return self.priority, self.operation.asked.table.name if self.is_bulk else ""

    @property
    def is_bulk(self) -> bool:
        return isinstance(self.operation, BulkWrite)


class Gathering:
    """The operations that wait and the requests under way in one event loop.

    Live operations go before those of replays, these before those of loads; the ledger leaves room for those
    that go first, and so does the last free slot. Only operations of one priority travel together: nobody
    waits for an answer about somebody less urgent. Unguarded rows of a table travel as one bulk request.

    A request is sent as soon as a slot is free and the ledger lets it; what has gathered meanwhile goes
    along. Alone it is an ordinary request. While the ledger is calm, what has gathered is spread over the
    free slots, because the operations of a batch are done one after the other; beyond that, batches are
    filled, because they save requests. No two operations on one row are under way at once.
    """

    def __init__(
        self, client: WebClient, ledger: Ledger, bulk: BulkRows, *, batch_size: int, in_flight: int
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._bulk = bulk
        self._batch_size = batch_size
        self._slots = in_flight
        self._waiting: deque[_Waiting] = deque()
        self._busy: set[tuple[str, UUID]] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._wake: asyncio.Handle | None = None
        self._wakes_at = 0.0

    async def answer(self, operation: Operation) -> "httpx.Response":
        """The answer to an operation; a caller who is cancelled meanwhile takes nobody else along.

        Raises Unavailable when it was lost, and Throttled while a pause is too long to wait through.
        """
        answer = await self._gathered(operation)
        if answer is None:
            raise TypeError("only a bulk write ends without an answer of its own")
        return answer

    async def write(self, row: BulkWrite) -> None:
        """Write a row without a condition; raises its own failure, as `BulkRows` found it."""
        await self._gathered(row)

    async def _gathered(self, operation: Operation | BulkWrite) -> "httpx.Response | None":
        loop = asyncio.get_running_loop()
        waiting = _Waiting(operation, current_priority(), loop.create_future())
        self._waiting.append(waiting)
        self._send_soon(0)
        return await waiting.answer

    def _send_soon(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._wake is not None:
            if self._wakes_at <= at:
                return
            self._wake.cancel()
        self._wakes_at = at
        self._wake = loop.call_later(seconds, self._send) if seconds else loop.call_soon(self._send)

    def _send(self) -> None:
        self._wake = None
        while len(self._under_way) < self._slots and (ready := self._ready()):
            first = ready[0]
            if first.priority is not Priority.LIVE and len(self._under_way) >= max(1, self._slots - 1):
                return
            together = [waiting for waiting in ready if waiting.kind == first.kind]
            size = self._bulk.batch_size if first.is_bulk else self._size(len(together))
            together = together[:size]
            seconds = self._ledger.delay(len(together), first.priority, bulk=first.is_bulk)
            if seconds > 0:
                self._send_soon(seconds)
                return
            self._start(together)

    def _ready(self) -> list[_Waiting]:
        """What may be sent now, in order: one operation per row, none for a row that has one under way.

        The first operation on a row is as urgent as the most urgent behind it.
        """
        self._waiting = deque(waiting for waiting in self._waiting if not waiting.answer.done())
        rows: dict[tuple[str, UUID], _Waiting] = {}
        for waiting in self._waiting:
            if waiting.row in self._busy:
                continue
            first = rows.setdefault(waiting.row, waiting)
            first.priority = min(first.priority, waiting.priority)
        return sorted(rows.values(), key=lambda waiting: waiting.priority)

    def _size(self, ready: int) -> int:
        if not self._ledger.is_calm:
            return min(ready, self._batch_size)
        free = self._slots - len(self._under_way)
        return min(-(-ready // free), self._batch_size)

    def _start(self, together: list[_Waiting]) -> None:
        sent = set(together)
        self._waiting = deque(waiting for waiting in self._waiting if waiting not in sent)
        self._busy |= {waiting.row for waiting in together}
        task = asyncio.get_running_loop().create_task(self._exchange(together))
        self._under_way.add(task)
        task.add_done_callback(lambda done: self._ended(done, together))

    def _ended(self, task: "asyncio.Task[None]", together: list[_Waiting]) -> None:
        self._under_way.discard(task)
        self._busy -= {waiting.row for waiting in together}
        # Whatever went wrong in here goes to those who wait for it.
        failure = asyncio.CancelledError() if task.cancelled() else task.exception()
        for waiting in together:
            if not waiting.answer.done():
                if failure is None or isinstance(failure, asyncio.CancelledError):
                    waiting.answer.cancel()
                else:
                    waiting.answer.set_exception(failure)
        if self._waiting:
            self._send_soon(0)

    async def _exchange(self, together: list[_Waiting]) -> None:
        writes = [waiting.operation for waiting in together if isinstance(waiting.operation, BulkWrite)]
        if writes:
            await self._in_bulk(together, writes)
            return
        if len(together) == 1:
            _give(together[0], await self._alone(together[0]))
            return
        try:
            response = await self._together(together)
        except (Throttled, Unavailable) as lost:
            for waiting in together:
                _give(waiting, _again(lost))
            return
        found = answers(response, len(together))
        for at, waiting in enumerate(together):
            if found is not None:
                answer = found[at]
                if not isinstance(answer, Unavailable):
                    await self._client.heed(answer)
                _give(waiting, answer)
            elif response.status_code in _ABOUT_ANYTHING or response.status_code >= 500:
                _give(waiting, response)
            else:
                # One operation made the whole of it unacceptable; alone, each finds out whether it was that.
                _give(waiting, await self._alone(waiting))

    async def _in_bulk(self, together: list[_Waiting], writes: list[BulkWrite]) -> None:
        rows = [BulkRow(write.asked.row_id, write.asked.values) for write in writes]
        with working_as(together[0].priority):
            failures = await self._bulk.upsert(writes[0].asked.table, rows)
        for waiting, failure in zip(together, failures, strict=True):
            if waiting.answer.done():
                continue
            if failure is None:
                waiting.answer.set_result(None)
            else:
                waiting.answer.set_exception(_again(failure))

    async def _together(self, together: list[_Waiting]) -> "httpx.Response":
        entry = self._ledger.begin(len(together))
        try:
            response = await send_batch(self._client, [_guarded(waiting) for waiting in together])
        finally:
            self._ledger.end(entry)
        self._follow(response)
        return response

    async def _alone(self, waiting: _Waiting) -> "httpx.Response | Throttled | Unavailable":
        entry = self._ledger.begin()
        try:
            response = await send_alone(self._client, _guarded(waiting))
        except (Throttled, Unavailable) as lost:
            return lost
        finally:
            self._ledger.end(entry)
        self._follow(response)
        return response

    def _follow(self, response: "httpx.Response") -> None:
        hint = response.headers.get(_HINT, "")
        if hint.isdecimal() and int(hint) > 0:
            self._slots = min(int(hint), _MOST_SLOTS)


def _guarded(waiting: _Waiting) -> Operation:
    if not isinstance(waiting.operation, Operation):
        raise TypeError("a bulk write travels with its like")
    return waiting.operation


def _give(waiting: _Waiting, answer: "httpx.Response | Throttled | Unavailable") -> None:
    if waiting.answer.done():
        return
    if isinstance(answer, Throttled | Unavailable):
        waiting.answer.set_exception(answer)
    else:
        waiting.answer.set_result(answer)


def _again(failure: F) -> F:
    """The same failure for one more caller: raising one exception in several tasks mixes their traces."""
    again = type(failure).__new__(type(failure), *failure.args)
    again.__dict__.update(failure.__dict__)
    again.__cause__ = failure
    return again
