"""Where the synchronous SQL work runs: on a few threads of its own, or right here for a simulation."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

T = TypeVar("T")


class Executor(Protocol):
    """Runs one piece of blocking work and gives its result."""

    async def __call__(self, work: Callable[[], T]) -> T:
        """The result of `work`; what it raises is raised."""
        ...


class Threads:
    """A small pool of threads for SQL alone, so that a slow database cannot starve other blocking work.

    No more threads than pooled connections: one that waits for a connection would only hold memory.
    """

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="sql")

    async def __call__(self, work: Callable[[], T]) -> T:
        """The result of `work`, computed on a thread of the pool."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Let running work end, then stop the threads."""
        self._pool.shutdown()


async def inline(work: Callable[[], T]) -> T:
    """The result of `work`, computed at once: nothing else happens meanwhile, so a run can be repeated."""
    return work()
