"""Notes with their files: fetched, compared with what the record says of them, and written with the note.

A file is read piece by piece and is never whole on the bus or in SQL. A small one travels in the row, as
base64 text; a larger one in blocks, which become a note only by the last call (A-12, C-28).
"""

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.connectors.dataverse.operation import PROTOCOL
from shared.connectors.dataverse.refusal import Asked, answered, refusal
from shared.connectors.web.client import WebClient
from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage, MovedOn, Unavailable
from shared.core.mapping.columns import Table, Value
from shared.core.mapping.files import FileRef, Files
from shared.core.mapping.rows import encode, write_row
from shared.core.ports import Clock, Row, Rows

PIECE = 3 * 1024 * 1024
"""What is read and sent at once: 4 MiB once it is base64, as much as one block or one inline note may be."""

_FRESH = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an organisation takes: bytes of a file once it is base64, and the endings it refuses."""

    size: int
    blocked: frozenset[str]


@dataclass(slots=True)
class NoteRows:
    """`Rows` that write the file of a row that has one; every other row is left to `rows`.

    `largest` is the limit of our own in bytes; the organisation's, read at run time, counts as well.
    """

    rows: Rows
    client: WebClient
    files: Files
    clock: Clock
    largest: int
    _limits: tuple[Limits, datetime] | None = field(default=None, init=False)

    async def read(self, table: Table, row_id: UUID) -> Row | None:
        """See `Rows.read`."""
        return await self.rows.read(table, row_id)

    async def update(self, table: Table, row_id: UUID, values: Mapping[str, Value], version: str) -> Row:
        """See `Rows.update`; a file is never written again."""
        return await self.rows.update(table, row_id, values, version)

    async def delete(self, table: Table, row_id: UUID, version: str) -> None:
        """See `Rows.delete`."""
        await self.rows.delete(table, row_id, version)

    async def merge(self, table: Table, heir: UUID, loser: UUID) -> None:
        """See `Rows.merge`."""
        await self.rows.merge(table, heir, loser)

    async def create(self, table: Table, row_id: UUID, values: Mapping[str, Value]) -> Row:
        """Create under a GUID we chose, with its file; raises InvalidMessage for a file that cannot go."""
        ours = next(((name, ref) for name, ref in values.items() if isinstance(ref, FileRef)), None)
        if ours is None:
            return await self.rows.create(table, row_id, values)
        column, ref = ours
        await self._check(column, ref)
        rest = {name: value for name, value in values.items() if name != column}
        if ref.size <= PIECE:
            content = b"".join([piece async for piece in self._pieces(column, ref)])
            return await self.rows.create(table, row_id, {**rest, column: base64.b64encode(content).decode()})
        return await self._in_blocks(Asked(table, row_id, rest, creating=True), column, ref)

    async def _check(self, column: str, ref: FileRef) -> None:
        limits = await self._known_limits()
        encoded = -(-ref.size // 3) * 4
        if ref.size > self.largest or encoded > limits.size:
            fitting = min(self.largest, limits.size // 4 * 3)
            raise _unfit(column, Code.FILE_TOO_LARGE, f"a file of at most {fitting:,} bytes")
        if ref.name.rpartition(".")[2].casefold() in limits.blocked:
            raise _unfit(column, Code.FILE_BLOCKED, "a kind of file that the organisation does not block")

    async def _known_limits(self) -> Limits:
        now = self.clock.now()
        if self._limits is None or now - self._limits[1] >= _FRESH:
            query = {"$select": "maxuploadfilesize,blockedattachments"}
            response = await self.client.send("GET", "organizations", params=query, headers=PROTOCOL)
            if not response.is_success:
                raise answered(response)
            told: dict[str, Any] = json.loads(response.content)["value"][0]
            blocked = str(told.get("blockedattachments") or "").casefold().split(";")
            self._limits = Limits(int(told["maxuploadfilesize"]), frozenset(filter(None, blocked))), now
        return self._limits[0]

    async def _pieces(self, column: str, ref: FileRef) -> AsyncIterator[bytes]:
        """The file piece by piece; raises InvalidMessage at its end unless it was what the record says."""
        digest, size = hashlib.sha256(), 0
        while size < ref.size and (piece := await self.files.piece(ref, size, PIECE)):
            digest.update(piece)
            size += len(piece)
            yield piece
        if size != ref.size or await self.files.piece(ref, size, 1):
            raise _unfit(column, Code.FILE_DIFFERS, "a file of the size its record says")
        if ref.sha256 and digest.hexdigest() != ref.sha256:
            raise _unfit(column, Code.FILE_DIFFERS, "a file with the SHA-256 its record says")

    async def _in_blocks(self, asked: Asked, column: str, ref: FileRef) -> Row:
        table, row_id = asked.table, asked.row_id
        # These calls know no condition: a note that an earlier try has made is found by looking.
        if await self.rows.read(table, row_id) is not None:
            raise MovedOn("a row with this id is already there")
        target = {
            "@odata.type": f"Microsoft.Dynamics.CRM.{table.name}",
            table.primary_key: str(row_id),
            **write_row(table, asked.values),
        }
        begun = await self._call(asked, "InitializeAnnotationBlocksUpload", {"Target": target})
        token, blocks = begun["FileContinuationToken"], list[str]()
        async for piece in self._pieces(column, ref):
            blocks.append(base64.b64encode(f"{len(blocks):08d}".encode()).decode())
            data = base64.b64encode(piece).decode()
            block = {"BlockId": blocks[-1], "BlockData": data, "FileContinuationToken": token}
            await self._call(asked, "UploadBlock", block)
        last = {"Target": target, "BlockList": blocks, "FileContinuationToken": token}
        await self._call(asked, "CommitAnnotationBlocksUpload", last)
        row = await self.rows.read(table, row_id)
        if row is None:
            raise Unavailable("Dataverse made a note and does not show it")
        return Row({}, row.version, row.modified_at)

    async def _call(self, asked: Asked, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        response = await self.client.send("POST", action, headers=PROTOCOL, content=encode(body))
        if not response.is_success:
            raise refusal(asked, response)
        answer: dict[str, Any] = json.loads(response.content) if response.content else {}
        return answer


def _unfit(column: str, code: Code, expected: str) -> InvalidMessage:
    return InvalidMessage(Fault(f"/data/{column}", code, expected))
