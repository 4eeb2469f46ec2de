"""Workbooks, by the native reader of python-calamine."""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from shared.connectors.exports import header
from shared.connectors.exports.files import Files, present
from shared.core.reading.codes import FindingCode
from shared.core.reading.export import Object
from shared.core.reading.finding import Remark
from shared.core.reading.source import Opened, Row, Unreadable

_TITLE_ROWS = 20
_LARGEST_INSIDE = 2 * 1024**3
# A formula's text is escaped, so that it holds no bracket; an empty text (t="str") is a stored result.
_FORMULA = re.compile(
    rb'<c r="([A-Z]+)(\d+)"(?![^>]*\bt="str")[^>]*>\s*<f[^>]*?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>'
)
_FORMULA_TAG = b"<f"
_PIECE = 1 << 20
_LINK = re.compile(rb"<Relationship\b[^>]*>")
_SHEET = re.compile(rb"<sheet\b[^>]*>")


def opened(folder: Files, entry: Object) -> Opened:
    """The rows of a sheet below its header, which may stand below a title."""
    present(folder, entry.file)
    content = folder.content(entry.file)
    book = _book(content)
    names = {name.strip(): name for name in book.sheet_names}
    if entry.sheet not in names:
        raise Unreadable(
            Remark(FindingCode.FILE_SHEET_MISSING, f"no sheet “{entry.sheet}” among {len(names)}")
        )
    sheet = book.get_sheet_by_name(names[entry.sheet])
    line, names_there = _header(entry, islice(_lines(sheet), _TITLE_ROWS))
    remarks = list(header.checked(entry, names_there, line))
    if line > 1:
        remarks.append(Remark(FindingCode.FILE_TITLE_ROWS, f"{line - 1} rows"))
    blank = sum(not any(map(_says, cells)) for _, cells in islice(_lines(sheet), line, None))
    if blank:
        remarks.append(Remark(FindingCode.FILE_BLANK_ROWS, f"{blank} rows"))
    uncounted = _uncounted(content, names[entry.sheet])
    below = islice(_lines(sheet), line, None)
    return Opened(tuple(names_there), tuple(remarks), _rows(entry, names_there, below, uncounted))


def _lines(sheet: CalamineSheet) -> Iterator[tuple[int, list[Any]]]:
    """Every line with its number. The native reader holds the sheet; a line is made when it is asked for."""
    return enumerate(sheet.iter_rows(), 1)


def sheets(folder: Files, path: str) -> tuple[str, ...]:
    """The names of a workbook's sheets; raises Unreadable."""
    present(folder, path)
    return tuple(name.strip() for name in _book(folder.content(path)).sheet_names)


def _book(content: bytes) -> CalamineWorkbook:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            inside = sum(part.file_size for part in package.infolist())
    except zipfile.BadZipFile as error:
        raise Unreadable(Remark(FindingCode.FILE_NOT_A_WORKBOOK, _instead(content))) from error
    if inside > _LARGEST_INSIDE:
        raise Unreadable(Remark(FindingCode.FILE_NOT_A_WORKBOOK, f"{inside} bytes once unpacked"))
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(content))
    except CalamineError as error:
        raise Unreadable(
            Remark(FindingCode.FILE_NOT_A_WORKBOOK, "a zip archive, but no workbook in it")
        ) from error


def _instead(content: bytes) -> str:
    start = content[:512].lstrip().lower()
    if start.startswith(b"pk\x03\x04"):
        return f"byte {len(content)}: a workbook that ends before its directory: it was cut"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return "byte 0: a workbook of the older binary format, or one with a password"
    if start.startswith(b"<"):
        return "byte 0: a web page or XML under the name of a workbook"
    return "byte 0: not a zip archive"


def _header(entry: Object, rows: Iterable[tuple[int, list[Any]]]) -> tuple[int, list[str]]:
    best = max(rows, key=lambda row: header.likeness(entry, row[1]), default=(1, []))
    if header.likeness(entry, best[1]) < 0.5:
        raise Unreadable(
            Remark(
                FindingCode.FILE_HEADER_MISSING,
                f"sheet {entry.sheet}, line 1 does not hold the declared columns",
            )
        )
    names = [str(cell).strip() for cell in best[1]]
    while names and not names[-1]:
        names.pop()
    return best[0], names


def _rows(
    entry: Object,
    names: list[str],
    rows: Iterable[tuple[int, list[Any]]],
    uncounted: set[tuple[int, int]],
) -> Iterator[Row]:
    width = len(names)
    for line, cells in rows:
        if not any(map(_says, cells)):
            continue
        remarks: tuple[Remark, ...] = ()
        if uncounted:
            remarks = tuple(
                Remark(FindingCode.CELL_FORMULA_WITHOUT_VALUE, f"line {line}", names[place])
                for place in range(width)
                if (line, place) in uncounted
            )
        if len(cells) > width and any(map(_says, cells[width:])):
            remarks = (*remarks, Remark(FindingCode.ROW_LONG, f"line {line}: cells beyond the last column"))
        yield Row(entry.file, line, dict(zip(names, cells, strict=False)), remarks)


def _says(cell: Any) -> bool:
    return not cell.isspace() if cell and isinstance(cell, str) else cell not in {None, ""}


def _uncounted(content: bytes, sheet: str) -> set[tuple[int, int]]:
    """The cells, by line and place, whose formula has no stored result: they read as blanks."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        part = _part(package, sheet)
        if part not in package.namelist() or not _has_formulas(package, part):
            return set()
        xml = package.read(part)
    return {(int(line), _place(letters)) for letters, line in _FORMULA.findall(xml)}


def _has_formulas(package: zipfile.ZipFile, part: str) -> bool:
    """Whether a sheet has any; most have none, and are not held in memory to see that."""
    with package.open(part) as xml:
        end = b""
        while piece := xml.read(_PIECE):
            if _FORMULA_TAG in end + piece:
                return True
            end = piece[1 - len(_FORMULA_TAG) :]
    return False


def _part(package: zipfile.ZipFile, sheet: str) -> str:
    links = {
        _attribute(link, b"Id"): _attribute(link, b"Target")
        for link in _LINK.findall(package.read("xl/_rels/workbook.xml.rels"))
    }
    for tag in _SHEET.findall(package.read("xl/workbook.xml")):
        if _attribute(tag, b"name") == sheet:
            target = links.get(_attribute(tag, b"r:id"), "")
            return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return ""


def _attribute(tag: bytes, name: bytes) -> str:
    match = re.search(rb"\s" + name + rb'="([^"]*)"', tag)
    return match[1].decode().replace("&amp;", "&") if match else ""


def _place(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1
