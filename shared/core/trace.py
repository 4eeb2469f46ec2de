"""Which operation is at work: the ids that tie what is told to the host's own telemetry (W3C trace context).

Said once, around the work, and known to everything awaited inside.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_CURRENT: ContextVar["Trace | None"] = ContextVar("tandem_trace", default=None)


@dataclass(frozen=True, slots=True)
class Trace:
    """An operation's trace id and the span that is at work in it, in hexadecimal."""

    trace_id: str
    span_id: str


def current_trace() -> Trace | None:
    """The operation at work in this task or thread, if any."""
    return _CURRENT.get()


@contextmanager
def traced(traceparent: str | None) -> Iterator[Trace | None]:
    """Work on behalf of a `traceparent`, as the Functions host gives it; one that is none leaves no trace."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    trace = Trace(match[1], match[2]) if match and int(match[1], 16) and int(match[2], 16) else None
    token = _CURRENT.set(trace)
    try:
        yield trace
    finally:
        _CURRENT.reset(token)
