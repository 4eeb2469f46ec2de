"""Until when an identity pauses: one instant for all instances, which nobody moves earlier."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from shared.connectors.memory.pauses import MemoryPauses
from shared.core.pauses import FURTHEST, Pauses
from tests.contract.store.conftest import START

if TYPE_CHECKING:
    from tests.contract.store.conftest import Hands, World

SOON, LATER = START + timedelta(seconds=7), START + timedelta(seconds=40)


class Kept:
    """What is asked, and the clock it is asked by."""

    def __init__(self, pauses: Pauses, clock: Hands) -> None:
        self.pauses = pauses
        self.clock = clock


@pytest.fixture(params=["memory", "sql"])
def kept(request: pytest.FixtureRequest, world: World) -> Kept:
    twin = MemoryPauses(world.clock)
    return Kept(twin if request.param == "memory" else world.store.pauses, world.clock)


async def test_an_identity_that_was_never_refused_has_no_pause(kept: Kept) -> None:
    await kept.pauses.extend("Allegory", SOON)

    assert await kept.pauses.until("Dataverse") is None


async def test_a_pause_is_kept_in_utc_and_past_its_end(kept: Kept) -> None:
    await kept.pauses.extend("Dataverse", SOON.astimezone(timezone(timedelta(hours=2))))
    kept.clock.advance(hours=1)

    until = await kept.pauses.until("Dataverse")

    assert until == SOON
    assert until.utcoffset() == timedelta()


@pytest.mark.parametrize("asked", [(SOON, LATER), (LATER, SOON), (LATER, LATER)])
async def test_a_pause_never_moves_earlier(kept: Kept, asked: tuple[datetime, datetime]) -> None:
    for until in asked:
        await kept.pauses.extend("Dataverse", until)

    assert await kept.pauses.until("Dataverse") == LATER


async def test_a_pause_as_long_as_one_can_be_stays(kept: Kept) -> None:
    await kept.pauses.extend("Dataverse", START + FURTHEST)
    await kept.pauses.extend("Dataverse", SOON)

    assert await kept.pauses.until("Dataverse") == START + FURTHEST


async def test_what_a_wrong_clock_wrote_gives_way(kept: Kept) -> None:
    await kept.pauses.extend("Dataverse", START + timedelta(days=4000))
    await kept.pauses.extend("Dataverse", SOON)

    assert await kept.pauses.until("Dataverse") == SOON


async def test_of_many_instances_refused_at_once_the_longest_pause_stays(world: World) -> None:
    other = world.another()
    instants = [START + timedelta(seconds=n) for n in range(20)]

    await asyncio.gather(
        *(store.pauses.extend("Dataverse", at) for at in instants for store in (world.store, other))
    )

    assert await other.pauses.until("Dataverse") == instants[-1]
    other.close()


async def test_people_are_told_who_pauses_now_and_until_when(world: World) -> None:
    pauses = world.store.pauses
    await pauses.extend("Allegory", SOON)
    await pauses.extend("Dataverse", LATER)
    await pauses.extend("Somebody", START + timedelta(days=4000))
    world.clock.advance(seconds=10)

    assert (await world.store.operations.standing.take())["pauses"] == [
        {"identity": "Dataverse", "until": "2026-03-01T08:00:40+00:00", "for_seconds": 30.0}
    ]
