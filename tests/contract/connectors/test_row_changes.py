"""What the gap detector may rely on when it asks Dataverse what changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from local.dataverse.server import Settings, start
from mappers.dataverse import account, contact
from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.dataverse.rows import API, DataverseRows
from shared.connectors.dataverse.tracking import DataverseChanges
from shared.connectors.memory.clock import SettableClock
from shared.connectors.memory.dataverse import MemoryRows
from shared.connectors.web.client import WebClient
from shared.core.errors import Refused, Throttled
from shared.core.mapping.columns import Table, text
from shared.core.mapping.references import RowRef
from shared.core.ports import Rows
from shared.core.row_changes import ChangedRow, RowChanges, RowPage, StartOver
from tests.contract.connectors.conftest import CUSTOMISATIONS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from local.dataverse.server import Simulator

ACCOUNT, CONTACT = account.TABLE, contact.TABLE


class Settable:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 10, 11, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Settable:
    return Settable()


@pytest.fixture
def simulator(clock: Settable) -> Iterator[Simulator]:
    with start(Settings(customisations=CUSTOMISATIONS), clock=clock) as running:
        yield running


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[WebClient]:
    client = WebClient("Dataverse", f"{simulator.http_url}/{API}", FixedSecret("a-token"))
    yield client
    await client.aclose()


@dataclass
class Watched:
    """Rows, and what is told of their changes."""

    rows: Rows
    changes: RowChanges


@pytest.fixture(params=["memory", "simulated"])
def watched(request: pytest.FixtureRequest) -> Watched:
    if request.param == "memory":
        rows = MemoryRows(SettableClock())
        return Watched(rows, rows)
    client: WebClient = request.getfixturevalue("client")
    return Watched(DataverseRows(client), DataverseChanges(client))


async def all_of(changes: RowChanges, table: Table, since: str) -> tuple[list[RowPage], str]:
    pages = [await changes.changes(table, since)]
    while pages[-1].more:
        pages.append(await changes.changes(table, pages[-1].next))
    return pages, pages[-1].next


async def test_the_first_read_brings_every_row_and_the_next_only_what_changed(watched: Watched) -> None:
    rows, changes = watched.rows, watched.changes
    kept, changed, deleted, new = (uuid4() for _ in range(4))
    for row_id in (kept, changed, deleted):
        await rows.create(ACCOUNT, row_id, {"name": "Before"})

    (first,), position = await all_of(changes, ACCOUNT, "")
    seen = {row.id: row for row in first.changed}
    after = await rows.update(ACCOUNT, changed, {"name": "After"}, seen[changed].version)
    await rows.delete(ACCOUNT, deleted, seen[deleted].version)
    made = await rows.create(CONTACT, uuid4(), {"lastname": "Of another table"})
    await rows.create(ACCOUNT, new, {"name": "New", "parentaccountid": RowRef("account", kept)})
    second = await changes.changes(ACCOUNT, position)
    third = await changes.changes(ACCOUNT, second.next)

    assert seen.keys() >= {kept, changed, deleted}
    assert (first.removed, first.more) == ([], False)
    one, other = second.changed
    assert one == ChangedRow(
        changed, {**seen[changed].values, "name": "After"}, after.version, after.modified_at
    )
    assert (other.id, other.values["name"]) == (new, "New")
    assert other.values["parentaccountid"] == RowRef("account", kept)
    assert (second.removed, second.more) == ([deleted], False)
    assert (third.changed, third.removed) == ([], [])
    assert made.version != after.version


async def test_what_is_told_of_a_row_is_what_reading_it_tells(watched: Watched) -> None:
    rows, changes, row_id = watched.rows, watched.changes, uuid4()
    await rows.create(ACCOUNT, row_id, {"name": "A", "tandem_sourcekey": "allegory:company:C-1"})

    page = await changes.changes(ACCOUNT, "")
    row = await rows.read(ACCOUNT, row_id)

    assert row is not None
    assert ChangedRow(row_id, row.values, row.version, row.modified_at) in page.changed


async def test_a_row_made_anew_is_a_change_and_not_a_removal(watched: Watched) -> None:
    rows, changes, row_id = watched.rows, watched.changes, uuid4()
    made = await rows.create(ACCOUNT, row_id, {"name": "Before"})
    position = (await changes.changes(ACCOUNT, "")).next

    await rows.delete(ACCOUNT, row_id, made.version)
    await rows.create(ACCOUNT, row_id, {"name": "Anew"})
    page = await changes.changes(ACCOUNT, position)

    assert [(row.id, row.values["name"]) for row in page.changed] == [(row_id, "Anew")]
    assert page.removed == []


async def test_a_change_between_two_pages_is_not_lost(client: WebClient) -> None:
    rows = DataverseRows(client)
    changes = DataverseChanges(client, page_size=2)
    ids = [UUID(int=number) for number in range(1, 6)]
    versions = {row_id: (await rows.create(ACCOUNT, row_id, {"name": "A"})).version for row_id in ids}

    first = await changes.changes(ACCOUNT, "")
    await rows.update(ACCOUNT, ids[0], {"name": "B"}, versions[ids[0]])
    await rows.delete(ACCOUNT, ids[1], versions[ids[1]])
    rest, position = await all_of(changes, ACCOUNT, first.next)
    late = await changes.changes(ACCOUNT, position)

    assert first.more
    assert [row.id for row in first.changed] == ids[:2]
    assert {row.id for page in rest for row in page.changed} >= set(ids[2:])
    assert [(row.id, row.values["name"]) for row in late.changed] == [(ids[0], "B")]
    assert late.removed == [ids[1]]


async def test_a_position_that_expired_says_to_start_over(client: WebClient, clock: Settable) -> None:
    changes = DataverseChanges(client)
    position = (await changes.changes(ACCOUNT, "")).next

    clock.now += timedelta(days=8)
    with pytest.raises(StartOver):
        await changes.changes(ACCOUNT, position)

    assert (await changes.changes(ACCOUNT, "")).next != position


async def test_a_position_of_other_columns_says_to_start_over(client: WebClient) -> None:
    changes = DataverseChanges(client)
    fewer = Table(ACCOUNT.name, ACCOUNT.entity_set, ACCOUNT.primary_key, {"name": text("name", "Name", 160)})
    position = (await changes.changes(fewer, "")).next

    with pytest.raises(StartOver):
        await changes.changes(ACCOUNT, position)

    assert (await changes.changes(fewer, position)).changed == []


async def test_a_refusal_and_a_pause_are_raised_as_everywhere(
    client: WebClient, simulator: Simulator
) -> None:
    changes = DataverseChanges(client)
    simulator.api.faults.add({"code": "0x80040220"})
    with pytest.raises(Refused, match="0x80040220: a privilege is missing"):
        await changes.changes(ACCOUNT, "")

    simulator.api.faults.add({"code": "0x80072322", "retry_after": 60})
    with pytest.raises(Throttled):
        await changes.changes(ACCOUNT, "")
    with pytest.raises(Throttled, match="asked us to pause"):
        await changes.changes(ACCOUNT, "")
