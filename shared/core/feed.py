"""How a legacy system is read: what it tells of its changes, and everything it has. Ports, as in `ports`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.core.change import Json, Operation
from shared.core.ports import LegacyRecord


@dataclass(frozen=True, slots=True)
class LegacyChange:
    """One change as a legacy system's feed tells it.

    `cursor` is its place in the feed; `record` holds the fields as the change left them, none after a delete.
    `changed_by` is who made it, blank where the system does not tell; `is_create` says that it made the
    record; `heir` is the record that this one was merged into.
    """

    cursor: str
    entity: str
    id: str
    operation: Operation
    changed_at: datetime
    record: Mapping[str, Json]
    changed_by: str = ""
    is_create: bool = False
    heir: str = ""


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Changes in the order of the feed, and the position after the last of them."""

    changes: Sequence[LegacyChange]
    next: str


class LegacyFeed(Protocol):
    """What one legacy system tells of its own changes, those we made included."""

    async def changes(self, since: str, limit: int) -> FeedPage:
        """The changes after a position ("" is the beginning); none left: an empty page.

        Raises Throttled, Unavailable or Refused.
        """
        ...


@dataclass(frozen=True, slots=True)
class LegacyPage:
    """Some of a collection's records, and the position after them; None when they were the last."""

    records: Sequence[LegacyRecord]
    next: str | None


class LegacySnapshot(Protocol):
    """Everything one legacy system has, page by page."""

    async def page(self, entity: str, position: str, limit: int) -> LegacyPage:
        """The records after a position ("" is the beginning).

        Raises Throttled, Unavailable or Refused.
        """
        ...


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a feed has been read: the position ("" is its beginning), and a version each move raises."""

    position: str = ""
    version: int = 0


class Cursors(Protocol):
    """The watermarks of feeds, by name."""

    async def load(self, name: str) -> Watermark:
        """Where reading goes on; the beginning when it never started."""
        ...

    async def move(self, name: str, seen: Watermark, position: str) -> Watermark | None:
        """Put the watermark at `position`; None, and nothing moved, when it is no longer the one `seen`."""
        ...
