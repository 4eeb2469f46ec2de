"""Telemetry as one line of JSON per event, for whoever looks at a console."""

import json
import sys
from collections.abc import Mapping
from typing import TextIO

from shared.connectors.telemetry.dimensions import admitted
from shared.core.trace import current_trace


class ConsoleTelemetry:
    """`Telemetry` onto a stream: standard error unless another is given, looked up at each event."""

    def __init__(self, stream: TextIO | None = None, *, strict: bool = False) -> None:
        self._stream = stream
        self._strict = strict

    def event(self, name: str, dimensions: Mapping[str, str], *, error: bool = False) -> None:
        """Write the event; a stream that cannot be written to is passed over."""
        told = admitted(dimensions, strict=self._strict)
        trace = current_trace()
        line = {"event": name, "level": "error" if error else "information", **told}
        if trace is not None:
            line["trace"] = trace.trace_id
        stream = self._stream or sys.stderr
        try:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        except (OSError, ValueError):
            return

    def flush(self, timeout: float) -> bool:  # noqa: ARG002  # the backend's parameter
        """Pass on what the stream buffers."""
        try:
            (self._stream or sys.stderr).flush()
        except (OSError, ValueError):
            return False
        return True

    def close(self) -> None:
        """Nothing to end: the stream is not ours."""
