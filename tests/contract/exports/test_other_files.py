"""JSON arrays, workbooks, folders of texts, and the folder itself."""

import datetime as dt
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.connectors.exports.folder import Folder
from shared.connectors.exports.texts import BODY, NAME
from shared.core.reading.export import Column, Format, Object
from shared.core.reading.kinds import Key, Text
from shared.core.reading.source import Opened, Unreadable

Declared = Callable[..., Object]
WriteBook = Callable[[str, dict[str, Sequence[Sequence[Any]]]], Path]
HEAD = ["id", "name", "size", "day"]


def opened(folder: Path, entry: Object) -> Opened:
    return Folder(str(folder)).open(entry)


def refused(folder: Path, entry: Object) -> list[tuple[str, str]]:
    with pytest.raises(Unreadable) as caught:
        list(opened(folder, entry).rows)
    return [(remark.code.value, remark.detail) for remark in caught.value.remarks]


# JSON


def test_an_array_is_read_object_by_object_across_pieces(tmp_path: Path, declared: Declared) -> None:
    records = [
        {"id": str(n), "name": "é" * (n * 977), "size": n, "day": None, "note": '], "'} for n in range(40)
    ]
    (tmp_path / "t.json").write_text(json.dumps(records, ensure_ascii=False, indent=1), "utf-8")

    rows = list(opened(tmp_path, declared(Format.JSON, "t.json")).rows)

    assert [row.cells for row in rows] == records
    assert [row.line for row in rows[:2]] == [2, 9]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b'[{"id": "1"}, {"id": ', "line 1: the file ends inside a value, or is not JSON"),
        (b'[{"id": "1"}', "line 1: the file ends inside the array"),
        (b'{"id": "1"}', "line 1: “[” is expected"),
        (b'[\n{"id": "1"},\n7]', "line 3: not an object"),
    ],
)
def test_a_cut_or_foreign_array_gives_no_record(
    tmp_path: Path, declared: Declared, content: bytes, rule: str
) -> None:
    (tmp_path / "t.json").write_bytes(content)

    assert refused(tmp_path, declared(Format.JSON, "t.json")) == [("file.malformed", rule)]


# Workbooks


def test_a_sheet_below_its_title_is_read_with_types_and_lines(
    tmp_path: Path, declared: Declared, write_book: WriteBook, formula: type[str], serial: type[float]
) -> None:
    sheet: list[list[Any]] = [
        ["Things"], [], HEAD, ["1", "a", 2.5, serial(42000)], [" "], ["2", "b", formula("C4*2"), None],
    ]  # fmt: skip
    write_book("t.xlsx", {"Notes": [["x"]], "Things & more": sheet})

    book = opened(tmp_path, declared(Format.WORKBOOK, "t.xlsx", "Things & more"))
    rows = list(book.rows)

    assert [remark.code.value for remark in book.remarks] == ["file.title_rows"]
    assert [remark.code.value for remark in book.afterwards()] == ["file.blank_rows"]
    assert [(row.line, row.cells["id"], row.cells["size"]) for row in rows] == [(4, "1", 2.5), (6, "2", "")]
    assert rows[0].cells["day"] == dt.date(2014, 12, 27)
    assert [(remark.code.value, remark.field) for remark in rows[1].remarks] == [
        ("cell.formula_without_value", "size")
    ]


def test_only_a_formula_without_its_result_is_told(
    tmp_path: Path, declared: Declared, write_book: WriteBook, formula: type[str], counted: type[str]
) -> None:
    sheet: list[list[Any]] = [
        HEAD,
        ["1", "a", counted("A1&lt;2"), None],
        ["2", "b", formula("C2"), None],
        ["3", "c", counted("1"), None],
    ]
    write_book("t.xlsx", {"Things": sheet})

    rows = list(opened(tmp_path, declared(Format.WORKBOOK, "t.xlsx", "Things")).rows)

    assert [(row.cells["size"], [remark.field for remark in row.remarks]) for row in rows] == [
        (7.0, []),
        ("", ["size"]),
        (7.0, []),
    ]


def test_a_sheet_of_another_name_is_missing(
    tmp_path: Path, declared: Declared, write_book: WriteBook
) -> None:
    write_book("t.xlsx", {"Sheet1": [HEAD]})

    ((code, _),) = refused(tmp_path, declared(Format.WORKBOOK, "t.xlsx", "Things"))

    assert code == "file.sheet_missing"


