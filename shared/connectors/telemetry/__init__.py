"""Where what happened is told to machines (E-11): Application Insights, a console, or nobody."""

import logging
from pathlib import Path
from typing import Protocol

from shared.connectors.telemetry.console import ConsoleTelemetry
from shared.connectors.telemetry.silence import SilentTelemetry
from shared.core.ports import Telemetry


class Backend(Telemetry, Protocol):
    """`Telemetry` as built here: it can be emptied and ended."""

    def flush(self, timeout: float) -> bool:
        """Wait until everything told so far was handed over, at most `timeout` seconds; whether it was."""
        ...

    def close(self) -> None:
        """Hand over what is left, for a bounded time, and stop."""
        ...


def telemetry_for(
    backend: str,
    connection_string: str = "",
    *,
    storage: Path | None = None,
    information_rate: float = 1.0,
    strict: bool = False,
) -> Backend:
    """The backend of that name: opencensus, console or none.

    `storage` is where batches wait that the far side did not take (default: the system's temporary folder);
    `information_rate` is the share of successes told, errors are always told; `strict` makes an undeclared
    dimension raise. Without a connection string nothing is exported. One that cannot be read is logged and
    answered by the console: telemetry must not keep the app from starting.
    """
    if backend == "none" or (backend == "opencensus" and not connection_string):
        return SilentTelemetry(strict=strict)
    if backend == "console":
        return ConsoleTelemetry(strict=strict)
    if backend != "opencensus":
        raise ValueError("a telemetry backend is opencensus, console or none")
    from shared.connectors.telemetry.insights import InsightsTelemetry  # noqa: PLC0415  # 41 ms others need not pay

    try:
        return InsightsTelemetry(
            connection_string, storage=storage, information_rate=information_rate, strict=strict
        )
    except ValueError:
        logging.getLogger(__name__).error("the telemetry connection string cannot be read; using the console")  # noqa: TRY400  # its text may quote the key
        return ConsoleTelemetry(strict=strict)
