"""What the gap detector takes for untold, and what it leaves to the conflict it belongs to."""

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.dataverse import TABLES
from shared.connectors.memory.dataverse import MemoryDirectory
from shared.connectors.memory.telemetry import MemoryTelemetry
from shared.core.errors import Refused
from shared.core.gap import HEALED
from shared.core.lookups import Lookups
from shared.core.mapping.references import RowRef
from shared.core.outcome import Outcome
from shared.recovery.gaps.cycle import GapDetector
from shared.recovery.gaps.records import RecordGaps
from shared.recovery.gaps.rows import RowGaps

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

COMPANY = ALLEGORY.map_of("company")

ROW = UUID("00000000-0000-4000-8000-000000000001")


def detector(desk: "Desk") -> GapDetector:
    """The detector over companies and accounts; it waits a minute for what may be on its way."""
    assert COMPANY is not None
    store = desk.store
    kept = (store.gaps, store.cursors, desk.clock)
    lookups = Lookups(ALLEGORY, TABLES, store.crosswalk, MemoryDirectory(desk.rows))
    records = (desk.records, desk.records, lookups, store.shadows, store.crosswalk)
    return GapDetector(
        looks=[
            RowGaps(COMPANY, desk.rows, desk.rows, store.shadows, *kept, queue="outbound"),
            RecordGaps(ALLEGORY, COMPANY, *records, *kept, queue="inbound"),
        ],
        suspects=store.gaps,
        jobs=store.jobs,
        bus=desk.bus,
        gate=desk.gate,
        clock=desk.clock,
        telemetry=MemoryTelemetry(),
        grace=timedelta(minutes=1),
        owner="a",
    )


async def healed(desk: "Desk") -> int:
    """How many gaps are found and healed, their messages worked."""
    gaps = detector(desk)
    await gaps.run()
    desk.clock.advance(timedelta(minutes=2))
    found = await gaps.run()
    await desk.delivered()
    return found


async def test_a_delete_that_nobody_told_of_is_told(desk: "Desk") -> None:
    row = await desk.company(phone="1")
    assert await healed(desk) == 0

    desk.rows.remove("account", row)

    assert await healed(desk) == 1
    assert desk.records.of("company") == {}


async def test_a_row_that_was_gone_before_its_create_was_heard_of_leaves_no_record(desk: "Desk") -> None:
    """The create's message is late, that of the delete is lost: once the row is made, nobody looks again."""
    gaps = detector(desk)
    assert await gaps.run() == 0
    desk.clock.advance(timedelta(seconds=1))
    desk.rows.put("account", ROW, {"name": "Nordwind"})
    made = desk.clock.now()
    desk.rows.remove("account", ROW)
    desk.clock.advance(timedelta(seconds=1))
    assert await gaps.run() == 0
    assert await desk.row_changed(operation="Create", at=made, name="Nordwind") is Outcome.APPLIED
    assert len(desk.records.of("company")) == 1

    assert await healed(desk) == 1
    assert desk.records.of("company") == {}


async def test_a_row_that_is_gone_while_its_create_waits_leaves_no_record(desk: "Desk") -> None:
    """Nobody has told of its parent yet; once somebody does, the record is made, and its end follows."""
    parent = UUID(int=7)
    gaps = detector(desk)
    assert await gaps.run() == 0
    desk.clock.advance(timedelta(seconds=1))
    desk.rows.put("account", parent, {"name": "Holding"})
    desk.rows.put("account", ROW, {"name": "Nordwind", "parentaccountid": RowRef("account", parent)})
    assert await desk.tell_row(ROW, operation="Create") is Outcome.PARKED
    desk.rows.remove("account", ROW)
    desk.clock.advance(timedelta(seconds=1))
    await gaps.run()
    desk.clock.advance(timedelta(minutes=2))
    await gaps.run()

    await desk.delivered()
    await desk.tell_row(parent, operation="Create")
    await desk.later(2, ROW)

    assert [fields["name"] for fields in desk.records.of("company").values()] == ["Holding"]


