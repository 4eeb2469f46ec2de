"""Resource paths: which set, which row, which property. Quotes protect slashes, commas and parentheses."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from local.dataverse.errors import bad_query

GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
ROOT = re.compile(r"^(?:https?://[^/]+)?/?api/data/v9\.[0-2]/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Segment:
    """One step of a path: a name and, when there were parentheses, what stood in them."""

    name: str
    key: str | None = None


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Pieces between separators that stand neither in quotes nor in parentheses."""
    pieces, start, depth, quoted = [], 0, 0, False
    for at, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
        elif letter == separator and depth == 0:
            pieces.append(text[start:at])
            start = at + 1
    pieces.append(text[start:])
    return pieces


def parse_path(path: str) -> list[Segment]:
    """The segments of a decoded path relative to the service root."""
    return [_segment(piece) for piece in split_outside_quotes(path.strip("/"), "/") if piece]


def _segment(piece: str) -> Segment:
    name, opened, rest = piece.partition("(")
    if not opened:
        return Segment(piece)
    if not rest.endswith(")"):
        raise bad_query(f"The path segment '{piece}' is not closed.")
    return Segment(name, rest[:-1])


def relative(url: str) -> str:
    """A URL from a body (absolute, rooted or relative) as a decoded path relative to the service root."""
    path = ROOT.sub("", url.strip())
    return unquote(path).lstrip("/")


def key_parts(key: str) -> dict[str, str]:
    """The `name=value` parts of an alternate key, values still as literals."""
    parts = {}
    for piece in split_outside_quotes(key, ","):
        name, equals, value = piece.partition("=")
        if not equals:
            raise bad_query(f"The key '{key}' is neither an id nor a list of key values.")
        parts[name.strip()] = value.strip()
    return parts


def unquoted(literal: str) -> str:
    """A key literal's text: quotes taken off, doubled quotes halved."""
    if len(literal) >= 2 and literal[0] == literal[-1] == "'":
        return literal[1:-1].replace("''", "'")
    return literal


def bare_guid(key: str) -> str | None:
    """The id in lower case when the key is one."""
    text = key.strip().strip("{}'")
    return text.lower() if GUID.fullmatch(text) else None
