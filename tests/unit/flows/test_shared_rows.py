"""One customer in two legacy systems: one row, two records, and rules for whose value the row holds."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from mappers.legrand import LEGRAND
from shared.core.change import Json
from shared.core.identity import RecordKey
from shared.core.mapping.columns import Value
from shared.core.outcome import Outcome
from shared.core.rest import Rest
from shared.core.system import LegacySystem
from tests.unit.flows.conftest import desk_with

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

BOREALIS = LegacySystem("borealis", (COMPANY,), Rest({"company": "companies"}))
"""A second system whose companies are as Allegory's, and take writes, too."""

SHOWN = ("name", "telephone1", "address1_city", "tandem_tags", "tandem_yearfounded")


@pytest.fixture
def desk() -> "Iterator[Desk]":
    with desk_with(ALLEGORY, BOREALIS) as made:
        yield made


@pytest.fixture
def reading() -> "Iterator[Desk]":
    with desk_with(ALLEGORY, LEGRAND) as made:
        yield made


async def saved(desk: "Desk", system: str, record: str, **fields: Json) -> Outcome | None:
    """A person saves a company in one of the systems, which tells of all of it."""
    desk.clock.advance(timedelta(seconds=10))
    records = desk.others[system]
    held = records.of("company").get(record, {})
    told = records.put("company", record, {**held, **fields})
    return await desk.record_changed(record, told.fields, system=system)


async def shared(desk: "Desk", allegory: dict[str, Json], borealis: dict[str, Json]) -> UUID:
    """A row that a company of each system is; Allegory's came first."""
    assert await saved(desk, "allegory", "A-1", **allegory) is Outcome.APPLIED
    row = await desk.store.crosswalk.row_of(RecordKey("allegory", "company", "A-1"))
    assert row is not None
    desk.clock.advance(timedelta(seconds=10))
    told = desk.others["borealis"].put("company", "B-1", borealis)
    await desk.record_changed("B-1", told.fields, system="borealis", row=row)
    await flow_tells(desk, row)
    return row


async def flow_tells(desk: "Desk", row: UUID) -> Outcome | None:
    """The row's flow tells of it as it is: what carries one system's edit to the other."""
    values = desk.rows.of("account")[row]
    kept = await desk.rows.read(_account(), row)
    assert kept is not None
    return await desk._receive(
        "outbound",
        str(row),
        {
            "schemaVersion": "1.0",
            "source": "dataverse",
            "table": "account",
            "recordId": str(row),
            "operation": "Update",
            "changedOn": kept.modified_at.isoformat(),
            "rowVersion": kept.version.strip('W/"'),
            "data": {"accountid": str(row), **{name: values.get(name) for name in SHOWN}},
        },
    )


def _account() -> Any:
    return COMPANY.table


def row_of(desk: "Desk", row: UUID) -> dict[str, Value]:
    return {name: desk.rows.of("account")[row].get(name) for name in SHOWN}


def company(desk: "Desk", system: str) -> dict[str, Json]:
    fields = next(iter(desk.others[system].of("company").values()))
    return {name: str(fields.get(name) or "") for name in ("name", "phone", "city", "tags", "year_founded")}


async def test_the_row_holds_what_the_rules_say_and_both_records_get_it(desk: "Desk") -> None:
    row = await shared(
        desk,
        {"name": "Nordwind GmbH", "phone": "", "city": "Kiel", "tags": "a", "year_founded": 1990},
        {"name": "Nordwind", "phone": "2", "city": "", "tags": "a, b", "year_founded": 1991},
    )

    # By priority, filled, filled, longest, newest.
    assert row_of(desk, row) == dict(zip(SHOWN, ("Nordwind GmbH", "2", "Kiel", "a, b", 1991), strict=True))
    agreed: dict[str, Json] = {
        "name": "Nordwind GmbH", "phone": "2", "city": "Kiel", "tags": "a, b", "year_founded": "1991",
    }  # fmt: skip
    assert [company(desk, system) for system in ("allegory", "borealis")] == [agreed, agreed]
    keys = await desk.store.crosswalk.records_of(row)
    assert [str(key) for key in keys] == ["allegory:company:A-1", "borealis:company:B-1"]


