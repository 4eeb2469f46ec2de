"""Numbers in every way of writing: read exactly, or said to be unreadable or a guess."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.reading.kinds import Currency, Number
from shared.core.reading.numbers import read_duration, read_number


@pytest.mark.parametrize(
    ("value", "number", "codes"),
    [
        ("1054", "1054", []),
        ("55.0", "55.0", []),
        ("-100", "-100", []),
        (0.1, "0.1", []),
        (12, "12", []),
        ("USD 5,482.00", "5482.00", ["number.with_currency", "number.grouped"]),
        ("$1,440.00", "1440.00", ["number.with_currency", "number.grouped"]),
        ("€ 99", "99", ["number.with_currency"]),
        ("A$ 12.50", "12.50", ["number.with_currency"]),
        ("1.234,56", "1234.56", ["number.decimal_comma"]),
        ("1 234 567,8", "1234567.8", ["number.decimal_comma"]),
        ("1'234'567", "1234567", ["number.grouped"]),
        ("1,234,567", "1234567", ["number.grouped"]),
        ("12,5", "12.5", ["number.decimal_comma"]),
        ("0,123", "0.123", ["number.decimal_comma"]),
        ("1,234", None, ["number.ambiguous"]),
        ("87.5%", "87.5", ["number.with_unit"]),
        ("40 pcs", "40", ["number.with_unit"]),
        ("($12)", "-12", ["number.with_currency"]),
        ("1e3", "1000", []),
        ("5k", None, ["number.ambiguous"]),
        ("$1.2M", None, ["number.with_currency", "number.ambiguous"]),
        ("", None, []),
        (None, None, []),
        ("n/a", None, ["number.unreadable"]),
        ("1,23,456", None, ["number.unreadable"]),
        ("٣", None, ["number.unreadable"]),
        (True, None, ["number.unreadable"]),
        (float("nan"), None, ["number.unreadable"]),
    ],
)
def test_a_number_is_read(value: Any, number: str | None, codes: list[str]) -> None:
    reading = read_number(value)

    assert (reading.value, [remark.code.value for remark in reading.remarks]) == (
        None if number is None else Decimal(number),
        codes,
    )


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9))
def test_a_number_with_thousands_parted_is_the_same_number(number: Decimal) -> None:
    assert read_number(f"{number:,.2f}").value == number


@pytest.mark.parametrize(
    ("kind", "value", "codes"),
    [
        (Number(0, 100), "101", ["number.out_of_range"]),
        (Number(0, 100), "-1", ["number.out_of_range"]),
        (Number(-100, 100, positive=True), "-1", ["number.negative"]),
        (Number(decimals=2), "1.005", ["number.too_precise"]),
        (Number(decimals=0), 3.0, []),
        (Number(typed=True), "12", ["number.as_text"]),
        (Currency(), "AUX", ["currency.unknown"]),
        (Currency(), "AUD", []),
        (Number(decimals=0), 1e28, []),
        (Number(decimals=2), "1" * 40 + ".25", []),
        (Number(decimals=1), "1" * 40 + ".25", ["number.too_precise"]),
        (Number(decimals=0), "5.00", []),
    ],
)
def test_a_number_has_to_fit_its_column(kind: Number | Currency, value: Any, codes: list[str]) -> None:
    assert [remark.code.value for remark in kind.read(value, {}).remarks] == codes


@pytest.mark.parametrize(
    ("written", "currency", "number"),
    [
        ("USD 12", "USD", 12),
        ("\u20ac 12", "usd", None),
        ("USD 12", "EUR", None),
        ("$12", "AUD", 12),
        ("\u20ac 12", "", 12),
    ],
)
def test_an_amount_written_with_another_currency_than_its_records_is_not_guessed_at(
    written: str, currency: str, number: int | None
) -> None:
    reading = Number(decimals=2, currency="c").read(written, {"c": currency})

    assert (reading.value, [remark.code.value for remark in reading.remarks]) == (
        number,
        ["number.with_currency"],
    )


@pytest.mark.parametrize(
    ("value", "unit", "units", "codes"),
    [
        ("1491", 1, 1491, []),
        ("00:12:34", 1, 754, ["duration.as_clock"]),
        ("21 min", 60, 21, []),
        ("21", 60, 21, []),
        ("1:30", 60, 2, ["duration.as_clock"]),
        ("20.5 min", 60, 21, ["number.too_precise"]),
        ("-5", 1, None, ["number.out_of_range"]),
        ("soon", 60, None, ["number.unreadable"]),
    ],
)
def test_a_length_of_time_is_read_in_units_begun(
    value: str, unit: int, units: int | None, codes: list[str]
) -> None:
    reading = read_duration(value, unit)

    assert (reading.value, [remark.code.value for remark in reading.remarks]) == (units, codes)
