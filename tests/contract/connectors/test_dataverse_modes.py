"""Rows written in bulk where one side alone writes them, and who goes first when not all can."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
import pytest

from mappers.dataverse import account, opportunity
from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.dataverse.bulk import BulkRow, BulkRows
from shared.connectors.dataverse.directory import DataverseDirectory
from shared.connectors.dataverse.gathered import GatheredRows
from shared.connectors.dataverse.mode import Modes
from shared.connectors.dataverse.rows import API, REQUEST_ID
from shared.connectors.dataverse.tracking import DataverseChanges
from shared.connectors.memory.clock import SettableClock
from shared.connectors.web.client import WebClient
from shared.core.codes import Code
from shared.core.errors import InvalidMessage, MovedOn, Refused, Throttled, Unavailable
from shared.core.mapping.columns import Option, Table, Value
from shared.core.mapping.references import DirectoryRef, RowRef
from shared.core.priority import Priority, current_priority, working_as

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from local.dataverse.server import Simulator
    from shared.core.ports import Row

ACCOUNT, OPPORTUNITY = account.TABLE, opportunity.TABLE
BULK = Modes(bulk={"account", "opportunity"})


class Service:
    def __init__(self, simulator: Simulator) -> None:
        self.admin = httpx.AsyncClient(base_url=f"{simulator.http_url}/admin/")
        url = f"{simulator.http_url}/{API}"
        self.client = WebClient("Dataverse", url, FixedSecret("a-token"), request_id_header=REQUEST_ID)

    def rows(self, modes: Modes = BULK, *, in_flight: int = 1, batch_size: int = 10) -> GatheredRows:
        return GatheredRows(self.client, modes=modes, in_flight=in_flight, batch_size=batch_size)

    async def trouble(self, **fault: object) -> None:
        (await self.admin.post("faults", json=fault)).raise_for_status()

    async def asked(self) -> list[str]:
        """The requests since the last time, in order: method and path, without the row."""
        counted: dict[str, Any] = (await self.admin.get("requests")).json()
        (await self.admin.delete("requests")).raise_for_status()
        paths = (f"{one['method']} {one['path'].partition('(')[0]}" for one in counted["recent"])
        return [path.replace("/Microsoft.Dynamics.CRM.", ".") for path in paths]


@pytest.fixture
async def service(simulator: Simulator) -> AsyncIterator[Service]:
    service = Service(simulator)
    # The simulator's own hint would widen the one slot.
    (await service.admin.put("limits", json={"dop_hint": 0})).raise_for_status()
    yield service
    await service.admin.aclose()
    await service.client.aclose()


async def started() -> None:
    """Let what was begun come as far as it comes without an answer: call, turn of the loop, request."""
    for _ in range(5):
        await asyncio.sleep(0)


async def created(rows: GatheredRows, many: int) -> dict[UUID, Row]:
    ids = [uuid4() for _ in range(many)]
    made = await asyncio.gather(*(rows.create(ACCOUNT, each, {"name": "A"}) for each in ids))
    return dict(zip(ids, made, strict=True))


async def fate(write: Awaitable[Row]) -> object:
    try:
        row = await write
    except (InvalidMessage, Refused) as failure:
        return type(failure), failure.code, failure.field
    return row.values, row.version


async def test_rows_of_a_bulk_table_travel_as_one_request_and_need_no_version(service: Service) -> None:
    rows = service.rows(in_flight=1)

    made = await created(rows, 30)
    first = await service.asked()
    await asyncio.gather(*(rows.update(ACCOUNT, each, {"name": "B"}, 'W/"1"') for each in made))
    second = await service.asked()

    assert {row.version for row in made.values()} == {""}
    assert first == ["POST accounts.UpsertMultiple"]
    assert second == ["POST accounts.UpsertMultiple"]
    read = [await rows.read(ACCOUNT, each) for each in made]
    assert {row.values["name"] for row in read if row is not None} == {"B"}
    assert None not in read


async def test_each_row_of_a_bulk_request_has_its_own_outcome(service: Service) -> None:
    rows = service.rows()
    nowhere: dict[str, Value] = {"name": "C", "parentaccountid": RowRef("account", uuid4())}
    bodies: list[dict[str, Value]] = [{"name": "A"}, {"name": "x" * 500}, nowhere, {"name": "D"}]
    ids = [uuid4() for _ in bodies]

    fates = await asyncio.gather(
        *(fate(rows.create(ACCOUNT, each, body)) for each, body in zip(ids, bodies, strict=True))
    )

    assert fates == [
        ({}, ""),
        (InvalidMessage, Code.VALUE_TOO_LONG, "name"),
        (Refused, Code.VALUE_UNKNOWN_REFERENCE, "parentaccountid"),
        ({}, ""),
    ]
    there = [await rows.read(ACCOUNT, each) is not None for each in ids]
    assert there == [True, False, False, True]


async def accounts_are_ours(table: Table) -> bool:
    return table.name == "account"


@pytest.mark.parametrize(
    ("modes", "is_bulk"),
    [
        (Modes(), False),
        (Modes.said(""), False),
        (Modes.said(" contact , account "), True),
        (Modes(accounts_are_ours), True),
        (Modes.said("-account", accounts_are_ours), False),
        (Modes.said("account,-account"), False),
        (Modes.said("-contact", accounts_are_ours), True),
    ],
)
async def test_ownership_decides_unless_a_person_did_and_guarded_counts_more(
    service: Service, modes: Modes, *, is_bulk: bool
) -> None:
    rows, row_id = service.rows(modes), uuid4()

    made = await rows.create(ACCOUNT, row_id, {"name": "A"})

    assert await modes.is_bulk(ACCOUNT) is is_bulk
    assert (made.version == "") is is_bulk
    assert await service.asked() == ["POST accounts.UpsertMultiple" if is_bulk else "PATCH accounts"]


async def test_a_guarded_table_keeps_its_guard_beside_a_bulk_one(service: Service) -> None:
    rows, row_id = service.rows(Modes(bulk={"contact"})), uuid4()
    made = await rows.create(ACCOUNT, row_id, {"name": "A"})
    await rows.update(ACCOUNT, row_id, {"name": "B"}, made.version)

    with pytest.raises(MovedOn):
        await rows.update(ACCOUNT, row_id, {"name": "C"}, made.version)


async def test_a_change_of_state_and_a_locked_row_go_the_guarded_way(service: Service) -> None:
    rows, customer, row_id = service.rows(), uuid4(), uuid4()
    await rows.create(ACCOUNT, customer, {"name": "A"})
    values: dict[str, Value] = {"name": "Deal", "parentaccountid": RowRef("account", customer)}
    await rows.create(OPPORTUNITY, row_id, {**values, "statuscode": Option(3)})
    won = await rows.read(OPPORTUNITY, row_id)
    assert won is not None

    await rows.update(OPPORTUNITY, row_id, {"name": "Deal, late"}, won.version)

    late = await rows.read(OPPORTUNITY, row_id)
    assert late is not None
    assert (late.values["name"], late.values["statuscode"]) == ("Deal, late", 3)


async def test_a_table_without_the_message_is_asked_once_and_guarded_from_then_on(service: Service) -> None:
    rows = service.rows()
    await service.trouble(status=405, path="UpsertMultiple")

    await rows.create(ACCOUNT, uuid4(), {"name": "A"})
    await rows.create(ACCOUNT, uuid4(), {"name": "B"})

    assert await service.asked() == ["POST accounts.UpsertMultiple", "PATCH accounts", "PATCH accounts"]


async def test_two_writes_to_one_row_are_never_under_way_together(service: Service) -> None:
    rows, row_id = service.rows(in_flight=4), uuid4()

    await asyncio.gather(*(rows.update(ACCOUNT, row_id, {"name": f"{at}"}, "") for at in range(5)))

    assert await service.asked() == ["POST accounts.UpsertMultiple"] * 5
    row = await rows.read(ACCOUNT, row_id)
    assert row is not None
    assert row.values["name"] == "4"


async def test_a_lost_bulk_request_is_unavailable_for_each_and_is_not_sent_again(service: Service) -> None:
    rows = service.rows()
    await service.trouble(drop="after", path="UpsertMultiple")

    fates = await asyncio.gather(
        *(rows.create(ACCOUNT, uuid4(), {"name": "A"}) for _ in range(5)), return_exceptions=True
    )

    assert [type(each) for each in fates] == [Unavailable] * 5
    assert len({id(each) for each in fates}) == 5
    assert len(await service.asked()) == 1


async def test_live_goes_before_replays_and_these_before_loads_and_they_do_not_travel_together(
    service: Service,
) -> None:
    rows = service.rows(Modes(), in_flight=1)
    order: list[str] = []

    async def write(priority: Priority, name: str) -> None:
        with working_as(priority):
            await rows.create(ACCOUNT, uuid4(), {"name": name})
        order.append(name)

    begun = [asyncio.ensure_future(write(Priority.LOAD, "first"))]
    await started()
    for name, priority in (("load", Priority.LOAD), ("replay", Priority.REPLAY), ("live", Priority.LIVE)):
        begun += [asyncio.ensure_future(write(priority, name)) for _ in range(3)]
    await asyncio.gather(*begun)

    assert order == ["first", *["live"] * 3, *["replay"] * 3, *["load"] * 3]
    assert await service.asked() == ["PATCH accounts", *["POST $batch"] * 3]


async def test_a_load_leaves_the_last_slot_to_live_traffic(service: Service) -> None:
    rows = service.rows(Modes(), in_flight=3, batch_size=1)
    await service.trouble(latency_ms=300, method="PATCH", times=2)

    async def load() -> None:
        with working_as(Priority.LOAD):
            await rows.create(ACCOUNT, uuid4(), {"name": "Load"})

    loading = asyncio.gather(*(load() for _ in range(6)))
    await started()
    await rows.create(ACCOUNT, uuid4(), {"name": "Live"})

    assert not loading.done()
    await loading


async def test_a_load_in_the_way_of_a_live_write_to_the_same_row_becomes_live(service: Service) -> None:
    rows, row_id = service.rows(Modes(), in_flight=1), uuid4()
    order: list[str] = []

    async def write(priority: Priority, at: UUID, name: str) -> None:
        with working_as(priority):
            await rows.update(ACCOUNT, at, {"name": name}, "*")
        order.append(name)

    await rows.create(ACCOUNT, row_id, {"name": "A"})
    made = await created(rows, 2)
    other = list(made)
    await asyncio.gather(
        *(write(Priority.LOAD, each, "another load") for each in other),
        write(Priority.LOAD, row_id, "load in the way"),
        write(Priority.LIVE, row_id, "live"),
    )

    assert order.index("load in the way") < order.index("live") < order.index("another load")


def test_a_priority_ends_with_its_work() -> None:
    with working_as(Priority.LOAD):
        with working_as(Priority.LIVE):
            assert current_priority() is Priority.LIVE
        assert current_priority() is Priority.LOAD

    assert current_priority() is Priority.LIVE


async def in_a_batch(service: Service) -> None:
    rows = service.rows(Modes(), in_flight=1)
    results = await asyncio.gather(
        *(rows.create(ACCOUNT, uuid4(), {"name": "A"}) for _ in range(3)), return_exceptions=True
    )
    throttled = [each for each in results if isinstance(each, Throttled)]
    assert throttled
    raise throttled[0]


async def bulk(service: Service) -> None:
    (failure,) = await BulkRows(service.client).upsert(ACCOUNT, [BulkRow(uuid4(), {"name": "A"})])
    assert failure is not None
    raise failure


async def read(service: Service) -> None:
    await service.rows().read(ACCOUNT, uuid4())


async def track(service: Service) -> None:
    await DataverseChanges(service.client).changes(ACCOUNT, "")


async def look_up(service: Service) -> None:
    clock = SettableClock()
    directory = DataverseDirectory(service.client, service.rows(), {"account": ACCOUNT}, clock)
    await directory.find(DirectoryRef("account", "name", "Nobody", required=False))


CALLERS: dict[str, Callable[[Service], Awaitable[None]]] = {
    "batch": in_a_batch,
    "bulk": bulk,
    "read": read,
    "tracking": track,
    "directory": look_up,
}


@pytest.mark.parametrize(("who", "in_batch"), [*((who, False) for who in CALLERS), ("batch", True)], ids=str)
async def test_a_429_to_one_caller_of_the_identity_pauses_all_of_them(
    service: Service, who: str, *, in_batch: bool
) -> None:
    await service.trouble(code="0x80072321", retry_after=60, in_batch=in_batch)

    with pytest.raises(Throttled, match="0x80072321"):
        await CALLERS[who](service)
    await service.asked()

    for other in CALLERS.values():
        with pytest.raises(Throttled, match="asked us to pause"):
            await other(service)
    assert await service.asked() == []


async def test_an_error_keeps_the_services_id_of_its_request_and_else_ours(service: Service) -> None:
    seen: list[httpx.Response] = []
    send = service.client.send

    async def overheard(*args: Any, **named: Any) -> httpx.Response:
        seen.append(await send(*args, **named))
        return seen[-1]

    service.client.send = overheard  # type: ignore[method-assign]
    rows = service.rows(Modes())
    with pytest.raises(Refused) as refused:
        await rows.create(ACCOUNT, uuid4(), {"name": "x" * 500})
    await service.trouble(drop="before")
    with pytest.raises(Unavailable) as lost:
        await rows.read(ACCOUNT, uuid4())

    answer = seen[0]
    assert refused.value.request_id == answer.headers["x-ms-service-request-id"]
    # The simulator gives the sender's id back, as the service does.
    assert UUID(answer.headers["req_id"]) == UUID(answer.request.headers[REQUEST_ID])
    assert lost.value.request_id is not None
    assert UUID(lost.value.request_id)