@pytest.mark.parametrize(
    ("rows", "codes"),
    [
        ([["1", "a", 2, None]], ["file.header_missing"]),
        ([["id", "name", "size"], ["1", "a", 2]], ["file.column_missing"]),
        ([[*HEAD, "name"]], ["file.column_repeated"]),
        ([], ["file.header_missing"]),
    ],
)
def test_a_sheet_without_its_header_is_refused(
    tmp_path: Path, declared: Declared, write_book: WriteBook, rows: list[list[Any]], codes: list[str]
) -> None:
    write_book("t.xlsx", {"Things": rows})

    assert [code for code, _ in refused(tmp_path, declared(Format.WORKBOOK, "t.xlsx", "Things"))] == codes


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"<html><body></body></html>", "byte 0: a web page"),
        (b"PK\x03\x04 cut off", "byte 12: a workbook that ends"),
        (b"\xd0\xcf\x11\xe0 older", "byte 0: a workbook of the older binary format"),
        (b"id,name\n", "byte 0: not a zip archive"),
    ],
)
def test_what_is_no_workbook_is_said_to_be_something_else(
    tmp_path: Path, declared: Declared, content: bytes, detail: str
) -> None:
    (tmp_path / "t.xlsx").write_bytes(content)

    ((code, said),) = refused(tmp_path, declared(Format.WORKBOOK, "t.xlsx", "Things"))

    assert code == "file.not_a_workbook"
    assert said.startswith(detail)


def test_a_zip_of_something_else_is_no_workbook(tmp_path: Path, declared: Declared) -> None:
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as package:
        package.writestr("readme.txt", "hello")

    assert refused(tmp_path, declared(Format.WORKBOOK, "t.xlsx", "Things")) == [
        ("file.not_a_workbook", "a zip archive, but no workbook in it")
    ]


# Texts

LETTERS = Object(
    "letter", "Letters/", Format.TEXTS, (NAME,),
    (Column(NAME, Key()), Column("Subject", Text()), Column("Date", Text()), Column(BODY, Text(lines=True))),
)  # fmt: skip


def letter(folder: Path, content: bytes) -> Any:
    (folder / "Letters").mkdir()
    (folder / "Letters/1.txt").write_bytes(content)
    (row,) = opened(folder, LETTERS).rows
    return row


def test_a_text_has_its_lines_and_its_body(tmp_path: Path) -> None:
    row = letter(tmp_path, b"Subject: Colon: in: value\r\nDate: \r\n\r\nBody: has one\r\n\r\ntoo")

    assert (row.file, row.torn, row.remarks) == ("Letters/1.txt", False, ())
    assert row.cells == {
        NAME: "1.txt", "Subject": "Colon: in: value", "Date": "", BODY: "Body: has one\n\ntoo",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (b"", ["file.empty"]),
        (b"Subject: Gr\xf6\xdfe\r\n\r\nx", ["text.encoding"]),
        (b"\xef\xbb\xbfSubject: a\n\nx", []),
        (b"Subject: a\nColour: red\n\nx", ["file.column_unknown"]),
        (b"Subject: a\nno such line\n\nx", ["file.malformed"]),
        (b"Subject: a\0b\n\nx", ["file.nul_byte"]),
    ],
)
def test_one_odd_text_is_one_odd_record(tmp_path: Path, content: bytes, codes: list[str]) -> None:
    row = letter(tmp_path, content)

    assert [remark.code.value for remark in row.remarks] == codes
    assert all(remark.severity is None or remark.severity != "refuse" for remark in row.remarks)


def test_a_text_in_the_older_encoding_keeps_its_letters(tmp_path: Path) -> None:
    assert letter(tmp_path, "Subject: Größenänderung \u2013 5 €\n\nx".encode("cp1252")).cells["Subject"] == (
        "Größenänderung \u2013 5 €"
    )


# The folder


def test_a_folder_lists_files_with_sizes_and_opens_nothing_else(tmp_path: Path) -> None:
    inside, outside = tmp_path / "export", tmp_path / "secret.txt"
    (inside / "a").mkdir(parents=True)
    (inside / "a/b.txt").write_bytes(b"abc")
    outside.write_bytes(b"secret")
    folder = Folder(str(inside))

    assert dict(folder.files()) == {"a/b.txt": 3}
    assert folder.sha256("a/b.txt") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    for path in ("../secret.txt", str(outside), "a/../../secret.txt"):
        with pytest.raises(KeyError):
            folder.content(path)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "export", tmp_path / "secret.txt"
    inside.mkdir()
    outside.write_bytes(b"secret")
    (inside / "a.txt").symlink_to(outside)

    assert dict(Folder(str(inside)).files()) == {}


def test_a_folder_is_read_by_url_as_by_path(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")

    assert dict(Folder(f"file://{tmp_path}").files()) == {"a.txt": 3}
