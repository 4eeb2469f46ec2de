"""How rows of a table are written: each under its own condition, or many at once without one."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Self

from shared.core.mapping.columns import Table


async def nobody_alone(table: Table) -> bool:  # noqa: ARG001  # the shape of an answer about a table
    """Both sides write every table: what holds until ownership says otherwise."""
    return False


@dataclass(frozen=True, slots=True)
class Modes:
    """Which tables are written in bulk (docs/adr/0011).

    `is_one_sided` says whether ownership lets one side alone write a table now; it is asked for every write,
    because a phase may end at any time. `bulk` and `guarded` are the tables a person decided about: theirs
    counts, and guarded counts more.
    """

    is_one_sided: Callable[[Table], Awaitable[bool]] = nobody_alone
    bulk: Collection[str] = ()
    guarded: Collection[str] = ()

    @classmethod
    def said(cls, text: str, is_one_sided: Callable[[Table], Awaitable[bool]] = nobody_alone) -> Self:
        """From a setting: table names between commas, those to be guarded with a minus before them."""
        names = [name.strip() for name in text.split(",") if name.strip()]
        guarded = frozenset(name[1:].strip() for name in names if name.startswith("-"))
        return cls(is_one_sided, frozenset(name for name in names if not name.startswith("-")), guarded)

    async def is_bulk(self, table: Table) -> bool:
        """Whether rows of a table are written in bulk."""
        if table.name in self.guarded:
            return False
        return table.name in self.bulk or await self.is_one_sided(table)
