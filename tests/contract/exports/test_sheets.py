"""A sheet that is read piece by piece is the sheet that the native reader reads whole."""

import io
import re
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from mappers.legrand.export import EXPORT
from shared.connectors.exports import formulas, package, pieces, sheets
from shared.connectors.exports.folder import Folder
from shared.connectors.exports.package import Package
from shared.core.reading import cells
from shared.core.reading.export import Format, Object
from shared.core.reading.source import Unreadable
from tests.contract.exports.conftest import LINKS, OFFICE, SHEETS, STYLES, TYPES
from tests.data.exports import build

Declared = Callable[..., Object]
Line = tuple[int, list[Any]]
HEAD = '<row r="1">' + "".join(
    f'<c r="{letter}1" t="inlineStr"><is><t>{name}</t></is></c>'
    for letter, name in zip("ABCD", ("id", "name", "size", "day"), strict=True)
) + "</row>"  # fmt: skip
SHEET = f'<worksheet xmlns="{SHEETS}"><dimension ref="A1:B2"/><sheetData>%s</sheetData></worksheet>'
SHARED = (
    f'<sst xmlns="{SHEETS}" count="9" uniqueCount="6"><si><t>one</t></si>'
    '<si><t xml:space="preserve"> two </t></si>'
    '<si/><si><r><rPr><b/></rPr><t>ri</t></r><r><t>ch</t></r><rPh sb="0" eb="1"><t>no</t></rPh></si>'
    "<si><t>a_x000D_\nb &amp; ü</t></si><si><t></t></si></sst>"
)


def book(rows: str, *, sheet: str = SHEET, texts: str = SHARED) -> bytes:
    """A workbook of one sheet, Things."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("[Content_Types].xml", TYPES)
        root = f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        zipped.writestr("_rels/.rels", f"{LINKS}{root}</Relationships>")
        listed = '<sheets><sheet name="Things" sheetId="1" r:id="r1"/></sheets>'
        zipped.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{SHEETS}" xmlns:r="{OFFICE}">{listed}</workbook>'
        )
        target = f'<Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        zipped.writestr("xl/_rels/workbook.xml.rels", f"{LINKS}{target}</Relationships>")
        zipped.writestr("xl/styles.xml", STYLES)
        zipped.writestr("xl/sharedStrings.xml", texts)
        zipped.writestr("xl/worksheets/sheet1.xml", sheet % rows)
    return made.getvalue()


def by_pieces(content: bytes, name: str = "Things") -> tuple[list[Line], set[tuple[int, int]]]:
    """The lines that hold something, blanks at their end aside, and their formulas without a result."""
    found: list[Line] = []
    uncounted: set[tuple[int, int]] = set()
    for block in sheets.blocks(Package(io.BytesIO(content)), name):
        found += _told(enumerate(block.rows, block.line))
        uncounted |= block.uncounted
    return found, _in(found, uncounted)


def whole(content: bytes, name: str = "Things") -> tuple[list[Line], set[tuple[int, int]]]:
    """The same by the native reader alone, as sheets were read before they were cut."""
    read = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name(name)
    opened = Package(io.BytesIO(content))
    try:
        uncounted = set(formulas.uncounted(opened.stream(opened.part(name)).read()))
    except pieces.NotPlain:
        uncounted = set()
    left = [""] * (read.start or (0, 0))[1]
    found = _told(enumerate(([*left, *row] for row in read.iter_rows()), 1))
    return found, _in(found, uncounted)


def _in(found: list[Line], uncounted: set[tuple[int, int]]) -> set[tuple[int, int]]:
    """A row that says nothing is none, whatever formulas it has."""
    lines = {line for line, _ in found}
    return {place for place in uncounted if place[0] in lines}


def _told(lines: Iterable[tuple[int, Sequence[Any]]]) -> list[Line]:
    told: list[Line] = []
    for line, row in lines:
        kept = list(row)
        while kept and kept[-1] == "":
            kept.pop()
        if kept:
            told.append((line, kept))
    return told


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a few rows, so that a small sheet has many."""
    monkeypatch.setattr(pieces, "_STEP", 700)
    monkeypatch.setattr(pieces, "_STEPS", 1)


