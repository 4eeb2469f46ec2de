"""Operations of one event loop on their way: gathered while no slot is free, sent together when one is."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from shared.connectors.dataverse.batch import answers, send_batch
from shared.connectors.dataverse.ledger import Ledger
from shared.connectors.dataverse.operation import Operation
from shared.connectors.dataverse.rows import send_alone
from shared.connectors.web.client import WebClient
from shared.core.errors import Throttled, Unavailable

if TYPE_CHECKING:
    import httpx

_MOST_SLOTS = 40
_HINT = "x-ms-dop-hint"
# Answers about a batch that its operations, sent one by one, would get as well.
_ABOUT_ANYTHING = {401, 403, 408, 429}


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    operation: Operation
    answer: "asyncio.Future[httpx.Response]"

    @property
    def row(self) -> tuple[str, UUID]:
        return self.operation.asked.table.name, self.operation.asked.row_id


class Gathering:
    """The operations that wait and the requests under way in one event loop.

    A request is sent as soon as a slot is free and the ledger lets it; what has gathered meanwhile goes
    along. Alone it is an ordinary request. While the ledger is calm, what has gathered is spread over the
    free slots, because the operations of a batch are done one after the other; beyond that, batches are
    filled, because they save requests. No two operations on one row are under way at once.
    """

    def __init__(self, client: WebClient, ledger: Ledger, *, batch_size: int, in_flight: int) -> None:
        self._client = client
        self._ledger = ledger
        self._batch_size = batch_size
        self._slots = in_flight
        self._waiting: deque[_Waiting] = deque()
        self._busy: set[tuple[str, UUID]] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._wake: asyncio.Handle | None = None

    async def answer(self, operation: Operation) -> "httpx.Response":
        """The answer to an operation; a caller who is cancelled meanwhile takes nobody else along.

        Raises Unavailable when it was lost, and Throttled while a pause is too long to wait through.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(operation, loop.create_future())
        self._waiting.append(waiting)
        self._send_soon(0)
        return await waiting.answer

    def _send_soon(self, seconds: float) -> None:
        if self._wake is None:
            loop = asyncio.get_running_loop()
            self._wake = loop.call_later(seconds, self._send) if seconds else loop.call_soon(self._send)

    def _send(self) -> None:
        self._wake = None
        while len(self._under_way) < self._slots and (ready := self._ready()):
            size = self._size(len(ready))
            if (seconds := self._ledger.delay(size)) > 0:
                self._send_soon(seconds)
                return
            self._start(ready[:size])

    def _ready(self) -> list[_Waiting]:
        """What may be sent now, in order: one operation per row, none for a row that has one under way."""
        self._waiting = deque(waiting for waiting in self._waiting if not waiting.answer.done())
        rows: dict[tuple[str, UUID], _Waiting] = {}
        for waiting in self._waiting:
            if waiting.row not in self._busy:
                rows.setdefault(waiting.row, waiting)
        return list(rows.values())

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
                _give(waiting, found[at])
            elif response.status_code in _ABOUT_ANYTHING or response.status_code >= 500:
                _give(waiting, response)
            else:
                # One operation made the whole of it unacceptable; alone, each finds out whether it was that.
                _give(waiting, await self._alone(waiting))

    async def _together(self, together: list[_Waiting]) -> "httpx.Response":
        entry = self._ledger.begin(len(together))
        try:
            response = await send_batch(self._client, [waiting.operation for waiting in together])
        finally:
            self._ledger.end(entry)
        self._follow(response)
        return response

    async def _alone(self, waiting: _Waiting) -> "httpx.Response | Throttled | Unavailable":
        entry = self._ledger.begin()
        try:
            response = await send_alone(self._client, waiting.operation)
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


def _give(waiting: _Waiting, answer: "httpx.Response | Throttled | Unavailable") -> None:
    if waiting.answer.done():
        return
    if isinstance(answer, Throttled | Unavailable):
        waiting.answer.set_exception(answer)
    else:
        waiting.answer.set_result(answer)


def _again(lost: Throttled | Unavailable) -> Throttled | Unavailable:
    """The same failure for one more caller: raising one exception in several tasks mixes their traces."""
    again = type(lost)(lost.rule, retry_after=lost.retry_after)
    again.__cause__ = lost
    return again
