"""Files of a tiny export, written byte by byte, and a declaration that fits them."""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from shared.core.mapping.transforms import Slashes
from shared.core.reading.export import Column, Format, Object
from shared.core.reading.kinds import Day, Key, Number, Text
from shared.core.reading.moments import Clock

TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
STYLES = f'<styleSheet xmlns="{SHEETS}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'

WriteBook = Callable[[str, dict[str, Sequence[Sequence[Any]]]], Path]


class Formula(str):
    """A formula whose result was never stored."""

    __slots__ = ()


class Counted(str):
    """A formula whose result, 7, is stored."""

    __slots__ = ()


class Serial(float):
    """A day number in a cell that is formatted as a date."""


def _cell(place: str, value: Any) -> str:
    if isinstance(value, Formula):
        return f'<c r="{place}"><f>{escape(value)}</f><v></v></c>'
    if isinstance(value, Counted):
        return f'<c r="{place}"><f>{escape(value)}</f><v>7</v></c>'
    if isinstance(value, Serial):
        return f'<c r="{place}" s="1"><v>{float(value)}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return "" if value is None else f'<c r="{place}"><v>{value}</v></c>'


@pytest.fixture
def write_book(tmp_path: Path) -> WriteBook:
    """Writes a workbook of the given sheets, each a list of rows."""

    def write(name: str, sheets: dict[str, Sequence[Sequence[Any]]]) -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            package.writestr("[Content_Types].xml", TYPES)
            root = f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
            package.writestr("_rels/.rels", f"{LINKS}{root}</Relationships>")
            names = "".join(
                f'<sheet name="{escape(sheet)}" sheetId="{number}" r:id="r{number}"/>'
                for number, sheet in enumerate(sheets, 1)
            )
            book = f'<workbook xmlns="{SHEETS}" xmlns:r="{OFFICE}"><sheets>{names}</sheets></workbook>'
            package.writestr("xl/workbook.xml", book)
            targets = "".join(
                f'<Relationship Id="r{number}" Type="{OFFICE}/worksheet" '
                f'Target="worksheets/sheet{number}.xml"/>'
                for number in range(1, len(sheets) + 1)
            )
            styles = f'<Relationship Id="s" Type="{OFFICE}/styles" Target="styles.xml"/>'
            package.writestr("xl/_rels/workbook.xml.rels", f"{LINKS}{targets}{styles}</Relationships>")
            package.writestr("xl/styles.xml", STYLES)
            for number, rows in enumerate(sheets.values(), 1):
                lines = "".join(
                    f'<row r="{line}">'
                    + "".join(_cell(f"{chr(65 + place)}{line}", value) for place, value in enumerate(row))
                    + "</row>"
                    for line, row in enumerate(rows, 1)
                )
                package.writestr(
                    f"xl/worksheets/sheet{number}.xml",
                    f'<worksheet xmlns="{SHEETS}"><sheetData>{lines}</sheetData></worksheet>',
                )
        return path

    return write


def things(form: Format, file: str, sheet: str | None = None) -> Object:
    """Things with a key, a name, a size and a day."""
    clock = Clock("UTC", Slashes.DAY_FIRST)
    columns = (
        Column("id", Key(), required=True),
        Column("name", Text(20), required=True),
        Column("size", Number()),
        Column("day", Day(clock)),
        Column("note", Text(), optional=True),
    )
    return Object("thing", file, form, ("id",), columns, sheet=sheet)


@pytest.fixture
def declared() -> Callable[..., Object]:
    return things


@pytest.fixture
def formula() -> type[Formula]:
    return Formula


@pytest.fixture
def serial() -> type[Serial]:
    return Serial


@pytest.fixture
def counted() -> type[Counted]:
    return Counted
