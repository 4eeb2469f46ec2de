"""However the bad rows lie among the good ones, they are found, and in so many requests."""

import asyncio
import json
import math
from typing import Any
from uuid import UUID

import httpx
from hypothesis import example, given
from hypothesis import strategies as st

from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.dataverse.bulk import BulkRow, BulkRows
from shared.connectors.web.client import WebClient
from shared.core.errors import Refused
from shared.core.mapping.columns import table, text

ACCOUNT = table("account", "accounts", "accountid", text("name", "Name", 160))


class Service(httpx.AsyncBaseTransport):
    """All or nothing: a request with a bad row changes nothing and does not say which it was."""

    def __init__(self, bad: set[UUID]) -> None:
        self.bad = bad
        self.requests = 0
        self.written: set[UUID] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        body: dict[str, Any] = json.loads(await request.aread())
        ids = {UUID(target["accountid"]) for target in body["Targets"]}
        if ids & self.bad:
            error = {"code": "0x80040265", "message": "A plug-in refused it."}
            return httpx.Response(400, json={"error": error})
        self.written |= ids
        return httpx.Response(204)


class Client(WebClient):
    def __init__(self, service: Service) -> None:
        super().__init__("Dataverse", "http://127.0.0.1:1", FixedSecret("t"))
        self._service = service

    def _open(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url="http://127.0.0.1:1", transport=self._service)


@st.composite
def loads(draw: st.DrawFn) -> tuple[int, int, set[int]]:
    many, size = draw(st.integers(1, 260)), draw(st.integers(1, 130))
    return many, size, draw(st.sets(st.integers(0, many - 1), max_size=12))


@given(loads())
@example((10_000, 100, {0, 99, 100, 4711, 7_000, 7_001, 9_999}))
def test_bad_rows_are_found_within_the_bound_and_all_others_are_written(
    load: tuple[int, int, set[int]],
) -> None:
    many, size, bad = load
    ids = [UUID(int=at) for at in range(many)]
    service = Service({ids[at] for at in bad})
    rows = [BulkRow(each, {"name": "A"}) for each in ids]

    outcomes = asyncio.run(BulkRows(Client(service), batch_size=size).upsert(ACCOUNT, rows))

    assert {at for at, failure in enumerate(outcomes) if failure is not None} == bad
    assert all(failure is None or isinstance(failure, Refused) for failure in outcomes)
    assert service.written == set(ids) - service.bad
    depth = math.ceil(math.log2(size))
    assert service.requests <= math.ceil(many / size) + len(bad) * 2 * depth + len(bad)
