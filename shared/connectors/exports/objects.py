"""JSON files that hold one array of objects, read one object at a time."""

import codecs
import json
from collections.abc import Iterator
from typing import Any

from shared.connectors.exports import header
from shared.connectors.exports.files import Files, checked
from shared.core.reading.codes import FindingCode
from shared.core.reading.export import Object
from shared.core.reading.finding import Remark
from shared.core.reading.source import Opened, Row, Unreadable

_PIECE = 1 << 18
_BLANKS = " \t\r\n"


def opened(folder: Files, entry: Object) -> Opened:
    """The objects of a JSON array, which is read to its end once before: a cut file gives no record."""
    remarks = list(checked(folder, entry.file))
    names: dict[str, None] = {}
    for _line, record in _records(folder, entry.file):
        names |= dict.fromkeys(record)
    if names:
        remarks += header.checked(entry, list(names), 1)
    return Opened(tuple(names), tuple(remarks), _rows(folder, entry))


def _rows(folder: Files, entry: Object) -> Iterator[Row]:
    for line, record in _records(folder, entry.file):
        yield Row(entry.file, line, record)


def _records(folder: Files, path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    text = _Text(folder, path)
    text.expect("[")
    while (following := text.peek()) != "]":
        if following == ",":
            text.expect(",")
            text.peek()
        line = text.line
        record = text.value()
        if not isinstance(record, dict):
            raise Unreadable(Remark(FindingCode.FILE_MALFORMED, f"line {line}: not an object"))
        yield line, record


class _Text:
    """A JSON text that is read as far as the next value needs."""

    def __init__(self, folder: Files, path: str) -> None:
        self._stream = folder.stream(path)
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()
        self._held = ""
        self._at = 0
        self._over = False
        self.line = 1

    def peek(self) -> str:
        """The next character that is no blank."""
        while True:
            while self._at < len(self._held) and self._held[self._at] in _BLANKS:
                self.line += self._held[self._at] == "\n"
                self._at += 1
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more():
                raise self._broken("the file ends inside the array")

    def expect(self, character: str) -> None:
        """Go past a character that has to be the next one."""
        if self.peek() != character:
            raise self._broken(f"“{character}” is expected")
        self._at += 1

    def value(self) -> Any:
        """The next value, whole."""
        self.peek()
        while True:
            try:
                value, end = self._json.raw_decode(self._held, self._at)
            except json.JSONDecodeError as error:
                if self._more():
                    continue
                self.line += self._held.count("\n", self._at, error.pos)
                raise self._broken("the file ends inside a value, or is not JSON") from error
            # A number at the end of what is held may go on behind it.
            if end < len(self._held) or not self._more():
                self.line += self._held.count("\n", self._at, end)
                self._at = end
                return value

    def _more(self) -> bool:
        if self._over:
            return False
        kept = self._held[self._at :]
        # Twice as much each time, so that a value of any length is tried only a few times.
        piece = self._stream.read(max(_PIECE, len(kept)))
        self._over = not piece
        self._held, self._at = kept + self._decoder.decode(piece, final=self._over), 0
        if self._over:
            self._stream.close()
        return not self._over

    def _broken(self, rule: str) -> Unreadable:
        self._stream.close()
        return Unreadable(Remark(FindingCode.FILE_MALFORMED, f"line {self.line}: {rule}"))
