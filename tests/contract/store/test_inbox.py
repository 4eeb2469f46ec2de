"""What the gate may rely on in the inbox."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from shared.connectors.sqlstore.tables import lane_item
from shared.connectors.sqlstore.tables import message as messages
from shared.core.codes import Code
from shared.core.errors import Fault, InvalidMessage
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.outcome import Outcome
from shared.core.verdict import Receipt

if TYPE_CHECKING:
    from tests.contract.store.conftest import World

MALFORMED = (Fault("/amount", Code.VALUE_NOT_A_NUMBER, "a decimal with a point"),)
CHANGED = (Fault("", Code.BODY_CHANGED, "the body this message id was first used with"),)


async def test_a_message_comes_back_from_its_lane_as_it_arrived(world: "World") -> None:
    message = world.message(
        body=b" \x00\xff{ }\r\n",
        position=7,
        delivery_count=2,
        sender="crm",
        properties={"contentType": "application/json", "ttl": 1.5, "none": None},
        application_properties={"tenant": "Zoë", "nested": [1, {"a": True}]},
    )

    receipt = await world.store.inbox.admit(message, world.change(message), world.record)
    _, item = await world.take()

    assert receipt == Receipt(receipt.number, world.record, first=True)
    assert (item.number, item.message) == (receipt.number, message)


async def test_a_message_delivered_again_finds_its_place_and_then_its_outcome(world: "World") -> None:
    first = await world.admit()
    again = await world.admit()
    await world.decide(world.verdict(Outcome.APPLIED))
    late = await world.admit()

    assert again == replace(first, first=False)
    assert late == replace(first, first=False, outcome=Outcome.APPLIED)
    assert len(world.rows(messages)) == len(world.rows(lane_item)) == 1


async def test_another_body_under_a_used_id_is_kept_and_refused(world: "World") -> None:
    first = await world.admit(body=b"one")
    changed = await world.admit(body=b"two")
    changed_again = await world.admit(body=b"two")

    refused = Receipt(changed.number, None, first=True, outcome=Outcome.REJECTED, faults=CHANGED)
    assert changed == refused
    assert changed_again == replace(refused, first=False)
    assert changed.number != first.number
    told = [
        await world.store.inbox.is_other_body(world.message(body=body)) for body in (b"one", b"two", b"3")
    ]
    assert told == [False, True, True]
    assert not await world.store.inbox.is_other_body(world.message("unused", b"one"))
    assert [row["body"] for row in world.rows(messages)] == [b"one", b"two"]
    assert len(world.rows(lane_item)) == 1


async def test_a_refused_message_is_kept_with_every_fault(world: "World") -> None:
    message = world.message(body=b"{")
    faults = (*MALFORMED, Fault("/name", Code.VALUE_TOO_LONG, "at most 160 characters"))

    refused = await world.store.inbox.reject(message, None, faults)
    again = await world.store.inbox.reject(message, None, faults)

    assert refused == Receipt(refused.number, None, first=True, outcome=Outcome.REJECTED, faults=faults)
    assert again == replace(refused, first=False)
    assert world.rows(lane_item) == []


async def test_the_same_id_on_another_queue_is_another_message(world: "World") -> None:
    here = await world.admit()
    message = replace(world.message(body=b"other"), queue="outbound")
    there = await world.store.inbox.admit(message, world.change(message), world.record)

    assert (here.first, there.first, there.outcome) == (True, True, None)


@pytest.mark.parametrize("name", ["x" * 500, "trailing ", "zu\u0308rich"])
async def test_any_message_id_is_kept_as_it_is(world: "World", name: str) -> None:
    first = await world.admit(name)
    again = await world.admit(name)
    _, item = await world.take()

    assert again == replace(first, first=False)
    assert item.message.id == name


async def test_one_of_many_simultaneous_deliveries_is_the_first(world: "World") -> None:
    receipts = await asyncio.gather(*(world.admit() for _ in range(8)))

    assert sorted(receipt.first for receipt in receipts) == [False] * 7 + [True]
    assert len({receipt.number for receipt in receipts}) == 1
    assert len(world.rows(lane_item)) == 1


async def test_simultaneous_first_messages_of_a_record_share_one_lane(world: "World") -> None:
    receipts = await asyncio.gather(*(world.admit(f"m-{n}") for n in range(8)))

    assert all(receipt.first for receipt in receipts)
    assert len(world.rows(lane_item)) == 8


async def test_a_key_that_no_column_can_hold_is_refused_by_name(world: "World") -> None:
    key = RecordKey("allegory", "company", "C" * 129)

    with pytest.raises(InvalidMessage) as refusal:
        await world.store.crosswalk.claim(key, None, chosen_row_id(key))

    assert refusal.value.faults == (Fault("/sourceKey", Code.BAD_FIELD, "at most 128 whole characters"),)
    message = world.message()
    kept = await world.store.inbox.reject(message, world.change(message, key), refusal.value.faults)
    assert kept.outcome is Outcome.REJECTED
