"""A workbook of one sheet, as we write it: the same bytes for the same rows, and no text that is a formula.

Text that looks like a formula is data everywhere else. In a spreadsheet somebody may open it, so here, and
only here, it gets an apostrophe before it, the mark by which spreadsheets themselves say that a cell is text.
"""

import datetime as dt
import io
import re
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from shared.core.imports import Cell

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"
_PACKAGE = "application/vnd.openxmlformats-package.relationships+xml"
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_ZERO = dt.datetime(1899, 12, 30)  # noqa: DTZ001  # a sheet's day count knows no zone
_FIRST_DAY = dt.date(1900, 3, 1)
"""Before it spreadsheets count a day that never was, or do not count at all."""

_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_REFUSED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONGEST = 32_767
"""Characters a cell can hold."""

_MADE = (1980, 1, 1, 0, 0, 0)
"""The time every part of the archive is given: the oldest it can tell."""

# Style 1 is a day, style 2 a day with its time, style 3 text that stays text when somebody edits it.
_STYLES = (
    f'<styleSheet xmlns="{_SHEETS}"><fonts count="1"><font/></fonts>'
    '<fills count="1"><fill/></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf/>'
    '<xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="22" applyNumberFormat="1"/>'
    '<xf numFmtId="49" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


def neutral(text: str) -> str:
    """Text that no spreadsheet takes for a formula; what reads it takes one apostrophe away again."""
    return f"'{text}" if text.startswith(_ACTIVE) else text


def workbook(sheet: str, rows: Sequence[Sequence[Cell]]) -> bytes:
    """A workbook with these rows; raises ValueError for text that no cell can hold."""
    parts = {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Default Extension="rels" ContentType="{_PACKAGE}"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/></Types>'
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{_LINKS}"><Relationship Id="r1" Type="{_OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_SHEETS}" xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name={quoteattr(sheet)} sheetId="1" r:id="r1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'<Relationships xmlns="{_LINKS}"><Relationship Id="r1" Type="{_OFFICE}/worksheet" '
            f'Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{_OFFICE}/styles" '
            'Target="styles.xml"/></Relationships>'
        ),
        "xl/styles.xml": _STYLES,
        "xl/worksheets/sheet1.xml": (
            f'<worksheet xmlns="{_SHEETS}"><sheetData>{"".join(_rows(rows))}</sheetData></worksheet>'
        ),
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in parts.items():
            part = zipfile.ZipInfo(name, _MADE)
            part.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(part, _HEAD + content)
    return made.getvalue()


def _rows(rows: Sequence[Sequence[Cell]]) -> list[str]:
    return [
        f'<row r="{line}">{"".join(_cell(place, line, value) for place, value in enumerate(row))}</row>'
        for line, row in enumerate(rows, 1)
    ]


def _cell(place: int, line: int, value: Cell) -> str:
    where = f"{_letters(place)}{line}"
    if value is None or value == "":
        return ""
    if isinstance(value, dt.datetime):
        return f'<c r="{where}" s="2"><v>{(value - _ZERO) / dt.timedelta(days=1)!r}</v></c>'
    if isinstance(value, dt.date) and value >= _FIRST_DAY:
        return f'<c r="{where}" s="1"><v>{(value - _ZERO.date()).days}</v></c>'
    if isinstance(value, Decimal):
        return f'<c r="{where}"><v>{value:f}</v></c>'
    text = neutral(value.isoformat() if isinstance(value, dt.date) else value)
    if len(text) > _LONGEST or _REFUSED.search(text):
        raise ValueError("a text that no cell can hold")
    # A carriage return would be read as a line feed, unless it is told by its number.
    said = escape(text, {"\r": "&#13;"})
    return f'<c r="{where}" s="3" t="inlineStr"><is><t xml:space="preserve">{said}</t></is></c>'


def _letters(place: int) -> str:
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
