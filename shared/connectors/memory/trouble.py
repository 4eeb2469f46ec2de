"""Bad days of a far side, arranged in advance."""

from collections import deque

from shared.core.errors import SyncError


class Trouble:
    """Failures that the next calls of a twin meet, in the order they were arranged."""

    def __init__(self) -> None:
        self._coming: deque[SyncError] = deque()

    def next(self, error: SyncError, *, times: int = 1) -> None:
        """Let the next `times` calls fail with `error`, before they do anything."""
        self._coming.extend([error] * times)

    def strike(self) -> None:
        """Raise what is due, if anything."""
        if self._coming:
            raise self._coming.popleft()
