"""Workbooks: where the header stands, and the rows below it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from shared.connectors.exports import header, sheets
from shared.connectors.exports.files import Files, present
from shared.connectors.exports.formulas import Places
from shared.connectors.exports.package import Package
from shared.connectors.exports.sheets import Block
from shared.core.reading.codes import FindingCode
from shared.core.reading.export import Object
from shared.core.reading.finding import Remark
from shared.core.reading.source import Opened, Row, Unreadable

_TITLE_ROWS = 20


def opened(folder: Files, entry: Object) -> Opened:
    """The rows of a sheet below its header, which may stand below a title.

    They are read as they are asked for. How many are blank, and whether the sheet is broken further down,
    shows when they have gone by.
    """
    present(folder, entry.file)
    blocks = _blocks(folder, entry)
    top = _top(blocks)
    line, left, names = _header(entry, top)
    remarks = list(header.checked(entry, names, line))
    if line > 1:
        remarks.append(Remark(FindingCode.FILE_TITLE_ROWS, f"{line - 1} rows"))
    below = _Below(entry.file, line, left, names, chain(top, blocks))
    return Opened(tuple(names), tuple(remarks), below.rows(), below.remarks)


def sheet_names(folder: Files, path: str) -> tuple[str, ...]:
    """The names of a workbook's sheets; raises Unreadable."""
    present(folder, path)
    with folder.stream(path) as stream:
        return tuple(name.strip() for name in Package(stream).sheets())


def _blocks(folder: Files, entry: Object) -> Iterator[Block]:
    with folder.stream(entry.file) as stream:
        package = Package(stream)
        named = {name.strip(): name for name in package.sheets()}
        if entry.sheet not in named:
            raise Unreadable(
                Remark(FindingCode.FILE_SHEET_MISSING, f"no sheet “{entry.sheet}” among {len(named)}")
            )
        yield from sheets.blocks(package, named[entry.sheet])


def _top(blocks: Iterator[Block]) -> list[Block]:
    """The blocks in which a header may stand."""
    top: list[Block] = []
    for block in blocks:
        top.append(block)
        if block.last >= _TITLE_ROWS:
            break
    return top


def _header(entry: Object, top: Iterable[Block]) -> tuple[int, int, list[str]]:
    """The header's line; how many columns are left out, which are blank in all first rows; and the names."""
    rows = [row for block in top for row in enumerate(block.rows, block.line) if row[0] <= _TITLE_ROWS]
    best = max(rows, key=lambda row: header.likeness(entry, row[1]), default=(1, []))
    if header.likeness(entry, best[1]) < 0.5:
        raise Unreadable(
            Remark(
                FindingCode.FILE_HEADER_MISSING,
                f"sheet {entry.sheet}, line 1 does not hold the declared columns",
            )
        )
    left = min(next((place for place, cell in enumerate(row) if cell != ""), len(row)) for _, row in rows)
    said = [str(cell).strip() for cell in best[1][left:]]
    while said and not said[-1]:
        said.pop()
    return best[0], left, said


@dataclass(slots=True)
class _Below:
    """What stands below the header, which is in `line` behind `left` blank columns.

    How many rows are `blank` is known once all have gone by.
    """

    file: str
    line: int
    left: int
    header: list[str]
    blocks: Iterable[Block]
    blank: int = field(default=0, init=False)

    def rows(self) -> Iterator[Row]:
        """Every row that says something."""
        width, said, last = self.left + len(self.header), 0, self.line
        for block in self.blocks:
            short = width - len(block.rows[0])
            rows = [[*cells, *[""] * short] for cells in block.rows] if short > 0 else block.rows
            tidy = short >= 0 and not block.uncounted and not self.left
            for line, cells in enumerate(rows, block.line):
                if line > self.line and any(map(_says, cells)):
                    said += 1
                    remarks = () if tidy else self._odd(line, cells, block.uncounted)
                    named = zip(self.header, cells[self.left :] if self.left else cells, strict=False)
                    yield Row(self.file, line, dict(named), remarks)
            last = max(last, block.last)
        self.blank = last - self.line - said

    def remarks(self) -> tuple[Remark, ...]:
        """What shows once all rows have gone by."""
        return (Remark(FindingCode.FILE_BLANK_ROWS, f"{self.blank} rows"),) if self.blank else ()

    def _odd(self, line: int, cells: Sequence[Any], uncounted: Places) -> tuple[Remark, ...]:
        told = [
            Remark(FindingCode.CELL_FORMULA_WITHOUT_VALUE, f"line {line}", name)
            for place, name in enumerate(self.header, self.left)
            if (line, place) in uncounted
        ]
        if any(map(_says, cells[: self.left])):
            told.append(Remark(FindingCode.ROW_LONG, f"line {line}: cells before the first column"))
        if any(map(_says, cells[self.left + len(self.header) :])):
            told.append(Remark(FindingCode.ROW_LONG, f"line {line}: cells beyond the last column"))
        return tuple(told)


def _says(cell: Any) -> bool:
    return not cell.isspace() if cell and isinstance(cell, str) else cell not in {None, ""}
