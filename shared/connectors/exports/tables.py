"""CSV files with a header row."""

import csv
import io
from collections.abc import Iterator

from shared.connectors.exports import header
from shared.connectors.exports.files import Files, checked
from shared.core.reading.codes import FindingCode
from shared.core.reading.export import Object
from shared.core.reading.finding import Remark
from shared.core.reading.source import Opened, Row, Unreadable

_LONGEST_CELL = 64 * 1024 * 1024
_OTHER_DELIMITERS = {";": "semicolon", "\t": "tab", "|": "bar"}


def opened(folder: Files, entry: Object) -> Opened:
    """The rows of a CSV file, which is read to its end once before, so that a cut file gives no row."""
    remarks = list(checked(folder, entry.file))
    csv.field_size_limit(_LONGEST_CELL)
    rows = _cells(folder, entry.file)
    line, names = next(rows, (1, []))
    names = [name.strip() for name in names]
    if header.likeness(entry, names) < 0.5:
        raise Unreadable(_foreign(entry, names, line))
    remarks += header.checked(entry, names, line)
    blank = sum(1 for _, cells in rows if not any(cell.strip() for cell in cells))
    if blank:
        remarks.append(Remark(FindingCode.FILE_BLANK_ROWS, f"{blank} rows"))
    return Opened(tuple(names), tuple(remarks), _rows(folder, entry, names))


def _rows(folder: Files, entry: Object, names: list[str]) -> Iterator[Row]:
    rows = _cells(folder, entry.file)
    next(rows)
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        remarks: tuple[Remark, ...] = ()
        if len(cells) != len(names):
            code = FindingCode.ROW_SHORT if len(cells) < len(names) else FindingCode.ROW_LONG
            remarks = (Remark(code, f"line {line}: {len(cells)} cells, {len(names)} columns"),)
        yield Row(entry.file, line, dict(zip(names, cells, strict=False)), remarks, torn=bool(remarks))


def _cells(folder: Files, path: str) -> Iterator[tuple[int, list[str]]]:
    """Every row with the line it begins in; raises Unreadable where quotes are out of order."""
    with folder.stream(path) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        reader = csv.reader(text, strict=True)
        before = 0
        try:
            for cells in reader:
                yield before + 1, cells
                before = reader.line_num
        except csv.Error as error:
            unclosed = "end of data" in str(error)
            code = FindingCode.FILE_QUOTE_UNCLOSED if unclosed else FindingCode.FILE_QUOTE_MISPLACED
            raise Unreadable(Remark(code, f"in the row that begins in line {before + 1}")) from error


def _foreign(entry: Object, names: list[str], line: int) -> Remark:
    for delimiter, word in _OTHER_DELIMITERS.items():
        parts = [part.strip() for name in names for part in name.split(delimiter)]
        if header.likeness(entry, parts) >= 0.5:
            return Remark(FindingCode.FILE_DELIMITER, f"line {line}: separated by a {word}, not by a comma")
    return Remark(FindingCode.FILE_HEADER_MISSING, f"line {line} does not hold the declared columns")
