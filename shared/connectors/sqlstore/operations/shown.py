"""How rows are shown to people: JSON-ready, and without a customer's value where none is asked for."""

import re
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.core.codes import EXPLANATIONS, Code
from shared.core.errors import Fault
from shared.core.mapping.columns import Value

_IS_ID = re.compile(r"[A-Za-z]{0,8}[-_.]?[0-9A-Fa-f][0-9A-Fa-f-]{0,39}")
"""What looks like a number that a system gave: letters in front at most, then digits."""


def at(instant: datetime | None) -> str | None:
    """An instant as ISO 8601 text."""
    return None if instant is None else instant.isoformat()


def text(value: UUID | None) -> str | None:
    """An id as text."""
    return None if value is None else str(value)


def key(wanted: str) -> str:
    """A key that is waited for; an id that could be a customer's name or address is not told."""
    head, _, last = wanted.rpartition(":")
    return wanted if _IS_ID.fullmatch(last) else f"{head}:..."


def plain(value: Value) -> str | int | bool | None:
    """A column's value without its type."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, tuple):
        return "; ".join(map(str, value))
    return value.isoformat() if isinstance(value, date) else str(value)


def explained(code: str | None) -> dict[str, str | None]:
    """A code with its cause and advice in plain words."""
    if code is None:
        return {"code": None, "cause": None, "advice": None}
    explanation = EXPLANATIONS[Code(code)]
    return {"code": code, "cause": explanation.cause, "advice": explanation.advice}


def faults(found: tuple[Fault, ...]) -> list[dict[str, str]]:
    """Faults with their field, code and rule."""
    return [{"field": f.field, "code": f.code.value, "expected": f.expected} for f in found]


def subject(row: sa.Row[*tuple[Any, ...]]) -> str | None:
    """The record a message is about, in its own system's words."""
    return None if row.source is None else f"{row.source}:{row.entity}:{row.source_id}"


def message_id(row: sa.Row[*tuple[Any, ...]]) -> str:
    """The sender's message id."""
    found: str = row.original_id if row.original_id is not None else row.message_id
    return found


def subject_key(any_id: str) -> str:
    """What a person typed to name a record, as far as a key column holds it."""
    return any_id.strip()[:200]
