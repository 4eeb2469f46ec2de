"""A part of a long list, as people are shown it."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.core.ports import Report


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries of a list in its order, and how many more come behind the last of them."""

    entries: Sequence[Report]
    more: int
