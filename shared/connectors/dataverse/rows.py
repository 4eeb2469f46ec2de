"""Dataverse rows, written only under a condition."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.connectors.dataverse.refusal import WHO, Asked, is_absent, refusal
from shared.connectors.web.client import WebClient
from shared.core.errors import Refused
from shared.core.mapping.columns import Table, Value
from shared.core.mapping.rows import encode, read_row, selected, write_row
from shared.core.ports import Row

if TYPE_CHECKING:
    import httpx

API = "api/data/v9.2/"
"""Where the Web API is below an organisation's URL."""

_MODIFIED = "modifiedon"
_PROTOCOL = {"OData-Version": "4.0", "OData-MaxVersion": "4.0"}
_READING = _PROTOCOL | {
    "Prefer": 'odata.include-annotations="Microsoft.Dynamics.CRM.lookuplogicalname"',
}
_WRITING = _PROTOCOL | {"Prefer": "return=representation"}


def untagged() -> str | None:
    """No tag: what a writer uses that nobody gave a way to know the message at hand."""
    return None


class DataverseRows:
    """`Rows` over the Web API; the client's base URL is the organisation's plus `API`.

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
            _address(table, row_id),
            params={"$select": ",".join((*selected(table), _MODIFIED))},
            headers=_READING,
        )
        if not response.is_success:
            if is_absent(response):
                return None
            raise refusal(Asked(table, row_id), response)
        body = _body(response)
        return _row(response, body, read_row(table, body))

    async def create(self, table: Table, row_id: UUID, values: Mapping[str, Value]) -> Row:
        """Create under a GUID we chose; raises MovedOn when the row is already there."""
        return await self._write(Asked(table, row_id, values, creating=True), {"If-None-Match": "*"})

    async def update(self, table: Table, row_id: UUID, values: Mapping[str, Value], version: str) -> Row:
        """Write columns if still at `version` (If-Match); raises MovedOn when not, Gone when deleted."""
        return await self._write(Asked(table, row_id, values), {"If-Match": version})

    async def delete(self, table: Table, row_id: UUID, version: str) -> None:
        """Delete if still at `version`; a row already gone is fine."""
        response = await self._client.send(
            "DELETE",
            _address(table, row_id),
            params=self._tagged(),
            headers=_PROTOCOL | {"If-Match": version},
        )
        if not response.is_success and not is_absent(response):
            raise refusal(Asked(table, row_id), response)

    async def _write(self, asked: Asked, condition: Mapping[str, str]) -> Row:
        table = asked.table
        response = await self._client.send(
            "PATCH",
            _address(table, asked.row_id),
            params={"$select": f"{table.primary_key},{_MODIFIED}", **self._tagged()},
            headers=_WRITING | dict(condition),
            content=encode(write_row(table, asked.values)),
        )
        if not response.is_success:
            raise refusal(asked, response)
        return _row(response, _body(response), {})

    def _tagged(self) -> dict[str, str]:
        message_id = self._tag()
        return {} if message_id is None else {"tag": f"tandem:{message_id}"}


def _address(table: Table, row_id: UUID) -> str:
    return f"{table.entity_set}({row_id})"


def _body(response: "httpx.Response") -> dict[str, Any]:
    # A detour through float would change amounts of more than 15 digits.
    body = json.loads(response.content or b"null", parse_float=Decimal)
    if not isinstance(body, dict):
        raise _unreadable(response)
    return body


def _row(response: "httpx.Response", body: Mapping[str, Any], values: Mapping[str, Value]) -> Row:
    version = response.headers.get("ETag") or body.get("@odata.etag")
    modified = body.get(_MODIFIED)
    if not isinstance(version, str) or not isinstance(modified, str):
        raise _unreadable(response)
    return Row(values, version, datetime.fromisoformat(modified).astimezone(UTC))


def _unreadable(response: "httpx.Response") -> Refused:
    return Refused(f"{WHO} answered something that is not a row", answer=str(response.status_code))
