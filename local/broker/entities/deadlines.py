"""Deadlines of many things that mostly go away before they are due."""

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush


class Deadlines:
    """A heap of (when, key). Keys that died are dropped when they surface, or when they outnumber the
    living.
    """

    def __init__(self, due_at: Callable[[int], int | None]) -> None:
        """`due_at` tells when a key is due now: None, or another time, makes an older entry void."""
        self._due_at = due_at
        self._heap: list[tuple[int, int]] = []

    def add(self, when: int, key: int, living: int) -> None:
        """Remember a deadline; `living` is how many keys there are at most, which bounds the heap."""
        heappush(self._heap, (when, key))
        if len(self._heap) > 2 * living + 64:
            self._heap = [entry for entry in self._heap if self._due_at(entry[1]) == entry[0]]
            heapify(self._heap)

    def due(self, now: int) -> Iterator[int]:
        """The keys whose time has come."""
        while self._heap and self._heap[0][0] <= now:
            when, key = heappop(self._heap)
            if self._due_at(key) == when:
                yield key

    def next(self) -> int | None:
        """The earliest deadline, which may belong to a key that is gone."""
        return self._heap[0][0] if self._heap else None
