"""The folder of an export: on this machine or anywhere fsspec reaches, through one code path."""

import errno
import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import IO

import fsspec

from shared.connectors.exports import entries, objects, tables, texts, workbooks
from shared.core.reading.export import Format, Object
from shared.core.reading.source import Opened

_READERS = {
    Format.CSV: tables.opened,
    Format.JSON: objects.opened,
    Format.WORKBOOK: workbooks.opened,
    Format.TEXTS: texts.opened,
}


class Folder:
    """An export's folder, listed once; nothing is ever written to it."""

    def __init__(self, url: str) -> None:
        self._filesystem, self._root = fsspec.core.url_to_fs(url)
        if not self._filesystem.isdir(self._root):
            raise NotADirectoryError(errno.ENOTDIR, "there is no such folder", url)
        self._files: dict[str, int] = {}
        for path, entry in self._filesystem.find(self._root, detail=True).items():
            if entry.get("islink"):
                # A link may lead anywhere; what it names counts as missing.
                continue
            relative = PurePosixPath(path.replace("\\", "/")).relative_to(self._root.replace("\\", "/"))
            self._files[relative.as_posix()] = int(entry["size"])

    def files(self) -> Mapping[str, int]:
        """The size of every file by its path relative to the folder."""
        return self._files

    def stream(self, path: str) -> IO[bytes]:
        """A file's bytes; KeyError when it was not there when the folder was listed.

        Only listed files are opened, so that no path of the export's own leads out of its folder.
        """
        if path not in self._files:
            raise KeyError(path)
        opened: IO[bytes] = self._filesystem.open(f"{self._root}/{path}", "rb")
        return opened

    def content(self, path: str) -> bytes:
        """A file whole."""
        with self.stream(path) as stream:
            return stream.read()

    def sha256(self, path: str) -> str:
        """A file's hash, read piece by piece."""
        digest = hashlib.sha256()
        with self.stream(path) as stream:
            while piece := stream.read(1 << 20):
                digest.update(piece)
        return digest.hexdigest()

    def sheets(self, path: str) -> tuple[str, ...]:
        """The names of a workbook's sheets."""
        return workbooks.sheet_names(self, path)

    def open(self, entry: Object) -> Opened:
        """The records of an object."""
        opened = _READERS[entry.format](self, entry)
        if entry.each is None:
            return opened
        return Opened(opened.header, (), entries.of(entry, entry.each, opened.rows, self._files))
