"""The rows of a sheet, some hundred at a time, by the native reader of python-calamine.

That reader holds a sheet whole: its memory grows with the rows. So a plain sheet is cut into `pieces`, and
the reader gets each in a workbook of its own. A sheet of another shape is given to it whole, from the row on
at which that showed: the rows are the same, the memory is not.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from python_calamine import CalamineError, CalamineSheet

from shared.connectors.exports import formulas, pieces
from shared.connectors.exports.formulas import Places
from shared.connectors.exports.package import DAMAGED, Package
from shared.connectors.exports.pieces import NotPlain
from shared.core.reading.codes import FindingCode
from shared.core.reading.finding import Remark
from shared.core.reading.source import Unreadable

_AT_ONCE = 500
_DAMAGED = "the packed bytes behind it are damaged"


class Block(NamedTuple):
    """Rows that follow each other: the line of the first, from 1; the cells of each from the sheet's first
    column on, an empty text for none; and which cells of the sheet have a formula without its result.
    """

    line: int
    rows: list[list[Any]]
    uncounted: Places

    @property
    def last(self) -> int:
        """The line of the last row."""
        return self.line + len(self.rows) - 1


def blocks(package: Package, sheet: str) -> Iterator[Block]:
    """Every row that holds something, in the order of the lines; between blocks there may be blank ones.

    Raises Unreadable, at once or later, for a sheet whose bytes or XML are broken.
    """
    line = 0
    try:
        for block in _cut(package, sheet):
            if block.line <= line:
                raise _broken(sheet, line, f"followed by line {block.line}")
            yield block
            line = block.last
    except NotPlain:
        yield from _whole(package, sheet, line)
    except DAMAGED as error:
        raise _broken(sheet, line, _DAMAGED) from error


def _cut(package: Package, sheet: str) -> Iterator[Block]:
    part = package.part(sheet)
    with package.stream(part) as xml:
        for piece in pieces.cut(xml):
            try:
                read = package.with_sheet(part, piece).get_sheet_by_name(sheet)
            except CalamineError as error:
                raise NotPlain from error
            if read.start is None:
                continue
            rows = _placed(read, read.to_python())
            yield Block(read.start[0] + 1, rows, formulas.uncounted(piece))


def _whole(package: Package, sheet: str, after: int) -> Iterator[Block]:
    """The rows below a line, of a sheet that is held whole."""
    try:
        read = package.whole().get_sheet_by_name(sheet)
    except CalamineError as error:
        raise _broken(sheet, after, "the XML behind it breaks off, or is none") from error
    uncounted = _uncounted(package, sheet, after)
    rows = islice(read.iter_rows(), after, None)
    while some := list(islice(rows, _AT_ONCE)):
        yield Block(after + 1, _placed(read, some), uncounted)
        after += len(some)


def _placed(read: CalamineSheet, rows: list[list[Any]]) -> list[list[Any]]:
    """Rows with their first columns, which the native reader leaves out where all are blank."""
    blank = read.start[1] if read.start else 0
    return [[*[""] * blank, *row] for row in rows] if blank else rows


def _uncounted(package: Package, sheet: str, after: int) -> Places:
    try:
        with package.stream(package.part(sheet)) as xml:
            return formulas.uncounted(xml.read())
    except NotPlain:
        return frozenset()
    except DAMAGED as error:
        raise _broken(sheet, after, _DAMAGED) from error


def _broken(sheet: str, line: int, rule: str) -> Unreadable:
    return Unreadable(Remark(FindingCode.FILE_MALFORMED, f"sheet “{sheet}”, line {line}: {rule}"))
