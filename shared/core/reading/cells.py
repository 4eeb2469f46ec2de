"""Rows become typed values: column by column for many rows at once, cell by cell where something is odd.

Most cells of an export are as they are meant. Whether they are is asked of a whole column in a few calls of
native code (`Whole.plain`); only a column in which something may be odd is read one cell after the other. The
outcome is the same.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple, TypeGuard

from shared.core.reading import kinds
from shared.core.reading.codes import FindingCode
from shared.core.reading.export import Column, Object
from shared.core.reading.finding import Remark
from shared.core.reading.kinds import Kind, Whole
from shared.core.reading.source import Row, Unreadable

_AT_ONCE = 200
_A_FEW = 25

More = Callable[[Column, Any, Row], tuple[Remark, ...]]
"""What else is odd about a value, beyond its cell: a body is for an HTML parser to look at."""


class Typed(NamedTuple):
    """A row as read: values by column, None for a blank or an unreadable one, and what is odd in them."""

    row: Row
    values: dict[str, Any]
    remarks: Sequence[Remark]


def _nothing(_column: Column, _value: Any, _row: Row) -> tuple[Remark, ...]:
    return ()


def read(entry: Object, rows: Iterable[Row], more: More = _nothing) -> Iterator[Typed]:
    """Every row, in its order; raises Unreadable where `rows` does, after the rows before that."""
    coming = iter(rows)
    while True:
        some: list[Row] = []
        try:
            some.extend(islice(coming, _AT_ONCE))
        except Unreadable:
            yield from _read(entry, some, more)
            raise
        if not some:
            return
        yield from _read(entry, some, more)


def read_row(entry: Object, row: Row, more: More = _nothing) -> Typed:
    """One row; of a torn one the key alone."""
    values: dict[str, Any] = {}
    remarks: list[Remark] = []
    for column in entry.columns:
        if row.torn and column.name not in entry.key:
            continue
        value, told = _cell(column, row.cells.get(column.name), row, more)
        values[column.name] = value
        remarks += told
    return Typed(row, values, remarks)


def _read(entry: Object, rows: list[Row], more: More) -> Iterator[Typed]:
    if any(row.torn for row in rows):
        for row in rows:
            yield read_row(entry, row, more)
        return
    odd: dict[int, list[Remark]] = {}
    names = [column.name for column in entry.columns]
    columns = [
        _column(column, cells, rows, more, odd)
        for column, cells in zip(entry.columns, _columns(names, rows), strict=True)
    ]
    for place, (row, values) in enumerate(zip(rows, zip(*columns, strict=True), strict=True)):
        yield Typed(row, dict(zip(names, values, strict=True)), odd.get(place, ()))


def _columns(names: list[str], rows: list[Row]) -> Iterable[Sequence[Any]]:
    """The cells of all rows by column; None for a cell that a row does not have."""
    try:
        if len(names) > 1:
            return zip(*map(itemgetter(*names), [row.cells for row in rows]), strict=True)
    except KeyError:
        pass
    return ([row.cells.get(name) for row in rows] for name in names)


def _column(
    column: Column, cells: Sequence[Any], rows: list[Row], more: More, odd: dict[int, list[Remark]]
) -> Sequence[Any]:
    """A column of all rows; what is odd is added to what is known to be, by the row's place.

    One odd cell is no reason to read all the others one by one: those far from it are read in one go.
    """
    if not _is_whole(column.kind):
        return [*_one_by_one(column, cells, rows, more, odd, 0)]
    if (plain := _plain(column, column.kind, cells)) is not None:
        return plain
    values: list[Any] = []
    for first in range(0, len(cells), _A_FEW):
        few = cells[first : first + _A_FEW]
        plain = _plain(column, column.kind, few)
        values += plain if plain is not None else _one_by_one(column, few, rows, more, odd, first)
    return values


def _is_whole(kind: Kind) -> TypeGuard[Whole]:
    return _are_whole(type(kind))


@cache
def _are_whole(kind: type[Kind]) -> bool:
    """Asked once of each kind: the question takes as long as a column of plain texts."""
    return issubclass(kind, Whole)


def _plain(column: Column, kind: Whole, cells: Sequence[Any]) -> Sequence[Any] | None:
    """The values of cells in which nothing is odd; None when something may be."""
    if all(cells):
        return kind.plain(cells)
    held = [cell for cell in cells if cell is not None and cell != ""]
    if column.required and len(held) < len(cells):
        return None
    plain = kind.plain(held)
    if plain is None or len(held) == len(cells):
        return plain
    following = iter(plain)
    return [None if cell is None or cell == "" else next(following) for cell in cells]


def _one_by_one(
    column: Column,
    cells: Sequence[Any],
    rows: list[Row],
    more: More,
    odd: dict[int, list[Remark]],
    first: int,
) -> Iterator[Any]:
    for place, cell in enumerate(cells, first):
        value, told = _cell(column, cell, rows[place], more)
        if told:
            odd.setdefault(place, []).extend(told)
        yield value


def _cell(column: Column, cell: Any, row: Row, more: More) -> tuple[Any, Sequence[Remark]]:
    value: Any = None
    told: tuple[Remark, ...] = ()
    if cell is not None and cell != "":
        reading = kinds.read(column.kind, cell, row.cells)
        value, told = reading.value, (*reading.remarks, *more(column, reading.value, row))
    if column.required and value is None and not told:
        told = (Remark(FindingCode.VALUE_MISSING),)
    return value, [replace(remark, field=column.name) for remark in told]
