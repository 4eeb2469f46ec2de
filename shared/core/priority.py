"""Who goes first when a far side cannot take everything at once: live sync, then replays, then loads.

The priority belongs to what is being done, not to a single call: it is said once, around the work, and holds
for everything awaited or started inside. Nobody says anything for live traffic.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum


class Priority(IntEnum):
    """The lower goes first."""

    LIVE = 0
    REPLAY = 1
    LOAD = 2


_current: ContextVar[Priority] = ContextVar("priority", default=Priority.LIVE)


def current_priority() -> Priority:
    """The priority of the work at hand."""
    return _current.get()


@contextmanager
def working_as(priority: Priority) -> Iterator[None]:
    """Let everything inside have this priority."""
    before = _current.set(priority)
    try:
        yield
    finally:
        _current.reset(before)
