"""What handing over workbooks asks of the world: where they are put, and the queue of pending writes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.core.imports import Cell
from shared.core.pending import Acknowledged, ImportFile, PendingWrite
from shared.core.ports import Report
from shared.core.reading.export import Object
from shared.core.reading.source import Row


class ImportPlace(Protocol):
    """The folder or blob container from which a system takes its imports, and into which it answers."""

    async def names(self) -> frozenset[str]:
        """The names of all files there; raises Unavailable."""
        ...

    async def put(self, name: str, sheet: str, rows: Sequence[Sequence[Cell]]) -> None:
        """Write a workbook of one sheet, whole or not at all: the same bytes for the same rows.

        Raises Unavailable.
        """
        ...

    async def read(self, entry: Object) -> Sequence[Row]:
        """The rows of an acknowledgement; raises Unreadable, or Unavailable."""
        ...


class ImportQueue(Protocol):
    """Pending writes, and the workbooks they are in."""

    async def waiting(self, system: str) -> Mapping[str, datetime]:
        """The entities with writes that are in no workbook yet, and since when the oldest waits.

        Writes that nobody waits for any more are given up first.
        """
        ...

    async def form(self, system: str, entity: str, stem: str, limit: int) -> ImportFile | None:
        """Put the oldest writes of an entity into a workbook of their own; None when there are none.

        Its name is `stem` and its number.
        """
        ...

    async def under_way(self, system: str) -> Sequence[ImportFile]:
        """The workbooks that are not acknowledged, in the order in which they were made."""
        ...

    async def rows(self, file: int) -> Sequence[tuple[UUID, PendingWrite]]:
        """The writes of a workbook that are not answered, by their names, in their order."""
        ...

    async def written(self, file: int) -> None:
        """Note that a workbook lies in its place."""
        ...

    async def acknowledge(self, file: int, answers: Mapping[UUID, Acknowledged], note: str) -> Sequence[UUID]:
        """Take the answers to a workbook's rows; returns the records that go on.

        A row without an answer goes into another workbook, under its own name; one that was left out several
        times counts as refused.
        """
        ...

    async def remark(self, file: int, note: str) -> None:
        """Note what is odd about a workbook or its acknowledgement."""
        ...

    async def report(self) -> Report:
        """How many writes are pending, since when, and the last workbooks."""
        ...
