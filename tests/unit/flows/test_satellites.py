"""What follows from a record beside its own row: connections, tags in a string, a place in a process."""

import itertools
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.allegory.words import SYSTEM
from mappers.dataverse import process
from mappers.legrand import LEGRAND
from shared.core.change import Json, Message
from shared.core.errors import Unavailable
from shared.core.identity import RecordKey
from shared.core.mapping.references import RowRef
from shared.core.outcome import Outcome
from tests.unit.flows.conftest import desk_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.flows.conftest import Desk


async def tell(
    desk: "Desk",
    entity: str,
    record: str,
    data: dict[str, Json] | None,
    at: datetime | None = None,
    system: str = SYSTEM,
) -> Outcome | None:
    """A legacy system tells of a record, or of its end."""
    number = next(desk.numbers)
    body: dict[str, Any] = {
        "schemaVersion": "1.0",
        "source": system,
        "entity": entity,
        "sourceKey": record,
        "operation": "upsert" if data else "delete",
        "changedOn": (at or desk.clock.now()).isoformat(),
    }
    if data:
        body["data"] = data
    content = json.dumps(body).encode()
    session = f"{system}:{entity}:{record}"
    await desk.gate.receive(Message(f"t-{number}", "inbound", session, content, position=number))
    found = await desk.store.operations.messages.find(f"t-{number}")
    assert found is not None
    return Outcome(found["outcome"]) if found["outcome"] else None


async def later(desk: "Desk", entity: str, record: str, data: dict[str, Json] | None) -> Outcome | None:
    desk.clock.advance(timedelta(seconds=1))
    return await tell(desk, entity, record, data)


async def row_of(desk: "Desk", entity: str, record: str) -> UUID:
    found = await desk.store.crosswalk.row_of(RecordKey(SYSTEM, entity, record))
    assert found is not None
    return found


async def companies(desk: "Desk", *names: str) -> dict[UUID, str]:
    """Companies in Dataverse: their names by row."""
    for name in names:
        assert await tell(desk, "company", name, {"name": name}) is Outcome.APPLIED
    return {await row_of(desk, "company", name): name for name in names}


def related(desk: "Desk", named: dict[UUID, str]) -> list[str]:
    """The companies that the contact is connected to."""
    ends = [row["record2id"] for row in desk.rows.of("connection").values()]
    return sorted(named[end.id] for end in ends if isinstance(end, RowRef))


async def test_a_contact_of_three_companies_has_a_primary_one_and_two_connections(desk: "Desk") -> None:
    named = await companies(desk, "A", "B", "C")

    outcome = await tell(
        desk, "contact", "P-1", {"last_name": "X", "primary_company_id": "B", "company_ids": "A|B|C"}
    )

    contact = await row_of(desk, "contact", "P-1")
    assert outcome is Outcome.APPLIED
    assert related(desk, named) == ["A", "C"]
    assert {row["record1id"] for row in desk.rows.of("connection").values()} == {RowRef("contact", contact)}


async def test_a_company_that_leaves_the_contact_takes_its_connection_along(desk: "Desk") -> None:
    named = await companies(desk, "A", "B", "C")
    said: dict[str, Json] = {"last_name": "X", "primary_company_id": "B", "company_ids": "A|B|C"}
    await tell(desk, "contact", "P-1", said)

    await later(desk, "contact", "P-1", {**said, "company_ids": "B|C"})

    assert related(desk, named) == ["C"]


async def test_another_primary_company_changes_places_with_a_further_one(desk: "Desk") -> None:
    named = await companies(desk, "A", "B")
    said: dict[str, Json] = {"last_name": "X", "primary_company_id": "A", "company_ids": "A|B"}
    await tell(desk, "contact", "P-1", said)
    assert related(desk, named) == ["B"]

    await later(desk, "contact", "P-1", {"primary_company_id": "B"})

    assert related(desk, named) == ["A"]


