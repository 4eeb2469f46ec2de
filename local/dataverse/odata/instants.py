"""Dates and times on the wire: how they are read, kept and compared."""

import re
from datetime import UTC, date, datetime

_INSTANT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7})\d*)?)?(Z|[+-]\d{2}:\d{2})?)?"
)
# What `write_instant` writes: the form nearly every instant arrives in.
_KEPT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
EARLIEST = "1753-01-01"


def read_instant(text: str) -> str:
    """An instant as it is kept: UTC, to the second, `2026-01-31T10:11:12Z`; ValueError when it is none.

    A time without an offset is refused, as the service does; a bare date means midnight UTC.
    """
    if _KEPT.fullmatch(text):
        datetime.fromisoformat(text)
        return text
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise ValueError("not a date and time")
    if match[4] is not None and match[8] is None:
        raise ValueError("the time zone is missing")
    value = datetime.fromisoformat(text.replace("Z", "+00:00") if match[4] else f"{text}T00:00:00+00:00")
    return write_instant(value)


def write_instant(value: datetime) -> str:
    """An aware datetime as the wire has it."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_date(text: str) -> str:
    """A calendar date as it is kept; ValueError when it is none."""
    return date.fromisoformat(text).isoformat() if len(text) == len("2026-01-31") else _not_a_date()


def _not_a_date() -> str:
    raise ValueError("not a date")


def comparable(text: str) -> str:
    """Text that sorts as the instant does, fractions included."""
    if "T" not in text:
        return f"{text}T00:00:00"
    if text.endswith("Z"):
        return text[:-1]
    value = datetime.fromisoformat(text)
    moved = value.astimezone(UTC) if value.tzinfo is not None else value
    return moved.replace(tzinfo=None).isoformat()
