"""Characters, blanks, damage and length, told apart; and the text that is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.mapping.transforms.text import length
from shared.core.reading import text
from shared.core.reading.kinds import Key, Text
from shared.core.reading.word_kinds import Tags


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("Initech", []),
        ("Bólido Comidas", []),
        ("👩\u200d👩\u200d👧 family", []),
        ("upsell\x0bhidden\x07bell", ["text.control_character"]),
        ("soft\u00adhyphen", ["text.invisible_character"]),
        ("\u0645\u200f\u062d", ["text.invisible_character"]),
        ("zero\u200bwidth", ["text.invisible_character"]),
        (" padded ", ["text.padded"]),
        ("\u00a0padded", ["text.padded"]),
        ("two  blanks", ["text.odd_space"]),
        ("two\nlines", ["text.line_break"]),
        ("hard\u00a0blank", ["text.odd_space"]),
        ("Zoe\u0308", ["text.not_composed"]),
        ("lost \ufffd letter", ["text.damaged"]),
        ("BÃ³lido", ["text.damaged"]),
        ("half \ud83d", ["text.damaged"]),
        ("#REF!", ["cell.error"]),
        ("#1 supplier", []),
    ],
)
def test_what_is_odd_about_characters(value: str, codes: list[str]) -> None:
    assert [remark.code.value for remark in text.remarks(value)] == codes


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ('=HYPERLINK("http://evil.example","x")', ["text.like_formula"]),
        ("=1+1", ["text.like_formula"]),
        ("@SUM(1+1)*cmd|' /C calc'!A0", ["text.like_formula"]),
        ("-cmd|' /C calc'!A0", ["text.like_formula"]),
        ("+61 2 5550 1234", []),
        ("-100", []),
        ("@initech", []),
        ("<script>alert(1)</script>", ["text.like_html"]),
        ("a < b", []),
    ],
)
def test_text_that_another_program_would_run_is_data_that_is_told(value: str, codes: list[str]) -> None:
    assert [remark.code.value for remark in Text().read(value, {}).remarks] == codes


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ("first\n\tsecond  line \n", []),
        ("first\r\nsecond\r\n", []),
        ("first\r\nsecond\n", ["text.line_ends"]),
        ("first\nsecond\x07", ["text.control_character"]),
    ],
)
def test_layout_is_free_in_text_of_several_lines(value: str, codes: list[str]) -> None:
    assert [remark.code.value for remark in text.remarks(value, lines=True)] == codes


@pytest.mark.parametrize(
    ("value", "details"),
    [
        ("x" * 10, []),
        ("x" * 11, ["11 UTF-16 units, at most 10"]),
        ("🚲" * 5, []),
        ("🚲" * 5 + "x", ["11 UTF-16 units, at most 10"]),
        (" " * 9 + "x" * 10, []),
    ],
)
def test_length_counts_utf16_units_of_what_is_meant(value: str, details: list[str]) -> None:
    assert [remark.detail for remark in text.too_long(value, 10)] == details


@given(st.text(), st.integers(min_value=0, max_value=40))
def test_the_mark_of_length_agrees_with_the_column(value: str, most: int) -> None:
    kept = text.meant(value)

    assert bool(text.too_long(value, most)) == (length(kept) > most)


@pytest.mark.parametrize(
    ("value", "lines", "kept"),
    [
        ("Mort  Bay\u00a07", False, "Mort Bay 7"),
        ("two\nlines", False, "two lines"),
        ("two\r\nlines  here", True, "two\nlines  here"),
        ("up\x0bsell", False, "upsell"),
        ("Ma\u200fris", False, "Ma\u200fris"),
        ("Pappel\u00a0\u200b", False, "Pappel"),
        ("Zoe\u0308", False, "Zo\u00eb"),
    ],
)
def test_what_is_told_to_be_mended_is_mended_and_what_is_told_to_stay_stays(
    value: str,
    lines: bool,  # noqa: FBT001 - a case of the table
    kept: str,
) -> None:
    assert text.meant(value, lines=lines) == kept


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_meant_has_nothing_left_to_mend(value: str) -> None:
    once = text.meant(value)

    assert text.meant(once) == once
    mended = {
        "text.control_character",
        "text.padded",
        "text.not_composed",
        "text.odd_space",
        "text.line_break",
    }
    assert {remark.code.value for remark in text.remarks(once)} & mended == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Initech", "  INITECH "),
        ("Ana Trujillo", "Ana  Trujillo"),
        ("Zoe\u0308", "Zoë"),
        ("Irregulars Outlet\u00a0\u200b", "Irregulars Outlet"),
        ("Gekko & Co", "Gekko Co."),
    ],
)
def test_names_are_compared_without_what_nobody_sees(one: str, other: str) -> None:
    assert text.comparable(one) == text.comparable(other)
    assert text.comparable(one) != text.comparable("Gecko")


def test_tags_are_split_and_repeats_are_told() -> None:
    reading = Tags(";").read("vip;VIP; vip ;=cmd|calc", {})

    assert reading.value == ("vip", "VIP", "vip", "=cmd|calc")
    assert [remark.code.value for remark in reading.remarks] == ["tag.repeated", "text.like_formula"]


def test_a_number_where_text_belongs_is_written_without_its_point() -> None:
    assert (Text().read(10265.0, {}).value, Key().read(2.0, {}).value) == ("10265", "2")
