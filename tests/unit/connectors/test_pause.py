"""After a 429 everybody waits, but not for ever."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.connectors.web.pause import Pause, retry_after
from shared.core.errors import Throttled


class Time:
    """A monotonic clock that only sleeping moves."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def pause(time: Time) -> Pause:
    return Pause(monotonic=time.monotonic, sleep=time.sleep)


async def test_nobody_waits_without_a_pause(pause: Pause, time: Time) -> None:
    await pause.wait("Dataverse")

    assert time.slept == []
    assert pause.remaining == timedelta(0)


async def test_a_call_waits_for_what_is_left_of_the_pause(pause: Pause, time: Time) -> None:
    await pause.begin(timedelta(seconds=4))
    time.at += 1

    await pause.wait("Dataverse")

    assert time.slept == [3.0]


async def test_a_pause_longer_than_the_patience_is_not_sat_out(pause: Pause, time: Time) -> None:
    await pause.begin(timedelta(seconds=30))
    time.at += 10

    with pytest.raises(Throttled, match=r"^Dataverse asked us to pause$") as throttled:
        await pause.wait("Dataverse")

    assert throttled.value.retry_after == timedelta(seconds=20)
    assert time.slept == []


async def test_a_pause_that_grows_while_a_call_waits_does_not_hold_it_for_ever(
    pause: Pause, time: Time
) -> None:
    await pause.begin(timedelta(seconds=4))

    async def sleep(seconds: float) -> None:
        await time.sleep(seconds)
        await pause.begin(timedelta(seconds=4))

    pause._sleep = sleep
    with pytest.raises(Throttled):
        await pause.wait("Dataverse")


async def test_no_pause_is_longer_than_the_longest(pause: Pause) -> None:
    await pause.begin(timedelta(days=1))

    assert pause.remaining == timedelta(minutes=5)


async def test_a_shorter_answer_does_not_shorten_the_pause(pause: Pause) -> None:
    await pause.begin(timedelta(seconds=30))
    await pause.begin(timedelta(seconds=1))

    assert pause.remaining == timedelta(seconds=30)


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        (None, None),
        ("17", timedelta(seconds=17)),
        ("0.5", timedelta(seconds=0.5)),
        ("-3", timedelta(0)),
        ("Sat, 31 Jan 2026 10:12:12 GMT", timedelta(minutes=1)),
        ("Sat, 31 Jan 2026 10:00:00 GMT", timedelta(0)),
        ("soon", None),
        ("", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(header: str | None, asked: timedelta | None) -> None:
    assert retry_after(header, datetime(2026, 1, 31, 10, 11, 12, tzinfo=UTC)) == asked