async def test_a_row_that_came_and_went_and_was_never_told_of_is_nobodys_business(desk: "Desk") -> None:
    gaps = detector(desk)
    assert await gaps.run() == 0
    desk.clock.advance(timedelta(seconds=1))
    desk.rows.put("account", ROW, {"name": "Nordwind"})
    desk.rows.remove("account", ROW)

    assert await healed(desk) == 0
    assert (await gaps.told())["open"] == []
    assert desk.bus.sent == []


async def test_a_row_that_was_deleted_while_its_record_was_edited_is_no_gap(desk: "Desk") -> None:
    """Its delete was told and is a conflict: told again, it would end what the edit saved."""
    row = await desk.company(phone="1")
    assert await healed(desk) == 0
    ahead = desk.clock.now() + timedelta(minutes=2)
    assert await desk.record_changed("C-1", desk.save_record(phone="2"), at=ahead) is Outcome.APPLIED
    desk.clock.advance(timedelta(seconds=1))
    desk.rows.remove("account", row)
    assert await desk.row_changed(row, operation="Delete") is Outcome.CONFLICT

    assert await healed(desk) == 0
    assert desk.records.of("company")["C-1"]["phone"] == "2"


async def test_a_record_that_was_deleted_while_its_row_was_edited_is_no_gap(desk: "Desk") -> None:
    row = await desk.company(phone="1")
    assert await healed(desk) == 0
    ahead = desk.clock.now() + timedelta(minutes=2)
    desk.rows.put("account", row, {"telephone1": "2"})
    assert await desk.row_changed(row, at=ahead, telephone1="2") is Outcome.APPLIED
    desk.clock.advance(timedelta(seconds=1))
    desk.records.remove("company", "C-1")
    assert await desk.record_changed("C-1", None) is Outcome.CONFLICT

    assert await healed(desk) == 0
    assert desk.rows.of("account")[row]["telephone1"] == "2"


async def test_the_end_of_a_record_that_was_merged_is_told_by_its_merge(desk: "Desk") -> None:
    """The merge waits for a person; meanwhile the row is nobody's to delete."""
    row = await desk.company(phone="1")
    assert await healed(desk) == 0
    early = desk.clock.now() + timedelta(minutes=10)
    desk.records.remove("company", "C-1")
    assert await desk.record_changed("C-1", None, heir="C-2", at=early) is Outcome.HELD

    assert await healed(desk) == 0
    assert list(desk.rows.of("account")) == [row]


async def test_what_was_told_and_waits_for_a_person_is_no_gap(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message came after the first look, and is held: a second one behind it would tell nothing new."""
    row = await desk.company(phone="1")
    assert await healed(desk) == 0
    gaps = detector(desk)
    desk.clock.advance(timedelta(seconds=1))
    saved = desk.save_record(phone="2")
    at = desk.clock.now()
    assert await gaps.run() == 0

    async def refuse(*_: object) -> None:
        raise Refused("not today", answer="no")

    monkeypatch.setattr(desk.rows, "update", refuse)
    assert await desk.record_changed("C-1", saved, at=at) is Outcome.FAILED
    desk.clock.advance(timedelta(minutes=2))

    assert await gaps.run() == 0
    assert desk.rows.of("account")[row]["telephone1"] == "1"
    assert (await desk.store.operations.counts.take())["open"] == {"held": 1}


async def test_what_no_queue_takes_is_told_at_the_gate(desk: "Desk") -> None:
    """The id is a good one; only a session that names it would be longer than Service Bus takes."""
    record = "C-" + "1" * 118
    assert await healed(desk) == 0
    desk.records.put("company", record, {"name": "Nordwind"})
    gaps = detector(desk)
    await gaps.run()
    desk.clock.advance(timedelta(minutes=2))

    assert await gaps.run() == 1

    assert [sent.message.id for sent in desk.bus.sent if sent.message.id.startswith(HEALED)] == []
    assert [row["name"] for row in desk.rows.of("account").values()] == ["Nordwind"]
