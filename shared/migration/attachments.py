"""The files that records carry, against the files that are there (A-12, L-07)."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from shared.core.reading.codes import FindingCode
from shared.core.reading.export import Attachments, Export
from shared.core.reading.finding import Remark
from shared.core.reading.source import Row, Source
from shared.migration.index import Place


@dataclass(slots=True)
class Files:
    """What records have named so far."""

    export: Export
    source: Source
    named: dict[str, list[Place]] = field(default_factory=lambda: defaultdict(list))
    shared: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    composed: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Know every file by its composed name, too: some systems take letters and accents apart."""
        self.composed = {unicodedata.normalize("NFC", path): path for path in self.source.files()}

    def check(self, said: Attachments, place: Place, row: Row) -> Iterator[Remark]:
        """Everything that is odd about the file of one record."""
        self.folders.add(said.folder)
        path = str(row.cells.get(said.path) or "").strip()
        if not path:
            return
        if leaves(path):
            yield Remark(FindingCode.ATTACHMENT_OUTSIDE, "", said.path)
            return
        if said.folder_column and not str(row.cells.get(said.folder_column) or "").strip():
            yield Remark(FindingCode.ATTACHMENT_FOLDER_UNKNOWN, "", said.folder_column)
        path = said.prefix + path
        path = self.composed.get(unicodedata.normalize("NFC", path), path)
        if said.shared:
            self.shared.add(path)
        else:
            self.named[path].append(place)
        if path.rpartition(".")[2].casefold() in self.export.blocked:
            yield Remark(FindingCode.ATTACHMENT_BLOCKED, "", said.path)
        yield from self._compared(said, path, row)

    def rest(self) -> Iterator[tuple[Place | None, str, Remark]]:
        """What only shows when every record has gone by: collisions, and files that no record names."""
        by_case: dict[str, set[str]] = defaultdict(set)
        for path in self.named:
            by_case[unicodedata.normalize("NFC", path).casefold()].add(path)
        for paths in by_case.values():
            places = [place for path in sorted(paths) for place in self.named[path]]
            if len(places) > 1:
                for place in places:
                    yield place, place.file, Remark(FindingCode.ATTACHMENT_COLLIDES, f"{len(places)} records")
        told = self.named.keys() | self.shared
        for path in self.source.files():
            if path not in told and any(path.startswith(folder) for folder in self.folders):
                yield None, path, Remark(FindingCode.ATTACHMENT_UNTRACKED)

    def _compared(self, said: Attachments, path: str, row: Row) -> Iterator[Remark]:
        size = _bytes(row.cells.get(said.size))
        if size is not None and size > self.export.largest_attachment:
            detail = f"{size} bytes, at most {self.export.largest_attachment}"
            yield Remark(FindingCode.ATTACHMENT_TOO_LARGE, detail, said.size)
        found = self.source.files().get(path)
        if found is None:
            # Of the entries of a column their reader knows it, and tells.
            if not said.shared:
                yield Remark(FindingCode.ATTACHMENT_MISSING, "", said.path)
            return
        if size is not None and size != found:
            yield Remark(FindingCode.ATTACHMENT_SIZE_DIFFERS, f"{found} bytes, {size} listed", said.size)
        if said.sha256 is None:
            return
        listed = str(row.cells.get(said.sha256) or "").strip().lower()
        if not listed:
            yield Remark(FindingCode.ATTACHMENT_UNHASHED, "", said.sha256)
        elif listed != self.source.sha256(path):
            yield Remark(FindingCode.ATTACHMENT_CHANGED, "", said.sha256)


def leaves(path: str) -> bool:
    """Whether a path leads out of the folder it is meant to be in, on any operating system."""
    windows = PureWindowsPath(path)
    parts = {*PurePosixPath(path).parts, *windows.parts}
    return ".." in parts or bool(windows.anchor) or path.startswith(("/", "\\", "~")) or "\0" in path


def _bytes(said: Any) -> int | None:
    if isinstance(said, float | int | Decimal):
        return int(said)
    return int(said) if isinstance(said, str) and said.strip().isdecimal() else None