async def test_a_contact_that_ends_takes_its_connections_along(desk: "Desk") -> None:
    await companies(desk, "A", "B")
    await tell(desk, "contact", "P-1", {"last_name": "X", "primary_company_id": "A", "company_ids": "A|B"})

    await later(desk, "contact", "P-1", None)

    assert (desk.rows.of("connection"), desk.rows.of("contact")) == ({}, {})


async def test_a_contact_waits_for_a_further_company_and_leaves_nothing_behind_meanwhile(
    desk: "Desk",
) -> None:
    await companies(desk, "A")

    said: dict[str, Json] = {"last_name": "X", "primary_company_id": "A", "company_ids": "A|B"}
    assert await tell(desk, "contact", "P-1", said) is Outcome.PARKED
    assert (desk.rows.of("contact"), desk.rows.of("connection")) == ({}, {})

    named = await companies(desk, "B")
    woken = next(sent for sent in desk.bus.sent)
    await desk.gate.receive(woken.message)
    assert related(desk, named) == ["B"]


async def test_a_connection_whose_write_got_lost_is_written_by_the_next_try(desk: "Desk") -> None:
    named = await companies(desk, "A", "B")
    written = desk.rows.create
    lost = iter([True])

    async def create(table: Any, row_id: UUID, values: Any) -> Any:
        if table.name == "connection" and next(lost, False):
            raise Unavailable("no answer")
        return await written(table, row_id, values)

    object.__setattr__(desk.rows, "create", create)
    await tell(desk, "contact", "P-1", {"last_name": "X", "primary_company_id": "A", "company_ids": "A|B"})
    assert related(desk, named) == []
    desk.clock.advance(timedelta(seconds=5))
    (record,) = desk.rows.of("contact")
    await desk.gate.worker.drain(record)

    assert related(desk, named) == ["B"]
    assert len(desk.rows.of("contact")) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(["vip", "🚲 bikes", "key account"])))
async def test_tags_join_their_record_in_any_order_and_once(desk: "Desk", order: tuple[str, ...]) -> None:
    company = next(iter(await companies(desk, "A")))
    newest = desk.clock.now()

    for back, name in enumerate((*order, *order)):
        at = newest - timedelta(seconds=back)
        data: dict[str, Json] = {"object_type": "company", "object_id": "A", "tag": name}
        await tell(desk, "tag", f"company/A/{name}", data, at)

    held = str(desk.rows.of("account")[company]["tandem_tags"]).split(";")
    assert sorted(held) == sorted(order)


async def test_a_tag_that_is_taken_off_leaves_the_others(desk: "Desk") -> None:
    company = next(iter(await companies(desk, "A")))
    desk.rows.put("account", company, {"tandem_tags": "kept by hand"})
    for name in ("vip", "old"):
        data: dict[str, Json] = {"object_type": "company", "object_id": "A", "tag": name}
        assert await tell(desk, "tag", f"company/A/{name}", data) is Outcome.APPLIED

    assert await later(desk, "tag", "company/A/old", None) is Outcome.APPLIED

    assert desk.rows.of("account")[company]["tandem_tags"] == "kept by hand;vip"
    assert [row["tandem_name"] for row in desk.rows.of("tandem_tag").values()] == ["vip"]


async def test_a_tag_waits_for_the_record_it_is_on(desk: "Desk") -> None:
    data: dict[str, Json] = {"object_type": "company", "object_id": "A", "tag": "vip"}

    assert await tell(desk, "tag", "company/A/vip", data) is Outcome.PARKED
    company = next(iter(await companies(desk, "A")))
    for sent in list(desk.bus.sent):
        await desk.gate.receive(sent.message)

    assert desk.rows.of("account")[company]["tandem_tags"] == "vip"


async def test_a_tag_that_would_be_two_and_one_without_a_place_are_refused(desk: "Desk") -> None:
    await companies(desk, "A")

    two: dict[str, Json] = {"object_type": "company", "object_id": "A", "tag": "a;b"}
    none: dict[str, Json] = {"object_type": "invoice", "object_id": "A", "tag": "a"}
    assert await tell(desk, "tag", "company/A/a;b", two) is Outcome.REJECTED
    assert await tell(desk, "tag", "invoice/A/a", none) is Outcome.REJECTED


