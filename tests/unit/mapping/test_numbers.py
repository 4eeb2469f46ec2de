from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.mapping.spec import Transform, Unfit
from shared.core.mapping.transforms import decimal, integer, money

MILLIONS = money(0, 100_000_000_000_000, factor=1_000_000)
AMOUNT = money(-1_000_000_000_000, 1_000_000_000_000)


@pytest.mark.parametrize(
    "value",
    [
        "1.234,56",
        "USD 5,482.00",
        "5,482.00",
        "12,50",
        "1 000",
        "1e5",
        "+5",
        ".5",
        "5.",
        "--5",
        "١٢",
        "0x10",
        "NaN",
        "Infinity",
        float("nan"),
        float("inf"),
        True,
        ["5"],
        "5" * 41,
    ],
)
def test_what_could_be_read_in_two_ways_or_none_is_refused(value: Json) -> None:
    for transform in (AMOUNT.to_dataverse, integer(0, 100).to_dataverse):
        with pytest.raises(Unfit) as caught:
            transform(value)
        assert caught.value.code is Code.VALUE_NOT_A_NUMBER


@pytest.mark.parametrize(
    ("legacy", "held"),
    [
        ("1054", Decimal("1054.00")),
        ("55.0", Decimal("55.00")),
        (" -100 ", Decimal("-100.00")),
        ("-0", Decimal("0.00")),
        (1054.1, Decimal("1054.10")),
        (7, Decimal("7.00")),
        ("999999999999.99", Decimal("999999999999.99")),
        ("", None),
        (None, None),
    ],
)
def test_an_amount_is_held_to_the_cent(legacy: Json, held: Decimal | None) -> None:
    value = AMOUNT.to_dataverse(legacy)

    assert value == held
    assert str(value) == str(held)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("10.005", "at most 2 digits after the point"),
        ("1000000000000.01", "from -1,000,000,000,000 to 1,000,000,000,000"),
        (1e300, None),
    ],
)
def test_an_amount_is_never_rounded_or_clipped(value: Json, expected: str | None) -> None:
    with pytest.raises(Unfit) as caught:
        AMOUNT.to_dataverse(value)

    if expected is not None:
        assert (caught.value.code, caught.value.expected) == (Code.VALUE_OUT_OF_RANGE, expected)


def test_millions_become_units_and_come_back_exactly() -> None:
    held = MILLIONS.to_dataverse("1100.04")

    assert held == Decimal("1100040000.00")
    assert MILLIONS.to_legacy(held) == "1100.04"
    assert MILLIONS.to_legacy(Decimal("99999999999999.99")) == "99999999.99999999"


@given(st.decimals(0, 100_000_000_000_000, places=2))
def test_every_revenue_dataverse_can_hold_survives_the_way_there_and_back(revenue: Decimal) -> None:
    assert MILLIONS.to_dataverse(MILLIONS.to_legacy(revenue)) == revenue


@given(st.integers(0, 100))
def test_every_whole_number_survives_the_way_there_and_back(number: int) -> None:
    percent = integer(0, 100)

    assert percent.to_legacy(number) == str(number)
    assert percent.to_dataverse(percent.to_legacy(number)) == number


def test_a_whole_number_may_be_written_with_a_point_but_not_with_a_fraction() -> None:
    assert integer(0, 100).to_dataverse("40.0") == 40
    with pytest.raises(Unfit, match="a whole number"):
        integer(0, 100).to_dataverse("40.5")


@pytest.mark.parametrize("value", ["-1", "101", 101])
def test_a_whole_number_outside_its_range_is_refused(value: Json) -> None:
    with pytest.raises(Unfit) as caught:
        integer(0, 100).to_dataverse(value)

    assert (caught.value.code, caught.value.expected) == (Code.VALUE_OUT_OF_RANGE, "from 0 to 100")


@pytest.mark.parametrize("digits", ["0" * 38 + "1", "0" * 27 + "1", "00" + "9" * 30])
def test_no_digit_is_too_far_behind_the_point_to_be_seen(digits: str) -> None:
    with pytest.raises(Unfit, match="at most 2 digits after the point"):
        AMOUNT.to_dataverse(f"1.{digits}")


def test_a_whole_number_is_exact_however_long_it_is() -> None:
    assert integer(0, 10**40).to_dataverse("9" * 40) == int("9" * 40)
    assert integer(0, 10**40).to_dataverse("9" * 40 + ".0") == int("9" * 40)


def outcome(transform: Transform[Json, int], value: Json) -> object:
    try:
        return transform.to_dataverse(value)
    except Unfit as unfit:
        return unfit.code, unfit.expected


@given(st.integers(0, 10**39), st.integers(0, 10**39), st.integers(0, 10**39))
def test_plain_digits_mean_what_the_same_number_with_a_point_means(number: int, one: int, two: int) -> None:
    whole = integer(min(one, two), max(one, two))

    assert outcome(whole, str(number)) == outcome(whole, f"{number}.0")


def test_a_decimal_keeps_the_digits_its_column_has() -> None:
    margin = decimal(-100, 100, 4)

    assert str(margin.to_dataverse("12.5")) == "12.5000"
    assert margin.to_legacy(Decimal("12.5000")) == "12.5"
