"""Which operation is at work: the ids that tie what is told to the host's own telemetry (W3C trace context).

Said once, around the work, and known to everything awaited inside. What is put on a queue carries it on.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from uuid import UUID

from shared.core.change import Message

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_AN_ID = re.compile(r"\{?[0-9A-Fa-f-]{32,36}\}?")
_PARENTS = ("traceparent", "Diagnostic-Id")
_CURRENT: ContextVar["Trace | None"] = ContextVar("tandem_trace", default=None)


@dataclass(frozen=True, slots=True)
class Trace:
    """An operation's trace id, the span that is at work in it and the flags, in hexadecimal."""

    trace_id: str
    span_id: str
    flags: str = "01"

    @property
    def parent(self) -> str:
        """The `traceparent` of what this span causes elsewhere."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def current_trace() -> Trace | None:
    """The operation at work in this task or thread, if any."""
    return _CURRENT.get()


@contextmanager
def traced(traceparent: str | None) -> Iterator[Trace | None]:
    """Work on behalf of a `traceparent`, as the Functions host gives it; one that is none leaves no trace."""
    match = _TRACEPARENT.fullmatch(traceparent or "")
    trace = Trace(match[1], match[2], match[3]) if match and int(match[1], 16) and int(match[2], 16) else None
    token = _CURRENT.set(trace)
    try:
        yield trace
    finally:
        _CURRENT.reset(token)


@contextmanager
def operation(traceparent: str | None, new_id: Callable[[], UUID]) -> Iterator[Trace]:
    """The same as an operation in any case: where the host began none, one of its own begins."""
    with traced(traceparent) as given:
        if given is not None:
            yield given
            return
    own = Trace(new_id().hex, new_id().hex[:16])
    with traced(own.parent):
        yield own


def carried_on(message: Message) -> Message:
    """A new message that goes on with the operation at work, where there is one.

    The trace id is its correlation id, which is kept with it and its decision; whoever receives it finds the
    span it comes from under both names that Azure's own clients give it.
    """
    trace = current_trace()
    if trace is None:
        return message
    parents = dict.fromkeys(_PARENTS, trace.parent)
    return replace(
        message,
        properties={**message.properties, "correlationId": trace.trace_id},
        application_properties={**message.application_properties, **parents},
    )


def correlation_of(message: Message) -> dict[str, str]:
    """The correlation id of a message, for telemetry; one that is no id in hexadecimal may be anything."""
    given = message.properties.get("correlationId")
    return {"correlation_id": given} if isinstance(given, str) and _AN_ID.fullmatch(given) else {}
