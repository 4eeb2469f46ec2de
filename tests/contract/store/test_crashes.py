"""A process may die between any two statements: what it was doing is then done wholly or not at all."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import pytest

from shared.core.codes import Code
from shared.core.errors import Fault
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.outcome import Outcome
from shared.core.shadow import Mark, Shadow
from shared.core.verdict import Collision

if TYPE_CHECKING:
    from tests.contract.store.conftest import World

PARENT = RecordKey("allegory", "company", "P-1")
NAMED = chosen_row_id(RecordKey("allegory", "company", "named"))
FAULTS = (Fault("", Code.NOT_JSON, "one JSON object in UTF-8"),)

Deed: TypeAlias = Callable[[], Awaitable[object]]


async def admitting(world: "World") -> Deed:
    return world.admit


async def admitting_another_body(world: "World") -> Deed:
    await world.admit()
    return lambda: world.admit(body=b"other")


async def admitting_what_was_refused(world: "World") -> Deed:
    await world.store.inbox.reject(world.message(), None, FAULTS)
    await world.store.operations.repair.replay("m-1", "bea")
    return world.admit


async def settling(world: "World") -> Deed:
    """Everything a verdict can carry: shadow, conflict, pair, and a waiting child set free."""
    child = RecordKey("allegory", "contact", "K-1")
    await world.admit("child", key=child)
    await world.decide(world.verdict(Outcome.PARKED, waits_for=world.key), child)
    await world.admit()
    lease, item = await world.take()
    verdict = world.verdict(
        Outcome.MERGED,
        shadow=Shadow({"name": Mark("x", world.clock.now(), "allegory")}),
        collisions=(Collision("name", None, "x", "y", "allegory", "newest wins"),),
        pairs=((world.key, world.record),),
    )
    return lambda: world.store.lanes.settle(lease, item, verdict)


async def failing(world: "World") -> Deed:
    await world.admit()
    lease, item = await world.take()
    return lambda: world.store.lanes.settle(lease, item, world.failed())


async def parking(world: "World") -> Deed:
    await world.admit()
    lease, item = await world.take()
    wait = world.verdict(Outcome.PARKED, waits_for=PARENT)
    return lambda: world.store.lanes.settle(lease, item, wait)


async def handing_over(world: "World") -> Deed:
    await world.store.crosswalk.claim(world.key, None, world.record)
    await world.admit()
    await world.decide(world.verdict(Outcome.PARKED, waits_for=PARENT))
    return lambda: world.store.crosswalk.claim(world.key, NAMED, world.record)


async def replaying(world: "World") -> Deed:
    await world.admit()
    await world.decide(world.failed())
    return lambda: world.store.operations.repair.replay("m-1", "bea")


async def skipping(world: "World") -> Deed:
    await world.admit()
    await world.decide(world.failed())
    return lambda: world.store.operations.repair.skip("m-1", "obsolete", "bea")


@pytest.mark.parametrize(
    "prepare",
    [
        admitting,
        admitting_another_body,
        admitting_what_was_refused,
        settling,
        failing,
        parking,
        handing_over,
        replaying,
        skipping,
    ],
)
async def test_a_crash_leaves_nothing_or_all(
    world: "World", prepare: Callable[["World"], Awaitable[Deed]]
) -> None:
    deed = await prepare(world)
    before = world.dump()
    crashes = 0
    while True:
        revive = world.crash_at(crashes + 1)
        try:
            await deed()
        except world.crash:
            crashes += 1
            revive()
            assert world.dump() == before, f"after a crash before statement {crashes}"
            continue
        revive()
        break

    counts = await world.store.operations.counts.take()
    assert crashes >= 4
    assert world.dump() != before
    assert counts["unexplained"] == 0
