"""A folder with one text file per record: `Name: value` lines, an empty line, the body."""

import re
from collections.abc import Iterator
from typing import Any

from shared.connectors.exports.files import Files
from shared.core.reading.codes import FindingCode, Severity
from shared.core.reading.export import Object
from shared.core.reading.finding import Remark
from shared.core.reading.source import Opened, Row, Unreadable

NAME, BODY = "(file name)", "(body)"
"""What the file's name and the text behind the empty line are called in a declaration."""

_LINE = re.compile(r"(?P<name>[A-Z][A-Za-z ()#.-]{0,40}):(?: (?P<value>.*))?")


def opened(folder: Files, entry: Object) -> Opened:
    """The records of a folder in the order of their names."""
    paths = sorted(path for path in folder.files() if path.startswith(entry.file) and path.endswith(".txt"))
    if not paths:
        raise Unreadable(Remark(FindingCode.FILE_MISSING, "no text files in the folder"))
    return Opened((), (), _rows(folder, entry, paths))


def _rows(folder: Files, entry: Object, paths: list[str]) -> Iterator[Row]:
    known = {column.name for column in entry.columns}
    for path in paths:
        name = path.removeprefix(entry.file)
        content = folder.content(path)
        if not content.strip():
            empty = Remark(FindingCode.FILE_EMPTY, severity=Severity.HOLD)
            yield Row(path, 1, {NAME: name}, (empty,), torn=True)
            continue
        text, remarks = _decoded(content)
        cells, unread = _parsed(text)
        remarks += [
            Remark(FindingCode.FILE_COLUMN_UNKNOWN, field=field) for field in cells if field not in known
        ]
        if unread:
            detail = f"line {unread}: not “Name: value”"
            remarks.append(Remark(FindingCode.FILE_MALFORMED, detail, severity=Severity.HOLD))
        yield Row(path, 1, {NAME: name, **cells}, tuple(remarks))


def _decoded(content: bytes) -> tuple[str, list[Remark]]:
    """The text: UTF-8, and Windows-1252 where it is not: one record is not worth an export."""
    if (at := content.find(b"\0")) >= 0:
        content = content.replace(b"\0", b"")
        remarks = [Remark(FindingCode.FILE_NUL_BYTE, f"byte {at}", severity=Severity.HOLD)]
    else:
        remarks = []
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        detail = f"byte {error.start}, line {line}: not UTF-8"
        remarks.append(Remark(FindingCode.TEXT_ENCODING, detail))
        return content.decode("cp1252", errors="replace"), remarks
    return text, remarks


def _parsed(text: str) -> tuple[dict[str, Any], int | None]:
    """The cells, and the first line above the body that is none."""
    cells: dict[str, Any] = {}
    lines = text.replace("\r\n", "\n").split("\n")
    unread = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            cells[BODY] = "\n".join(lines[number:])
            break
        if match := _LINE.fullmatch(line):
            cells.setdefault(match["name"], match["value"] or "")
        elif unread is None:
            unread = number
    return cells, unread
