"""Formulas of a sheet whose results were never stored: their cells read as blanks."""

import re

Places = frozenset[tuple[int, int]]
"""Cells by line, from 1, and place in the line, from 0."""

# A formula's text is escaped, so that it holds no bracket; an empty text (t="str") is a stored result.
_UNCOUNTED = re.compile(
    rb'<c r="([A-Z]+)(\d+)"(?![^>]*\bt="str")[^>]*>\s*<f[^>]*?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>'
)
_TAG = b"<f"
NONE: Places = frozenset()


def uncounted(xml: bytes) -> Places:
    """The cells whose formula has no stored result, in the XML of a sheet or of some of its rows."""
    if _TAG not in xml:
        return NONE
    return frozenset((int(line), _place(letters)) for letters, line in _UNCOUNTED.findall(xml))


def _place(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1
