"""The ids of the operation at work, as the exporter files them."""

import logging

from shared.core.trace import current_trace


class TraceIds(logging.Filter):
    """Gives a log record the ids under which the exporter files it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, with its ids."""
        trace = current_trace()
        if trace is not None:
            record.traceId = trace.trace_id
            record.spanId = trace.span_id
        return True
