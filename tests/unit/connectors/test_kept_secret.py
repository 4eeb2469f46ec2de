"""A secret is fetched when it is needed, and no more often."""

import asyncio
import threading
from datetime import timedelta

import pytest

from shared.connectors.credentials.secret import FixedSecret, Held, KeptSecret
from shared.connectors.memory.clock import SettableClock
from shared.core.errors import SyncError, Unavailable


class Source:
    """Gives "1", "2", ... each good for ten minutes and usable for twenty; or fails."""

    def __init__(self, clock: SettableClock) -> None:
        self.clock = clock
        self.calls: list[bool] = []
        self.error: SyncError | None = None
        self.open = threading.Event()
        self.open.set()

    def __call__(self, renew: bool) -> Held:  # noqa: FBT001  # the signature of KeptSecret's source
        self.open.wait(5)
        self.calls.append(renew)
        if self.error is not None:
            raise self.error
        now = self.clock.now()
        return Held(str(len(self.calls)), now + timedelta(minutes=10), now + timedelta(minutes=20))


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def source(clock: SettableClock) -> Source:
    return Source(clock)


@pytest.fixture
def secret(clock: SettableClock, source: Source) -> KeptSecret:
    return KeptSecret(clock, source)


async def test_nothing_is_fetched_before_it_is_needed(secret: KeptSecret, source: Source) -> None:
    assert source.calls == []
    assert await secret.current() == "1"
    assert await secret.current() == "1"
    assert source.calls == [False]


async def test_many_callers_cause_one_fetch(secret: KeptSecret, source: Source) -> None:
    source.open.clear()
    asking = [asyncio.create_task(secret.current()) for _ in range(10)]
    await asyncio.sleep(0)
    source.open.set()

    assert await asyncio.gather(*asking) == ["1"] * 10
    assert source.calls == [False]


async def test_many_refusals_of_one_value_cause_one_renewal(secret: KeptSecret, source: Source) -> None:
    old = await secret.current()
    source.open.clear()
    asking = [asyncio.create_task(secret.renewed(old)) for _ in range(10)]
    await asyncio.sleep(0)
    source.open.set()

    assert await asyncio.gather(*asking) == ["2"] * 10
    assert source.calls == [False, True]


async def test_an_old_value_is_fetched_again(secret: KeptSecret, clock: SettableClock) -> None:
    await secret.current()
    clock.advance(timedelta(minutes=10))

    assert await secret.current() == "2"


async def test_an_unreachable_source_leaves_a_usable_value_and_is_spared(
    secret: KeptSecret, clock: SettableClock, source: Source
) -> None:
    await secret.current()
    source.error = Unavailable("a bad day")
    clock.advance(timedelta(minutes=11))

    assert [await secret.current() for _ in range(3)] == ["1", "1", "1"]
    assert len(source.calls) == 2
    clock.advance(timedelta(minutes=10))
    with pytest.raises(Unavailable):
        await secret.current()


async def test_a_refused_value_is_not_offered_again_when_the_source_is_unreachable(
    secret: KeptSecret, source: Source
) -> None:
    old = await secret.current()
    source.error = Unavailable("a bad day")

    with pytest.raises(Unavailable):
        await secret.renewed(old)


async def test_no_secret_shows_itself_when_printed() -> None:
    clock = SettableClock()

    assert "hidden" not in repr(Held("hidden", clock.now()))
    assert "hidden" not in repr(FixedSecret("hidden"))


async def test_a_fixed_secret_stays_what_it_is() -> None:
    assert await FixedSecret("k").current() == await FixedSecret("k").renewed("k") == "k"
