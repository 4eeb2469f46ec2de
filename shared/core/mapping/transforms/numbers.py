"""Numbers: digits with a point, or JSON's own; what could be read in two ways is refused."""

import re
from decimal import Context, Decimal, Inexact
from functools import cache
from typing import Any

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.mapping.spec import Transform, Unfit
from shared.core.mapping.transforms.text import clean

_MOST_DIGITS = 40
"""How many there may be before the point, and after it."""
_PLAIN = re.compile(rf"-?[0-9]{{1,{_MOST_DIGITS}}}(\.[0-9]{{1,{_MOST_DIGITS}}})?")
# Wide enough for every number the pattern lets in, times any factor; rounding would be an error.
_EXACT = Context(prec=200, traps=[Inexact])


def integer(minimum: int, maximum: int) -> Transform[Json, int]:
    """A whole number from `minimum` to `maximum`; `40.0` is one, too."""

    def to_dataverse(value: Json) -> int | None:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
            _within(count := int(value), minimum, maximum)
            return count
        number = plain(value)
        if number is None:
            return None
        if number != number.to_integral_value():
            raise Unfit(Code.VALUE_NOT_A_NUMBER, "a whole number")
        _within(number, minimum, maximum)
        return int(number)

    examples = (*_inside(minimum, maximum, "12", "0", "40.0", 7), "", None)
    return Transform(to_dataverse, _written, examples, f"whole number from {minimum:,} to {maximum:,}")


def decimal(minimum: int, maximum: int, precision: int) -> Transform[Json, Decimal]:
    """A decimal number with up to `precision` digits after the point."""
    return _fraction(minimum, maximum, precision, 1, f"decimal number, {precision} digits after the point")


def money(minimum: int, maximum: int, *, factor: int = 1) -> Transform[Json, Decimal]:
    """An amount with up to two digits after the point, of the currency its record names.

    `factor` is the unit the legacy system counts in: 1,000,000 for a column of millions. Both ways are exact.
    """
    unit = "" if factor == 1 else f", in units of {factor:,}"
    return _fraction(minimum, maximum, 2, factor, f"amount, 2 digits after the point{unit}")


def plain(value: Json) -> Decimal | None:
    """The number that is meant, exactly; raises Unfit for anything but digits, a point and a minus sign."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        # repr of a float is the shortest text that means it, which is what its sender wrote.
        value = format(Decimal(repr(value)), "f")
    if value is not None and not isinstance(value, str):
        raise Unfit(Code.VALUE_NOT_A_NUMBER, "digits with a point")
    written = clean(value)
    if written is None:
        return None
    if not _PLAIN.fullmatch(written):
        raise Unfit(Code.VALUE_NOT_A_NUMBER, "digits with a point, no thousands sign, no unit")
    number = Decimal(written)
    return number or abs(number)  # there is no zero below zero


def fixed(number: Decimal, precision: int) -> Decimal:
    """The same number written with `precision` digits after the point; raises Unfit when it has more."""
    try:
        return _EXACT.quantize(number, _last_place(precision))
    except Inexact as inexact:
        raise Unfit(Code.VALUE_OUT_OF_RANGE, f"at most {precision} digits after the point") from inexact


@cache
def _last_place(precision: int) -> Decimal:
    return Decimal(1).scaleb(-precision)


def _fraction(minimum: int, maximum: int, precision: int, factor: int, name: str) -> Transform[Json, Decimal]:
    low, high, unit = Decimal(minimum), Decimal(maximum), Decimal(factor)

    def to_dataverse(value: Json) -> Decimal | None:
        number = plain(value)
        if number is None:
            return None
        scaled = _EXACT.multiply(number, unit)
        _within(scaled, low, high)
        return fixed(scaled, precision)

    def to_legacy(value: Decimal | None) -> Json:
        if value is None:
            return ""
        return _written(_EXACT.divide(value, unit))

    examples = (*_inside(minimum // factor, maximum // factor, "1054", "55.5", "-100", 0, 12.25), "", None)
    return Transform(to_dataverse, to_legacy, examples, name)


def _within(number: Decimal | int, minimum: Decimal | int, maximum: Decimal | int) -> None:
    if not minimum <= number <= maximum:
        raise Unfit(Code.VALUE_OUT_OF_RANGE, f"from {minimum:,} to {maximum:,}")


def _written(number: Any) -> Json:
    """A number as people write it: no exponent, no zeros behind the point that say nothing."""
    if number is None:
        return ""
    digits = format(Decimal(number), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _inside(minimum: int, maximum: int, *samples: Json) -> tuple[Json, ...]:
    return tuple(sample for sample in samples if minimum <= float(str(sample)) <= maximum)
