"""What the feed and the gap detector may rely on when a legacy system tells what changed and what it has."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from local.crm.declaration import System as Simulated
from local.crm.rest import start
from local.crm.systems import SYSTEMS
from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.legacy.feed import RestFeed
from shared.connectors.legacy.rest import RestRecords
from shared.connectors.legacy.snapshot import RestSnapshot
from shared.connectors.memory.clock import SettableClock
from shared.connectors.memory.legacy import MemoryRecords
from shared.connectors.web.client import WebClient
from shared.core.change import Operation
from shared.core.errors import Refused
from shared.core.feed import LegacyFeed, LegacySnapshot
from shared.core.mapping.columns import Table
from shared.core.mapping.spec import EntityMap
from shared.core.ports import LegacyRecords
from shared.core.rest import ChangeFeed, Rest
from shared.core.system import LegacySystem
from tests.contract.connectors.other_words import BOREALIS, SIMULATED

ACCOUNT = Table("account", "accounts", "accountid", {})
ALLEGORY = LegacySystem(
    "allegory", (EntityMap("company", ACCOUNT, "company_id", ()),), Rest({"company": "companies"})
)
KEY = "the-integrations-key"


class System(Protocol):
    """A legacy system with what its own people do in it."""

    @property
    def records(self) -> LegacyRecords: ...

    @property
    def feed(self) -> LegacyFeed: ...

    @property
    def snapshot(self) -> LegacySnapshot: ...

    def person_saves(self, record_id: str, name: str) -> None: ...

    def person_deletes(self, record_id: str) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.records = MemoryRecords(ALLEGORY, SettableClock(datetime.now(UTC)))
        self.feed = self.snapshot = self.records

    def person_saves(self, record_id: str, name: str) -> None:
        self.records.put("company", record_id, {"name": name})

    def person_deletes(self, record_id: str) -> None:
        self.records.remove("company", record_id)


@dataclass
class OverRest:
    url: str
    records: RestRecords
    feed: RestFeed
    snapshot: RestSnapshot

    def person_saves(self, record_id: str, name: str) -> None:
        httpx.put(f"{self.url}/companies/{record_id}", json={"name": name}).raise_for_status()

    def person_deletes(self, record_id: str) -> None:
        httpx.delete(f"{self.url}/companies/{record_id}").raise_for_status()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    (tmp_path / "key").write_text(KEY)
    return tmp_path / "key"


@asynccontextmanager
async def over_rest(declared: LegacySystem, simulated: Simulated, key: Path) -> AsyncIterator[OverRest]:
    with start(simulated, api_key_file=key) as server:
        client = WebClient("Allegory", server.url, FixedSecret(KEY), timeout=timedelta(seconds=60))
        records = RestRecords(declared, client)
        feed = RestFeed(declared.interface.feed or ChangeFeed(), client)
        yield OverRest(server.url, records, feed, RestSnapshot(declared, client))
        await client.aclose()


@pytest.fixture(params=["in memory", "over rest", "in other words"])
async def system(request: pytest.FixtureRequest, key: Path) -> AsyncIterator[System]:
    if request.param == "in memory":
        yield InMemory()
        return
    is_other = request.param == "in other words"
    declared, simulated = (BOREALIS, SIMULATED) if is_other else (ALLEGORY, SYSTEMS["allegory"])
    async with over_rest(declared, simulated, key) as made:
        yield made


async def test_the_feed_tells_each_write_in_order_as_it_left_the_record_and_who_made_it(
    system: System,
) -> None:
    made = await system.records.create("company", {"name": "Ours"}, "m-1")
    system.person_saves(made.id, "Theirs")
    held = await system.records.read("company", made.id)
    assert held is not None
    system.person_deletes(made.id)

    told = (await system.feed.changes("", 10)).changes

    seen = [(one.entity, one.id, one.operation, one.record.get("name"), one.changed_by) for one in told]
    us, people = seen[0][4], seen[1][4]
    assert seen == [
        ("company", made.id, Operation.UPSERT, "Ours", us),
        ("company", made.id, Operation.UPSERT, "Theirs", people),
        ("company", made.id, Operation.DELETE, None, people),
    ]
    assert us not in ("", people)
    assert people
    assert [one.changed_at for one in told[:2]] == [made.changed_at, held.changed_at]
    assert told[1].record == held.fields


async def test_the_feed_is_read_on_from_where_it_was_left(system: System) -> None:
    for name in ("one", "two", "three"):
        system.person_saves(f"C-{name}", name)

    first = await system.feed.changes("", 2)
    rest = await system.feed.changes(first.next, 2)
    nothing = await system.feed.changes(rest.next, 2)

    assert [[one.record["name"] for one in page.changes] for page in (first, rest)] == [
        ["one", "two"],
        ["three"],
    ]
    assert [page.changes[-1].cursor for page in (first, rest)] == [first.next, rest.next]
    assert (list(nothing.changes), nothing.next) == ([], rest.next)
    assert await system.feed.changes("", 2) == first


async def test_a_snapshot_shows_every_record_once_as_it_is(system: System) -> None:
    for name in ("one", "two", "three", "gone"):
        system.person_saves(f"C-{name}", name)
    system.person_deletes("C-gone")

    pages = [await system.snapshot.page("company", "", 2)]
    while (position := pages[-1].next) is not None:
        pages.append(await system.snapshot.page("company", position, 2))

    listed = [record for page in pages for record in page.records]
    assert [len(page.records) for page in pages] == [2, 1]
    assert {record.id: record.fields["name"] for record in listed} == {
        "C-one": "one",
        "C-two": "two",
        "C-three": "three",
    }
    # Whoever wants to write one of them has to read it first.
    assert {record.version for record in listed} == {""}
    read = await system.records.read("company", "C-one")
    assert read is not None
    (one,) = (record for record in listed if record.id == "C-one")
    assert (one.fields, one.changed_at) == (read.fields, read.changed_at)


async def test_a_snapshot_of_nothing_is_one_empty_page(system: System) -> None:
    page = await system.snapshot.page("company", "", 2)

    assert (list(page.records), page.next) == ([], None)


async def test_an_entity_that_the_system_does_not_declare_is_not_listed(system: System) -> None:
    with pytest.raises(Refused):
        await system.snapshot.page("campaign", "", 2)


async def test_a_change_that_made_its_record_says_so(system: System) -> None:
    system.person_saves("C-1", "Nordwind")
    system.person_saves("C-1", "Nordwind Rotor")
    system.person_deletes("C-1")

    told = (await system.feed.changes("", 10)).changes

    assert [change.is_create for change in told] == [True, False, False]


async def test_a_merge_is_told_of_the_one_that_is_gone_with_its_heir(system: System) -> None:
    heir = await system.records.create("company", {"name": "Nordwind"}, "m-1")
    loser = await system.records.create("company", {"name": "Nordwind"}, "m-2")
    await system.records.merge("company", heir.id, loser.id)

    told = (await system.feed.changes("", 10)).changes

    (merge,) = (change for change in told if change.heir)
    assert (merge.id, merge.heir, merge.operation, merge.record) == (loser.id, heir.id, Operation.ABSORB, {})