async def test_the_value_that_loses_is_kept_with_the_rule(desk: "Desk") -> None:
    row = await shared(desk, {"name": "Nordwind GmbH"}, {"name": "Nordwind"})

    (told,) = await desk.store.operations.history.of(str(row))
    lost = [(one["column"], one["inbound"], one["winner"], one["rule"]) for one in told["conflicts"]]
    assert lost == [("name", "Nordwind", "allegory", "survivorship: priority")]


async def test_an_edit_in_dataverse_goes_out_to_both(desk: "Desk") -> None:
    row = await shared(desk, {"name": "Nordwind", "phone": "1"}, {"name": "Nordwind", "phone": "1"})
    desk.clock.advance(timedelta(seconds=10))

    desk.rows.put("account", row, {"telephone1": "9"})
    assert await flow_tells(desk, row) is Outcome.APPLIED

    assert [company(desk, system)["phone"] for system in ("allegory", "borealis")] == ["9", "9"]
    assert await flow_tells(desk, row) is Outcome.ECHO


@pytest.mark.parametrize(("mine", "other"), [("allegory", "borealis"), ("borealis", "allegory")])
async def test_an_edit_in_one_goes_to_the_row_and_out_to_the_other(
    desk: "Desk", mine: str, other: str
) -> None:
    row = await shared(desk, {"name": "Nordwind", "phone": "1"}, {"name": "Nordwind", "phone": "1"})

    record = {"allegory": "A-1", "borealis": "B-1"}[mine]
    assert await saved(desk, mine, record, phone="7") is Outcome.APPLIED
    assert desk.rows.of("account")[row]["telephone1"] == "7"
    assert company(desk, other)["phone"] == "1"
    assert await flow_tells(desk, row) is Outcome.APPLIED

    assert company(desk, other)["phone"] == "7"
    held = desk.others[other].of("company")
    told = next(iter(held.items()))
    assert await desk.record_changed(told[0], told[1], system=other) is Outcome.ECHO


async def test_a_copy_that_is_told_again_is_no_news(desk: "Desk") -> None:
    """The other record still says what it said before our write reached it."""
    row = await shared(desk, {"name": "Nordwind", "phone": "1"}, {"name": "Nordwind", "phone": "1"})
    old = dict(desk.others["borealis"].of("company")["B-1"])
    await saved(desk, "allegory", "A-1", phone="7")
    desk.clock.advance(timedelta(seconds=10))

    assert await desk.record_changed("B-1", {**old, "tags": "new"}, system="borealis") is Outcome.APPLIED

    assert row_of(desk, row)["telephone1"] == "7"


async def test_a_blank_does_not_win_but_the_last_value_goes_when_nobody_has_another(desk: "Desk") -> None:
    row = await shared(desk, {"name": "Nordwind", "phone": "1"}, {"name": "Nordwind", "phone": "1"})

    await saved(desk, "borealis", "B-1", phone="")
    await flow_tells(desk, row)
    assert row_of(desk, row)["telephone1"] == "1"
    assert company(desk, "borealis")["phone"] == "1", "it is brought in step"

    desk.rows.put("account", row, {"telephone1": None})
    desk.clock.advance(timedelta(seconds=10))
    await flow_tells(desk, row)
    assert [company(desk, system)["phone"] for system in ("allegory", "borealis")] == ["", ""]


async def test_the_end_of_one_record_leaves_the_row_to_the_other(desk: "Desk") -> None:
    row = await shared(desk, {"name": "Nordwind", "phone": "1"}, {"name": "Nordwind", "phone": "1"})
    desk.clock.advance(timedelta(seconds=10))
    desk.others["allegory"].remove("company", "A-1")

    assert await desk.record_changed("A-1", None) is Outcome.SUPERSEDED
    assert desk.rows.of("account")[row]["name"] == "Nordwind"

    desk.rows.put("account", row, {"telephone1": "3"})
    desk.clock.advance(timedelta(seconds=10))
    assert await flow_tells(desk, row) is Outcome.APPLIED
    assert company(desk, "borealis")["phone"] == "3"
    assert desk.others["allegory"].of("company") == {}

    desk.clock.advance(timedelta(seconds=10))
    desk.others["borealis"].remove("company", "B-1")
    assert await desk.record_changed("B-1", None, system="borealis") is Outcome.APPLIED
    assert row not in desk.rows.of("account")


