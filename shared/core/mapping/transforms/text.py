"""Text: normalised, trimmed, never cut."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from shared.core.change import Json
from shared.core.codes import Code
from shared.core.mapping.spec import Transform, Unfit

# One address, no display name; whether it can receive mail is nobody's guess here.
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]]+@[^\s@<>,;:\"()\[\].]+(\.[^\s@<>,;:\"()\[\].]+)+")
# Control characters other than tab and line ends, halves of characters, and two that are none.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def canonical(value: str) -> str | None:
    """Text as it is kept on both sides: NFC, line feeds for line ends, without surrounding blanks.

    None when nothing is left.
    """
    if not value.isprintable():
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    return (value if value.isascii() else unicodedata.normalize("NFC", value)).strip() or None


def clean(value: Any) -> str | None:
    """The canonical text of an incoming value; raises Unfit for what no text column can hold."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise Unfit(Code.VALUE_NOT_TEXT, "text")
    # What is printable has nothing forbidden, and no line ends.
    if not value.isprintable() and _FORBIDDEN.search(value):
        raise Unfit(Code.VALUE_FORBIDDEN_CHARACTER, "text without control characters")
    return canonical(value)


def length(value: str) -> int:
    """How long Dataverse finds a text: in UTF-16 units, so that an emoji counts two."""
    return len(value) if value.isascii() else len(value.encode("utf-16-le")) // 2


def text(max_length: int, *, required: bool = False) -> Transform[Json, str]:
    """Text of up to `max_length` UTF-16 units; what looks like a formula is text like any other."""
    return _text(max_length, required=required, name=f"text up to {max_length}")


def memo(max_length: int) -> Transform[Json, str]:
    """Text of several lines, of up to `max_length` UTF-16 units."""
    return _text(max_length, required=False, name=f"text of several lines up to {max_length}")


def email(max_length: int) -> Transform[Json, str]:
    """One e-mail address; its letter case is kept.

    Dataverse takes any text for one. What is none is refused on its way out: it would come back with every
    change of its record, and be refused each time.
    """
    fitting = _fitting(max_length)

    def to_dataverse(value: Json) -> str | None:
        address = fitting(value)
        if address is not None and not _EMAIL.fullmatch(address):
            raise Unfit(Code.VALUE_NOT_AN_EMAIL, "one address like name@company.example")
        return address

    examples = ("anna.berg@nordwind.example", " Anna.Berg@Nordwind.example ", "", None)
    return Transform(to_dataverse, _checked(to_dataverse), examples, f"e-mail address up to {max_length}")


def url(max_length: int) -> Transform[Json, str]:
    """A web address or a bare domain, as written; it has no blanks inside."""
    fitting = _fitting(max_length)

    def to_dataverse(value: Json) -> str | None:
        address = fitting(value)
        if address is not None and len(address.split()) > 1:
            raise Unfit(Code.VALUE_FORBIDDEN_CHARACTER, "a web address without blanks")
        return address

    examples = ("nordwind.example", "https://nordwind.example/about", "", None)
    return Transform(to_dataverse, _checked(to_dataverse), examples, f"web address up to {max_length}")


def _text(max_length: int, *, required: bool, name: str) -> Transform[Json, str]:
    fitting = _fitting(max_length)

    def to_dataverse(value: Json) -> str | None:
        fitted = fitting(value)
        if fitted is None:
            raise Unfit(Code.VALUE_REQUIRED, "a value")
        return fitted

    def to_legacy(value: str | None) -> Json:
        if value is None and required:
            raise Unfit(Code.VALUE_REQUIRED, "a value")
        return value or ""

    samples: tuple[Json, ...] = ("Nordwind AG", " Zoe\u0308 ", "=1+1", "🚲 & Söhne", "", None)
    examples = tuple(
        sample
        for sample in samples
        if (sample or not required) and (not isinstance(sample, str) or length(sample) <= max_length)
    )
    if required:
        return Transform(to_dataverse, to_legacy, examples, f"{name}, required")
    return Transform(fitting, to_legacy, examples, name)


def _fitting(max_length: int) -> Callable[[Json], str | None]:
    """The reader of text of up to `max_length` UTF-16 units."""

    def fitting(value: Json) -> str | None:
        if isinstance(value, str) and len(value) <= max_length and value.isascii() and value.isprintable():
            # Nothing can be wrong with it, and that is most text: asked here to save three calls a field.
            return value.strip() or None
        cleaned = clean(value)
        # No character is more than two units: most text need not be counted.
        if cleaned is not None and 2 * len(cleaned) > max_length and length(cleaned) > max_length:
            raise Unfit(Code.VALUE_TOO_LONG, f"at most {max_length} characters")
        return cleaned

    return fitting


def _checked(to_dataverse: Callable[[Json], str | None]) -> Callable[[str | None], Json]:
    """The way out for what the way in is strict about: the same rule holds for both."""

    def to_legacy(value: str | None) -> Json:
        return to_dataverse(value) or ""

    return to_legacy
