"""How to reach somebody: e-mail addresses, telephone numbers, postcodes."""

import math
import re
from collections.abc import Sequence
from typing import Any

from shared.core.reading.codes import FindingCode
from shared.core.reading.finding import Reading, Remark
from shared.core.reading.text import meant

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]]+@[^\s@<>,;:\"()\[\].]+(?:\.[^\s@<>,;:\"()\[\].]+)+")
_NAMED = re.compile(r"(?P<name>[^<>]*)<\s*(?P<address>[^<>\s]+)\s*>")
_PHONE = re.compile(r"[+(]?[\d\s()./\-\u2010-\u2013+]+(?:\s*(?:x|ext\.?)\s*\d+)?", re.IGNORECASE)
_FEWEST, _MOST = 5, 20
_ALIAS = re.compile(r"\+[^@]*@")

POSTCODE_DIGITS = {
    "united states": 5, "usa": 5, "us": 5, "germany": 5, "france": 5, "spain": 5, "italy": 5, "mexico": 5,
    "finland": 5, "australia": 4, "switzerland": 4, "belgium": 4, "austria": 4, "denmark": 4, "norway": 4,
}  # fmt: skip
"""How many digits a postcode has, where it is nothing but digits and may begin with zero."""


LONGEST = max(POSTCODE_DIGITS.values())
"""The most digits of a postcode that may have lost its zeros."""

_DIGITS, _BETWEEN = b"0123456789", b" ()/-.+"


def are_addresses(lines: bytes, cells: Sequence[str]) -> bool:
    """Whether all cells are addresses in their comparable form; `lines` holds them, each in a line."""
    return lines.isascii() and lines == lines.lower() and all(map(_ADDRESS.fullmatch, cells))


def are_phones(lines: bytes) -> bool:
    """Whether all lines, the first and the last aside, are telephone numbers that can be read."""
    if lines.translate(None, _DIGITS + _BETWEEN + b"\n"):
        return False
    counts = list(map(len, lines.translate(None, _BETWEEN).split(b"\n")[1:-1]))
    return not counts or (min(counts) >= _FEWEST and max(counts) <= _MOST)


def read_address(value: Any) -> Reading:
    """One e-mail address: the bare address, its letter case as it is."""
    if value is not None and not isinstance(value, str):
        return Reading(None, (Remark(FindingCode.EMAIL_MALFORMED),))
    text = meant(value or "")
    if not text:
        return Reading()
    if match := _NAMED.fullmatch(text):
        text = match["address"]
    if not _ADDRESS.fullmatch(text):
        return Reading(None, (Remark(FindingCode.EMAIL_MALFORMED),))
    return Reading(text)


def same_address(value: Any) -> str | None:
    """The form in which two addresses are the same, None for what is no address."""
    found = read_address(value).value
    return found.casefold() if isinstance(found, str) else None


def without_alias(address: str) -> str:
    """The mailbox behind an address with a `+label`."""
    return _ALIAS.sub("@", address)


def read_phone(value: Any) -> Reading:
    """A telephone number as text; nothing is guessed about country codes."""
    if (typed := _whole(value)) is not None:
        return Reading(typed, (Remark(FindingCode.PHONE_AS_NUMBER),))
    text = _text(value)
    if not text:
        return Reading()
    if not _PHONE.fullmatch(text) or not _FEWEST <= sum(map(str.isdigit, text)) <= _MOST:
        return Reading(text, (Remark(FindingCode.PHONE_UNREADABLE),))
    return Reading(text)


def read_postcode(value: Any, country: Any) -> Reading:
    """A postcode as text, with the zeros in front that a spreadsheet took away."""
    typed = _whole(value)
    text = _text(value) if typed is None else typed
    if not text:
        return Reading()
    remarks = [] if typed is None else [Remark(FindingCode.POSTCODE_AS_NUMBER)]
    wanted = POSTCODE_DIGITS.get(country.strip().casefold()) if isinstance(country, str) else None
    if wanted and text.isdecimal() and len(text) < wanted:
        remarks.append(Remark(FindingCode.POSTCODE_ZERO_LOST, f"{len(text)} digits of {wanted}"))
        text = text.zfill(wanted)
    return Reading(text, tuple(remarks))


def _whole(value: Any) -> str | None:
    """The digits of a number that was typed where they are text."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return f"{value:.0f}"


def _text(value: Any) -> str:
    return meant(value) if isinstance(value, str) else "" if value is None else str(value)
