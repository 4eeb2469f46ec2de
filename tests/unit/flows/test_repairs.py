"""What a person may do about one message, and what a message from the future waits for."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.connectors.sqlstore import tables
from shared.core.codes import Code
from shared.core.errors import InvalidMessage, Refused
from shared.core.outcome import Outcome
from shared.recovery.repairs import Repairs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.core.change import Json
    from tests.unit.flows.conftest import Desk

COMPANY = {"name": "Hafen & Co", "phone": "040 1"}


@pytest.fixture
def repairs(desk: "Desk") -> Repairs:
    return Repairs(desk.store.operations.repair, desk.gate, desk.gate.worker.bus, desk.clock)


async def tell(desk: "Desk", phone: str = "040 1", *, minutes: float = 0, **data: "Json") -> Outcome | None:
    """Allegory tells of company C-1, as it was some minutes from now."""
    at = desk.clock.now() + timedelta(minutes=minutes)
    return await desk.record_changed("C-1", {**COMPANY, "phone": phone, **data}, at=at)


async def drained(desk: "Desk") -> None:
    await desk.gate.worker.drain(rows(desk, tables.lane)[0]["record"])


def rows(desk: "Desk", table: Any) -> list[dict[str, Any]]:
    with desk.store.engine.connect() as connection:
        return [dict(row) for row in connection.execute(table.select()).mappings()]


def outcomes(desk: "Desk") -> "Mapping[str, str | None]":
    return {row["message_id"]: row["outcome"] for row in rows(desk, tables.message)}


def states(desk: "Desk") -> list[str]:
    return [row["state"] for row in rows(desk, tables.lane_item)]


def phone_of(desk: "Desk") -> object:
    return next(iter(desk.rows.of("account").values()))["telephone1"]


def says_no(desk: "Desk", monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise Refused("not today", answer="0x80040265")

    monkeypatch.setattr(type(desk.rows), "update", refuse)
    monkeypatch.setattr(type(desk.rows), "create", refuse)


async def test_a_change_from_the_future_is_set_aside_and_holds_nobody_back(desk: "Desk") -> None:
    await tell(desk)

    assert await tell(desk, "040 2", minutes=10) is Outcome.HELD
    assert phone_of(desk) == "040 1"
    desk.clock.advance(timedelta(hours=1))
    assert await tell(desk, "040 3") is Outcome.APPLIED

    assert states(desk) == ["done", "aside", "done"]
    (failure,) = (await desk.store.operations.failures.page(10)).entries
    assert (failure["code"], failure["state"], failure["field"]) == ("time.future", "aside", "/changedOn")
    (group,) = await desk.store.operations.groups.open()
    assert (group["code"], group["held"]) == ("time.future", 1)
    counts = await desk.store.operations.counts.take()
    assert (counts["open"], counts["unexplained"]) == ({"aside": 1}, 0)


async def test_a_few_minutes_ahead_are_only_two_clocks(desk: "Desk") -> None:
    assert await tell(desk, minutes=4) is Outcome.APPLIED


async def test_a_replay_before_its_time_leaves_it_aside_and_after_its_time_applies_it(desk: "Desk") -> None:
    await tell(desk, minutes=60)
    ((message_id, _),) = outcomes(desk).items()

    for outcome, minutes in ((Outcome.HELD, 0), (Outcome.APPLIED, 60)):
        desk.clock.advance(timedelta(minutes=minutes))
        await desk.store.operations.repair.replay(message_id, "bea")
        await drained(desk)
        assert outcomes(desk)[message_id] == outcome


async def test_a_person_may_vouch_for_a_time(desk: "Desk", repairs: Repairs) -> None:
    await tell(desk, minutes=60)
    ((message_id, _),) = outcomes(desk).items()

    told = await repairs.release(message_id, "their clock is right, ours is not", "bea")
    await drained(desk)

    assert told["done"] == "queued"
    assert outcomes(desk) == {message_id: "applied"}
    (deed,) = rows(desk, tables.audit_event)
    assert (deed["actor"], deed["action"], deed["reason"]) == (
        "bea",
        "release",
        "their clock is right, ours is not",
    )


async def test_only_what_was_set_aside_can_be_released(desk: "Desk", repairs: Repairs) -> None:
    await tell(desk)
    ((message_id, _),) = outcomes(desk).items()

    assert (await repairs.release(message_id, "why not", "bea"))["done"] == "not_aside"


async def test_a_corrected_time_lets_it_be_applied_as_of_then(desk: "Desk", repairs: Repairs) -> None:
    await tell(desk, minutes=60 * 24 * 365)
    ((message_id, _),) = outcomes(desk).items()
    right = (desk.clock.now() - timedelta(minutes=1)).isoformat()

    told = await repairs.edit(message_id, {"changedOn": right}, "year mistyped", "bea")
    await drained(desk)

    assert told["fields"]["/changedOn"]["after"] == right
    assert outcomes(desk) == {message_id: "superseded", told["replacedBy"]: "applied"}
    assert await tell(desk, "040 9") is Outcome.APPLIED


async def test_skipping_a_held_head_lets_its_followers_go_on(
    desk: "Desk", repairs: Repairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(desk)
    with monkeypatch.context() as patch:
        says_no(desk, patch)
        assert await tell(desk, "040 2", minutes=1) is Outcome.FAILED
        assert await tell(desk, "040 3", minutes=2) is None

    told = await repairs.skip("m-2", "typed by mistake", "bea")
    await drained(desk)

    assert (told["done"], told["outcome"]) == ("skipped", "superseded")
    assert list(outcomes(desk).values()) == ["applied", "superseded", "applied"]
    assert phone_of(desk) == "040 3"
    assert (await repairs.skip("m-2", "again", "bea"))["done"] == "finished"
    assert (await repairs.skip("m-9", "again", "bea"))["done"] == "unknown"


async def test_another_message_of_the_record_may_stand_for_a_held_one(
    desk: "Desk", repairs: Repairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(desk)
    with monkeypatch.context() as patch:
        says_no(desk, patch)
        await tell(desk, "040 2", minutes=1)
        await tell(desk, "040 3", minutes=2)
    await desk.record_changed("C-2", COMPANY)

    assert (await repairs.supersede("m-2", "m-4", "wrong one", "bea"))["done"] == "unrelated"
    assert (await repairs.supersede("m-2", "m-2", "itself", "bea"))["done"] == "unrelated"
    told = await repairs.supersede("m-2", "m-3", "sent again in full", "bea")
    await drained(desk)

    assert told["done"] == "skipped"
    superseded = next(row for row in rows(desk, tables.message) if row["message_id"] == "m-2")
    assert superseded["reason"] == "sent again in full (replaced by m-3)"
    assert phone_of(desk) == "040 3"


async def test_an_edited_copy_takes_its_place_and_the_original_is_kept(
    desk: "Desk", repairs: Repairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(desk)
    with monkeypatch.context() as patch:
        says_no(desk, patch)
        await tell(desk, "040 2", minutes=1)
        await tell(desk, minutes=2, city="Kiel")
    before = rows(desk, tables.message)[1]

    told = await repairs.edit("m-2", {"phone": "040 7"}, "mistyped", "bea")
    await drained(desk)

    assert told["fields"] == {"/data/phone": {"before": "text of 5", "after": "text of 5"}}
    original, copy = rows(desk, tables.message)[1], rows(desk, tables.message)[3]
    assert original["body"] == before["body"]
    assert (original["outcome"], original["reason"]) == (
        "superseded",
        f"mistyped (replaced by {copy['message_id']})",
    )
    assert (copy["replaces"], copy["outcome"]) == (original["number"], "applied")
    assert json.loads(copy["edits"]) == {"/data/phone": {"before": "040 2", "after": "040 7"}}
    assert json.loads(copy["body"])["data"]["phone"] == "040 7"
    order = [line["number"] for line in rows(desk, tables.journal) if line["outcome"] != "superseded"]
    assert order[-2:] == [copy["number"], rows(desk, tables.message)[2]["number"]]
    counts = await desk.store.operations.counts.take()
    assert (counts["open"], counts["unexplained"]) == ({}, 0)


@pytest.mark.parametrize(
    ("settings", "faults"),
    [
        (
            {"annual_revenue_musd": "much", "no_such_field": "x"},
            {
                ("/data/annual_revenue_musd", Code.VALUE_NOT_A_NUMBER),
                ("/data/no_such_field", Code.UNKNOWN_FIELD),
            },
        ),
        (
            {"/sourceKey": "C-2", "/entity": "deal"},
            {("/sourceKey", Code.UNKNOWN_FIELD), ("/entity", Code.UNKNOWN_FIELD)},
        ),
        ({"changedOn": "2999-01-01T00:00:00Z"}, {("/changedOn", Code.FROM_THE_FUTURE)}),
    ],
)
async def test_a_bad_edit_is_refused_with_every_fault_and_changes_nothing(
    desk: "Desk",
    repairs: Repairs,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str | None],
    faults: set[tuple[str, Code]],
) -> None:
    says_no(desk, monkeypatch)
    await tell(desk)
    before = [rows(desk, table) for table in tables.METADATA.sorted_tables]

    with pytest.raises(InvalidMessage) as refusal:
        await repairs.edit("m-1", settings, "better", "bea")

    assert {(fault.field, fault.code) for fault in refusal.value.faults} == faults
    assert [rows(desk, table) for table in tables.METADATA.sorted_tables] == before


async def test_a_new_body_must_be_of_the_same_record(
    desk: "Desk", repairs: Repairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    says_no(desk, monkeypatch)
    await tell(desk)
    envelope = json.loads(rows(desk, tables.message)[0]["body"])
    other = json.dumps({**envelope, "entity": "contact", "data": {"last_name": "Ott"}}).encode()

    with pytest.raises(InvalidMessage) as refusal:
        await repairs.rewrite("m-1", other, "better", "bea")

    assert refusal.value.faults[0].code in {Code.SESSION_MISMATCH, Code.IDENTITY_MISMATCH}
    body = json.dumps({**envelope, "data": {**COMPANY, "city": "Kiel"}}).encode()
    monkeypatch.undo()
    told = await repairs.rewrite("m-1", body, "better", "bea")
    await drained(desk)
    assert told["fields"] == {"/data/city": {"before": "blank", "after": "text of 4"}}
    assert list(outcomes(desk).values()) == ["superseded", "applied"]


async def test_what_the_gate_refused_can_be_edited_or_acknowledged(desk: "Desk", repairs: Repairs) -> None:
    for _ in range(2):
        body = {"name": "X", "annual_revenue_musd": "much"}
        assert await desk.record_changed("C-1", body) is Outcome.REJECTED
    (group,) = await desk.store.operations.groups.open()
    assert (group["open"], group["rejected"], group["sender"]) == (2, 2, "allegory")

    told = await repairs.edit("m-1", {"annual_revenue_musd": "12.50"}, "told by phone", "bea")
    await drained(desk)
    assert (await repairs.skip("m-2", "the sender knows", "bea"))["done"] == "acknowledged"

    assert outcomes(desk) == {"m-1": "superseded", "m-2": "rejected", told["replacedBy"]: "applied"}
    assert await desk.store.operations.groups.open() == []


async def test_a_person_who_takes_an_item_away_frees_the_lane_of_who_worked_it(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(desk)
    asked = type(desk.store.owners).of

    async def skipped_meanwhile(owners: Any, *about: Any) -> Any:
        monkeypatch.undo()
        await desk.store.operations.repair.skip("m-2", "typed by mistake", "bea")
        return await asked(owners, *about)

    monkeypatch.setattr(type(desk.store.owners), "of", skipped_meanwhile)
    await tell(desk, "040 2", minutes=1)

    assert rows(desk, tables.lane)[0]["owner"] is None
    assert outcomes(desk)["m-2"] == "superseded"
