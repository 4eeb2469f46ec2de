"""What the sync may rely on when Dataverse has a bad day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from mappers.dataverse import account
from shared.connectors.credentials.secret import Held, KeptSecret
from shared.connectors.dataverse.rows import API, DataverseRows
from shared.connectors.memory.clock import SettableClock
from shared.connectors.web.client import WebClient
from shared.core.codes import Code
from shared.core.errors import MovedOn, Refused, Throttled, Unavailable
from shared.core.mapping.references import DirectoryRef

if TYPE_CHECKING:
    from local.dataverse.server import Simulator
    from tests.contract.connectors.conftest import SimulatedOrganisation

ACCOUNT = account.TABLE


class Admin:
    """The simulator's administration."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def trouble(self, **fault: object) -> None:
        (await self._http.post("/admin/faults", json=fault)).raise_for_status()

    async def limit(self, **limits: object) -> None:
        (await self._http.put("/admin/limits", json=limits)).raise_for_status()

    async def requests(self) -> int:
        counted: dict[str, Any] = (await self._http.get("/admin/requests")).json()
        return int(counted["requests"])


@pytest.fixture
async def admin(simulator: Simulator) -> AsyncIterator[Admin]:
    async with httpx.AsyncClient(base_url=simulator.http_url) as http:
        yield Admin(http)


async def test_after_a_429_every_call_waits_for_the_time_it_named(
    simulated: SimulatedOrganisation, admin: Admin
) -> None:
    await admin.trouble(code="0x80072322", retry_after=1)
    loop = asyncio.get_running_loop()
    nobody = DirectoryRef("systemuser", "internalemailaddress", "nobody@contoso.example", required=False)

    with pytest.raises(Throttled) as throttled:
        await simulated.rows.read(ACCOUNT, uuid4())
    started = loop.time()
    await asyncio.gather(simulated.rows.read(ACCOUNT, uuid4()), simulated.directory.find(nobody))

    assert throttled.value.retry_after == timedelta(seconds=1)
    assert loop.time() - started >= 0.9


async def test_a_create_whose_answer_was_lost_meets_its_own_row(
    simulated: SimulatedOrganisation, admin: Admin
) -> None:
    row_id = uuid4()
    await admin.trouble(drop="after", method="PATCH")

    with pytest.raises(Unavailable, match=r"^Dataverse cannot be reached$"):
        await simulated.rows.create(ACCOUNT, row_id, {"name": "Once"})
    with pytest.raises(MovedOn):
        await simulated.rows.create(ACCOUNT, row_id, {"name": "Once"})

    row = await simulated.rows.read(ACCOUNT, row_id)
    assert row is not None
    assert row.values["name"] == "Once"


async def test_an_update_whose_answer_was_lost_is_not_made_twice(
    simulated: SimulatedOrganisation, admin: Admin
) -> None:
    row_id = uuid4()
    made = await simulated.rows.create(ACCOUNT, row_id, {"name": "Before"})
    await admin.trouble(drop="after", method="PATCH")

    with pytest.raises(Unavailable):
        await simulated.rows.update(ACCOUNT, row_id, {"name": "After"}, made.version)
    with pytest.raises(MovedOn):
        await simulated.rows.update(ACCOUNT, row_id, {"name": "After"}, made.version)


@pytest.mark.parametrize("fault", [{"code": "0x80040216"}, {"code": "0x80048543"}, {"status": 502}])
async def test_what_passes_is_unavailable_and_passes(
    simulated: SimulatedOrganisation, admin: Admin, fault: dict[str, object]
) -> None:
    await admin.trouble(**fault)

    with pytest.raises(Unavailable):
        await simulated.rows.read(ACCOUNT, uuid4())

    assert await simulated.rows.read(ACCOUNT, uuid4()) is None


async def test_a_missing_privilege_waits_for_a_person_and_is_told_by_its_code(
    simulated: SimulatedOrganisation, admin: Admin
) -> None:
    await admin.trouble(code="0x80040220", message="Principal user (Id=1) is missing prvCreateAccount")

    with pytest.raises(Refused) as refused:
        await simulated.rows.create(ACCOUNT, uuid4(), {"name": "A"})

    assert (refused.value.code, refused.value.answer) == (Code.TARGET_UNAUTHORISED, "0x80040220")


@pytest.mark.parametrize(("refusals", "requests"), [(1, 2), (2, 2)])
async def test_a_refused_token_is_renewed_once_and_the_call_repeated_once(
    simulator: Simulator, admin: Admin, refusals: int, requests: int
) -> None:
    fetched: list[bool] = []

    def fetch(renew: bool) -> Held:  # noqa: FBT001  # the signature of KeptSecret's source
        fetched.append(renew)
        return Held(f"token-{len(fetched)}", datetime.max.replace(tzinfo=UTC))

    client = WebClient("Dataverse", f"{simulator.http_url}/{API}", KeptSecret(SettableClock(), fetch))
    rows = DataverseRows(client)
    await admin.trouble(status=401, times=refusals)
    before = await admin.requests()

    if refusals == 1:
        assert await rows.read(ACCOUNT, uuid4()) is None
    else:
        with pytest.raises(Refused) as refused:
            await rows.read(ACCOUNT, uuid4())
        assert (refused.value.code, refused.value.answer) == (Code.TARGET_UNAUTHORISED, "401")

    assert fetched == [False, True]
    assert await admin.requests() - before == requests
    await client.aclose()


async def test_cookies_are_off_so_that_no_server_gets_all_requests(
    simulated: SimulatedOrganisation, admin: Admin
) -> None:
    await admin.limit(enabled=True, requests=2, servers=3)

    for _ in range(6):
        assert await simulated.rows.read(ACCOUNT, uuid4()) is None
    with pytest.raises(Throttled):
        await simulated.rows.read(ACCOUNT, uuid4())


async def test_a_write_costs_one_request(simulated: SimulatedOrganisation, admin: Admin) -> None:
    before = await admin.requests()
    row_id = uuid4()

    made = await simulated.rows.create(ACCOUNT, row_id, {"name": "A"})
    changed = await simulated.rows.update(ACCOUNT, row_id, {"name": "B"}, made.version)
    await simulated.rows.delete(ACCOUNT, row_id, changed.version)

    assert await admin.requests() - before == 3
