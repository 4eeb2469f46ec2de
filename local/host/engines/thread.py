"""An engine on a thread and event loop of its own, as the real worker is a process of its own.

A function that blocks its loop then keeps nothing from renewing locks, answering HTTP or stopping.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from concurrent.futures import Future as ThreadFuture
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from local.host.engines.port import Engine
from local.host.function import Function
from local.host.invocation import Call, Completion

T = TypeVar("T")

# How long cancelled calls have to clean up.
_CANCEL_S = 0.3


class EngineThread:
    """Runs an engine's calls; may be asked from any thread's event loop."""

    def __init__(self, engine: Engine, timeout: timedelta | None) -> None:
        self._engine = engine
        self._timeout_s = None if timeout is None else timeout.total_seconds()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._turn, name="engine", daemon=True)
        self._thread.start()

    def _turn(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def load(self, app: Path) -> tuple[Function, ...]:
        """Index the app, waiting for it. Raises what the engine raises."""
        return self._submit(self._engine.load(app)).result()

    async def run(self, call: Call) -> Completion:
        """Run one call; one that outlasts the function timeout ends as failed."""
        try:
            return await asyncio.wrap_future(self._submit(self._bounded(call)))
        except (asyncio.CancelledError, CancelledError):
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return Completion("Stopped: the host ended before the function did")

    async def _bounded(self, call: Call) -> Completion:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._engine.run(call)
        except TimeoutError:
            return Completion(f"FunctionTimeout: {call.function.name} ran longer than functionTimeout")

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> ThreadFuture[T]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def stop(self) -> None:
        """Cancel what still runs and end the loop; app code that blocks the thread ends with the process."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        self._thread.join(timeout=_CANCEL_S + 0.2)
        if not self._thread.is_alive():
            self._loop.close()

    async def _end(self) -> None:
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=_CANCEL_S)
        self._loop.call_soon(self._loop.stop)
