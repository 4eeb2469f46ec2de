"""Keeps one part running: starts it, waits until it answers, and starts it again when it dies."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import httpx

from local.stack.fault import PartFailedError
from local.stack.layout import Layout
from local.stack.part import Part
from local.stack.process import PartProcess


class PartState(StrEnum):
    """Where a part is in its life."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the supervisor waits, in seconds."""

    start: float = 60.0
    poll: float = 0.05
    stop: float = 2.5
    first_pause: float = 0.5
    longest_pause: float = 30.0
    # A part that ran this long before it died is started again without delay's growth.
    proven: float = 60.0

    def pause(self, deaths: int) -> float:
        """How long to wait before a part is started again after it died `deaths` times in a row."""
        return float(min(self.longest_pause, self.first_pause * 2 ** min(deaths - 1, 30)))


class Keeper:
    """One part and the process that it runs in at the moment."""

    def __init__(
        self,
        part: Part,
        layout: Layout,
        *,
        http: httpx.AsyncClient,
        patience: Patience,
        say: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        self.part = part
        self.ready = asyncio.Event()
        self.state = PartState.WAITING
        self.restarts = 0
        self.process: PartProcess | None = None
        self._layout = layout
        self._http = http
        self._patience = patience
        self._say = say
        self._changed = changed

    @property
    def log(self) -> Path:
        """Where the part's output goes."""
        return self._layout.log_of(self.part.name)

    def _enter(self, state: PartState) -> None:
        self.state = state
        self._changed()

    async def _answers(self) -> bool:
        try:
            answer = await self._http.get(self.part.health)
        except httpx.HTTPError:
            return False
        return self.part.any_answer or answer.status_code == 200

    async def _start(self) -> PartProcess:
        """Starts the process; returns once it answers. PartFailedError if it ends before, or takes long."""
        if self.part.prepare is not None:
            await asyncio.to_thread(self.part.prepare)
        process = await PartProcess.start(self.part, self._layout.root, self.log)
        self.process = process
        self._changed()
        deadline = time.monotonic() + self._patience.start
        while not await self._answers():
            if process.status is not None:
                raise PartFailedError(
                    f"The part {self.part.name} ended with status {process.status} before it answered; "
                    f"its last words: {self._last_words()} (all of them: {self.log})"
                )
            if time.monotonic() > deadline:
                raise PartFailedError(
                    f"The part {self.part.name} did not answer within {self._patience.start:g} s: {self.log}"
                )
            await asyncio.sleep(self._patience.poll)
        return process

    def _last_words(self) -> str:
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else "none"

    async def keep(self, others: dict[str, "Keeper"]) -> None:
        """Runs the part for good. Raises PartFailedError only if its first start fails."""
        for name in sorted(self.part.after & others.keys()):
            await others[name].ready.wait()
        self._enter(PartState.STARTING)
        began = time.monotonic()
        process = await self._start()
        self._enter(PartState.READY)
        self.ready.set()
        self._say(f"  {self.part.name:<10} {self.part.address:<32} {time.monotonic() - began:5.1f} s")
        deaths = 0
        while True:
            up_since = time.monotonic()
            status = await self._tended(process)
            deaths = 1 if time.monotonic() - up_since > self._patience.proven else deaths + 1
            process = await self._again(status, deaths)

    async def _tended(self, process: PartProcess) -> int:
        """Waits for the process to end, seeing to the part's chore meanwhile."""
        ended = asyncio.ensure_future(process.ended())
        try:
            while not ended.done():
                if self.part.tend is not None:
                    await asyncio.to_thread(self.part.tend)
                await asyncio.wait({ended}, timeout=1.0 if self.part.tend is not None else None)
            return ended.result()
        finally:
            ended.cancel()

    async def _again(self, status: int, deaths: int) -> PartProcess:
        """Starts the part again, however often that takes."""
        reason = f"ended with status {status}"
        while True:
            pause = self._patience.pause(deaths)
            self._enter(PartState.RESTARTING)
            self._say(
                f"The part {self.part.name} {reason}; starting it again in {pause:g} s. Log: {self.log}"
            )
            await asyncio.sleep(pause)
            self.restarts += 1
            try:
                process = await self._start()
            except (PartFailedError, OSError) as fault:
                deaths += 1
                reason = f"did not come back ({type(fault).__name__})"
                if self.process is not None:
                    await self.process.stop(self._patience.stop)
                continue
            self._enter(PartState.READY)
            self._say(f"The part {self.part.name} answers again (restart {self.restarts}).")
            return process

    async def stop(self) -> None:
        """Ends the part's process, if there is one."""
        if self.process is not None:
            await self.process.stop(self._patience.stop)
        self._enter(PartState.STOPPED)
