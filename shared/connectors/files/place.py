"""The place where a system's export drops lie: a folder or a blob container, through fsspec."""

import asyncio
import hashlib
import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import fsspec

from shared.connectors.exports.folder import Folder
from shared.core.drop import Seen
from shared.core.errors import Unavailable
from shared.core.reading.export import Export
from shared.core.reading.source import Source

_CHANGING = ("etag", "mtime", "last_modified", "LastModified")
"""Under which names file systems tell that a file was written again."""


_BLOBS = {"az", "abfs", "abfss"}


@dataclass(frozen=True, slots=True)
class DropFolders:
    """`DropPlace` at a URL: every folder below it that holds files of the export, and the place itself.

    `url` is a folder, or what fsspec reaches: `az://legrand-drop`, `abfss://container@account...`.
    """

    url: str
    export: Export

    async def drops(self) -> Sequence[Seen]:
        """See `DropPlace.drops`; a place that is not there yet has none."""
        try:
            return await asyncio.to_thread(lambda: list(self._found()))
        except FileNotFoundError:
            return ()
        except Exception as error:
            # fsspec hands on whatever the library behind it raises.
            raise Unavailable(f"the drops of {self.export.system} cannot be listed") from error

    async def opened(self, seen: Seen) -> Source:
        """See `DropPlace.opened`."""
        url = f"{self.url.rstrip('/')}/{seen.name}" if seen.name else self.url
        try:
            return await asyncio.to_thread(Folder, url)
        except Exception as error:
            raise Unavailable(f"a drop of {self.export.system} cannot be opened") from error

    def _found(self) -> Iterator[Seen]:
        if self.url.partition("://")[0] in _BLOBS:
            # fsspec finds the driver by itself; named here, so that a missing one is told by its name.
            importlib.import_module("adlfs")
        filesystem, root = fsspec.core.url_to_fs(self.url)
        # Listings are kept by default, and a drop made meanwhile would stay unseen.
        filesystem.invalidate_cache()
        files: dict[str, list[str]] = {}
        for path, entry in sorted(filesystem.find(root, detail=True).items()):
            inside = PurePosixPath(path.replace("\\", "/")).relative_to(root.replace("\\", "/"))
            if (drop := self._drop_of(inside)) is not None:
                files.setdefault(drop, []).append(f"{inside} {_state(entry)}")
        for drop, states in files.items():
            yield Seen(drop, hashlib.sha256("\n".join(states).encode()).hexdigest())

    def _drop_of(self, inside: PurePosixPath) -> str | None:
        """The folder of the drop a file belongs to; None for a file of no export."""
        declared = {entry.file for entry in self.export.objects} | {self.export.inventory.file}
        folders = {entry.file for entry in self.export.objects if entry.file.endswith("/")}
        folders |= {entry.attachments.folder for entry in self.export.objects if entry.attachments}
        if inside.name in declared:
            return _named(inside.parent)
        for above in inside.parents:
            if f"{above.name}/" in folders:
                return _named(above.parent)
        return None


def _named(folder: PurePosixPath) -> str:
    return "" if folder == PurePosixPath() else folder.as_posix()


def _state(entry: dict[str, Any]) -> str:
    changed = next((str(entry[name]) for name in _CHANGING if entry.get(name)), "")
    return f"{entry['size']} {changed}"
