"""Writes that are gathered: fewer requests, and for each caller the same answer as alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
import pytest

from mappers.dataverse import account
from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.dataverse.gathered import GatheredRows
from shared.connectors.dataverse.ledger import Allowance, Ledger
from shared.connectors.dataverse.rows import API, DataverseRows
from shared.connectors.web.client import WebClient
from shared.core.codes import Code
from shared.core.errors import Gone, MovedOn, Refused, SyncError, Throttled, Unavailable
from shared.core.mapping.references import RowRef
from shared.core.ports import Row, Rows

if TYPE_CHECKING:
    from local.dataverse.server import Simulator

ACCOUNT = account.TABLE


class Service:
    """The simulator with its administration, and rows of either kind over it."""

    def __init__(self, simulator: Simulator) -> None:
        self.admin = httpx.AsyncClient(base_url=f"{simulator.http_url}/admin/")
        self.client = WebClient("Dataverse", f"{simulator.http_url}/{API}", FixedSecret("a-token"))
        self.single = DataverseRows(self.client)

    def gathered(self, *, ledger: Ledger | None = None, size: int = 10, in_flight: int = 1) -> GatheredRows:
        """Over one slot unless told otherwise, so that what comes together goes together."""
        return GatheredRows(self.client, ledger=ledger, batch_size=size, in_flight=in_flight)

    async def put(self, what: str, **settings: object) -> None:
        (await self.admin.put(what, json=settings)).raise_for_status()

    async def trouble(self, **fault: object) -> None:
        (await self.admin.post("faults", json=fault)).raise_for_status()

    async def asked(self) -> dict[str, Any]:
        """What was asked since the last time: requests, and operations by method and set."""
        counted: dict[str, Any] = (await self.admin.get("requests")).json()
        (await self.admin.delete("requests")).raise_for_status()
        return counted

    async def accounts(self, many: int) -> dict[UUID, Row]:
        """So many rows, made one by one."""
        ids = [uuid4() for _ in range(many)]
        rows = [await self.single.create(ACCOUNT, each, {"name": f"Row {at}"}) for at, each in enumerate(ids)]
        return dict(zip(ids, rows, strict=True))


@pytest.fixture
async def service(simulator: Simulator) -> AsyncIterator[Service]:
    service = Service(simulator)
    # The simulator's own hint would widen the one slot.
    await service.put("limits", dop_hint=0)
    yield service
    await service.admin.aclose()
    await service.client.aclose()


async def started() -> None:
    """Let what was begun come as far as it comes without an answer: call, turn of the loop, request."""
    for _ in range(5):
        await asyncio.sleep(0)


async def outcome(write: Awaitable[Row | None]) -> object:
    """What a caller is told: a failure with everything it says, or the kind of row that came back."""
    try:
        row = await write
    except SyncError as failure:
        code = failure.answer if isinstance(failure, Refused) else None
        return type(failure), failure.code, failure.rule, failure.field, code
    return row if row is None else (row.values, row.version.startswith('W/"'))


async def mixed(rows: Rows, service: Service) -> list[object]:
    """One write of every fate, all at once."""
    known = await service.accounts(6)
    (fresh, stale, gone, gone_too, dangling, doomed) = known
    await service.single.update(ACCOUNT, stale, {"name": "A person's"}, known[stale].version)
    for each in (gone, gone_too):
        await service.single.delete(ACCOUNT, each, known[each].version)
    nowhere = RowRef("account", uuid4())
    writes: list[Callable[[], Awaitable[Row | None]]] = [
        lambda: rows.create(ACCOUNT, uuid4(), {"name": "New: \u2028 \x85 \n--batch_x"}),
        lambda: rows.create(ACCOUNT, fresh, {"name": "There already"}),
        lambda: rows.create(ACCOUNT, uuid4(), {"name": "Secret" * 100}),
        lambda: rows.update(ACCOUNT, stale, {"name": "Too late"}, known[stale].version),
        lambda: rows.update(ACCOUNT, gone, {"name": "Gone"}, known[gone].version),
        lambda: rows.update(ACCOUNT, dangling, {"parentaccountid": nowhere}, known[dangling].version),
        lambda: rows.delete(ACCOUNT, doomed, known[doomed].version),
        lambda: rows.delete(ACCOUNT, gone_too, known[gone_too].version),
    ]
    return list(await asyncio.gather(*(outcome(write()) for write in writes)))


async def test_each_caller_is_told_what_he_would_be_told_alone(service: Service) -> None:
    alone = await mixed(service.single, service)
    before = await service.asked()
    together = await mixed(service.gathered(), service)
    after = await service.asked()

    assert together == alone
    assert [each[0] if isinstance(each, tuple) else each for each in together] == [
        {},
        MovedOn,
        Refused,
        MovedOn,
        Gone,
        Refused,
        None,
        None,
    ]
    assert after["requests"] == before["requests"] - 8 + 1
    assert after["operations"] == before["operations"]


async def test_a_value_with_every_kind_of_line_end_arrives_as_it_was(service: Service) -> None:
    rows, ids = service.gathered(), [uuid4(), uuid4()]
    texts = ["a\u2028b\x85c\u2029d\ne", "--batch_\r\n\r\nPATCH / HTTP/1.1"]

    await asyncio.gather(
        *(rows.create(ACCOUNT, each, {"name": text}) for each, text in zip(ids, texts, strict=True))
    )

    kept = [await service.client.send("GET", f"accounts({each})") for each in ids]
    assert [each.json()["name"] for each in kept] == texts


async def test_a_lone_write_is_an_ordinary_request_and_a_read_is_one_too(service: Service) -> None:
    rows, row_id = service.gathered(in_flight=8), uuid4()

    made = await rows.create(ACCOUNT, row_id, {"name": "A"})
    changed = await rows.update(ACCOUNT, row_id, {"name": "B"}, made.version)
    read = await rows.read(ACCOUNT, row_id)
    await rows.delete(ACCOUNT, row_id, changed.version)

    asked = await service.asked()
    assert read is not None
    assert (read.values["name"], read.version) == ("B", changed.version)
    assert [(each["method"], each["status"]) for each in asked["recent"]] == [
        ("PATCH", 201),
        ("PATCH", 200),
        ("GET", 200),
        ("DELETE", 204),
    ]


async def test_what_has_gathered_while_the_slot_was_taken_is_the_next_batch(service: Service) -> None:
    await service.put("latency", write_ms=50)
    rows = service.gathered(size=10)
    first = asyncio.ensure_future(rows.create(ACCOUNT, uuid4(), {"name": "First"}))
    await started()

    await asyncio.gather(first, *(rows.create(ACCOUNT, uuid4(), {"name": "Next"}) for _ in range(23)))

    asked = await service.asked()
    assert asked["by_set"] == {"accounts": 1, "$batch": 3}
    assert asked["operations"] == {"PATCH accounts": 24}


async def test_over_free_slots_few_writes_go_side_by_side_and_many_fill_batches(service: Service) -> None:
    for writes, requests in ((8, {"accounts": 8}), (12, {"$batch": 4, "accounts": 4}), (80, {"$batch": 8})):
        rows = service.gathered(in_flight=8)
        await asyncio.gather(*(rows.create(ACCOUNT, uuid4(), {"name": "A"}) for _ in range(writes)))

        assert (await service.asked())["by_set"] == requests


async def test_no_two_writes_to_one_row_are_under_way_and_their_order_is_the_callers(
    service: Service,
) -> None:
    rows, row_id = service.gathered(in_flight=8), uuid4()
    made = await service.single.create(ACCOUNT, row_id, {"name": "A"})
    await service.asked()

    told = await asyncio.gather(
        *(outcome(rows.update(ACCOUNT, row_id, {"name": name}, made.version)) for name in "BCD")
    )

    asked = await service.asked()
    read = await service.single.read(ACCOUNT, row_id)
    assert [isinstance(each, tuple) and each[0] for each in told] == [{}, MovedOn, MovedOn]
    assert asked["by_set"] == {"accounts": 3}
    assert read is not None
    assert read.values["name"] == "B"


async def test_a_lost_answer_is_unavailable_for_each_and_a_repeat_harms_nobody(service: Service) -> None:
    rows, ids = service.gathered(), [uuid4() for _ in range(5)]
    await service.trouble(drop="after", path="$batch")

    def everyone() -> Awaitable[list[object]]:
        return asyncio.gather(*(outcome(rows.create(ACCOUNT, each, {"name": "Once"})) for each in ids))

    first, second = await everyone(), await everyone()

    assert first == [(Unavailable, Code.TARGET_UNAVAILABLE, "Dataverse cannot be reached", None, None)] * len(
        ids
    )
    assert [isinstance(each, tuple) and each[0] for each in second] == [MovedOn] * len(ids)


async def test_a_throttled_batch_pauses_everybody_once(service: Service) -> None:
    rows, loop = service.gathered(), asyncio.get_running_loop()
    await service.trouble(code="0x80072322", retry_after=1, path="$batch")

    failures = await asyncio.gather(
        *(rows.create(ACCOUNT, uuid4(), {"name": "A"}) for _ in range(5)), return_exceptions=True
    )
    started = loop.time()
    await asyncio.gather(*(rows.create(ACCOUNT, uuid4(), {"name": "A"}) for _ in range(5)))

    assert Counter(type(each) for each in failures) == {Throttled: 5}
    assert {each.retry_after.total_seconds() for each in failures if isinstance(each, Throttled)} == {1.0}  # type: ignore[union-attr]
    assert loop.time() - started >= 0.9
    assert (await service.asked())["requests"] == 2


async def test_an_operation_that_makes_the_whole_batch_unacceptable_fails_alone(service: Service) -> None:
    rows = service.gathered()
    await service.trouble(status=400, message="Cannot read this.", path="$batch")

    told = await asyncio.gather(
        outcome(rows.create(ACCOUNT, uuid4(), {"name": "A"})),
        outcome(rows.create(ACCOUNT, uuid4(), {"name": "B" * 500})),
        outcome(rows.create(ACCOUNT, uuid4(), {"name": "C"})),
    )

    assert [isinstance(each, tuple) and each[0] for each in told] == [{}, Refused, {}]
    assert (await service.asked())["by_set"] == {"$batch": 1, "accounts": 3}


@pytest.mark.parametrize("fault", [{"code": "0x80040220"}, {"status": 503}])
async def test_what_is_wrong_with_us_or_with_the_service_is_not_asked_for_each(
    service: Service, fault: dict[str, object]
) -> None:
    rows = service.gathered()
    await service.trouble(**fault, path="$batch")

    told = await asyncio.gather(*(outcome(rows.create(ACCOUNT, uuid4(), {"name": "A"})) for _ in range(4)))

    assert len(set(map(str, told))) == 1
    assert isinstance(told[0], tuple)
    assert told[0][1] is (Code.TARGET_UNAUTHORISED if "code" in fault else Code.TARGET_UNAVAILABLE)
    assert (await service.asked())["requests"] == 1


async def test_a_caller_who_gives_up_takes_nobody_along(service: Service) -> None:
    await service.put("latency", write_ms=50)
    rows, ids = service.gathered(), [uuid4() for _ in range(6)]
    first = asyncio.ensure_future(rows.create(ACCOUNT, ids[0], {"name": "A"}))
    await started()
    waiting = [asyncio.ensure_future(rows.create(ACCOUNT, each, {"name": "A"})) for each in ids[1:]]
    await started()
    for given_up in (first, waiting[0]):
        given_up.cancel()

    told = await asyncio.gather(first, *waiting, return_exceptions=True)

    assert [type(each) for each in told] == [asyncio.CancelledError] * 2 + [Row] * 4
    assert (await service.asked())["by_set"] == {"accounts": 1, "$batch": 1}
    there = [await service.single.read(ACCOUNT, each) is not None for each in ids]
    assert there == [True, False, True, True, True, True]


async def test_the_services_hint_says_how_many_requests_may_be_under_way(service: Service) -> None:
    await service.put("limits", dop_hint=2)
    rows = service.gathered(in_flight=8)
    await rows.create(ACCOUNT, uuid4(), {"name": "A"})
    await service.asked()

    await asyncio.gather(*(rows.create(ACCOUNT, uuid4(), {"name": "A"}) for _ in range(20)))

    assert (await service.asked())["by_set"] == {"$batch": 2}


async def test_beyond_half_of_the_window_writes_wait_gather_and_are_not_throttled(service: Service) -> None:
    await service.put("limits", enabled=True, requests=20, window_s=2, dop_hint=8)
    ledger = Ledger(Allowance(requests=20, window=2.2))
    rows = service.gathered(ledger=ledger, in_flight=8)

    for _ in range(12):
        await rows.create(ACCOUNT, uuid4(), {"name": "A"})
    await asyncio.gather(*(rows.create(ACCOUNT, uuid4(), {"name": "A"}) for _ in range(80)))

    asked = await service.asked()
    assert asked["by_set"] == {"accounts": 12, "$batch": 8}
    assert set(asked["by_status"]) == {"200", "201"}