def with_processes(desk: "Desk", *pipelines: str) -> None:
    """The organisation has the flows of these pipelines, each with three stages of the same labels."""
    for pipeline in pipelines:
        desk.rows.put("workflow", process.process_id(SYSTEM, pipeline), {"name": pipeline})
        for number in (1, 2, 3):
            desk.rows.put("processstage", process.stage_id(SYSTEM, f"{pipeline}-S{number}"), {})


def in_stage(pipeline: str, number: int, entered: str = "2026-01-02T03:04:05Z") -> dict[str, Json]:
    return {
        "name": "Rotor blades",
        "pipeline_id": pipeline,
        "stage_id": f"{pipeline}-S{number}",
        "stage_name": "Prospecting",
        "stage_entered_at": entered,
    }


def instance(desk: "Desk", pipeline: str) -> list[tuple[int, list[int], str]]:
    """Where a pipeline's process has its deals: the active stage, the path to it, and since when."""
    numbers = {process.stage_id(SYSTEM, f"{pipeline}-S{number}"): number for number in (1, 2, 3)}
    found = []
    for row in desk.rows.of(process.table_name(pipeline)).values():
        active, entered = row["activestageid"], row["activestagestartedon"]
        assert isinstance(active, RowRef)
        assert isinstance(entered, datetime)
        path = [numbers[UUID(stage)] for stage in str(row["traversedpath"]).split(",")]
        found.append((numbers[active.id], path, entered.isoformat()))
    return found


async def test_a_deal_moves_through_the_process_of_its_own_pipeline(desk: "Desk") -> None:
    with_processes(desk, "PL-1", "PL-2")

    await tell(desk, "deal", "D-1", in_stage("PL-1", 1))
    await later(desk, "deal", "D-1", in_stage("PL-1", 2, "2026-02-03T04:05:06Z"))
    await tell(desk, "deal", "D-2", in_stage("PL-2", 1))

    assert instance(desk, "PL-1") == [(2, [1, 2], "2026-02-03T04:05:06+00:00")]
    assert instance(desk, "PL-2") == [(1, [1], "2026-01-02T03:04:05+00:00")]


async def test_a_deal_that_goes_back_a_stage_is_back_on_its_path(desk: "Desk") -> None:
    with_processes(desk, "PL-1")

    for number in (1, 2, 3, 2):
        await later(desk, "deal", "D-1", in_stage("PL-1", number))

    assert instance(desk, "PL-1")[0][:2] == (2, [1, 2])


async def test_a_deal_that_changes_its_pipeline_leaves_the_other_process(desk: "Desk") -> None:
    with_processes(desk, "PL-1", "PL-2")
    await tell(desk, "deal", "D-1", in_stage("PL-1", 2))

    await later(desk, "deal", "D-1", in_stage("PL-2", 1))

    assert (instance(desk, "PL-1"), instance(desk, "PL-2")[0][:2]) == ([], (1, [1]))


async def test_without_the_process_the_deal_keeps_its_stage_as_text(desk: "Desk") -> None:
    assert await tell(desk, "deal", "D-1", in_stage("PL-1", 2)) is Outcome.APPLIED
    assert await later(desk, "deal", "D-1", in_stage("PL-1", 3)) is Outcome.APPLIED

    (deal,) = desk.rows.of("opportunity").values()
    assert (deal["tandem_pipelineid"], deal["tandem_stageid"]) == ("PL-1", "PL-1-S3")
    assert desk.rows.of(process.table_name("PL-1")) == {}


async def test_a_stage_that_the_process_lacks_holds_no_deal_up(desk: "Desk") -> None:
    with_processes(desk, "PL-1")

    assert await tell(desk, "deal", "D-1", in_stage("PL-1", 9)) is Outcome.APPLIED

    assert desk.rows.of(process.table_name("PL-1")) == {}


