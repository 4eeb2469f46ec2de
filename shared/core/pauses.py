"""The pause that a far side asked one identity for, kept where every instance of the app sees it."""

from datetime import datetime, timedelta
from typing import Protocol

LONGEST = timedelta(minutes=5)
"""No far side is believed that asks for more: it is the window of the Dataverse service protection limits."""

FURTHEST = LONGEST + timedelta(minutes=1)
"""How far ahead a pause may end that another machine wrote: a minute is left for clocks that differ."""


class Pauses(Protocol):
    """Until when each identity pauses: one instant per identity, the same for every instance."""

    async def extend(self, identity: str, until: datetime) -> None:
        """Let an identity pause until then at least; what is kept never moves earlier.

        But for one that is further ahead than `FURTHEST`: a clock that is wrong wrote it.
        """
        ...

    async def until(self, identity: str) -> datetime | None:
        """Until when an identity pauses, past instants included; None when it never had to."""
        ...


def left(until: datetime | None, now: datetime) -> timedelta:
    """What is left of a pause that is kept: zero when it is over, and while its end is not to be believed.

    So an instant stops nobody for longer than `FURTHEST`, whatever clock wrote it.
    """
    if until is None or not timedelta() < until - now <= FURTHEST:
        return timedelta()
    return min(until - now, LONGEST)
