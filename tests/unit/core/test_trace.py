"""How the operation at work is carried on by what it puts on a queue."""

import re
from uuid import uuid4

import pytest

from shared.core.change import Message
from shared.core.trace import carried_on, correlation_of, current_trace, operation, traced

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-00"
MESSAGE = Message(
    "m-1",
    "inbound",
    "allegory:company:C-1",
    b"{}",
    properties={"contentType": "application/json"},
    application_properties={"tandem-sender": "erp"},
)


def test_what_is_put_on_a_queue_names_the_operation_and_the_span_it_comes_from() -> None:
    with traced(PARENT):
        carried = carried_on(MESSAGE)

    assert carried.properties == {"contentType": "application/json", "correlationId": TRACE}
    assert carried.application_properties == {
        "tandem-sender": "erp",
        "traceparent": PARENT,
        "Diagnostic-Id": PARENT,
    }
    assert correlation_of(carried) == {"correlation_id": TRACE}


@pytest.mark.parametrize("parent", [None, "", "00-0-0-0", f"00-{'0' * 32}-{SPAN}-01", PARENT.upper()])
def test_outside_an_operation_nothing_is_added(parent: str | None) -> None:
    with traced(parent):
        assert carried_on(MESSAGE) is MESSAGE


def test_an_operation_goes_on_with_what_the_host_began() -> None:
    with operation(PARENT, uuid4) as trace:
        assert (trace.parent, current_trace()) == (PARENT, trace)


@pytest.mark.parametrize("parent", [None, "", "00-0-0-0", f"00-{'0' * 32}-{SPAN}-01"])
def test_where_the_host_began_none_every_operation_is_one_of_its_own(parent: str | None) -> None:
    seen = []
    for _ in range(2):
        with operation(parent, uuid4) as trace:
            assert current_trace() == trace
            seen.append(carried_on(MESSAGE).properties["correlationId"])
        assert current_trace() is None

    assert len({*seen}) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", str(trace_id)) for trace_id in seen)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("aedad95b-b055-5b1e-bc18-d733df045894", True),
        ("{AEDAD95B-B055-5B1E-BC18-D733DF045894}", True),
        (TRACE, True),
        ("call Annabel", False),
        ("c-1", False),
        (None, False),
    ],
)
def test_a_correlation_id_that_may_be_anything_is_not_told_to_machines(
    given: str | None, *, told: bool
) -> None:
    message = Message("m-1", "inbound", None, b"{}", properties={"correlationId": given})

    assert correlation_of(message) == ({"correlation_id": given} if told else {})
