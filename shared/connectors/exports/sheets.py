"""The rows of a sheet, some hundred at a time, by the native reader of python-calamine.

That reader holds a sheet whole: its memory grows with the rows. So a plain sheet is cut into `pieces`, and
the reader gets each in a workbook of its own. A sheet of another shape is given to it whole, from the row on
at which that showed: the rows are the same, the memory is not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from python_calamine import CalamineError, CalamineSheet

from shared.connectors.exports import formulas, pieces, plain_rows
from shared.connectors.exports.formulas import Places
from shared.connectors.exports.package import DAMAGED, Package
from shared.connectors.exports.pieces import NotPlain, Piece
from shared.connectors.exports.plain_rows import PlainRows
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
    rows: Sequence[Sequence[Any]]
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


@dataclass(frozen=True, slots=True)
class _Native:
    """A sheet as the native reader reads it, some rows at a time; raises NotPlain where it refuses."""

    package: Package
    name: str
    part: str

    def block(self, piece: Piece) -> Block | None:
        """The rows of a piece, from the first to the last that hold something."""
        xml = piece.sheet()
        read = self._read(xml)
        if read.start is None:
            return None
        return Block(read.start[0] + 1, _placed(read, read.to_python()), formulas.uncounted(xml))

    def values(self, head: bytes, written: Sequence[str]) -> list[Any]:
        """What cells mean that are written like this behind their place; too few if some mean nothing."""
        rows = (f'<row r="{line}"><c r="A{line}"{cell}</row>' for line, cell in enumerate(written, 1))
        read = self._read(Piece(head, "".join(rows).encode()).sheet())
        return [cell for row in read.to_python() for cell in row] if read.start == (0, 0) else []

    def _read(self, xml: bytes) -> CalamineSheet:
        try:
            return self.package.with_sheet(self.part, xml).get_sheet_by_name(self.name)
        except CalamineError as error:
            raise NotPlain from error


def _cut(package: Package, sheet: str) -> Iterator[Block]:
    part = package.part(sheet)
    native = _Native(package, sheet, part)
    plain: PlainRows | None = None
    with package.stream(part) as xml:
        for piece in pieces.cut(xml):
            if plain and (rows := plain.read(piece.rows)):
                yield Block(*rows, formulas.NONE)
            elif block := native.block(piece):
                yield block
                # The first rows are a title and a header: how wide the others are shows in them.
                if plain is None and plain_rows.may_be_in(piece.head, width := len(block.rows[0])):
                    plain = PlainRows(width, partial(native.values, piece.head))


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
