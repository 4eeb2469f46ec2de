"""Signs of life: a lease is kept for as long as its holder is at work, however long the far side takes.

Without them a decision that takes longer than a lease would be overtaken by one that takes as long, and that
by the next, and none would ever be settled.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Protocol

from shared.core.ports import LeaseLost, StoreUnavailable
from shared.core.verdict import Lease

_PER_LEASE = 3
"""Signs in the time a lease lasts: one may be lost, and one late."""

_LONGEST = timedelta(minutes=10)
"""The host lets no function run longer (`functionTimeout`): what is still at work then hangs."""


class Keeping(Protocol):
    """What this asks of `Lanes`."""

    async def keep(self, lease: Lease) -> None:
        """See `Lanes.keep`."""
        ...


@contextmanager
def kept_alive(lanes: Keeping, lease: Lease) -> Iterator[None]:
    """While it lasts, the lease does not run out as long as this process goes on.

    It costs a timer; what ends within a third of the lease never gives a sign.
    """
    loop, every = asyncio.get_running_loop(), lease.lasts / _PER_LEASE
    beating: list[asyncio.Task[None]] = []
    first = loop.call_later(
        every.total_seconds(), lambda: beating.append(loop.create_task(_beat(lanes, lease, every)))
    )
    try:
        yield
    finally:
        first.cancel()
        for task in beating:
            task.cancel()


async def _beat(lanes: Keeping, lease: Lease, every: timedelta) -> None:
    """One sign after the other; a lease that is lost needs none, and its holder asks by itself."""
    with suppress(LeaseLost):
        for _ in range(_LONGEST // every):
            # The next sign may reach the state again.
            with suppress(StoreUnavailable):
                await lanes.keep(lease)
            await asyncio.sleep(every.total_seconds())
