"""CSV: what is read, and what is refused with its line or byte."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.connectors.exports.folder import Folder
from shared.core.reading.export import Format, Object
from shared.core.reading.source import Unreadable

Declared = Callable[..., Object]
HEAD = b"id,name,size,day\n"


def rows(folder: Path, entry: Object) -> list[tuple[int, dict[str, object], list[str]]]:
    opened = Folder(str(folder)).open(entry)
    return [(row.line, dict(row.cells), [remark.code.value for remark in row.remarks]) for row in opened.rows]


def refused(folder: Path, entry: Object) -> list[tuple[str, str, str | None]]:
    with pytest.raises(Unreadable) as caught:
        list(Folder(str(folder)).open(entry).rows)
    return [(remark.code.value, remark.detail, remark.field) for remark in caught.value.remarks]


def test_quotes_commas_and_line_ends_inside_cells_are_kept(tmp_path: Path, declared: Declared) -> None:
    (tmp_path / "t.csv").write_bytes(HEAD + b'1,"a ""b"", c\r\nd\ne",2,\r\n2,f,3,2017-01-01')

    assert rows(tmp_path, declared(Format.CSV, "t.csv")) == [
        (2, {"id": "1", "name": 'a "b", c\r\nd\ne', "size": "2", "day": ""}, []),
        (5, {"id": "2", "name": "f", "size": "3", "day": "2017-01-01"}, []),
    ]


def test_short_and_long_rows_keep_their_place(tmp_path: Path, declared: Declared) -> None:
    (tmp_path / "t.csv").write_bytes(HEAD + b"1,a\n\n2,b,3,4,5,6\n")

    assert [(line, remarks) for line, _, remarks in rows(tmp_path, declared(Format.CSV, "t.csv"))] == [
        (2, ["row.short"]),
        (4, ["row.long"]),
    ]


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (b"\xef\xbb\xbf" + HEAD + b"1,a,2,\n", ["file.byte_order_mark"]),
        (b"name,id,size,day\na,1,2,\n", ["file.columns_reordered"]),
        (b"id,name,size,day,colour\n1,a,2,,red\n", ["file.column_unknown"]),
        (HEAD + b"1,a,2,\n,,,\n\n", ["file.blank_rows"]),
        (b" id , name,size,day\n1,a,2,\n", []),
    ],
)
def test_a_file_that_can_be_read_says_what_is_odd(
    tmp_path: Path, declared: Declared, content: bytes, codes: list[str]
) -> None:
    (tmp_path / "t.csv").write_bytes(content)

    opened = Folder(str(tmp_path)).open(declared(Format.CSV, "t.csv"))

    assert [remark.code.value for remark in opened.remarks] == codes
    assert [row.cells["id"] for row in opened.rows] == ["1"]


@pytest.mark.parametrize(
    ("content", "remark"),
    [
        (b"", ("file.empty", "", None)),
        (HEAD + b"1,caf\xe9,2,\n", ("file.encoding", "byte 22, line 2: not UTF-8", None)),
        ("id,name,size,day\n".encode("utf-16"), ("file.encoding", "byte 0, line 1", None)),
        (HEAD + b"1,a\0b,2,\n", ("file.nul_byte", "byte 20, line 2", None)),
        (b"id;name;size;day\n1;a;2;\n", ("file.delimiter", "line 1: separated by a semicolon", None)),
        (b"id\tname\tsize\tday\n", ("file.delimiter", "line 1: separated by a tab", None)),
        (b"1,a,2,\n2,b,3,\n", ("file.header_missing", "line 1", None)),
        (b"id,name,size\n1,a,2\n", ("file.column_missing", "header in line 1", "day")),
        (b"id,name,size,day,name\n", ("file.column_repeated", "header in line 1", "name")),
        (HEAD + b'1,"a,2,\n2,b,3,\n', ("file.quote_unclosed", "in the row that begins in line 2", None)),
        (HEAD + b'1,"a"b,2,\n', ("file.quote_misplaced", "in the row that begins in line 2", None)),
    ],
)
def test_a_file_that_cannot_be_read_names_the_place_and_the_rule(
    tmp_path: Path, declared: Declared, content: bytes, remark: tuple[str, str, str | None]
) -> None:
    (tmp_path / "t.csv").write_bytes(content)

    ((code, detail, field),) = refused(tmp_path, declared(Format.CSV, "t.csv"))

    assert (code, field) == (remark[0], remark[2])
    assert detail.startswith(remark[1])


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path, declared: Declared) -> None:
    assert refused(tmp_path, declared(Format.CSV, "t.csv")) == [("file.missing", "", None)]


def test_bytes_that_break_off_inside_a_letter_are_found_across_pieces(
    tmp_path: Path, declared: Declared
) -> None:
    filler = "x" * ((1 << 20) - len(HEAD) - 3)
    # The letter's two bytes lie in two pieces; the wrong one comes after.
    (tmp_path / "t.csv").write_bytes(HEAD + f"1,{filler}é,2,\n".encode() + b"2,\xff,3,\n")

    ((code, detail, _),) = refused(tmp_path, declared(Format.CSV, "t.csv"))

    assert (code, detail) == ("file.encoding", f"byte {(1 << 20) + 7}, line 3: not UTF-8")


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
        min_size=1,
        max_size=6,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_text_comes_out_as_it_went_in(tmp_path: Path, declared: Declared, names: list[str]) -> None:
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    text = "".join(f"{number},{name},,\n" for number, name in enumerate(quoted))
    (tmp_path / "t.csv").write_bytes(HEAD + text.encode())

    assert [cells["name"] for _, cells, _ in rows(tmp_path, declared(Format.CSV, "t.csv"))] == names
