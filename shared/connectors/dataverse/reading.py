"""Many rows read in few requests: a batch of reads, each with its own answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from shared.connectors.dataverse.batch import answers, send_batch
from shared.connectors.dataverse.operation import MODIFIED, PROTOCOL, address, body_of, row
from shared.connectors.dataverse.refusal import answered, is_absent
from shared.core.errors import SyncError, Unavailable
from shared.core.mapping.columns import Table
from shared.core.mapping.rows import LOGICAL_NAME, read_row, selected
from shared.core.ports import Row

if TYPE_CHECKING:
    from shared.connectors.web.client import WebClient

READING: Mapping[str, str] = {
    **PROTOCOL,
    "Prefer": f'odata.include-annotations="{LOGICAL_NAME.removeprefix("@")}"',
}
"""The headers of a read: which table a lookup points at is asked for."""

AT_ONCE = 100
"""Reads in one batch; a batch may hold 1,000, but its answer has to come before a client loses patience."""


def read_params(table: Table) -> dict[str, str]:
    """The query options of a read: the mapped columns, and when the row changed."""
    return {"$select": ",".join((*selected(table), MODIFIED))}


@dataclass(frozen=True, slots=True)
class Reading:
    """One read as a part of a batch."""

    table: Table
    row_id: UUID
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=lambda: READING)
    content: bytes | None = None

    @property
    def path(self) -> str:
        """The row's address below the root of the Web API."""
        return address(self.table, self.row_id)

    @property
    def params(self) -> dict[str, str]:
        """The query options."""
        return read_params(self.table)


async def read_together(client: "WebClient", table: Table, row_ids: Sequence[UUID]) -> dict[UUID, Row | None]:
    """The rows of so many ids, None where there is none, in one request.

    A row whose own read failed is left out: whoever needs it asks for it alone and learns why. Raises what
    the answer to the whole batch means.
    """
    response = await send_batch(client, [Reading(table, row_id) for row_id in row_ids])
    parts = answers(response, len(row_ids))
    if parts is None:
        raise answered(response)
    found: dict[UUID, Row | None] = {}
    for row_id, part in zip(row_ids, parts, strict=True):
        if isinstance(part, Unavailable):
            continue
        if is_absent(part):
            found[row_id] = None
        elif part.is_success:
            try:
                body = body_of(part)
                found[row_id] = row(part, body, read_row(table, body))
            except SyncError:
                continue
    return found
