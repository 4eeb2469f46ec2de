"""A write happened, and nobody was told: what is done when its message is tried again."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.core.errors import Unavailable
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.mapping.columns import Table, Value
from shared.core.mapping.spec import Owner
from shared.core.outcome import Outcome
from shared.core.ownership import Phase, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from shared.core.ports import Row
    from tests.unit.flows.conftest import Desk

ROW = UUID("00000000-0000-4000-8000-000000000001")
C1 = RecordKey("allegory", "company", "C-1")


async def test_a_repeated_create_does_not_overwrite_what_people_made_of_the_record(
    desk: "Desk", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    create = desk.records.create

    async def unheard(*arguments: object) -> object:
        await create(*arguments)  # type: ignore[arg-type]
        monkeypatch.undo()
        raise Unavailable("no answer in time")

    monkeypatch.setattr(desk.records, "create", unheard)
    desk.rows.put("account", ROW, {"name": "Old", "telephone1": "1"})
    assert await desk.row_changed(operation="Create", name="Old", telephone1="1") is Outcome.FAILED
    ((record_id, fields),) = desk.records.of("company").items()
    desk.clock.advance(timedelta(seconds=1))
    desk.records.put("company", record_id, {**fields, "name": "Renamed by a person"})
    await desk.later(2)
    desk.clock.advance(timedelta(seconds=1))

    assert await desk.row_changed(name="Old", telephone1="2") is Outcome.MERGED

    ((_, now),) = desk.records.of("company").items()
    assert (now["name"], now["phone"]) == ("Renamed by a person", "2")


async def test_what_people_make_of_a_row_before_its_create_is_tried_again_is_no_conflict(
    desk: "Desk", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    create = desk.rows.create

    async def unheard(table: Table, row_id: UUID, values: "Mapping[str, Value]") -> "Row":
        await create(table, row_id, values)
        monkeypatch.undo()
        raise Unavailable("no answer in time")

    monkeypatch.setattr(desk.rows, "create", unheard)
    row = chosen_row_id(C1)
    record = {
        "name": "Nordwind",
        "city": "Kiel",
        "phone": "",
        "postal_code": "24103",
        "updated_at": desk.clock.now().isoformat(),
    }
    desk.records.put("company", "C-1", record)
    assert await desk.record_changed("C-1", record) is Outcome.FAILED
    desk.clock.advance(timedelta(seconds=1))
    typed: dict[str, Any] = {"address1_city": "Ulm", "telephone1": "1", "address1_postalcode": None}
    desk.rows.put("account", row, typed)

    await desk.later(2, row)
    desk.clock.advance(timedelta(seconds=1))
    assert await desk.row_changed(row, **typed) is Outcome.APPLIED

    held = desk.rows.of("account")[row]
    assert {column: held[column] for column in typed} == typed
    fields = desk.records.of("company")["C-1"]
    assert (fields["city"], fields["phone"], fields["postal_code"]) == ("Ulm", "1", "")
    ((told,),) = [await desk.store.operations.history.of(str(row))]
    assert told["conflicts"] == []
    assert [line["outcome"] for line in told["journal"]] == ["failed", "merged", "applied"]


async def test_who_made_the_row_is_known_also_where_one_second_saw_several_changes(
    desk: "Desk", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    """The last of them told its name alone; what the others told has yet to be written."""
    create = desk.rows.create

    async def unheard(table: Table, row_id: UUID, values: "Mapping[str, Value]") -> "Row":
        await create(table, row_id, values)
        monkeypatch.undo()
        raise Unavailable("no answer in time")

    monkeypatch.setattr(desk.rows, "create", unheard)
    row, now = chosen_row_id(C1), desk.clock.now()
    whole = {"name": "Nord", "city": "Kiel", "phone": "1", "updated_at": now.isoformat()}
    last = {"name": "Nordwind", "updated_at": (now + timedelta(milliseconds=2)).isoformat()}
    desk.records.put("company", "C-1", {**whole, **last})
    at = now + timedelta(milliseconds=2)
    assert await desk.record_changed("C-1", last, at=at) is Outcome.FAILED

    assert await desk.record_changed("C-1", whole, at=now + timedelta(milliseconds=1)) is Outcome.CONFLICT
    await desk.later(2, row)

    held = desk.rows.of("account")[row]
    assert (held["name"], held["address1_city"], held["telephone1"]) == ("Nordwind", "Kiel", "1")


async def test_nor_is_it_a_persons_to_decide_where_a_person_decides_the_column(
    desk: "Desk", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    """Only one side has changed it: what was typed there crosses."""
    rule = Rule("allegory", "company", "telephone1", Owner.PERSON)
    await desk.store.owners.set_rule(rule, "ann", "as agreed")
    desk.clock.advance(timedelta(seconds=15))
    create = desk.rows.create

    async def unheard(table: Table, row_id: UUID, values: "Mapping[str, Value]") -> "Row":
        await create(table, row_id, values)
        monkeypatch.undo()
        raise Unavailable("no answer in time")

    monkeypatch.setattr(desk.rows, "create", unheard)
    row, now = chosen_row_id(C1), desk.clock.now().isoformat()
    record = {"name": "Nordwind", "phone": "1", "updated_at": now}
    desk.records.put("company", "C-1", record)
    assert await desk.record_changed("C-1", record) is Outcome.FAILED
    desk.clock.advance(timedelta(seconds=1))
    desk.rows.put("account", row, {"telephone1": "2"})
    await desk.later(2, row)
    desk.clock.advance(timedelta(seconds=1))

    assert await desk.row_changed(row, telephone1="2") is Outcome.APPLIED

    assert desk.records.of("company")["C-1"]["phone"] == "2"


async def test_a_row_that_was_written_unheard_finds_its_record_and_makes_no_second_one(
    desk: "Desk", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    """Allegory's clock is ahead, so the row's own message is worked before the retry of its create."""
    create = desk.rows.create

    async def unheard(table: Table, row_id: UUID, values: "Mapping[str, Value]") -> "Row":
        await create(table, row_id, values)
        monkeypatch.undo()
        raise Unavailable("no answer in time")

    monkeypatch.setattr(desk.rows, "create", unheard)
    desk.records.put("company", "C-1", {"name": "Nordwind"})
    ahead = desk.clock.now() + timedelta(minutes=1)
    assert await desk.record_changed("C-1", {"name": "Nordwind"}, at=ahead) is Outcome.FAILED

    await desk.row_changed(chosen_row_id(C1), operation="Create", name="Nordwind")
    await desk.later(2, chosen_row_id(C1))

    assert list(desk.records.of("company")) == ["C-1"]
    assert await desk.store.crosswalk.records_of(chosen_row_id(C1)) == [C1]


async def test_what_a_write_overruled_is_kept_though_nobody_heard_of_the_write(
    desk: "Desk", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    """A person renamed the row, and its message was lost; a newer one is written over it, unheard."""
    row = chosen_row_id(C1)
    await desk.record_changed("C-1", {"name": "Base"})
    desk.clock.advance(timedelta(seconds=5))
    desk.rows.put("account", row, {"name": "Typed by a person"})
    desk.clock.advance(timedelta(seconds=5))
    update, calls = desk.rows.update, []

    async def unheard(table: Table, row_id: UUID, values: "Mapping[str, Value]", version: str) -> "Row":
        answer = await update(table, row_id, values, version)
        calls.append(answer)
        monkeypatch.undo()
        raise Unavailable("no answer in time")

    monkeypatch.setattr(desk.rows, "update", unheard)

    assert await desk.record_changed("C-1", {"name": "Newer"}) is Outcome.FAILED
    await desk.later(2, row)

    assert len(calls) == 1
    ((record,),) = [await desk.store.operations.history.of(str(row))]
    kept = [
        (line["column"], line["inbound"], line["outbound"], line["winner"]) for line in record["conflicts"]
    ]
    assert kept == [("name", "Newer", "Typed by a person", "allegory")]


async def test_what_an_earlier_try_would_have_agreed_on_is_not_told_as_agreed(
    desk: "Desk", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    """By the next try the person's number has crossed, and the name is no longer for Allegory to change."""
    row, update = await desk.company(phone="1"), desk.rows.update
    desk.clock.advance(timedelta(seconds=5))
    desk.rows.put("account", row, {"telephone1": "3"})
    at = desk.clock.now() + timedelta(milliseconds=500)
    calls: list[object] = []

    async def down(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise Unavailable("down")
        return await update(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.rows, "update", down)
    said = {"name": "Renamed", "phone": "2"}
    assert await desk.record_changed("C-1", said, at=at) is Outcome.FAILED
    await desk.store.owners.set_phase(("allegory", "company", ""), Phase.DYNAMICS_MASTER, "ann", "done")
    desk.clock.advance(timedelta(seconds=15))
    assert await desk.tell_row(row) is Outcome.APPLIED

    (told,) = await desk.store.operations.history.as_of(str(row), desk.clock.now())
    assert told["believed"]["columns"]["telephone1"]["value"] == "3"
    assert (await desk.store.shadows.load(row)).marks["telephone1"].value == "3"


async def test_an_earlier_message_does_not_overtake_a_later_one_whose_write_may_have_happened(
    desk: "Desk", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    """The newer of two edits came first and waits to be tried again; then the older one arrives."""
    desk.rows.put("account", ROW, {"name": "First"})
    await desk.row_changed(operation="Create", name="First")
    older = desk.clock.now() + timedelta(seconds=1)
    desk.clock.advance(timedelta(seconds=2))
    update = desk.records.update

    async def unheard(*arguments: object) -> object:
        await update(*arguments)  # type: ignore[arg-type]
        monkeypatch.undo()
        raise Unavailable("no answer in time")

    monkeypatch.setattr(desk.records, "update", unheard)
    assert await desk.row_changed(name="Newer") is Outcome.FAILED

    assert await desk.row_changed(at=older, name="Older") is Outcome.STALE
    await desk.later(2)

    ((_, fields),) = desk.records.of("company").items()
    assert fields["name"] == "Newer"


async def test_a_column_that_is_spoken_of_for_the_first_time_is_compared_with_the_row(desk: "Desk") -> None:
    """The row's version is known by then, but nobody ever agreed on this column."""
    row = chosen_row_id(C1)
    await desk.record_changed("C-1", {"name": "Base"})
    desk.clock.advance(timedelta(seconds=5))
    desk.rows.put("account", row, {"address1_city": "Typed by a person"})
    desk.clock.advance(timedelta(seconds=5))
    assert await desk.record_changed("C-1", {"name": "Renamed"}) is Outcome.APPLIED
    desk.clock.advance(timedelta(seconds=5))

    await desk.record_changed("C-1", {"city": "Ulm"})

    assert desk.rows.of("account")[row]["address1_city"] == "Ulm"
    with desk.store.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT column_name, outbound FROM conflict").all()
    assert [(name, json.loads(value)) for name, value in kept] == [("address1_city", "Typed by a person")]


async def test_a_repeated_create_does_not_take_a_blank_for_agreed_that_people_filled(
    desk: "Desk", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    create = desk.records.create

    async def unheard(*arguments: object) -> object:
        await create(*arguments)  # type: ignore[arg-type]
        monkeypatch.undo()
        raise Unavailable("no answer in time")

    monkeypatch.setattr(desk.records, "create", unheard)
    desk.rows.put("account", ROW, {"name": "Old", "address1_city": None})
    assert await desk.row_changed(operation="Create", name="Old", address1_city=None) is Outcome.FAILED
    ((record_id, fields),) = desk.records.of("company").items()
    desk.clock.advance(timedelta(seconds=1))
    desk.records.put("company", record_id, {**fields, "city": "Typed by a person"})
    await desk.later(2)
    desk.clock.advance(timedelta(seconds=1))

    await desk.row_changed(name="Old", address1_city="Ulm")

    with desk.store.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT column_name, inbound FROM conflict").all()
    assert [(name, json.loads(value)) for name, value in kept] == [("address1_city", "Typed by a person")]
