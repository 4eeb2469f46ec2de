"""Personal data: which columns hold it, of what kind, and how it looks to those who need not know it (C-35).

A masked value keeps what a person needs to follow a history: whether there is one, how long it is, and
whether it changed. Within one answer equal values look equal, and different ones different.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeAlias


class Personal(StrEnum):
    """What a text column tells of a person."""

    NO = "no"
    NAME = "name"
    EMAIL = "e-mail"
    PHONE = "phone"
    ADDRESS = "address"
    FREE_TEXT = "free text"


Classified: TypeAlias = Mapping[str, Mapping[str, Personal]]
"""The kind of every text column, by table and column."""

_DOT = "\N{BULLET}"
_LONGEST = 40


class Mask:
    """Masks the values of one answer. `tables` is the classification of every table that may occur."""

    def __init__(self, tables: Classified) -> None:
        self._tables = tables
        self._seen: dict[tuple[Personal, str], str] = {}
        self._taken: dict[str, int] = {}

    def value(self, table: str, column: str, value: Any) -> Any:
        """A column's value as it may be shown; text of a column nobody classified counts as free text."""
        if not isinstance(value, str) or not value:
            return value
        kind = self._tables.get(table, {}).get(column, Personal.FREE_TEXT)
        return value if kind is Personal.NO else self.text(kind, value)

    def text(self, kind: Personal, value: str) -> str:
        """A text of a kind, masked."""
        known = self._seen.get((kind, value))
        if known is not None:
            return known
        shape = _shape(kind, value)
        number = self._taken[shape] = self._taken.get(shape, 0) + 1
        # Two values of one shape would hide that something changed.
        shown = shape if number == 1 else f"{shape} ~{number}"
        self._seen[kind, value] = shown
        return shown


def _shape(kind: Personal, value: str) -> str:
    if kind is Personal.FREE_TEXT:
        return f"({len(value)} characters)"
    if kind is Personal.EMAIL and "@" in value:
        local, _, domain = value.rpartition("@")
        return f"{_lead(local)}@{_dots(len(domain))}"
    if kind is Personal.PHONE:
        return _dots(len(value) - 2) + value[-2:] if len(value) > 4 else _dots(len(value))
    return _lead(value)


def _lead(text: str) -> str:
    return text[:1] + _dots(len(text) - 1)


def _dots(count: int) -> str:
    return _DOT * min(max(count, 0), _LONGEST)
