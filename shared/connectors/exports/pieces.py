"""The XML of a sheet, cut between its rows into documents that can be read one after the other."""

import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import IO, NamedTuple

_STEP, _STEPS = 1 << 16, 8
"""A document has about so many steps of so many bytes: some hundred rows."""
_START, _ROW_END, _END = b"<sheetData>", b"</row>", b"</sheetData>"
_TAIL = b"</sheetData></worksheet>"
# A row without its number stands behind the one before, which is in another document.
_NUMBERED = re.compile(rb'\s*<row\b[^<>]*?\sr="\d+"')
_MARK, _DECLARATION = b"!", b"<!"
"""The second begins a comment or marked text, in which a tag is none; the first alone is found faster."""


class NotPlain(Exception):
    """A sheet that cannot be cut as most can: only a reader that sees it whole can tell what it says."""


class Piece(NamedTuple):
    """Some rows of a sheet, and what stands above its first row."""

    head: bytes
    rows: bytes

    def sheet(self) -> bytes:
        """The XML of a sheet with these rows alone."""
        return b"".join((self.head, self.rows, _TAIL))


def cut(xml: IO[bytes]) -> Iterator[Piece]:
    """Pieces which together are the sheet; raises NotPlain, at once or later.

    Plain is a sheet without name-space prefixes, comments and marked text, whose rows say their number. `xml`
    is read to its end, so that its check sum is compared.
    """
    head, rest = _head(xml)
    first = True
    # The end stands behind the last row: nothing else of what was read has to be searched for it.
    while (end := rest.find(_END, max(0, rest.rfind(_ROW_END)))) < 0:
        rows, row_end, behind = rest.rpartition(_ROW_END)
        if row_end:
            yield _piece(head, rows + row_end, first=first)
            first, rest = False, behind
        more = [*islice(iter(partial(xml.read, _STEP), b""), _STEPS)]
        if not more:
            raise NotPlain
        rest = b"".join((rest, *more))
    if first or rest[:end].strip():
        yield _piece(head, rest[:end], first=first)
    while xml.read(_STEP):
        pass


def _head(xml: IO[bytes]) -> tuple[bytes, bytes]:
    """What stands above the first row, and the bytes behind it that were read as well."""
    read = xml.read(_STEP)
    at = read.find(_START) + len(_START)
    if at < len(_START) or _DECLARATION in read[:at]:
        raise NotPlain
    return read[:at], read[at:]


def _piece(head: bytes, rows: bytes, *, first: bool) -> Piece:
    if (_MARK in rows and _DECLARATION in rows) or not (first or _NUMBERED.match(rows)):
        raise NotPlain
    return Piece(head, rows)
