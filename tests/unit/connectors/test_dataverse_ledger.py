"""The ledger keeps one identity below the service protection limits, and is out of the way until then."""

import heapq
from dataclasses import dataclass, field

import pytest

from shared.connectors.dataverse.ledger import Allowance, Entry, Ledger

# A tenth of what the service grants, in a tenth of its window: the same rates.
GRANTED = Allowance(requests=600, seconds=120, window=30)
LONG = 400.0


@dataclass
class Time:
    """A monotonic clock that only sleeping moves."""

    at: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@dataclass
class Traffic:
    """What was sent in a run: when each request began, and when it ended after how long."""

    began: list[float] = field(default_factory=list)
    ended: list[tuple[float, float]] = field(default_factory=list)
    longest_wait: float = 0.0


def run(ledger: Ledger, time: Time, *, took: float, slots: int, operations: int, until: float) -> Traffic:
    """As much as the ledger lets through, over so many slots, for so many seconds."""
    traffic, under_way = Traffic(), list[tuple[float, int, Entry]]()
    stop, last = time.at + until, time.at
    while time.at < stop:
        wait = ledger.delay(operations)
        ends = under_way[0][0] if under_way else float("inf")
        if len(under_way) >= slots or (wait > 0 and ends <= time.at + wait):
            time.at = ends
            ledger.end(heapq.heappop(under_way)[2])
            traffic.ended.append((time.at, took))
        elif wait > 0:
            time.at += wait
        else:
            traffic.longest_wait = max(traffic.longest_wait, time.at - last)
            last = time.at
            traffic.began.append(time.at)
            heapq.heappush(under_way, (time.at + took, len(traffic.began), ledger.begin(operations)))
    return traffic


def most_in_a_window(moments: list[tuple[float, float]], window: float) -> float:
    most = held = 0.0
    oldest = 0
    for at, amount in moments:
        held += amount
        while moments[oldest][0] <= at - window:
            held -= moments[oldest][1]
            oldest += 1
        most = max(most, held)
    return most


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def ledger(time: Time) -> Ledger:
    return Ledger(GRANTED, monotonic=time.monotonic, sleep=time.sleep)


@pytest.mark.parametrize("operations", [1, 10])
def test_the_requests_of_no_window_exceed_their_share_and_nearly_all_of_it_is_used(
    ledger: Ledger, time: Time, operations: int
) -> None:
    traffic = run(ledger, time, took=0.05, slots=40, operations=operations, until=LONG)

    most = most_in_a_window([(at, 1) for at in traffic.began], 30)
    assert most <= 0.97 * 600
    assert len(traffic.began) / LONG >= 0.96 * 20


def test_the_execution_seconds_of_no_window_exceed_their_share_and_nearly_all_of_it_is_used(
    time: Time,
) -> None:
    ledger = Ledger(monotonic=time.monotonic, sleep=time.sleep)

    traffic = run(ledger, time, took=1.0, slots=40, operations=10, until=1800)

    assert most_in_a_window(traffic.ended, 300) <= 0.97 * 1200
    assert sum(took for _, took in traffic.ended) / 1800 >= 0.96 * 4


def test_traffic_above_the_limit_becomes_slower_and_never_stops(ledger: Ledger, time: Time) -> None:
    traffic = run(ledger, time, took=0.05, slots=40, operations=1, until=LONG)

    assert traffic.longest_wait <= 0.5


async def test_nobody_waits_while_little_is_used(ledger: Ledger, time: Time) -> None:
    for _ in range(290):
        await ledger.turn()
        ledger.end(ledger.begin())

    assert time.slept == []
    assert ledger.is_calm


def test_steady_traffic_just_below_the_limit_does_not_wait(ledger: Ledger, time: Time) -> None:
    waits = []
    for _ in range(2_000):
        waits.append(ledger.delay())
        entry = ledger.begin()
        ledger.end(entry)
        time.at += 1 / 18

    assert set(waits) == {0.0}


async def test_who_has_to_wait_goes_on_by_himself(time: Time) -> None:
    ledger = Ledger(Allowance(requests=10, window=30), monotonic=time.monotonic, sleep=time.sleep)

    for _ in range(20):
        await ledger.turn()
        ledger.end(ledger.begin())

    # Five at once, the others over the thirty seconds that a window lasts, two windows and a half in all.
    assert 30 <= sum(time.slept) <= 65


def test_a_batch_counts_as_one_request_or_as_its_operations(time: Time) -> None:
    sent = {}
    for batch_is_one in (True, False):
        allowance = Allowance(batch_is_one=batch_is_one, calm=1.0)
        ledger = Ledger(allowance, monotonic=time.monotonic, sleep=time.sleep)
        requests = 0
        while ledger.delay(10) == 0:
            ledger.end(ledger.begin(10))
            requests += 1
        sent[batch_is_one] = requests

    assert sent == {True: 5820, False: 582}


def test_what_is_under_way_counts_before_it_has_ended(time: Time) -> None:
    ledger = Ledger(Allowance(seconds=10, window=100), monotonic=time.monotonic, sleep=time.sleep)
    first = ledger.begin()
    time.at += 2
    ledger.end(first)
    assert ledger.is_calm

    under_way = [ledger.begin() for _ in range(2)]

    assert not ledger.is_calm
    assert ledger.delay() > 0
    for entry in under_way:
        ledger.end(entry)
    time.at += 102
    assert (ledger.is_calm, ledger.delay()) == (True, 0.0)
