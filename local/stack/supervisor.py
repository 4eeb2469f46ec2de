"""Starts all parts in the order of their needs, keeps them running, and stops them without a remainder."""

import asyncio
import json
import os
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from local.stack.fault import NotReadyError, PartFailedError
from local.stack.keeper import Keeper, PartState, Patience
from local.stack.layout import Layout
from local.stack.part import Part
from local.stack.private_file import write_private_json
from local.stack.process import kill_group, started_at


def clear_leftovers(status: Path) -> list[str]:
    """Ends what a supervisor that was killed may have left running; returns the names of those parts."""
    if not status.exists():
        return []
    cleared = []
    for name, row in json.loads(status.read_text())["parts"].items():
        pid = row["pid"]
        if pid is not None and row["started"] is not None and started_at(pid) == row["started"]:
            kill_group(pid)
            cleared.append(name)
    return cleared


def _levels(parts: Sequence[Part]) -> list[list[Part]]:
    """The parts by how deep their needs go, the ones that need nobody first."""
    placed: dict[str, int] = {}
    names = {part.name for part in parts}
    rest = list(parts)
    while rest:
        ready = [part for part in rest if part.after & names <= placed.keys()]
        if not ready:
            raise NotReadyError(f"These parts wait for each other: {', '.join(part.name for part in rest)}.")
        for part in ready:
            placed[part.name] = 1 + max((placed[name] for name in part.after & names), default=-1)
        rest = [part for part in rest if part.name not in placed]
    return [[part for part in parts if placed[part.name] == n] for n in range(max(placed.values()) + 1)]


class Supervisor:
    """The parts of one stack. `say` is called with each line that a person should read."""

    def __init__(
        self,
        parts: Sequence[Part],
        layout: Layout,
        *,
        say: Callable[[str], None],
        authority: Path | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._levels = _levels(parts)
        self._layout = layout
        self._say = say
        self._patience = patience or Patience()
        trust: ssl.SSLContext | bool = False
        if authority is not None:
            trust = ssl.create_default_context(cafile=str(authority))
        self._http = httpx.AsyncClient(
            verify=trust,
            # A proxy of the person's environment must not stand between the stack and its parts.
            trust_env=False,
            timeout=5.0,
            # A connection that is kept for later delays the stop of the part at its other end.
            headers={"Connection": "close"},
        )
        self._keepers = {
            part.name: Keeper(
                part,
                layout,
                http=self._http,
                patience=self._patience,
                say=say,
                changed=self._write_status,
            )
            for part in parts
        }
        self._tasks: list[asyncio.Task[None]] = []
        self._state = "starting"
        self._since = datetime.now(tz=UTC)

    def _write_status(self) -> None:
        parts: dict[str, Any] = {}
        for name, keeper in self._keepers.items():
            process = keeper.process
            parts[name] = {
                "state": keeper.state,
                "address": keeper.part.address,
                "health": keeper.part.health,
                "pid": process.pid if process else None,
                "started": process.started if process else None,
                "restarts": keeper.restarts,
                "log": str(keeper.log),
            }
        body = {
            "state": self._state,
            "pid": os.getpid(),
            "since": self._since.isoformat(timespec="seconds"),
            "parts": parts,
        }
        write_private_json(self._layout.status, body)

    def _enter(self, state: str) -> None:
        self._state = state
        self._write_status()

    def _fresh_logs(self) -> None:
        self._layout.logs.mkdir(parents=True, exist_ok=True)
        for keeper in self._keepers.values():
            if keeper.log.exists():
                keeper.log.replace(keeper.log.with_suffix(".log.1"))

    async def start(self) -> None:
        """Returns once every part answers; stops them all again and raises PartFailedError if one cannot."""
        began = time.monotonic()
        self._fresh_logs()
        self._enter("starting")
        self._tasks = [asyncio.create_task(keeper.keep(self._keepers)) for keeper in self._keepers.values()]
        everyone = asyncio.create_task(self._everyone())
        try:
            waited: set[asyncio.Future[Any]] = {everyone, *self._tasks}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not everyone.done():
                await self._raise_failure()
        finally:
            everyone.cancel()
        self._say(f"All {len(self._keepers)} parts answer, {time.monotonic() - began:.1f} s after the start.")

    async def _everyone(self) -> None:
        for keeper in self._keepers.values():
            await keeper.ready.wait()

    async def _raise_failure(self) -> None:
        failed = next(task for task in self._tasks if task.done())
        fault = failed.exception()
        await self.stop()
        if isinstance(fault, OSError):
            raise PartFailedError(f"A part could not be started: {fault}") from fault
        if fault is not None:
            raise fault

    def ready(self) -> None:
        """Says in the status file that the stack can be used: its addresses are written."""
        self._enter("ready")

    async def stop(self) -> None:
        """Stops every part, those that others need last, and returns when no process is left."""
        self._enter("stopping")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for level in reversed(self._levels):
            await asyncio.gather(*(self._keepers[part.name].stop() for part in level))
        await self._http.aclose()
        self._enter("stopped")

    @property
    def all_ready(self) -> bool:
        """Whether every part answers at the moment, as far as the supervisor knows."""
        return all(keeper.state is PartState.READY for keeper in self._keepers.values())
