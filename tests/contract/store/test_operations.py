"""What operators may rely on: failures, groups, single messages, history, repair, counts and retention."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from shared.connectors.sqlstore.retention import Purged
from shared.connectors.sqlstore.tables import audit_event, ticket
from shared.connectors.sqlstore.tables import message as messages
from shared.core.change import Direction, Operation
from shared.core.codes import EXPLANATIONS, Code
from shared.core.errors import Fault
from shared.core.gap import Suspect
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.outcome import Outcome
from shared.core.repair import Done, Repaired
from shared.core.shadow import Mark, Shadow
from shared.core.verdict import Collision, ColumnChange, Receipt

if TYPE_CHECKING:
    from tests.contract.store.conftest import World

OTHER = RecordKey("allegory", "company", "C-2")
FAULTS = (Fault("/amount", Code.VALUE_NOT_A_NUMBER, "a decimal with a point"),)
REFUSED = EXPLANATIONS[Code.TARGET_REFUSED]


def only(report: Any, *names: str) -> dict[str, Any]:
    assert report is not None
    return {name: report[name] for name in names}


async def test_open_failures_are_listed_newest_first(world: "World") -> None:
    await world.admit("old")
    await world.admit("follower", minute=1)
    await world.admit("new", key=OTHER)
    first = world.clock.now()
    await world.decide(world.failed(field="name", answer="0x80040237"))
    world.clock.advance(minutes=1)
    await world.decide(world.failed(timedelta(minutes=9), code=Code.TARGET_THROTTLED), OTHER)

    newest, oldest = (await world.store.operations.failures.page(10)).entries

    names = ("message_id", "state", "code", "attempts", "next_retry_at", "followers")
    retry_at = (world.clock.now() + timedelta(minutes=9)).isoformat()
    assert only(newest, *names) == {
        "message_id": "new",
        "state": "retrying",
        "code": "target.throttled",
        "attempts": 1,
        "next_retry_at": retry_at,
        "followers": 0,
    }
    group = oldest["group"]
    assert oldest == {
        "number": oldest["number"],
        "message_id": "old",
        "record": str(world.record),
        "subject": "allegory:company:C-1",
        "state": "held",
        "kind": "Refused",
        "code": "target.refused",
        "cause": REFUSED.cause,
        "advice": REFUSED.advice,
        "answer": "0x80040237",
        "table": "account",
        "field": "name",
        "rule": "said no",
        "request_id": None,
        "far_side": None,
        "attempts": 1,
        "first_failed_at": first.isoformat(),
        "last_failed_at": first.isoformat(),
        "next_retry_at": None,
        "group": group,
        "followers": 1,
    }
    assert (await world.store.operations.failures.page(1)).entries == [newest]


async def test_one_cause_is_one_group_with_one_ticket(world: "World") -> None:
    groups = world.store.operations.groups
    for key in (world.key, OTHER):
        await world.admit(key.id, key=key)
        await world.decide(world.failed(), key)

    (untold,) = await groups.untold()
    assert only(untold, "open", "held", "systems", "example", "ticket") == {
        "open": 2,
        "held": 2,
        "systems": {"allegory": 2},
        "example": "C-1",
        "ticket": None,
    }
    assert await groups.ticket_opened(untold["group"], "T-1", "crm team", told=2)
    assert not await groups.ticket_opened(untold["group"], "T-2", "crm team", told=2)
    assert (await groups.untold(), await groups.outdated(), await groups.emptied()) == ([], [], [])

    await world.store.operations.repair.skip("C-1", "obsolete", "bea")
    (outdated,) = await groups.outdated()
    assert only(outdated, "open", "told", "ticket") == {"open": 1, "told": 2, "ticket": "T-1"}
    await groups.ticket_updated(outdated["group"], told=1)
    assert await groups.outdated() == []

    await world.store.operations.repair.skip("C-2", "obsolete", "bea")
    (emptied,) = await groups.emptied()
    await groups.ticket_closed(emptied["group"])
    assert (await groups.emptied(), await groups.open()) == ([], [])
    assert [row["closed_at"] for row in world.rows(ticket)] == [world.clock.now()]


async def test_a_group_that_comes_back_gets_a_ticket_of_its_own(world: "World") -> None:
    groups = world.store.operations.groups
    await world.admit()
    await world.decide(world.failed())
    (first,) = await groups.untold()
    await groups.ticket_opened(first["group"], "T-1", "crm team", told=1)
    await world.store.operations.repair.skip("m-1", "obsolete", "bea")
    await groups.ticket_closed(first["group"])
    await world.admit("m-2")
    await world.decide(world.failed())

    (second,) = await groups.untold()

    assert second["group"] == first["group"]
    assert second["ticket_key"] != first["ticket_key"]


async def test_a_message_tells_where_it_is(world: "World") -> None:
    find = world.store.operations.messages.find
    parent = RecordKey("allegory", "company", "P-1")
    await world.admit("head")
    received = await find("head")
    await world.admit("follower", minute=1)
    await world.decide(world.failed())
    await world.admit("child", key=OTHER)
    await world.decide(world.verdict(Outcome.PARKED, waits_for=parent), OTHER)

    names = ("status", "behind", "waits_on", "code")
    assert await find("never sent") is None
    assert only(received, *names) == {"status": "received", "behind": None, "waits_on": None, "code": None}
    assert only(await find("head"), *names) == {
        "status": "failed",
        "behind": None,
        "waits_on": None,
        "code": "target.refused",
    }
    assert only(await find("follower"), "status", "behind") == {"status": "held", "behind": "head"}
    assert only(await find("child"), "status", "waits_on") == {"status": "parked", "waits_on": str(parent)}


async def test_a_refused_message_tells_its_faults(world: "World") -> None:
    await world.store.inbox.reject(world.message(), None, FAULTS)

    found = await world.store.operations.messages.find("m-1")

    assert only(found, "status", "faults", "subject") == {
        "status": "rejected",
        "faults": [{"field": "/amount", "code": "value.not_a_number", "expected": "a decimal with a point"}],
        "subject": None,
    }


async def test_other_bodies_of_an_id_are_named(world: "World") -> None:
    first = await world.admit(body=b"one")
    second = await world.admit(body=b"two")

    found = await world.store.operations.messages.find("m-1", "inbound")

    assert only(found, "number", "other_bodies") == {"number": first.number, "other_bodies": [second.number]}


async def test_reading_a_body_is_written_down(world: "World") -> None:
    receipt = await world.admit(body=b"secret")

    found = await world.store.operations.messages.payload(receipt.number, "bea")

    assert found == world.message(body=b"secret")
    assert await world.store.operations.messages.payload(0, "bea") is None
    assert [(row["actor"], row["action"], row["entity_key"]) for row in world.rows(audit_event)] == [
        ("bea", "read payload", str(receipt.number))
    ]


@pytest.mark.parametrize("named", ["record", "braced", "key", "legacy id", "message id"])
async def test_a_record_is_found_by_any_of_its_ids(world: "World", named: str) -> None:
    await world.store.crosswalk.claim(world.key, None, world.record)
    await world.admit()
    ids = {
        "record": str(world.record).upper(),
        "braced": f"{{{world.record}}}",
        "key": str(world.key),
        "legacy id": " C-1 ",
        "message id": "m-1",
    }

    found = await world.store.operations.history.of(ids[named])

    assert [report["record"] for report in found] == [str(world.record)]


async def test_an_id_of_two_systems_names_two_records(world: "World") -> None:
    twin = RecordKey("legrand", "company", "C-1")
    for key in (world.key, twin):
        await world.store.crosswalk.claim(key, None, chosen_row_id(key))

    found = await world.store.operations.history.of("C-1")

    assert {report["record"] for report in found} == {str(chosen_row_id(key)) for key in (world.key, twin)}
    assert await world.store.operations.history.of("nobody") == []


async def test_the_history_tells_each_decision_with_its_reason(world: "World") -> None:
    now = world.clock.now()
    await world.store.crosswalk.claim(world.key, None, world.record)
    for name, minute in (("t3", 3), ("t1", 1), ("t2", 2)):
        await world.admit(name, minute=minute)
    agreed = Shadow({"name": Mark("Zoë", now, "allegory")}, {"dataverse": "1"})
    change = {"name": ColumnChange(None, "Zoë")}
    await world.decide(
        world.verdict(changes=change, shadow=agreed, pairs=((world.key, world.record),), map_version="7")
    )
    collision = Collision("name", "Zoë", "Zoe", "Chloe", "dataverse", "newest wins")
    await world.decide(world.verdict(Outcome.STALE, collisions=(collision,)))
    await world.decide(world.failed())

    (history,) = await world.store.operations.history.of("t1")

    assert [(line["message_id"], line["outcome"], line["reason"]) for line in history["journal"]] == [
        ("t1", "applied", "because applied"),
        ("t2", "stale", "because stale"),
        ("t3", "failed", "because failed"),
    ]
    assert [(entry["message_id"], entry["status"]) for entry in history["messages"]] == [
        ("t3", "failed"),
        ("t1", "applied"),
        ("t2", "stale"),
    ]
    assert history["messages"][1]["decisions"] == [history["journal"][0]]
    assert only(history["journal"][0], "changes", "origin", "actor", "map_version") == {
        "changes": {"name": {"before": None, "after": "Zoë"}},
        "origin": "allegory",
        "actor": "ann",
        "map_version": "7",
    }
    assert [only(item, "message_id", "state") for item in history["lane"]["items"]] == [
        {"message_id": "t3", "state": "held"}
    ]
    assert history["crosswalk"][0]["key"] == str(world.key)
    assert history["shadow"]["columns"]["name"]["value"] == "Zoë"
    assert only(history["conflicts"][0], "column", "inbound", "outbound", "winner") == {
        "column": "name",
        "inbound": "Zoe",
        "outbound": "Chloe",
        "winner": "dataverse",
    }


async def test_the_history_leads_to_trace_and_ticket_and_tells_what_no_message_brought(
    world: "World",
) -> None:
    healed = Suspect(world.key, Operation.UPSERT, world.clock.now(), world.clock.now()).message_id
    await world.store.crosswalk.claim(world.key, None, world.record)
    await world.admit("told")
    await world.decide(world.verdict())
    await world.admit(healed, minute=1)
    await world.decide(world.failed())
    (group,) = await world.store.operations.groups.untold()
    await world.store.operations.groups.ticket_opened(group["group"], "T-1", "crm team", told=1)

    (history,) = await world.store.operations.history.of(str(world.key))

    names = ("message_id", "correlation_id", "ticket", "healed")
    assert [only(message, *names) for message in history["messages"]] == [
        {"message_id": "told", "correlation_id": "c-1", "ticket": None, "healed": False},
        {"message_id": healed, "correlation_id": "c-1", "ticket": "T-1", "healed": True},
    ]
    assert [line["correlation_id"] for line in history["journal"]] == ["c-1", "c-1"]


async def test_a_replayed_message_goes_on_with_its_attempts(world: "World") -> None:
    await world.admit()
    await world.decide(world.failed())

    replayed = await world.store.operations.repair.replay("m-1", "bea")
    again = await world.store.operations.repair.replay("m-1", "bea")

    assert replayed == again == Repaired(Done.QUEUED, world.record, Direction.INBOUND)
    _, item = await world.take()
    assert (item.state, item.attempts, item.due_at) == ("waiting", 1, None)
    assert [(row["actor"], row["action"], row["was"], row["became"]) for row in world.rows(audit_event)] == [
        ("bea", "replay", "held", "waiting")
    ]


@pytest.mark.parametrize("state", ["retrying", "parked", "rejected"])
async def test_whatever_stopped_can_be_replayed(world: "World", state: str) -> None:
    verdicts = {
        "retrying": world.failed(timedelta(hours=1)),
        "parked": world.verdict(Outcome.PARKED, waits_for=OTHER),
        "rejected": world.verdict(Outcome.REJECTED, failing=world.failed().failing),
    }
    await world.admit()
    await world.decide(verdicts[state])

    assert (await world.store.operations.repair.replay("m-1", "bea")).done is Done.QUEUED

    await world.decide(world.verdict())
    assert (await world.admit()).outcome is Outcome.APPLIED
    assert await world.store.operations.groups.open() == []


async def test_a_replayed_message_may_park_again(world: "World") -> None:
    await world.admit()
    for _ in range(2):
        await world.decide(world.verdict(Outcome.PARKED, waits_for=OTHER))
        await world.store.operations.repair.replay("m-1", "bea")
    await world.decide(world.verdict(Outcome.PARKED, waits_for=OTHER))
    await world.admit("m-2", key=OTHER)

    assert await world.decide(world.verdict(pairs=((OTHER, UUID(int=2)),)), OTHER) == [world.record]


async def test_a_finished_message_is_not_replayed(world: "World") -> None:
    await world.admit()
    await world.decide(world.verdict(Outcome.STALE))
    before = world.dump()

    replayed = await world.store.operations.repair.replay("m-1", "bea")
    skipped = await world.store.operations.repair.skip("m-1", "obsolete", "bea")
    unknown = await world.store.operations.repair.replay("m-9", "bea")

    assert replayed == skipped == Repaired(Done.FINISHED, world.record, Direction.INBOUND, Outcome.STALE)
    assert unknown == Repaired(Done.UNKNOWN)
    assert world.dump() == before


async def test_a_refused_message_goes_through_the_gate_once_more(world: "World") -> None:
    message = world.message()
    refused = await world.store.inbox.reject(message, None, FAULTS)

    replayed = await world.store.operations.repair.replay("m-1", "bea")
    assert replayed == Repaired(Done.READMIT, outcome=Outcome.REJECTED, message=message)
    admitted = await world.admit()
    delivered_again = await world.admit()

    assert admitted == Receipt(refused.number, world.record, first=True)
    assert delivered_again == Receipt(refused.number, world.record, first=False)
    _, item = await world.take()
    assert item.message == message


async def test_a_refused_message_may_be_refused_again(world: "World") -> None:
    await world.store.inbox.reject(world.message(), None, FAULTS)
    await world.store.operations.repair.replay("m-1", "bea")

    again = await world.store.inbox.reject(world.message(), None, FAULTS)

    assert (again.first, again.outcome, again.faults) == (True, Outcome.REJECTED, FAULTS)
    assert (await world.admit()).outcome is Outcome.REJECTED


async def test_a_skipped_message_is_superseded_for_a_reason(world: "World") -> None:
    await world.admit()
    await world.admit("m-2", minute=1)
    await world.decide(world.failed())

    skipped = await world.store.operations.repair.skip("m-1", "corrected by hand", "bea")

    assert skipped == Repaired(Done.SKIPPED, world.record, Direction.INBOUND, Outcome.SUPERSEDED)
    _, item = await world.take()
    assert item.message.id == "m-2"
    (history,) = await world.store.operations.history.of("m-1")
    assert only(history["journal"][-1], "outcome", "reason", "actor") == {
        "outcome": "superseded",
        "reason": "corrected by hand",
        "actor": "bea",
    }


async def test_every_message_is_accounted_for(world: "World") -> None:
    keys = [RecordKey("allegory", "company", f"C-{n}") for n in range(5)]
    verdicts = [
        world.verdict(),
        world.failed(),
        world.failed(timedelta(minutes=1)),
        world.verdict(Outcome.PARKED, waits_for=OTHER),
    ]
    for key in keys:
        await world.admit(f"{key.id} a", key=key)
        await world.admit(f"{key.id} b", key=key, minute=1)
    for key, verdict in zip(keys, verdicts, strict=False):
        await world.decide(verdict, key)
    await world.store.inbox.reject(world.message("bad"), None, FAULTS)

    assert await world.store.operations.counts.take() == {
        "received": 11,
        "outcomes": {"applied": 1, "rejected": 1},
        "open": {"held": 1, "parked": 1, "retrying": 1, "waiting": 6},
        "unexplained": 0,
        "by_queue": {
            "inbound": {
                "applied": 1,
                "held": 1,
                "parked": 1,
                "rejected": 1,
                "retrying": 1,
                "waiting": 6,
            }
        },
        "behind": 3,
        "lanes_open": 5,
        "lanes_held": 1,
        "conflicts": 0,
    }


async def test_a_lost_message_is_noticed(world: "World") -> None:
    await world.admit()
    with world.store.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM lane_item")

    assert (await world.store.operations.counts.take())["unexplained"] == 1


async def test_a_message_that_is_over_and_still_in_its_lane_is_noticed(world: "World") -> None:
    await world.admit()
    await world.decide(world.verdict())
    with world.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE lane_item SET state = 'waiting'")

    assert (await world.store.operations.counts.take())["unexplained"] == 1
    assert (await world.store.operations.standing.take())["strays"] == [
        {"message_id": "m-1", "queue": "inbound", "state": "waiting", "outcome": "applied"}
    ]


async def test_bodies_go_before_metadata_and_open_messages_stay(world: "World") -> None:
    await world.admit("done")
    await world.decide(world.verdict())
    await world.admit("held", key=OTHER)
    await world.decide(world.failed(), OTHER)
    await world.store.inbox.reject(world.message("refused"), None, FAULTS)
    await world.admit("rejected", minute=1)
    await world.decide(world.verdict(Outcome.REJECTED, failing=world.failed().failing))
    now = world.clock.now()
    retention = world.store.retention

    first = await retention.purge(bodies_before=now + timedelta(1), messages_before=now)
    bodies = {row["message_id"]: row["body"] for row in world.rows(messages)}
    replayed = await world.store.operations.repair.replay("refused", "bea")
    second = await retention.purge(bodies_before=now + timedelta(1), messages_before=now + timedelta(1))

    assert first == Purged(bodies=2, messages=0)
    assert bodies == {
        "done": None,
        "held": b'{"a":1}',
        "refused": None,
        "rejected": b'{"a":1}',
    }
    assert replayed.done is Done.PURGED
    assert second == Purged(bodies=0, messages=2)
    assert [row["message_id"] for row in world.rows(messages)] == ["held", "rejected"]


async def test_an_unknown_row_has_no_history(world: "World") -> None:
    assert await world.store.operations.history.of(str(UUID(int=1))) == []
