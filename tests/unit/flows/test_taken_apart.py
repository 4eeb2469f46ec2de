"""A record is taken out of a row while more is told of it, and while answers are lost."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from mappers.allegory import ALLEGORY
from mappers.allegory.companies import COMPANY
from shared.core.change import Json
from shared.core.errors import Unavailable
from shared.core.identity import RecordKey
from shared.core.outcome import Outcome
from shared.core.ownership import Phase
from shared.core.rest import Rest
from shared.core.system import LegacySystem
from tests.unit.flows.conftest import desk_with

if TYPE_CHECKING:
    from tests.unit.flows.conftest import Desk

BOREALIS = LegacySystem("borealis", (COMPANY,), Rest({"company": "companies"}))
TAKEN_OUT = "borealis:company:B-1"


@pytest.fixture
def desk() -> "Iterator[Desk]":
    with desk_with(ALLEGORY, BOREALIS) as made:
        yield made


async def saved(
    desk: "Desk", system: str, record: str, *, ahead: float = 0, **fields: Json
) -> Outcome | None:
    """A person saves a company; its system's clock may be some seconds ahead."""
    desk.clock.advance(timedelta(seconds=10))
    records = desk.others[system]
    told = records.put("company", record, {**records.of("company").get(record, {}), **fields})
    at = desk.clock.now() + timedelta(seconds=ahead)
    return await desk.record_changed(record, told.fields, system=system, at=at)


async def row_of(desk: "Desk", system: str, record: str) -> UUID:
    row = await desk.store.crosswalk.row_of(RecordKey(system, "company", record))
    assert row is not None
    return row


async def customer(desk: "Desk", record: str, name: str) -> UUID:
    """A company of Allegory; its row."""
    await saved(desk, "allegory", record, name=name, phone="1", city="Bremen")
    return await row_of(desk, "allegory", record)


async def customer_of_dataverse(desk: "Desk", number: int, name: str) -> UUID:
    """A company that began as a row, and is one of Allegory's by now; its row."""
    row = UUID(int=number)
    desk.clock.advance(timedelta(seconds=10))
    desk.rows.put("account", row, {"name": name, "telephone1": "1"})
    assert await desk.tell_row(row, "ann", "Create") is Outcome.APPLIED
    return row


async def merged(desk: "Desk", heir: UUID, loser: UUID) -> None:
    """People merge two rows in Dataverse, and both systems hear of it."""
    desk.clock.advance(timedelta(seconds=10))
    desk.rows.unite("account", heir, loser)
    await told(desk, heir, loser)


async def told(desk: "Desk", *rows: UUID) -> None:
    """What we put on the queues arrives; the flow tells of rows."""
    await desk.delivered()
    for row in rows:
        await desk.tell_row(row)
    await desk.delivered()


async def two_rows(desk: "Desk") -> tuple[UUID, UUID]:
    """Allegory's A-1 and Borealis' B-1, two customers; their rows."""
    first = await customer(desk, "A-1", "Nordwind")
    await saved(desk, "borealis", "B-1", name="Ostwind", phone="2", city="Kiel")
    return first, await row_of(desk, "borealis", "B-1")


def column(desk: "Desk", row: UUID, name: str) -> Any:
    return desk.rows.of("account")[row].get(name)


def answer_lost(desk: "Desk", patch: pytest.MonkeyPatch, name: str) -> None:
    """The next write of that name to Dataverse does what it is to do, and nobody hears of it."""
    write = getattr(desk.rows, name)

    async def unheard(*given: Any) -> Any:
        patch.setattr(desk.rows, name, write)
        await write(*given)
        raise Unavailable("no answer in time")

    patch.setattr(desk.rows, name, unheard)


async def test_what_a_record_told_before_is_decided_for_the_row_it_gets(desk: "Desk") -> None:
    """It waited in the lane of the shared row, and would bind its record to that anew."""
    heir, loser = await two_rows(desk)
    await merged(desk, heir, loser)
    desk.rows.trouble.next(Unavailable("down"))
    assert await saved(desk, "borealis", "B-1", ahead=60, city="Husum") is Outcome.FAILED

    await desk.customers.unmerge(TAKEN_OUT, "ann", "two harbours")
    await told(desk)
    await desk.later(5, heir)
    await desk.later(5, loser)

    assert await row_of(desk, "borealis", "B-1") == loser
    assert (column(desk, loser, "address1_city"), column(desk, heir, "address1_city")) == ("Husum", "Bremen")


