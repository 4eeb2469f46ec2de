"""A workbook as the zip archive of parts it is."""

import io
import re
import zipfile
import zlib
from functools import cached_property
from typing import IO

from python_calamine import CalamineError, CalamineWorkbook

from shared.connectors.exports import shared_texts
from shared.connectors.exports.pieces import NotPlain
from shared.connectors.exports.shared_texts import SharedTexts
from shared.core.reading.codes import FindingCode
from shared.core.reading.finding import Remark
from shared.core.reading.source import Unreadable

_LARGEST_INSIDE = 2 * 1024**3
_BOOK, _LINKS, _TEXTS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"
_FRAME = ("[Content_Types].xml", "_rels/.rels", _BOOK, _LINKS, "xl/styles.xml")
"""What the native reader needs of a workbook beside the sheet and the texts its cells share."""
_LINK = re.compile(rb"<Relationship\b[^>]*>")
_SHEET = re.compile(rb"<sheet\b[^>]*>")

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError)
"""What is raised where packed bytes are not those that were packed."""


class Package:
    """The parts of a workbook, whose file stays open; raises Unreadable for what is none."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        try:
            self._parts = zipfile.ZipFile(stream)
        except zipfile.BadZipFile as error:
            raise Unreadable(Remark(FindingCode.FILE_NOT_A_WORKBOOK, _instead(stream))) from error
        inside = sum(part.file_size for part in self._parts.infolist())
        if inside > _LARGEST_INSIDE:
            raise Unreadable(Remark(FindingCode.FILE_NOT_A_WORKBOOK, f"{inside} bytes once unpacked"))
        self._frame = self._read_frame()

    def whole(self) -> CalamineWorkbook:
        """The workbook as the native reader reads it, which holds a sheet whole; raises Unreadable."""
        self._stream.seek(0)
        try:
            return CalamineWorkbook.from_filelike(self._stream)
        except CalamineError as error:
            raise Unreadable(
                Remark(FindingCode.FILE_NOT_A_WORKBOOK, "a zip archive, but no workbook in it")
            ) from error

    def sheets(self) -> tuple[str, ...]:
        """The names of all sheets; raises Unreadable."""
        if _BOOK in self._frame:
            try:
                return tuple(CalamineWorkbook.from_filelike(self._framed({})).sheet_names)
            except CalamineError:
                pass
        return tuple(self.whole().sheet_names)

    def part(self, sheet: str) -> str:
        """The name of the part with a sheet's XML; raises NotPlain where a search does not find it."""
        links = {
            _attribute(link, b"Id"): _attribute(link, b"Target")
            for link in _LINK.findall(self._frame.get(_LINKS, b""))
        }
        for tag in _SHEET.findall(self._frame.get(_BOOK, b"")):
            if _attribute(tag, b"name") == sheet:
                target = links.get(_attribute(tag, b"r:id"), "")
                part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
                if part in self._parts.namelist():
                    return part
        raise NotPlain

    def stream(self, part: str) -> IO[bytes]:
        """A part's bytes, unpacked as they are read; raises NotPlain for one that zipfile does not unpack."""
        try:
            return self._parts.open(part)
        except RuntimeError as error:
            raise NotPlain from error

    @cached_property
    def texts(self) -> SharedTexts:
        """The texts that cells share; raises NotPlain."""
        if _TEXTS not in self._parts.namelist():
            raise NotPlain
        return SharedTexts(self._parts.read(_TEXTS))

    def with_sheet(self, part: str, xml: bytes) -> CalamineWorkbook:
        """This workbook with other XML for one sheet, and without all others; raises NotPlain."""
        held = {part: xml}
        if shared_texts.are_in(xml):
            held[part], held[_TEXTS] = self.texts.used(xml)
        try:
            return CalamineWorkbook.from_filelike(self._framed(held))
        except CalamineError as error:
            raise NotPlain from error

    def _read_frame(self) -> dict[str, bytes]:
        try:
            return {name: self._parts.read(name) for name in _FRAME if name in self._parts.namelist()}
        except DAMAGED as error:
            raise Unreadable(Remark(FindingCode.FILE_MALFORMED, "its packed bytes are damaged")) from error
        except RuntimeError:
            # Encrypted, or packed in a way that zipfile does not know: the native reader may.
            return {}

    def _framed(self, parts: dict[str, bytes]) -> IO[bytes]:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as package:
            for name, content in (self._frame | parts).items():
                package.writestr(name, content)
        made.seek(0)
        return made


def _instead(stream: IO[bytes]) -> str:
    length = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    start = stream.read(512).lstrip().lower()
    if start.startswith(b"pk\x03\x04"):
        return f"byte {length}: a workbook that ends before its directory: it was cut"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return "byte 0: a workbook of the older binary format, or one with a password"
    if start.startswith(b"<"):
        return "byte 0: a web page or XML under the name of a workbook"
    return "byte 0: not a zip archive"


def _attribute(tag: bytes, name: bytes) -> str:
    match = re.search(rb"\s" + name + rb'="([^"]*)"', tag)
    return match[1].decode().replace("&amp;", "&") if match else ""
