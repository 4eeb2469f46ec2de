"""Dataverse rows, written only under a condition."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.connectors.dataverse.operation import (
    MASTER,
    PROTOCOL,
    Operation,
    address,
    body_of,
    create,
    delete,
    merge_body,
    row,
    update,
)
from shared.connectors.dataverse.passage import LOCKED, Action, Passage, change, creation, is_led
from shared.connectors.dataverse.reading import READING, read_params, read_together
from shared.connectors.dataverse.refusal import Asked, is_absent, refusal
from shared.connectors.web.client import WebClient
from shared.core.errors import Gone, MovedOn, Refused
from shared.core.mapping.columns import Table, Value
from shared.core.mapping.lifecycle import STATUS
from shared.core.mapping.references import RowRef
from shared.core.mapping.rows import encode, read_row
from shared.core.ports import Row

if TYPE_CHECKING:
    import httpx

API = "api/data/v9.2/"
"""Where the Web API is below an organisation's URL."""

REQUEST_ID = "x-ms-client-request-id"
"""The header in which a request carries an id of its sender's."""


def untagged() -> str | None:
    """No tag: what a writer uses that nobody gave a way to know the message at hand."""
    return None


class DataverseRows:
    """`Rows` over the Web API, one request each; the client's base URL is the organisation's plus `API`.

    A write asks for the primary key and the modification time back, so that the row's new version costs no
    second request; the `values` of the row it returns are empty, because nothing else is read. `tag` tells
    the id of the message at hand, if any: service endpoint messages carry it, so that an echo can be told
    by it (`tandem:<message id>`).
    """

    def __init__(self, client: WebClient, *, tag: Callable[[], str | None] = untagged) -> None:
        self._client = client
        self._tag = tag

    async def read(self, table: Table, row_id: UUID) -> Row | None:
        """The row with the table's mapped columns, or None."""
        response = await self._client.send(
            "GET",
            address(table, row_id),
            params=read_params(table),
            headers=READING,
        )
        if not response.is_success:
            if is_absent(response):
                return None
            raise refusal(Asked(table, row_id), response)
        body = body_of(response)
        return row(response, body, read_row(table, body))

    async def read_many(self, table: Table, row_ids: Sequence[UUID]) -> Mapping[UUID, Row | None]:
        """Rows by id, None where there is none, in one request; one whose read failed is left out."""
        return await read_together(self._client, table, row_ids)

    async def create(self, table: Table, row_id: UUID, values: Mapping[str, Value]) -> Row:
        """Create under a GUID we chose; raises MovedOn when the row is already there.

        A row that shall not be in the state rows begin in is created and led there in one change set.
        """
        if table.lifecycle is None or not is_led(table, values):
            operation = create(table, row_id, values, self._tag())
            return operation.written(await self._answer(operation))
        begun = {name: value for name, value in values.items() if name != STATUS}
        first = create(table, row_id, begun, self._tag())
        return await self._led(creation(first, table.lifecycle, values, self._tag()))

    async def update(self, table: Table, row_id: UUID, values: Mapping[str, Value], version: str) -> Row:
        """Write columns if still at `version` (If-Match); raises MovedOn when not, Gone when deleted.

        A row whose state locks it is opened, written and closed again in one change set.
        """
        if not is_led(table, values):
            operation = update(table, row_id, values, version, self._tag())
            try:
                return operation.written(await self._answer(operation))
            except Refused as refused:
                if table.lifecycle is None or refused.answer != LOCKED:
                    raise
        held = await self.read(table, row_id)
        if held is None:
            raise Gone("the row no longer exists in Dataverse")
        if held.version != version:
            raise MovedOn("the row changed before its state could be")
        return await self._led(change(Asked(table, row_id, values), held, self._tag()))

    async def delete(self, table: Table, row_id: UUID, version: str) -> None:
        """Delete if still at `version`; a row already gone is fine."""
        operation = delete(table, row_id, version, self._tag())
        operation.deleted(await self._answer(operation))

    async def merge(self, table: Table, heir: UUID, loser: UUID) -> None:
        """Put a row aside for its heir by Dataverse's own action; one merged so already is fine.

        The action knows no condition: whether an earlier try went through is found by looking.
        """
        response = await self.act("POST", "Merge", merge_body(table, heir, loser))
        if response.is_success:
            return
        aside = await self.read(table, loser)
        if aside is None or aside.values.get(MASTER) != RowRef(table.name, heir):
            raise refusal(Asked(table, loser), response)

    async def act(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
    ) -> "httpx.Response":
        """The answer to a request that is about no one row under a condition: an action, say."""
        tag = self._tag() if method != "GET" else None
        return await self._client.send(
            method,
            path,
            params={**(params or {}), **({} if tag is None else {"tag": f"tandem:{tag}"})},
            headers=PROTOCOL,
            content=None if body is None else encode(body),
        )

    async def create_with(
        self, table: Table, row_id: UUID, values: Mapping[str, Value], action: str, body: Mapping[str, Any]
    ) -> Row:
        """Create under a GUID we chose and call an action, both or neither; raises as `create` does."""
        first = create(table, row_id, values, self._tag())
        return await self._led(Passage(first.asked, (first, Action(action, encode(body))), values))

    async def _answer(self, operation: Operation) -> "httpx.Response":
        return await send_alone(self._client, operation)

    async def _led(self, passage: Passage) -> Row:
        return passage.arrived(await passage.go(self._client))


async def send_alone(client: WebClient, operation: Operation) -> "httpx.Response":
    """The answer to one operation as a request of its own."""
    return await client.send(
        operation.method,
        operation.path,
        params=operation.params,
        headers=operation.headers,
        content=operation.content,
    )
