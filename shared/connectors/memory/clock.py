"""A clock that somebody sets."""

from datetime import UTC, datetime, timedelta


class SettableClock:
    """`Clock` that stands still until it is set or moved on."""

    def __init__(self, start: datetime = datetime(2026, 1, 31, 10, 11, 12, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        """The instant it was last set to."""
        return self._now

    def set(self, to: datetime) -> None:
        """Put it anywhere, back included."""
        self._now = to

    def advance(self, by: timedelta) -> None:
        """Move it on."""
        self._now += by
