"""Dataverse rows, with the writes of many callers gathered."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID
from weakref import WeakKeyDictionary

from shared.connectors.dataverse.gathering import Gathering
from shared.connectors.dataverse.ledger import Ledger
from shared.connectors.dataverse.operation import Operation
from shared.connectors.dataverse.passage import Passage
from shared.connectors.dataverse.rows import DataverseRows, untagged
from shared.connectors.web.client import WebClient
from shared.core.mapping.columns import Table
from shared.core.ports import Row

if TYPE_CHECKING:
    import httpx


class GatheredRows(DataverseRows):
    """`Rows` whose writes travel together when many are under way (docs/adr/0011).

    Each write keeps its own condition, answer and failure: who calls sees no difference. `batch_size` bounds
    the operations of a batch. `in_flight` bounds the requests under way per event loop, until Dataverse says
    how many it wants (`x-ms-dop-hint`). Requests are paced by `ledger`; reads stay requests of their own.
    """

    def __init__(
        self,
        client: WebClient,
        *,
        ledger: Ledger | None = None,
        batch_size: int = 10,
        in_flight: int = 8,
        tag: Callable[[], str | None] = untagged,
    ) -> None:
        super().__init__(client, tag=tag)
        self._ledger = ledger or Ledger()
        self._batch_size = batch_size
        self._in_flight = in_flight
        self._gatherings: WeakKeyDictionary[asyncio.AbstractEventLoop, Gathering] = WeakKeyDictionary()

    async def read(self, table: Table, row_id: UUID) -> Row | None:
        """The row with the table's mapped columns, or None."""
        await self._ledger.turn()
        entry = self._ledger.begin()
        try:
            return await super().read(table, row_id)
        finally:
            self._ledger.end(entry)

    async def _answer(self, operation: Operation) -> "httpx.Response":
        loop = asyncio.get_running_loop()
        gathering = self._gatherings.get(loop)
        if gathering is None:
            gathering = self._gatherings[loop] = Gathering(
                self._client, self._ledger, batch_size=self._batch_size, in_flight=self._in_flight
            )
        return await gathering.answer(operation)

    async def _led(self, passage: Passage) -> Row:
        await self._ledger.turn()
        entry = self._ledger.begin(len(passage.requests))
        try:
            return await super()._led(passage)
        finally:
            self._ledger.end(entry)
