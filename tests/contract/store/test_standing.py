"""What stands where, since when, and what stops it."""

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.core.identity import RecordKey
from shared.core.outcome import Outcome

if TYPE_CHECKING:
    from tests.contract.store.conftest import World

OTHER = RecordKey("allegory", "company", "C-2")
PARENT = RecordKey("allegory", "company", "P77")
NAMED = RecordKey("allegory", "contact", "ann.smith@example.com")


async def test_an_empty_state_stands_still_for_no_reason(world: "World") -> None:
    assert await world.store.operations.standing.take() == {
        "states": {},
        "lag": {"minutes": 10, "messages": 0, "p50_seconds": None, "p95_seconds": None},
        "stopped": [],
        "pauses": [],
        "parked": [],
        "owners": {"unmatched": 0, "waiting": 0, "owed": 0, "oldest_seconds": None},
        "asked": {"conflicts": 0, "matches": 0},
        "tickets": [],
        "feeds": [],
        "strays": [],
    }


async def test_a_cause_is_told_with_its_heads_and_those_behind_them(world: "World") -> None:
    for key in (world.key, OTHER):
        await world.admit(f"{key.id} head", key=key)
        await world.admit(f"{key.id} behind", key=key, minute=1)
        await world.decide(world.failed(), key)
    world.clock.advance(minutes=3)

    told = await world.store.operations.standing.take()

    (cause,) = told["stopped"]
    assert (cause["heads"], cause["held"], cause["followers"], cause["for_seconds"]) == (2, 2, 2, 180.0)
    assert cause["cause"]
    assert cause["advice"]
    assert told["states"] == {
        "held": {"count": 2, "oldest_seconds": 180.0},
        "waiting": {"count": 2, "oldest_seconds": 180.0},
    }


async def test_what_is_waited_for_is_told_by_entity_without_a_customers_value(world: "World") -> None:
    for number, wanted in enumerate((PARENT, PARENT, NAMED)):
        key = RecordKey("allegory", "contact", f"K-{number}")
        await world.admit(key.id, key=key)
        await world.decide(world.verdict(Outcome.PARKED, waits_for=wanted), key)

    told = await world.store.operations.standing.take()

    assert told["parked"] == [
        {
            "entity": "allegory:company",
            "messages": 2,
            "keys": 1,
            "top": [{"key": "allegory:company:P77", "messages": 2}],
        },
        {
            "entity": "allegory:contact",
            "messages": 1,
            "keys": 1,
            "top": [{"key": "allegory:contact:...", "messages": 1}],
        },
    ]


async def test_healthy_traffic_tells_how_long_it_takes(world: "World") -> None:
    for seconds in range(20):
        key = RecordKey("allegory", "company", f"C-{seconds}")
        await world.admit(key.id, key=key)
        world.clock.advance(seconds=seconds)
        await world.decide(world.verdict(), key)

    lag = (await world.store.operations.standing.take())["lag"]

    assert lag == {"minutes": 10, "messages": 20, "p50_seconds": 10.0, "p95_seconds": 19.0}


async def test_a_feed_tells_when_it_last_brought_something(world: "World") -> None:
    cursors = world.store.cursors
    await cursors.move("allegory-feed", await cursors.load("allegory-feed"), "17")
    await world.store.jobs.lease("allegory-feed", "me", 30)
    world.clock.advance(minutes=5)

    (feed,) = (await world.store.operations.standing.take())["feeds"]

    assert (feed["feed"], feed["moved_seconds"]) == ("allegory-feed", 300.0)
    assert feed["lease_until"] == (world.clock.now() - timedelta(minutes=4, seconds=30)).isoformat()


async def test_a_message_that_is_neither_here_nor_there_is_named(world: "World") -> None:
    await world.admit("lost")
    await world.admit("kept", key=OTHER)
    with world.store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM lane_item WHERE number = 1")

    assert (await world.store.operations.standing.take())["strays"] == [
        {"message_id": "lost", "queue": "inbound", "state": None, "outcome": None}
    ]
