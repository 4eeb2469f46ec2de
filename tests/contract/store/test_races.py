"""Several workers, in threads and in processes, on the same lanes."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from shared.connectors.sqlstore import Store
from shared.connectors.sqlstore.tables import journal, lane, lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.outcome import Outcome
from shared.core.ports import LeaseLost
from shared.core.verdict import Verdict

if TYPE_CHECKING:
    from tests.contract.store.conftest import World

WORKER = Path(__file__).parent / "worker.py"
KEYS = [RecordKey("allegory", "company", f"C-{n}") for n in range(6)]
RECORDS = [chosen_row_id(key) for key in KEYS]


async def _fill(world: "World", each: int) -> None:
    for minute in reversed(range(each)):
        for key in KEYS:
            await world.admit(f"{key.id}/{minute}", key=key, minute=minute)


def _assert_each_worked_once_and_in_order(world: "World", each: int) -> None:
    ids = {row["number"]: row["message_id"] for row in world.rows(messages)}
    lines = sorted(world.rows(journal), key=lambda line: int(line["id"]))
    assert Counter(ids.values()) == Counter(ids[line["number"]] for line in lines)
    for key in KEYS:
        worked = [ids[line["number"]] for line in lines if line["record"] == chosen_row_id(key)]
        assert worked == [f"{key.id}/{minute}" for minute in range(each)]
        fences = [line["fence"] for line in lines if line["record"] == chosen_row_id(key)]
        assert fences == sorted(fences)


async def _drain(store: Store, record: UUID) -> None:
    turn = await store.lanes.acquire(record)
    item = turn.item if turn else None
    with suppress(LeaseLost):
        while turn is not None and item is not None:
            item = (
                await store.lanes.settle(turn.lease, item, Verdict(Outcome.APPLIED, "worked", KEYS[0]))
            ).next


async def test_two_workers_in_threads_share_the_lanes(world: "World") -> None:
    other = world.another()
    await _fill(world, 5)

    await asyncio.gather(*(_drain(store, record) for record in RECORDS for store in (world.store, other) * 2))

    _assert_each_worked_once_and_in_order(world, 5)
    other.close()


async def test_no_message_is_left_behind_when_a_lane_is_given_back(world: "World") -> None:
    """Each sender drains after it admits, and nobody sweeps: the release must see every other's message."""
    other = world.another()

    async def send(store: Store, names: Sequence[str]) -> None:
        for name in names:
            message = world.message(name)
            await store.inbox.admit(message, world.change(message), world.record)
            await _drain(store, world.record)

    senders = (
        send(store, [f"{n}/{count}" for count in range(25)])
        for n, store in enumerate([world.store, other] * 2)
    )
    await asyncio.gather(*senders)

    assert {row["state"] for row in world.rows(lane_item)} == {"done"}
    assert [row["owner"] for row in world.rows(lane)] == [None]
    other.close()


async def test_processes_share_the_lanes_and_one_may_die(world: "World") -> None:
    await _fill(world, 8)
    records = [str(record) for record in RECORDS]

    workers = [
        await asyncio.create_subprocess_exec(sys.executable, str(WORKER), world.url, die_after, *names)
        for die_after, names in (("3", records), ("-1", records), ("-1", records[::-1]))
    ]
    mortal, first, second = await asyncio.gather(*(worker.wait() for worker in workers))

    assert (first, second) == (0, 0)
    assert mortal in {0, 9}
    _assert_each_worked_once_and_in_order(world, 8)
