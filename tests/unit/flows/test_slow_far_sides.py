"""A far side may take longer than a lease lasts: the worker that waits for it is not overtaken."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from shared.connectors.sqlstore.lanes import SqlLanes
from shared.core.identity import RecordKey, chosen_row_id
from shared.core.outcome import Outcome
from shared.core.ports import StoreUnavailable

if TYPE_CHECKING:
    from shared.core.mapping.columns import Table, Value
    from shared.core.ports import Row
    from shared.core.verdict import Lease
    from tests.unit.flows.conftest import Desk

LEASE = timedelta(milliseconds=30)
RECORD = chosen_row_id(RecordKey("allegory", "company", "C-1"))


@pytest.fixture
def brief(desk: "Desk") -> "Desk":
    """A desk whose lanes are kept for a moment only."""
    lanes = replace(desk.store.lanes, lease=LEASE)
    worker = replace(desk.gate.worker, lanes=lanes)
    inbox = replace(desk.store.inbox, take=lanes.take)
    return replace(desk, gate=replace(desk.gate, worker=worker, inbox=inbox))


async def test_it_is_waited_for_by_one_worker_alone(brief: "Desk", monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the others would begin anew, and be overtaken in its turn."""
    create, calls = brief.rows.create, list[UUID]()
    keep, sign = SqlLanes.keep, asyncio.Event()

    async def noted(lanes: SqlLanes, lease: "Lease") -> None:
        await keep(lanes, lease)
        sign.set()

    async def takes_long(table: "Table", row_id: UUID, values: Mapping[str, "Value"]) -> "Row":
        calls.append(row_id)
        for _ in range(5):
            brief.clock.advance(LEASE * 0.9)
            sign.clear()
            async with asyncio.timeout(10):
                await sign.wait()
            await brief.gate.worker.drain(RECORD)
        return await create(table, row_id, values)

    monkeypatch.setattr(brief.rows, "create", takes_long)
    monkeypatch.setattr(SqlLanes, "keep", noted)
    told = await brief.record_changed("C-1", brief.records.put("company", "C-1", {"name": "Nord"}).fields)

    assert (told, calls) == (Outcome.APPLIED, [RECORD])


async def test_a_state_out_of_reach_leaves_the_lane_to_whoever_gets_the_message_again(
    desk: "Desk", monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = desk.records.put("company", "C-1", {"name": "Nord"}).fields

    async def away(*_: object) -> None:
        raise StoreUnavailable("out of reach")

    with monkeypatch.context() as patch:
        patch.setattr(type(desk.store.lanes), "settle", away)
        with pytest.raises(StoreUnavailable):
            await desk.record_changed("C-1", fields)

    await desk.gate.worker.drain(RECORD)

    found = await desk.store.operations.messages.find("m-1")
    assert found is not None
    assert found["outcome"] == Outcome.APPLIED
