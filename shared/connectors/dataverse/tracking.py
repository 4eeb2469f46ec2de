"""What changed in a table, told by Dataverse's change tracking."""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from shared.connectors.dataverse.ledger import Ledger
from shared.connectors.dataverse.operation import MODIFIED, PROTOCOL, body_of
from shared.connectors.dataverse.refusal import WHO, answered, code_of
from shared.connectors.web.client import WebClient
from shared.core.errors import InvalidMessage, Refused
from shared.core.mapping.columns import Table, Value
from shared.core.mapping.rows import LOGICAL_NAME, read_row, selected
from shared.core.row_changes import ChangedRow, RowPage, StartOver

if TYPE_CHECKING:
    import httpx

EXPIRED = "0x80044352"
"""A delta link is older than the organisation keeps deletions for (7 days by default)."""

_DELTA, _NEXT = "@odata.deltaLink", "@odata.nextLink"
_DELETED = "/$deletedEntity"
_TOKEN = re.compile(r"(?:^|&)((?:\$|%24)(?:deltatoken|skiptoken)=[^&]*)")


class DataverseChanges:
    """`RowChanges` over `Prefer: odata.track-changes`, at most `page_size` rows at once.

    A position is the token of the link that Dataverse gave, and a digest of the columns it was given for: a
    link answers with its own columns, so a map that reads others must start over. Only the token of a link is
    followed, never its host: our bearer token goes nowhere else. Requests are paced by `ledger`.
    """

    def __init__(self, client: WebClient, *, ledger: Ledger | None = None, page_size: int = 5000) -> None:
        self._client = client
        self._ledger = ledger or Ledger()
        tracking = f"odata.track-changes,odata.maxpagesize={page_size}"
        lookups = f'odata.include-annotations="{LOGICAL_NAME.removeprefix("@")}"'
        self._headers = {**PROTOCOL, "Prefer": f"{tracking},{lookups}"}

    async def changes(self, table: Table, since: str) -> RowPage:
        """The page after a position; raises StartOver when Dataverse or our columns left it behind."""
        select = ",".join((*selected(table), MODIFIED))
        columns = hashlib.blake2b(select.encode(), digest_size=8).hexdigest()
        known, _, token = since.partition("&")
        if since and (known != columns or not token):
            raise StartOver(f"the position in {table.name} is one of other columns")
        query = f"$select={select}&{token}" if token else f"$select={select}"
        response = await self._get(f"{table.entity_set}?{query}")
        if not response.is_success:
            if code_of(response) == EXPIRED:
                raise StartOver(f"the position in {table.name} has expired")
            raise answered(response)
        body = body_of(response)
        entries = body.get("value")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise _unreadable(response)
        removed = [entry for entry in entries if _DELETED in str(entry.get("@odata.context", ""))]
        gone = {id(entry) for entry in removed}
        return RowPage(
            changed=[_changed(table, entry, response) for entry in entries if id(entry) not in gone],
            removed=[UUID(str(entry["id"])) for entry in removed],
            next=f"{columns}&{_token(body, response)}",
            more=_NEXT in body,
        )

    async def _get(self, path: str) -> "httpx.Response":
        await self._ledger.turn()
        entry = self._ledger.begin()
        try:
            return await self._client.send("GET", path, headers=self._headers)
        finally:
            self._ledger.end(entry)


def _token(body: Mapping[str, Any], response: "httpx.Response") -> str:
    link = body.get(_NEXT) or body.get(_DELTA)
    found = _TOKEN.search(urlsplit(link).query) if isinstance(link, str) else None
    if found is None:
        raise _unreadable(response)
    return found[1]


def _changed(table: Table, row: Mapping[str, Any], response: "httpx.Response") -> ChangedRow:
    row_id, version, modified = (row.get(name) for name in (table.primary_key, "@odata.etag", MODIFIED))
    if not (isinstance(row_id, str) and isinstance(version, str) and isinstance(modified, str)):
        raise _unreadable(response)
    modified_at = datetime.fromisoformat(modified).astimezone(UTC)
    return ChangedRow(UUID(row_id), _values(table, row), version, modified_at)


def _values(table: Table, row: Mapping[str, Any]) -> Mapping[str, Value]:
    try:
        return read_row(table, row)
    except InvalidMessage as unreadable:
        # One odd value must not hide a page of thousands of rows.
        odd = {fault.field.removeprefix("/data/") for fault in unreadable.faults}
        return read_row(table, {name: value for name, value in row.items() if name not in odd})


def _unreadable(response: "httpx.Response") -> Refused:
    rule = f"{WHO} answered something that is no list of changes"
    return Refused(rule, answer=str(response.status_code))