async def test_what_is_typed_into_a_row_made_active_again_is_kept(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    heir, loser = await two_rows(desk)
    await merged(desk, heir, loser)
    await saved(desk, "borealis", "B-1", city="Husum")
    await desk.customers.unmerge(TAKEN_OUT, "ann", "two harbours")
    answer_lost(desk, monkeypatch, "update")
    await told(desk)
    assert column(desk, loser, "statecode") == 0
    await desk.edit_row(loser, telephone1="7")

    await desk.later(5, heir)
    await told(desk, loser)

    own = {name: column(desk, loser, name) for name in ("name", "telephone1", "address1_city")}
    assert own == {"name": "Ostwind", "telephone1": "7", "address1_city": "Husum"}
    record = desk.others["borealis"].of("company")["B-1"]
    assert (record["name"], record["phone"], record["city"]) == ("Ostwind", "7", "Husum")


async def test_a_row_that_was_merged_before_anybody_knew_of_it_gets_what_its_record_said_since(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to its create was lost: nobody knows what it was left with."""
    heir = await customer(desk, "A-1", "Nordwind")
    answer_lost(desk, monkeypatch, "create")
    assert await saved(desk, "borealis", "B-1", name="Ostwind", phone="2", city="Kiel") is Outcome.FAILED
    (loser,) = desk.rows.of("account").keys() - {heir}
    desk.rows.unite("account", heir, loser)
    assert await desk.tell_row(loser) is Outcome.APPLIED
    await desk.later(5, heir)
    await saved(desk, "borealis", "B-1", name="Ostwind & Co")

    await desk.customers.unmerge(TAKEN_OUT, "ann", "two harbours")
    await told(desk)
    await told(desk, loser)

    assert await row_of(desk, "borealis", "B-1") == loser
    assert column(desk, loser, "name") == "Ostwind & Co"
    assert desk.others["borealis"].of("company")["B-1"]["name"] == "Ostwind & Co"


async def test_a_row_made_for_a_record_gets_no_second_one(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its create has lost its answer: the row's own message comes before the record is bound to it."""
    loser, heir = await two_rows(desk)
    await merged(desk, heir, loser)
    queued = await desk.customers.unmerge(TAKEN_OUT, "ann", "two harbours")
    own = UUID(queued["row"])
    answer_lost(desk, monkeypatch, "create")
    await told(desk)

    assert await desk.tell_row(own, "tandem", "Create") is Outcome.FAILED
    await desk.later(5, heir)
    await desk.later(5, own)

    assert await row_of(desk, "borealis", "B-1") == own
    assert desk.others["allegory"].of("company").keys() == {"A-1"}
    assert await desk.store.crosswalk.records_of(own) == [RecordKey("borealis", "company", "B-1")]


async def test_a_record_is_not_given_a_row_that_is_another_customers(desk: "Desk") -> None:
    """The row that was made for it is Allegory's by now; it has shared, and left, another one since."""
    loser, first = await two_rows(desk)
    await merged(desk, first, loser)
    await desk.customers.unmerge(TAKEN_OUT, "ann", "two harbours")
    await told(desk)
    second = await row_of(desk, "borealis", "B-1")
    await merged(desk, second, await customer(desk, "A-2", "Westwind"))

    await desk.customers.unmerge(TAKEN_OUT, "ann", "two harbours again")
    await told(desk)

    own = await row_of(desk, "borealis", "B-1")
    assert own not in {first, second}
    assert await desk.store.crosswalk.records_of(first) == [RecordKey("allegory", "company", "A-1")]
    assert await desk.store.crosswalk.records_of(second) == [RecordKey("allegory", "company", "A-2")]


async def test_a_merge_that_is_told_again_undoes_no_unmerge(desk: "Desk") -> None:
    """A second copy of the flow's message, or one that was late, is about what people had before."""
    heir, loser = await two_rows(desk)
    desk.clock.advance(timedelta(seconds=10))
    desk.rows.unite("account", heir, loser)
    put_aside = await desk.rows.read(COMPANY.table, loser)
    assert put_aside is not None
    await told(desk, heir, loser)
    await desk.customers.unmerge(TAKEN_OUT, "ann", "two harbours")
    await told(desk, loser)

    again = await desk.row_changed(
        loser,
        at=put_aside.modified_at,
        version=put_aside.version.strip('W/"'),
        statecode=1,
        _masterid_value=str(heir),
    )

    assert again is Outcome.SUPERSEDED
    assert await row_of(desk, "borealis", "B-1") == loser


async def test_an_unmerge_that_a_merge_came_before_is_over_and_says_so(desk: "Desk") -> None:
    heir, loser = await two_rows(desk)
    await merged(desk, heir, loser)
    another = await customer(desk, "A-2", "Westwind")
    queued = await desk.customers.unmerge(TAKEN_OUT, "ann", "two harbours")
    desk.rows.trouble.next(Unavailable("down"))
    await desk.delivered()
    desk.rows.unite("account", another, heir)
    assert await desk.tell_row(heir) is Outcome.APPLIED
    await desk.later(5, another)

    case = await desk.customers.one(queued["case"])

    assert case is not None
    assert (case["state"], case["ended"]) == (
        "over",
        f"{heir} was merged into this row before: who shares it now is for a person to see",
    )
    assert await row_of(desk, "borealis", "B-1") == another


async def test_a_record_that_was_left_as_it_was_names_no_row_that_is_given_back(desk: "Desk") -> None:
    """It came with that row into another one, whose record speaks for it; it still says the row it had."""
    await saved(desk, "borealis", "B-1", name="Ostwind", phone="2", city="Kiel")
    given_back = await row_of(desk, "borealis", "B-1")
    first = await customer_of_dataverse(desk, 1, "Nordwind")
    second = await customer_of_dataverse(desk, 2, "Westwind")
    await merged(desk, given_back, first)
    await desk.store.owners.set_phase(("allegory", "company", ""), Phase.SHADOW_READ, "ann", "one step back")
    desk.clock.advance(timedelta(seconds=10))
    await merged(desk, second, given_back)
    left = next(
        record
        for record, fields in desk.records.of("company").items()
        if fields["cf_dataverse_id"] == str(given_back)
    )

    await desk.customers.unmerge(TAKEN_OUT, "ann", "two harbours")
    await told(desk, given_back)

    assert await row_of(desk, "borealis", "B-1") == given_back
    assert desk.records.of("company")[left]["cf_dataverse_id"] == str(second)
    assert await row_of(desk, "allegory", left) == second
