"""Telemetry into Application Insights through opencensus-ext-azure.

That package is retired (ADR on telemetry); nothing outside this module knows it. An event becomes one trace
item: severity Information for a success, Error for a failure. Successes and failures have a queue and a
thread each, so that no flood of the first can push out the second.
"""

import logging
import tempfile
import time
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.connectors.telemetry.dimensions import admitted
from shared.connectors.telemetry.trace import TraceIds

with warnings.catch_warnings():
    # It asks for the default locale in a way that Python 3.15 will no longer know.
    warnings.simplefilter("ignore", DeprecationWarning)
    from opencensus.common.schedule import QueueEvent
    from opencensus.ext.azure.common.transport import TransportStatusCode
    from opencensus.ext.azure.log_exporter import AzureLogHandler

_INTERVAL_S = 1.0
_TIMEOUT_S = 5.0
_RETRY_S = 5
_LONGEST_NAP_S = 300
_BATCH = 500
_CAPACITY = 20_000
_GRACE_S = 3.0


class _Handler(AzureLogHandler):  # type: ignore[misc]  # opencensus carries no types
    """One queue, one thread, one folder for what was not taken; for records of one kind."""

    # Of the class, because the thread runs before the instance is complete.
    _asleep_until = 0.0
    _nap = _RETRY_S

    def __init__(self, connection_string: str, folder: Path, *, errors: bool) -> None:
        super().__init__(
            connection_string=connection_string,
            export_interval=_INTERVAL_S,
            grace_period=_GRACE_S,
            max_batch_size=_BATCH,
            minimum_retry_interval=_RETRY_S,
            queue_capacity=_CAPACITY,
            storage_path=str(folder),
            timeout=_TIMEOUT_S,
        )
        self._errors = errors
        self.addFilter(TraceIds())

    def createLock(self) -> None:  # noqa: N802  # logging's name
        """A real lock: the package leaves none, and logging of Python 3.13 cannot do without."""
        logging.Handler.createLock(self)

    def _check_stats_collection(self) -> bool:
        # No while it is built: the package would report on itself to an endpoint of Microsoft's. Afterwards a
        # yes only makes it count in memory, and at a no it drops what met a timeout or a closed port instead
        # of keeping it for later.
        return hasattr(self, "_errors")

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a record of our kind; it is dropped when the queue is full because the far side hangs."""
        if (record.levelno >= logging.ERROR) is self._errors and not self._queue._queue.full():  # noqa: SLF001  # the package logs a line per drop
            super().emit(record)

    def _export(self, batch: Any, event: Any = None) -> None:
        """Send a batch and, when there is none, what an earlier one left behind.

        The package sends what it put by only after a success of the same kind: after an outage an error would
        wait for the next error.
        """
        super()._export(batch, event)
        if not batch:
            self._transmit_from_storage()

    def _transmit_from_storage(self) -> None:
        """Send what was put by, until the far side does not take it; then leave it alone for a while.

        The package tries every file each time and logs a line for each.
        """
        if time.monotonic() < self._asleep_until:
            return
        for blob in self.storage.gets():
            if not blob.lease(_TIMEOUT_S + _RETRY_S):
                continue
            if self._transmit(blob.get()) is TransportStatusCode.RETRY:
                blob.lease(_RETRY_S)
                self._asleep_until = time.monotonic() + self._nap
                self._nap = min(self._nap * 2, _LONGEST_NAP_S)
                return
            blob.delete()
            self._nap = _RETRY_S

    def flush(self, timeout: float | None = None) -> bool:
        """Whether everything queued so far was exported within `timeout`, which is never without end.

        The package's own returns at once while its thread holds records it has not sent yet.
        """
        if not hasattr(self, "_worker") or not self._worker.is_alive():
            return True
        event = QueueEvent("flush")
        self._queue.put(event, block=False)
        return bool(event.wait(_GRACE_S if timeout is None else timeout))


class InsightsTelemetry:
    """`Telemetry` into Application Insights; raises ValueError for a connection string that is none.

    An event costs the caller a queue's lock; everything else happens on the exporter's threads.
    """

    def __init__(
        self,
        connection_string: str,
        *,
        storage: Path | None = None,
        information_rate: float = 1.0,
        strict: bool = False,
    ) -> None:
        if not 0 <= information_rate <= 1:
            raise ValueError("the rate is a share between 0 and 1")
        # One folder per destination: what one service put by must not be sent to the sink of another.
        place = f"{zlib.crc32(connection_string.encode()):08x}"
        folder = storage or Path(tempfile.gettempdir()) / "tandem-telemetry" / place
        self._strict = strict
        self._rate = information_rate
        # A logger of our own, outside the tree: what it logs must not reach the host, which would tell it
        # again, and what others log must not be exported here.
        self._logger = logging.Logger("tandem", logging.INFO)  # noqa: LOG001  # see above
        self._handlers = [
            _Handler(connection_string, folder / "errors", errors=True),
            _Handler(connection_string, folder / "information", errors=False),
        ]
        for handler in self._handlers:
            self._logger.addHandler(handler)

    def event(self, name: str, dimensions: Mapping[str, str], *, error: bool = False) -> None:
        """Queue one event. Errors are always told; of successes, `information_rate`."""
        told = admitted(dimensions, strict=self._strict)
        if error or self._sampled(told.get("message_id", name)):
            extra: dict[str, Any] = {"custom_dimensions": {"event": name, **told}}
            self._logger.log(logging.ERROR if error else logging.INFO, name, extra=extra)

    def _sampled(self, key: str) -> bool:
        """By message and not by chance: of one message either every event is told or none."""
        return self._rate >= 1 or zlib.crc32(key.encode()) < self._rate * 2**32

    def flush(self, timeout: float) -> bool:
        """Wait until everything told so far was sent or put by, at most `timeout` seconds per kind."""
        flushed = [handler.flush(timeout) for handler in self._handlers]
        return all(flushed)

    def close(self) -> None:
        """Send what is left, for at most a few seconds, and stop."""
        for handler in self._handlers:
            self._logger.removeHandler(handler)
            handler.close(_GRACE_S)
