"""Patience: how long a change waits for earlier ones of its record before it is decided (E-07).

Two kinds, both off unless set for an entity. A *settle window* lets every change wait a little, for senders
whose messages overtake each other. A *gap wait* lets only a change wait whose predecessor is missing; it
needs a source that counts the changes of each record by one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from shared.core.change import Change

NONE = timedelta()


@dataclass(frozen=True, slots=True)
class Wait:
    """What one change waits for: `settle` whatever is there, `gap` only while its predecessor is missing."""

    settle: timedelta = NONE
    gap: timedelta = NONE


@dataclass(frozen=True, slots=True)
class Patience:
    """The waits by entity: `allegory/deal`, `dataverse/account`; one that is not named waits for nothing."""

    settle: Mapping[str, timedelta] = field(default_factory=dict)
    gaps: Mapping[str, timedelta] = field(default_factory=dict)

    def of(self, change: Change) -> Wait:
        """What a change waits for."""
        entity = f"{change.subject.system}/{change.subject.entity}"
        return Wait(self.settle.get(entity, NONE), self.gaps.get(entity, NONE))


def waits_of(text: str) -> dict[str, timedelta]:
    """Waits written as `allegory/deal=2, dataverse/account=0.5`, in seconds; else raises ValueError."""
    waits: dict[str, timedelta] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        entity, _, seconds = entry.partition("=")
        if entity.count("/") != 1 or not float(seconds or "-1") >= 0:
            raise ValueError("entries of the form system/entity=seconds")
        waits[entity.strip()] = timedelta(seconds=float(seconds))
    return waits