async def test_the_end_of_the_row_is_the_end_of_both_records(desk: "Desk") -> None:
    row = await shared(desk, {"name": "Nordwind"}, {"name": "Nordwind"})
    desk.clock.advance(timedelta(seconds=10))
    desk.rows.remove("account", row)

    assert await desk.row_changed(row, operation="Delete") is Outcome.APPLIED

    assert [desk.others[system].of("company") for system in ("allegory", "borealis")] == [{}, {}]


async def test_two_rows_merged_by_a_person_make_one_customer_of_two_systems(desk: "Desk") -> None:
    await saved(desk, "allegory", "A-1", name="Nordwind GmbH", phone="1")
    await saved(desk, "borealis", "B-1", name="Nordwind", phone="2", city="Kiel")
    heir, loser = [
        await desk.store.crosswalk.row_of(RecordKey(system, "company", record))
        for system, record in (("allegory", "A-1"), ("borealis", "B-1"))
    ]
    assert heir is not None
    assert loser is not None
    desk.clock.advance(timedelta(seconds=10))

    for _, row in desk.rows.unite("account", heir, loser):
        await desk.tell_row(row)

    assert await desk.store.crosswalk.row_of(RecordKey("borealis", "company", "B-1")) == heir
    assert [(company(desk, s)["name"], company(desk, s)["phone"]) for s in ("allegory", "borealis")] == [
        ("Nordwind GmbH", "1"),
        ("Nordwind GmbH", "1"),
    ]
    assert company(desk, "allegory")["city"] == "Kiel"
    # From now on an edit in one reaches the other.
    await saved(desk, "borealis", "B-1", phone="5")
    await flow_tells(desk, heir)
    assert company(desk, "allegory")["phone"] == "5"


async def test_the_history_of_a_shared_row_tells_its_state(desk: "Desk") -> None:
    row = await shared(desk, {"name": "Nordwind", "phone": "1"}, {"name": "Nord", "phone": "2"})
    await saved(desk, "borealis", "B-1", phone="5")

    (told,) = await desk.store.operations.history.as_of(str(row), desk.clock.now())
    believed = {name: one["value"] for name, one in told["believed"]["columns"].items()}
    assert (believed["name"], believed["telephone1"]) == ("Nordwind", "5")


async def test_a_system_that_takes_no_writes_keeps_its_value_and_is_heard_once(reading: "Desk") -> None:
    desk = reading
    await saved(desk, "allegory", "A-1", name="Nordwind GmbH", phone="1")
    row = await desk.store.crosswalk.row_of(RecordKey("allegory", "company", "A-1"))
    desk.clock.advance(timedelta(seconds=10))
    legrand = {"Company ID": "77", "Company Name": "Nordwind", "Phone": "2", "Fax": "3"}

    first = await desk.record_changed("77", legrand, system="legrand", row=row)
    desk.clock.advance(timedelta(seconds=10))
    again = await desk.record_changed("77", legrand, system="legrand", row=row)

    assert (first, again) == (Outcome.CONFLICT, Outcome.ECHO)
    assert row is not None
    held = desk.rows.of("account")[row]
    assert (held["name"], held["telephone1"], held["fax"]) == ("Nordwind GmbH", "2", "3")
    desk.clock.advance(timedelta(seconds=10))
    await desk.record_changed("77", {**legrand, "Phone": "4"}, system="legrand", row=row)
    assert desk.rows.of("account")[row]["telephone1"] == "4"
    await flow_tells(desk, row)
    assert company(desk, "allegory")["phone"] == "4"


def test_the_second_system_is_like_the_first() -> None:
    assert replace(BOREALIS, name="allegory").map_of("company") is ALLEGORY.map_of("company")
