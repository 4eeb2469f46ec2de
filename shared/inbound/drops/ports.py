"""What reading drops asks of the world: where they lie, and what was accepted of the earlier ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from shared.core.drop import Accepted, DropState, Known, ModuleState, Seen, Tally
from shared.core.ports import Report
from shared.core.reading.source import Source


class DropPlace(Protocol):
    """The folder or blob container a system writes its exports to, one folder each, or itself."""

    async def drops(self) -> Sequence[Seen]:
        """Every folder with files of an export in it; raises Unavailable."""
        ...

    async def opened(self, seen: Seen) -> Source:
        """A drop as a source of rows; raises Unavailable."""
        ...


class Snapshots(Protocol):
    """What is remembered of drops and of the records in them."""

    async def note(self, system: str, seen: Seen) -> Known:
        """What is known of a drop; it is remembered from now on if it was not."""
        ...

    async def mark(
        self, number: int, state: DropState, reason: str = "", exported_at: datetime | None = None
    ) -> None:
        """Say how far a drop has come."""
        ...

    async def accepted(self, system: str, entity: str, ids: Sequence[str]) -> Mapping[str, Accepted]:
        """What was accepted of these records."""
        ...

    async def accept(
        self, system: str, entity: str, drop: int, records: Sequence[Accepted], seen: Sequence[str]
    ) -> None:
        """Accept records as they are in a drop, and note that others were `seen` in it, in one go."""
        ...

    async def absent(self, system: str, entity: str, drop: int, limit: int) -> Sequence[Accepted]:
        """Records that are present as far as is known, and were not seen in this drop."""
        ...

    async def present(self, system: str, entity: str, drop: int) -> tuple[int, int]:
        """How many records are present as far as is known, and how many of them this drop did not hold."""
        ...

    async def was_doubted(self, system: str, entity: str, drop: int) -> bool:
        """Whether the drop read before this one missed so many records that it was not believed."""
        ...

    async def told_of(self, number: int, entity: str, state: ModuleState, tally: Tally) -> None:
        """Keep how far a module has come; its findings take the place of those before."""
        ...

    async def report(self, after: int = 0) -> Report:
        """The last drops of every system with their modules, and what is kept out behind finding `after`.

        `findings` counts all that is kept out, by finding; `more` says how many come behind those told.
        """
        ...
