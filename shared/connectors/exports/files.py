"""What the readers ask of a folder, and what is checked of every text file before it is read."""

import codecs
from collections.abc import Mapping
from typing import IO, Protocol

from shared.core.reading.codes import FindingCode
from shared.core.reading.finding import Remark
from shared.core.reading.source import Unreadable

_PIECE = 1 << 20
_LINE_END = b"\n"
_FOREIGN = {codecs.BOM_UTF16_LE: "UTF-16 (little end first)", codecs.BOM_UTF16_BE: "UTF-16 (big end first)"}


class Files(Protocol):
    """A folder of files."""

    def files(self) -> Mapping[str, int]:
        """Sizes by path."""
        ...

    def stream(self, path: str) -> IO[bytes]:
        """A file's bytes."""
        ...

    def content(self, path: str) -> bytes:
        """A file whole."""
        ...


def present(folder: Files, path: str) -> None:
    """Raise Unreadable unless a file is there and has bytes."""
    if path not in folder.files():
        raise Unreadable(Remark(FindingCode.FILE_MISSING))
    if folder.files()[path] == 0:
        raise Unreadable(Remark(FindingCode.FILE_EMPTY))


def checked(folder: Files, path: str) -> tuple[Remark, ...]:
    """Read a text file once, piece by piece, for its encoding and NUL bytes; raises Unreadable."""
    present(folder, path)
    decoder = codecs.getincrementaldecoder("utf-8")()
    remarks: tuple[Remark, ...] = ()
    start, lines = 0, 1
    with folder.stream(path) as stream:
        while piece := stream.read(_PIECE):
            if start == 0:
                _own_encoding(piece)
                if piece.startswith(codecs.BOM_UTF8):
                    remarks = (Remark(FindingCode.FILE_BYTE_ORDER_MARK),)
            if (at := piece.find(b"\0")) >= 0:
                where = f"byte {start + at}, line {lines + piece[:at].count(_LINE_END)}"
                raise Unreadable(Remark(FindingCode.FILE_NUL_BYTE, where))
            _decoded(decoder, piece, start, lines)
            start += len(piece)
            lines += piece.count(b"\n")
    return remarks


def _own_encoding(piece: bytes) -> None:
    for order, name in _FOREIGN.items():
        if piece.startswith(order):
            raise Unreadable(
                Remark(FindingCode.FILE_ENCODING, f"byte 0, line 1: the mark of {name}; UTF-8 is declared")
            )


def _decoded(decoder: codecs.IncrementalDecoder, piece: bytes, start: int, lines: int) -> None:
    held = len(decoder.getstate()[0])
    try:
        decoder.decode(piece)
    except UnicodeDecodeError as error:
        at = error.start - held
        where = f"byte {start + at}, line {lines + piece[: max(at, 0)].count(_LINE_END)}"
        raise Unreadable(Remark(FindingCode.FILE_ENCODING, f"{where}: not UTF-8")) from error
