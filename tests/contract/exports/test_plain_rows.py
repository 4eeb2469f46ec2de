"""What is read from the bytes of rows is what the native reader tells of them."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineError

from shared.connectors.exports import pieces, plain_rows, sheets
from shared.connectors.exports.package import Package
from shared.connectors.exports.pieces import NotPlain, Piece
from shared.connectors.exports.plain_rows import PlainRows
from tests.contract.exports.test_sheets import SHEET, book, row

WIDTH = 4
PART = "xl/worksheets/sheet1.xml"
PACKAGE = Package(io.BytesIO(book("")))
HEAD = SHEET.partition("%s")[0].encode()
Read = tuple[int, list[tuple[Any, ...]]] | None


def natively(rows: str) -> Read | str:
    """The line of the first row that holds something, and all cells; or that the XML is refused."""
    try:
        read = PACKAGE.with_sheet(PART, Piece(HEAD, rows.encode()).sheet()).get_sheet_by_name("Things")
    except (CalamineError, NotPlain):
        return "refused"
    if read.start is None:
        return None
    left = [""] * read.start[1]
    return read.start[0] + 1, [(*left, *cells) for cells in read.to_python()]


def plainly(rows: str) -> Read | str:
    """The same from the bytes; None where they are left to the native reader."""
    native = sheets._Native(PACKAGE, "Things", PART)
    try:
        return PlainRows(WIDTH, lambda written: native.values(HEAD, written)).read(rows.encode())
    except NotPlain:
        return "refused"


def told(read: Read | str) -> str:
    """What was read, its types and all, but for blanks at the ends of rows."""
    if not isinstance(read, tuple):
        return str(read)
    return repr((read[0], [[*cells, *[""] * (WIDTH - len(cells))] for cells in read[1]]))


def text(said: str, space: str = "", style: str = "") -> str:
    return f'{style} t="inlineStr"><is><t{space}>{said}</t></is></c>'


def value(said: str, kind: str = "") -> str:
    return f"{kind}><v>{said}</v></c>"


def alone(cell: str) -> str:
    return row(1, f'<c r="A1"{cell}')


KEPT = ' xml:space="preserve"'
PLAIN = [
    text("a"), text("Köln \U0001f6b2 ]]> > ' \" _x0_ \x01 \u2028 \ufffe"), text("", KEPT), text(""),
    text(" a\n\t", KEPT), text("a\nb"), text("\u00a0a\u00a0"), text("a", style=' s="1"'),
    text("R&amp;D &lt;b&gt; &quot;x&quot; &apos;y&apos; &amp;lt; &amp;amp;#65;"), text("&#233;&#160;&#8364;"),
    value("416"), value("-0"), value("999128.54", ' t="n"'), value("007"), value("1e5"), value("1E+400"),
    value("5."), value("+5"), value("inf"), value("99999999999999999999999999"), value("abc"), value(" 5 "),
    value("0.1000000000000000055511151231257827021181583404541015625"),
    value("42000", ' s="1"'), value("1.5", ' s="1"'), value("60", ' s="1" t="n"'), value("-5", ' s="1"'),
    value("1.5", ' s="0"'), value("1.5", ' s="9"'),
    value("1", ' t="b"'), value("0", ' t="b"'), value("#N/A", ' t="e"'), value("#REF!", ' s="1" t="e"'),
    value("seven", ' t="str"'), value(" a ", ' t="str"'), *(value(str(at), ' t="s"') for at in range(6)),
]  # fmt: skip
"""Cells as they stand behind their place, which are read from their bytes."""
ODD = [
    text(" a"), text("a\n"), text("\t"), text("a\rb"), text("a\r\nb", KEPT), text("a_x000D_b"),
    text("_x0041_"), text("a&#13;b"), text("&#32;a"), text("&#x41;"), text("&#55296;"), text("&#128690;"),
    text("&nbsp;"), text("a & b"), text("&amp"), text("<b>a</b>"), text("a", ' xml:space="default"'),
    text("a", ' lang="de"'),
    ' t="inlineStr"><is></is></c>', ' t="inlineStr"><is/></c>', ' t="inlineStr"><is><t/></is></c>',
    ' t="inlineStr"><is><r><t>ri</t></r><r><t>ch</t></r></is></c>',
    ' t="inlineStr"><is><t>a</t><rPh sb="0" eb="1"><t>no</t></rPh></is></c>',
    value("a &amp; b", ' t="str"'), value("&#233;"), value("\u0665"), value("é", ' t="str"'), value(""),
    value("7\r"), value("2020-01-01", ' t="d"'),
    value("x", ' t="zz"'), value("1", ' s="1" cm="1"'), value("1", ' t="n" s="1"'), value("1", " s='1'"),
    "></c>", " />", "><v>1</v ></c>",
    "><f>A2*2</f><v>7</v></c>", "><f>A2*2</f></c>", ' t="str"><f>A2</f><v>a</v></c>', "><f/><v></v></c>",
    "><is><t>a</t></is></c>", "><v>1</v><v>2</v></c>", "><v><!-- 1 -->2</v></c>",
]  # fmt: skip
"""Cells that are left to the native reader, whatever it makes of them."""


@pytest.mark.parametrize("cell", PLAIN)
def test_a_plain_cell_is_read_from_its_bytes(cell: str) -> None:
    assert told(plainly(alone(cell))) == told(natively(alone(cell))) != "None"


@pytest.mark.parametrize("cell", ODD)
def test_an_odd_cell_is_left_to_the_native_reader(cell: str) -> None:
    assert plainly(alone(cell)) is None


A, B = f'<c r="A7"{text("a")}', f'<c r="B7"{value("1")}'


@pytest.mark.parametrize(
    "rows",
    [
        row(7, A, B),
        f'<row r="7" spans="1:2" ht="15" x14ac:dyDescent="0.2">{A}</row>\n  {row(8, A.replace("7", "8"))}\n',
        row(7, A, '<c r="B7" s="1"/>', B.replace("B7", "D7")),
        row(7, A) + row(8) + row(9, A.replace("7", "9")),
    ],
)
def test_plain_rows_are_read_from_their_bytes(rows: str) -> None:
    assert told(plainly(rows)) == told(natively(rows)) != "None"


@pytest.mark.parametrize(
    "rows",
    [
        row(7, A) + row(8),
        row(7, '<c r="A7" s="1"/>') + row(8, A.replace("7", "8")),
        row(7, A) + row(9, A.replace("7", "9")),
        row(7, A) + row(7, B),
        row(8, A.replace("7", "8")) + row(7, A),
        row(7, B, A),
        row(7, A, A),
        row(7, A.replace("7", "8")),
        row(7, A.replace("A7", "E7")),
        row(7, A.replace(' r="A7"', "")),
        row(7, A, " "),
        f'<row r="07">{A.replace("7", "07")}</row>',
        f'<row r="7" r="8">{A}</row>',
        f"<row r='7'>{A}</row>",
        f"<row>{A}</row>",
        f'<row r="7">{A}<extLst/></row>',
        f'{row(7, A)}<row r="8"/>',
        row(99999999, A.replace("7", "99999999")),
        row(7, A) + "text",
        "",
        "\n",
    ],
)
def test_rows_in_which_anything_is_odd_are_left_to_the_native_reader(rows: str) -> None:
    assert plainly(rows) is None


def mostly(usual: list[Any], rare: list[Any]) -> st.SearchStrategy[Any]:
    """One of the rare things among about twenty."""
    return st.integers(0, 19).flatmap(lambda roll: st.sampled_from(rare if roll == 13 else usual))


PLAIN_BITS = [
    "a", "é", "\U0001f6b2", "\u00a0", "\x01", "_", "_x0", "41_", "]]>", '"', ";", "#65", "lt", "0", "1.5",
    "&amp;", "&lt;", "&#233;", "&#160;",
]  # fmt: skip
ODD_BITS = [
    " ",
    "\t",
    "\n",
    "\r",
    "_x00",
    "_x0041_",
    "&#10;",
    "&#13;",
    "&#xe9;",
    "&#55296;",
    "&",
    "&#",
    "<",
    "\x85",
]
SAID = st.lists(mostly(PLAIN_BITS, ODD_BITS), max_size=4).map("".join)
STYLE = st.sampled_from(["", ' s="1"', ' s="0"', ' s="7"'])
CELL = st.one_of(
    mostly(PLAIN, ["/>", ' s="1"/>', *ODD]),
    st.builds(text, SAID, st.sampled_from(["", KEPT]), STYLE),
    st.builds(value, st.sampled_from(["0", "1", "-1.5", "60", "61.25", "43831", "1e3"]), STYLE),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda number: value(repr(number))),
)  # fmt: skip
ODD_VALUE = st.builds(
    lambda said, style, kind: value(said, style + kind), SAID, STYLE, st.sampled_from(["", ' t="str"'])
)
PLACES = mostly([[], [0], [0, 1], [1, 3], [0, 1, 2, 3]], [[1, 0], [0, 0], [3, 4]])
ROW = st.tuples(
    mostly([1], [0, 2, -1]),
    PLACES,
    st.lists(CELL, min_size=4, max_size=4) | st.lists(CELL | ODD_VALUE, min_size=4, max_size=4),
    mostly([0], [1]),
)


def laid(rows: list[tuple[int, list[int], list[str], int]]) -> str:
    """Rows of cells, each so many lines below the one before; its cells may name a line beside it."""
    line, laid_rows = 5, []
    for step, places, cells, beside in rows:
        line += step
        named = (f'<c r="{chr(65 + at)}{line + beside}"{cells[number]}' for number, at in enumerate(places))
        laid_rows.append(row(line, *named))
    return "".join(laid_rows)


@given(st.lists(ROW, min_size=1, max_size=4).map(laid))
@settings(max_examples=500, deadline=None)
def test_whatever_is_read_from_its_bytes_is_what_the_native_reader_tells(rows: str) -> None:
    found = plainly(rows)

    assert found is None or told(found) == told(natively(rows))


@pytest.mark.parametrize("head", [b"<worksheet>", b'<?xml version="1.0" encoding="UTF-8"?><worksheet>'])
def test_a_sheet_of_some_columns_in_utf8_may_have_plain_rows(head: bytes) -> None:
    assert plain_rows.may_be_in(head, 25)


@pytest.mark.parametrize(
    ("head", "width"),
    [(b"<?xml version='1.0' encoding='ISO-8859-1'?><worksheet>", 25), (b"<worksheet>", 201)],
)
def test_a_sheet_in_another_encoding_or_of_very_many_columns_has_none(head: bytes, width: int) -> None:
    assert not plain_rows.may_be_in(head, width)


def test_the_native_reader_sees_the_first_rows_and_each_value_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    with_sheet: Callable[[Package, str, bytes], Any] = Package.with_sheet

    def counted(self: Package, part: str, xml: bytes) -> Any:
        seen.append(xml)
        return with_sheet(self, part, xml)

    monkeypatch.setattr(Package, "with_sheet", counted)
    monkeypatch.setattr(pieces, "_STEP", 3_000)
    monkeypatch.setattr(pieces, "_STEPS", 1)
    said = [text("key"), text("R&amp;D"), value("0.5"), value("42000", ' s="1"')]
    rows = [
        row(line, *(f'<c r="{chr(65 + at)}{line}"{cell}' for at, cell in enumerate(said)))
        for line in range(1, 999)
    ]

    blocks = [*sheets.blocks(Package(io.BytesIO(book("".join(rows)))), "Things")]

    assert [(xml.count(b"<row "), xml.count(b'A1"')) for xml in seen] == [(len(blocks[0].rows), 1), (1, 1)]
    assert [cells for block in blocks for cells in map(tuple, block.rows)] == [tuple(blocks[0].rows[0])] * 998
