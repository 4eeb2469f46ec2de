"""Where a system's imports and acknowledgements lie: a folder or a blob container, through fsspec."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeVar

import fsspec

from shared.connectors.exports.folder import Folder
from shared.connectors.files.workbook import workbook
from shared.core.errors import Unavailable
from shared.core.imports import Cell
from shared.core.reading.export import Object
from shared.core.reading.source import Row, Unreadable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ImportFolder:
    """`ImportPlace` at a URL: a folder, or what fsspec reaches (`az://legrand-import`)."""

    url: str

    async def names(self) -> frozenset[str]:
        """See `ImportPlace.names`; a place that is not there yet has none."""
        return await self._done("listed", self._names)

    async def put(self, name: str, sheet: str, rows: Sequence[Sequence[Cell]]) -> None:
        """See `ImportPlace.put`."""
        content = await asyncio.to_thread(workbook, sheet, rows)
        await self._done("written to", lambda: self._put(name, content))

    async def read(self, entry: Object) -> Sequence[Row]:
        """See `ImportPlace.read`."""
        return await self._done("read", lambda: list(Folder(self.url).open(entry).rows))

    async def _done(self, what: str, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except Unreadable:
            raise
        except Exception as error:
            # fsspec hands on whatever the library behind it raises.
            raise Unavailable(f"the place of imports cannot be {what}") from error

    def _names(self) -> frozenset[str]:
        filesystem, root = self._place()
        try:
            found = filesystem.ls(root, detail=False)
        except FileNotFoundError:
            return frozenset()
        return frozenset(PurePosixPath(path.replace("\\", "/")).name for path in found)

    def _put(self, name: str, content: bytes) -> None:
        """Under another name first, and then moved: whoever looks sees the whole file or none."""
        filesystem, root = self._place()
        with suppress(FileExistsError):
            filesystem.mkdir(root, create_parents=True)
        part = f"{root}/{name}.part"
        filesystem.pipe_file(part, content)
        filesystem.mv(part, f"{root}/{name}")

    def _place(self) -> tuple[Any, str]:
        filesystem, root = fsspec.core.url_to_fs(self.url)
        # Listings are kept by default, and an acknowledgement made meanwhile would stay unseen.
        filesystem.invalidate_cache()
        return filesystem, root.rstrip("/")
