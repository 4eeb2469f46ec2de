"""Dataverse rows, with the writes of many callers gathered."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
from weakref import WeakKeyDictionary

from shared.connectors.dataverse.bulk import BulkRows, is_unsupported
from shared.connectors.dataverse.gathering import BulkWrite, Gathering
from shared.connectors.dataverse.ledger import Ledger
from shared.connectors.dataverse.mode import Modes
from shared.connectors.dataverse.operation import Operation
from shared.connectors.dataverse.passage import LOCKED, Passage, is_led
from shared.connectors.dataverse.reading import AT_ONCE
from shared.connectors.dataverse.refusal import Asked
from shared.connectors.dataverse.rows import DataverseRows, untagged
from shared.connectors.web.client import WebClient
from shared.core.errors import Refused
from shared.core.mapping.columns import Table, Value
from shared.core.ports import Row

if TYPE_CHECKING:
    import httpx


class GatheredRows(DataverseRows):
    """`Rows` whose writes travel together when many are under way (docs/adr/0011).

    Guarded, each write keeps its own condition, answer and failure: who calls sees no difference. Where
    `modes` says so, rows are written in bulk instead: many in one request, without a condition, each with its
    own failure; the version of such a row is blank, because Dataverse does not tell it, and its modification
    time is ours. What a bulk request cannot do goes the guarded way: deletes, changes of state, rows that
    their state locks, tables without the message.

    `batch_size` bounds the operations of a batch, `bulk_size` the rows of a bulk request. `in_flight` bounds
    the requests under way per event loop, until Dataverse says how many it wants (`x-ms-dop-hint`). Requests
    are paced by `ledger`; reads stay requests of their own. Who goes first is said by `core.priority`.
    """

    def __init__(
        self,
        client: WebClient,
        *,
        ledger: Ledger | None = None,
        batch_size: int = 10,
        bulk_size: int = 100,
        in_flight: int = 8,
        modes: Modes | None = None,
        tag: Callable[[], str | None] = untagged,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(client, tag=tag)
        self._ledger = ledger or Ledger()
        self._batch_size = batch_size
        self._bulk_size = bulk_size
        self._in_flight = in_flight
        self._modes = modes or Modes()
        self._now = now
        self._without_bulk: set[str] = set()
        self._gatherings: WeakKeyDictionary[asyncio.AbstractEventLoop, Gathering] = WeakKeyDictionary()

    async def read(self, table: Table, row_id: UUID) -> Row | None:
        """The row with the table's mapped columns, or None."""
        await self._ledger.turn()
        entry = self._ledger.begin()
        try:
            return await super().read(table, row_id)
        finally:
            self._ledger.end(entry)

    async def read_many(self, table: Table, row_ids: Sequence[UUID]) -> Mapping[UUID, Row | None]:
        """Rows by id, None where there is none, in few requests; one whose read failed is left out."""
        found: dict[UUID, Row | None] = {}
        for start in range(0, len(row_ids), AT_ONCE):
            some = row_ids[start : start + AT_ONCE]
            await self._ledger.turn(len(some))
            entry = self._ledger.begin(len(some))
            try:
                found.update(await super().read_many(table, some))
            finally:
                self._ledger.end(entry)
        return found

    async def act(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
    ) -> "httpx.Response":
        """The answer to a request that is about no one row under a condition: an action, say."""
        await self._ledger.turn()
        entry = self._ledger.begin()
        try:
            return await super().act(method, path, body, params=params)
        finally:
            self._ledger.end(entry)

    async def create(self, table: Table, row_id: UUID, values: Mapping[str, Value]) -> Row:
        """Create under a GUID we chose; raises MovedOn when the row is already there, but not in bulk."""
        return await self._in_bulk(table, row_id, values) or await super().create(table, row_id, values)

    async def update(self, table: Table, row_id: UUID, values: Mapping[str, Value], version: str) -> Row:
        """Write columns if still at `version`, in bulk whatever the version; see `Rows.update`."""
        done = await self._in_bulk(table, row_id, values)
        return done or await super().update(table, row_id, values, version)

    async def _in_bulk(self, table: Table, row_id: UUID, values: Mapping[str, Value]) -> Row | None:
        """The row once it is written in bulk; None when it has to be written the guarded way."""
        if table.name in self._without_bulk or is_led(table, values) or not await self._modes.is_bulk(table):
            return None
        try:
            await self._gathering().write(BulkWrite(Asked(table, row_id, values)))
        except Refused as refused:
            if is_unsupported(refused):
                self._without_bulk.add(table.name)
            elif refused.answer != LOCKED:
                raise
            return None
        return Row({}, "", self._now())

    async def _answer(self, operation: Operation) -> "httpx.Response":
        return await self._gathering().answer(operation)

    async def _led(self, passage: Passage) -> Row:
        await self._ledger.turn()
        entry = self._ledger.begin(len(passage.requests))
        try:
            return await super()._led(passage)
        finally:
            self._ledger.end(entry)

    def _gathering(self) -> Gathering:
        loop = asyncio.get_running_loop()
        gathering = self._gatherings.get(loop)
        if gathering is None:
            bulk = BulkRows(self._client, ledger=self._ledger, batch_size=self._bulk_size)
            gathering = self._gatherings[loop] = Gathering(
                self._client, self._ledger, bulk, batch_size=self._batch_size, in_flight=self._in_flight
            )
        return gathering
