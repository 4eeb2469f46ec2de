"""What a person decides about a conflict, and where that is kept until the record's lane carries it out."""

from dataclasses import dataclass
from typing import Protocol

from shared.core.mapping.columns import Value


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a person decided about a conflict: the value, and what they saw both sides hold when they did."""

    column: str
    value: Value
    inbound: Value
    outbound: Value
    by: str


class NotOpen(Exception):
    """The conflict is over, there is none of that number, or it is no longer what the person saw."""


class Conflicts(Protocol):
    """The conflicts that wait for a person."""

    async def decided(self, number: int) -> Settlement | None:
        """What a person decided about a conflict; None when nobody has, or it is over."""
        ...