@pytest.fixture
def never_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sheet that has to be read whole fails the test."""

    def refuse(_self: Package) -> CalamineWorkbook:
        raise AssertionError("the sheet was read whole")

    monkeypatch.setattr(package.Package, "whole", refuse)


def row(line: int, *said: str) -> str:
    return f'<row r="{line}">{"".join(said)}</row>'


CELLS: list[Callable[[str], str]] = [
    lambda at: f'<c r="{at}"><v>1.5</v></c>',
    lambda at: f'<c r="{at}" s="1"><v>42000</v></c>',
    lambda at: f'<c r="{at}" t="b"><v>1</v></c>',
    lambda at: f'<c r="{at}" t="e"><v>#N/A</v></c>',
    lambda at: f'<c r="{at}" s="1"/>',
    lambda at: f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve"> a &lt;b&gt; </t></is></c>',
    lambda at: f'<c r="{at}" t="inlineStr"><is><r><t>ri</t></r><r><t>ch ü</t></r></is></c>',
    lambda at: f'<c r="{at}" t="inlineStr"><is><t></t></is></c>',
    lambda at: f'<c r="{at}" t="inlineStr"><is><t>&#x41; t="str"&gt;</t></is></c>',
    lambda at: f'<c r="{at}" t="str"><f>A1&amp;"x"</f><v>seven</v></c>',
    lambda at: f'<c r="{at}"><f>A1*2</f><v>7</v></c>',
    lambda at: f'<c r="{at}"><f>A1*2</f></c>',
    lambda at: f'<c r="{at}"><f t="shared" si="0"/><v></v></c>',
    *(lambda at, number=number: f'<c r="{at}" s="0" t="s"><v>{number}</v></c>' for number in range(6)),
]  # fmt: skip
GAPS = st.lists(
    st.tuples(st.integers(1, 4), st.lists(st.integers(-1, len(CELLS) - 1), max_size=5)), max_size=30
)


@pytest.mark.usefixtures("small_pieces", "never_whole")
@given(GAPS)
@settings(max_examples=150, deadline=None)
def test_a_plain_sheet_is_the_same_piece_by_piece(gaps: list[tuple[int, list[int]]]) -> None:
    line, rows = 0, []
    for gap, kinds in gaps:
        line += gap
        rows.append(
            row(line, *(CELLS[kind](f"{chr(65 + at)}{line}") for at, kind in enumerate(kinds) if kind >= 0))
        )
    content = book("\n".join(rows))

    assert by_pieces(content) == whole(content)


MANY = [
    row(line, CELLS[0](f"A{line}"), CELLS[11](f"B{line}"), CELLS[16](f"C{line}")) for line in range(1, 99)
]
PREFIXED, SHEET_PREFIXED = (re.sub(r"<(/?)(\w)", r"<\1x:\2", xml) for xml in ("".join(MANY), SHEET))
SHEET_PREFIXED = SHEET_PREFIXED.replace("xmlns", "xmlns:x")


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(
    ("rows", "sheet", "texts"),
    [
        (re.sub(r' r="\w+"', "", "".join(MANY)), SHEET, SHARED),
        (re.sub(r'(<row) (r="\d+")', r'\1 ht="15" \2', "".join(MANY)), SHEET, SHARED),
        ("".join(MANY).replace('"', "'"), SHEET, SHARED),
        ("".join(MANY[:50]) + "<!-- </row> -->" + "".join(MANY[50:]), SHEET, SHARED),
        ("".join(MANY).replace("<v>1.5</v>", "<v><![CDATA[1.5]]></v>", 60), SHEET, SHARED),
        (PREFIXED, SHEET_PREFIXED, SHARED),
        ("".join(MANY), SHEET, SHARED.replace("<si/>", "<!-- <si/> --><si/>")),
        ("".join(MANY).replace('t="s"><v>', 't="s" cm="1"><v>'), SHEET, SHARED),
        ("".join(MANY) + '<row r="120"/>\n', SHEET, SHARED),
        ("", SHEET, SHARED),
        ("", SHEET.replace("<sheetData>%s</sheetData>", "%s<sheetData/>"), SHARED),
        ("".join(MANY), SHEET.replace("<dimension", "<!-- <sheetData> --><dimension"), SHARED),
    ],
    ids=[
        "no numbers", "numbers not first", "other quotes", "a comment", "marked text", "prefixes",
        "a comment among the texts", "attributes behind the type", "an empty row last", "no rows", "no data",
        "a comment above",
    ],
)  # fmt: skip
def test_a_sheet_of_another_shape_is_the_same(rows: str, sheet: str, texts: str) -> None:
    content = book(rows, sheet=sheet, texts=texts)

    assert by_pieces(content) == whole(content)


def test_every_dirty_workbook_is_the_same_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.legrand(tmp_path / "legrand")
    told: list[Any] = []
    for step in (700, 1 << 16):
        monkeypatch.setattr(pieces, "_STEP", step)
        folder = Folder(str(tmp_path / "legrand"))
        told.append(
            [
                (typed.row, typed.values, list(typed.remarks))
                for entry in EXPORT.objects
                if entry.format is Format.WORKBOOK
                for typed in cells.read(entry, folder.open(entry).rows)
            ]
        )
    for path in tmp_path.rglob("*.xlsx"):
        content = path.read_bytes()
        for name in CalamineWorkbook.from_filelike(io.BytesIO(content)).sheet_names:
            assert by_pieces(content, name) == whole(content, name)
    assert told[0] == told[1] != []


def test_a_table_that_stands_to_the_right_is_read_as_any(tmp_path: Path, declared: Declared) -> None:
    head = "".join(
        f'<c r="{letter}2" t="inlineStr"><is><t>{name}</t></is></c>'
        for letter, name in zip("CDEF", ("id", "name", "size", "day"), strict=True)
    )
    rows = row(2, head) + row(3, CELLS[0]("C3"), CELLS[11]("E3")) + row(30, CELLS[2]("A30"), CELLS[0]("C30"))
    (tmp_path / "t.xlsx").write_bytes(book(rows))

    opened = Folder(str(tmp_path)).open(declared(Format.WORKBOOK, "t.xlsx", "Things"))

    assert (opened.header, [remark.code.value for remark in opened.remarks]) == (
        ("id", "name", "size", "day"),
        ["file.title_rows"],
    )
    assert [
        (row.line, dict(row.cells), [(remark.code.value, remark.field) for remark in row.remarks])
        for row in opened.rows
    ] == [
        (3, {"id": 1.5, "name": "", "size": "", "day": ""}, [("cell.formula_without_value", "size")]),
        (30, {"id": 1.5, "name": "", "size": "", "day": ""}, [("row.long", None)]),
    ]
    assert [(remark.code.value, remark.detail) for remark in opened.afterwards()] == [
        ("file.blank_rows", "26 rows")
    ]


# What is broken


def refused(content: bytes, declared: Declared, folder: Path) -> tuple[int, str, str]:
    """How many rows came before, the code and what it says."""
    (folder / "t.xlsx").write_bytes(content)
    seen: list[int] = []
    with pytest.raises(Unreadable) as caught:
        seen.extend(_lines(folder, declared(Format.WORKBOOK, "t.xlsx", "Things")))
    (remark,) = caught.value.remarks
    return len(seen), remark.code.value, remark.detail


def _lines(folder: Path, entry: Object) -> Iterator[int]:
    yield from (row.line for row in Folder(str(folder)).open(entry).rows)


FILLED = HEAD + "".join(row(line, CELLS[0](f"A{line}"), CELLS[5](f"B{line}")) for line in range(2, 300))
LAST = max(int(number) for number in re.findall(r'<row r="(\d+)"', FILLED))


@pytest.mark.usefixtures("small_pieces")
def test_a_sheet_that_breaks_off_names_the_line(tmp_path: Path, declared: Declared) -> None:
    cut = SHEET.partition("%s")[0] + "%s<row r="

    seen, code, detail = refused(book(FILLED, sheet=cut), declared, tmp_path)

    assert (seen, code) == (LAST - 1, "file.malformed")
    assert detail == f"sheet “Things”, line {LAST}: the XML behind it breaks off, or is none"


@pytest.mark.usefixtures("small_pieces")
def test_a_sheet_with_a_foreign_entity_names_the_line_before_its_piece(
    tmp_path: Path, declared: Declared
) -> None:
    broken = FILLED.replace(
        row(150, CELLS[0]("A150"), CELLS[5]("B150")),
        "<row r='150'><c t='inlineStr'><is><t>&no;</t></is></c></row>",
    )

    seen, code, detail = refused(book(broken), declared, tmp_path)

    assert code == "file.malformed"
    assert detail == f"sheet “Things”, line {seen + 1}: the XML behind it breaks off, or is none"
    assert 130 < seen < 149


@pytest.mark.usefixtures("small_pieces")
def test_lines_out_of_order_are_refused_rather_than_lost(tmp_path: Path, declared: Declared) -> None:
    seen, code, detail = refused(book(FILLED + row(7, CELLS[0]("A7"))), declared, tmp_path)

    assert (seen, code) == (LAST - 3, "file.malformed")
    assert detail == f"sheet “Things”, line {LAST - 2}: followed by line 7"


def test_damaged_bytes_of_a_sheet_are_told(tmp_path: Path, declared: Declared) -> None:
    content = bytearray(book(FILLED))
    at = content.index(b"sheet1.xml", content.index(b"styleSheet") if b"styleSheet" in content else 0)
    content[at + 200] ^= 0xFF

    _, code, detail = refused(bytes(content), declared, tmp_path)

    assert code == "file.malformed"
    assert detail.startswith("sheet “Things”, line ")


@pytest.mark.parametrize("sheet", [SHEET, SHEET.replace("<dim", "<!-- --><dim")], ids=["plain", "other"])
def test_a_sheet_that_is_not_the_one_that_was_packed_is_refused(
    tmp_path: Path, declared: Declared, sheet: str
) -> None:
    content = book(FILLED, sheet=sheet)
    packed = zipfile.ZipFile(io.BytesIO(content)).getinfo("xl/worksheets/sheet1.xml").CRC
    other = content.replace(packed.to_bytes(4, "little"), bytes(4))

    assert refused(other, declared, tmp_path) == (
        0,
        "file.malformed",
        "sheet “Things”, line 0: the packed bytes behind it are damaged",
    )


# Memory


def _peak(folder: Path, entry: Object, count: int) -> tuple[int, int]:
    """The bytes that Python held at most while so many rows went by, and the rows of the largest block."""
    filled = "".join(
        row(line, *(cell(f"{chr(65 + at)}{line}") for at, cell in enumerate(MIXED)))
        for line in range(2, count + 2)
    )
    (folder / "t.xlsx").write_bytes(book(HEAD + filled))
    with (folder / "t.xlsx").open("rb") as stream:
        largest = max(len(block.rows) for block in sheets.blocks(Package(stream), "Things"))
    tracemalloc.start()
    try:
        read = sum(1 for _ in Folder(str(folder)).open(entry).rows)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read == count
    return peak, largest


MIXED = [CELLS[0], CELLS[5], CELLS[1], CELLS[12], *CELLS[13:19]]


@pytest.mark.usefixtures("never_whole")
def test_five_times_the_rows_take_no_more_memory(tmp_path: Path, declared: Declared) -> None:
    entry = declared(Format.WORKBOOK, "t.xlsx", "Things")

    few, block = _peak(tmp_path, entry, 4_000)
    many, larger_block = _peak(tmp_path, entry, 20_000)

    assert larger_block <= 1.1 * block
    # What is left over: the packed bytes that were read ahead.
    assert many - few <= 256 * 1024
