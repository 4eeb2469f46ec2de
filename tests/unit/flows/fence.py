"""Every write of a lane's worker is fenced: it has just made sure that the lane is still its own (N-01)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import pytest

from shared.connectors.memory.dataverse import MemoryRows
from shared.connectors.memory.legacy import MemoryRecords
from shared.connectors.sqlstore.lanes import SqlLanes
from shared.core.lane import LaneWorker
from shared.core.mapping.columns import placeholder_id
from shared.core.verdict import Lease, Turn

WRITES = ("create", "update", "delete", "merge")
_AT_WORK: ContextVar[bool] = ContextVar("at_work", default=False)
"""Whether a worker is at work, and not a test that does something to a system by itself."""


@contextmanager
def fenced(rows: MemoryRows, *legacy: MemoryRecords) -> Iterator[None]:
    """While it lasts each write has to be asked for, by itself; fails at its end with those that were not."""
    asked: set[asyncio.Task[Any] | None] = set()
    unasked: list[str] = []
    confirm, work = SqlLanes.confirm, LaneWorker.work

    async def confirmed(lanes: SqlLanes, lease: Lease) -> None:
        await confirm(lanes, lease)
        asked.add(asyncio.current_task())

    async def at_work(worker: LaneWorker, turn: Turn) -> None:
        before = _AT_WORK.set(True)
        try:
            await work(worker, turn)
        finally:
            _AT_WORK.reset(before)

    def watched(twin: MemoryRows | MemoryRecords, name: str) -> Any:
        async def write(*given: Any) -> Any:
            # The placeholder is nobody's record: it has no lane, and is made once under its own id.
            is_placeholder = isinstance(given[1], UUID) and given[1] == placeholder_id(given[0].name)
            if _AT_WORK.get() and asyncio.current_task() not in asked and not is_placeholder:
                unasked.append(f"{name} of {given[1]}")
            asked.discard(asyncio.current_task())
            return await getattr(type(twin), name)(twin, *given)

        return write

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqlLanes, "confirm", confirmed)
        patch.setattr(LaneWorker, "work", at_work)
        twins: tuple[MemoryRows | MemoryRecords, ...] = (rows, *legacy)
        for twin in twins:
            for name in WRITES:
                patch.setattr(twin, name, watched(twin, name))
        yield
    assert unasked == [], unasked
