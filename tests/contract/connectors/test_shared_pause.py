"""Instances under one identity at Dataverse: what one of them is refused, none of them sends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import event

from mappers.dataverse import account
from shared.connectors.credentials.secret import FixedSecret
from shared.connectors.dataverse.gathered import GatheredRows
from shared.connectors.dataverse.rows import API
from shared.connectors.memory.clock import SettableClock
from shared.connectors.memory.telemetry import MemoryTelemetry
from shared.connectors.sqlstore import Store, open_store
from shared.connectors.web.client import WebClient
from shared.connectors.web.pause import Pause
from shared.connectors.web.shared_pause import SharedPause
from shared.core.errors import Throttled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from local.dataverse.server import Simulator

ACCOUNT = account.TABLE


@dataclass
class Instance:
    """What one process has of its own: its store, its client, its writer."""

    store: Store
    client: WebClient
    rows: GatheredRows

    async def write(self, many: int) -> list[str]:
        """So many writes at once, and what became of each."""
        ids = [uuid4() for _ in range(many)]
        writes = (self.rows.create(ACCOUNT, each, {"name": "A"}) for each in ids)
        ended = await asyncio.gather(*writes, return_exceptions=True)
        return [str(end) if isinstance(end, Throttled) else type(end).__name__ for end in ended]

    def statements(self) -> list[str]:
        """A list that fills with every SQL statement from now on."""
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith("BEGIN"):
                seen.append(statement.partition(" ")[0])

        event.listen(self.store.engine, "before_cursor_execute", note)
        return seen


@dataclass
class Deployment:
    """Instances over one state, on one time that the tests move, and the organisation they write to."""

    simulator: Simulator
    url: str
    admin: httpx.AsyncClient
    clock: SettableClock = field(default_factory=SettableClock)
    telemetry: MemoryTelemetry = field(default_factory=MemoryTelemetry)
    instances: list[Instance] = field(default_factory=list)

    def instance(self) -> Instance:
        store = open_store(self.url, self.clock)
        shared = SharedPause(store.pauses, "Dataverse", self.clock, self.telemetry, monotonic=self.monotonic)
        pause = Pause(shared=shared, monotonic=self.monotonic)
        base = f"{self.simulator.http_url}/{API}"
        client = WebClient("Dataverse", base, FixedSecret("a-token"), pause=pause)
        self.instances.append(Instance(store, client, GatheredRows(client, in_flight=2, batch_size=5)))
        return self.instances[-1]

    def monotonic(self) -> float:
        return self.clock.now().timestamp()

    def time_passes(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    async def limit(self, **limits: object) -> None:
        (await self.admin.put("limits", json=limits)).raise_for_status()

    async def trouble(self, **fault: object) -> None:
        (await self.admin.post("faults", json=fault)).raise_for_status()

    async def asked(self) -> int:
        """How many requests the organisation has got since the last time."""
        counted: dict[str, Any] = (await self.admin.get("requests")).json()
        (await self.admin.delete("requests")).raise_for_status()
        return int(counted["requests"])


@pytest.fixture
async def deployment(simulator: Simulator, tmp_path: Path) -> AsyncIterator[Deployment]:
    async with httpx.AsyncClient(base_url=f"{simulator.http_url}/admin/") as admin:
        deployment = Deployment(simulator, f"sqlite:///{tmp_path / 'state.db'}", admin)
        yield deployment
        for instance in deployment.instances:
            await instance.client.aclose()
            instance.store.close()


async def test_after_one_is_refused_the_other_sends_nothing_until_the_pause_is_over(
    deployment: Deployment,
) -> None:
    one, other = deployment.instance(), deployment.instance()
    await deployment.limit(enabled=True, requests=4)
    assert await one.write(1) + await other.write(1) == ["Row", "Row"]
    deployment.time_passes(1)
    assert any("0x80072322" in end for end in await one.write(10))
    assert await deployment.asked() > 4

    until = await other.store.pauses.until("Dataverse")
    assert until is not None
    late = deployment.instance()
    for _ in range(4):
        for each in (one, other, late):
            assert await each.write(3) == ["Dataverse asked us to pause"] * 3
            with pytest.raises(Throttled):
                await each.rows.read(ACCOUNT, UUID(int=1))
        deployment.clock.advance((until - deployment.clock.now()) / 2)
    assert await deployment.asked() == 0

    deployment.clock.set(until)
    await deployment.limit(enabled=False)
    for each in (one, other, late):
        assert await each.write(3) == ["Row"] * 3
        assert await deployment.asked() > 0
    assert deployment.telemetry.told == []


@pytest.mark.parametrize("in_batch", [False, True])
async def test_a_refusal_inside_a_batch_counts_for_everybody_too(
    deployment: Deployment, *, in_batch: bool
) -> None:
    one, other = deployment.instance(), deployment.instance()
    await deployment.trouble(code="0x80072321", retry_after=60, in_batch=in_batch)

    await one.write(8)

    assert await other.write(2) == ["Dataverse asked us to pause"] * 2


async def test_a_pause_costs_a_look_a_second_while_something_is_sent_and_no_statement_per_write(
    deployment: Deployment,
) -> None:
    instance = deployment.instance()
    seen = instance.statements()
    for _ in range(4):
        await instance.write(25)
        deployment.time_passes(0.25)
    assert seen == ["SELECT"]

    deployment.time_passes(3600)
    assert seen == ["SELECT"]
    await instance.write(25)
    assert seen == ["SELECT"] * 2


async def test_a_refusal_costs_a_few_statements_however_many_writes_it_stops(deployment: Deployment) -> None:
    instance = deployment.instance()
    await deployment.trouble(code="0x80072322", retry_after=60, times=20)
    seen = instance.statements()

    await instance.write(100)

    assert seen == ["SELECT", "UPDATE", "SELECT", "INSERT"]


async def test_without_the_state_an_instance_keeps_its_own_pause_and_writes_on(
    deployment: Deployment,
) -> None:
    one, other = deployment.instance(), deployment.instance()
    with one.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE identity_pause RENAME TO gone")

    assert await one.write(3) == ["Row"] * 3
    await deployment.trouble(code="0x80072322", retry_after=60)
    await one.write(1)
    assert await one.write(1) == ["Dataverse asked us to pause"]
    assert await other.write(1) == ["Row"]

    assert {(told.name, told.error) for told in deployment.telemetry.told} == {
        ("tandem.pause_not_shared", True)
    }
