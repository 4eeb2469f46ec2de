"""Many rows at once: all of them in few requests, and the bad ones found."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from mappers.dataverse import account
from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.dataverse.bulk import BulkRow, BulkRows
from shared.connectors.dataverse.rows import API, DataverseRows
from shared.connectors.web.client import WebClient
from shared.core.codes import Code
from shared.core.errors import InvalidMessage, Refused, SyncError, Throttled, Unavailable
from shared.core.mapping.columns import Option
from shared.core.mapping.references import RowRef

if TYPE_CHECKING:
    from local.dataverse.server import Simulator

ACCOUNT = account.TABLE


class Service:
    """The simulator with its administration, and its rows."""

    def __init__(self, simulator: Simulator) -> None:
        self.admin = httpx.AsyncClient(base_url=f"{simulator.http_url}/admin/")
        self.client = WebClient("Dataverse", f"{simulator.http_url}/{API}", FixedSecret("a-token"))
        self.rows = DataverseRows(self.client)

    def bulk(self, size: int) -> BulkRows:
        return BulkRows(self.client, batch_size=size)

    async def trouble(self, **fault: object) -> None:
        (await self.admin.post("faults", json=fault)).raise_for_status()

    async def requests(self) -> int:
        counted: dict[str, Any] = (await self.admin.get("requests")).json()
        (await self.admin.delete("requests")).raise_for_status()
        return int(counted["requests"])


@pytest.fixture
async def service(simulator: Simulator) -> AsyncIterator[Service]:
    service = Service(simulator)
    yield service
    await service.admin.aclose()
    await service.client.aclose()


def batch(many: int, bad: Iterable[int] = ()) -> list[BulkRow]:
    """Rows of which the bad ones point at nobody, which only the service can know."""
    lost = set(bad)
    return [
        BulkRow(
            uuid4(),
            {"name": f"Row {at}", "parentaccountid": RowRef("account", uuid4()) if at in lost else None},
        )
        for at in range(many)
    ]


def failed(outcomes: tuple[SyncError | None, ...]) -> dict[int, SyncError]:
    return {at: each for at, each in enumerate(outcomes) if each is not None}


async def test_good_rows_cost_a_request_per_batch_and_a_repeat_changes_nothing(service: Service) -> None:
    rows = batch(250)

    first = await service.bulk(100).upsert(ACCOUNT, rows)
    requests = await service.requests()
    second = await service.bulk(100).upsert(ACCOUNT, rows)

    assert (first, second, requests) == ((None,) * 250, (None,) * 250, 3)
    row = await service.rows.read(ACCOUNT, rows[249].id)
    assert row is not None
    assert row.values["name"] == "Row 249"


@pytest.mark.parametrize(
    ("many", "size", "bad", "requests"),
    [
        # Whole, then down to the one: a good first half leaves the fault to the second unasked.
        (8, 8, [0], 1 + 2 + 2 + 2),
        (8, 8, [7], 1 + 1 + 1 + 2),
        (8, 8, [0, 7], 1 + 2 + (2 + 2) + (1 + 2)),
        (128, 64, [0], 2 + 2 * 6),
        (128, 64, [127], 2 + 6 + 1),
        (200, 100, [3, 120, 199], 31),
        (16, 16, range(16), 16 + 8 + 4 + 2 + 1),
        (5, 1, [2], 5),
    ],
)
async def test_bad_rows_are_found_in_so_many_requests_and_the_others_are_written(
    service: Service, many: int, size: int, bad: Iterable[int], requests: int
) -> None:
    rows, lost = batch(many, bad), set(bad)

    outcomes = failed(await service.bulk(size).upsert(ACCOUNT, rows))
    asked = await service.requests()

    assert outcomes.keys() == lost
    for failure in outcomes.values():
        assert isinstance(failure, Refused)
        assert (failure.code, failure.field) == (Code.VALUE_UNKNOWN_REFERENCE, "parentaccountid")
    assert asked == requests
    assert asked <= math.ceil(many / size) + len(lost) * (2 * math.log2(size)) + len(lost)
    there = {at for at, row in enumerate(rows) if await service.rows.read(ACCOUNT, row.id) is not None}
    assert there == set(range(many)) - lost


async def test_a_row_that_was_refused_goes_alone_until_it_is_taken(service: Service) -> None:
    bulk, rows = service.bulk(64), batch(128, [3, 70])
    await bulk.upsert(ACCOUNT, rows)
    await service.requests()

    again = failed(await bulk.upsert(ACCOUNT, rows))
    assert (set(again), await service.requests()) == ({3, 70}, 2 + 2)

    mended = [BulkRow(row.id, {"name": "Mended"}) for row in rows]
    await service.trouble(code="0x80072322")
    assert failed(await bulk.upsert(ACCOUNT, mended[3:4])).keys() == {0}, "a pause says nothing about the row"
    await service.requests()
    assert failed(await bulk.upsert(ACCOUNT, mended)) == {}
    assert await service.requests() == 2 + 2
    assert failed(await bulk.upsert(ACCOUNT, mended)) == {}
    assert await service.requests() == 2


async def test_two_rows_with_one_id_are_refused_before_anything_is_sent(service: Service) -> None:
    row = batch(1)[0]

    with pytest.raises(ValueError, match=r"^two rows of account have one id$"):
        await service.bulk(10).upsert(ACCOUNT, [row, *batch(3), row])

    assert await service.requests() == 0


async def test_what_cannot_fit_its_column_is_told_by_column_and_never_sent(service: Service) -> None:
    good, bad = (
        batch(2),
        BulkRow(
            uuid4(),
            {
                "name": "Secret" * 100,
                "numberofemployees": -1,
                "customertypecode": Option(4711),
                "parentaccountid": RowRef("contact", uuid4()),
            },
        ),
    )

    outcomes = await service.bulk(10).upsert(ACCOUNT, [good[0], bad, good[1]])

    assert await service.requests() == 1
    assert outcomes[0] is outcomes[2] is None
    assert isinstance(outcomes[1], InvalidMessage)
    assert [(fault.field, fault.code) for fault in outcomes[1].faults] == [
        ("name", Code.VALUE_TOO_LONG),
        ("numberofemployees", Code.VALUE_OUT_OF_RANGE),
        ("customertypecode", Code.VALUE_NO_OPTION),
        ("parentaccountid", Code.VALUE_UNKNOWN_REFERENCE),
    ]
    assert "Secret" not in str(outcomes[1])


@pytest.mark.parametrize(
    ("fault", "kind"),
    [({"code": "0x80044151"}, Unavailable), ({"code": "0x80072322"}, Throttled), ({"status": 403}, Refused)],
)
async def test_what_is_not_about_a_row_is_not_searched_for(
    service: Service, fault: dict[str, object], kind: type[SyncError]
) -> None:
    await service.trouble(**fault)

    outcomes = await service.bulk(8).upsert(ACCOUNT, batch(8))

    assert [type(each) for each in outcomes] == [kind] * 8
    assert await service.requests() == 1


async def test_after_a_time_out_requests_are_half_as_large_and_grow_again(service: Service) -> None:
    bulk = service.bulk(8)
    await service.trouble(code="0x80044151")

    await bulk.upsert(ACCOUNT, batch(8))
    assert await service.requests() == 1
    await bulk.upsert(ACCOUNT, batch(12))
    assert await service.requests() == 2
    await bulk.upsert(ACCOUNT, batch(8))
    assert await service.requests() == 1
