"""What can be odd about a text whatever its column: characters, blanks, damage, length."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from shared.core.mapping.transforms.text import length
from shared.core.reading.codes import FindingCode
from shared.core.reading.finding import Remark

_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
# The two joiners belong to emoji and to several scripts, and are left alone.
_ODD_SPACE = re.compile("[\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]|[^\\s]  +[^\\s]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_SPACES = re.compile(r"\s+")
_HALF = re.compile("[\ud800-\udfff]")
# UTF-8 that was read as Latin-1 or Windows-1252 once.
_MISREAD = re.compile("[\u00c3\u00c2][\u0080-\u00bf]|\u00e2\u20ac[\u0080-\u00bf\u2018-\u2122]")
_ERROR = re.compile(r"#(?:REF!|N/A|VALUE!|DIV/0!|NAME\?|NUM!|NULL!)")
_FORMULA = re.compile(r"=.|@\w+\(|[+-][^\d\s(.]")
_MARKUP = re.compile(
    r"<(?:script|iframe|object|html|body|div|p|b|i|a|img|table)(?:\s[^<>]*)?>|&lt;\w+&gt;", re.IGNORECASE
)
_BLANKS = " \t\r\n\u00a0\u200b\ufeff"
# Printable ASCII, and the letters of western Europe: nothing in here is ever odd by itself.
_PLAIN = bytes((*range(0x20, 0x7F), *range(0xC0, 0x100)))
_ODD = ("  ", "\n ", " \n", "\n#")
_ACTIVE = ("\n=", "\n@", "\n+", "\n-", "<", "&lt;")


def meant(value: str, *, lines: bool = False) -> str:
    """The text that is meant: composed, trimmed, without control characters, with one plain blank for odd
    ones or several; `lines` for text of several lines, whose layout stays as it is.

    Invisible characters stay, except around the text: some scripts are not written without them.
    """
    if lines:
        plain = _CONTROL.sub("", value).replace("\r\n", "\n").replace("\r", "\n")
        return unicodedata.normalize("NFC", plain).strip(_BLANKS)
    if value.isascii() and value.isprintable() and "  " not in value:
        return value.strip()
    plain = unicodedata.normalize("NFC", _CONTROL.sub("", value))
    return _SPACES.sub(" ", plain).strip(_BLANKS)


def remarks(value: str, *, lines: bool = False) -> tuple[Remark, ...]:
    """What is odd about the characters of a text; `lines` for text of several lines, where layout is free."""
    if value.isascii() and (value.isprintable() or (lines and not _CONTROL.search(value))):
        return _layout(value, lines=lines)
    found: list[Remark] = []
    if controls := _CONTROL.findall(value):
        found.append(Remark(FindingCode.TEXT_CONTROL_CHARACTER, _named(controls)))
    if hidden := _INVISIBLE.findall(value):
        found.append(Remark(FindingCode.TEXT_INVISIBLE_CHARACTER, _named(hidden)))
    found += damaged(value)
    if not unicodedata.is_normalized("NFC", value):
        found.append(Remark(FindingCode.TEXT_NOT_COMPOSED))
    return (*found, *_layout(value, lines=lines))


def plain(cells: Sequence[Any], *, may_act: bool = False) -> bytes | None:
    """The cells, each in a line of its own, if all are short lines of text that are as they are meant.

    `may_act` for text that no other program would run, whatever it begins with. None says only that each has
    to be looked at: it may still be as it is meant.
    """
    try:
        joined = "\n".join(("", *cells, ""))
        lines = joined.encode("latin-1")
    except (TypeError, UnicodeEncodeError):
        return None
    if len(lines.translate(None, _PLAIN)) != len(cells) + 1:
        return None
    if any(odd in joined for odd in _ODD) or not (may_act or not any(odd in joined for odd in _ACTIVE)):
        return None
    return lines


def short(cells: Sequence[str], most: int | None) -> bool:
    """Whether no text can be too long, however many units its letters are."""
    return most is None or 2 * max(map(len, cells), default=0) <= most


def too_long(value: str, most: int | None, *, lines: bool = False) -> tuple[Remark, ...]:
    """A remark when the text, as meant, has more UTF-16 units than its column: an emoji counts two."""
    if most is None or len(value) * 2 <= most:
        return ()
    units = length(_HALF.sub("?", meant(value, lines=lines)))
    if units <= most:
        return ()
    return (Remark(FindingCode.TEXT_TOO_LONG, f"{units} UTF-16 units, at most {most}"),)


def without_controls(value: str) -> str:
    """The text without the characters no column takes."""
    return _CONTROL.sub("", value)


def damaged(value: str) -> tuple[Remark, ...]:
    """A remark when characters were lost."""
    lost = "\ufffd" in value or _HALF.search(value) or _MISREAD.search(value)
    return (Remark(FindingCode.TEXT_DAMAGED),) if lost else ()


def active(value: str) -> tuple[Remark, ...]:
    """Remarks on text that another program would run: a spreadsheet's formula, a browser's mark-up."""
    start = value.lstrip()[:40]
    found: list[Remark] = []
    if _FORMULA.match(start) or value[:1] in {"\t", "\r"}:
        found.append(Remark(FindingCode.TEXT_LIKE_FORMULA))
    if "<" in value or "&lt;" in value:
        found += [Remark(FindingCode.TEXT_LIKE_HTML)] if _MARKUP.search(value) else []
    return tuple(found)


def comparable(value: str) -> str:
    """The form in which two names are the same: letters and digits, composed, in one case."""
    folded = unicodedata.normalize("NFKC", meant(_INVISIBLE.sub("", value))).casefold()
    return " ".join(re.findall(r"\w+", folded))


def _layout(value: str, *, lines: bool) -> tuple[Remark, ...]:
    found: list[Remark] = []
    if value[:1] == "#" and _ERROR.fullmatch(value):
        found.append(Remark(FindingCode.CELL_ERROR))
    if lines:
        if "\r" in value and "\n" in value.replace("\r\n", ""):
            found.append(Remark(FindingCode.TEXT_LINE_ENDS))
        return tuple(found)
    trimmed = value.strip(_BLANKS)
    if "\n" in trimmed or "\r" in trimmed:
        found.append(Remark(FindingCode.TEXT_LINE_BREAK))
    if len(trimmed) != len(value):
        found.append(Remark(FindingCode.TEXT_PADDED))
    if ("  " in trimmed or not trimmed.isascii()) and _ODD_SPACE.search(trimmed):
        found.append(Remark(FindingCode.TEXT_ODD_SPACE))
    return tuple(found)


def _named(characters: list[str]) -> str:
    names = sorted({f"U+{ord(character):04X}" for character in characters})
    return f"{len(characters)} of {', '.join(names[:5])}"
