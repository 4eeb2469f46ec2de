"""A Dataverse organisation, in memory or simulated, with its people: what both Dataverse suites need."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import httpx
import pytest

from local.dataverse.server import Settings, Simulator, start
from mappers.dataverse import account, contact, lead, systemuser, transactioncurrency
from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.dataverse.directory import DataverseDirectory
from shared.connectors.dataverse.gathered import GatheredRows
from shared.connectors.dataverse.lists import DataverseLists
from shared.connectors.dataverse.rows import API, DataverseRows
from shared.connectors.memory.clock import SettableClock
from shared.connectors.memory.dataverse import MemoryDirectory, MemoryRows
from shared.connectors.memory.lists import MemoryLists
from shared.connectors.web.client import WebClient
from shared.core.mapping.columns import Table
from shared.core.mapping.references import RowRef
from shared.core.ports import Directory, MarketingLists, Rows

CUSTOMISATIONS = Path(__file__).parents[3] / "infra/dataverse/customisations.json"
TABLES = {each.TABLE.name: each.TABLE for each in (account, contact, lead, systemuser, transactioncurrency)}


class Organisation(Protocol):
    """A Dataverse organisation with what its own people do in it."""

    @property
    def rows(self) -> Rows: ...

    @property
    def directory(self) -> Directory: ...

    @property
    def lists(self) -> MarketingLists: ...

    async def members(self, list_id: UUID) -> set[RowRef]: ...

    async def person_sets(self, table: Table, row_id: UUID, column: str, value: str) -> None: ...

    async def person_deletes(self, table: Table, row_id: UUID) -> None: ...

    async def user(self, email: str, *, disabled: bool = False) -> UUID: ...

    async def currency(self, iso_code: str) -> UUID: ...

    def time_passes(self, by: timedelta) -> None: ...


class MemoryOrganisation:
    def __init__(self) -> None:
        self.clock = SettableClock(datetime.now(UTC))
        self.rows = MemoryRows(self.clock)
        self.directory = MemoryDirectory(self.rows)
        self.lists = MemoryLists(self.rows)

    async def members(self, list_id: UUID) -> set[RowRef]:
        return set(self.lists.members.get(list_id, ()))

    async def person_sets(self, table: Table, row_id: UUID, column: str, value: str) -> None:
        self.rows.put(table.name, row_id, {column: value})

    async def person_deletes(self, table: Table, row_id: UUID) -> None:
        self.rows.remove(table.name, row_id)

    async def user(self, email: str, *, disabled: bool = False) -> UUID:
        row_id = uuid4()
        self.rows.put("systemuser", row_id, {"internalemailaddress": email, "isdisabled": disabled})
        return row_id

    async def currency(self, iso_code: str) -> UUID:
        row_id = uuid4()
        self.rows.put("transactioncurrency", row_id, {"isocurrencycode": iso_code})
        return row_id

    def time_passes(self, by: timedelta) -> None:
        self.clock.advance(by)


class SimulatedOrganisation:
    def __init__(self, client: WebClient, person: httpx.AsyncClient, rows: DataverseRows) -> None:
        self.clock = SettableClock()
        self.person = person
        self.rows = rows
        self.directory = DataverseDirectory(client, self.rows, TABLES, self.clock)
        self.lists = DataverseLists(self.rows)

    async def members(self, list_id: UUID) -> set[RowRef]:
        query = {"$filter": f"_listid_value eq {list_id}"}
        found = (await self.person.get("listmembers", params=query)).json()["value"]
        assert len({row["_entityid_value"] for row in found}) == len(found)
        return {RowRef(row["entitytype"], UUID(row["_entityid_value"])) for row in found}

    async def person_sets(self, table: Table, row_id: UUID, column: str, value: str) -> None:
        answer = await self.person.patch(f"{table.entity_set}({row_id})", json={column: value})
        answer.raise_for_status()

    async def person_deletes(self, table: Table, row_id: UUID) -> None:
        (await self.person.delete(f"{table.entity_set}({row_id})")).raise_for_status()

    async def user(self, email: str, *, disabled: bool = False) -> UUID:
        (unit,) = (await self.person.get("businessunits")).json()["value"]
        body = {
            "internalemailaddress": email,
            "domainname": f"{uuid4()}@sign-in.example",
            "firstname": "A",
            "lastname": "Person",
            "businessunitid@odata.bind": f"/businessunits({unit['businessunitid']})",
        }
        row_id = UUID(await self._made("systemusers", body))
        if disabled:
            answer = await self.person.patch(f"systemusers({row_id})", json={"isdisabled": True})
            answer.raise_for_status()
        return row_id

    async def currency(self, iso_code: str) -> UUID:
        found = (await self.person.get("transactioncurrencies")).json()["value"]
        (row_id,) = (row["transactioncurrencyid"] for row in found if row["isocurrencycode"] == iso_code)
        return UUID(row_id)

    async def _made(self, entity_set: str, body: dict[str, Any]) -> str:
        answer = await self.person.post(entity_set, json=body)
        assert answer.status_code == 204, answer.text
        return answer.headers["OData-EntityId"][-37:-1]

    def time_passes(self, by: timedelta) -> None:
        self.clock.advance(by)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with start(Settings(customisations=CUSTOMISATIONS)) as running:
        yield running


@asynccontextmanager
async def organisation_of(
    simulator: Simulator, rows: type[DataverseRows]
) -> AsyncIterator[SimulatedOrganisation]:
    url = f"{simulator.http_url}/{API}"
    client = WebClient("Dataverse", url, FixedSecret("a-token"))
    headers = {"Authorization": "Bearer a-person"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as person:
        yield SimulatedOrganisation(client, person, rows(client, tag=lambda: "m-1"))
    await client.aclose()


@pytest.fixture
async def simulated(simulator: Simulator) -> AsyncIterator[SimulatedOrganisation]:
    async with organisation_of(simulator, DataverseRows) as organisation:
        yield organisation


@pytest.fixture
async def gathered(simulator: Simulator) -> AsyncIterator[SimulatedOrganisation]:
    async with organisation_of(simulator, GatheredRows) as organisation:
        yield organisation


@pytest.fixture(params=["memory", "simulated", "gathered"])
def organisation(request: pytest.FixtureRequest) -> Organisation:
    if request.param == "memory":
        return MemoryOrganisation()
    real: SimulatedOrganisation = request.getfixturevalue(request.param)
    return real
