"""Service protection windows, faults and latencies without a network."""

import pytest

from local.dataverse.calls import Answer, Call
from local.dataverse.edge.latency import Latency
from local.dataverse.edge.limits import Limits, LimitSettings
from local.dataverse.errors import Refusal
from local.dataverse.faults import Faults, Sighting


def limits(**settings: float) -> Limits:
    made = Limits()
    made.settings = LimitSettings(enabled=True, **settings)  # type: ignore[arg-type]
    return made


def call(method: str = "GET", path: str = "accounts", body: bytes = b"") -> Call:
    return Call(method, path, {}, {}, body, "http://x/")


def refusal_of(window: Limits, user: str, now: float) -> tuple[str, str]:
    with pytest.raises(Refusal) as refused:
        window.enter(user, now)
    return refused.value.code, refused.value.headers["Retry-After"]


def test_requests_count_per_user_and_leave_the_window() -> None:
    window = limits(requests=2, window_s=10)
    for moment in (0.0, 4.0):
        window.enter("a", moment)
        window.leave("a", moment, 1)

    assert refusal_of(window, "a", 5.0) == ("0x80072322", "6")
    window.enter("b", 5.0)
    window.enter("a", 10.5)


def test_execution_time_is_refused_only_after_it_was_exceeded() -> None:
    window = limits(execution_ms=100, window_s=10)
    window.enter("a", 0)
    window.leave("a", 1, 100)
    window.enter("a", 2)
    window.leave("a", 2, 1)

    assert refusal_of(window, "a", 3) == ("0x80072321", "9")


def test_too_many_at_once_are_refused_at_once() -> None:
    window = limits(concurrency=1)
    window.enter("a", 0)

    assert refusal_of(window, "a", 0) == ("0x80072326", "1")
    window.leave("a", 1, 1)
    window.enter("a", 1)


def test_a_caller_who_does_not_wait_waits_longer() -> None:
    window = limits(requests=1, window_s=300)
    window.enter("a", 0)
    waits = [int(refusal_of(window, "a", 299)[1]) for _ in range(120)]

    assert (waits[0], waits[-1]) == (2, 4)


def test_a_factor_makes_the_window_pass_faster() -> None:
    window = limits(requests=1, window_s=300, clock_factor=100)
    window.enter("a", 0)

    assert refusal_of(window, "a", 1) == ("0x80072322", "3")
    window.enter("a", 3.1)


def test_faults_hit_in_order_and_only_what_they_name() -> None:
    faults = Faults()
    faults.add({"status": 503, "method": "POST", "times": 1})
    faults.add({"code": "0x80072322", "path": "contacts", "times": None})

    hit = [
        faults.take(each, Sighting())
        for each in (call(), call("POST"), call("POST"), call(path="Contacts(1)"))
    ]

    assert [fault.status if fault is not None else None for fault in hit] == [None, 503, None, None]
    assert hit[3] is not None
    refusal = hit[3].refusal()
    assert refusal is not None
    assert (refusal.status, refusal.code) == (429, "0x80072322")


def test_a_batch_costs_its_parts_and_a_bulk_action_its_rows() -> None:
    model = Latency(read_ms=1, write_ms=10, bulk_row_ms=2, batch_ms=5)
    batch = b"--b\r\n\r\nPOST a HTTP/1.1\r\n\r\n--b\r\n\r\nGET a HTTP/1.1\r\n"
    targets = b'{"Targets":[{"@odata.type":"x"},{"@odata.type":"x"}]}'

    costs = [
        model.of(each, Answer(200))
        for each in (
            call(),
            call("PATCH"),
            call("POST", "$batch", batch),
            call("POST", "accounts/Microsoft.Dynamics.CRM.UpsertMultiple", targets),
        )
    ]

    assert costs == [1, 10, 16, 14]
