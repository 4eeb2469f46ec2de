"""A lane worker in a process of its own: drains the lanes it is given until every message has its outcome."""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.connectors.sqlstore import Store, open_store
from shared.core.identity import RecordKey
from shared.core.outcome import Outcome
from shared.core.ports import LeaseLost
from shared.core.verdict import Verdict

KEY = RecordKey("allegory", "company", "any")


class Wall:
    """The real clock: several processes share nothing else."""

    def now(self) -> datetime:
        return datetime.now(UTC)


async def drain(store: Store, record: UUID, die_after: int) -> int:
    """Work one lane; returns how many messages were settled. Dies with a lease in its hands when told to."""
    settled = 0
    turn = await store.lanes.acquire(record)
    item = turn.item if turn else None
    try:
        while turn is not None and item is not None:
            if settled == die_after:
                os._exit(9)
            done = await store.lanes.settle(turn.lease, item, Verdict(Outcome.APPLIED, "worked", KEY))
            item = done.next
            settled += 1
    except LeaseLost:
        return settled
    return settled


async def main(url: str, die_after: int, records: list[UUID]) -> None:
    store = open_store(url, Wall(), lease=timedelta(seconds=1))
    deadline = datetime.now(UTC) + timedelta(seconds=60)
    while (await store.operations.counts.take())["open"]:
        if datetime.now(UTC) > deadline:
            sys.exit("the lanes were not drained in 60 s")
        for record in records:
            await drain(store, record, die_after)
    store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), [UUID(text) for text in sys.argv[3:]]))
