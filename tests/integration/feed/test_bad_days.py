"""The feed on bad days: nothing is lost, nothing happens twice, and nobody is woken for what passes."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from shared.connectors.sqlstore.watermarks import SqlCursors
from shared.core.feed import Watermark
from shared.core.ports import StoreUnavailable
from shared.inbound.feed import Feed


class Dying:
    """Watermarks of a process that ends before it moves one."""

    def __init__(self, real: SqlCursors) -> None:
        self.load = real.load

    async def move(self, name: str, seen: Watermark, position: str) -> Watermark | None:
        raise StoreUnavailable("the process ended here")


async def test_a_page_posted_twice_after_a_crash_is_applied_once(house: Any) -> None:
    await house.company("C-7")
    feed = house.app.feeds["allegory"]
    with pytest.raises(StoreUnavailable):
        await replace(feed, cursors=Dying(feed.cursors)).run()

    assert await house.feed() == 1
    assert [await house.deliver("inbound"), await house.deliver("inbound")] == ["allegory-feed-1"] * 2

    assert house.outcomes() == {"allegory-feed-1": "applied"}
    _, to_dataverse = await house.requests()
    assert {name: count for name, count in to_dataverse.items() if "accounts" in name} == {
        "PATCH accounts": 1
    }
    assert await house.feed() == 0


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "status", "status": 429, "retry_after": 0}, "target.throttled"),
        ({"kind": "status", "status": 503}, "target.unavailable"),
        ({"kind": "lost_answer"}, "target.unavailable"),
    ],
)
async def test_what_passes_ends_the_run_quietly_and_the_next_one_goes_on(
    house: Any, fault: dict[str, Any], code: str
) -> None:
    await house.company("C-7")
    (await house.allegory.post("/admin/faults", json={"path": "/changes", **fault})).raise_for_status()

    assert await house.feed() == 0
    assert [(told.dimensions, told.error) for told in house.telemetry.told] == [
        ({"job": "allegory-feed", "code": code}, False)
    ]
    assert await house.feed() == 1


async def test_a_refusal_ends_the_run_and_is_told_as_an_error(house: Any) -> None:
    (
        await house.allegory.post("/admin/faults", json={"kind": "status", "status": 403, "path": "/changes"})
    ).raise_for_status()

    assert await house.feed() == 0
    assert [(told.dimensions, told.error) for told in house.telemetry.told] == [
        ({"job": "allegory-feed", "code": "target.unauthorised"}, True)
    ]


async def test_one_runner_at_a_time_reads_the_feed(house: Any) -> None:
    await house.company("C-7")
    assert await house.feed() == 1
    await house.company("C-8")
    await house.forget_requests()

    elsewhere: Feed = replace(house.app.feeds["allegory"], owner="another-instance")
    assert await elsewhere.run() == 0
    assert await house.requests() == ({}, {})
    assert await house.feed() == 1


async def test_a_long_feed_is_read_page_by_page_and_each_change_once(house: Any) -> None:
    for number in range(5):
        await house.company(f"C-{number}")
    feed = replace(house.app.feeds["allegory"], page_size=2)

    assert [await feed.run(), await feed.run()] == [5, 0]
    posted = [await house.deliver("inbound") for _ in range(5)]
    assert sorted(posted) == [f"allegory-feed-{number}" for number in range(1, 6)]
    assert await house.app.feeds["allegory"].cursors.load("allegory-feed") == Watermark("5", 3)


async def test_an_entity_without_a_map_is_skipped_and_counted(house: Any) -> None:
    await house.company("C-7")
    (await house.allegory.put("/contacts/P-1", json={"last_name": "Muster"})).raise_for_status()
    feed = replace(house.app.feeds["allegory"], system=replace(ALLEGORY, maps=(COMPANY,)))

    assert [await feed.run(), await feed.run()] == [1, 0]
    assert house.telemetry.of("tandem.feed") == [{"job": "allegory-feed", "changes": "1", "skipped": "1"}]


async def test_what_no_queue_takes_gets_its_place_in_the_lane_all_the_same(house: Any) -> None:
    """A record larger than a message, and an id longer than a session's: neither may hold up the feed."""
    await house.company("C-7", cf_scoring_blob="x" * 200_000)
    await house.company("C-" + "8" * 150)
    await house.company("C-9")

    assert await house.feed() == 3
    assert await house.left() == {"inbound": 1, "outbound": 0}
    outcomes = house.outcomes()
    assert {"allegory-feed-1", "allegory-feed-2"} == outcomes.keys()
    assert None not in outcomes.values()


async def test_the_message_is_the_one_a_sender_would_have_put_on_the_bus(house: Any) -> None:
    saved = await house.company("C-7", city="Köln")
    await house.feed()

    message = await house.take("inbound")

    assert (message.id, message.session_id) == ("allegory-feed-1", "allegory:company:C-7")
    assert message.properties == {"contentType": "application/json"}
    assert message.application_properties == {"source": "allegory", "entity": "company"}
    assert json.loads(message.body) == {
        "schemaVersion": "1.0",
        "source": "allegory",
        "entity": "company",
        "sourceKey": "C-7",
        "operation": "upsert",
        "changedBy": "person",
        "createdBy": "person",
        "changedOn": datetime.fromisoformat(saved["updated_at"]).isoformat().replace("+00:00", "Z"),
        "data": saved,
    }