async def test_a_custom_field_without_a_column_is_refused_with_what_to_create(desk: "Desk") -> None:
    known: dict[str, Json] = {"object": "company", "key": "cf_tier", "type": "dropdown", "options": ["Gold"]}
    unknown: dict[str, Json] = {"object": "deal", "key": "cf_new", "type": "text", "label": "New"}

    assert await tell(desk, "custom_field", "company/cf_tier", known) is Outcome.APPLIED
    assert await tell(desk, "custom_field", "deal/cf_new", unknown) is Outcome.REJECTED

    number = next(desk.numbers) - 1
    refused = await desk.store.operations.messages.find(f"t-{number}")
    assert refused is not None
    assert "create one of type string on opportunity" in json.dumps(refused, default=str)


@pytest.fixture
def mailing() -> "Iterator[Desk]":
    with desk_with(ALLEGORY, LEGRAND) as made:
        yield made


async def test_a_member_of_a_campaign_is_in_its_list_once_and_leaves_it_with_its_record(
    mailing: "Desk",
) -> None:
    async def said(entity: str, record: str, **data: Json) -> Outcome | None:
        mailing.clock.advance(timedelta(seconds=1))
        return await tell(mailing, entity, record, data or None, system="legrand")

    member: dict[str, Json] = {
        "Campaign ID": "M",
        "Campaign Name": "Bike Week",
        "Member Type": "Contact",
        "Member ID": "P",
    }
    early = await said("campaign_member", "M/Contact/P", **member)
    await said("campaign", "M", **{"Campaign Name": "Bike Week", "Status": "Active"})
    await said("contact", "P", **{"Last Name": "Five"})
    for response in ("Sent", "Responded"):
        await said("campaign_member", "M/Contact/P", **member, Response=response)
    found = await mailing.store.crosswalk.row_of(RecordKey("legrand", "contact", "P"))
    assert found is not None
    ((named, listed),) = [
        (one["listname"], mailing.lists.members[key]) for key, one in mailing.lists.lists.items()
    ]
    full = set(listed)
    gone = await said("campaign_member", "M/Contact/P")

    assert (early, named, full) == (Outcome.PARKED, "Bike Week (contacts)", {RowRef("contact", found)})
    assert (gone, set(listed)) == (Outcome.APPLIED, set())


MEMBER: dict[str, Json] = {
    "Campaign ID": "M",
    "Campaign Name": "Bike Week",
    "Member Type": "Contact",
    "Member ID": "P",
}


async def campaign_and_contact(desk: "Desk") -> None:
    await tell(desk, "campaign", "M", {"Campaign Name": "Bike Week", "Status": "Active"}, system="legrand")
    await tell(desk, "contact", "P", {"Last Name": "Five"}, system="legrand")


async def test_whoever_a_person_took_out_of_a_list_stays_out_while_the_member_is_the_same(
    mailing: "Desk",
) -> None:
    await campaign_and_contact(mailing)
    await tell(mailing, "campaign_member", "M/Contact/P", MEMBER, system="legrand")
    (listed,) = mailing.lists.members.values()
    listed.clear()

    outcomes = []
    for more in ({}, {"Response": "Responded"}, {"Campaign Name": "Bike Weeks"}):
        mailing.clock.advance(timedelta(seconds=1))
        told = {**MEMBER, **more}
        outcomes.append(await tell(mailing, "campaign_member", "M/Contact/P", told, system="legrand"))

    assert outcomes == [Outcome.ECHO, Outcome.APPLIED, Outcome.APPLIED]
    assert listed == set()


async def test_a_place_in_a_list_that_got_lost_is_taken_by_the_next_try(
    mailing: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    await campaign_and_contact(mailing)

    async def lost(*_: object) -> None:
        raise Unavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(type(mailing.lists), "join", lost)
        await tell(mailing, "campaign_member", "M/Contact/P", MEMBER, system="legrand")
    missing = dict(mailing.lists.members)
    mailing.clock.advance(timedelta(seconds=5))
    (record,) = mailing.rows.of("campaignresponse")
    await mailing.gate.worker.drain(record)

    found = await mailing.store.crosswalk.row_of(RecordKey("legrand", "contact", "P"))
    assert found is not None
    assert (missing, list(mailing.lists.members.values())) == ({}, [{RowRef("contact", found)}])
