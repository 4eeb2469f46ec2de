"""Whoever is at work keeps the lease, and nobody else does."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from shared.core.heartbeat import kept_alive
from shared.core.ports import LeaseLost, StoreUnavailable
from shared.core.verdict import Lease

SHORT = Lease(UUID(int=1), "w", 7, timedelta(milliseconds=3))
LONG = Lease(UUID(int=1), "w", 7, timedelta(hours=1))


@dataclass
class Lanes:
    """Lanes that note each sign; some of them fail."""

    failures: list[Exception | None] = field(default_factory=list)
    signs: list[Lease] = field(default_factory=list)
    beats: asyncio.Queue[None] = field(default_factory=asyncio.Queue)

    async def keep(self, lease: Lease) -> None:
        self.signs.append(lease)
        self.beats.put_nowait(None)
        if self.failures and (failure := self.failures.pop(0)) is not None:
            raise failure

    async def given(self, count: int) -> None:
        """Wait for so many signs more."""
        for _ in range(count):
            await self.beats.get()


async def test_work_that_lasts_gives_one_sign_after_the_other() -> None:
    lanes = Lanes()

    with kept_alive(lanes, SHORT):
        await lanes.given(5)

    assert lanes.signs[:5] == [SHORT] * 5


async def test_work_that_is_quickly_done_gives_none() -> None:
    lanes = Lanes()

    with kept_alive(lanes, LONG):
        await asyncio.sleep(0)

    assert lanes.signs == []


@pytest.mark.parametrize("error", [None, RuntimeError("it failed")])
async def test_no_sign_is_given_once_the_work_is_over(error: Exception | None) -> None:
    lanes = Lanes()
    with suppress(RuntimeError), kept_alive(lanes, SHORT):
        await lanes.given(2)
        if error is not None:
            raise error
    signs = len(lanes.signs)

    running = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*running, return_exceptions=True)

    assert [task.cancelled() for task in running] == [True]
    assert len(lanes.signs) == signs


async def test_a_state_out_of_reach_costs_one_sign_and_not_the_lease() -> None:
    lanes = Lanes([StoreUnavailable("away"), None, StoreUnavailable("away")])

    with kept_alive(lanes, SHORT):
        await lanes.given(4)

    assert len(lanes.signs) >= 4


async def test_a_lease_that_is_lost_gets_no_more_signs() -> None:
    lanes = Lanes([None, LeaseLost()])

    with kept_alive(lanes, SHORT):
        await lanes.given(1)
        (beating,) = asyncio.all_tasks() - {asyncio.current_task()}
        await beating

    assert len(lanes.signs) == 2


async def test_what_hangs_for_longer_than_a_function_may_run_gets_no_more_signs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    sleep = asyncio.sleep

    async def at_once(seconds: float) -> None:
        slept.append(seconds)
        await sleep(0)

    lanes = Lanes()
    lease = Lease(UUID(int=1), "w", 7, timedelta(seconds=0.03))
    monkeypatch.setattr("shared.core.heartbeat._LONGEST", timedelta(seconds=0.05))
    with kept_alive(lanes, lease):
        await lanes.given(1)
        (beating,) = asyncio.all_tasks() - {asyncio.current_task()}
        monkeypatch.setattr(asyncio, "sleep", at_once)
        await beating

    assert len(lanes.signs) == 5
