"""Numbers and amounts, in every way an export may write them."""

import re
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, localcontext
from functools import cache
from typing import Any

from shared.core.reading.codes import FindingCode
from shared.core.reading.finding import Reading, Remark

_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_CURRENCY = re.compile(r"(?:[A-Z]{1,3}\s?)?[$€£¥₹]|\b[A-Z]{3}\b")
_MAGNITUDES = frozenset({"k", "m", "b", "t", "bn", "mn", "mio", "mrd", "thousand", "million", "billion"})
"""Words that are no unit but a factor; which one is often a guess."""
_UNIT = re.compile(r"\s*(%|[A-Za-z]{1,12}\.?)$")
_GROUPS = re.compile(r"[+-]?\d{1,3}(?:([ ,.'\u00a0\u202f])\d{3})(?:\1\d{3})*(?:([.,])\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d))?", re.ASCII)


_SIGNS = {"\u20ac": "EUR", "\u00a3": "GBP", "\u20b9": "INR"}
"""Signs of one currency; a dollar may be anybody's."""

_LONGEST = 2_147_483_647 // 60
"""Units of time; more is none, even in minutes counted as seconds."""


def read_number(value: Any, *, typed: bool = False) -> Reading:
    """The number that is meant, as a Decimal; where cells are `typed`, a number in a text is told."""
    if isinstance(value, bool):
        return Reading(None, (Remark(FindingCode.NUMBER_UNREADABLE),))
    if isinstance(value, int | float):
        # The shortest text that means the float is what its sender typed.
        number = Decimal(repr(value))
        return (
            Reading(number) if number.is_finite() else Reading(None, (Remark(FindingCode.NUMBER_UNREADABLE),))
        )
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        return Reading() if value is None or isinstance(value, str) else Reading(None, (_UNREADABLE,))
    if _PLAIN.fullmatch(text):
        return Reading(Decimal(text), (Remark(FindingCode.NUMBER_AS_TEXT),) if typed else ())
    return _dressed(text)


def are_odd(said: Sequence[str], decimals: int | None) -> bool:
    """Whether any number, as Python writes it, may be none at all or have more decimals than so many."""
    return bool(_odd(decimals).search("\n".join(said)))


@cache
def _odd(decimals: int | None) -> re.Pattern[str]:
    """An exponent, a number that is infinite or none, or a digit too many, which the last one written is."""
    return re.compile("[a-z]" if decimals is None else rf"[a-z]|\.\d{{{decimals}}}\d*[1-9]", re.ASCII)


def decimals(number: Decimal) -> int:
    """How many digits behind the point a finite number has, however large it is and however it is written."""
    _, digits, exponent = number.as_tuple()
    written = "".join(map(str, digits))
    return max(0, -int(exponent) - (len(written) - len(written.rstrip("0")))) if number else 0


def read_duration(value: Any, unit_seconds: int) -> Reading:
    """A length of time in whole units of `unit_seconds`, each one begun; a bare number counts in them."""
    if isinstance(value, str) and (match := _CLOCK.fullmatch(value.strip())):
        hours, minutes, seconds = int(match[1]), int(match[2]), match[3]
        total = hours * 60 + minutes if seconds is None else hours * 3600 + minutes * 60 + int(seconds)
        return Reading(Decimal(-(-total // unit_seconds)), (Remark(FindingCode.DURATION_AS_CLOCK),))
    bare = re.sub(r"\s*(?:min|mins|minutes)$", "", value.strip()) if isinstance(value, str) else value
    said = read_number(bare)
    if said.value is None:
        return said
    if not 0 <= said.value <= _LONGEST:
        return Reading(
            None, (*said.remarks, Remark(FindingCode.NUMBER_OUT_OF_RANGE, f"from 0 to {_LONGEST}"))
        )
    whole = said.value.to_integral_value(ROUND_CEILING)
    if whole == said.value:
        return said
    return Reading(whole, (*said.remarks, Remark(FindingCode.NUMBER_TOO_PRECISE, "every unit begun counts")))


def _dressed(text: str) -> Reading:
    """A number with a currency, a unit or separators around it."""
    remarks: list[Remark] = []
    bare = _CURRENCY.sub("", text).strip()
    if bare != text:
        remarks.append(Remark(FindingCode.NUMBER_WITH_CURRENCY))
    if unit := _UNIT.search(bare):
        if unit[1].strip(".").casefold() in _MAGNITUDES:
            return Reading(
                None, (*remarks, Remark(FindingCode.NUMBER_AMBIGUOUS, "a factor behind the number"))
            )
        bare = bare[: unit.start()]
        remarks.append(Remark(FindingCode.NUMBER_WITH_UNIT))
    if bare.startswith("(") and bare.endswith(")"):
        bare = f"-{bare[1:-1].strip()}"
    if _PLAIN.fullmatch(bare):
        return Reading(Decimal(bare), tuple(remarks))
    if _DECIMAL_COMMA.fullmatch(bare):
        whole, decimals = bare.split(",")
        if len(decimals) == 3 and whole.lstrip("+-") not in {"0", "00"} and len(whole.lstrip("+-")) <= 3:
            return Reading(None, (*remarks, Remark(FindingCode.NUMBER_AMBIGUOUS)))
        return Reading(Decimal(f"{whole}.{decimals}"), (*remarks, Remark(FindingCode.NUMBER_DECIMAL_COMMA)))
    if match := _GROUPS.fullmatch(bare):
        parting, point = match[1], match[2]
        if point is None or point != parting:
            digits = bare.replace(parting, "").replace(point or ".", ".")
            code = FindingCode.NUMBER_DECIMAL_COMMA if point == "," else FindingCode.NUMBER_GROUPED
            return Reading(Decimal(digits), (*remarks, Remark(code)))
    return Reading(None, (Remark(FindingCode.NUMBER_UNREADABLE),))


def currency_of(value: Any) -> str | None:
    """The currency an amount is written with, where its sign or code means one alone."""
    if not isinstance(value, str):
        return None
    if code := re.search(r"\b[A-Z]{3}\b", value):
        return code[0]
    return next((code for sign, code in _SIGNS.items() if sign in value), None)


def rounded(number: Decimal, decimals: int) -> Decimal:
    """The nearest number with so many decimals, halves away from zero."""
    with localcontext(prec=60):
        return number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


_UNREADABLE = Remark(FindingCode.NUMBER_UNREADABLE)
