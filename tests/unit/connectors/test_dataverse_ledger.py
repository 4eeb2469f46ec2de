"""The ledger keeps one identity below the service protection limits, and is out of the way until then."""

import heapq
from dataclasses import dataclass, field

import pytest

from shared.connectors.dataverse.ledger import Allowance, Entry, Ledger
from shared.core.priority import Priority

# A tenth of what the service grants, in a tenth of its window: the same rates.
GRANTED = Allowance(requests=600, seconds=120, window=30)
LONG = 150.0


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

    traffic = run(ledger, time, took=1.0, slots=40, operations=10, until=900)

    assert most_in_a_window(traffic.ended, 300) <= 0.97 * 1200
    assert sum(took for _, took in traffic.ended) / 900 >= 0.96 * 4


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


def test_live_traffic_finds_room_however_much_a_load_wants(ledger: Ledger, time: Time) -> None:
    waits, loads, live_at = [], 0, time.at + 60
    stop = time.at + 200
    while time.at < stop:
        if time.at >= live_at:
            arrived = time.at
            while (wait := ledger.delay(1, Priority.LIVE)) > 0:
                time.at += wait
            ledger.end(ledger.begin())
            waits.append(time.at - arrived)
            live_at += 0.5
        elif (wait := ledger.delay(1, Priority.LOAD)) > 0:
            time.at = min(time.at + wait, live_at)
        else:
            ledger.end(ledger.begin())
            loads += 1

    assert max(waits) <= 0.1
    # The load gets what it may have beside them: eight tenths of 20 a second, less the two of live traffic.
    assert loads / 200 >= 0.95 * (0.8 * 0.97 * 20 - 2)


def test_a_replay_goes_before_a_load_and_live_traffic_before_both(ledger: Ledger, time: Time) -> None:
    while ledger.delay(1, Priority.LOAD) < 1:
        time.at += ledger.delay(1, Priority.LOAD)
        ledger.end(ledger.begin())
        ledger.end(ledger.begin())

    delays = [ledger.delay(1, priority) for priority in Priority]

    assert delays == sorted(delays)
    assert delays[0] < delays[2]


def test_rows_of_a_bulk_request_and_operations_are_expected_to_take_their_own_time(time: Time) -> None:
    ledger = Ledger(Allowance(requests=1e9, seconds=10, window=10, calm=0), monotonic=time.monotonic)
    for operations, bulk, took in ((1, False, 0.12), (100, True, 0.9)):
        entry = ledger.begin(operations, bulk=bulk)
        time.at += took
        ledger.end(entry)

    assert ledger.begin(10).expected == pytest.approx(1.2)
    assert ledger.begin(100, bulk=True).expected == pytest.approx(0.9)
