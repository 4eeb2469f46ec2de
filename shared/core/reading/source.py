"""Where an export is read from, as the audit asks for it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from shared.core.reading.export import Object
from shared.core.reading.finding import Remark


class Unreadable(Exception):
    """A file cannot be read as declared; its remarks name the line or byte and the rule."""

    def __init__(self, *remarks: Remark) -> None:
        super().__init__("; ".join(f"{remark.code}: {remark.detail}" for remark in remarks))
        self.remarks = remarks


class Row(NamedTuple):
    """A record as it stands: its cells by column, its line, and what was odd about the row itself.

    `file` is where it stands; `blank` rows hold nothing. A `torn` row has too few or too many cells: of it
    only the key is worth reading.
    """

    file: str
    line: int
    cells: Mapping[str, Any]
    remarks: tuple[Remark, ...] = ()
    torn: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose header is as declared: column names, remarks, and rows, which are read when asked for.

    `afterwards` gives the remarks that show only once all rows have gone by.
    """

    header: tuple[str, ...]
    remarks: tuple[Remark, ...]
    rows: Iterator[Row]
    afterwards: Callable[[], tuple[Remark, ...]] = tuple


class Source(Protocol):
    """An export's folder."""

    def files(self) -> Mapping[str, int]:
        """The size in bytes of every file, by its path relative to the folder, with forward slashes."""
        ...

    def content(self, path: str) -> bytes:
        """A small file whole; KeyError when it is not there."""
        ...

    def sha256(self, path: str) -> str:
        """The hash of a file in lower-case hexadecimal digits; KeyError when it is not there."""
        ...

    def sheets(self, path: str) -> tuple[str, ...]:
        """The names of a workbook's sheets; raises Unreadable."""
        ...

    def open(self, entry: Object) -> Opened:
        """The records of an object; raises Unreadable, at once or in the middle of the rows."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """What an HTML body says: every visible word as plain text, and what was odd in it."""

    text: str
    remarks: tuple[Remark, ...] = ()


Reader = Callable[[str], Page]
"""Reads an HTML body."""
